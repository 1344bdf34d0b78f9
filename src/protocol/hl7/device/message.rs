//! Messages that the simulated monitor and pump write.

use super::super::codes;
use super::super::mllp::{CR, END, START};
use super::super::time;
use crate::observation::{AlertPhase, DeviceAlert, Identity, WaveChunk};
use crate::protocol::{CuffState, Screen};
use crate::vocabulary::{Cause, Decimal, Parameter, Priority, Reading, ReadingUnit};
use std::fmt::{Display, Write};

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

/// A message being written.
pub struct Message {
    text: String,
    civil_ms: i64,
    groups: u32,
    rows: u32,
    waves: u32,
    /// The module whose row was written last.
    module: u8,
}

impl Message {
    /// The header, the patient and the bed of a message of this kind (MSH-9).
    pub fn begin(identity: &Identity, kind: &str, id: &str, civil_ms: i64) -> Self {
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
            "MSH|^~\\&|{device}||||{}||{kind}|{id}|P|2.6|||AL|NE||UNICODE UTF-8",
            time::write(civil_ms)
        ));
        let patient = identity.patient.as_deref().map(escaped);
        message.segment(format_args!("PID|||{}", patient.unwrap_or_default()));
        // A bed is raw text of its field: components and all.
        let bed = identity.bed.as_deref().unwrap_or_default();
        message.segment(format_args!("PV1||O|{}", escaped_field(bed)));
        message
    }

    /// A PCD-01 report of a monitor.
    pub fn report(identity: &Identity, id: &str, civil_ms: i64) -> Self {
        let mut message = Self::begin(identity, "ORU^R01^ORU_R01", id, civil_ms);
        message.group("182777000^monitoring of patient^SCT", civil_ms, civil_ms);
        message.whole_device(&mdc(69_965), identity);
        message
    }

    /// A PCD-04 alert in `phase`, which began with the message of number `first`.
    pub fn alert(
        identity: &Identity,
        id: &str,
        civil_ms: i64,
        alert: &DeviceAlert,
        phase: AlertPhase,
        first: &str,
    ) -> Self {
        let mut message = Self::begin(identity, "ORU^R40^ORU_R40", id, civil_ms);
        let (at, own) = (time::write(civil_ms), escaped(id));
        let parent = match phase {
            AlertPhase::Start | AlertPhase::Present => String::new(),
            AlertPhase::Continue | AlertPhase::End => format!("^{}", escaped(first)),
        };
        message.segment(format_args!(
            "OBR|1||{own}|196616^MDC_EVT_ALARM^MDC|||{at}||||||||||||||||||||||{parent}"
        ));
        message.whole_device(&mdc(69_965), identity);
        message.row("|69854^MDC_DEV_METER_PRESS_BLD_VMD^MDC|1.1.0.0|||||||X");
        let word = match phase {
            AlertPhase::Start => "start",
            AlertPhase::Continue => "update",
            AlertPhase::End => "end",
            AlertPhase::Present => "tpoint",
        };
        let state = if phase == AlertPhase::End {
            "inactive"
        } else {
            "active"
        };
        let priority = match alert.priority {
            None => "PN",
            Some(Priority::Low) => "PL",
            Some(Priority::Medium) => "PM",
            Some(Priority::High) => "PH",
        };
        let text = escaped(&alert.text);
        for (n, code, value) in [
            (1, "196616^MDC_EVT_ALARM", text.as_str()),
            (3, "68481^MDC_ATTR_EVENT_PHASE", word),
            (4, "68482^MDC_ATTR_ALARM_STATE", state),
            (5, "68483^MDC_ATTR_ALARM_INACTIVATION_STATE", "enabled"),
            (6, "68484^MDC_ATTR_ALARM_PRIORITY", priority),
            (7, "68485^MDC_ATTR_ALERT_TYPE", "SP"),
        ] {
            message.row(format_args!("ST|{code}^MDC|1.1.1.1.{n}|{value}||||||R"));
        }
        message
    }

    /// A PCD-04 keep-alive, to be confirmed within five seconds.
    pub fn keep_alive(identity: &Identity, id: &str, civil_ms: i64) -> Self {
        let mut message = Self::begin(identity, "ORU^R40^ORU_R40", id, civil_ms);
        message.group("196614^MDC_EVT_ACTIVE^MDC", civil_ms, civil_ms);
        message.whole_device(&mdc(69_965), identity);
        for row in [
            "ST|196614^MDC_EVT_ACTIVE^MDC|1.1.1.1.1|||||||R",
            "ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start||||||R",
            "ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6|PN||||||R",
            "NM|67860^MDC_ATTR_CONFIRM_TIMEOUT^MDC|1.1.1.1.9|5|264320^MDC_DIM_SEC^MDC|||||R",
        ] {
            message.row(row);
        }
        message
    }

    /// The row of the whole device.
    pub fn whole_device(&mut self, code: &str, identity: &Identity) {
        let device = escaped(identity.device.as_deref().unwrap_or(DEVICE));
        self.row(format_args!("|{code}|1.0.0.0|||||||X|||||||{device}"));
    }

    /// A segment.
    pub fn segment(&mut self, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{text}");
        self.text.push(char::from(CR));
    }

    /// An OBR with its interval.
    pub fn group(&mut self, what: &str, begin: i64, end: i64) {
        self.groups += 1;
        let (n, begin, end) = (self.groups, time::write(begin), time::write(end));
        self.segment(format_args!("OBR|{n}|||{what}|||{begin}|{end}"));
    }

    /// A row from its OBX-2 on.
    pub fn row(&mut self, rest: impl Display) {
        self.rows += 1;
        let n = self.rows;
        self.segment(format_args!("OBX|{n}|{rest}"));
    }

    /// The continuous numerics.
    pub fn numerics(&mut self, screen: &Screen) {
        for (&parameter, reading) in &screen.numerics {
            self.metric(parameter, *reading, "");
        }
    }

    /// The cuff's row while it measures or has failed; else its last result under its own time.
    pub fn cuff(&mut self, screen: &Screen) {
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

    /// A wave.
    pub fn wave(&mut self, wave: &WaveChunk) {
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

    /// The frame.
    pub fn framed(self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(self.text.len() + 3);
        frame.push(START);
        frame.extend_from_slice(self.text.as_bytes());
        frame.extend_from_slice(&[END, CR]);
        frame
    }
}

/// OBX-3 for a code.
pub fn mdc(code: u32) -> String {
    format!("{code}^{}^MDC", codes::name_of(code))
}

/// A text as one component: delimiters escaped, control characters left out.
pub fn escaped(text: &str) -> String {
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
