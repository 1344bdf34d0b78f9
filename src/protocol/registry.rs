//! The list of protocols that work, with what `protocols`, the configuration check and the simulator
//! need to know of each.

use super::device::{Device, DeviceOptions};
use super::session::{OptionProblem, Options, Session, SessionOptions};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// How sure the open evidence for a protocol is (the dossiers' grades).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Vendor document and an independent implementation or capture agree.
    A,
    /// Vendor document alone, or two unrelated implementations.
    B,
    /// One implementation only.
    C,
    /// Nothing is decoded, so there is nothing to be sure of.
    NotApplicable,
}

impl Grade {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::NotApplicable => "-",
        }
    }
}

/// Who sends first on a fresh link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeaksFirst {
    /// The device, unasked.
    Device,
    /// We ask; without a request the device is silent.
    Host,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even parity.
    Even,
    /// Odd parity.
    Odd,
}

/// Stop bits of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopBits {
    /// One.
    One,
    /// Two.
    Two,
}

/// A protocol's own serial line settings; the configuration may override each. Always eight data bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSettings {
    /// Baud.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
    /// Whether RTS/CTS handshake is used (RTS is asserted in any case).
    pub rts_cts: bool,
}

/// One setting that a protocol understands.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// The name; a name that ends in `.` stands for a table of settings (`map.`).
    pub name: &'static str,
    /// What it does and what is allowed, in one sentence.
    pub about: &'static str,
    /// Checks the name's rest (for a table) and the value.
    pub check: fn(key: &str, value: &str) -> Result<(), String>,
}

/// One protocol.
#[derive(Debug)]
pub struct Protocol {
    /// The name in the configuration.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// What it can give.
    pub parameters: &'static [Parameter],
    /// Whether it can give waves.
    pub waves: bool,
    /// Serial line settings, for those that are spoken on a serial line.
    pub line: Option<LineSettings>,
    /// Who speaks first.
    pub speaks_first: SpeaksFirst,
    /// The ordinary time between two readings.
    pub cadence: Duration,
    /// Evidence grade.
    pub grade: Grade,
    /// Whether its readings are made to be looked at only: a device without alarms that may hold its
    /// last value. Judged like any other, and said so wherever they are shown.
    pub display_grade: bool,
    /// What it was tested with, in one sentence.
    pub tested: &'static str,
    /// Its settings.
    pub options: &'static [OptionSpec],
    /// Opens a session; `options` were checked.
    pub open: fn(&SessionOptions) -> Result<Box<dyn Session>, OptionProblem>,
    /// Makes the device side.
    pub device: fn(&DeviceOptions) -> Box<dyn Device>,
}

impl Protocol {
    /// Every problem with the settings of a feed: unknown names and bad values.
    pub fn check(&self, options: &Options) -> Vec<OptionProblem> {
        let mut problems = Vec::new();
        for (option, value) in options {
            let spec = self.options.iter().find_map(|spec| {
                if spec.name.ends_with('.') {
                    option.strip_prefix(spec.name).map(|key| (spec, key))
                } else {
                    (spec.name == option).then_some((spec, ""))
                }
            });
            let verdict = match spec {
                Some((spec, key)) => (spec.check)(key, value),
                None => Err(format!("{} has no such setting", self.name)),
            };
            if let Err(problem) = verdict {
                problems.push(OptionProblem {
                    option: option.clone(),
                    problem,
                });
            }
        }
        problems
    }
}

/// Every protocol that works, in the order in which `protocols` lists them.
pub static REGISTRY: &[Protocol] = &[
    super::hl7::PROTOCOL,
    super::mindray_pds::PROTOCOL,
    super::intellivue::PROTOCOL,
    super::masimo_ascii1::PROTOCOL,
    super::ge_dri::PROTOCOL,
    super::nonin::DF2,
    super::nonin::DF7,
    super::nonin::DF8,
    super::nonin::DF13,
    super::nonin::ASCII,
    super::nellcor_ascii::PROTOCOL,
    super::dinamap::PROTOCOL,
    super::capnostream::PROTOCOL,
    super::contec::V5,
    super::contec::V7,
    super::ge_unity::PROTOCOL,
    super::bbraun_bcc::PROTOCOL,
    super::raw::PROTOCOL,
];

/// The protocol with this name.
pub fn find(name: &str) -> Option<&'static Protocol> {
    REGISTRY.iter().find(|protocol| protocol.name == name)
}
