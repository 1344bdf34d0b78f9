//! The trend as one SVG: medians with the range of each minute, cuff readings, limits, the band of ±20 % around
//! the baseline, phases, start and end of the infusion, and marks for alarms, drugs and remarks.
//!
//! Whole numbers only: coordinates are tenths of a unit, so that two runs draw the same bytes. A minute without
//! a number interrupts the line.

use super::Sheet;
use super::page::Page;
use super::panel::{PANELS, draw_panel};
use crate::record::Stamp;
use crate::record::model::Record;
use crate::vocabulary::{AlarmClass, Phase, Priority};

/// Geometry, in tenths.
pub(super) const WIDTH: i64 = 10_000;
pub(super) const LEFT: i64 = 500;
pub(super) const RIGHT: i64 = 100;
const TOP: i64 = 520;
pub(super) const PANEL: i64 = 1_150;
const BETWEEN: i64 = 150;
/// The shortest time that is drawn, minutes.
const LEAST_MINUTES: i64 = 30;
/// Marks that are drawn; the lists have all of them.
const MOST_MARKS: usize = 400;

/// A coordinate in tenths as SVG writes it.
pub(super) struct Tenths(pub(super) i64);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        write!(f, "{sign}{}.{}", size / 10, size % 10)
    }
}

/// The horizontal axis.
pub(super) struct Axis<'a> {
    pub(super) record: &'a Record,
    minutes: i64,
}

impl Axis<'_> {
    fn width() -> i64 {
        WIDTH - LEFT - RIGHT
    }

    /// Where a part of a minute stands.
    pub(super) fn x(&self, minute: usize, into_ms: i64) -> i64 {
        let minute = i64::try_from(minute).unwrap_or(0);
        let ms = minute
            .saturating_mul(60_000)
            .saturating_add(into_ms.clamp(0, 59_999));
        LEFT + ms.saturating_mul(Self::width()) / self.minutes.saturating_mul(60_000)
    }

    /// Where a time stands.
    pub(super) fn at(&self, at: Stamp) -> i64 {
        let place = self
            .record
            .minutes
            .iter()
            .rposition(|minute| minute.at <= at);
        let Some((place, minute)) =
            place.and_then(|place| Some((place, self.record.minutes.get(place)?)))
        else {
            return LEFT;
        };
        self.x(place, at.millis() - minute.at.millis())
    }
}

/// A straight line.
pub(super) fn line(page: &mut Page, ends: [i64; 4], style: &'static str) {
    let [x1, y1, x2, y2] = ends;
    page.markup("<line x1=\"")
        .shown(Tenths(x1))
        .markup("\" y1=\"")
        .shown(Tenths(y1))
        .markup("\" x2=\"")
        .shown(Tenths(x2))
        .markup("\" y2=\"")
        .shown(Tenths(y2))
        .markup("\" ")
        .markup(style)
        .markup("/>\n");
}

/// A rectangle.
pub(super) fn rect(page: &mut Page, [x, y, width, height]: [i64; 4], style: &'static str) {
    page.markup("<rect x=\"")
        .shown(Tenths(x))
        .markup("\" y=\"")
        .shown(Tenths(y))
        .markup("\" width=\"")
        .shown(Tenths(width.max(0)))
        .markup("\" height=\"")
        .shown(Tenths(height.max(0)))
        .markup("\" ")
        .markup(style)
        .markup("/>\n");
}

/// Words at a place.
pub(super) fn words(page: &mut Page, (x, y): (i64, i64), style: &'static str, text: &str) {
    page.markup("<text x=\"")
        .shown(Tenths(x))
        .markup("\" y=\"")
        .shown(Tenths(y))
        .markup("\" ")
        .markup(style)
        .markup(">")
        .shown(text)
        .markup("</text>\n");
}

/// Draws the trend.
pub(super) fn draw(sheet: &Sheet<'_>, page: &mut Page) {
    let record = sheet.record;
    page.markup("<h2>Trend</h2>\n");
    if record.minutes.is_empty() {
        page.markup("<p>Nothing was recorded.</p>\n");
        return;
    }
    let axis = Axis {
        record,
        minutes: i64::try_from(record.minutes.len())
            .unwrap_or(i64::MAX)
            .max(LEAST_MINUTES),
    };
    let bottom = TOP + 4 * PANEL + 3 * BETWEEN;
    page.markup("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Trend of the session\" viewBox=\"0 0 ")
        .shown(Tenths(WIDTH))
        .markup(" ")
        .shown(Tenths(bottom + 250))
        .markup("\" font-size=\"9\">\n");
    phases(&axis, page, bottom);
    hours(sheet, &axis, page, bottom);
    let mut top = TOP;
    for panel in &PANELS {
        draw_panel(&axis, page, panel, top);
        top += PANEL + BETWEEN;
    }
    marks(&axis, page, bottom);
    page.markup("</svg>\n<p class=\"small\">Line: median of the minute; thin bar: its lowest and highest. Bars with ends: cuff readings. Dashed: outermost alarm limits. Grey band: baseline ±20 %. Marks on top: alarms with their numbers (filled: high), D drug, N remark, x gap.</p>\n");
}

/// Phases as stripes, start and end of the infusion as lines.
fn phases(axis: &Axis<'_>, page: &mut Page, bottom: i64) {
    let record = axis.record;
    let end = axis.x(record.minutes.len(), 0);
    for span in &record.phases {
        let from = axis.at(span.from);
        let to = span.to.map_or(end, |to| axis.at(to));
        let style = match span.phase {
            Phase::Infusion => "fill=\"#eaf2fb\"",
            Phase::Paused => "fill=\"#fdf3d7\"",
            Phase::Recovery => "fill=\"#f1f7ec\"",
            Phase::Standby | Phase::Baseline | Phase::Observation | Phase::Discharged => {
                "fill=\"#fbfbfb\""
            }
        };
        rect(page, [from, TOP, to - from, bottom - TOP], style);
        words(
            page,
            (from + 20, TOP - 20),
            "font-size=\"7.5\" fill=\"#333\"",
            span.phase.name(),
        );
    }
    for at in [
        record.header.infusion_started_at,
        record.header.infusion_ended_at,
    ]
    .into_iter()
    .flatten()
    {
        let x = axis.at(at);
        line(
            page,
            [x, TOP - 120, x, bottom],
            "stroke=\"#000\" stroke-width=\"1.2\"",
        );
    }
}

/// Labels of the time axis.
fn hours(sheet: &Sheet<'_>, axis: &Axis<'_>, page: &mut Page, bottom: i64) {
    // About ten labels, on steps that people count in.
    let step = [5, 10, 15, 30, 60, 120, 240, 720, 1_440]
        .into_iter()
        .find(|step| axis.minutes / step <= 12)
        .unwrap_or(2_880);
    for (place, minute) in (0_i64..).zip(&record_minutes(axis)) {
        if place % step != 0 {
            continue;
        }
        let x = axis.x(usize::try_from(place).unwrap_or(0), 0);
        line(
            page,
            [x, TOP, x, bottom],
            "stroke=\"#ccc\" stroke-width=\"0.4\"",
        );
        words(
            page,
            (x, bottom + 110),
            "text-anchor=\"middle\"",
            &minute.local(sheet.zone, "%H:%M"),
        );
    }
}

fn record_minutes(axis: &Axis<'_>) -> Vec<Stamp> {
    axis.record.minutes.iter().map(|minute| minute.at).collect()
}

/// Alarms, drugs, remarks and gaps above the panels.
fn marks(axis: &Axis<'_>, page: &mut Page, bottom: i64) {
    let record = axis.record;
    let patient = record
        .alarms
        .iter()
        .filter(|alarm| alarm.class == AlarmClass::Physiological);
    for alarm in patient.take(MOST_MARKS) {
        let x = alarm.began_at.map_or(LEFT, |at| axis.at(at));
        let style = match alarm.priority {
            Priority::High => "fill=\"#c00\" stroke=\"#c00\"",
            Priority::Medium => "fill=\"#fff3b0\" stroke=\"#806a00\"",
            Priority::Low => "fill=\"#fff\" stroke=\"#00788a\"",
        };
        page.markup("<path d=\"M")
            .shown(Tenths(x - 30))
            .markup(" ")
            .shown(Tenths(100))
            .markup("h6l-3 6z\" ")
            .markup(style)
            .markup("/>\n");
        words(
            page,
            (x, 80),
            "text-anchor=\"middle\" font-size=\"6.5\"",
            &alarm.alarm.to_string(),
        );
        line(
            page,
            [x, TOP, x, bottom],
            "stroke=\"#c00\" stroke-width=\"0.3\" stroke-dasharray=\"1 3\"",
        );
    }
    let letters = record
        .drugs
        .iter()
        .filter(|drug| drug.corrected_by.is_none())
        .map(|drug| (drug.at, "D"))
        .chain(
            record
                .notes
                .iter()
                .filter(|note| note.corrected_by.is_none())
                .map(|note| (note.at, "N")),
        )
        .chain(record.gaps.iter().map(|gap| (gap.at, "x")));
    for (at, letter) in letters.take(MOST_MARKS) {
        words(
            page,
            (axis.at(at), 280),
            "text-anchor=\"middle\" font-weight=\"bold\"",
            letter,
        );
    }
}
