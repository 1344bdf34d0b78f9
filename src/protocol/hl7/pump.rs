//! Infusion pumps: what a message tells of a pump, as events (hl7.md 5).
//!
//! PCD-10 (ORU^R42) tells what happened. PCD-01 (ORU^R01) tells how a pump stands; what happened is
//! the difference from what it told before, which `pumps` remembers.
//!
//! Promises: rates and volumes are in mL/h and mL or not told at all; a pump that says it gives another
//! drug drives nothing; where a pump contradicts itself about an end, the end waits for its next word.

use super::codes;
use super::containment::Path;
use super::drug::{About, Drug, is_unknown_drug};
use super::item::Item;
use super::message::{Delimiters, Segment, parts, told};
use super::numerics::{Terms, obx};
use super::pumps::{Delivery, Pumps};
use crate::observation::{DeviceTime, PumpEvent, PumpEventKind};
use crate::protocol::{Events, Fault};
use crate::vocabulary::{Cause, Decimal};

/// Sources of one message that are read; a pump has a handful.
const MOST_PARTS: usize = 64;

/// What a PCD-10 message says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    Start,
    Stop,
    Complete,
    CommChange,
    /// Of no consequence for the delivery: counters cleared, a programme relayed.
    Other,
}

/// Events that are known; those without a number are known by name only.
const EVENTS: &[(Option<u32>, &[u8], Happened)] = &[
    (Some(197_288), b"MDC_EVT_PUMP_DELIV_START", Happened::Start),
    (None, b"MDC_EVT_PUMP_DELIV_STOP", Happened::Stop),
    (
        Some(197_292),
        b"MDC_EVT_PUMP_DELIV_COMP",
        Happened::Complete,
    ),
    (None, b"MDC_EVT_COMM_STATUS_CHANGE", Happened::CommChange),
    (None, b"MDC_EVT_PUMP_PROG_CLEARED", Happened::Other),
    (None, b"MDC_EVT_PUMP_AUTO_PROG_CLEARED", Happened::Other),
    (None, b"MDC_EVT_PUMP_PROG_RELAY", Happened::Other),
    (None, b"MDC_EVT_PATIENT_CHANGE", Happened::Other),
    (None, b"MDC_EVT_PATIENT_ID_CHANGE", Happened::Other),
    (None, b"MDC_EVT_PATIENT_PARAMETER_CHANGE", Happened::Other),
    (None, b"MDC_EVT_PUMP_VOL_COUNTERS_CLEARED", Happened::Other),
    (None, b"MDC_EVT_DEVICE_TIME_CHANGED", Happened::Other),
];

/// What happened, by name, or by number where no name is told.
fn happened(field: &[u8], delimiters: &Delimiters) -> Result<Happened, Fault> {
    let [code, name] = parts::<2>(field, delimiters.component);
    let number = codes::number(code);
    let by_number = EVENTS
        .iter()
        .find(|(known, ..)| known.is_some() && *known == number);
    let by_name = EVENTS
        .iter()
        .find(|(_, known, _)| known.eq_ignore_ascii_case(name));
    match (by_number, by_name) {
        (Some(one), Some(other)) if one.1 != other.1 => Err(Fault::CodeMismatch),
        (_, Some((.., happened))) | (Some((.., happened)), None) => Ok(*happened),
        (None, None) => Err(Fault::UnknownCode),
    }
}

/// One channel or source of a pump, as far as it was told.
#[derive(Debug, Default)]
struct Part<'a> {
    place: [u32; 3],
    infusing: Option<bool>,
    flow: Option<Decimal>,
    delivery: Option<Delivery>,
    reason: Option<&'a [u8]>,
    rate: Option<Decimal>,
    volume: Option<Decimal>,
    remaining: Option<Decimal>,
    drug: Option<&'a [u8]>,
    drug_unknown: bool,
}

impl Part<'_> {
    const fn pump(&self) -> [u32; 2] {
        let [device, module, _] = self.place;
        [device, module]
    }

    fn is_complete(&self) -> bool {
        self.remaining.is_some_and(Decimal::is_zero)
    }
}

/// What a group of rows tells of one device that infuses.
#[derive(Debug, Default)]
pub struct Infusion<'a> {
    /// OBR-4 of the group.
    order: &'a [u8],
    happened: Option<(Happened, [u32; 3])>,
    source: Option<[u32; 3]>,
    system: &'a [u8],
    alarm: Option<&'a [u8]>,
    /// A row says that this is a demonstration or a test.
    unreal: bool,
    at: Option<DeviceTime>,
    parts: Vec<Part<'a>>,
}

impl<'a> Infusion<'a> {
    /// Nothing told yet, under this OBR-4.
    pub fn new(order: &'a [u8]) -> Self {
        Self {
            order,
            ..Self::default()
        }
    }

    /// Whether anything of a delivery was told.
    pub const fn is_pump(&self) -> bool {
        self.happened.is_some() || !self.parts.is_empty()
    }

    /// What the pump calls itself; empty when it does not.
    pub const fn system(&self) -> &'a [u8] {
        self.system
    }

    /// Takes a row; `at` is its time. What cannot be read is a fault and costs only itself.
    pub fn row(
        &mut self,
        item: Item,
        path: &Path,
        row: &Segment<'a>,
        terms: &Terms<'_>,
        at: Option<DeviceTime>,
    ) -> Result<(), Fault> {
        match terms.usable(row) {
            Ok(()) => {}
            Err(Cause::Demo | Cause::Test) => {
                self.unreal = true;
                return Ok(());
            }
            Err(_) => return Ok(()),
        }
        let Some(value) = told(row.field(obx::VALUE)) else {
            return Ok(());
        };
        let word = word(value, terms.delimiters);
        if item == Item::Event || self.at.is_none() {
            self.at = at;
        }
        match item {
            Item::Event => {
                self.happened = Some((happened(value, terms.delimiters)?, path.container()));
            }
            Item::EventSource => self.source = Some(Path::read(value).container()),
            Item::Alarm => self.alarm = Some(value),
            Item::SystemId => self.system = value,
            Item::Infusing => {
                let infusing = match word {
                    b"pump-status-infusing" => true,
                    b"pump-status-not-infusing" => false,
                    _ => return Err(Fault::UnknownCode),
                };
                self.part(path).infusing = Some(infusing);
            }
            Item::Delivery => {
                let delivery = Delivery::read(word).ok_or(Fault::UnknownCode)?;
                self.part(path).delivery = Some(delivery);
            }
            Item::Reason => self.part(path).reason = Some(word),
            Item::Flow => self.part(path).flow = millilitres_per_hour(row, terms),
            Item::Rate => self.part(path).rate = millilitres_per_hour(row, terms),
            Item::Volume => self.part(path).volume = millilitres(row, terms),
            Item::Remaining => self.part(path).remaining = millilitres(row, terms),
            Item::Drug => {
                let unknown = is_unknown_drug(value, terms.delimiters);
                let part = self.part(path);
                part.drug = (!unknown).then_some(value);
                part.drug_unknown = unknown;
            }
        }
        Ok(())
    }

    /// The part in which a row stands; the last one takes what is too much.
    fn part(&mut self, path: &Path) -> &mut Part<'a> {
        let place = path.container();
        let known = self.parts.iter().position(|part| part.place == place);
        let index = match known {
            Some(index) => index,
            None if self.parts.len() < MOST_PARTS => {
                self.parts.push(Part {
                    place,
                    ..Part::default()
                });
                self.parts.len() - 1
            }
            None => MOST_PARTS - 1,
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the index was found or made in this list just now"
        )]
        &mut self.parts[index]
    }

    /// Everything of the group is told: what it means for the pumps that were known before.
    pub fn tell(self, about: &About<'_>, pumps: &mut Pumps, events: &mut Events) {
        if self.unreal || about.test {
            return;
        }
        match self.happened {
            Some((happened, place)) => self.tell_event(happened, place, about, pumps, events),
            None => self.tell_status(about, pumps, events),
        }
    }

    /// PCD-10.
    fn tell_event(
        &self,
        happened: Happened,
        place: [u32; 3],
        about: &About<'_>,
        pumps: &mut Pumps,
        events: &mut Events,
    ) {
        let part = self.concerned(place);
        let pump = part.map_or([place[0], place[1]], Part::pump);
        let drug = match self.drug(part, about, true) {
            Drug::Ours(drug) => drug,
            Drug::Another(drug) => return pumps.met_another_drug(drug, events),
        };
        let infusing = self.of_pump(pump).find_map(|part| part.infusing);
        let delivery = part
            .and_then(|part| part.delivery)
            .or_else(|| infusing.map(as_delivery));
        let reason = part
            .and_then(|part| part.reason)
            .or_else(|| self.of_pump(pump).find_map(|part| part.reason));
        let flow = self.of_pump(pump).find_map(|part| part.flow);
        let goes_on = self.of_pump(pump).any(|other| {
            Some(other.place) != part.map(|part| part.place)
                && other.delivery == Some(Delivery::Running)
                && matches!(self.drug(Some(other), about, true), Drug::Ours(_))
        });
        let between = |suffix: &[u8]| reason.is_some_and(|reason| reason.ends_with(suffix));
        let open_end = matches!(delivery, Some(Delivery::Transitioning | Delivery::Running))
            || between(b"switching-source");
        let (kind, transitioning, now) = match happened {
            Happened::Other => return,
            Happened::CommChange => (PumpEventKind::CommLost, false, None),
            Happened::Start if delivery == Some(Delivery::Kvo) => {
                (PumpEventKind::Kvo, false, Some(Delivery::Kvo))
            }
            Happened::Start => (PumpEventKind::DeliveryStart, false, Some(Delivery::Running)),
            // A bolus has ended while the infusion goes on.
            Happened::Stop | Happened::Complete if goes_on => {
                (PumpEventKind::RateChange, false, Some(Delivery::Running))
            }
            Happened::Stop if delivery == Some(Delivery::Kvo) => {
                (PumpEventKind::Kvo, false, Some(Delivery::Kvo))
            }
            Happened::Stop => (PumpEventKind::DeliveryStop, open_end, Some(ended(open_end))),
            Happened::Complete if between(b"between-doses") => {
                (PumpEventKind::DeliveryStop, open_end, Some(ended(open_end)))
            }
            Happened::Complete => (
                PumpEventKind::DeliveryComplete,
                open_end,
                Some(ended(open_end)),
            ),
        };
        let programmed = part.and_then(|part| part.rate);
        let event = PumpEvent {
            event: kind,
            transitioning,
            drug,
            rate_ml_h: match kind {
                PumpEventKind::DeliveryStart => programmed.or(flow),
                PumpEventKind::Kvo | PumpEventKind::RateChange => flow.or(programmed),
                PumpEventKind::DeliveryStop
                | PumpEventKind::DeliveryComplete
                | PumpEventKind::Transitioning
                | PumpEventKind::Alarm
                | PumpEventKind::CommLost => flow,
            },
            volume_ml: part.and_then(|part| part.volume),
            reason: reason.map(|reason| about.text(reason)),
            at: self.at.or(about.begin),
            message_at: about.message_at,
        };
        let alarming = happened == Happened::Stop && between(b"alarming");
        pumps.event(about.whom, pump, event, now, alarming, events);
    }

    /// PCD-01: every pump of the device by itself.
    fn tell_status(&self, about: &About<'_>, pumps: &mut Pumps, events: &mut Events) {
        let mut done: Vec<[u32; 2]> = Vec::new();
        for first in &self.parts {
            let pump = first.pump();
            if done.contains(&pump) {
                continue;
            }
            done.push(pump);
            self.tell_pump_status(pump, about, pumps, events);
        }
    }

    fn tell_pump_status(
        &self,
        pump: [u32; 2],
        about: &About<'_>,
        pumps: &mut Pumps,
        events: &mut Events,
    ) {
        let of_drug = |wanted: Option<Delivery>| {
            self.of_pump(pump).find(move |part| {
                part.delivery == wanted
                    && matches!(self.drug(Some(part), about, false), Drug::Ours(_))
            })
        };
        let order = [
            Delivery::Running,
            Delivery::Transitioning,
            Delivery::Kvo,
            Delivery::Stopped,
        ];
        let told = order
            .into_iter()
            .find_map(|delivery| Some((delivery, of_drug(Some(delivery))?)));
        let any_source = self.of_pump(pump).any(|part| part.delivery.is_some());
        let infusing = self
            .of_pump(pump)
            .find(|part| part.infusing.is_some())
            .and_then(|part| Some((as_delivery(part.infusing?), part)));
        let Some((delivery, part)) = told.or(infusing.filter(|_| !any_source)) else {
            // Only other drugs, or no word about the delivery.
            if let Some(Drug::Another(drug)) = self
                .of_pump(pump)
                .map(|part| self.drug(Some(part), about, false))
                .find(|drug| matches!(drug, Drug::Another(_)))
            {
                pumps.met_another_drug(drug, events);
            }
            return;
        };
        // Without a word of its sources the drug of the whole pump counts.
        let drug = match self.drug(Some(part), about, false) {
            Drug::Ours(drug) => drug,
            Drug::Another(drug) => return pumps.met_another_drug(drug, events),
        };
        let flow = self.of_pump(pump).find_map(|part| part.flow);
        let event = PumpEvent {
            event: PumpEventKind::Transitioning,
            transitioning: false,
            drug,
            rate_ml_h: match delivery {
                Delivery::Running => part.rate.or(flow),
                Delivery::Kvo | Delivery::Stopped | Delivery::Transitioning => flow,
            },
            volume_ml: part.volume,
            reason: part.reason.map(|reason| about.text(reason)),
            at: self.at.or(about.begin),
            message_at: about.message_at,
        };
        let complete = part.is_complete();
        pumps.status(about.whom, pump, event, delivery, complete, events);
        let alarm = self.alarm.map(|alarm| about.text(alarm));
        pumps.alarm(about.whom, pump, alarm, about, self.at, events);
    }

    fn of_pump(&self, pump: [u32; 2]) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(move |part| part.pump() == pump)
    }

    /// The part that an event is about: the told source, else the place of the event's own row, else
    /// the first of which a delivery is told.
    fn concerned(&self, place: [u32; 3]) -> Option<&Part<'a>> {
        let at = |place: [u32; 3]| {
            self.parts
                .iter()
                .find(|part| part.place == place && part.delivery.is_some())
        };
        self.source
            .and_then(at)
            .or_else(|| at(place))
            .or_else(|| {
                let within = self.source.unwrap_or(place);
                self.parts
                    .iter()
                    .find(|part| part.delivery.is_some() && part.pump() == [within[0], within[1]])
            })
            .or_else(|| self.parts.iter().find(|part| part.delivery.is_some()))
            .or_else(|| self.parts.iter().find(|part| part.rate.is_some()))
            .or_else(|| self.parts.first())
    }

    /// The drug of a part: its own, else that of its pump, else that of the order. A pump that does
    /// not know its drug may well be giving ours.
    fn drug(&self, part: Option<&Part<'a>>, about: &About<'_>, event: bool) -> Drug {
        let own = part.filter(|part| part.drug.is_some() || part.drug_unknown);
        let of_pump = || {
            let pump = part?.pump();
            self.of_pump(pump)
                .find(|part| part.delivery.is_none() && part.drug.is_some())
        };
        if let Some(part) = own.or_else(of_pump) {
            return match part.drug {
                Some(drug) => about.drug(drug),
                None => Drug::Ours(None),
            };
        }
        match about.drug_of_order(self.order) {
            // A status message may name anything there.
            Drug::Another(_) if !event => Drug::Ours(None),
            drug @ (Drug::Ours(_) | Drug::Another(_)) => drug,
        }
    }
}

const fn as_delivery(infusing: bool) -> Delivery {
    if infusing {
        Delivery::Running
    } else {
        Delivery::Stopped
    }
}

const fn ended(open_end: bool) -> Delivery {
    if open_end {
        Delivery::Transitioning
    } else {
        Delivery::Stopped
    }
}

/// The word of a coded value: `^pump-status-infusing`, or with something before it.
fn word<'a>(value: &'a [u8], delimiters: &Delimiters) -> &'a [u8] {
    let [first, second] = parts::<2>(value, delimiters.component);
    if second.starts_with(b"pump-") || first.is_empty() {
        second
    } else {
        first
    }
}

fn millilitres_per_hour(row: &Segment, terms: &Terms<'_>) -> Option<Decimal> {
    in_unit(row, terms, 265_266, b"mL/h")
}

fn millilitres(row: &Segment, terms: &Terms<'_>) -> Option<Decimal> {
    in_unit(row, terms, 263_762, b"mL")
}

/// The number of a row, if it is not negative and in this unit.
fn in_unit(row: &Segment, terms: &Terms<'_>, code: u32, name: &[u8]) -> Option<Decimal> {
    let value = terms
        .number(row)
        .ok()
        .filter(|value| value.mantissa() >= 0)?;
    let [first, _, _, other] = parts::<4>(row.field(obx::UNIT), terms.delimiters.component);
    let unit = told(first).or(told(other))?;
    let matches = match codes::number(unit) {
        Some(number) => number == code,
        None => unit.eq_ignore_ascii_case(name),
    };
    matches.then_some(value)
}
