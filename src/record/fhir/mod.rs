//! A FHIR R4 bundle of one session: patient, encounter, devices, vital signs, scores, drugs and the infusion.
//!
//! Promises: vital signs carry the LOINC codes that their profiles ask for with the MDC codes beside them, UCUM
//! units, and why there is no number where there is none; identifiers are the same in every run. Cuff
//! readings are all there; continuous vital signs are medians of one minute, and every single reading near
//! the turns of a patient alarm. Not in it: alarms, remarks, signatures, readings of codes that we do not
//! know, and what was wasted; they are in the other documents.

mod identity;
mod medication;
mod node;
mod observation;

use super::model::Record;
use identity::{About, Names};
use node::{Node, object};

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const UCUM: &str = "http://unitsofmeasure.org";

/// What every resource refers to.
struct Frame<'a> {
    record: &'a Record,
    names: Names,
}

impl Frame<'_> {
    fn reference(&self, about: About, number: u64) -> Node {
        object([("reference", Node::Text(self.names.urn(about, number)))])
    }

    fn patient(&self) -> Node {
        self.reference(About::Patient, 0)
    }

    fn encounter(&self) -> Node {
        self.reference(About::Encounter, 0)
    }

    /// The device of a feed.
    fn device(&self, feed: &str) -> Node {
        let place = self
            .record
            .feeds
            .iter()
            .position(|known| *known.name == *feed)
            .and_then(|place| u64::try_from(place).ok());
        match place {
            Some(place) => self.reference(About::Device, place),
            None => self.reference(About::Program, 0),
        }
    }
}

/// A resource under its identifier.
struct Entry {
    urn: String,
    resource: Node,
}

/// A coded concept: codings, and words for people.
fn concept(codings: &[(&'static str, &str)], text: &str) -> Node {
    let codings: Vec<Node> = codings
        .iter()
        .map(|(system, code)| object([("system", (*system).into()), ("code", (*code).into())]))
        .collect();
    if codings.is_empty() {
        return object([("text", text.into())]);
    }
    object([("coding", codings.into()), ("text", text.into())])
}

/// An amount with a UCUM unit.
fn quantity(value: crate::vocabulary::Decimal, unit: &str, code: &str) -> Node {
    object([
        ("value", value.into()),
        ("unit", unit.into()),
        ("system", UCUM.into()),
        ("code", code.into()),
    ])
}

/// The bundle as JSON.
///
/// # Errors
/// Only our own fault: a value that JSON cannot hold.
pub fn bundle(record: &Record) -> serde_json::Result<String> {
    let frame = Frame {
        record,
        names: Names::new(record),
    };
    let mut entries = people_and_devices(&frame);
    observation::cuff(&frame, &mut entries);
    observation::minutes(&frame, &mut entries);
    observation::near_alarms(&frame, &mut entries);
    observation::scores(&frame, &mut entries);
    medication::infusion(&frame, &mut entries);
    medication::drugs(&frame, &mut entries);
    let entries: Vec<Node> = entries
        .into_iter()
        .map(|entry| {
            object([
                ("fullUrl", Node::Text(entry.urn)),
                ("resource", entry.resource),
            ])
        })
        .collect();
    let bundle = object([
        ("resourceType", "Bundle".into()),
        (
            "identifier",
            object([
                ("system", "urn:ietf:rfc:3986".into()),
                ("value", Node::Text(frame.names.urn(About::Bundle, 0))),
            ]),
        ),
        ("type", "collection".into()),
        ("timestamp", record.header.upto.rfc3339().into()),
        ("entry", entries.into()),
    ]);
    serde_json::to_string_pretty(&bundle).map(|text| text + "\n")
}

fn people_and_devices(frame: &Frame<'_>) -> Vec<Entry> {
    let record = frame.record;
    let header = &record.header;
    let urn = |about, number| frame.names.urn(about, number);
    let mut patient = object([("resourceType", "Patient".into())]);
    patient = patient.with_some(
        "identifier",
        header
            .patient
            .as_deref()
            .map(|id| vec![object([("value", id.into())])]),
    );
    patient = patient.with_some(
        "name",
        header
            .patient_name
            .as_deref()
            .map(|name| vec![object([("text", name.into())])]),
    );
    let mut entries = vec![Entry {
        urn: urn(About::Patient, 0),
        resource: patient,
    }];
    let period = object([("start", header.opened_at.rfc3339().into())])
        .with_some("end", header.closed_at.map(super::Stamp::rfc3339));
    entries.push(Entry {
        urn: urn(About::Encounter, 0),
        resource: object([
            ("resourceType", "Encounter".into()),
            (
                "identifier",
                vec![object([(
                    "value",
                    format!("session-{}", record.session).into(),
                )])]
                .into(),
            ),
            (
                "status",
                if header.closed_at.is_some() {
                    "finished"
                } else {
                    "in-progress"
                }
                .into(),
            ),
            (
                "class",
                object([("system", ACT_CODE.into()), ("code", "AMB".into())]),
            ),
            ("subject", frame.patient()),
            ("period", period),
        ]),
    });
    let program = object([("resourceType", "Device".into())])
        .with(
            "deviceName",
            vec![object([
                ("name", "InfuseWatch".into()),
                ("type", "model-name".into()),
            ])],
        )
        .with(
            "type",
            concept(&[], "Supplementary bedside monitor (software)"),
        );
    let versions: Vec<Node> = header
        .programs
        .iter()
        .map(|version| object([("value", version.as_str().into())]))
        .collect();
    entries.push(Entry {
        urn: urn(About::Program, 0),
        resource: program.with_some("version", (!versions.is_empty()).then_some(versions)),
    });
    for (place, feed) in (0_u64..).zip(&record.feeds) {
        let identifiers: Vec<Node> = feed
            .devices
            .iter()
            .map(|device| object([("value", (&**device).into())]))
            .collect();
        entries.push(Entry {
            urn: urn(About::Device, place),
            resource: object([("resourceType", "Device".into())])
                .with_some(
                    "identifier",
                    (!identifiers.is_empty()).then_some(identifiers),
                )
                .with(
                    "deviceName",
                    vec![object([
                        ("name", (&*feed.name).into()),
                        ("type", "user-friendly-name".into()),
                    ])],
                )
                .with(
                    "type",
                    concept(&[], &format!("Patient monitor or pump, {}", feed.protocol)),
                ),
        });
    }
    entries
}
