//! The demo: three devices at one virtual patient, a configuration for the real daemon, and a nurse
//! who follows a script.
//!
//! This module starts no daemon. The command line puts it together: [`DemoPlan::prepare`] writes a
//! fresh directory, [`Devices::prepare`] makes the pseudo-terminals, the daemon is started with the
//! plan's configuration on a clock that runs faster, then [`Devices::run`] and [`follow_script`] run
//! beside it until they are asked to stop.

use super::link::{CableScript, Link};
use super::monitor::{Fitted, Monitor};
use super::nurse::{Nurse, NurseError};
use super::patient::STANDARD_LENGTH;
use super::port::{Port, PortError, Socket};
use super::scenario::{INFUSION_START, Scenario};
use crate::clock::Clock;
use crate::engine::{AcknowledgeTarget, All, Command, OpenSession};
use crate::observation::Identity;
use crate::protocol::{self, DeviceOptions, Protocol};
use crate::vocabulary::{Decimal, Now, Parameter};
use std::fs::{self, DirBuilder};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The scenario that the demo plays.
const SCENARIO: &str = "ketamine";
/// The patient identifier, in the feeds and in the session.
const PATIENT: &str = "DEMO-1";

/// Why the demo cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file, directory or port of the demo.
    #[error("cannot make {what}: {error}")]
    CannotMake {
        /// What.
        what: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A device's end of a link.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The program was built without a protocol that the demo speaks.
    #[error("protocol {0} or scenario {SCENARIO} is not built in")]
    NotBuiltIn(&'static str),
}

/// One of the demo's devices and the feed that reads it.
struct DemoDevice {
    feed: &'static str,
    protocol: &'static str,
    parameters: &'static [Parameter],
    waves: &'static [&'static str],
    cable: CableScript,
    /// Further lines of its `[[feed]]` table.
    settings: &'static str,
}

/// The gateway speaks HL7 over TCP, the other two over pseudo-terminals. All three show one patient,
/// so that feeds never disagree; only the monitor's cable is pulled.
const DEVICES: [DemoDevice; 3] = [
    DemoDevice {
        feed: "gateway",
        protocol: "hl7-mllp",
        parameters: &[
            Parameter::Hr,
            Parameter::Rr,
            Parameter::Temp,
            Parameter::Spo2,
            Parameter::NibpSys,
            Parameter::NibpDia,
            Parameter::NibpMean,
            Parameter::NibpPr,
        ],
        waves: &[],
        cable: CableScript::Ignore,
        settings: "",
    },
    DemoDevice {
        feed: "oximeter",
        protocol: "masimo-ascii1",
        parameters: &[Parameter::Spo2, Parameter::Pr, Parameter::Pi],
        waves: &[],
        cable: CableScript::Ignore,
        settings: "",
    },
    DemoDevice {
        feed: "monitor",
        protocol: "ge-dri",
        parameters: &[
            Parameter::Hr,
            Parameter::Rr,
            Parameter::NibpSys,
            Parameter::NibpDia,
            Parameter::NibpMean,
            Parameter::NibpPr,
        ],
        waves: &["ecg-ii", "pleth", "resp"],
        cable: CableScript::Follow,
        settings: "interval = 1\nwaves = \"ecg1,pleth,resp\"\n",
    },
];

/// What the demo is to be set up with.
#[derive(Clone, Copy, Debug)]
pub struct DemoRequest<'a> {
    /// The port of the page; 0 picks one.
    pub page_port: u16,
    /// The text of the profile.
    pub profile: &'a str,
    /// The value of `[sound] player` as TOML: `"none"` in quotes, or a list.
    pub player: &'a str,
}

/// Where everything of one demo is.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// The fresh directory.
    pub directory: PathBuf,
    /// The configuration for the daemon.
    pub configuration: PathBuf,
    /// The journal.
    pub journal: PathBuf,
    /// Where the daemon listens for HL7.
    gateway_port: u16,
}

impl DemoPlan {
    /// Makes a fresh directory that only we can read and writes configuration and profile into it.
    pub fn prepare(request: DemoRequest<'_>) -> Result<Self, DemoError> {
        let directory = fresh_directory()?;
        let plan = Self {
            configuration: directory.join("demo.toml"),
            journal: directory.join("journal.db"),
            gateway_port: free_port().map_err(|error| DemoError::CannotMake {
                what: "a free loopback port".to_owned(),
                error,
            })?,
            directory,
        };
        write(&plan.directory.join("profile.toml"), request.profile)?;
        write(&plan.configuration, &plan.demo_config(request))?;
        Ok(plan)
    }

    /// The configuration of the demo's daemon.
    fn demo_config(&self, request: DemoRequest<'_>) -> String {
        let mut text = format!(
            "[bed]\nname = \"Demo chair\"\n\n\
             [journal]\npath = {}\n\n\
             [display]\nlisten = \"127.0.0.1:{}\"\nruntime-dir = {}\nattached = false\n\n\
             [sound]\nplayer = {}\n\n\
             [profile]\nfile = \"profile.toml\"\n",
            quoted(&self.journal),
            request.page_port,
            quoted(&self.directory),
            request.player,
        );
        for device in &DEVICES {
            let place = match self.port(device) {
                Port::Pty(link) => format!("serial = {}", quoted(&link)),
                Port::Serial { .. }
                | Port::Listen(_)
                | Port::Connect(_)
                | Port::Udp(_)
                | Port::UdpAsked(_) => {
                    format!("listen = \"127.0.0.1:{}\"", self.gateway_port)
                }
            };
            text.push_str(&format!(
                "\n[[feed]]\nname = \"{}\"\nprotocol = \"{}\"\n{place}\nsilence = \"10s\"\n{}",
                device.feed, device.protocol, device.settings,
            ));
        }
        text.push_str(
            "\n[prefer]\nspo2 = [\"oximeter\", \"gateway\"]\nhr = [\"monitor\", \"gateway\"]\n\
             rr = [\"monitor\", \"gateway\"]\n",
        );
        for cuff in ["nibp-sys", "nibp-dia", "nibp-mean", "nibp-pr"] {
            text.push_str(&format!("{cuff} = [\"gateway\", \"monitor\"]\n"));
        }
        text
    }

    fn port(&self, device: &DemoDevice) -> Port {
        match device.protocol {
            "hl7-mllp" => Port::Connect(format!("127.0.0.1:{}", self.gateway_port)),
            _serial => Port::Pty(self.directory.join(device.feed)),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    fs::write(path, text).map_err(|error| DemoError::CannotMake {
        what: path.display().to_string(),
        error,
    })
}

/// A path as a TOML basic string: JSON's escapes are a part of TOML's.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

fn fresh_directory() -> Result<PathBuf, DemoError> {
    let base = std::env::temp_dir();
    let mut attempt = 0_u32;
    loop {
        let name = format!("infusewatch-demo-{}-{attempt}", std::process::id());
        let directory = base.join(name);
        match DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1_000 => {
                attempt += 1;
            }
            Err(error) => {
                return Err(DemoError::CannotMake {
                    what: directory.display().to_string(),
                    error,
                });
            }
        }
    }
}

/// A loopback port that nobody has at this moment.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// The demo's devices with their ends of the links made.
pub struct Devices {
    scenario: Arc<Scenario>,
    prepared: Vec<(&'static DemoDevice, &'static Protocol, Socket)>,
}

impl Devices {
    /// Makes the pseudo-terminals, so that the daemon finds them when it starts. Needs a tokio
    /// runtime.
    pub async fn prepare(plan: &DemoPlan) -> Result<Self, DemoError> {
        let scenario = Scenario::named(SCENARIO).ok_or(DemoError::NotBuiltIn(SCENARIO))?;
        let mut prepared = Vec::new();
        for device in &DEVICES {
            let protocol =
                protocol::find(device.protocol).ok_or(DemoError::NotBuiltIn(device.protocol))?;
            let socket = Socket::prepare(&plan.port(device)).await?;
            prepared.push((device, protocol, socket));
        }
        Ok(Self {
            scenario: Arc::new(scenario),
            prepared,
        })
    }

    /// Plays the patient from `started` on until `stop` becomes true or its sender is gone.
    pub async fn run(self, clock: Clock, started: Now, stop: watch::Receiver<bool>) {
        let mut links = tokio::task::JoinSet::new();
        for (device, protocol, socket) in self.prepared {
            let options = DeviceOptions {
                identity: Identity {
                    bed: Some("DEMO^^CHAIR1".into()),
                    device: Some(format!("DEMO-{}", device.feed.to_uppercase()).into()),
                    patient: Some(PATIENT.into()),
                },
                ..DeviceOptions::default()
            };
            let monitor = Monitor::new(
                Arc::clone(&self.scenario),
                Fitted {
                    parameters: device.parameters.to_vec(),
                    waves: device.waves.to_vec(),
                },
                started.wall,
            );
            let link = Link::new(
                (protocol.device)(&options),
                monitor,
                device.cable,
                clock,
                started,
            );
            links.spawn(link.run(socket, |_address| {}, asked_to_stop(stop.clone())));
        }
        while let Some(ended) = links.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "simulated device ended");
            }
        }
    }
}

/// Done when the value becomes true or nobody can make it so any more.
async fn asked_to_stop(mut stop: watch::Receiver<bool>) {
    // An error says that the sender is gone, which asks to stop as well.
    let _gone = stop.wait_for(|stop| *stop).await;
}

/// What the nurse does.
enum Action {
    /// Sends a command.
    Command(Box<Command>),
    /// Acknowledges everything that is on the board.
    AcknowledgeAll,
}

/// One step of the nurse's script: when, since the start, and what.
struct Step {
    at: Duration,
    action: Action,
}

const MINUTE: Duration = Duration::from_secs(60);
/// A step that is refused, for instance because the daemon is still starting, is tried again…
const STEP_RETRY: Duration = Duration::from_secs(5);
/// … for so long.
const STEP_PATIENCE: Duration = Duration::from_secs(60);

/// What the nurse does in the scripted session; alarms are left to sound for some tens of seconds.
fn steps() -> Vec<Step> {
    let at = |at, action| Step { at, action };
    let command = |command| Action::Command(Box::new(command));
    let second = Duration::from_secs;
    let score = |value| {
        command(Command::Score {
            scale: "moaas".to_owned(),
            value: Decimal::whole(value),
            by: None,
        })
    };
    let open = OpenSession {
        patient: Some(PATIENT.to_owned()),
        patient_name: Some("Virtual Patient".to_owned()),
        weight_kg: Some(Decimal::whole(80)),
        drug: Some("ketamine".to_owned()),
        dose_mg: Some(Decimal::whole(40)),
        planned_min: Some(Decimal::whole(40)),
        cuff_arm: Some("left".to_owned()),
        spo2_arm: Some("right".to_owned()),
        by: None,
    };
    let note = |text: &str| {
        command(Command::Note {
            text: text.to_owned(),
            by: None,
        })
    };
    let start = Command::StartInfusion { over: None };
    let infusion_end = INFUSION_START + STANDARD_LENGTH;
    vec![
        at(second(5), command(Command::OpenSession(open))),
        at(second(330), score(5)),
        at(INFUSION_START, command(start)),
        at(second(1_275), Action::AcknowledgeAll),
        at(
            second(1_290),
            note("probe put back, patient asked to breathe deeply"),
        ),
        at(21 * MINUTE + second(40), score(4)),
        at(second(1_675), Action::AcknowledgeAll),
        at(second(2_020), Action::AcknowledgeAll),
        at(36 * MINUTE, score(4)),
        at(second(2_700), Action::AcknowledgeAll),
        at(infusion_end, command(Command::StopInfusion)),
        at(51 * MINUTE, score(4)),
        at(second(3_300), Action::AcknowledgeAll),
        at(66 * MINUTE, score(5)),
        at(76 * MINUTE, score(5)),
        at(
            infusion_end + 61 * MINUTE,
            command(Command::CloseSession {
                by: "demo".to_owned(),
                over: None,
            }),
        ),
    ]
}

/// Follows the script from `started` on; returns after the last step, or when `stop` becomes true or
/// its sender is gone.
pub async fn follow_script(nurse: &Nurse, clock: Clock, started: Now, stop: watch::Receiver<bool>) {
    tokio::select! {
        () = follow(nurse, steps(), clock, started) => {}
        () = asked_to_stop(stop) => {}
    }
}

async fn follow(nurse: &Nurse, steps: Vec<Step>, clock: Clock, started: Now) {
    for step in steps {
        let due = started.moment.after(step.at);
        tokio::time::sleep(clock.real_wait(due)).await;
        let given_up = due.after(STEP_PATIENCE);
        while let Err(error) = act(nurse, &step.action).await {
            if clock.now().moment >= given_up {
                tracing::warn!(%error, "step of the demo not done");
                break;
            }
            tracing::debug!(%error, "step of the demo refused, trying again");
            tokio::time::sleep(STEP_RETRY / clock.speed()).await;
        }
    }
}

async fn act(nurse: &Nurse, action: &Action) -> Result<(), NurseError> {
    match action {
        Action::Command(command) => nurse.command(command).await?,
        Action::AcknowledgeAll => {
            let board = nurse.board().await?;
            let seq = board.get("seq").and_then(serde_json::Value::as_u64);
            nurse
                .command(&Command::Acknowledge {
                    alarm: AcknowledgeTarget::All(All::All),
                    seen_priority: None,
                    seen_seq: Some(seq.ok_or(NurseError::Unreadable("the board has no seq"))?),
                    by: Some("demo".to_owned()),
                })
                .await?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: DemoRequest<'_> = DemoRequest {
        page_port: 0,
        profile: "name = \"test\"\n",
        player: "\"none\"",
    };

    #[test]
    fn the_plan_is_a_fresh_private_directory_with_a_readable_configuration() {
        let one = DemoPlan::prepare(REQUEST).unwrap();
        let other = DemoPlan::prepare(REQUEST).unwrap();
        assert_ne!(one.directory, other.directory);
        let text = fs::read_to_string(&one.configuration).unwrap();
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(
            parsed["journal"]["path"].as_str(),
            one.journal.to_str(),
            "{text}"
        );
        let feeds = parsed["feed"].as_array().unwrap();
        let names: Vec<_> = feeds.iter().map(|feed| feed["name"].as_str()).collect();
        assert_eq!(names, [Some("gateway"), Some("oximeter"), Some("monitor")]);
        for (feed, place) in feeds.iter().zip(["listen", "serial", "serial"]) {
            assert!(feed.get(place).is_some(), "{text}");
        }
        for feed in parsed["prefer"].as_table().unwrap().values() {
            for name in feed.as_array().unwrap() {
                assert!(names.contains(&name.as_str()));
            }
        }
        for plan in [one, other] {
            fs::remove_dir_all(plan.directory).unwrap();
        }
    }

    #[test]
    fn a_path_stays_one_string_whatever_is_in_it() {
        let path = Path::new("/tmp/a \"quoted\" \\ name");
        let text = format!("path = {}", quoted(path));
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(parsed["path"].as_str(), path.to_str());
    }

    /// A daemon that takes every command but the first `start-infusion`, and notes what it was asked.
    async fn fake_daemon(
        listener: tokio::net::TcpListener,
        wanted: usize,
    ) -> Vec<serde_json::Value> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut taken = Vec::new();
        let mut refused = false;
        while taken.len() < wanted {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            while !(request.ends_with('}')
                || request.starts_with("GET") && request.ends_with("\r\n\r\n"))
            {
                let mut buffer = [0; 4_096];
                let length = stream.read(&mut buffer).await.unwrap();
                request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let answer = if request.starts_with("GET /api/v1/now ") {
                "200 OK\r\n\r\n{\"seq\":41}"
            } else if body.contains("start-infusion") && !std::mem::replace(&mut refused, true) {
                "409 Conflict\r\n\r\n{\"error\":\"no baseline\"}"
            } else {
                taken.push(serde_json::from_str(body).unwrap());
                "200 OK\r\n\r\n{\"seq\":42,\"durable\":true}"
            };
            let answer = format!("HTTP/1.1 {answer}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        taken
    }

    #[tokio::test]
    async fn a_refused_step_is_tried_again_and_the_next_ones_follow() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nurse = Nurse::new(listener.local_addr().unwrap().to_string(), "secret");
        let step = |second, action| Step {
            at: Duration::from_secs(second),
            action,
        };
        let command = |command| Action::Command(Box::new(command));
        let script = vec![
            step(1, command(Command::StartInfusion { over: None })),
            step(2, Action::AcknowledgeAll),
            step(3, command(Command::StopInfusion)),
        ];
        let clock = Clock::sped_up(10);
        let following = follow(&nurse, script, clock, clock.now());
        let (taken, ()) = tokio::join!(fake_daemon(listener, 3), following);
        assert_eq!(
            taken,
            [
                serde_json::json!({"command": "start-infusion"}),
                serde_json::json!({"command": "acknowledge", "alarm": "all", "seen_seq": 41, "by": "demo"}),
                serde_json::json!({"command": "stop-infusion"}),
            ]
        );
    }

    #[test]
    fn the_nurse_goes_forward_in_time_and_fits_the_patient() {
        let steps = steps();
        assert!(steps.is_sorted_by_key(|step| step.at));
        let when = |wanted: &str| {
            steps
                .iter()
                .find(|step| matches!(&step.action, Action::Command(command) if command.name() == wanted))
                .unwrap()
                .at
        };
        assert_eq!(when("start-infusion"), INFUSION_START);
        assert_eq!(when("stop-infusion"), INFUSION_START + STANDARD_LENGTH);
        // Two baseline readings stand between opening and start, the last within 15 min of it.
        let scenario = Scenario::named(SCENARIO).unwrap();
        let readings: std::collections::BTreeSet<_> = (when("open-session").as_secs()
            ..when("start-infusion").as_secs())
            .filter_map(|second| scenario.at(Duration::from_secs(second)).cuff_reading)
            .map(|reading| reading.at)
            .collect();
        assert!(readings.len() >= 2);
        assert!(when("close-session") >= when("stop-infusion") + 60 * MINUTE);
    }
}
