//! Runs one simulated device on one port.
//!
//! Promises: the device is presented the screen at its own cadence, in simulated time, whatever the
//! host does; the script's cable is obeyed within a simulated second; when asked to stop, the line is
//! hung up and its name removed. A host that does not read is never waited for longer than 5 s.

use super::monitor::Monitor;
use super::port::{Line, Opening, Socket};
use super::scenario::Cable;
use crate::clock::Clock;
use crate::protocol::Device;
use crate::vocabulary::{Moment, Now};
use std::future::Future;
use std::io;
use std::time::Duration;

/// The longest time between two looks at the script, simulated.
const LOOK: Duration = Duration::from_secs(1);
/// Shorter cadences than this make no sense on these links.
const SHORTEST: Duration = Duration::from_millis(5);

/// Whether the script's cable is this link's cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CableScript {
    /// The link is pulled and silent as the scenario says.
    Follow,
    /// The scenario speaks of another device's cable.
    Ignore,
}

/// One device, the monitor it belongs to, and the time.
pub struct Link {
    device: Box<dyn Device>,
    monitor: Monitor,
    cable: CableScript,
    clock: Clock,
    started: Now,
    sent: Vec<Vec<u8>>,
}

impl Link {
    /// A device that shows `monitor`, whose scenario began at `started` on `clock`.
    pub fn new(
        device: Box<dyn Device>,
        monitor: Monitor,
        cable: CableScript,
        clock: Clock,
        started: Now,
    ) -> Self {
        Self {
            device,
            monitor,
            cable,
            clock,
            started,
            sent: Vec::new(),
        }
    }

    /// Runs until `stop` is done. `ready` is called once: when the device can be reached, or, for a
    /// device that connects to its host, when it has.
    pub async fn run(
        mut self,
        mut socket: Socket,
        ready: impl FnOnce(&str),
        stop: impl Future<Output = ()>,
    ) {
        tokio::pin!(stop);
        let mut ready = Some(ready);
        let mut line: Option<Line> = None;
        let mut opening: Option<Opening> = None;
        let mut buffer = vec![0; 16 * 1_024];
        let mut cable = self.cable_at(self.started.moment);
        let mut look = self.started.moment;
        let mut present = self.started.moment;
        if socket.is_ready_alone() {
            announce(&mut ready, &socket);
        }
        loop {
            if cable == Cable::Pulled {
                (line, opening) = (None, None);
                socket.unplug();
            } else if opening.is_none() && (line.is_none() || socket.replaces()) {
                opening = Some(socket.open());
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(self.clock.real_wait(look.min(present))) => {
                    let now = self.clock.now();
                    cable = self.cable_at(now.moment);
                    look = now.moment.after(LOOK);
                    if present <= now.moment {
                        present = self.next_present(present, now.moment);
                        if cable == Cable::In && line.is_some() {
                            self.present(now);
                        }
                    }
                }
                opened = next_line(&mut opening) => {
                    opening = None;
                    line = Some(opened);
                    announce(&mut ready, &socket);
                    let now = self.clock.now();
                    self.monitor.begin_waves(self.elapsed(now.moment));
                    self.device.opened(now);
                    tracing::info!(address = %socket.address(), "link open");
                }
                received = next_bytes(&mut line, &mut buffer) => match received {
                    Ok(length) if length > 0 && cable == Cable::In => {
                        let bytes = buffer.get(..length).unwrap_or_default();
                        self.device.receive(self.clock.now(), bytes, &mut self.sent);
                    }
                    Ok(_unheard) => {}
                    Err(error) => {
                        tracing::info!(address = %socket.address(), %error, "link closed");
                        line = None;
                    }
                },
            }
            if let Err(error) = self.write(&mut line).await {
                tracing::info!(address = %socket.address(), %error, "link closed");
                line = None;
            }
        }
    }

    fn elapsed(&self, moment: Moment) -> Duration {
        moment.since(self.started.moment)
    }

    fn cable_at(&self, moment: Moment) -> Cable {
        match self.cable {
            CableScript::Follow => self.monitor.cable(self.elapsed(moment)),
            CableScript::Ignore => Cable::In,
        }
    }

    /// The next time on the grid of the cadence; a grid that was missed is not made up for.
    fn next_present(&self, due: Moment, now: Moment) -> Moment {
        let cadence = self.device.cadence().max(SHORTEST);
        let next = due.after(cadence);
        if next > now { next } else { now.after(cadence) }
    }

    fn present(&mut self, now: Now) {
        let screen = self.monitor.screen(self.elapsed(now.moment));
        self.device.present(now, &screen, &mut self.sent);
    }

    /// Everything that the device said, each element as one write.
    async fn write(&mut self, line: &mut Option<Line>) -> io::Result<()> {
        for bytes in self.sent.drain(..) {
            if let Some(line) = line {
                line.send(&bytes).await?;
            }
        }
        Ok(())
    }
}

fn announce(ready: &mut Option<impl FnOnce(&str)>, socket: &Socket) {
    if let Some(ready) = ready.take() {
        ready(&socket.address());
    }
}

async fn next_line(opening: &mut Option<Opening>) -> Line {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

async fn next_bytes(line: &mut Option<Line>, buffer: &mut [u8]) -> io::Result<usize> {
    match line {
        Some(line) => line.receive(buffer).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::super::monitor::Fitted;
    use super::super::port::Port;
    use super::super::scenario::Scenario;
    use super::*;
    use crate::protocol::Screen;
    use crate::vocabulary::Parameter;
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::sync::Arc;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream, UdpSocket};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    /// Tells the simulated second and the saturation once a second, and answers with what it heard.
    struct Teller {
        started: i64,
    }

    impl Device for Teller {
        fn cadence(&self) -> Duration {
            Duration::from_secs(1)
        }

        fn receive(&mut self, _now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
            replies.push([b"heard ", bytes, b"\n"].concat());
        }

        fn present(&mut self, _now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
            let second = (screen.civil_ms - self.started) / 1_000;
            let value = screen.reading(Parameter::Spo2).value();
            let value = value.map_or("--".to_owned(), |value| value.to_string());
            sent.push(format!("{second} {value}\n").into_bytes());
        }
    }

    const SPEED: u32 = 200;

    struct Running {
        address: oneshot::Receiver<String>,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    }

    impl Running {
        async fn stopped(self) {
            self.stop.send(()).unwrap();
            self.task.await.unwrap();
        }
    }

    async fn start(scenario: &str, port: Port) -> Running {
        let socket = Socket::prepare(&port).await.unwrap();
        let clock = Clock::sped_up(SPEED);
        let started = clock.now();
        let device = Box::new(Teller {
            started: started.wall.as_millis(),
        });
        let fitted = Fitted {
            parameters: vec![Parameter::Spo2],
            waves: Vec::new(),
        };
        let scenario = Arc::new(Scenario::named(scenario).unwrap());
        let monitor = Monitor::new(scenario, fitted, started.wall);
        let link = Link::new(device, monitor, CableScript::Follow, clock, started);
        let (tell, address) = oneshot::channel();
        let (stop, asked) = oneshot::channel::<()>();
        let task = tokio::spawn(link.run(
            socket,
            |address| tell.send(address.to_owned()).unwrap(),
            async {
                let _gone = asked.await;
            },
        ));
        Running {
            address,
            stop,
            task,
        }
    }

    /// The second and the value in a line.
    fn told(line: &str) -> (u64, String) {
        let (second, value) = line.trim_end().split_once(' ').unwrap();
        (second.parse().unwrap(), value.to_owned())
    }

    /// What may stand beside this second: the presented moment lies somewhere in it.
    fn expected(scenario: &str, second: u64) -> Vec<String> {
        let scenario = Scenario::named(scenario).unwrap();
        (0..=20)
            .map(|twentieth| {
                let at = Duration::from_millis(second * 1_000 + twentieth * 50);
                let reading = scenario.at(at).numerics[&Parameter::Spo2];
                reading
                    .value()
                    .map_or("--".to_owned(), |value| value.to_string())
            })
            .collect()
    }

    fn loopback() -> Port {
        Port::Listen("127.0.0.1:0".to_owned())
    }

    #[tokio::test]
    async fn a_host_that_connects_reads_the_scenario_and_is_answered() {
        let mut running = start("probe-off", loopback()).await;
        let address = (&mut running.address).await.unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = tokio::io::BufReader::new(read).lines();
        write.write_all(b"?").await.unwrap();
        let mut answered = false;
        let mut values = std::collections::BTreeSet::new();
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if line == "heard ?" {
                answered = true;
                continue;
            }
            let (second, value) = told(&line);
            assert!(expected("probe-off", second).contains(&value), "{line}");
            values.insert(value);
            if second > 170 {
                break;
            }
        }
        assert!(answered);
        assert!(values.contains("--") && values.len() > 1, "{values:?}");
        running.stopped().await;
    }

    #[tokio::test]
    async fn a_new_connection_takes_the_place_of_the_old() {
        let mut running = start("stable", loopback()).await;
        let address = (&mut running.address).await.unwrap();
        let mut old = TcpStream::connect(&address).await.unwrap();
        let mut byte = [0];
        old.read_exact(&mut byte).await.unwrap();
        let mut new = TcpStream::connect(&address).await.unwrap();
        new.read_exact(&mut byte).await.unwrap();
        let mut rest = Vec::new();
        // The old one comes to its end.
        old.read_to_end(&mut rest).await.unwrap();
        running.stopped().await;
    }

    #[tokio::test]
    async fn a_device_looks_for_its_host_again_and_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut running = start("stable", Port::Connect(address.clone())).await;
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
        }
        assert_eq!((&mut running.address).await.unwrap(), address);
        running.stopped().await;
    }

    #[tokio::test]
    async fn silence_closes_nothing() {
        let mut running = start("silence", loopback()).await;
        let address = (&mut running.address).await.unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let mut lines = tokio::io::BufReader::new(stream).lines();
        let mut seconds = Vec::new();
        while seconds.last().is_none_or(|second| *second < 130) {
            seconds.push(told(&lines.next_line().await.unwrap().unwrap()).0);
        }
        assert!(seconds.iter().any(|second| *second < 60), "{seconds:?}");
        assert!(
            !seconds.iter().any(|second| (62..120).contains(second)),
            "{seconds:?}"
        );
        running.stopped().await;
    }

    #[tokio::test]
    async fn datagrams_go_to_a_host_whether_it_is_there_or_not() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        drop(socket);
        let running = start("stable", Port::Udp(address.to_string())).await;
        let socket = UdpSocket::bind(address).await.unwrap();
        let mut buffer = [0; 64];
        let (length, device) = socket.recv_from(&mut buffer).await.unwrap();
        told(std::str::from_utf8(&buffer[..length]).unwrap());
        socket.send_to(b"?", device).await.unwrap();
        while &buffer[..8] != b"heard ?\n" {
            socket.recv_from(&mut buffer).await.unwrap();
        }
        running.stopped().await;
    }

    /// Reads lines from the port as a host that opens it again whenever it hangs up.
    fn read_port(link: &Path, until: u64) -> (Vec<u64>, usize) {
        let mut seconds = Vec::new();
        let mut hang_ups = 0;
        loop {
            let Ok(port) = std::fs::File::open(link) else {
                std::thread::yield_now();
                continue;
            };
            for line in BufReader::new(port).lines() {
                let Ok(line) = line else { break };
                seconds.push(told(&line).0);
                if seconds.last().is_some_and(|second| *second >= until) {
                    return (seconds, hang_ups);
                }
            }
            hang_ups += 1;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_pulled_cable_hangs_up_and_comes_back_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        let running = start("cable-out", Port::Pty(link.clone())).await;
        let port = link.clone();
        let host = tokio::task::spawn_blocking(move || read_port(&port, 100));
        let (seconds, hang_ups) = host.await.unwrap();
        assert_eq!(hang_ups, 1, "{seconds:?}");
        assert!(seconds.iter().any(|second| *second < 60), "{seconds:?}");
        assert!(
            !seconds.iter().any(|second| (62..90).contains(second)),
            "{seconds:?}"
        );
        running.stopped().await;
        assert!(std::fs::symlink_metadata(&link).is_err());
    }

    #[tokio::test]
    async fn a_place_that_cannot_work_is_told_at_the_start() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        for port in [
            Port::Listen(address),
            Port::Listen("nonsense".to_owned()),
            Port::Connect("127.0.0.1".to_owned()),
            Port::Pty(folder.path().join("no-folder/port")),
            Port::Serial {
                path: folder.path().join("no-device"),
                line: crate::protocol::LineSettings {
                    baud: 9_600,
                    parity: crate::protocol::Parity::None,
                    stop_bits: crate::protocol::StopBits::One,
                    rts_cts: false,
                },
            },
        ] {
            let error = Socket::prepare(&port).await.err().unwrap().to_string();
            assert!(
                error.starts_with(&format!("cannot open {port}: ")),
                "{error}"
            );
        }
    }
}
