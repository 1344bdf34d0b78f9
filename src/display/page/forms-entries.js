// What is entered while the drug runs: drugs given, changes of the rate, remarks.

import { button, element } from "./element.js";
import { tile } from "./panel.js";
import { clockShort, keyed, number, say } from "./words.js";

/** Common drugs of such a clinic with the unit that they are dosed in; a proposal, `other` takes the rest. */
const DRUGS = [
  ["drug.ketamine", "mg"],
  ["drug.midazolam", "mg"],
  ["drug.lorazepam", "mg"],
  ["drug.ondansetron", "mg"],
  ["drug.labetalol", "mg"],
  ["drug.hydralazine", "mg"],
  ["drug.glycopyrrolate", "mg"],
  ["drug.paracetamol", "mg"],
  ["drug.saline", "mL"],
  ["drug.oxygen", "L/min"],
];
const UNITS = ["mg", "µg", "g", "mL", "L/min"];

const NOTES = [
  "note.comfortable", "note.anxious", "note.dissociated", "note.nausea",
  "note.vomited", "note.dizzy", "note.headache", "note.position",
  "note.iv-checked", "note.provider", "note.escort", "note.drink",
];

/** Which drug was given. */
export function drugs(desk) {
  const totals = desk.board.session.drug_totals ?? [];
  const total = (name) => {
    const found = totals.filter((known) => known.name === name && known.dose !== null);
    return found.map(({ dose, unit }) => say("drug.total", { dose: number(dose), unit })).join(", ");
  };
  desk.panel.open({
    name: "drugs",
    title: say("drug.title"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...DRUGS.map(([key, unit]) => tile(say(key), total(say(key)) || unit, () => dose(desk, say(key), unit))),
        tile(say("form.other"), "", () => otherDrug(desk)),
      ),
    ],
    back: () => desk.more(),
  });
}

function dose(desk, name, unit) {
  const node = desk.ask({
    name: "dose",
    title: name,
    action: "form.save",
    fields: [{ name: "dose", label: "drug.dose", number: true, needed: true, wide: true, max: 100000 }],
    submit: async (told) => desk.after(await desk.send({ command: "drug", name, unit, ...told })),
    back: () => drugs(desk),
  });
  node.querySelector(".field span").textContent = say("drug.dose-in", { name, unit });
  node.querySelector("input").focus();
}

function otherDrug(desk) {
  desk.ask({
    name: "other-drug",
    title: say("drug.title"),
    action: "form.save",
    fields: [
      { name: "name", label: "open.drug", needed: true, wide: true },
      { name: "dose", label: "drug.dose", number: true, needed: true, wide: true, max: 100000 },
      { kind: "chosen", name: "unit", label: "drug.unit", options: UNITS.map((unit) => [unit, unit]), needed: true },
    ],
    submit: async (told) => desk.after(await desk.send({ command: "drug", ...told })),
    back: () => drugs(desk),
  });
}

/** A new rate at the pump: in mL/h, in mg/h, or both. */
export function rate(desk) {
  const now = desk.board.session.rate;
  const parts = [now?.ml_h != null && `${number(now.ml_h)} mL/h`, now?.mg_h != null && `${number(now.mg_h)} mg/h`];
  const text = now ? say("rate.now", { rate: parts.filter(Boolean).join(" · "), time: clockShort(now.at) }) : "";
  desk.ask({
    name: "rate",
    title: say("rate.title"),
    text,
    action: "form.save",
    fields: [
      { name: "ml-h", label: "rate.ml-h", number: true, max: 2000 },
      { name: "mg-h", label: "rate.mg-h", number: true, max: 2000 },
    ],
    submit: async (told) => {
      if (Object.keys(told).length === 0) desk.panel.tell(say("rate.needed"));
      else desk.after(await desk.send({ command: "rate-change", ...told }));
    },
    back: () => desk.more(),
  });
}

/** A remark: one of the common ones, or typed. */
export function notes(desk) {
  const save = (text) => desk.send({ command: "note", text });
  desk.panel.open({
    name: "notes",
    title: say("note.title"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...NOTES.map((key) => tile(say(key), "", async () => desk.after(await save(say(key))))),
      ),
    ],
    actions: [button("", () => typedNote(desk, save), keyed("note.other"))],
    back: () => desk.more(),
  });
}

function typedNote(desk, save) {
  const node = desk.ask({
    name: "note",
    title: say("note.title"),
    action: "form.save",
    fields: [{ name: "text", label: "note.text", needed: true, wide: true }],
    submit: async ({ text }) => desk.after(await save(text)),
    back: () => notes(desk),
  });
  node.querySelector("input").focus();
}
