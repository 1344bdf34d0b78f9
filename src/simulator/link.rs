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
