//! A simulated monitor that speaks PCD-01 over MLLP: the other end of [`super::session`].
//!
//! It sends one ORU^R01 of version 2.6 for every screen, asks for commit acknowledgements (AL/NE) and
//! resends a message that was rejected for now, at most three times, as real monitors do. Settings:
//! `cadence-ms` (default 1000), `waves` (`false` leaves them out).

use super::acknowledgement;
use super::codes;
use super::mllp::{CR, END, Found, Framer, START};
use super::time;
use crate::observation::{Identity, WaveChunk};
use crate::protocol::{CuffState, Device, DeviceOptions, Screen};
use crate::vocabulary::{Cause, Decimal, Now, Parameter, Reading, ReadingUnit};
use std::fmt::{Display, Write};
use std::time::Duration;

/// Sends of one message, the first one not counted.
const MOST_RESENDS: u8 = 3;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Who the device claims to be unless told otherwise.
const DEVICE: &str = "INFUSEWATCH-SIM";

/// Where a parameter stands in the simulated device: module code, module number, metric number.
const fn place(parameter: Parameter) -> (u32, u8, u8) {
    match parameter {
        Parameter::Hr => (69_798, 1, 1),
        Parameter::Rr => (69_798, 1, 2),
        Parameter::Spo2 => (69_642, 2, 1),
        Parameter::Pr => (69_642, 2, 2),
        Parameter::Pi => (69_642, 2, 3),
        Parameter::NibpSys => (70_686, 3, 1),
        Parameter::NibpDia => (70_686, 3, 2),
        Parameter::NibpMean => (70_686, 3, 3),
        Parameter::NibpPr => (70_686, 3, 4),
        Parameter::ArtSys => (69_854, 4, 1),
        Parameter::ArtDia => (69_854, 4, 2),
        Parameter::ArtMean => (69_854, 4, 3),
        Parameter::ArtPr => (69_854, 4, 4),
        Parameter::Etco2 => (69_766, 5, 1),
        Parameter::Temp => (69_902, 6, 1),
    }
}

/// OBX-6 of a parameter.
const fn unit(parameter: Parameter) -> &'static str {
    match parameter.unit() {
        ReadingUnit::PerMinute if matches!(parameter, Parameter::Rr) => {
            "264928^MDC_DIM_RESP_PER_MIN^MDC"
        }
        ReadingUnit::PerMinute => "264864^MDC_DIM_BEAT_PER_MIN^MDC",
        ReadingUnit::Percent => "262688^MDC_DIM_PERCENT^MDC",
        ReadingUnit::MmHg => "266016^MDC_DIM_MMHG^MDC",
        ReadingUnit::DegC => "268192^MDC_DIM_DEGC^MDC",
    }
}

/// OBX-6 of a wave.
fn wave_unit(unit: &str) -> &'static str {
    match unit {
        "mV" => "266418^MDC_DIM_MILLI_VOLT^MDC",
        "mmHg" => "266016^MDC_DIM_MMHG^MDC",
        "kPa" => "265987^MDC_DIM_KILO_PASCAL^MDC",
        "%" => "262688^MDC_DIM_PERCENT^MDC",
        _ => "262656^MDC_DIM_DIMLESS^MDC",
    }
}

/// OBX-8 of a reading without a number: what HL7 has a word for; the rest is `INV`.
const fn flag(cause: Cause) -> &'static str {
    match cause {
        Cause::Measuring => "BUSY",
        Cause::NotAvailable => "NAV",
        Cause::Calibrating => "CAL",
        Cause::LowQuality => "QUES",
        Cause::Demo => "DEMO",
        Cause::Test => "TEST",
        Cause::ProbeOff
        | Cause::Searching
        | Cause::Artefact
        | Cause::LowPerfusion
        | Cause::CuffFault
        | Cause::OutOfRange
        | Cause::UnknownUnit
        | Cause::CodeMismatch
        | Cause::Zero
        | Cause::SensorMissing
        | Cause::SensorFault
        | Cause::Starting
        | Cause::Setting
        | Cause::Withdrawn
        | Cause::Old
        | Cause::DeviceInvalid => "INV",
    }
}

/// The simulated monitor.
pub struct Hl7Device {
    identity: Identity,
    cadence: Duration,
    waves: bool,
    framer: Framer,
    sent: u64,
    /// The message whose answer is still open: its control id, its frame, and how often it was sent
    /// again.
    open: Option<(String, Vec<u8>, u8)>,
}

impl Hl7Device {
    /// A monitor with these settings; a setting that cannot be read keeps its default.
    pub fn new(options: &DeviceOptions) -> Self {
        let option = |name: &str| options.options.get(name).map(String::as_str);
        let millis = option("cadence-ms").and_then(|text| text.parse().ok());
        Self {
            identity: options.identity.clone(),
            cadence: Duration::from_millis(millis.filter(|&ms| ms > 0).unwrap_or(1_000)),
            waves: option("waves") != Some("false"),
            framer: Framer::new(LONGEST_ANSWER, false),
            sent: 0,
            open: None,
        }
    }

    fn answered(&mut self, answer: &[u8], replies: &mut Vec<Vec<u8>>) {
        let Some((code, about)) = acknowledgement::read(answer) else {
            return;
        };
        let Some((id, frame, resends)) = &mut self.open else {
            return;
        };
        if about != id.as_bytes() {
            return;
        }
        if matches!(code, b"AR" | b"CR") && *resends < MOST_RESENDS {
            *resends += 1;
            replies.push(frame.clone());
        } else {
            self.open = None;
        }
    }
}

impl Device for Hl7Device {
    fn cadence(&self) -> Duration {
        self.cadence
    }

    fn opened(&mut self, _now: Now) {
        self.framer.reset();
        self.open = None;
    }

    fn receive(&mut self, now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let mut input = bytes;
        while let Some(found) = self.framer.next(now.moment, &mut input) {
            if found == Found::Message {
                let answer = self.framer.take();
                self.answered(&answer, replies);
                self.framer.restore(answer);
            }
        }
    }

    fn present(&mut self, _now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        self.sent += 1;
        let id = format!("SIM{}-{}", screen.civil_ms, self.sent);
        let mut message = Message::new(&self.identity, &id, screen.civil_ms);
        message.numerics(screen);
        message.cuff(screen);
        if self.waves {
            for wave in &screen.waves {
                message.wave(wave);
            }
        }
        let frame = message.framed();
        sent.push(frame.clone());
        self.open = Some((id, frame, 0));
    }
}

/// A message being written.
struct Message {
    text: String,
    civil_ms: i64,
    groups: u32,
    rows: u32,
    waves: u32,
    /// The module whose row was written last.
    module: u8,
}

impl Message {
    fn new(identity: &Identity, id: &str, civil_ms: i64) -> Self {
        let device = escaped(identity.device.as_deref().unwrap_or(DEVICE));
        let mut message = Self {
            text: String::with_capacity(4_096),
            civil_ms,
            groups: 0,
            rows: 0,
            waves: 0,
            module: 0,
        };
        message.segment(format_args!(
            "MSH|^~\\&|{device}||||{}||ORU^R01^ORU_R01|{id}|P|2.6|||AL|NE||UNICODE UTF-8",
            time::write(civil_ms)
        ));
        let patient = identity.patient.as_deref().map(escaped);
        message.segment(format_args!("PID|||{}", patient.unwrap_or_default()));
        // A bed is raw text of its field: components and all.
        let bed = identity.bed.as_deref().unwrap_or_default();
        message.segment(format_args!("PV1||O|{}", escaped_field(bed)));
        message.group("182777000^monitoring of patient^SCT", civil_ms, civil_ms);
        message.row(format_args!(
            "|{}|1.0.0.0|||||||X|||||||{device}",
            mdc(69_965)
        ));
        message
    }

    fn segment(&mut self, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{text}");
        self.text.push(char::from(CR));
    }

    fn group(&mut self, what: &str, begin: i64, end: i64) {
        self.groups += 1;
        let (n, begin, end) = (self.groups, time::write(begin), time::write(end));
        self.segment(format_args!("OBR|{n}|||{what}|||{begin}|{end}"));
    }

    /// A row from its OBX-2 on.
    fn row(&mut self, rest: impl Display) {
        self.rows += 1;
        let n = self.rows;
        self.segment(format_args!("OBX|{n}|{rest}"));
    }

    fn numerics(&mut self, screen: &Screen) {
        for (&parameter, reading) in &screen.numerics {
            self.metric(parameter, *reading, "");
        }
    }

    /// The cuff's row while it measures or has failed; else its last result under its own time.
    fn cuff(&mut self, screen: &Screen) {
        match (screen.cuff, screen.cuff_reading) {
            (Some(CuffState::Measuring), _) => {
                self.metric(Parameter::NibpSys, Reading::Invalid(Cause::Measuring), "");
            }
            (Some(CuffState::Failed), _) => {
                self.metric(Parameter::NibpSys, Reading::Invalid(Cause::CuffFault), "");
            }
            (Some(CuffState::Idle) | None, Some(reading)) => {
                let at = time::write(reading.civil_ms);
                let values = [
                    (Parameter::NibpSys, Some(reading.sys)),
                    (Parameter::NibpDia, Some(reading.dia)),
                    (Parameter::NibpMean, Some(reading.mean)),
                    (Parameter::NibpPr, reading.pulse),
                ];
                for (parameter, value) in values {
                    if let Some(value) = value {
                        self.metric(parameter, Reading::Valid(value), &at);
                    }
                }
            }
            (Some(CuffState::Idle) | None, None) => {}
        }
    }

    fn metric(&mut self, parameter: Parameter, reading: Reading, at: &str) {
        let (module_code, module, metric) = place(parameter);
        if self.module != module {
            self.module = module;
            self.row(format_args!("|{}|1.{module}.0.0|||||||X", mdc(module_code)));
        }
        let (code, unit) = (mdc(parameter.mdc()), unit(parameter));
        match reading {
            // HL7 has no word for "doubtful but usable".
            Reading::Valid(value) | Reading::Questionable(value, _) => self.row(format_args!(
                "NM|{code}|1.{module}.1.{metric}|{value}|{unit}|||||R|||{at}"
            )),
            Reading::Invalid(cause) => self.row(format_args!(
                "NM|{code}|1.{module}.1.{metric}||{unit}||{}|||X|||{at}",
                flag(cause)
            )),
        }
    }

    fn wave(&mut self, wave: &WaveChunk) {
        let Some(code) = codes::of_wave(&wave.label) else {
            return;
        };
        let samples = i64::try_from(wave.samples.len()).unwrap_or(i64::MAX);
        let span = samples.saturating_mul(1_000) / i64::from(wave.rate_hz.max(1));
        let end = self.civil_ms;
        self.group("CONTINUOUS WAVEFORM", end.saturating_sub(span), end);
        self.waves += 1;
        let place = format!("1.9.1.{}", self.waves);
        let text: Vec<String> = wave
            .samples
            .iter()
            .map(|sample| sample.map_or_else(String::new, |count| count.to_string()))
            .collect();
        self.row(format_args!(
            "NA|{}|{place}|{}|{}|||||R",
            mdc(code),
            text.join("^"),
            wave_unit(wave.unit)
        ));
        self.facet(
            &place,
            1,
            "0^MDC_ATTR_SAMP_RATE^MDC",
            Decimal::whole(i64::from(wave.rate_hz)),
            "264640^MDC_DIM_HZ^MDC",
        );
        self.facet(
            &place,
            2,
            "67917^MDC_ATTR_NU_MSMT_RES^MDC",
            wave.resolution,
            wave_unit(wave.unit),
        );
    }

    fn facet(&mut self, place: &str, n: u8, code: &str, value: Decimal, unit: &str) {
        self.row(format_args!("NM|{code}|{place}.{n}|{value}|{unit}|||||R"));
    }

    fn framed(self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(self.text.len() + 3);
        frame.push(START);
        frame.extend_from_slice(self.text.as_bytes());
        frame.extend_from_slice(&[END, CR]);
        frame
    }
}

/// OBX-3 for a code.
fn mdc(code: u32) -> String {
    format!("{code}^{}^MDC", codes::name_of(code))
}

/// A text as one component: delimiters escaped, control characters left out.
fn escaped(text: &str) -> String {
    escape(text, |c| match c {
        '|' => Some("\\F\\"),
        '^' => Some("\\S\\"),
        '&' => Some("\\T\\"),
        '~' => Some("\\R\\"),
        '\\' => Some("\\E\\"),
        _ => None,
    })
}

/// A text as a whole field whose components stay components.
fn escaped_field(text: &str) -> String {
    escape(text, |c| match c {
        '|' => Some("\\F\\"),
        '\\' => Some("\\E\\"),
        _ => None,
    })
}

fn escape(text: &str, sequence: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match sequence(c) {
            Some(sequence) => out.push_str(sequence),
            None => out.push(c),
        }
    }
    out
}
