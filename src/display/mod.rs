//! The display: the kiosk page and the HTTP and WebSocket interface (contract, "HTTP").
//!
//! It promises that a page sees every change of the board within 20 ms and can tell a standing engine
//! from a quiet one; that a command is answered 200 only when the engine took it; and that no page of
//! another origin, and nobody without the token, can send one. It never holds the engine up: it reads
//! the published board and offers to the inbox, and neither waits. A port in use is retried for ever.
//!
//! The token, the address, the list of answered commands and who is logged in are owned here;
//! everything clinical belongs to the engine.

mod answer;
mod attendance;
pub mod client;
mod commands;
mod counters;
mod guard;
mod history;
mod http;
mod listener;
mod metrics;
mod page;
mod report;
mod runtime;
mod self_test;
mod staff;
mod stream;
mod token;

pub use history::History;
pub use report::{Reports, Sheet};
pub use runtime::{ADDRESS_FILE, TOKEN_FILE, runtime_dir};
pub(crate) use runtime::{make_folder, replace};
pub use token::Token;
pub(crate) use token::random_hex;

use crate::board::{Published, Status};
use crate::clock::Clock;
use crate::configuration::Access;
use crate::inbox::Inbox;
use crate::observation::Wave;
use attendance::Attendance;
use http::Shared;
use listener::BoundedListener;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, broadcast, watch};

/// Pause between two tries to open the port or to write the runtime files.
const RETRY: Duration = Duration::from_secs(1);

/// Where to listen and who may command.
#[derive(Clone, Debug)]
pub struct DisplaySettings {
    /// A loopback address; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// Where `address` and `token` are written; made with mode 0750 when missing.
    pub runtime_dir: PathBuf,
    /// This start's token.
    pub token: Token,
    /// Whether a display must be attached: a page with the token that beats. `false` on a box
    /// without a screen of its own.
    pub attached: bool,
    /// Who may log in, and what needs it.
    pub access: Access,
    /// Whether this is a training with a virtual patient, which every board says.
    pub training: bool,
}

/// What the display shows and whom it tells.
#[derive(Clone)]
pub struct Sources {
    /// The engine's picture.
    pub published: Arc<Published>,
    /// Health and counters of our own parts.
    pub status: Arc<Status>,
    /// The engine's queue.
    pub inbox: Inbox,
    /// The record.
    pub history: Arc<dyn History>,
    /// The documents of a session.
    pub reports: Arc<dyn Reports>,
    /// Waves as they arrive from the feeds.
    pub waves: broadcast::Sender<Arc<Wave>>,
    /// The daemon's clock, which may run faster in the demo.
    pub clock: Clock,
}

/// Serves until `stop` becomes true. Fails only when the kernel gives no randomness; everything else
/// that goes wrong shows as the health item `display` and is tried again.
pub async fn serve(
    settings: DisplaySettings,
    sources: Sources,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let shared = Arc::new(Shared {
        sources,
        token: settings.token.clone(),
        attached: settings.attached,
        training: settings.training,
        desk: staff::Desk::new(settings.access.clone()),
        instance: token::random_hex::<8>()?,
        attendance: Attendance::new(),
        answers: commands::Answers::default(),
        counters: Arc::default(),
        questions: Arc::new(Semaphore::new(history::MOST_AT_ONCE)),
        stop: stop.clone(),
    });
    let mut stopping = stop;
    tokio::select! {
        () = run(&settings, &shared) => {}
        () = attendance::watch(Arc::clone(&shared)) => {}
        // A dropped sender is a stop too.
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    Ok(())
}

/// `run_once` for ever, with a short constant pause.
async fn run(settings: &DisplaySettings, shared: &Arc<Shared>) {
    loop {
        if let Err(error) = run_once(settings, shared).await {
            tracing::error!(listen = %settings.listen, %error, "display cannot be served");
        }
        shared.attendance.set_open(false);
        tokio::time::sleep(RETRY).await;
    }
}

async fn run_once(settings: &DisplaySettings, shared: &Arc<Shared>) -> io::Result<()> {
    if !settings.listen.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a display on the network needs TLS, which this version does not have; listen on 127.0.0.1",
        ));
    }
    let socket = TcpListener::bind(settings.listen).await?;
    let address = socket.local_addr()?;
    runtime::publish(&settings.runtime_dir, address, &settings.token)?;
    let listener = BoundedListener::new(socket, Arc::clone(&shared.counters));
    let router = http::router(Arc::clone(shared), guard::Hosts::of(address));
    shared.attendance.set_open(true);
    tracing::info!(%address, "display is served");
    axum::serve(listener, router).await
}
