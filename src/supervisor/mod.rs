//! Start and stop of everything, in order, and the watch over what runs.
//!
//! Start: open and restore the record → threads → display → feeds → READY. Stop is the flow order:
//! feeds, engine, journal, then sound and display. It decides nothing about alarms; it only makes sure
//! that whatever can die is noticed by something else (design.md, "Who watches whom").

mod engine_thread;
mod health;
mod history;
mod report;
mod restore;
pub mod systemd;
mod watch;
mod waves;

use crate::board::{Published, Status};
use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::display::{self, DisplaySettings, Token};
use crate::engine::{HealthItem, Setup};
use crate::feed::{self, FeedPlan, Overload, Ports};
use crate::inbox::{self, Inbox};
use crate::journal::{Journal, OpenError, Start};
use crate::sound::{self, SoundSettings};
use arc_swap::ArcSwap;
use engine_thread::{EngineThread, Standing};
use health::{HealthRelay, JournalWatch};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, oneshot, watch as flag};
use watch::{Ended, Signals, Watch};

/// Waves that a slow page may be behind.
const WAVES_BEHIND: usize = 256;
/// How long READY waits for the first try of every feed and of the display.
const FIRST_TRY: Duration = Duration::from_secs(6);
/// How long each step of the stop may take before the next one begins.
const LAST_WORDS: Duration = Duration::from_secs(6);

/// Why the daemon could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal belongs to another process, another program or a newer version.
    #[error("{0}")]
    Journal(#[from] OpenError),
    /// The machine gives no thread, no randomness or no signal.
    #[error("cannot start {what}: {error}")]
    Machine {
        /// What was attempted.
        what: &'static str,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
}

fn machine(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::Machine { what, error }
}

/// A running daemon.
pub struct Daemon {
    runtime: Runtime,
    clock: Clock,
    published: Arc<Published>,
    relay: Arc<HealthRelay>,
    setup: Arc<ArcSwap<Setup>>,
    profile_file: PathBuf,
    token: Token,
    runtime_dir: PathBuf,
    stop_feeds: flag::Sender<bool>,
    stop_display: flag::Sender<bool>,
    stop_sound: Arc<AtomicBool>,
    feeds: Vec<tokio::task::JoinHandle<()>>,
    display: tokio::task::JoinHandle<()>,
    stop_engine: Arc<AtomicBool>,
    engine: JoinHandle<()>,
    journal: JoinHandle<()>,
    sound: JoinHandle<()>,
}

impl Daemon {
    /// Starts everything. `demo` is the speed of the demo's clock, which always begins a fresh record.
    ///
    /// # Errors
    /// The journal cannot be ours (exit 74), or the machine refuses a thread. A port in use, a missing
    /// adapter or a dead player are no errors: they are alarms.
    pub fn start(configuration: Configuration, demo: Option<u32>) -> Result<Self, StartError> {
        let setup = Arc::new(configuration.setup());
        let machine_now = Clock::real().now();
        let boot = restore::boot_id(machine_now);
        let mut journal = Journal::open(
            &configuration.journal,
            Start::new(
                Arc::clone(&boot),
                machine_now,
                restore::wall_is_synchronised(),
                Arc::clone(&setup.profile),
            ),
        )?;
        let clock = match demo {
            Some(speed) => Clock::sped_up(speed),
            None => Clock::continuing(journal.timeline().offset_us),
        };
        let restored = restore::engine(&mut journal, clock.now(), boot, Arc::clone(&setup))?;

        let status = Arc::new(Status::new(
            configuration
                .feeds
                .iter()
                .map(|feed| Arc::clone(&feed.name)),
        ));
        let published = Arc::new(Published::default());
        let (inbox, deliveries) = Inbox::new(inbox::CAPACITY);
        let relay = Arc::new(HealthRelay::new(inbox.clone(), Arc::clone(&status), clock));
        let next_session = journal.restored().last_session + 1;
        let (mut outlet, journal_thread) = journal
            .start(
                Box::new(JournalWatch::new(Arc::clone(&relay), Arc::clone(&status))),
                restore::text_of,
            )
            .map_err(machine("the journal's thread"))?;
        for job in restored.jobs {
            outlet.push(job);
        }
        // What was wrong before this start and is not now; disk, sound and display speak for themselves.
        if status.health(HealthItem::Journal).ok() {
            relay.report(HealthItem::Journal, true, "the record is being written");
        }
        relay.report(HealthItem::QueueFull, true, "a fresh queue");
        relay.report(HealthItem::Clock, true, "the wall clock runs evenly");
        let (wave_tap, _) = broadcast::channel(WAVES_BEHIND);
        let waves = Arc::new(waves::Waves::new(
            outlet.waves(),
            wave_tap.clone(),
            Arc::clone(&published),
        ));
        let setup = Arc::new(ArcSwap::from(setup));
        let stop_engine = Arc::new(AtomicBool::new(false));
        let engine = spawn("engine", {
            let thread = EngineThread {
                engine: restored.engine,
                inbox: deliveries,
                outlet,
                published: Arc::clone(&published),
                setup: Arc::clone(&setup),
                next_session,
                clock,
                bed: Arc::clone(&configuration.bed),
                demo,
                standing: Standing::default(),
                stop: Arc::clone(&stop_engine),
                decided: Vec::new(),
            };
            // The first picture, before anybody looks.
            thread.show(clock.now());
            move || thread.run()
        })?;

        let stop_sound = Arc::new(AtomicBool::new(false));
        let sound = spawn("sound", {
            let settings = SoundSettings {
                player: configuration.player.clone(),
            };
            let connections = sound::Connections {
                published: Arc::clone(&published),
                status: Arc::clone(&status),
                inbox: inbox.clone(),
                clock,
                stop: Arc::clone(&stop_sound),
            };
            move || sound::run(&settings, &connections)
        })?;

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("edge")
            .enable_all()
            .build()
            .map_err(machine("the input and output threads"))?;
        let token = Token::generate().map_err(machine("a new token"))?;
        let (stop_display, display_stop) = flag::channel(false);
        let display = runtime.spawn({
            let settings = DisplaySettings {
                listen: configuration.display.listen,
                runtime_dir: configuration.display.runtime_dir.clone(),
                token: token.clone(),
                attached: configuration.display.attached,
                access: configuration.access.clone(),
                training: configuration.training,
            };
            let sources = display::Sources {
                published: Arc::clone(&published),
                status: Arc::clone(&status),
                inbox: inbox.clone(),
                history: Arc::new(history::Record::new(configuration.journal.clone())),
                reports: Arc::new(report::Documents::new(configuration.journal.clone())),
                waves: wave_tap,
                clock,
            };
            async move {
                if let Err(error) = display::serve(settings, sources, display_stop).await {
                    tracing::error!(%error, "display cannot be served");
                }
            }
        });

        let (stop_feeds, feeds_stop) = flag::channel(false);
        let overload = Arc::new(Overload::default());
        let mut first_tries = Vec::new();
        let feeds = FeedPlan::all(&configuration)
            .into_iter()
            .map(|plan| {
                let ports = Ports {
                    inbox: inbox.clone(),
                    waves: Arc::clone(&waves) as Arc<dyn feed::WaveSink>,
                    status: Arc::clone(&status),
                    overload: Arc::clone(&overload),
                    clock,
                };
                let (tried, first) = oneshot::channel();
                first_tries.push(first);
                runtime.spawn(feed::run(plan, ports, tried, feeds_stop.clone()))
            })
            .collect();
        runtime.block_on(async {
            let all = async {
                for first in first_tries {
                    // A feed whose task is gone has been tried, too.
                    let _ = first.await;
                }
            };
            if tokio::time::timeout(FIRST_TRY, all).await.is_err() {
                tracing::warn!("a feed was not tried yet; starting all the same");
            }
        });
        Ok(Self {
            runtime,
            clock,
            published,
            relay,
            setup,
            profile_file: configuration.profile.file,
            token,
            runtime_dir: configuration.display.runtime_dir,
            stop_feeds,
            stop_display,
            stop_sound,
            feeds,
            display,
            stop_engine,
            engine,
            journal: journal_thread,
            sound,
        })
    }

    /// This start's token.
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The picture and the cue, as everybody who only looks sees them.
    pub const fn published(&self) -> &Arc<Published> {
        &self.published
    }

    /// Where the page is served, as soon as it is; `None` when that takes longer than the first try of
    /// everything else may.
    pub fn wait_for_address(&self) -> Option<String> {
        let file = self.runtime_dir.join(display::ADDRESS_FILE);
        let pause = Duration::from_millis(20);
        let mut tries = FIRST_TRY.as_millis() / pause.as_millis();
        loop {
            if let Ok(text) = std::fs::read_to_string(&file) {
                return Some(text.trim().to_owned());
            }
            tries = tries.checked_sub(1)?;
            thread::sleep(pause);
        }
    }

    /// The clock that everything here follows.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Says READY, watches until SIGTERM or SIGINT, then stops in order. A second signal stops at once.
    ///
    /// # Errors
    /// Signals cannot be listened to.
    pub fn watch_until_stopped(self) -> Result<(), StartError> {
        let main = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(machine("the main thread's watch"))?;
        let mut watch = Watch::new(
            self.clock,
            Arc::clone(&self.published),
            Arc::clone(&self.relay),
            Arc::clone(&self.setup),
            self.profile_file.clone(),
        );
        main.block_on(async move {
            let mut signals = Signals::listen().map_err(machine("listening to signals"))?;
            let died = || self.engine.is_finished() || self.journal.is_finished();
            match watch.run(&mut signals, died).await {
                Ended::Asked => {
                    drop(watch);
                    let (stopped, done) = oneshot::channel();
                    let _stopping = spawn("stop", move || {
                        self.stop();
                        // Nobody waits any more after a second signal.
                        let _ = stopped.send(());
                    })?;
                    tokio::select! {
                        _ = done => {}
                        () = signals.next() => {
                            tracing::warn!("asked to stop a second time; stopping at once");
                        }
                    }
                    Ok(())
                }
                Ended::PartDied => Err(StartError::Machine {
                    what: "the next round",
                    error: io::Error::other("the engine's or the journal's thread has ended"),
                }),
            }
        })
    }

    /// Stops in the order of the flow, each step with a bound.
    pub fn stop(self) {
        systemd::Notifier.stopping();
        let Self {
            runtime,
            stop_feeds,
            stop_display,
            stop_sound,
            feeds,
            display,
            stop_engine,
            engine,
            journal,
            sound,
            ..
        } = self;
        let _ = stop_feeds.send(true);
        runtime.block_on(async {
            for feed in feeds {
                let _ = tokio::time::timeout(LAST_WORDS, feed).await;
            }
        });
        let _ = stop_display.send(true);
        stop_sound.store(true, Ordering::Release);
        runtime.block_on(async {
            let _ = tokio::time::timeout(LAST_WORDS, display).await;
        });
        join(sound, "sound");
        runtime.shutdown_timeout(Duration::from_secs(1));
        // Everybody who feeds the engine has ended: what is in its queue now is the last of it.
        stop_engine.store(true, Ordering::Release);
        join(engine, "engine");
        join(journal, "journal");
    }
}

fn join(thread: JoinHandle<()>, name: &str) {
    if thread.join().is_err() {
        tracing::error!(name, "thread had died");
    }
}

fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(machine(name))
}
