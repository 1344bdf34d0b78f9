//! The device side: a station with one pump, which answers in two blocks.

use super::super::device::{Device, DeviceOptions, Screen};
use super::block::{AGAIN, Block, Deframer, Piece, TAKEN};
use super::session::{ALIVE, GET};
use super::settings;
use crate::observation::{PumpEvent, PumpEventKind};
use crate::vocabulary::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// The pump's place unless it is told another.
const PLACE: &str = "50111";

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    // A setting that cannot be read is the usual one: the simulator has checked it.
    let stuffing = settings::stuffing(&options.options).unwrap_or(true);
    let text = |told: &Option<std::sync::Arc<str>>, usual: &str| {
        told.as_deref().unwrap_or(usual).to_owned()
    };
    Box::new(Station {
        stuffing,
        bed: text(&options.identity.bed, "ComSystem"),
        place: text(&options.identity.device, PLACE),
        deframer: Deframer::new(stuffing),
        blocks: VecDeque::new(),
        sent: Vec::new(),
        pump: None,
        alarm: false,
    })
}

struct Station {
    stuffing: bool,
    bed: String,
    place: String,
    deframer: Deframer,
    /// Blocks of the answer that wait for the one before to be taken.
    blocks: VecDeque<Vec<u8>>,
    /// The last block, to be sent again.
    sent: Vec<u8>,
    /// What the pump did last.
    pump: Option<PumpEvent>,
    alarm: bool,
}

impl Device for Station {
    fn cadence(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn opened(&mut self, _: Now) {
        self.deframer.reset();
        self.blocks.clear();
        self.sent.clear();
    }

    fn receive(&mut self, _: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let mut pieces = Vec::new();
        self.deframer.receive(bytes, |piece| pieces.push(piece));
        for piece in pieces {
            match piece {
                Piece::Block(block) => {
                    let texts = match &*block.information {
                        ALIVE => vec!["0,50100,GNACK,0".to_owned()],
                        GET => self.holds(),
                        _ => vec!["0,50100,GNERR,1".to_owned()],
                    };
                    let last = texts.len();
                    self.blocks = (1..)
                        .zip(texts)
                        .map(|(number, text)| {
                            let block = Block {
                                bed: self.bed.clone(),
                                information: text.into_bytes(),
                                more: number < last,
                            };
                            block.write(self.stuffing)
                        })
                        .collect();
                    self.next(replies);
                }
                Piece::Control(TAKEN) => self.next(replies),
                Piece::Control(AGAIN) if !self.sent.is_empty() => replies.push(self.sent.clone()),
                Piece::Control(_) | Piece::Noise(_) => {}
                Piece::Broken(..) => replies.push(vec![AGAIN]),
            }
        }
    }

    fn present(&mut self, _: Now, screen: &Screen, _: &mut Vec<Vec<u8>>) {
        for event in &screen.pump_events {
            if event.event == PumpEventKind::Alarm {
                self.alarm = true;
            } else {
                self.alarm = false;
                self.pump = Some(event.clone());
            }
        }
    }
}

impl Station {
    fn next(&mut self, replies: &mut Vec<Vec<u8>>) {
        if let Some(block) = self.blocks.pop_front() {
            self.sent.clone_from(&block);
            replies.push(block);
        }
    }

    /// What the station holds, in two blocks.
    fn holds(&self) -> Vec<String> {
        let Some(pump) = &self.pump else {
            return vec!["0,50100,GNACK,0".to_owned()];
        };
        let (running, kvo) = match pump.event {
            PumpEventKind::DeliveryStart | PumpEventKind::RateChange | PumpEventKind::Alarm => {
                ("1", "0")
            }
            PumpEventKind::Kvo => ("0", "1"),
            PumpEventKind::DeliveryStop
            | PumpEventKind::DeliveryComplete
            | PumpEventKind::Transitioning => ("0", "0"),
            PumpEventKind::CommLost => ("_NV", "_NV"),
        };
        let told = |value: Option<String>| value.unwrap_or_else(|| "_NV".to_owned());
        let value = |name: &str, value: &str| format!("0,{},{name},{value}", self.place);
        let first = [
            value("INM3", running),
            value("INM10", kvo),
            value("INRT", &told(pump.rate_ml_h.map(|rate| rate.to_string()))),
        ];
        let second = [
            value(
                "INVI",
                &told(pump.volume_ml.map(|volume| volume.to_string())),
            ),
            value("INSOL", &told(pump.drug.as_deref().map(str::to_owned))),
            value("INA1", if self.alarm { "1" } else { "0" }),
        ];
        [first, second].map(|texts| texts.join("\u{1e}")).into()
    }
}
