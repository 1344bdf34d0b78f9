//! The sheet's tables of what people entered, of what the end asks for, and of everything that happened.

use super::Sheet;
use super::course::or_dash;
use super::page::Page;
use crate::engine::text::parameter_name;
use crate::engine::{ItemState, LimitSource};
use crate::record::entered::scale_words;
use crate::record::model::{Finding, Pressure};

/// An entry that a later one corrects is struck out and stays.
fn corrected(page: &mut Page, by: Option<u64>, corrects: Option<u64>) {
    if let Some(seq) = by {
        page.markup(" corrected by entry ").shown(seq);
    }
    if let Some(seq) = corrects {
        page.markup(" corrects entry ").shown(seq);
    }
}

/// Who entered it, where it is known.
fn by(page: &mut Page, name: Option<&String>) {
    if let Some(name) = name {
        page.markup(", by ").told(name);
    }
}

fn struck(page: &mut Page, is_struck: bool, text: &str) {
    if is_struck {
        page.markup("<del>").told(text).markup("</del>");
    } else {
        page.told(text);
    }
}

impl Sheet<'_> {
    /// Drugs, rates and sums.
    pub(super) fn drugs(&self, page: &mut Page) {
        let record = self.record;
        page.markup("<h2>Drugs and amounts</h2>\n");
        if !record.drugs.is_empty() {
            page.markup("<table><thead><tr><th>Time</th><th>Drug</th><th>Dose</th><th>What</th><th>By</th><th>Second person</th><th>Entry</th></tr></thead>\n");
            for drug in &record.drugs {
                let is_struck = drug.corrected_by.is_some();
                page.markup("<tr><td>")
                    .shown(self.time(drug.at))
                    .markup("</td><td><b>M</b> ");
                struck(page, is_struck, &drug.name);
                page.markup("</td><td>");
                struck(page, is_struck, &format!("{} {}", drug.dose, drug.unit));
                page.markup("</td><td>")
                    .shown(if drug.wasted { "wasted" } else { "given" })
                    .markup("</td><td>")
                    .told(drug.by.as_deref().unwrap_or(""))
                    .markup("</td><td>")
                    .told(drug.second_by.as_deref().unwrap_or(""))
                    .markup("</td><td>")
                    .shown(drug.seq);
                corrected(page, drug.corrected_by, drug.corrects);
                page.markup("</td></tr>\n");
            }
            page.markup("</table>\n");
        }
        if !record.rates.is_empty() {
            page.markup("<table><thead><tr><th>From</th><th>mL/h</th><th>mg/h</th><th>mg given until then</th><th>Told by</th><th>Entry</th></tr></thead>\n");
            for rate in &record.rates {
                let is_struck = rate.corrected_by.is_some();
                page.markup("<tr><td>")
                    .shown(self.time(rate.at))
                    .markup("</td>");
                for value in [rate.ml_h, rate.mg_h] {
                    page.markup("<td class=\"n\">");
                    struck(page, is_struck, &or_dash(value));
                    page.markup("</td>");
                }
                page.markup("<td class=\"n\">")
                    .shown(or_dash(rate.mg_until))
                    .markup("</td><td>");
                match (&rate.feed, rate.manual) {
                    (Some(feed), false) => page.told(feed),
                    (Some(_) | None, _) => page
                        .markup("<b>M</b> ")
                        .told(rate.by.as_deref().unwrap_or("")),
                };
                page.markup("</td><td>").shown(rate.seq);
                corrected(page, rate.corrected_by, rate.corrects);
                page.markup("</td></tr>\n");
            }
            page.markup("</table>\n");
        }
        self.totals(page);
    }

    fn totals(&self, page: &mut Page) {
        let totals = &self.record.totals;
        page.markup("<table><thead><tr><th>Total</th><th>Given</th><th>Wasted</th><th>Two signatures for what was wasted</th></tr></thead>\n<tr><td>Infusion, by the rates told</td><td>")
            .shown(totals.infusion_mg.map_or_else(
                || "mg not known: no rate in mg/h for the whole infusion".to_owned(),
                |mg| format!("{mg} mg"),
            ));
        if let Some(ml) = totals.infusion_ml {
            page.markup(", ").shown(ml).markup(" mL");
        }
        if let Some(ml) = totals.pump_volume_ml {
            page.markup("; the pump told ").shown(ml).markup(" mL");
        }
        page.markup("</td><td></td><td class=\"pen\"></td></tr>\n");
        for total in &totals.drugs {
            page.markup("<tr><td><b>M</b> ")
                .told(&total.name)
                .markup("</td><td>")
                .told(&format!("{} {}", total.given, total.unit))
                .markup("</td><td>");
            if !total.wasted.is_zero() {
                page.told(&format!("{} {}", total.wasted, total.unit));
            }
            page.markup("</td><td class=\"pen\">")
                .told(&total.witnesses.join(", "))
                .markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Scores.
    pub(super) fn scores(&self, page: &mut Page) {
        page.markup("<h2>Scores</h2>\n");
        if self.record.scores.is_empty() {
            page.markup("<p>None.</p>\n");
            return;
        }
        page.markup("<table><thead><tr><th>Time</th><th>Scale</th><th>Score</th><th>By</th><th>Entry</th></tr></thead>\n");
        for score in &self.record.scores {
            page.markup("<tr><td>")
                .shown(self.time(score.at))
                .markup("</td><td><b>M</b> ")
                .told(scale_words(&score.scale))
                .markup("</td><td class=\"n\">");
            struck(page, score.corrected_by.is_some(), &score.value.to_string());
            page.markup("</td><td>")
                .told(score.by.as_deref().unwrap_or(""))
                .markup("</td><td>")
                .shown(score.seq);
            corrected(page, score.corrected_by, score.corrects);
            page.markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Remarks, changed limits, corrections and refusals.
    pub(super) fn notes(&self, page: &mut Page) {
        let record = self.record;
        page.markup("<h2>Remarks and changes</h2>\n");
        for note in &record.notes {
            page.markup("<p><b>M</b> ")
                .shown(self.time(note.at))
                .markup(" ");
            struck(page, note.corrected_by.is_some(), &note.text);
            by(page, note.by.as_ref());
            corrected(page, note.corrected_by, note.corrects);
            page.markup("</p>\n");
        }
        for change in &record.limit_changes {
            page.markup("<p><b>M</b> ")
                .shown(self.time(change.at))
                .markup(" Limit ")
                .shown(format!(
                    "{} {} from {} to {}",
                    change.rule.name(),
                    change.tier.name(),
                    change.from,
                    change.to
                ));
            if change.source == LimitSource::Profile {
                page.markup(", the profile's again");
            }
            if let Some(reason) = &change.reason {
                page.markup(": ").told(reason);
            }
            by(page, change.by.as_ref());
            page.markup("</p>\n");
        }
        for correction in &record.corrections {
            page.markup("<p><b>M</b> ")
                .shown(self.time(correction.at))
                .markup(" Entry ")
                .shown(correction.seq)
                .markup(" corrects entry ")
                .shown(correction.corrects)
                .markup(": ")
                .told(&serde_json::Value::Object(correction.fields.clone()).to_string());
            if !correction.applied {
                page.markup(" <b>(no list of this sheet follows it: read both)</b>");
            }
            page.markup("</p>\n");
        }
        for refusal in &record.refusals {
            page.markup("<p class=\"small\">")
                .shown(self.time(refusal.at))
                .markup(" Refused: ")
                .told(&refusal.command)
                .markup(": ")
                .told(&refusal.error)
                .markup("</p>\n");
        }
    }

    /// Lowest and highest values.
    pub(super) fn extremes(&self, page: &mut Page) {
        page.markup("<h2>Lowest and highest</h2>\n<table><thead><tr><th>Parameter</th><th>Lowest</th><th>At</th><th>Highest</th><th>At</th></tr></thead>\n");
        for extreme in &self.record.extremes {
            page.markup("<tr><td>")
                .shown(format!(
                    "{} {}",
                    parameter_name(extreme.parameter),
                    extreme.parameter.unit().name()
                ))
                .markup("</td><td class=\"n\">")
                .shown(extreme.lowest)
                .markup("</td><td>")
                .shown(self.time(extreme.lowest_at))
                .markup("</td><td class=\"n\">")
                .shown(extreme.highest)
                .markup("</td><td>")
                .shown(self.time(extreme.highest_at))
                .markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// The ready-to-leave checklist.
    pub(super) fn checklist(&self, page: &mut Page) {
        page.markup("<h2>Ready to leave</h2>\n<p class=\"small\">As it stood at the closing, or at the end of this sheet; a named person discharges.</p>\n<table><thead><tr><th>Item</th><th>State</th><th>By</th><th>Checked by (initials)</th></tr></thead>\n");
        if let Some(why) = &self.record.checklist_missing {
            page.markup("<tr><td colspan=\"4\">Cannot be computed: ")
                .told(why)
                .markup("</td></tr>\n");
        }
        for item in &self.record.checklist {
            let state = match item.state {
                ItemState::Met => "met",
                ItemState::Open => "NOT MET",
                ItemState::Unknown => "to be said by a person",
            };
            page.markup("<tr><td>")
                .shown(&item.text)
                .markup("</td><td>")
                .shown(state)
                .markup("</td><td>")
                .told(item.detail.as_deref().unwrap_or(""))
                .markup("</td><td class=\"pen\">");
            let said = self.record.checks.iter().rev();
            if let Some(said) = said.into_iter().find(|check| check.item == item.item) {
                page.told(said.by.as_deref().unwrap_or("unnamed"))
                    .markup(" ")
                    .shown(self.time(said.at));
            }
            page.markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Fields of the esketamine monitoring form.
    pub(super) fn rems(&self, page: &mut Page) {
        let rems = &self.record.rems;
        page.markup("<h2>Esketamine monitoring form (REMS), where it applies</h2>\n<table class=\"fields\">\n");
        let pressure = |value: &Option<Pressure>| {
            value.as_ref().map_or_else(
                || "–".to_owned(),
                |pressure| {
                    format!(
                        "{}/{} at {}",
                        pressure.sys,
                        pressure.dia,
                        self.time(pressure.at)
                    )
                },
            )
        };
        let finding = |value: &Finding| match (value.found, value.from) {
            (None, _) => "not recorded".to_owned(),
            (Some(false), _) => "no".to_owned(),
            (Some(true), from) => {
                let from = from.map_or_else(|| "–".to_owned(), |at| self.time(at));
                let to = value
                    .to
                    .map_or_else(|| "not resolved here".to_owned(), |at| self.time(at));
                format!("yes, {from} to {to}")
            }
        };
        let rows = [
            [
                ("Blood pressure before", pressure(&rems.pressure_before)),
                ("Sedation (MOAA/S below 5)", finding(&rems.sedation)),
            ],
            [
                (
                    "Blood pressure 40 min after",
                    pressure(&rems.pressure_at_40_min),
                ),
                ("Dissociation (score above 0)", finding(&rems.dissociation)),
            ],
            [
                (
                    "Blood pressure before end",
                    pressure(&rems.pressure_before_end),
                ),
                (
                    "Respiratory depression (alarms rr-low, no-breath, spo2-low from medium on)",
                    finding(&rems.respiratory_depression),
                ),
            ],
            [
                ("Minutes from first dose to end", or_dash(rems.minutes)),
                ("Serious adverse events (by hand)", String::new()),
            ],
        ];
        for row in rows {
            page.markup("<tr>");
            for (name, value) in row {
                page.markup("<td>")
                    .shown(name)
                    .markup("</td><td>")
                    .shown(value)
                    .markup("</td>");
            }
            page.markup("</tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Signatures that were given, and lines for the pen.
    pub(super) fn signatures(&self, page: &mut Page) {
        page.markup("<h2>Signatures</h2>\n<table class=\"sign\"><thead><tr><th>Role</th><th>Name</th><th>Signed</th><th>On paper</th></tr></thead>\n");
        for signature in &self.record.signatures {
            page.markup("<tr><td>")
                .told(&signature.role)
                .markup("</td><td><b>M</b> ")
                .told(&signature.by)
                .markup("</td><td>")
                .shown(self.full(signature.at))
                .markup("</td><td class=\"pen\"></td></tr>\n");
        }
        let signed = |role: &str| {
            self.record
                .signatures
                .iter()
                .any(|signature| signature.role.trim().eq_ignore_ascii_case(role))
        };
        for (role, key) in [("Nurse", "nurse"), ("Clinician", "clinician")] {
            if !signed(key) {
                page.markup("<tr><td>")
                    .shown(role)
                    .markup("</td><td></td><td>–</td><td class=\"pen\"></td></tr>\n");
            }
        }
        page.markup("</table>\n");
    }

    /// Everything that happened.
    pub(super) fn events(&self, page: &mut Page) {
        page.markup("<h2>Everything that happened</h2>\n<table class=\"small\"><thead><tr><th>Time</th><th>Entry</th><th>What</th><th></th></tr></thead>\n");
        for event in &self.record.events {
            page.markup("<tr><td>")
                .shown(self.time(event.at))
                .markup("</td><td class=\"n\">")
                .shown(event.seq)
                .markup("</td><td>")
                .shown(event.kind)
                .markup("</td><td>");
            if event.manual {
                page.markup("<b>M</b> ");
            }
            page.told(&event.text).markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }
}
