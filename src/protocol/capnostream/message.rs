//! Messages: what stands in the body of a frame. Byte numbers are the vendor's, counted from the code.

use super::super::event::Fault;

/// What the host may say. Everything else that the protocol knows changes something or is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Enable communication: answered with the device's identity.
    Enable,
    /// Start the real-time stream.
    Start,
}

impl Command {
    /// The body.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Enable => 0x01,
            Self::Start => 0x04,
        }
    }
}

/// Bytes of a numeric message, with its code.
pub(super) const NUMERICS: usize = 28;

/// What the monitor said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// Code 0: one sample of the CO2 curve.
    Wave {
        /// Counts the samples.
        counter: u8,
        /// In 1/256 of the monitor's unit.
        co2: u16,
        /// Bits of [`fast`].
        status: u8,
    },
    /// Code 1: the numerics of a second; the whole body, so that byte numbers stay the vendor's.
    Numerics(&'a [u8; NUMERICS]),
    /// Code 2 or 12: the patient identifier, empty without a patient.
    Patient(String),
    /// Code 4: the device's serial number.
    Device(String),
    /// A message that we did not ask for and do not read.
    Other,
}

/// Bits of the fast status.
pub(super) mod fast {
    /// The sample is no number.
    pub(in super::super) const INVALID: u8 = 1;
    /// Starting up.
    pub(in super::super) const INITIALISING: u8 = 1 << 1;
    /// The sampling line is blocked.
    pub(in super::super) const OCCLUSION: u8 = 1 << 2;
    /// Self-maintenance (an automatic zero).
    pub(in super::super) const MAINTENANCE: u8 = 1 << 4;
    /// The line is being purged.
    pub(in super::super) const PURGING: u8 = 1 << 5;
    /// No sampling line is connected.
    pub(in super::super) const LINE_OFF: u8 = 1 << 6;
    /// The CO2 part is defective.
    pub(in super::super) const MALFUNCTION: u8 = 1 << 7;
}

impl<'a> Message<'a> {
    /// Reads a body; a length that a code cannot have is a fault, so that fields moved by one never pass.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        match body {
            [0, counter, high, low, status] => Ok(Self::Wave {
                counter: *counter,
                co2: u16::from_be_bytes([*high, *low]),
                status: *status,
            }),
            [1, ..] => body
                .try_into()
                .map(Self::Numerics)
                .map_err(|_| Fault::BadLength),
            [2, _, _, _, _, id @ ..] if id.len() == 24 => {
                printable(id.iter().copied()).map(Self::Patient)
            }
            // Two bytes a character.
            [12, _, _, _, _, id @ ..] if id.len() == 48 => {
                let (pairs, _) = id.as_chunks::<2>();
                wide(pairs).map(Self::Patient)
            }
            // `Vxx.xx mm/dd/yyyy zzrrnnnnnn`: version, date, serial number.
            [4, text @ ..] if text.len() == 30 => {
                let text = printable(text.iter().copied())?;
                Ok(Self::Device(
                    text.split_whitespace()
                        .nth(2)
                        .unwrap_or_default()
                        .to_owned(),
                ))
            }
            [] | [0 | 2 | 4 | 12, ..] => Err(Fault::BadLength),
            [_, ..] => Ok(Self::Other),
        }
    }
}

/// ASCII padded with zeros or blanks.
fn printable(bytes: impl Iterator<Item = u8>) -> Result<String, Fault> {
    let text: String = bytes
        .take_while(|byte| *byte != 0)
        .map(char::from)
        .collect();
    if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        Ok(text.trim().to_owned())
    } else {
        Err(Fault::BadCharset)
    }
}

fn wide(pairs: &[[u8; 2]]) -> Result<String, Fault> {
    let units = pairs
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
        .take_while(|unit| *unit != 0);
    let text: String = char::decode_utf16(units)
        .collect::<Result<_, _>>()
        .map_err(|_| Fault::BadCharset)?;
    if text.chars().any(char::is_control) {
        return Err(Fault::BadCharset);
    }
    Ok(text.trim().to_owned())
}
