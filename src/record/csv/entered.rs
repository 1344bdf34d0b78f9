//! Tables of what people and pumps gave, and of what the end of a session asks for.

use super::table::{Cell, Column, Kind, Table};
use crate::engine::ItemState;
use crate::record::model::Record;

pub(super) fn amounts(record: &Record, tables: &mut Vec<Table>) {
    table!(
        tables,
        "drugs",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when; of a correction the time of what it corrects"),
            ("name", Text, "", "drug"),
            ("dose", Number, "see unit", "how much"),
            ("unit", Text, "", "of what unit"),
            ("wasted", Truth, "", "drawn up and destroyed, not given"),
            ("by", Text, "", "who"),
            ("second_by", Text, "", "the second person"),
            ("corrected_by", Number, "", "entry that corrects this one, which then counts no more"),
            ("corrects", Number, "", "entry that this one corrects"),
        ],
        &record.drugs,
        drug => [
            drug.seq,
            drug.at,
            &drug.name,
            drug.dose,
            &drug.unit,
            drug.wasted,
            &drug.by,
            &drug.second_by,
            drug.corrected_by,
            drug.corrects,
        ]
    );
    table!(
        tables,
        "drug_totals",
        [
            ("name", Text, "", "drug"),
            ("unit", Text, "", "unit"),
            ("given", Number, "see unit", "given in all"),
            ("wasted", Number, "see unit", "wasted in all"),
            ("witnesses", Text, "", "names beside what was wasted, separated by commas"),
        ],
        &record.totals.drugs,
        total => [
            &total.name,
            &total.unit,
            total.given,
            total.wasted,
            &total.witnesses.join(", "),
        ]
    );
    table!(
        tables,
        "rates",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "from when"),
            ("ml_h", Number, "mL/h", "rate"),
            ("mg_h", Number, "mg/h", "rate"),
            ("manual", Truth, "", "whether a person entered it"),
            ("feed", Text, "", "feed that told it"),
            ("mg_until", Number, "mg", "given until then, by the rates in mg/h"),
            ("by", Text, "", "who entered it"),
            ("corrected_by", Number, "", "entry that corrects this one, which then counts no more"),
            ("corrects", Number, "", "entry that this one corrects"),
        ],
        &record.rates,
        rate => [
            rate.seq,
            rate.at,
            rate.ml_h,
            rate.mg_h,
            rate.manual,
            &rate.feed,
            rate.mg_until,
            &rate.by,
            rate.corrected_by,
            rate.corrects,
        ]
    );
    table!(
        tables,
        "pump",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when it was received"),
            ("told_at", Text, "", "when it happened, by the pump's clock"),
            ("feed", Text, "", "feed"),
            ("event", Text, "", "what happened"),
            ("drug", Text, "", "drug, as told"),
            ("rate_ml_h", Number, "mL/h", "rate"),
            ("volume_ml", Number, "mL", "volume delivered"),
            ("reason", Text, "", "why, as told"),
        ],
        &record.pump,
        entry => [
            entry.seq,
            entry.at,
            &entry.told_at,
            &*entry.feed,
            entry.event,
            &entry.drug,
            entry.rate_ml_h,
            entry.volume_ml,
            &entry.reason,
        ]
    );
}

pub(super) fn entries(record: &Record, tables: &mut Vec<Table>) {
    table!(
        tables,
        "scores",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("scale", Text, "", "moaas, rass, pain, dissociation, nausea, aldrete, padss"),
            ("value", Number, "", "score"),
            ("by", Text, "", "who entered it"),
            ("corrected_by", Number, "", "entry that corrects this one, which then counts no more"),
            ("corrects", Number, "", "entry that this one corrects"),
        ],
        &record.scores,
        score => [
            score.seq,
            score.at,
            &score.scale,
            score.value,
            &score.by,
            score.corrected_by,
            score.corrects,
        ]
    );
    table!(
        tables,
        "notes",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("text", Text, "", "remark"),
            ("by", Text, "", "who entered it"),
            ("corrected_by", Number, "", "entry that corrects this one"),
            ("corrects", Number, "", "entry that this one corrects"),
        ],
        &record.notes,
        note => [note.seq, note.at, &note.text, &note.by,
            note.corrected_by, note.corrects]
    );
    table!(
        tables,
        "overrides",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("command", Text, "", "what was done all the same"),
            ("reason", Text, "", "why"),
            ("by", Text, "", "who"),
            ("second_by", Text, "", "the second person"),
        ],
        &record.overrides,
        over => [over.seq, over.at, over.command, &over.reason, &over.by, &over.second_by]
    );
    table!(
        tables,
        "signatures",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("role", Text, "", "role"),
            ("by", Text, "", "who"),
        ],
        &record.signatures,
        signature => [signature.seq, signature.at, &signature.role, &signature.by]
    );
    table!(
        tables,
        "corrections",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("corrects", Number, "", "entry that is corrected"),
            ("fields", Text, "", "what it should have said, as JSON"),
            ("applied", Truth, "", "whether the other files follow it"),
        ],
        &record.corrections,
        correction => [
            correction.seq,
            correction.at,
            correction.corrects,
            &serde_json::Value::Object(correction.fields.clone()).to_string(),
            correction.applied,
        ]
    );
    table!(
        tables,
        "refusals",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when"),
            ("command", Text, "", "command"),
            ("error", Text, "", "why it was refused"),
        ],
        &record.refusals,
        refusal => [refusal.seq, refusal.at, &refusal.command, &refusal.error]
    );
    table!(
        tables,
        "events",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when"),
            ("kind", Text, "", "kind"),
            ("text", Text, "", "in words"),
            ("manual", Truth, "", "whether a person entered it"),
        ],
        &record.events,
        event => [event.seq, event.at, event.kind, &event.text, event.manual]
    );
}

pub(super) fn leaving(record: &Record, tables: &mut Vec<Table>) {
    table!(
        tables,
        "checklist",
        [
            ("item", Text, "", "item"),
            ("text", Text, "", "in words"),
            ("state", Text, "", "met, open, unknown"),
            ("detail", Text, "", "what it was told by"),
        ],
        &record.checklist,
        item => [
            item.item,
            &item.text,
            match item.state {
                ItemState::Met => "met",
                ItemState::Open => "open",
                ItemState::Unknown => "unknown",
            },
            &item.detail,
        ]
    );
    table!(
        tables,
        "checks",
        [
            ("seq", Number, "", "entry, by hand"),
            ("at", Time, "", "when"),
            ("item", Text, "", "item of the checklist"),
            ("met", Truth, "", "whether it is met"),
            ("by", Text, "", "who"),
        ],
        &record.checks,
        check => [check.seq, check.at, check.item, check.met, &check.by]
    );
    let rems = &record.rems;
    table!(
        tables,
        "rems_pressures",
        [
            ("which", Text, "", "before, 40-min, before-end"),
            ("seq", Number, "", "cuff reading"),
            ("at", Time, "", "when it was received"),
            ("sys", Number, "mmHg", "systolic"),
            ("dia", Number, "mmHg", "diastolic"),
        ],
        [
            ("before", &rems.pressure_before),
            ("40-min", &rems.pressure_at_40_min),
            ("before-end", &rems.pressure_before_end),
        ]
        .into_iter()
        .filter_map(|(which, pressure)| Some((which, pressure.as_ref()?))),
        (which, pressure) => [which, pressure.seq, pressure.at, pressure.sys, pressure.dia]
    );
    table!(
        tables,
        "rems_findings",
        [
            ("finding", Text, "", "sedation, dissociation, respiratory-depression"),
            ("found", Text, "", "true, false; empty: the record does not tell"),
            ("from", Time, "", "from when"),
            ("to", Time, "", "when it was gone"),
        ],
        [
            ("sedation", &rems.sedation),
            ("dissociation", &rems.dissociation),
            ("respiratory-depression", &rems.respiratory_depression),
        ],
        (name, finding) => [
            name,
            finding.found.map(|found| if found { "true" } else { "false" }),
            finding.from,
            finding.to,
        ]
    );
}
