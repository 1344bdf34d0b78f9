//! The grid: one row a minute, with everything that was known in it.
//!
//! A continuous value is the median of the minute; a minute without a number has a dash, never the value of
//! another minute. A rate holds until the next one.

use super::Sheet;
use super::page::Page;
use crate::record::model::{Event, Point, Record, Score, Series};
use crate::vocabulary::{Decimal, Parameter, ParameterId, Phase};

/// Columns of continuous values: the first of these parameters that has a number in the minute.
const COLUMNS: [(&str, &[Parameter]); 5] = [
    ("HR/PR", &[Parameter::Hr, Parameter::Pr, Parameter::ArtPr]),
    ("SpO2", &[Parameter::Spo2]),
    ("RR", &[Parameter::Rr]),
    ("EtCO2", &[Parameter::Etco2]),
    ("Temp", &[Parameter::Temp]),
];
/// Columns of scores.
const SCALES: [(&str, &[&str]); 4] = [
    ("Sed.", &["moaas", "rass"]),
    ("Diss.", &["dissociation"]),
    ("Pain", &["pain"]),
    ("Naus.", &["nausea"]),
];
/// Kinds of events that stand among the remarks; the others have columns or a table of their own.
const REMARKS: [&str; 9] = [
    "phase",
    "alarm",
    "drug",
    "note",
    "pump",
    "restart",
    "gap",
    "correction",
    "command",
];
/// Remarks of one minute that are printed; the rest is counted and stands in the list of events.
const MOST_REMARKS: usize = 6;

/// Walks over points in the order of their minutes.
struct Walk<'a> {
    points: std::iter::Peekable<std::slice::Iter<'a, Point>>,
}

impl<'a> Walk<'a> {
    fn at(&mut self, minute: usize) -> Option<&'a Point> {
        while self.points.next_if(|point| point.minute < minute).is_some() {}
        self.points.next_if(|point| point.minute == minute)
    }
}

/// The series of a column, preferred ones first.
fn walks<'a>(series: &'a [Series], parameters: &[Parameter]) -> Vec<Walk<'a>> {
    parameters
        .iter()
        .flat_map(|wanted| {
            series
                .iter()
                .filter(move |series| series.parameter == ParameterId::Known(*wanted))
        })
        .map(|series| Walk {
            points: series.points.iter().peekable(),
        })
        .collect()
}

/// What one minute has beside its continuous values.
#[derive(Default)]
struct Row<'a> {
    pressures: Vec<String>,
    scores: Vec<&'a Score>,
    remarks: Vec<&'a Event>,
    rate: Option<(Option<Decimal>, Option<Decimal>, Option<Decimal>)>,
}

fn rows(record: &Record) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    rows.resize_with(record.minutes.len(), Row::default);
    for reading in &record.cuff {
        if let Some(row) = rows.get_mut(reading.minute) {
            row.pressures
                .push(match (reading.sys, reading.dia, reading.mean) {
                    (None, None, None) => "failed".to_owned(),
                    (sys, dia, mean) => {
                        let or_dash = super::course::or_dash::<Decimal>;
                        let doubt = if reading.questionable { "?" } else { "" };
                        format!(
                            "{}/{} ({}){doubt}",
                            or_dash(sys),
                            or_dash(dia),
                            or_dash(mean)
                        )
                    }
                });
        }
    }
    for score in &record.scores {
        if let Some(row) = rows
            .get_mut(score.minute)
            .filter(|_| score.corrected_by.is_none())
        {
            row.scores.push(score);
        }
    }
    for event in &record.events {
        if let Some(row) = rows
            .get_mut(event.minute)
            .filter(|_| REMARKS.contains(&event.kind))
        {
            row.remarks.push(event);
        }
    }
    for rate in &record.rates {
        if let Some(row) = rows
            .get_mut(rate.minute)
            .filter(|_| rate.corrected_by.is_none())
        {
            row.rate = Some((rate.ml_h, rate.mg_h, rate.mg_until));
        }
    }
    rows
}

/// The grid.
pub(super) fn table(sheet: &Sheet<'_>, page: &mut Page) {
    let record = sheet.record;
    page.markup("<h2>By minute</h2>\n<p class=\"small\">Continuous values: median of the minute; grey: no number at all. A rate is printed when it changes and holds until the next. Last column: initials.</p>\n<table class=\"grid\"><thead><tr><th>Time</th><th>Phase</th><th>mL/h</th><th>mg/h</th><th>Sum mg</th><th>BP sys/dia (mean)</th>");
    for (name, _) in COLUMNS {
        page.markup("<th>").shown(name).markup("</th>");
    }
    for (name, _) in SCALES {
        page.markup("<th>").shown(name).markup(" <b>M</b></th>");
    }
    page.markup("<th>Remarks</th><th></th></tr></thead>\n");
    let mut columns = COLUMNS.map(|(_, parameters)| walks(&record.series, parameters));
    let mut before: Option<Phase> = None;
    for ((place, minute), row) in record.minutes.iter().enumerate().zip(rows(record)) {
        let cells: Vec<Option<&Point>> =
            columns.iter_mut().map(|walks| cell(walks, place)).collect();
        let is_empty = cells
            .iter()
            .all(|cell| cell.is_none_or(|point| point.median.is_none()));
        page.markup(if is_empty {
            "<tr class=\"gap\"><td>"
        } else {
            "<tr><td>"
        })
        .shown(minute.at.local(sheet.zone, "%H:%M"))
        .markup("</td><td>");
        if before != Some(minute.phase) {
            page.shown(minute.phase.name());
            before = Some(minute.phase);
        }
        page.markup("</td>");
        let (ml, mg, sum) = row.rate.unwrap_or_default();
        for value in [ml, mg, sum] {
            page.markup("<td class=\"n\">");
            if let Some(value) = value {
                page.shown(value);
            }
            page.markup("</td>");
        }
        page.markup("<td>")
            .shown(row.pressures.join("; "))
            .markup("</td>");
        for point in cells {
            page.markup("<td class=\"n\">");
            match point {
                Some(Point {
                    median: Some(median),
                    questionable,
                    ..
                }) => {
                    page.shown(median);
                    if *questionable > 0 {
                        page.markup("?");
                    }
                }
                Some(_) => {
                    page.markup("–");
                }
                None => {}
            }
            page.markup("</td>");
        }
        for (_, scales) in SCALES {
            let told: Vec<String> = row
                .scores
                .iter()
                .filter(|score| scales.contains(&score.scale.as_str()))
                .map(|score| score.value.to_string())
                .collect();
            page.markup("<td class=\"n\">")
                .shown(told.join(" "))
                .markup("</td>");
        }
        page.markup("<td>");
        for (turn, event) in row.remarks.iter().take(MOST_REMARKS).enumerate() {
            if turn > 0 {
                page.markup("<br>");
            }
            if event.manual {
                page.markup("<b>M</b> ");
            }
            page.told(&event.text);
        }
        if let Some(more @ 1..) = row.remarks.len().checked_sub(MOST_REMARKS) {
            page.markup("<br>and ").shown(more).markup(" more, below");
        }
        page.markup("</td><td></td></tr>\n");
    }
    page.markup("</table>\n");
}

/// The first series with a number in the minute; else one that says that there was none.
fn cell<'a>(walks: &mut [Walk<'a>], minute: usize) -> Option<&'a Point> {
    let found: Vec<&Point> = walks
        .iter_mut()
        .filter_map(|walk| walk.at(minute))
        .collect();
    found
        .iter()
        .find(|point| point.median.is_some())
        .or(found.first())
        .copied()
}
