//! What a restart without replay keeps of each feed: whose readings it gives, its last cuff readings, and
//! until when its SpO2 is valid.

use crate::engine::feeds::Whose;
use crate::engine::reading::{CuffIdentity, CuffStatus, CuffTaken, Held};
use crate::observation::{DeviceTime, Observation};
use crate::vocabulary::{Cause, Decimal, Moment, Parameter, Reading, WallTime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Readings of one pressure that are kept: the newest, and the one that it may confirm.
const KEPT: usize = 2;

/// One pressure of a cuff reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pressure {
    parameter: Parameter,
    value: Decimal,
    pub(super) level: i64,
    pub(super) number: u64,
    pub(super) received: Moment,
    wall: WallTime,
    age: Duration,
    measured_at: Option<DeviceTime>,
    /// The feed has said since that it has no number: judged it was, but it is not held any more.
    withdrawn: bool,
}

impl Pressure {
    /// As the feed holds it, if it does.
    pub(super) fn held(&self, shown_for: Duration) -> Option<Held> {
        (!self.withdrawn).then(|| self.told(shown_for))
    }

    /// As the feed told it.
    pub(super) fn told(&self, shown_for: Duration) -> Held {
        Held {
            reading: Reading::Valid(self.value),
            level: Some(self.level),
            received: self.received,
            received_wall: self.wall,
            age: self.age,
            until: self.received.after(shown_for),
            measured_at: self.measured_at,
            finding: None,
            site: None,
            number: self.number,
        }
    }
}

/// When and how an observation came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) seq: u64,
    pub(super) at: Moment,
    pub(super) wall: WallTime,
    pub(super) age: Duration,
    pub(super) silence: Duration,
}

/// One feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    pub(super) whose: Whose,
    pub(super) cuff: CuffIdentity,
    /// In the order in which they came.
    pressures: Vec<Pressure>,
    pub(super) spo2_until: Option<Moment>,
    /// The last sign of life.
    pub(super) alive: Moment,
}

impl Memory {
    /// A feed that became known now.
    pub(super) fn new(at: Moment) -> Self {
        Self {
            alive: at,
            ..Self::default()
        }
    }

    /// The newest readings of a pressure, the newest first.
    pub(super) fn newest(&self, parameter: Parameter) -> impl Iterator<Item = &Pressure> {
        self.pressures
            .iter()
            .rev()
            .filter(move |pressure| pressure.parameter == parameter)
    }

    /// A cuff value as the engine takes it; `true` when a new reading begins with it.
    pub(super) fn cuff_value(
        &mut self,
        (parameter, value): (Parameter, Decimal),
        observation: &Observation,
        came: Arrival,
    ) -> bool {
        let Some(level) = value.rounded(parameter.places()) else {
            return false;
        };
        let told = (parameter, level);
        let (number, is_new) =
            match self
                .cuff
                .value(told, observation, came.at, came.silence, came.seq)
            {
                CuffTaken::Older | CuffTaken::Again(_) => return false,
                CuffTaken::New(number) => (number, true),
                CuffTaken::Further(number) => (number, false),
            };
        if is_new {
            self.told_before(number, came.at);
        }
        if matches!(
            parameter,
            Parameter::NibpSys | Parameter::NibpDia | Parameter::NibpMean
        ) {
            self.keep(Pressure {
                parameter,
                value,
                level,
                number,
                received: came.at,
                wall: came.wall,
                age: came.age,
                measured_at: observation.measured_at,
                withdrawn: false,
            });
        }
        is_new
    }

    /// Values told before the first one of a new reading in the same message belong to it.
    fn told_before(&mut self, number: u64, at: Moment) {
        for parameter in [Parameter::NibpSys, Parameter::NibpDia, Parameter::NibpMean] {
            let newest = self
                .pressures
                .iter_mut()
                .rev()
                .find(|pressure| pressure.parameter == parameter);
            if let Some(pressure) = newest
                && self.cuff.number_of(parameter) == number
            {
                pressure.number = number;
                pressure.received = at;
            }
        }
    }

    fn keep(&mut self, new: Pressure) {
        let is_of = |pressure: &Pressure, parameter| {
            pressure.parameter == parameter && pressure.number == new.number
        };
        self.pressures
            .retain(|pressure| !is_of(pressure, new.parameter));
        while self.newest(new.parameter).count() >= KEPT {
            let oldest = self
                .pressures
                .iter()
                .position(|pressure| pressure.parameter == new.parameter);
            if let Some(oldest) = oldest {
                self.pressures.remove(oldest);
            }
        }
        self.pressures.push(new);
        // A crossed pair is no reading: what stood before it stands again.
        let level = |parameter| {
            self.newest(parameter)
                .find(|pressure| pressure.number == new.number)
                .map(|pressure| pressure.level)
        };
        let crossed = level(Parameter::NibpSys)
            .zip(level(Parameter::NibpDia))
            .is_some_and(|(sys, dia)| sys <= dia);
        if crossed {
            self.pressures.retain(|pressure| {
                !is_of(pressure, Parameter::NibpSys) && !is_of(pressure, Parameter::NibpDia)
            });
        }
    }

    /// A cuff status without a number.
    pub(super) fn cuff_refused(&mut self, cause: Cause, observation: &Observation, at: Moment) {
        self.cuff.refused(cause, observation.measured_at, at);
        // While the cuff measures, the last reading stays.
        if matches!(self.cuff.status, CuffStatus::Measuring(_)) {
            return;
        }
        let newest = self
            .pressures
            .iter_mut()
            .rev()
            .find(|pressure| observation.parameter.known() == Some(pressure.parameter));
        if let Some(pressure) = newest {
            pressure.withdrawn = true;
        }
    }
}
