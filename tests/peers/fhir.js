// Validates a bundle, and every resource in it by itself, with npm's `fhir`; prints what is wrong and exits 1.
"use strict";
const fs = require("fs");
const { Fhir } = require("fhir");

// The validator carries only part of the example value sets that LOINC and MDC codes are looked up in.
const partial = /^Code "[^"]*" \((http:\/\/loinc\.org|urn:iso:std:iso:11073:10101)\) not found in value set/;
const fhir = new Fhir();
const bundle = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
let wrong = 0;
function validate(name, resource) {
    const result = fhir.validate(resource, { errorOnUnexpected: true });
    for (const message of result.messages) {
        if (message.severity === "warning" && partial.test(message.message)) continue;
        if (message.severity === "error" || message.severity === "fatal" || message.severity === "warning") {
            wrong += 1;
            if (wrong <= 40) console.error(`${name}: ${message.severity}: ${message.location}: ${message.message}`);
        }
    }
}
validate("Bundle", bundle);
const counts = {};
for (const entry of bundle.entry) {
    const type = entry.resource.resourceType;
    counts[type] = (counts[type] || 0) + 1;
    validate(`${type} ${entry.fullUrl}`, entry.resource);
}
// The validator must be able to fail: a panel without its status is no observation.
const broken = JSON.parse(JSON.stringify(bundle.entry.find((e) => e.resource.resourceType === "Observation").resource));
delete broken.status;
if (fhir.validate(broken, { errorOnUnexpected: true }).messages.every((m) => m.severity !== "error")) {
    console.error("the validator takes an observation without a status");
    wrong += 1;
}
console.log(`fhir: ${JSON.stringify(counts)}, ${wrong} problems`);
process.exit(wrong === 0 ? 0 : 1);
