//! A bed for the proofs: one engine in simulated time, with one monitor that can say anything.

use infusewatch::engine::{
    Command, Engine, FeedId, FeedSetup, Input, Numbered, OpenSession, Override, Setup,
};
use infusewatch::observation::{DeviceTime, Identity, Observation};
use infusewatch::profile;
use infusewatch::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading, WallTime};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An engine and its clock.
#[derive(Clone)]
pub struct Bed {
    pub engine: Engine,
    pub at: Moment,
}

impl Bed {
    /// A session opened at zero with the shipped profile; the monitor may say nothing for `silence`.
    pub fn opened(silence: Duration) -> Self {
        Self::opened_with(profile::SHIPPED, silence)
    }

    /// The same with another profile.
    pub fn opened_with(profile: &str, silence: Duration) -> Self {
        let mut bed = Self {
            engine: Engine::new(0),
            at: Moment::ZERO,
        };
        bed.take(&Self::opening_with(profile, silence));
        bed
    }

    /// The opening of its session.
    pub fn opening(silence: Duration) -> Input {
        Self::opening_with(profile::SHIPPED, silence)
    }

    fn opening_with(profile: &str, silence: Duration) -> Input {
        Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup: Arc::new(Setup {
                profile: profile.into(),
                feeds: vec![FeedSetup {
                    name: "monitor".into(),
                    protocol: "test".into(),
                    silence,
                    cadence: Duration::from_secs(1),
                    parameters: Vec::new(),
                    ours: Identity::default(),
                }],
                prefer: BTreeMap::new(),
            }),
        }
    }

    /// Takes an input now.
    pub fn take(&mut self, input: &Input) -> Vec<Numbered> {
        let mut records = Vec::new();
        let millis = i64::try_from(self.at.as_micros() / 1000).unwrap();
        let now = Now {
            moment: self.at,
            wall: WallTime::from_millis(millis),
        };
        self.engine.step(now, input, &mut records);
        records
    }

    /// Lets time pass up to `at`: what is due on the way happens.
    pub fn wait_until(&mut self, at: Moment) -> Vec<Numbered> {
        self.at = at;
        self.take(&Input::Tick)
    }

    /// Lets this much time pass.
    pub fn wait(&mut self, span: Duration) -> Vec<Numbered> {
        self.wait_until(self.at.after(span))
    }
}

/// A number of the monitor.
pub fn reads(parameter: Parameter, value: i64) -> Input {
    said(Observation::new(
        parameter,
        Reading::Valid(Decimal::whole(value)),
    ))
}

/// No number, because of interference.
pub fn refuses(parameter: Parameter) -> Input {
    said(Observation::new(
        parameter,
        Reading::Invalid(Cause::Artefact),
    ))
}

/// A cuff value measured at this second of the monitor's clock.
pub fn cuff(parameter: Parameter, value: i64, second: u64) -> Input {
    let millis = i64::try_from(second * 1000).unwrap();
    said(Observation {
        measured_at: Some(DeviceTime::civil(millis)),
        ..Observation::new(parameter, Reading::Valid(Decimal::whole(value)))
    })
}

fn said(observation: Observation) -> Input {
    Input::Reading {
        feed: FeedId(0),
        observation,
    }
}

/// A nurse's command.
pub fn command(command: Command) -> Input {
    Input::Command(Box::new(command))
}

/// The start, whatever the gate says.
pub fn start() -> Input {
    command(Command::StartInfusion {
        over: Some(Override {
            reason: "proof".into(),
            by: "RN 1".into(),
            second_by: Some("MD 1".into()),
        }),
    })
}
