//! The device side: a monitor that sends values after it was asked, and goes silent without the echo.

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::hl7::{CR, END, Found, Framer, Header, START, write_time};
use super::numbers::{NUMBERS, OTHER_PULSE, kind};
use crate::observation::{AlertPhase, Identity};
use crate::vocabulary::{Cause, Moment, Now, Parameter, Reading};
use encoding_rs::GBK;
use std::time::Duration;

/// A client that says nothing for this long is dropped.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of the longest request.
const LONGEST: usize = 4_096;

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor {
        identity: options.identity.clone(),
        framer: Framer::new(LONGEST, false),
        heard: None,
        greeted: false,
        asked: false,
    })
}

struct Monitor {
    identity: Identity,
    framer: Framer,
    /// When the client last said that it is there.
    heard: Option<Moment>,
    greeted: bool,
    asked: bool,
}

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn opened(&mut self, _: Now) {
        self.framer.reset();
        self.heard = None;
        self.greeted = false;
        self.asked = false;
    }

    fn receive(&mut self, now: Now, bytes: &[u8], _: &mut Vec<Vec<u8>>) {
        let mut input = bytes;
        while let Some(found) = self.framer.next(now.moment, &mut input) {
            if found != Found::Message {
                continue;
            }
            let frame = self.framer.take();
            if let Ok((header, _)) = Header::read(&frame) {
                match header.field(10) {
                    kind::ECHO => self.heard = Some(now.moment),
                    kind::QUERY => self.asked = true,
                    _ => {}
                }
            }
            self.framer.restore(frame);
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let client_is_there = self
            .heard
            .is_some_and(|heard| now.moment.since(heard) <= PATIENCE);
        if !client_is_there {
            return;
        }
        if !self.greeted {
            self.greeted = true;
            sent.push(message(kind::PATIENT, &self.patient()));
        }
        sent.push(message(kind::ECHO, ""));
        sent.push(message(kind::CUFF, &cuff(screen)));
        if self.asked {
            sent.push(message(kind::VALUES, &values(screen)));
            sent.push(message(kind::PHYSIOLOGICAL, &physiological(screen)));
            sent.push(message(kind::TECHNICAL, &technical(screen)));
        }
    }
}

impl Monitor {
    fn patient(&self) -> String {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or("").to_owned();
        let (patient, bed) = (text(&self.identity.patient), text(&self.identity.bed));
        format!(
            "PID|||{patient}||DOE^TEST|||||\rPV1||I|^^&{bed}&2130706433&4601&&1|\r\
             OBX||NM|51^||70.0||||||F\r"
        )
    }
}

/// A message of the monitor, in GBK.
fn message(what: &[u8], rows: &str) -> Vec<u8> {
    let what = String::from_utf8_lossy(what);
    let text = format!("MSH|^~\\&|||||||ORU^R01|{what}|P|2.3.1|\r{rows}");
    let mut frame = vec![START];
    frame.extend_from_slice(&GBK.encode(&text).0);
    frame.extend([END, CR]);
    frame
}

fn shown(reading: Reading) -> String {
    reading
        .value()
        .map_or_else(|| "-100".to_owned(), |value| value.to_string())
}

fn values(screen: &Screen) -> String {
    NUMBERS
        .iter()
        // One number for each parameter.
        .filter(|number| number.id != OTHER_PULSE && !matches!(number.id, 250 | 280))
        .filter_map(|number| {
            let reading = screen.numerics.get(&number.parameter)?;
            (!number.parameter.is_cuff()).then(|| {
                let (id, name, module) = (number.id, number.name, number.module);
                format!("OBX||NM|{id}^{name}|{module}|{}||||||F\r", shown(*reading))
            })
        })
        .collect()
}

fn cuff(screen: &Screen) -> String {
    let Some(cuff) = screen.cuff_reading else {
        return "OBX||NM|170^Sys|2105|-100||||||F||APERIODIC|00000000000000\r".to_owned();
    };
    let time = write_time(cuff.civil_ms);
    let seconds = time.split('.').next().unwrap_or_default();
    let values = [
        (Parameter::NibpDia, Some(cuff.dia)),
        (Parameter::NibpMean, Some(cuff.mean)),
        (Parameter::NibpSys, Some(cuff.sys)),
        (Parameter::NibpPr, cuff.pulse),
    ];
    NUMBERS
        .iter()
        .filter_map(|number| {
            let (_, value) = values
                .iter()
                .find(|(parameter, _)| *parameter == number.parameter)?;
            let (id, name, module) = (number.id, number.name, number.module);
            value.map(|value| {
                format!("OBX||NM|{id}^{name}|{module}|{value}||||||F||APERIODIC|{seconds}\r")
            })
        })
        .collect()
}

fn physiological(screen: &Screen) -> String {
    let rows = (10_001..)
        .zip(&screen.alerts)
        .filter(|(_, alert)| alert.phase != AlertPhase::End)
        .map(|(code, alert)| format!("OBX||CE|2|1|{code}^{}||||||F|||\r", alert.text));
    rows.chain(["OBX||CE|2040^||0^||||||F\r".to_owned()])
        .collect()
}

fn technical(screen: &Screen) -> String {
    let mut rows = String::new();
    for (parameter, cause, text) in [
        (Parameter::Spo2, Cause::ProbeOff, "205^SpO2 Sensor Off"),
        (Parameter::Hr, Cause::SensorMissing, "5^ECG Lead Off"),
    ] {
        if screen.reading(parameter) == Reading::Invalid(cause) {
            rows.push_str(&format!("OBX||CE|4||{text}||||||F|\r"));
        }
    }
    rows.push_str("OBX||CE|2041^||0^||||||F\r");
    rows
}
