//! The device side: a monitor that says nothing until a client associates, then tells what is polled.
//!
//! It answers in the form in which it is asked, framed or in datagrams, and drops a silent client as a
//! real monitor does.

use super::super::device::{CuffState, Device, DeviceOptions, Screen};
use super::alarm;
use super::association::{self, Terms, extended};
use super::clock::Clock;
use super::frame::{self, Deframer, Piece};
use super::message::{self, Asked, Class, DATA_EXPORT, Link, Question, Told, group};
use super::nomenclature::{self, PARAMETERS, WAVES, Wave};
use super::numerics::{COMPOUND_VALUE, LABEL, TAKEN_AT, VALUE, Value, state};
use super::wire::{self, attribute};
use super::{system, wave};
use crate::observation::{Identity, WaveChunk};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading};
use std::time::Duration;

/// Results come every 1.024 s.
const CADENCE: Duration = Duration::from_millis(1_024);
/// Longest message that a real serial monitor agreed to, and then sent.
const LONGEST_MESSAGE: u32 = 996;
/// Objects of one part of a result. Real parts are about twice as long, with more attributes in them.
const LONGEST_PART: usize = 400;
/// The MDS Create event is repeated until it is answered, and how often.
const CREATE_AGAIN: Duration = Duration::from_millis(3_100);
const CREATE_TIMES: u8 = 3;
/// Samples of a wave come in blocks of this length, 1/8 ms.
const BLOCK: u32 = 2_048;

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor {
        identity: options.identity.clone(),
        ..Monitor::default()
    })
}

/// An association.
#[derive(Debug)]
struct Association {
    terms: Terms,
    /// When the client was heard last.
    heard: Moment,
    creation: Creation,
    numerics: Option<Subscription>,
    alerts: Option<Subscription>,
    waves: Option<Subscription>,
    exported: Vec<Exported>,
}

/// Whether the MDS Create event is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Creation {
    Told { next: Moment, times: u8 },
    Answered,
}

/// An extended poll that is active.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    invoke: u16,
    question: Question,
    until: Moment,
    sequence: u16,
}

/// A wave on its way out.
#[derive(Debug)]
struct Exported {
    wave: &'static Wave,
    /// Samples from the screen, not yet sent, and their form.
    source: Vec<Option<i32>>,
    form: Option<WaveChunk>,
    /// Number of the first sample in `source`, and of the next sample to be sent at our own rate.
    first: u64,
    next: u64,
}

#[derive(Default)]
struct Monitor {
    identity: Identity,
    deframer: Deframer,
    /// Whether the client speaks in frames, once it has spoken.
    is_framed: Option<bool>,
    association: Option<Association>,
    screen: Option<Screen>,
    /// The running time at the screen.
    running: u32,
    /// Requests that came before there was a screen.
    early: Vec<Vec<u8>>,
    invoke: u16,
}

/// Requests that wait for the first screen.
const MOST_EARLY: usize = 16;

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        CADENCE
    }

    fn opened(&mut self, _: Now) {
        self.deframer.reset();
        self.is_framed = None;
        self.association = None;
        self.early.clear();
    }

    fn receive(&mut self, now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let begins_bare = matches!(
            bytes.first(),
            Some(
                &(DATA_EXPORT
                    | association::REQUEST
                    | association::RELEASE
                    | association::RELEASED
                    | association::ABORT)
            )
        );
        let mut messages = Vec::new();
        if *self.is_framed.get_or_insert(!begins_bare) {
            self.deframer.receive(bytes, |piece| match piece {
                Piece::Message(message, _) => messages.push(message.to_vec()),
                // A monitor does not answer what it cannot read.
                Piece::Broken(..) | Piece::Noise(_) | Piece::Rest(_) => {}
            });
        } else {
            messages.push(bytes.to_vec());
        }
        for message in messages {
            if self.screen.is_some() {
                self.obey(now, &message, replies);
            } else if self.early.len() < MOST_EARLY {
                self.early.push(message);
            }
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        self.running = running(now.moment);
        if let Some(association) = &mut self.association {
            for exported in &mut association.exported {
                exported.add(&screen.waves);
            }
        }
        self.screen = Some(screen.clone());
        for message in std::mem::take(&mut self.early) {
            self.obey(now, &message, sent);
        }
        self.keep_order(now, sent);
        let Some(mut association) = self.association.take() else {
            return;
        };
        for subscription in [&mut association.numerics, &mut association.alerts] {
            if let Some(subscription) = subscription {
                subscription.sequence = subscription.sequence.wrapping_add(1);
                self.tell(*subscription, self.running, sent);
            }
        }
        self.tell_waves(&mut association, sent);
        for subscription in [
            &mut association.numerics,
            &mut association.alerts,
            &mut association.waves,
        ] {
            if subscription.is_some_and(|subscription| subscription.until <= now.moment) {
                *subscription = None;
            }
        }
        self.association = Some(association);
    }
}

/// The running time of the monitor: 1/8 ms, which wraps.
fn running(moment: Moment) -> u32 {
    u32::try_from(moment.as_micros() / 125 % (1 << 32)).unwrap_or(0)
}

impl Monitor {
    fn send(&self, message: Vec<u8>, sent: &mut Vec<Vec<u8>>) {
        sent.push(if self.is_framed == Some(true) {
            frame::encode(&message)
        } else {
            message
        });
    }

    /// Repeats the MDS Create event, and drops a client that is silent or does not answer it.
    fn keep_order(&mut self, now: Now, sent: &mut Vec<Vec<u8>>) {
        let Some(association) = &mut self.association else {
            return;
        };
        let mut is_over = now.moment.since(association.heard) >= association.terms.time_out();
        let mut again = false;
        if let Creation::Told { next, times } = &mut association.creation
            && *next <= now.moment
        {
            is_over |= *times == CREATE_TIMES;
            again = !is_over;
            *times = times.saturating_add(1);
            *next = now.moment.after(CREATE_AGAIN);
        }
        if is_over {
            self.association = None;
            self.send(association::abort(), sent);
        } else if again {
            self.create(sent);
        }
    }

    fn create(&mut self, sent: &mut Vec<Vec<u8>>) {
        self.invoke = self.invoke.wrapping_add(1);
        let attributes = self.system_attributes();
        self.send(
            message::created(self.invoke, self.running, &attributes),
            sent,
        );
    }

    fn system_attributes(&self) -> Vec<Vec<u8>> {
        let civil_ms = self.screen.as_ref().map_or(0, |screen| screen.civil_ms);
        let mut attributes = system::attributes(&self.identity);
        attributes.extend(Clock::pair(self.running, civil_ms));
        attributes
    }

    fn obey(&mut self, now: Now, message: &[u8], sent: &mut Vec<Vec<u8>>) {
        match message.first() {
            Some(&association::REQUEST) => match association::asked(message) {
                Some(_) if self.association.is_some() => self.send(association::refuse(), sent),
                Some(asked) => {
                    let terms = Terms {
                        longest_message: asked.longest_message.min(LONGEST_MESSAGE),
                        extended: asked.extended & (extended::REAL_TIME | extended::WAVES),
                        ..asked
                    };
                    self.association = Some(Association {
                        terms,
                        heard: now.moment,
                        creation: Creation::Told {
                            next: now.moment.after(CREATE_AGAIN),
                            times: 1,
                        },
                        numerics: None,
                        alerts: None,
                        waves: None,
                        exported: Vec::new(),
                    });
                    self.send(association::response(&terms), sent);
                    self.create(sent);
                }
                None => {}
            },
            Some(&association::RELEASE) => {
                // Without an association the monitor stays silent.
                if self.association.take().is_some() {
                    self.send(association::released(), sent);
                }
            }
            Some(&(association::RELEASED | association::ABORT)) => self.association = None,
            Some(&DATA_EXPORT) => {
                let Some(association) = &mut self.association else {
                    return;
                };
                association.heard = now.moment;
                match Asked::read(message) {
                    Some(Asked::CreateAnswered) => association.creation = Creation::Answered,
                    Some(Asked::Poll(invoke, question)) => {
                        self.polled(now, invoke, question, sent);
                    }
                    Some(Asked::Waves(invoke, labels)) => {
                        association.exported = exported(&labels);
                        let effective: Vec<u32> = association
                            .exported
                            .iter()
                            .map(|exported| exported.wave.text_id())
                            .collect();
                        self.send(message::chosen_waves(invoke, &effective), sent);
                    }
                    Some(Asked::Unknown(invoke)) => self.send(message::refused(invoke), sent),
                    None => {}
                }
            }
            Some(_) | None => {}
        }
    }

    /// Answers a poll at once; an extended one goes on.
    fn polled(&mut self, now: Now, invoke: u16, question: Question, sent: &mut Vec<Vec<u8>>) {
        let period = question.period.unwrap_or(0);
        let subscription = Subscription {
            invoke,
            question,
            until: now
                .moment
                .after(Duration::from_micros(u64::from(period) * 125)),
            sequence: 0,
        };
        self.tell(subscription, running(now.moment), sent);
        if question.period.is_none() {
            return;
        }
        let Some(association) = &mut self.association else {
            return;
        };
        let slot = if question.class == Class::Numerics.code() {
            &mut association.numerics
        } else if question.class == Class::Alerts.code() {
            &mut association.alerts
        } else if question.class == Class::Waves.code() {
            &mut association.waves
        } else {
            return;
        };
        *slot = Some(subscription);
    }

    /// One result, in as many parts as it needs.
    fn tell(&self, subscription: Subscription, at: u32, sent: &mut Vec<Vec<u8>>) {
        let objects = self.objects(subscription.question);
        let told = |link| Told {
            invoke: subscription.invoke,
            question: subscription.question,
            sequence: subscription.sequence,
            at,
            link,
        };
        let total: usize = objects.iter().map(Vec::len).sum();
        if total <= LONGEST_PART {
            self.send(message::polled(told(Link::End), &objects), sent);
            return;
        }
        let mut parts: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut room = 0;
        for object in objects {
            match parts.last_mut() {
                Some(part) if object.len() <= room => {
                    room -= object.len();
                    part.push(object);
                }
                Some(_) | None => {
                    room = LONGEST_PART.saturating_sub(object.len());
                    parts.push(vec![object]);
                }
            }
        }
        let last = parts.len();
        for (number, part) in (1..).zip(&parts) {
            let link = Link::Part {
                number: u8::try_from(number).unwrap_or(u8::MAX),
                is_last: number == last,
            };
            self.send(message::polled(told(link), part), sent);
        }
        self.send(message::polled(told(Link::End), &[]), sent);
    }

    fn objects(&self, question: Question) -> Vec<Vec<u8>> {
        let Some(screen) = &self.screen else {
            return Vec::new();
        };
        let is = |class: Class| question.class == class.code();
        if is(Class::Numerics) {
            numerics(screen, question.group == group::ALL)
        } else if is(Class::Alerts) && question.group == group::ALERTS {
            vec![message::object(0, &alarm::write(&screen.alerts))]
        } else if is(Class::Alerts) {
            vec![message::object(0, &[])]
        } else if is(Class::Patient) {
            vec![message::object(0x50, &system::patient(&self.identity))]
        } else if is(Class::System) {
            vec![message::object(0, &self.system_attributes())]
        } else {
            Vec::new()
        }
    }

    /// The waves that are complete, in blocks of 256 ms.
    fn tell_waves(&self, association: &mut Association, sent: &mut Vec<Vec<u8>>) {
        let Some(subscription) = &mut association.waves else {
            return;
        };
        loop {
            let objects: Vec<Vec<u8>> = (0x9000..)
                .zip(&mut association.exported)
                .filter_map(|(handle, exported)| exported.block(handle))
                .collect();
            if objects.is_empty() {
                return;
            }
            subscription.sequence = subscription.sequence.wrapping_add(1);
            let told = Told {
                invoke: subscription.invoke,
                question: subscription.question,
                sequence: subscription.sequence,
                at: self.running,
                link: Link::End,
            };
            self.send(message::polled(told, &objects), sent);
        }
    }
}

/// A value as the monitor sends it.
fn value(code: u16, parameter: Parameter, reading: Reading) -> Value {
    let (state, float) = match reading {
        Reading::Valid(value) => (0, wire::to_float(value)),
        // The monitor shows it with a question mark.
        Reading::Questionable(value, _) => (state::QUESTIONABLE, wire::to_float(value)),
        Reading::Invalid(Cause::NotAvailable | Cause::SensorMissing) => {
            (state::UNAVAILABLE, wire::NO_NUMBER)
        }
        Reading::Invalid(Cause::Calibrating) => (state::CALIBRATING, wire::NO_NUMBER),
        Reading::Invalid(Cause::Demo) => (state::DEMO, wire::NO_NUMBER),
        Reading::Invalid(Cause::Test) => (state::TEST, wire::NO_NUMBER),
        Reading::Invalid(_) => (state::INVALID, wire::NO_NUMBER),
    };
    let unit = match parameter {
        Parameter::Rr => 0x0AE0,
        Parameter::Hr | Parameter::Pr | Parameter::NibpPr | Parameter::ArtPr => 0x0AA0,
        Parameter::Spo2 => 0x0220,
        Parameter::Pi => 0x0200,
        Parameter::NibpSys
        | Parameter::NibpDia
        | Parameter::NibpMean
        | Parameter::ArtSys
        | Parameter::ArtDia
        | Parameter::ArtMean
        | Parameter::Etco2 => 0x0F20,
        Parameter::Temp => 0x17A0,
    };
    Value {
        code,
        state,
        unit,
        float,
    }
}

/// The code under which a parameter is sent. A monitor with a gas module counts breaths there.
fn code(parameter: Parameter, has_gas: bool) -> Option<u16> {
    if parameter == Parameter::Rr && has_gas {
        return Some(0x5012);
    }
    PARAMETERS
        .iter()
        .find_map(|(code, known, _)| (*known == parameter).then_some(*code))
}

const ID_HANDLE: u16 = 0x0921;
const ID_TYPE: u16 = 0x092F;

/// A numeric object with these values.
fn numeric(values: &[Value], taken_at: Option<i64>, with_labels: bool) -> Vec<u8> {
    let Some(first) = values.first() else {
        return message::object(0, &[]);
    };
    // Any handle will do that is the same for the same numeric.
    let handle = 0x8000 | first.code & 0x7FFF;
    let mut attributes = Vec::new();
    if with_labels {
        attributes.push(attribute(ID_HANDLE, handle.to_be_bytes()));
        attributes.push(attribute(ID_TYPE, [0, 1, 0, 6]));
        attributes.push(attribute(
            LABEL,
            nomenclature::label(first.code).to_be_bytes(),
        ));
    }
    if let Some(taken_at) = taken_at {
        attributes.push(attribute(TAKEN_AT, wire::to_absolute_time(taken_at)));
    }
    let written: Vec<Vec<u8>> = values
        .iter()
        .map(|value| {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            bytes
        })
        .collect();
    match written.as_slice() {
        [only] => attributes.push(attribute(VALUE, only)),
        several => {
            let mut compound = Vec::new();
            wire::list(&mut compound, several);
            attributes.push(attribute(COMPOUND_VALUE, compound));
        }
    }
    message::object(handle, &attributes)
}

/// The numerics of a screen.
fn numerics(screen: &Screen, with_labels: bool) -> Vec<Vec<u8>> {
    const ARTERIAL: [Parameter; 3] = [Parameter::ArtMean, Parameter::ArtSys, Parameter::ArtDia];
    let has_gas = screen.numerics.contains_key(&Parameter::Etco2);
    let sent = |parameter: Parameter, reading: Reading| {
        code(parameter, has_gas).map(|code| value(code, parameter, reading))
    };
    let mut objects = Vec::new();
    for (parameter, reading) in &screen.numerics {
        if !parameter.is_cuff() && !ARTERIAL.contains(parameter) {
            let values: Vec<Value> = sent(*parameter, *reading).into_iter().collect();
            objects.push(numeric(&values, None, with_labels));
        }
    }
    if ARTERIAL
        .iter()
        .any(|part| screen.numerics.contains_key(part))
    {
        // The order within a compound is not fixed: a real monitor puts the mean first here.
        let values: Vec<Value> = ARTERIAL
            .into_iter()
            .filter_map(|part| sent(part, screen.reading(part)))
            .collect();
        objects.push(numeric(&values, None, with_labels));
    }
    if let Some(state) = screen.cuff {
        cuff(screen, state, with_labels, &mut objects);
    }
    objects
}

fn cuff(screen: &Screen, state: CuffState, with_labels: bool, objects: &mut Vec<Vec<u8>>) {
    let reading = screen.cuff_reading;
    let shown = |parameter: Parameter, number: Option<Decimal>| {
        let told = match (state, number) {
            (CuffState::Failed, _) => Reading::Invalid(Cause::CuffFault),
            (CuffState::Idle | CuffState::Measuring, None) => Reading::Invalid(Cause::NotAvailable),
            (CuffState::Idle | CuffState::Measuring, Some(number)) => Reading::Valid(number),
        };
        let mut value = code(parameter, false).map(|code| value(code, parameter, told))?;
        if state == CuffState::Measuring {
            value.state |= state::MEASURING;
        }
        Some(value)
    };
    let taken_at = reading.map(|reading| reading.civil_ms);
    let pressures: Vec<Value> = [
        shown(Parameter::NibpSys, reading.map(|reading| reading.sys)),
        shown(Parameter::NibpDia, reading.map(|reading| reading.dia)),
        shown(Parameter::NibpMean, reading.map(|reading| reading.mean)),
    ]
    .into_iter()
    .flatten()
    .collect();
    objects.push(numeric(&pressures, taken_at, with_labels));
    if let Some(pulse) = reading.and_then(|reading| reading.pulse) {
        let values: Vec<Value> = shown(Parameter::NibpPr, Some(pulse)).into_iter().collect();
        objects.push(numeric(&values, taken_at, with_labels));
    }
}

/// The waves with these labels, as far as this monitor has them.
fn exported(labels: &[u32]) -> Vec<Exported> {
    labels
        .iter()
        .filter_map(|label| WAVES.iter().find(|wave| wave.text_id() == *label))
        .map(|wave| Exported {
            wave,
            source: Vec::new(),
            form: None,
            first: 0,
            next: 0,
        })
        .collect()
}

/// How a wave is sent: its period in 1/8 ms, significant bits, and the count that stands for zero.
const fn form(wave: &Wave) -> (u32, u8, i32) {
    match wave.code {
        0x4BB4 => (0x40, 12, 0),
        0x5000 => (0x80, 12, 2_048),
        0x50AC | 0x4A14 | 0x4A10 => (0x80, 14, 8_192),
        _ => (0x20, 14, 8_192),
    }
}

/// Samples that wait to be sent; more are from a client that is not served.
const MOST_WAITING: usize = 10_000;

impl Exported {
    fn add(&mut self, waves: &[WaveChunk]) {
        let is_ours = |chunk: &&WaveChunk| chunk.label.eq_ignore_ascii_case(self.wave.label);
        let Some(chunk) = waves.iter().find(is_ours) else {
            return;
        };
        if self.source.len() < MOST_WAITING {
            self.source.extend(&chunk.samples);
        }
        if self.form.is_none() {
            self.form = Some(WaveChunk {
                samples: Vec::new(),
                ..chunk.clone()
            });
        }
    }

    /// The next block as an object; `None` until its samples are there.
    fn block(&mut self, handle: u16) -> Option<Vec<u8>> {
        let form_of_screen = self.form.as_ref()?;
        let (period, bits, zero) = form(self.wave);
        let rate = u64::from(form_of_screen.rate_hz);
        // Nearest earlier sample of the screen at our own rate.
        let place = |number: u64| number * u64::from(period) * rate / 8_000;
        let count = BLOCK / period;
        let last = self.next + u64::from(count) - 1;
        let end = usize::try_from(place(last).checked_sub(self.first)?).ok()?;
        if end >= self.source.len() {
            return None;
        }
        let highest = (1_i32 << bits) - 1;
        let mut samples = Vec::new();
        for number in self.next..=last {
            let at = usize::try_from(place(number).checked_sub(self.first)?).ok()?;
            let raw =
                self.source.get(at).copied().flatten().and_then(|count| {
                    u16::try_from(count.saturating_add(zero).clamp(0, highest)).ok()
                });
            samples.extend(raw.unwrap_or(INVALID_SAMPLE).to_be_bytes());
        }
        self.next = last + 1;
        let used = usize::try_from(place(self.next).checked_sub(self.first)?).ok()?;
        let used = used.min(self.source.len());
        self.source.drain(..used);
        self.first += u64::try_from(used).ok()?;

        let mut observed = self.wave.code.to_be_bytes().to_vec();
        observed.extend([0, 0]);
        wire::block(&mut observed, |out| out.extend(samples));
        let mut special = Vec::new();
        wire::list(&mut special, &[[0, 1, 0x80, 0]]);
        let [high, low] = u16::try_from(count).ok()?.to_be_bytes();
        let attributes = [
            attribute(LABEL, self.wave.text_id().to_be_bytes()),
            attribute(wave::SPECIFICATION, [high, low, 16, bits, 0x10, 0]),
            attribute(wave::PERIOD, period.to_be_bytes()),
            attribute(wave::SPECIAL_VALUES, special),
            attribute(wave::SCALE, scale(form_of_screen, zero, highest)),
            attribute(
                wave::UNIT,
                nomenclature::wave_unit_code(form_of_screen.unit).to_be_bytes(),
            ),
            attribute(wave::SAMPLES, observed),
        ];
        Some(message::object(handle, &attributes))
    }
}

/// The special value of a sample that is none: outside the significant bits.
const INVALID_SAMPLE: u16 = 0x8000;

/// Two points of the scale; no numbers where the monitor gives none.
fn scale(form: &WaveChunk, zero: i32, highest: i32) -> Vec<u8> {
    let point = |count: i32| {
        Decimal::whole(i64::from(count - zero))
            .times(form.resolution)
            .filter(|_| zero == 8_192)
            .map_or(wire::NO_NUMBER, wire::to_float)
    };
    let mut bytes = point(0).to_be_bytes().to_vec();
    bytes.extend(point(highest).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(u16::try_from(highest).unwrap_or(u16::MAX).to_be_bytes());
    bytes
}
