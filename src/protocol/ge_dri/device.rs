//! The device side: a monitor that sends nothing until it is asked, then one record per interval.

use super::super::device::{CuffState, Device, DeviceOptions, Screen};
use super::basic::{self, ACTIVE, Basic, Class, Group};
use super::cuff;
use super::frame::{self, Deframer, Piece};
use super::labels;
use super::numerics;
use super::record::{Header, Kind, Record, build};
use super::request::{AlarmCommand, COMMAND, Request, physiological};
use super::wave::{self, MOST_SAMPLES_A_SECOND, WAVES, Wave};
use super::{alarm, settings};
use crate::observation::{AlertPhase, WaveChunk};
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Parameter, Priority, Reading};
use std::time::Duration;

/// The interface level that this monitor claims: the real capture's.
const LEVEL: u8 = 10;
/// Ambient pressure of the simulated room, 1/10 mmHg.
const AMBIENT: i16 = 7_600;
/// Automatic cuff mode, as in the real capture.
const AUTOMATIC: u16 = 0x0B;

/// The registry's way to a device.
pub(super) fn device(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor::default())
}

/// Values that were asked for: how often, and when next. Without `every`, once.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    every: Option<Duration>,
    next: Moment,
}

/// What of the alarms was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AlarmsAsked {
    #[default]
    Nothing,
    Once,
    OnChange,
}

#[derive(Default)]
struct Monitor {
    deframer: Deframer,
    displayed: Option<Subscription>,
    auxiliary: settings::Auxiliary,
    waves: Vec<&'static Wave>,
    alarms: AlarmsAsked,
    /// The last alarm answer; a change is sent, the same is not sent again.
    alarms_sent: Vec<u8>,
    counter: u8,
}

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn opened(&mut self, _: Now) {
        self.deframer.reset();
    }

    fn receive(&mut self, now: Now, bytes: &[u8], _: &mut Vec<Vec<u8>>) {
        let mut requests = Vec::new();
        self.deframer.receive(bytes, |piece| match piece {
            Piece::Record(record, _) => {
                if let Ok(record) = Record::parse(record) {
                    requests.extend(Request::read(&record));
                }
            }
            // A monitor does not answer what it cannot read.
            Piece::Broken(..) | Piece::Noise(_) | Piece::Rest(_) => {}
        });
        for request in requests {
            self.obey(request, now);
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let header = |kind, counter| Header {
            counter,
            level: LEVEL,
            plug: 1,
            time: seconds(screen.civil_ms),
            kind,
        };
        let mut send = |kind, subrecords: &[(u8, Vec<u8>)]| {
            sent.push(frame::encode(&build(
                header(kind, self.counter),
                subrecords,
            )));
            self.counter = self.counter.wrapping_add(1);
        };

        if let Some(subscription) = self.displayed.filter(|asked| asked.next <= now.moment) {
            let mut subrecords = vec![(
                physiological::DISPLAYED,
                Class::write(seconds(screen.civil_ms), &basic(screen), LEVEL),
            )];
            if self.auxiliary == settings::Auxiliary::Asked {
                let taken = screen.cuff_reading.map_or(0, |cuff| seconds(cuff.civil_ms));
                let mut auxiliary = taken.to_le_bytes().to_vec();
                auxiliary.resize(AUXILIARY, 0);
                subrecords.push((physiological::AUXILIARY, auxiliary));
            }
            send(Kind::Physiological, &subrecords);
            self.displayed = subscription.every.map(|every| Subscription {
                every: Some(every),
                next: now.moment.after(every),
            });
        }
        for waves in wave_records(&self.waves, screen) {
            send(Kind::Waveform, &waves);
        }
        if self.alarms != AlarmsAsked::Nothing {
            let answer = alarms(screen);
            if self.alarms == AlarmsAsked::Once || answer != self.alarms_sent {
                send(Kind::Alarm, &[(COMMAND, answer.clone())]);
                self.alarms_sent = answer;
            }
            if self.alarms == AlarmsAsked::Once {
                self.alarms = AlarmsAsked::Nothing;
            }
        }
    }
}

/// Bytes of the auxiliary information; what follows the cuff's time is left zero.
const AUXILIARY: usize = 114;

impl Monitor {
    fn obey(&mut self, request: Request, now: Now) {
        match request {
            Request::Values { wanted, interval } if wanted == physiological::DISPLAYED => {
                let next = now.moment;
                self.displayed = match interval {
                    0 => None,
                    ..0 => Some(Subscription { every: None, next }),
                    1.. => Some(Subscription {
                        every: Some(Duration::from_secs(u64::from(interval.unsigned_abs()))),
                        next,
                    }),
                };
            }
            Request::Values { wanted, interval } if wanted == physiological::AUXILIARY => {
                self.auxiliary = if interval == 0 {
                    settings::Auxiliary::Left
                } else {
                    settings::Auxiliary::Asked
                };
            }
            // Trends: this monitor keeps none.
            Request::Values { .. } => {}
            Request::Waves(types) => self.waves = carried(&types),
            Request::Alarms(AlarmCommand::Once) => self.alarms = AlarmsAsked::Once,
            Request::Alarms(AlarmCommand::OnChange) => {
                self.alarms = AlarmsAsked::OnChange;
                self.alarms_sent.clear();
            }
            Request::Alarms(AlarmCommand::Stop) => self.alarms = AlarmsAsked::Nothing,
        }
    }
}

fn seconds(civil_ms: i64) -> u32 {
    u32::try_from(civil_ms.div_euclid(1_000)).unwrap_or(0)
}

/// A reading in units of `1 / 10^places`, as the monitor sends it.
fn counts(reading: Reading, places: u8) -> i16 {
    match reading {
        Reading::Valid(value) | Reading::Questionable(value, _) => value
            .rounded(places)
            .and_then(|counts| i16::try_from(counts).ok())
            .filter(|counts| *counts >= basic::LOWEST_NUMBER)
            .unwrap_or(basic::OVER_RANGE),
        Reading::Invalid(Cause::OutOfRange) => basic::OVER_RANGE,
        Reading::Invalid(Cause::Calibrating) => basic::NOT_CALIBRATED,
        Reading::Invalid(_) => basic::INVALID,
    }
}

fn is_zero(reading: Reading) -> bool {
    reading.value().is_some_and(Decimal::is_zero)
}

/// The basic class of a screen.
fn basic(screen: &Screen) -> Basic {
    let fitted = |parameter| screen.numerics.contains_key(&parameter);
    let active = |here: bool| if here { ACTIVE } else { 0 };
    let read = |parameter| screen.reading(parameter);
    let mut basic = Basic::default();

    let hr = read(Parameter::Hr);
    let by_impedance = fitted(Parameter::Rr) && !fitted(Parameter::Etco2);
    if fitted(Parameter::Hr) || by_impedance {
        basic.ecg.status = ACTIVE | labels::SOURCE_ECG << 3;
        basic.ecg.label = 0x1200;
        if is_zero(hr) {
            basic.ecg.status |= numerics::ASYSTOLE;
        }
        if matches!(hr, Reading::Questionable(_, Doubt::LowQuality)) {
            basic.ecg.status |= numerics::ECG_DOUBT;
        }
        match hr {
            Reading::Invalid(Cause::ProbeOff) => basic.ecg.status |= numerics::CHANNEL_OFF,
            Reading::Invalid(Cause::Starting) => basic.ecg.status |= numerics::LEARNING,
            Reading::Invalid(Cause::Artefact) => basic.ecg.status |= numerics::ECG_DOUBT,
            Reading::Invalid(_) | Reading::Valid(_) | Reading::Questionable(..) => {}
        }
        let impedance = if by_impedance {
            counts(read(Parameter::Rr), 0)
        } else {
            basic::INVALID
        };
        let none = basic::INVALID;
        basic.ecg.values = [counts(hr, 0), none, none, none, impedance];
    }

    let [art, ..] = &mut basic.pressures;
    art.status = active(fitted(Parameter::ArtSys));
    art.label = labels::ART;
    art.values = [
        counts(read(Parameter::ArtSys), 2),
        counts(read(Parameter::ArtDia), 2),
        counts(read(Parameter::ArtMean), 2),
        counts(read(Parameter::ArtPr), 0),
    ];
    let [body, ..] = &mut basic.temperatures;
    body.status = active(fitted(Parameter::Temp));
    body.label = labels::T1;
    body.values = [counts(read(Parameter::Temp), 2)];
    basic.spo2.status = active(fitted(Parameter::Spo2));
    basic.spo2.values = [
        counts(read(Parameter::Spo2), 2),
        counts(read(Parameter::Pr), 0),
        basic::INVALID,
        basic::INVALID,
    ];
    if fitted(Parameter::Etco2) {
        basic.co2 = gas(read(Parameter::Etco2), read(Parameter::Rr));
    }
    basic.nibp = pressure_cuff(screen);
    basic
}

fn gas(etco2: Reading, rr: Reading) -> Group<4> {
    // mmHg back to per cent of the dry gas pressure, half up.
    let dry = i64::from(AMBIENT) - numerics::WATER_VAPOUR;
    let et = match etco2.value().and_then(|mmhg| mmhg.rounded(1)) {
        Some(tenths) => counts(
            Reading::Valid(Decimal::new((tenths * 10_000 + dry / 2).div_euclid(dry), 2)),
            2,
        ),
        None => counts(etco2, 2),
    };
    let mut status = ACTIVE;
    if is_zero(rr) {
        status |= numerics::APNOEA;
    }
    if etco2 == Reading::Invalid(Cause::Calibrating) {
        status |= numerics::CO2_CALIBRATING;
    }
    Group {
        status,
        label: 1,
        values: [et, basic::INVALID, counts(rr, 0), AMBIENT],
    }
}

fn pressure_cuff(screen: &Screen) -> Group<4> {
    let Some(state) = screen.cuff else {
        return Group::default();
    };
    let mut group = Group {
        status: ACTIVE,
        label: AUTOMATIC,
        ..Group::default()
    };
    if let Some(reading) = screen.cuff_reading {
        let value = |value| counts(Reading::Valid(value), 2);
        group.values = [
            value(reading.sys),
            value(reading.dia),
            value(reading.mean),
            reading
                .pulse
                .map_or(basic::INVALID, |pulse| counts(Reading::Valid(pulse), 0)),
        ];
        if screen.civil_ms.saturating_sub(reading.civil_ms) > 60_000 {
            group.label |= cuff::OLDER_THAN_60_S;
        }
    }
    match state {
        CuffState::Idle => {}
        CuffState::Measuring => group.label |= cuff::MEASURING,
        CuffState::Failed => group.values = [basic::INVALID; 4],
    }
    group
}

/// The waves of a request that the line carries, in its order.
fn carried(types: &[u8]) -> Vec<&'static Wave> {
    let mut free = MOST_SAMPLES_A_SECOND;
    let known = types
        .iter()
        .filter_map(|code| WAVES.iter().find(|wave| wave.code == *code));
    known
        .filter(|wave| match free.checked_sub(wave.rate_hz) {
            Some(rest) => {
                free = rest;
                true
            }
            None => false,
        })
        .collect()
}

/// The waves since the last screen, a second in each record.
fn wave_records(waves: &[&Wave], screen: &Screen) -> Vec<Vec<(u8, Vec<u8>)>> {
    let mut records: Vec<Vec<(u8, Vec<u8>)>> = Vec::new();
    for wave in waves {
        let wanted = match wave.name {
            "ecg1" => "ecg-",
            "p1" => "art",
            name => name,
        };
        let chunk = screen
            .waves
            .iter()
            .find(|chunk| chunk.label.starts_with(wanted));
        let samples = chunk.map_or_else(Vec::new, |chunk| resampled(chunk, wave));
        let second = usize::try_from(wave.rate_hz).unwrap_or(usize::MAX);
        for (at, samples) in samples.chunks(second).enumerate() {
            let subrecord = (wave.code, wave::write(samples));
            match records.get_mut(at) {
                Some(record) => record.push(subrecord),
                None => records.push(vec![subrecord]),
            }
        }
    }
    records
}

/// Nearest earlier sample at the wave's rate, in the wave's counts.
fn resampled(chunk: &WaveChunk, wave: &Wave) -> Vec<Option<i16>> {
    let (from, to) = (u64::from(chunk.rate_hz).max(1), u64::from(wave.rate_hz));
    let length = chunk.samples.len() as u64 * to / from;
    (0..length)
        .map(|at| {
            let count = usize::try_from(at * from / to)
                .ok()
                .and_then(|at| chunk.samples.get(at).copied().flatten())?;
            let value = Decimal::whole(i64::from(count)).times(chunk.resolution)?;
            Some(counts(Reading::Valid(value), wave.places))
        })
        .collect()
}

/// An alarm answer for the alarms on the screen, highest first.
fn alarms(screen: &Screen) -> Vec<u8> {
    let mut shown: Vec<(&str, Option<Priority>)> = screen
        .alerts
        .iter()
        .filter(|alert| alert.phase != AlertPhase::End)
        .map(|alert| (&*alert.text, alert.priority))
        .collect();
    shown.sort_by_key(|(_, priority)| std::cmp::Reverse(*priority));
    alarm::write(&shown)
}
