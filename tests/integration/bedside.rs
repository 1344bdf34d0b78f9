//! The real binary on a bench of its own: a fresh directory, a configuration, HTTP and MLLP clients.
//! Waits are polls with a deadline, never fixed sleeps.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that anything here may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Polls until `look` gives something, or fails saying what was awaited.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests of the real binary live in real time"
)]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody uses at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A bench: a directory with a configuration in it.
pub struct Bench {
    pub folder: TempDir,
    pub hl7_port: u16,
}

impl Bench {
    /// A bed with one HL7 listener on loopback and no sound device.
    pub fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            hl7_port: free_port(),
        };
        bench.configure(&bench.hl7_feed());
        bench
    }

    /// A bench without a configuration yet.
    pub fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            hl7_port: free_port(),
        }
    }

    /// Writes the configuration with these feeds.
    pub fn configure(&self, feeds: &str) {
        self.configure_as(&Room {
            feeds,
            ..Room::default()
        });
    }

    /// Writes the configuration of this room.
    pub fn configure_as(&self, room: &Room<'_>) {
        let Room {
            journal,
            listen,
            player,
            feeds,
        } = room;
        let profile =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles/ketamine-adult.toml");
        fs::copy(profile, self.path("profile.toml")).unwrap();
        fs::write(
            self.path("bed.toml"),
            format!(
                "[bed]\nname = \"Chair 3\"\n[journal]\npath = \"{journal}\"\n[display]\nlisten = \"{listen}\"\n\
                 attached = false\nruntime-dir = \"run\"\n[sound]\nplayer = {player}\n[profile]\nfile = \"profile.toml\"\n{feeds}"
            ),
        )
        .unwrap();
    }

    /// The feed over HL7, for a configuration.
    pub fn hl7_feed(&self) -> String {
        format!(
            "[[feed]]\nname = \"monitor\"\nprotocol = \"hl7-mllp\"\nlisten = \"127.0.0.1:{}\"\nsilence = \"10s\"\n",
            self.hl7_port
        )
    }

    /// A path on the bench.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path("journal.db")
    }

    /// Starts the daemon and waits until it answers.
    pub fn run(&self) -> Daemon {
        let mut daemon = self.spawn();
        until("the daemon to answer", || {
            let ended = daemon.has_ended();
            assert!(!ended, "it ended: {}", self.stderr());
            daemon.try_get("/api/v1/now")
        });
        daemon
    }

    /// Starts the daemon without waiting.
    pub fn spawn(&self) -> Daemon {
        self.spawn_by(Command::new(env!("CARGO_BIN_EXE_infusewatch")))
    }

    /// Starts the daemon under `launcher`, to which only its arguments are added.
    pub fn spawn_by(&self, mut launcher: Command) -> Daemon {
        let _ = fs::remove_file(self.path("run/address"));
        let child = launcher
            .args(["run", "--config"])
            .arg(self.path("bed.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("stderr.log")).unwrap())
            .spawn()
            .unwrap();
        Daemon {
            child,
            runtime: self.path("run"),
        }
    }

    /// What the daemon said on stderr.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.path("stderr.log")).unwrap_or_default()
    }

    /// Asks the stock `sqlite3` about the journal.
    pub fn sqlite(&self, query: &str) -> String {
        let output = Command::new("sqlite3")
            .arg("-readonly")
            .arg(self.journal())
            .arg(query)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs another command of the program on this bench to its end: exit code, standard output.
    pub fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    }

    /// The record must prove itself.
    pub fn verify(&self) {
        let (code, findings) = self.command(&["verify", "journal.db"]);
        assert_eq!(code, Some(0), "{findings}\n{}", self.stderr());
    }

    /// Plugs in a simulated device: `simulate` with these arguments, on a pseudo-terminal linked as `link`.
    pub fn plug_in(&self, link: &str, arguments: &[&str]) -> Device {
        self.plug_in_at(&["--pty", link], arguments)
    }

    /// The same at another place.
    pub fn plug_in_at(&self, place: &[&str], arguments: &[&str]) -> Device {
        let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
            .arg("simulate")
            .args(place)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert!(ready.starts_with("ready "), "{ready}");
        Device { child }
    }

    /// Opens a connection to the HL7 listener.
    pub fn monitor(&self) -> Monitor {
        let stream = until("the HL7 listener", || {
            TcpStream::connect(("127.0.0.1", self.hl7_port)).ok()
        });
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Monitor { stream, sent: 0 }
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    runtime: PathBuf,
}

impl Daemon {
    /// The process number.
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it is gone.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        until("the daemon to end", || self.child.try_wait().unwrap())
    }

    fn request(&self, request: &str) -> Option<(u16, String)> {
        let address = fs::read_to_string(self.runtime.join("address")).ok()?;
        let mut stream = TcpStream::connect(address.trim()).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream
            .write_all(request.replace("{host}", address.trim()).as_bytes())
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// GET as JSON, if the daemon answers.
    pub fn try_get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n"
        ))?;
        (status == 200).then(|| serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// The board.
    pub fn now(&self) -> Value {
        self.try_get("/api/v1/now").expect("the daemon answers")
    }

    /// Sends a command with the token: the status and the answer.
    pub fn command(&self, body: &str) -> (u16, Value) {
        let token = fs::read_to_string(self.runtime.join("token")).unwrap();
        let (status, body) = self
            .request(&format!(
                "POST /api/v1/commands HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
                token.trim(),
                body.len()
            ))
            .expect("the daemon answers");
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Sends a command that must be done.
    pub fn done(&self, body: &str) -> Value {
        let (status, answer) = self.command(body);
        assert_eq!(status, 200, "{body}: {answer}");
        answer
    }

    /// Waits until the board shows a number of this parameter.
    pub fn number(&self, parameter: &str) -> f64 {
        until(&format!("a number for {parameter}"), || {
            let board = self.try_get("/api/v1/now")?;
            let vitals = board["vitals"].as_array()?;
            vitals.iter().find(|one| one["parameter"] == parameter)?["value"].as_f64()
        })
    }

    /// Waits until the board shows no alarm of this rule.
    pub fn no_alarm(&self, rule: &str) {
        until(&format!("the end of {rule}"), || {
            let board = self.try_get("/api/v1/now")?;
            let alarms = board["alarms"].as_array()?;
            alarms
                .iter()
                .all(|alarm| alarm["rule"] != rule)
                .then_some(())
        });
    }

    /// Waits until the board shows an alarm of this rule and priority.
    pub fn alarm(&self, rule: &str, priority: &str) -> Value {
        until(&format!("a {priority} {rule} alarm"), || {
            let board = self.try_get("/api/v1/now")?;
            board["alarms"]
                .as_array()?
                .iter()
                .find(|alarm| alarm["rule"] == rule && alarm["priority"] == priority)
                .cloned()
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a configuration says beside the feeds.
pub struct Room<'a> {
    /// Path of the journal.
    pub journal: &'a str,
    /// Where the page is served.
    pub listen: &'a str,
    /// The player, as TOML.
    pub player: &'a str,
    /// The feeds, as TOML.
    pub feeds: &'a str,
}

impl Default for Room<'_> {
    fn default() -> Self {
        Self {
            journal: "journal.db",
            listen: "127.0.0.1:0",
            player: "\"none\"",
            feeds: "",
        }
    }
}

/// A simulated device, unplugged when dropped.
pub struct Device {
    child: Child,
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HL7 sender.
pub struct Monitor {
    stream: TcpStream,
    sent: u32,
}

impl Monitor {
    /// Sends one PCD-01 message with these numerics (code, value, unit code) and waits for the
    /// acknowledgement, whose MSA-1 it gives.
    pub fn send(&mut self, numerics: &[(u32, &str, u32)]) -> String {
        self.sent += 1;
        self.stream.write_all(&pcd(self.sent, numerics)).unwrap();
        self.acknowledgement()
    }

    /// MSA-1 of the next acknowledgement.
    pub fn acknowledgement(&mut self) -> String {
        let mut frame = Vec::new();
        let mut byte = [0_u8];
        while !frame.ends_with(b"\x1c\r") {
            self.stream
                .read_exact(&mut byte)
                .expect("an acknowledgement");
            frame.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&frame).into_owned();
        text.split("MSA|").nth(1).unwrap().chars().take(2).collect()
    }

    /// Raw bytes.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }
}

/// One PCD-01 message with these numerics (code, value, unit code), framed.
pub fn pcd(number: u32, numerics: &[(u32, &str, u32)]) -> Vec<u8> {
    let mut message = format!(
        "\x0bMSH|^~\\&|MON7^0011223344556677^EUI-64||||20260301101500+0000||ORU^R01^ORU_R01|M{number}|P|2.6|||AL|NE||UNICODE UTF-8\r\
         PID|||K-204^^^CLIN^MR||Case^Test\rPV1||O|INF^^CHAIR3\rOBR|1||{number}|182777000^monitoring of patient^SCT|||20260301101500+0000\r",
    );
    for (place, (code, value, unit)) in (1..).zip(numerics) {
        message.push_str(&format!(
            "OBX|{place}|NM|{code}^^MDC|1.1.1.{place}|{value}|{unit}^^MDC|||||R\r"
        ));
    }
    message.push_str("\x1c\r");
    message.into_bytes()
}

/// MDC codes for the tests.
pub mod mdc {
    pub const HR: u32 = 147_842;
    pub const SPO2: u32 = 150_456;
    pub const SYS: u32 = 150_021;
    pub const DIA: u32 = 150_022;
    pub const BPM: u32 = 264_864;
    pub const PERCENT: u32 = 262_688;
    pub const MMHG: u32 = 266_016;
}
