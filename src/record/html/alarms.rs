//! The sheet's tables of cuff readings and alarms.

use super::Sheet;
use super::course::{length, or_dash};
use super::page::Page;
use crate::engine::LimitSource;
use crate::record::Stamp;
use crate::record::model::Alarm;
use crate::vocabulary::{AlarmClass, Priority};

/// Where a limit came from, in words.
const fn source_words(source: LimitSource) -> &'static str {
    match source {
        LimitSource::Profile => "profile",
        LimitSource::Baseline => "baseline",
        LimitSource::Nurse => "changed by hand",
        LimitSource::Device => "device",
        LimitSource::Timing => "timing",
    }
}

impl Sheet<'_> {
    /// Cuff readings.
    pub(super) fn cuff(&self, page: &mut Page) {
        page.markup("<h2>Cuff readings</h2>\n");
        if self.record.cuff.is_empty() {
            page.markup("<p>None.</p>\n");
            return;
        }
        page.markup("<table><thead><tr><th>Received</th><th>Measured (device clock)</th><th>Phase</th><th>Systolic</th><th>Diastolic</th><th>Mean</th><th>Pulse</th><th>Feed</th><th>Remark</th></tr></thead>\n");
        for reading in &self.record.cuff {
            page.markup("<tr><td>")
                .shown(self.time(reading.at))
                .markup("</td><td>")
                .shown(or_dash(reading.measured_at.as_ref()))
                .markup("</td><td>")
                .shown(reading.phase.name())
                .markup("</td>");
            for value in [reading.sys, reading.dia, reading.mean, reading.pr] {
                page.markup("<td class=\"n\">")
                    .shown(or_dash(value))
                    .markup("</td>");
            }
            page.markup("<td>").told(&reading.feed).markup("</td><td>");
            if let Some(cause) = reading.cause {
                page.markup("failed: ").shown(cause.name());
            }
            if reading.questionable {
                page.markup("? doubtful");
            }
            page.markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    /// Alarms of the patient, then of the equipment, then the monitor's own.
    pub(super) fn alarms(&self, page: &mut Page) {
        page.markup("<h2>Patient alarms</h2>\n");
        self.alarm_table(page, AlarmClass::Physiological);
        page.markup("<h2>Technical alarms</h2>\n");
        self.alarm_table(page, AlarmClass::Technical);
        if self.record.device_alerts.is_empty() {
            return;
        }
        page.markup("<h2>Alarms of the monitor itself</h2>\n<table><thead><tr><th>Received</th><th>Feed</th><th>Priority</th><th>State</th><th>Text</th></tr></thead>\n");
        for alert in &self.record.device_alerts {
            page.markup("<tr><td>")
                .shown(self.time(alert.at))
                .markup("</td><td>")
                .told(&alert.feed)
                .markup("</td><td>")
                .shown(or_dash(alert.priority.map(Priority::name)))
                .markup("</td><td>")
                .shown(alert.phase)
                .markup("</td><td>")
                .told(&alert.text)
                .markup("</td></tr>\n");
        }
        page.markup("</table>\n");
    }

    fn alarm_table(&self, page: &mut Page, class: AlarmClass) {
        let mut alarms = self
            .record
            .alarms
            .iter()
            .filter(|alarm| alarm.class == class)
            .peekable();
        if alarms.peek().is_none() {
            page.markup("<p>None.</p>\n");
            return;
        }
        page.markup("<table><thead><tr><th>No.</th><th>Began</th><th>Priority</th><th>Alarm</th><th>Value</th><th>Limit</th><th>Extreme</th><th>Stood</th><th>Over</th><th>Acknowledged</th><th>By</th></tr></thead>\n");
        for alarm in alarms {
            self.alarm_row(page, alarm);
        }
        page.markup("</table>\n");
    }

    fn alarm_row(&self, page: &mut Page, alarm: &Alarm) {
        let (class, stars) = match alarm.priority {
            Priority::High => ("<td class=\"high\">", "*** high"),
            Priority::Medium => ("<td class=\"medium\">", "** medium"),
            Priority::Low => ("<td class=\"low\">", "* low"),
        };
        let or =
            |at: Option<Stamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| self.time(at));
        page.markup("<tr><td class=\"n\">")
            .shown(alarm.alarm)
            .markup("</td><td>")
            .shown(or(alarm.began_at, "before"))
            .markup("</td>")
            .markup(class)
            .shown(stars)
            .markup("</td><td>")
            .told(&alarm.text);
        if let Some(late) = alarm.late_s {
            page.markup(" <b>(decided ")
                .shown(late)
                .markup(" s late, after a downtime)</b>");
        }
        page.markup("</td><td class=\"n\">")
            .shown(or_dash(alarm.value))
            .markup("</td><td>")
            .shown(or_dash(alarm.limit));
        if let Some(source) = alarm.limit_source {
            page.markup(" ").shown(source_words(source));
        }
        page.markup("</td><td class=\"n\">")
            .shown(or_dash(alarm.extreme))
            .markup("</td><td class=\"n\">")
            .shown(length(alarm.seconds))
            .markup("</td><td>")
            .shown(or(alarm.over_at, "stands"))
            .markup("</td><td>")
            .shown(or(alarm.acknowledged_at, "–"))
            .markup("</td><td>");
        match (&alarm.acknowledged_by, alarm.acknowledged_at) {
            (Some(by), _) => page.told(by),
            (None, Some(_)) => page.markup("unnamed"),
            (None, None) => page.markup("–"),
        }
        .markup("</td></tr>\n");
    }
}
