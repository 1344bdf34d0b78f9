//! One line of `judge`'s input and the engine inputs that it stands for.

use crate::engine::{
    Command, FeedId, FeedSetup, FeedState, HealthItem, Input, OpenSession, Setup, Started,
};
use crate::observation::{
    AlertPhase, DeviceAlert, DeviceTime, Finding, Identity, Observation, PumpEvent,
};
use crate::vocabulary::{
    Cause, Decimal, Doubt, Moment, ParameterId, Priority, Reading, Site, WallTime,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The silence time of a feed that sets no other (contract).
const SILENCE: Duration = Duration::from_secs(10);
/// The cadence of a feed that sets none.
const CADENCE: Duration = Duration::from_secs(1);

/// A pump event without a feed: it belongs to none, so no silence can be noticed.
const NO_FEED: FeedId = FeedId(u16::MAX);

/// One line: its time, its kind and the rest.
pub(super) struct Line {
    /// When, if told.
    pub(super) at: Option<Moment>,
    kind: String,
    fields: Map<String, Value>,
}

/// The feeds mentioned so far.
#[derive(Default)]
pub(super) struct Feeds(Vec<FeedSetup>);

#[derive(Deserialize)]
struct ObservationLine {
    feed: String,
    parameter: ParameterId,
    #[serde(default)]
    value: Option<Decimal>,
    #[serde(default)]
    validity: Option<String>,
    #[serde(default)]
    cause: Option<Cause>,
    #[serde(default)]
    measured_at: Option<Decimal>,
    #[serde(default)]
    message_at: Option<Decimal>,
    #[serde(default)]
    finding: Option<Finding>,
    #[serde(default)]
    site: Option<Site>,
}

#[derive(Deserialize)]
struct FeedLine {
    feed: String,
    #[serde(default)]
    silence: Option<Decimal>,
    #[serde(default)]
    cadence: Option<Decimal>,
    #[serde(default)]
    state: Option<FeedState>,
    #[serde(default)]
    bed_id: Option<Arc<str>>,
    #[serde(default)]
    device_id: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct PumpLine {
    #[serde(default)]
    feed: Option<String>,
    #[serde(flatten)]
    event: PumpEvent,
}

#[derive(Deserialize)]
struct AlertLine {
    feed: String,
    #[serde(default)]
    key: Option<Arc<str>>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    phase: Option<AlertPhase>,
    #[serde(default)]
    text: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct IdentityLine {
    feed: String,
    #[serde(flatten)]
    identity: Identity,
}

#[derive(Deserialize)]
struct AliveLine {
    feed: String,
}

#[derive(Deserialize)]
struct HealthLine {
    what: HealthItem,
    ok: bool,
    #[serde(default)]
    detail: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct StartedLine {
    #[serde(default)]
    down_for: Option<Decimal>,
}

/// Something of ours that is not well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unwell {
    what: HealthItem,
    detail: Option<Arc<str>>,
}

impl Unwell {
    /// The input that says so.
    pub(super) fn input(&self) -> Input {
        Input::Health {
            what: self.what,
            ok: false,
            detail: self.detail.clone(),
        }
    }
}

/// Remembers what is not well.
pub(super) fn follow_health(unwell: &mut BTreeSet<Unwell>, input: &Input) {
    if let Input::Health { what, ok, detail } = input {
        unwell.retain(|known| known.what != *what);
        if !ok {
            unwell.insert(Unwell {
                what: *what,
                detail: detail.clone(),
            });
        }
    }
}

fn micros(seconds: Decimal) -> Option<u64> {
    u64::try_from(seconds.rounded(6)?).ok()
}

fn span(seconds: Decimal, what: &str) -> Result<Duration, String> {
    micros(seconds)
        .filter(|span| *span > 0)
        .map(Duration::from_micros)
        .ok_or_else(|| format!("`{what}` must be a number of seconds above zero"))
}

fn device_time(seconds: Option<Decimal>, what: &str) -> Result<Option<DeviceTime>, String> {
    seconds
        .map(|seconds| {
            seconds
                .rounded(3)
                .map(DeviceTime::civil)
                .ok_or_else(|| format!("`{what}` is out of range"))
        })
        .transpose()
}

impl Line {
    /// Reads a line; the text says what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(text).map_err(|error| format!("is no JSON: {error}"))?;
        let Value::Object(mut fields) = value else {
            return Err("is no JSON object".to_owned());
        };
        let at = match fields.remove("t") {
            None | Some(Value::Null) => None,
            Some(at) => {
                let seconds: Decimal =
                    serde_json::from_value(at).map_err(|_| "has a `t` that is no number")?;
                Some(Moment::from_micros(
                    micros(seconds).ok_or("has a `t` below zero or beyond all time")?,
                ))
            }
        };
        let Some(Value::String(kind)) = fields.remove("kind") else {
            return Err("has no `kind`".to_owned());
        };
        Ok(Self { at, kind, fields })
    }

    /// Whether the line ends the run.
    pub(super) fn is_end(&self) -> bool {
        self.kind == "end"
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let fields = std::mem::take(&mut self.fields);
        serde_json::from_value(Value::Object(fields))
            .map_err(|error| format!("is no {}: {error}", self.kind))
    }

    /// A device's time in seconds, taken out of the fields.
    fn take_time(&mut self, name: &str) -> Result<Option<DeviceTime>, String> {
        let Some(seconds) = self.fields.remove(name) else {
            return Ok(None);
        };
        if seconds.is_object() {
            // The event's own form, as the journal keeps it.
            self.fields.insert(name.to_owned(), seconds);
            return Ok(None);
        }
        let seconds: Option<Decimal> = serde_json::from_value(seconds)
            .map_err(|_| format!("has a `{name}` that is no number"))?;
        device_time(seconds, name)
    }

    /// The engine inputs that the line stands for, a feed's first mention included.
    pub(super) fn inputs(
        mut self,
        feeds: &mut Feeds,
        inputs: &mut Vec<Input>,
    ) -> Result<(), String> {
        match self.kind.as_str() {
            "command" => inputs.push(self.command()?),
            "observation" => {
                let line: ObservationLine = self.read()?;
                let feed = feeds.mention(&line.feed, inputs)?;
                let observation = line.observation()?;
                inputs.push(Input::Reading { feed, observation });
            }
            "feed" => {
                let line: FeedLine = self.read()?;
                feeds.set(&line, inputs)?;
            }
            "pump-event" => {
                // Times are seconds here, as on every line.
                let at = match self.take_time("measured_at")? {
                    None => self.take_time("at")?,
                    told => told,
                };
                let message_at = self.take_time("message_at")?;
                let mut line: PumpLine = self.read()?;
                line.event.at = at.or(line.event.at);
                line.event.message_at = message_at.or(line.event.message_at);
                let feed = match &line.feed {
                    Some(name) => feeds.mention(name, inputs)?,
                    None => NO_FEED,
                };
                inputs.push(Input::Pump {
                    feed,
                    event: line.event,
                });
            }
            "device-alert" => {
                let line: AlertLine = self.read()?;
                let feed = feeds.mention(&line.feed, inputs)?;
                let text = line.text.unwrap_or_else(|| "".into());
                inputs.push(Input::DeviceAlert {
                    feed,
                    alert: DeviceAlert {
                        key: line.key.unwrap_or_else(|| text.clone()),
                        priority: line.priority,
                        phase: line.phase.unwrap_or(AlertPhase::Present),
                        text,
                        at: None,
                    },
                });
            }
            "identity" => {
                let line: IdentityLine = self.read()?;
                let feed = feeds.mention(&line.feed, inputs)?;
                inputs.push(Input::Identity {
                    feed,
                    identity: line.identity,
                });
            }
            "alive" => {
                let line: AliveLine = self.read()?;
                let feed = feeds.mention(&line.feed, inputs)?;
                inputs.push(Input::Alive { feed });
            }
            "health" => {
                let line: HealthLine = self.read()?;
                inputs.push(Input::Health {
                    what: line.what,
                    ok: line.ok,
                    detail: line.detail,
                });
            }
            "started" => {
                let line: StartedLine = self.read()?;
                let down_for = line
                    .down_for
                    .map(|seconds| span(seconds, "down_for"))
                    .transpose()?;
                inputs.push(Input::Started(Started {
                    boot: "judge".into(),
                    wall: WallTime::default(),
                    down_for,
                    setup: Arc::default(),
                }));
            }
            other => return Err(format!("has an unknown kind {other:?}")),
        }
        Ok(())
    }

    fn command(mut self) -> Result<Input, String> {
        if self.fields.get("command").and_then(Value::as_str) == Some("open-session") {
            let about: OpenSession = self.read()?;
            return Ok(Input::Open {
                session: 0,
                about: Box::new(about),
                setup: Arc::default(),
            });
        }
        let command: Command = self.read()?;
        Ok(Input::Command(Box::new(command)))
    }
}

impl ObservationLine {
    fn observation(&self) -> Result<Observation, String> {
        let reading = self.reading()?;
        let base = match self.parameter.known() {
            Some(known) => Observation::new(known, reading),
            None => Observation::unknown(self.parameter.clone(), reading),
        };
        Ok(Observation {
            measured_at: device_time(self.measured_at, "measured_at")?,
            message_at: device_time(self.message_at, "message_at")?,
            site: self.site,
            finding: self.finding,
            ..base
        })
    }

    fn reading(&self) -> Result<Reading, String> {
        match (self.validity.as_deref(), self.value) {
            (None | Some("valid"), Some(value)) => Ok(Reading::Valid(value)),
            (Some("questionable"), Some(value)) => {
                let doubt = match self.cause {
                    Some(cause) if cause == Doubt::LowPerfusion.cause() => Doubt::LowPerfusion,
                    Some(_) | None => Doubt::LowQuality,
                };
                Ok(Reading::Questionable(value, doubt))
            }
            (None | Some("invalid"), None) => {
                Ok(Reading::Invalid(self.cause.unwrap_or(Cause::NotAvailable)))
            }
            (Some("invalid"), Some(_)) => {
                Ok(Reading::Invalid(self.cause.unwrap_or(Cause::DeviceInvalid)))
            }
            (Some("valid" | "questionable"), None) => {
                Err("says it is valid and has no value".to_owned())
            }
            (Some(other), _) => Err(format!("has an unknown validity {other:?}")),
        }
    }
}

impl Feeds {
    /// The name of a feed.
    pub(super) fn name(&self, id: FeedId) -> Option<&str> {
        self.0.get(usize::from(id.0)).map(|feed| &*feed.name)
    }

    /// What a session is opened with.
    pub(super) fn setup(&self, profile: &Arc<str>) -> Arc<Setup> {
        Arc::new(Setup {
            profile: Arc::clone(profile),
            feeds: self.0.clone(),
            ..Setup::default()
        })
    }

    fn mention(&mut self, name: &str, inputs: &mut Vec<Input>) -> Result<FeedId, String> {
        match self.find(name)? {
            Some(id) => Ok(id),
            None => self.declare(
                FeedSetup {
                    name: name.into(),
                    protocol: "judge".into(),
                    silence: SILENCE,
                    cadence: CADENCE,
                    parameters: Vec::new(),
                    ours: Identity::default(),
                },
                inputs,
            ),
        }
    }

    fn find(&self, name: &str) -> Result<Option<FeedId>, String> {
        self.0
            .iter()
            .position(|feed| &*feed.name == name)
            .map(|place| {
                u16::try_from(place)
                    .map(FeedId)
                    .map_err(|_| "names too many feeds".to_owned())
            })
            .transpose()
    }

    fn declare(&mut self, setup: FeedSetup, inputs: &mut Vec<Input>) -> Result<FeedId, String> {
        inputs.push(Input::FeedDeclared {
            setup: Box::new(setup.clone()),
        });
        let name = Arc::clone(&setup.name);
        match self.0.iter_mut().find(|feed| feed.name == name) {
            Some(known) => *known = setup,
            None => self.0.push(setup),
        }
        self.find(&name)?.ok_or_else(|| "names no feed".to_owned())
    }

    fn set(&mut self, line: &FeedLine, inputs: &mut Vec<Input>) -> Result<(), String> {
        let mut id = self.find(&line.feed)?;
        let changes = line.silence.is_some()
            || line.cadence.is_some()
            || line.bed_id.is_some()
            || line.device_id.is_some();
        if id.is_none() || changes {
            let known = id.and_then(|id| self.0.get(usize::from(id.0))).cloned();
            let silence = match line.silence {
                Some(seconds) => span(seconds, "silence")?,
                None => known.as_ref().map_or(SILENCE, |feed| feed.silence),
            };
            // A feed that must be allowed a long silence is a slow one.
            let cadence = match line.cadence {
                Some(seconds) => span(seconds, "cadence")?,
                None if line.silence.is_some() && silence > SILENCE => silence,
                None => known.as_ref().map_or(CADENCE, |feed| feed.cadence),
            };
            let before = known.map(|feed| feed.ours).unwrap_or_default();
            id = Some(self.declare(
                FeedSetup {
                    name: line.feed.as_str().into(),
                    protocol: "judge".into(),
                    silence,
                    cadence,
                    parameters: Vec::new(),
                    ours: Identity {
                        bed: line.bed_id.clone().or(before.bed),
                        device: line.device_id.clone().or(before.device),
                        patient: before.patient,
                    },
                },
                inputs,
            )?);
        }
        if let (Some(feed), Some(state)) = (id, line.state) {
            inputs.push(Input::Feed { feed, state });
        }
        Ok(())
    }
}
