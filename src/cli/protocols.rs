//! `protocols`: what can be read, straight from the registry.

use super::{ExitStatus, Failure, printed};
use crate::protocol::{LineSettings, Parity, Protocol, REGISTRY, SpeaksFirst, StopBits};
use serde::Serialize;
use std::io::Write;

/// Arguments of `protocols`.
#[derive(clap::Args, Debug)]
pub(super) struct Protocols {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl Protocols {
    /// Prints the list.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let rows: Vec<Row> = REGISTRY.iter().map(Row::of).collect();
        let mut out = std::io::stdout().lock();
        if !self.json {
            return printed(
                rows.iter()
                    .try_for_each(|row| write!(out, "{}", row.text())),
            );
        }
        let text = serde_json::to_string_pretty(&rows).map_err(|error| {
            Failure::new(
                ExitStatus::Software,
                format!("cannot write the list of protocols as JSON: {error}"),
            )
        })?;
        printed(writeln!(out, "{text}"))
    }
}

/// One protocol, as printed.
#[derive(Serialize)]
struct Row {
    protocol: &'static str,
    title: &'static str,
    parameters: Vec<&'static str>,
    waves: bool,
    line: Option<Line>,
    speaks_first: &'static str,
    cadence_s: u64,
    grade: &'static str,
    display_grade: bool,
    tested: &'static str,
    options: Vec<Setting>,
}

#[derive(Serialize)]
struct Line {
    baud: u32,
    data_bits: u8,
    parity: &'static str,
    stop_bits: u8,
    handshake: &'static str,
}

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    about: &'static str,
}

impl Row {
    fn of(protocol: &Protocol) -> Self {
        Self {
            protocol: protocol.name,
            title: protocol.title,
            parameters: protocol
                .parameters
                .iter()
                .map(|parameter| parameter.name())
                .collect(),
            waves: protocol.waves,
            line: protocol.line.map(Line::of),
            speaks_first: match protocol.speaks_first {
                SpeaksFirst::Device => "device",
                SpeaksFirst::Host => "host",
            },
            cadence_s: protocol.cadence.as_secs(),
            grade: protocol.grade.name(),
            display_grade: protocol.display_grade,
            tested: protocol.tested,
            options: protocol
                .options
                .iter()
                .map(|option| Setting {
                    name: option.name,
                    about: option.about,
                })
                .collect(),
        }
    }

    fn text(&self) -> String {
        let line = self
            .line
            .as_ref()
            .map_or_else(|| "none of its own".to_owned(), Line::text);
        let waves = if self.waves { ", waves" } else { "" };
        let parameters = if self.parameters.is_empty() {
            "none".to_owned()
        } else {
            self.parameters.join(" ")
        };
        let mut text = format!(
            "{}\n  {}\n  parameters   {parameters}{waves}\n  serial line  {line}\n  speaks first {}\n  \
             cadence      {} s\n  evidence     grade {}; tested with {}\n",
            self.protocol, self.title, self.speaks_first, self.cadence_s, self.grade, self.tested,
        );
        if self.display_grade {
            text.push_str("  display only has no alarms of its own, may hold its last value; not for SpO2 alarms alone\n");
        }
        for option in &self.options {
            text.push_str(&format!(
                "  option       {}: {}\n",
                option.name, option.about
            ));
        }
        text
    }
}

impl Line {
    const fn of(settings: LineSettings) -> Self {
        Self {
            baud: settings.baud,
            data_bits: 8,
            parity: match settings.parity {
                Parity::None => "none",
                Parity::Even => "even",
                Parity::Odd => "odd",
            },
            stop_bits: match settings.stop_bits {
                StopBits::One => 1,
                StopBits::Two => 2,
            },
            handshake: if settings.rts_cts { "rts-cts" } else { "none" },
        }
    }

    fn text(&self) -> String {
        format!(
            "{} baud, {} data bits, parity {}, {} stop, handshake {}",
            self.baud, self.data_bits, self.parity, self.stop_bits, self.handshake
        )
    }
}
