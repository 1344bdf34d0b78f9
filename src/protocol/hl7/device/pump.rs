//! The simulated pump: a script of what a nurse does at it, told as PCD-10 events or as PCD-01 status.
//!
//! `pump-script` is a list such as `5 start 25; 20 rate 30; 30 pause; 40 resume 30; 60 complete; 61 kvo 1`:
//! seconds since the first screen, what is done, and the rate in mL/h. Words: `start`, `resume`, `rate`,
//! `pause`, `complete`, `kvo`, `alarm`, `lost`. `pump-drug` is what the pump says it gives (default
//! `Ketamine`), `pump-id` its own name (default that of the monitor); `pump-status` = `true` tells with
//! every screen how the pump stands (PCD-01) instead of what happened (PCD-10).

use super::super::time;
use super::message::{Message, escaped};
use crate::observation::{DeviceTime, Identity, PumpEvent, PumpEventKind};
use crate::protocol::{DeviceOptions, Screen};
use crate::vocabulary::Decimal;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a pump's display shows beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    infusing: bool,
    delivery: &'static str,
}

const RUNNING: Stand = Stand {
    infusing: true,
    delivery: "delivering",
};
const STOPPED: Stand = Stand {
    infusing: false,
    delivery: "not-delivering",
};
const BETWEEN: Stand = Stand {
    infusing: false,
    delivery: "transitioning",
};
const OPEN: Stand = Stand {
    infusing: true,
    delivery: "kvo",
};

/// The pump.
pub struct Pump {
    script: VecDeque<(i64, PumpEventKind, Option<Decimal>)>,
    drug: Arc<str>,
    name: Option<Arc<str>>,
    as_status: bool,
    started: Option<i64>,
    sent: u64,
    /// What it told last, for its status.
    stand: Option<(Stand, PumpEvent)>,
}

impl Pump {
    /// A pump with these settings; an entry of the script that cannot be read is left out.
    pub fn new(options: &DeviceOptions) -> Self {
        let option = |name: &str| options.options.get(name).map(String::as_str);
        let script = option("pump-script").unwrap_or_default();
        Self {
            script: script.split(';').filter_map(entry).collect(),
            drug: option("pump-drug").unwrap_or("Ketamine").into(),
            name: option("pump-id").map(Into::into),
            as_status: option("pump-status") == Some("true"),
            started: None,
            sent: 0,
            stand: None,
        }
    }

    /// Tells what was done at the pump since the last screen.
    pub fn tell(&mut self, screen: &Screen, identity: &Identity, sent: &mut Vec<Vec<u8>>) {
        let now = screen.civil_ms;
        let started = *self.started.get_or_insert(now);
        let mut pump = identity.clone();
        if let Some(name) = &self.name {
            pump.device = Some(Arc::clone(name));
        }
        let mut done = screen.pump_events.clone();
        while let Some((at, kind, rate)) = self
            .script
            .pop_front_if(|(at, ..)| now.saturating_sub(started) >= *at)
        {
            done.push(PumpEvent {
                event: kind,
                transitioning: false,
                drug: Some(Arc::clone(&self.drug)),
                rate_ml_h: rate,
                volume_ml: None,
                reason: None,
                at: Some(DeviceTime::civil(started.saturating_add(at))),
                message_at: None,
            });
        }
        for event in done {
            for (happened, stand) in happened(&event) {
                self.stand = Some((stand, event.clone()));
                if !self.as_status {
                    let frame = self.message(&pump, now, &event, Some(happened), stand);
                    sent.push(frame);
                }
            }
        }
        if self.as_status
            && let Some((stand, event)) = self.stand.clone()
        {
            let frame = self.message(&pump, now, &event, None, stand);
            sent.push(frame);
        }
    }

    /// One message: of what happened, or of how the pump stands.
    fn message(
        &mut self,
        pump: &Identity,
        now: i64,
        event: &PumpEvent,
        happened: Option<&str>,
        stand: Stand,
    ) -> Vec<u8> {
        self.sent += 1;
        let id = format!("PUMP{now}-{}", self.sent);
        let kind = match happened {
            Some(_) => "ORU^R42^ORU_R01",
            None => "ORU^R01^ORU_R01",
        };
        let mut message = Message::begin(pump, kind, &id, now);
        let at = match (happened, event.at) {
            (Some(_), Some(at)) => at.civil_ms,
            (Some(_), None) | (None, _) => now,
        };
        let drug = match &event.drug {
            Some(drug) => format!("4001^{}", escaped(drug)),
            None => "999999^Unknown medication".to_owned(),
        };
        message.segment(format_args!("OBR|1||{id}|{drug}|||{}", time::write(at)));
        message.whole_device("70053^MDC_DEV_PUMP_INFUS_SYRINGE_MDS^MDC", pump);
        if let Some(happened) = happened {
            message.row(format_args!(
                "CWE|68487^MDC_ATTR_EVT_COND^MDC|1.0.0.2|{happened}^MDC||||||R"
            ));
            message.row("ST|68488^MDC_ATTR_EVT_SOURCE^MDC|1.0.0.3|1.1.2.0||||||R");
        }
        message.row("|70054^MDC_DEV_PUMP_INFUS_SYRINGE_VMD^MDC|1.1.0.0|||||||X");
        message.row("|70067^MDC_DEV_PUMP_DELIVERY_INFO^MDC|1.1.1.0|||||||X");
        let infusing = if stand.infusing {
            "pump-status-infusing"
        } else {
            "pump-status-not-infusing"
        };
        message.row(format_args!(
            "CWE|184519^MDC_PUMP_INFUSING_STATUS^MDC|1.1.1.1|^{infusing}||||||R"
        ));
        message.row("|70071^MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY^MDC|1.1.2.0|||||||X");
        message.row(format_args!(
            "CWE|158005^MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS^MDC|1.1.2.1|^pump-delivery-status-{}||||||R",
            stand.delivery
        ));
        let reason = match (&event.reason, event.event) {
            (Some(reason), _) => Some(escaped(reason)),
            (None, PumpEventKind::Alarm) => Some("pump-stopped-alarming".to_owned()),
            (None, _) => None,
        };
        if let Some(reason) = reason {
            message.row(format_args!(
                "CWE|158006^MDC_DEV_PUMP_NOT_DELIVERING_REASON^MDC|1.1.2.2|^{reason}||||||R"
            ));
        }
        if let Some(rate) = event.rate_ml_h {
            let (code, place) = match stand {
                RUNNING => ("157784^MDC_FLOW_FLUID_PUMP", "1.1.2.4"),
                _ => ("158014^MDC_FLOW_FLUID_PUMP_CURRENT", "1.1.1.2"),
            };
            message.row(format_args!(
                "NM|{code}^MDC|{place}|{rate}|265266^MDC_DIM_MILLI_L_PER_HR^MDC^mL/h^mL/h^UCUM|||||R"
            ));
        }
        if let Some(volume) = event.volume_ml {
            message.row(format_args!(
                "NM|157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC|1.1.2.7|{volume}|263762^MDC_DIM_MILLI_L^MDC^mL^mL^UCUM|||||R"
            ));
        }
        if let Some(drug) = &event.drug {
            message.row(format_args!(
                "ST|184514^MDC_DRUG_NAME_LABEL^MDC|1.1.2.10|{}||||||R",
                escaped(drug)
            ));
        }
        message.framed()
    }
}

/// What a pump says of this event: a rate change is a stop and a start, as IHE has it.
fn happened(event: &PumpEvent) -> Vec<(&'static str, Stand)> {
    const START: &str = "197288^MDC_EVT_PUMP_DELIV_START";
    const STOP: &str = "197290^MDC_EVT_PUMP_DELIV_STOP";
    const COMPLETE: &str = "197292^MDC_EVT_PUMP_DELIV_COMP";
    let end = if event.transitioning {
        BETWEEN
    } else {
        STOPPED
    };
    match event.event {
        PumpEventKind::DeliveryStart => vec![(START, RUNNING)],
        PumpEventKind::DeliveryStop | PumpEventKind::Alarm => vec![(STOP, end)],
        PumpEventKind::DeliveryComplete => vec![(COMPLETE, end)],
        PumpEventKind::Transitioning => vec![(STOP, BETWEEN)],
        PumpEventKind::Kvo => vec![(START, OPEN)],
        PumpEventKind::RateChange => vec![(STOP, BETWEEN), (START, RUNNING)],
        PumpEventKind::CommLost => vec![("0^MDC_EVT_COMM_STATUS_CHANGE", STOPPED)],
    }
}

/// One entry of a script: `<seconds> <what> [mL/h]`.
fn entry(text: &str) -> Option<(i64, PumpEventKind, Option<Decimal>)> {
    let mut words = text.split_whitespace();
    let seconds = Decimal::parse(words.next()?.as_bytes()).ok()?;
    let kind = match words.next()? {
        "start" | "resume" => PumpEventKind::DeliveryStart,
        "rate" => PumpEventKind::RateChange,
        "pause" => PumpEventKind::DeliveryStop,
        "complete" => PumpEventKind::DeliveryComplete,
        "kvo" => PumpEventKind::Kvo,
        "alarm" => PumpEventKind::Alarm,
        "lost" => PumpEventKind::CommLost,
        _ => return None,
    };
    let rate = words
        .next()
        .and_then(|rate| Decimal::parse(rate.as_bytes()).ok());
    Some((seconds.rounded(3)?, kind, rate))
}
