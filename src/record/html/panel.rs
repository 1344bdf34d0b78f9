//! One strip of the trend: its scale, limits, baseline, curves and cuff readings.

use super::page::Page;
use super::trend::{Axis, LEFT, PANEL, RIGHT, Tenths, WIDTH, line, rect, words};
use crate::record::model::{Point, Record};
use crate::vocabulary::{Decimal, Parameter, ParameterId};

/// One strip of the trend.
pub(super) struct Panel {
    title: &'static str,
    low: i64,
    high: i64,
    step: i64,
    /// Parameters with their colours; the first has limits and baseline drawn.
    lines: &'static [(Parameter, &'static str)],
    /// Cuff readings are drawn here.
    cuff: bool,
    /// Draw the band of ±20 %, not only the baseline.
    band: bool,
}

/// The strips, from top to bottom.
pub(super) const PANELS: [Panel; 4] = [
    Panel {
        title: "SpO2 %",
        low: 80,
        high: 100,
        step: 5,
        lines: &[(Parameter::Spo2, "#00688b")],
        cuff: false,
        band: false,
    },
    Panel {
        title: "HR, PR /min",
        low: 40,
        high: 140,
        step: 20,
        lines: &[(Parameter::Hr, "#00752d"), (Parameter::Pr, "#6a8f00")],
        cuff: false,
        band: true,
    },
    Panel {
        title: "BP mmHg",
        low: 40,
        high: 200,
        step: 40,
        lines: &[
            (Parameter::NibpSys, "#a00000"),
            (Parameter::ArtSys, "#d04040"),
            (Parameter::ArtDia, "#d04040"),
        ],
        cuff: true,
        band: true,
    },
    Panel {
        title: "RR /min, EtCO2 mmHg",
        low: 0,
        high: 50,
        step: 10,
        lines: &[(Parameter::Rr, "#8a6d00"), (Parameter::Etco2, "#5b3a8e")],
        cuff: false,
        band: false,
    },
];

/// The vertical axis of a panel.
struct Scale {
    top: i64,
    low: i64,
    high: i64,
}

impl Scale {
    /// Ten times the value is exact enough for a line; what lies beyond the panel is drawn at its edge.
    fn y(&self, value: Decimal) -> i64 {
        let tenfold = value.rounded(1).unwrap_or(0);
        let tenfold = tenfold.clamp(self.low * 10, self.high * 10);
        self.top + (self.high * 10 - tenfold) * PANEL / ((self.high - self.low) * 10)
    }
}

/// Widens a panel so that every number is inside.
fn scale(record: &Record, panel: &Panel, top: i64) -> Scale {
    let (mut low, mut high) = (panel.low, panel.high);
    let mut include = |value: Option<Decimal>| {
        if let Some(value) = value.and_then(|value| value.rounded(0)) {
            while value < low {
                low -= panel.step;
            }
            while value > high {
                high += panel.step;
            }
        }
    };
    for extreme in &record.extremes {
        let drawn = panel
            .lines
            .iter()
            .any(|(known, _)| *known == extreme.parameter)
            || (panel.cuff && matches!(extreme.parameter, Parameter::NibpSys | Parameter::NibpDia));
        if drawn {
            include(Some(extreme.lowest));
            include(Some(extreme.highest));
        }
    }
    Scale { top, low, high }
}

/// Draws one strip.
pub(super) fn draw_panel(axis: &Axis<'_>, page: &mut Page, panel: &Panel, top: i64) {
    let record = axis.record;
    let scale = scale(record, panel, top);
    let (left, right) = (LEFT, WIDTH - RIGHT);
    words(
        page,
        (left + 20, top + 85),
        "font-weight=\"bold\"",
        panel.title,
    );
    let mut level = scale.low;
    while level <= scale.high {
        let y = scale.y(Decimal::whole(level));
        line(
            page,
            [left, y, right, y],
            "stroke=\"#ddd\" stroke-width=\"0.4\"",
        );
        words(
            page,
            (left - 30, y + 30),
            "text-anchor=\"end\"",
            &level.to_string(),
        );
        level += panel.step;
    }
    if let Some((first, _)) = panel.lines.first() {
        baseline(axis, page, panel, *first, &scale);
        limits(axis, page, *first, &scale);
    }
    for (parameter, colour) in panel.lines {
        for series in &record.series {
            if series.parameter == ParameterId::Known(*parameter) {
                curve(axis, page, &series.points, colour, &scale);
            }
        }
    }
    if panel.cuff {
        cuff(axis, page, &scale);
    }
}

/// The band of ±20 % around the baseline, from its fixing on.
fn baseline(axis: &Axis<'_>, page: &mut Page, panel: &Panel, parameter: Parameter, scale: &Scale) {
    let record = axis.record;
    let of = |wanted: Parameter| {
        record
            .baseline
            .iter()
            .rev()
            .find(|known| known.parameter == wanted)
    };
    let other = panel.lines.iter().find_map(|(known, _)| of(*known));
    let Some(known) = of(parameter).or(other) else {
        return;
    };
    let Some(value) = known.value else {
        return;
    };
    let (from, to) = (axis.at(known.at), axis.x(record.minutes.len(), 0));
    let part = |percent| {
        let hundredfold = value.times(Decimal::new(percent, 2));
        hundredfold.map(|value| scale.y(value))
    };
    if let (true, Some(upper), Some(lower)) = (panel.band, part(120), part(80)) {
        rect(
            page,
            [from, upper, to - from, lower - upper],
            "fill=\"#888\" fill-opacity=\"0.13\"",
        );
    }
    let y = scale.y(value);
    line(
        page,
        [from, y, to, y],
        "stroke=\"#888\" stroke-width=\"0.6\"",
    );
}

fn limits(axis: &Axis<'_>, page: &mut Page, parameter: Parameter, scale: &Scale) {
    for span in &axis.record.limits {
        if span.parameter != parameter {
            continue;
        }
        for limit in [span.low, span.high].into_iter().flatten() {
            let y = scale.y(limit);
            line(
                page,
                [axis.at(span.from), y, axis.at(span.to), y],
                "stroke=\"#c00\" stroke-width=\"0.7\" stroke-dasharray=\"4 3\"",
            );
        }
    }
}

/// Medians as a line that gaps interrupt, and the range of each minute as a bar.
fn curve(axis: &Axis<'_>, page: &mut Page, points: &[Point], colour: &'static str, scale: &Scale) {
    page.markup("<path fill=\"none\" stroke=\"")
        .markup(colour)
        .markup("\" stroke-width=\"0.5\" stroke-opacity=\"0.5\" d=\"");
    for point in points {
        if let (Some(min), Some(max)) = (point.min, point.max)
            && min < max
        {
            page.markup("M")
                .shown(Tenths(axis.x(point.minute, 30_000)))
                .markup(" ")
                .shown(Tenths(scale.y(max)))
                .markup("V")
                .shown(Tenths(scale.y(min)));
        }
    }
    page.markup("\"/>\n<path fill=\"none\" stroke=\"")
        .markup(colour)
        .markup("\" stroke-width=\"1.3\" stroke-linecap=\"round\" d=\"");
    let mut before: Option<usize> = None;
    for point in points {
        let Some(median) = point.median else {
            before = None;
            continue;
        };
        let follows = before.is_some_and(|before| before + 1 == point.minute);
        page.markup(if follows { "L" } else { "M" })
            .shown(Tenths(axis.x(point.minute, 30_000)))
            .markup(" ")
            .shown(Tenths(scale.y(median)));
        if !follows {
            // A single minute is a dot.
            page.markup("h0");
        }
        before = Some(point.minute);
    }
    page.markup("\"/>\n");
}

fn cuff(axis: &Axis<'_>, page: &mut Page, scale: &Scale) {
    for reading in &axis.record.cuff {
        let x = axis.at(reading.at);
        let (Some(sys), Some(dia)) = (reading.sys, reading.dia) else {
            if let Some(value) = reading.sys.or(reading.mean).or(reading.dia) {
                let y = scale.y(value);
                line(page, [x - 25, y, x + 25, y], "stroke=\"#a00000\"");
            } else {
                words(
                    page,
                    (x, scale.top + PANEL - 20),
                    "text-anchor=\"middle\" fill=\"#a00000\" font-size=\"7\"",
                    "failed",
                );
            }
            continue;
        };
        let (upper, lower) = (scale.y(sys), scale.y(dia));
        line(
            page,
            [x, upper, x, lower],
            "stroke=\"#a00000\" stroke-width=\"1\"",
        );
        for y in [upper, lower] {
            line(
                page,
                [x - 25, y, x + 25, y],
                "stroke=\"#a00000\" stroke-width=\"1\"",
            );
        }
    }
}
