//! Drugs: the infusion and what was given by hand.

use super::identity::About;
use super::node::{Node, object};
use super::{Entry, Frame, concept, quantity};
use crate::record::Stamp;
use crate::vocabulary::{Decimal, Phase};

/// A unit that a person wrote, in UCUM where we know it.
fn ucum(unit: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 8] = [
        ("mg", "mg"),
        ("g", "g"),
        ("mcg", "ug"),
        ("µg", "ug"),
        ("ug", "ug"),
        ("ml", "mL"),
        ("units", "[iU]"),
        ("mmol", "mmol"),
    ];
    let unit = unit.trim();
    KNOWN
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(unit))
        .map(|(_, code)| *code)
}

fn amount(value: Decimal, unit: &str) -> Node {
    match ucum(unit) {
        Some(code) => quantity(value, unit.trim(), code),
        None => object([("value", value.into()), ("unit", unit.into())]),
    }
}

fn begin(frame: &Frame<'_>, status: &str, drug: &str) -> Node {
    object([
        ("resourceType", "MedicationAdministration".into()),
        ("status", status.into()),
        ("medicationCodeableConcept", concept(&[], drug)),
        ("subject", frame.patient()),
        ("context", frame.encounter()),
    ])
}

/// The infusion, once it has started.
pub(super) fn infusion(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    let record = frame.record;
    let header = &record.header;
    let Some(started) = header.infusion_started_at else {
        return;
    };
    let last = record.phases.last().map(|span| span.phase);
    let status = match (header.infusion_ended_at, last) {
        (Some(_), _) => "completed",
        (None, Some(Phase::Paused)) => "on-hold",
        (None, _) => "in-progress",
    };
    let totals = &record.totals;
    let dose = totals
        .infusion_mg
        .map(|mg| quantity(mg, "mg", "mg"))
        .or_else(|| {
            totals
                .infusion_ml
                .or(totals.pump_volume_ml)
                .map(|ml| quantity(ml, "mL", "mL"))
        });
    let rates: Vec<Node> = record
        .rates
        .iter()
        .filter(|rate| rate.corrected_by.is_none())
        .map(|rate| {
            let words = crate::record::entered::rate_text(rate.ml_h, rate.mg_h);
            let told = if rate.manual {
                "entered by hand"
            } else {
                "told by the pump"
            };
            object([
                ("time", rate.at.rfc3339().into()),
                ("text", format!("{words} ({told})").into()),
            ])
        })
        .collect();
    let period = object([("start", started.rfc3339().into())])
        .with_some("end", header.infusion_ended_at.map(Stamp::rfc3339));
    let drug = header.drug.as_deref().unwrap_or("not recorded");
    entries.push(Entry {
        urn: frame.names.urn(About::Infusion, 0),
        resource: begin(frame, status, drug)
            .with("effectivePeriod", period)
            .with_some("note", (!rates.is_empty()).then_some(rates))
            .with_some("dosage", dose.map(|dose| object([("dose", dose)]))),
    });
}

/// What was given by hand; an entry that was corrected is marked as entered in error.
pub(super) fn drugs(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    for drug in frame.record.drugs.iter().filter(|drug| !drug.wasted) {
        let status = if drug.corrected_by.is_some() {
            "entered-in-error"
        } else {
            "completed"
        };
        let mut node =
            begin(frame, status, &drug.name).with("effectiveDateTime", drug.at.rfc3339());
        node = node.with_some(
            "performer",
            drug.by
                .as_deref()
                .map(|by| vec![object([("actor", object([("display", by.into())]))])]),
        );
        entries.push(Entry {
            urn: frame.names.urn(About::Drug, drug.seq),
            resource: node
                .with("note", vec![object([("text", "entered by hand".into())])])
                .with("dosage", object([("dose", amount(drug.dose, &drug.unit))])),
        });
    }
}
