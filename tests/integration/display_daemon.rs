//! A daemon around the real display: the server on one thread, a scripted engine on another.

use crate::display_board;
use infusewatch::board::{Published, Status};
use infusewatch::clock::Clock;
use infusewatch::configuration::Access;
use infusewatch::display::{DisplaySettings, History, Reports, Sheet, Sources, Token, serve};
use infusewatch::engine::{Command, HealthItem, Input};
use infusewatch::inbox::{CommandAnswer, Delivery, Inbox};
use infusewatch::observation::Wave;
use infusewatch::vocabulary::WallTime;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// The longest that a test waits for something that must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How the scripted engine meets a command.
pub enum Reply {
    Done(Vec<u64>),
    Refused(&'static str, Option<&'static str>),
    Silent,
}

type Script = Box<dyn FnMut(&Command) -> Reply + Send>;

struct Engine {
    published: Arc<Published>,
    status: Arc<Status>,
    script: Mutex<Script>,
    standing: AtomicBool,
    committing: AtomicBool,
    seq: AtomicU64,
    commands: Sender<Command>,
    health: Sender<(HealthItem, bool)>,
}

impl Engine {
    fn run(&self, queue: &crossbeam_channel::Receiver<Delivery>) {
        while let Ok(delivery) = queue.recv() {
            while self.standing.load(Ordering::SeqCst) {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            self.take(delivery);
            self.published.advance();
        }
    }

    fn take(&self, delivery: Delivery) {
        match delivery {
            Delivery::Command { command, reply, .. } => {
                let answer = (self.script.lock().unwrap())(&command);
                let seq = self.seq.fetch_add(1, Ordering::SeqCst) + 1;
                let _ = self.commands.send(*command);
                if self.committing.load(Ordering::SeqCst) {
                    self.status.committed.store(seq, Ordering::SeqCst);
                }
                match answer {
                    Reply::Done(left) => reply(CommandAnswer::Done { seq, left }),
                    Reply::Refused(error, hint) => reply(CommandAnswer::Refused {
                        seq,
                        error: error.into(),
                        hint: hint.map(Into::into),
                    }),
                    Reply::Silent => drop(reply),
                }
            }
            Delivery::Input {
                input: Input::Health { what, ok, .. },
                ..
            } => {
                let _ = self.health.send((what, ok));
            }
            Delivery::Input { .. } | Delivery::Barrier(_) => {}
        }
    }
}

/// A record that answers from a formula.
struct Formula;

impl History for Formula {
    fn history(
        &self,
        parameter: &str,
        from: WallTime,
        to: WallTime,
        points: usize,
    ) -> Result<Value, String> {
        if parameter == "temp" {
            return Err("disk I/O error".into());
        }
        Ok(display_board::history(parameter, from, to, points))
    }

    fn alarms(&self, session: Option<i64>) -> Result<Value, String> {
        Ok(display_board::past_alarms(session.unwrap_or(3)))
    }

    fn events(&self, _: i64, after: u64) -> Result<Value, String> {
        Ok(display_board::past_events(after))
    }
}

impl Reports for Formula {
    fn flow_sheet(&self, session: i64) -> Result<Option<Sheet>, String> {
        match session {
            1 => Ok(Some(Sheet {
                html: "<!doctype html><title>Session 1</title>".to_owned(),
                policy: infusewatch::record::html::POLICY,
            })),
            2 => Err("disk I/O error".into()),
            _ => Ok(None),
        }
    }
}

/// How the daemon of a test differs from the usual one.
pub struct Plan {
    pub attached: bool,
    pub capacity: usize,
    pub listen: SocketAddr,
    /// Holds the port until the daemon has told that it is in use.
    pub in_use: Option<TcpListener>,
    pub folder: Option<PathBuf>,
    pub access: Access,
    pub training: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            attached: true,
            capacity: 64,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            in_use: None,
            folder: None,
            access: Access::default(),
            training: false,
        }
    }
}

/// The running daemon; stops when dropped.
pub struct Daemon {
    pub address: SocketAddr,
    pub token: Token,
    pub folder: PathBuf,
    pub published: Arc<Published>,
    pub status: Arc<Status>,
    pub waves: broadcast::Sender<Arc<Wave>>,
    pub commands: Receiver<Command>,
    pub health: Receiver<(HealthItem, bool)>,
    engine: Arc<Engine>,
    stop: watch::Sender<bool>,
    runtime: tokio::runtime::Handle,
    server: Option<JoinHandle<()>>,
    _own_folder: tempfile::TempDir,
}

impl Daemon {
    pub fn start() -> Self {
        Self::with(Plan::default())
    }

    pub fn with(plan: Plan) -> Self {
        let own_folder = tempfile::tempdir().unwrap();
        let folder = plan.folder.unwrap_or_else(|| own_folder.path().join("run"));
        let published = Arc::new(Published::default());
        let status = Arc::new(Status::new(["monitor".into(), "oximeter".into()]));
        let (inbox, queue) = Inbox::new(plan.capacity);
        let (commands_told, commands) = channel();
        let (health_told, health) = channel();
        let engine = Arc::new(Engine {
            published: Arc::clone(&published),
            status: Arc::clone(&status),
            script: Mutex::new(Box::new(|_| Reply::Done(Vec::new()))),
            standing: AtomicBool::new(false),
            committing: AtomicBool::new(true),
            seq: AtomicU64::new(0),
            commands: commands_told,
            health: health_told,
        });
        std::thread::spawn({
            let engine = Arc::clone(&engine);
            move || engine.run(&queue)
        });
        let (stop, stopping) = watch::channel(false);
        let (waves, _) = broadcast::channel(256);
        let token = Token::generate().unwrap();
        let settings = DisplaySettings {
            listen: plan.listen,
            runtime_dir: folder.clone(),
            token: token.clone(),
            attached: plan.attached,
            access: plan.access,
            training: plan.training,
        };
        let sources = Sources {
            published: Arc::clone(&published),
            status: Arc::clone(&status),
            inbox,
            history: Arc::new(Formula),
            reports: Arc::new(Formula),
            waves: waves.clone(),
            clock: Clock::real(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let address_file = folder.join("address");
        let _ = std::fs::remove_file(&address_file);
        let server = std::thread::spawn(move || {
            runtime
                .block_on(serve(settings, sources, stopping))
                .unwrap();
        });
        if let Some(held) = plan.in_use {
            let told = health.recv_timeout(PATIENCE).unwrap();
            assert_eq!(told, (HealthItem::Display, false));
            drop(held);
        }
        let address = wait_for("the address file", || {
            std::fs::read_to_string(&address_file)
                .ok()?
                .trim()
                .parse()
                .ok()
        });
        Self {
            address,
            token,
            folder,
            published,
            status,
            waves,
            commands,
            health,
            engine,
            stop,
            runtime: handle,
            server: Some(server),
            _own_folder: own_folder,
        }
    }

    /// How the engine meets commands from now on.
    pub fn script(&self, script: impl FnMut(&Command) -> Reply + Send + 'static) {
        *self.engine.script.lock().unwrap() = Box::new(script);
    }

    /// Whether the engine stands still.
    pub fn stand(&self, standing: bool) {
        self.engine.standing.store(standing, Ordering::SeqCst);
    }

    /// Whether commands reach the record.
    pub fn commit(&self, committing: bool) {
        self.engine.committing.store(committing, Ordering::SeqCst);
    }

    /// Freezes the whole server until the result is dropped.
    pub fn freeze(&self) -> Sender<()> {
        let (thaw, thawed) = channel::<()>();
        let (frozen, is_frozen) = channel();
        self.runtime.spawn(async move {
            frozen.send(()).unwrap();
            let _ = thawed.recv();
        });
        is_frozen.recv_timeout(PATIENCE).unwrap();
        thaw
    }

    pub fn stop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }

    /// The page's address with the token, as the kiosk opens it.
    pub fn page(&self) -> String {
        format!("http://{}/#token={}", self.address, self.token.reveal())
    }

    pub fn get(&self, path: &str) -> Answer {
        let host = self.address;
        ask(
            host,
            &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        )
    }

    /// A command with the right token and these further headers.
    pub fn post(&self, body: &str) -> Answer {
        self.post_with(
            &format!("Authorization: Bearer {}\r\n", self.token.reveal()),
            body,
        )
    }

    pub fn post_with(&self, headers: &str, body: &str) -> Answer {
        let host = self.address;
        let length = body.len();
        ask(
            host,
            &format!(
                "POST /api/v1/commands HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            ),
        )
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.engine.standing.store(false, Ordering::SeqCst);
        self.stop();
    }
}

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Sends bytes as they are and reads until the other side closes.
pub fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = Vec::new();
    // A server that refuses early may reset the connection after its answer.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.get(9..12).unwrap_or("0").parse().unwrap_or(0);
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Asks until there is an answer; fails after [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Clock::real().now().moment.after(PATIENCE);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Clock::real().now().moment < deadline, "no {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
