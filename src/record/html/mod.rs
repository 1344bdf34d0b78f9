//! The flow sheet: one self-contained file to print, with the content of the dossier's clause 6.
//!
//! Promises: no script, no address, no byte that depends on when or where it is made except the zone that its
//! times are told in; texts of people and devices are text; what is missing, manual, doubtful, corrected or
//! still open is marked. What the program never learns (allergies, consent, …) is left to the pen.

mod alarms;
mod course;
mod grid;
mod page;
mod panel;
mod tables;
mod trend;

use super::model::Record;
use jiff::tz::TimeZone;
use page::Page;

/// The page's only style; inline, because the file stands alone.
const STYLE: &str = include_str!("style.css");

/// What a server that shows the page must allow, and nothing more: its own style.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-6kXtKuq7seuB8FbvpPumIEWoRw77ZTdFXUCvVyORLLY='; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'self'; sandbox allow-modals";

/// Where the sheet's tables stand: the record and the zone in which its times are told.
struct Sheet<'a> {
    record: &'a Record,
    zone: &'a TimeZone,
}

/// The flow sheet with times in `zone`.
pub fn flow_sheet(record: &Record, zone: &TimeZone) -> String {
    let sheet = Sheet { record, zone };
    let mut page = Page::default();
    page.markup(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Session ",
    )
    .shown(record.session)
    .markup("</title>\n<style>")
    .markup(STYLE)
    .markup("</style>\n</head>\n<body>\n");
    sheet.header(&mut page);
    sheet.baseline(&mut page);
    sheet.phases(&mut page);
    trend::draw(&sheet, &mut page);
    sheet.cuff(&mut page);
    sheet.alarms(&mut page);
    sheet.drugs(&mut page);
    sheet.scores(&mut page);
    sheet.notes(&mut page);
    sheet.extremes(&mut page);
    sheet.checklist(&mut page);
    sheet.rems(&mut page);
    sheet.signatures(&mut page);
    grid::table(&sheet, &mut page);
    sheet.events(&mut page);
    sheet.sources(&mut page);
    page.markup("</body>\n</html>\n");
    page.finish()
}
