//! A bed: a folder with a configuration, and ways to start a daemon on it and to talk to it.

use crate::monitor::Monitor;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that anything may take before the bench fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until there is something.
pub fn until<T>(what: &str, pause: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(pause);
    }
}

/// What plays the sound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    None,
    /// A player that swallows everything.
    Swallowed,
    /// A player that notes when it first gets a tone.
    Noted,
}

/// A bed with one MLLP feed on loopback.
pub struct Bed {
    folder: TempDir,
    port: u16,
}

impl Bed {
    pub fn new(sound: Sound) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Beside the build, not in /tmp: that may be no disk at all.
        let place = Path::new(env!("CARGO_BIN_EXE_infusewatch")).parent();
        let bed = Self {
            folder: tempfile::tempdir_in(place.unwrap()).unwrap(),
            port,
        };
        let profile =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles/ketamine-adult.toml");
        fs::copy(profile, bed.path("profile.toml")).unwrap();
        let player = match sound {
            Sound::None => "\"none\"".to_owned(),
            Sound::Swallowed => r#"["sh", "-c", "exec cat > /dev/null"]"#.to_owned(),
            Sound::Noted => format!(
                "[{:?}, \"--player\", {:?}]",
                std::env::current_exe().unwrap(),
                bed.heard()
            ),
        };
        fs::write(
            bed.config(),
            format!(
                "[bed]\nname = \"Bench\"\n[journal]\npath = \"journal.db\"\n[display]\nlisten = \"127.0.0.1:0\"\n\
                 attached = false\nruntime-dir = \"run\"\n[sound]\nplayer = {player}\n[profile]\n\
                 file = \"profile.toml\"\n[[feed]]\nname = \"monitor\"\nprotocol = \"hl7-mllp\"\n\
                 listen = \"127.0.0.1:{port}\"\nsilence = \"10s\"\n"
            ),
        )
        .unwrap();
        bed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path("bed.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.path("journal.db")
    }

    /// Where [`Sound::Noted`] notes.
    pub fn heard(&self) -> PathBuf {
        self.path("heard")
    }

    /// A connection to the feed.
    pub fn monitor(&self) -> Monitor {
        Monitor::new(until("the feed", Duration::from_millis(5), || {
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        }))
    }

    /// Starts the real daemon, without waiting for it.
    pub fn spawn(&self) -> Process {
        let _ = fs::remove_file(self.path("run/address"));
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("stderr.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
            .args(["run", "--config"])
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn();
        Process(child.unwrap())
    }

    /// Starts the real daemon and waits until it answers.
    pub fn run(&self) -> Process {
        let process = self.spawn();
        until("the daemon", Duration::from_millis(5), || self.now());
        process
    }

    /// The page's address.
    pub fn address(&self) -> Option<String> {
        let text = fs::read_to_string(self.path("run/address")).ok()?;
        Some(text.trim().to_owned())
    }

    fn ask(&self, request: &str) -> Option<String> {
        let address = self.address()?;
        let mut stream = TcpStream::connect(&address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = request.replace("{host}", &address);
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }

    /// GET, if the daemon answers.
    pub fn get(&self, path: &str) -> Option<Value> {
        let body = self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n"
        ))?;
        serde_json::from_str(&body).ok()
    }

    /// The board, if the daemon answers.
    pub fn now(&self) -> Option<Value> {
        self.get("/api/v1/now")
    }

    /// A command that must be done.
    pub fn command(&self, body: &str) {
        let token = fs::read_to_string(self.path("run/token")).unwrap();
        let done = self.ask(&format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            token.trim(),
            body.len()
        ));
        assert!(done.is_some(), "refused: {body}");
    }

    /// An infusion that runs: from here on high pressures alarm.
    pub fn infuse(&self, monitor: &mut Monitor) {
        self.command(r#"{"command":"open-session","patient":"bench"}"#);
        monitor.numerics(120);
        monitor.acknowledgement();
        self.command(r#"{"command":"start-infusion"}"#);
    }
}

/// The real daemon; killed when dropped.
pub struct Process(Child);

impl Process {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
