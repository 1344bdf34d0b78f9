//! The sheet's head, its phases, and how the record itself came about.

use super::Sheet;
use super::page::Page;
use crate::engine::text::parameter_name;
use crate::record::Stamp;
use crate::record::model::PhaseSpan;

/// A length as `h:mm:ss`.
pub(super) fn length(seconds: u64) -> String {
    format!(
        "{}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A value, or a dash.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

impl Sheet<'_> {
    /// Date and time.
    pub(super) fn full(&self, at: Stamp) -> String {
        at.local(self.zone, "%Y-%m-%d %H:%M:%S")
    }

    /// The time of the day.
    pub(super) fn time(&self, at: Stamp) -> String {
        at.local(self.zone, "%H:%M:%S")
    }

    fn or_pen(&self, at: Option<Stamp>) -> String {
        at.map_or_else(|| "–".to_owned(), |at| self.full(at))
    }

    /// Title, warnings, patient, drug and times.
    pub(super) fn header(&self, page: &mut Page) {
        let record = self.record;
        let header = &record.header;
        page.markup("<h1>Infusion record, session ")
            .shown(record.session)
            .markup("</h1>\n");
        let warn = |page: &mut Page, text: String| {
            page.markup("<p class=\"warn\">")
                .shown(text)
                .markup("</p>\n");
        };
        if header.closed_at.is_none() {
            let upto = self.full(header.upto);
            warn(
                page,
                format!("SESSION STILL OPEN: this sheet ends at {upto}"),
            );
        }
        if !header.complete_from_opening {
            warn(
                page,
                "The record begins inside this session: what came before is not in it".to_owned(),
            );
        }
        if !record.gaps.is_empty() {
            warn(
                page,
                format!(
                    "{} gaps: entries could not be kept, see Sources",
                    record.gaps.len()
                ),
            );
        }
        page.markup("<p class=\"small\">Times in ")
            .shown(header.opened_at.local(self.zone, "%Z (UTC%:z)"))
            .markup(". <b>M</b>: entered by hand; everything else was told by a device. ? doubtful; – no number. ")
            .markup("Made by a supplementary monitor; the bedside monitor stays the primary one.</p>\n");
        page.markup("<table class=\"fields\">\n");
        let told = |page: &mut Page, name: &'static str, value: Option<&str>| {
            page.markup("<td>").shown(name).markup("</td><td>");
            match value {
                Some(value) => page.told(value),
                None => page,
            }
            .markup("</td>");
        };
        let number = |page: &mut Page, name: &'static str, value: Option<String>| {
            page.markup("<td>").shown(name).markup("</td><td>");
            match value {
                Some(value) => page.shown(value),
                None => page,
            }
            .markup("</td>");
        };
        let unit = |value: Option<crate::vocabulary::Decimal>, unit: &str| {
            value.map(|value| format!("{value} {unit}"))
        };
        page.markup("<tr>");
        told(page, "Patient identifier M", header.patient.as_deref());
        told(page, "Name M", header.patient_name.as_deref());
        page.markup("</tr>\n<tr>");
        number(page, "Weight M", unit(header.weight_kg, "kg"));
        told(page, "Drug M", header.drug.as_deref());
        page.markup("</tr>\n<tr>");
        let dose = header.dose_mg.map(|dose| match header.dose_mg_per_kg {
            Some(per_kg) => format!("{dose} mg ({per_kg} mg/kg)"),
            None => format!("{dose} mg"),
        });
        number(page, "Planned dose M", dose);
        number(page, "Planned length M", unit(header.planned_min, "min"));
        page.markup("</tr>\n<tr>");
        told(page, "Cuff arm M", header.cuff_arm.as_deref());
        told(page, "Oximeter arm M", header.spo2_arm.as_deref());
        page.markup("</tr>\n<tr>");
        number(page, "Session opened", Some(self.full(header.opened_at)));
        number(
            page,
            "Infusion started",
            Some(self.or_pen(header.infusion_started_at)),
        );
        page.markup("</tr>\n<tr>");
        number(
            page,
            "Infusion ended",
            Some(self.or_pen(header.infusion_ended_at)),
        );
        let closed = header.closed_at.map(|at| match &header.closed_by {
            Some(by) => format!("{} by {by}", self.full(at)),
            None => self.full(at),
        });
        page.markup("<td>Session closed</td><td>")
            .told(closed.as_deref().unwrap_or("–"))
            .markup("</td></tr>\n<tr>");
        told(page, "Profile (limits)", header.profile.as_deref());
        let names: Vec<&str> = record.feeds.iter().map(|feed| &*feed.name).collect();
        told(page, "Feeds", Some(&names.join(", ")));
        page.markup("</tr>\n</table>\n");
        self.pen(page);
    }

    /// What the program never learns.
    fn pen(&self, page: &mut Page) {
        page.markup(
            "<p class=\"small\">To be filled in by hand (this program does not record it):</p>\n",
        )
        .markup("<table class=\"fields\">\n");
        for [one, other] in [
            ["Allergies", "Diagnosis"],
            ["ASA class", "Fasting since"],
            [
                "Medicines (BP drugs, benzodiazepines, stimulants, MAOI)",
                "Consent",
            ],
            ["Escort, named", "Prescriber"],
            ["Concentration", "Lot"],
            ["Oxygen device and flow", "Pain and mood before"],
        ] {
            page.markup("<tr><td>")
                .shown(one)
                .markup("</td><td></td><td>")
                .shown(other)
                .markup("</td><td></td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// The baseline with its readings.
    pub(super) fn baseline(&self, page: &mut Page) {
        page.markup("<h2>Baseline</h2>\n");
        if self.record.baseline.is_empty() {
            page.markup("<p>No baseline: limits relative to it were off.</p>\n");
            return;
        }
        page.markup("<table><thead><tr><th>Time</th><th>Parameter</th><th>Value</th><th>Readings behind it</th><th>Remark</th></tr></thead>\n");
        for known in &self.record.baseline {
            let readings: Vec<String> = known.readings.iter().map(ToString::to_string).collect();
            page.markup("<tr><td>")
                .shown(self.time(known.at))
                .markup("</td><td>")
                .shown(parameter_name(known.parameter))
                .markup("</td><td class=\"n\">")
                .shown(or_dash(known.value))
                .markup("</td><td>")
                .shown(readings.join(", "))
                .markup("</td><td>");
            if known.manual {
                page.markup("<b>M</b> ");
            }
            if let Some(reason) = &known.reason {
                page.told(reason);
            }
            page.markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Phases and lengths.
    pub(super) fn phases(&self, page: &mut Page) {
        page.markup("<h2>Course</h2>\n<table><thead><tr><th>Phase</th><th>From</th><th>To</th><th>Length</th><th>Began by</th></tr></thead>\n");
        for PhaseSpan {
            phase,
            from,
            to,
            seconds,
            why,
            ..
        } in &self.record.phases
        {
            page.markup("<tr><td>")
                .shown(phase.name())
                .markup("</td><td>")
                .shown(self.time(*from))
                .markup("</td><td>")
                .shown(to.map_or_else(|| "still".to_owned(), |to| self.time(to)))
                .markup("</td><td class=\"n\">")
                .shown(length(*seconds))
                .markup("</td><td>")
                .told(why)
                .markup("</td></tr>\n");
        }
        page.markup("</table>\n<p>");
        let lengths = &self.record.lengths;
        page.markup("Session ")
            .shown(length(lengths.session_s))
            .markup("; drug ran ")
            .shown(length(self.record.totals.infusion_seconds));
        if let Some(seconds) = lengths.observation_s {
            page.markup("; observed after the end for <b>")
                .shown(seconds / 60)
                .markup(" min</b>");
        }
        if let Some(seconds) = lengths.since_first_dose_s {
            page.markup("; ")
                .shown(seconds / 60)
                .markup(" min since the first dose");
        }
        page.markup("</p>\n");
        for over in &self.record.overrides {
            page.markup("<p><b>M Override</b> ")
                .shown(self.time(over.at))
                .markup(" ")
                .shown(over.command)
                .markup(": ")
                .told(&over.reason)
                .markup(", by ")
                .told(&over.by);
            if let Some(second) = &over.second_by {
                page.markup(" and ").told(second);
            }
            page.markup("</p>\n");
        }
    }

    /// Feeds, versions, restarts and gaps.
    pub(super) fn sources(&self, page: &mut Page) {
        let record = self.record;
        page.markup("<h2>Sources</h2>\n<table><thead><tr><th>Feed</th><th>Protocol</th><th>Devices</th><th>Beds</th><th>Patients told</th></tr></thead>\n");
        for feed in &record.feeds {
            page.markup("<tr><td>").told(&feed.name).markup("</td><td>");
            page.told(&feed.protocol).markup("</td>");
            for list in [&feed.devices, &feed.beds, &feed.patients] {
                page.markup("<td>").told(&list.join(", ")).markup("</td>");
            }
            page.markup("</tr>\n");
        }
        page.markup("</table>\n");
        for restart in &record.restarts {
            page.markup("<p>Restart ").shown(self.full(restart.at));
            match restart.down_s {
                Some(seconds) => page
                    .markup(": nothing ran for ")
                    .shown(seconds)
                    .markup(" s"),
                None => page.markup(": nothing ran for an unknown time"),
            };
            match &restart.carried_over {
                Some(reason) => page
                    .markup("; the session was carried over from its record: ")
                    .told(reason),
                None => page.markup("; the session was replayed from its record"),
            };
            page.markup("</p>\n");
        }
        for gap in &record.gaps {
            page.markup("<p><b>Gap</b> before ")
                .shown(self.full(gap.at))
                .markup(": entries ")
                .shown(gap.from_seq)
                .markup(" to ")
                .shown(gap.to_seq)
                .markup(" could not be kept</p>\n");
        }
        if record.series_left_out > 0 {
            page.markup("<p>Series of readings left out, because a device told too many: ")
                .shown(record.series_left_out)
                .markup("</p>\n");
        }
        let versions: Vec<String> = record
            .header
            .engine_versions
            .iter()
            .map(ToString::to_string)
            .collect();
        page.markup("<p class=\"small\">InfuseWatch ")
            .told(&record.header.programs.join(", "))
            .markup(", alarm engine ")
            .shown(versions.join(", "))
            .markup("; record up to entry ")
            .shown(record.header.upto_seq)
            .markup(", ")
            .shown(self.full(record.header.upto))
            .markup("</p>\n");
    }
}
