//! `kiosk`: shows the display and watches it (design, "The kiosk and the token").
//!
//! It promises that the screen never ends at a browser's error page: the browser begins at a start page
//! of our own, which says NOT MONITORING until the daemon answers. A browser that dies, or that shows
//! no beat for 10 s while the daemon answers, is started anew. It owns the browser's process group and
//! its private folder; it never talks to the engine.

mod watch;

use super::{ExitStatus, Failure};
use crate::clock::Clock;
use crate::display::client;
use crate::display::{make_folder, replace};
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, kill_process_group};
use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;
use watch::{Seen, Watch};

/// How often the runtime directory is looked at for a new token.
const LOOK: Duration = Duration::from_millis(250);
/// How often the daemon is asked about the beat.
const ASK: Duration = Duration::from_secs(1);
/// Pause before a browser is started again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a browser may take to end by itself.
const END: Duration = Duration::from_secs(2);

/// The browser of a kiosk, under a compositor that shows one program only.
const BROWSER: &[&str] = &[
    "cage",
    "--",
    "chromium",
    "--kiosk",
    "--ozone-platform=wayland",
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disable-features=Translate",
    "--password-store=basic",
    "--autoplay-policy=no-user-gesture-required",
];

/// Command line of `kiosk`.
#[derive(clap::Args, Debug)]
pub struct KioskArguments {
    /// The daemon's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The browser to start instead of cage and Chromium; the address is added as its last word.
    #[arg(long, value_name = "CMD")]
    pub browser: Option<String>,
}

/// What the kiosk must know of the daemon.
#[derive(Clone, Debug)]
pub struct KioskSettings {
    /// Where the daemon listens, until its `address` file says more.
    pub listen: SocketAddr,
    /// The daemon's runtime directory.
    pub runtime_dir: PathBuf,
    /// The browser command, words separated by blanks; `None` for cage and Chromium.
    pub browser: Option<String>,
    /// A folder of our own, mode 0700, for the start page and the browser's profile.
    pub folder: PathBuf,
}

impl KioskSettings {
    /// The usual private folder: in the login session's runtime directory, else under the system's
    /// temporary one.
    pub fn usual_folder() -> PathBuf {
        match std::env::var_os("XDG_RUNTIME_DIR") {
            Some(session) => PathBuf::from(session).join("infusewatch-kiosk"),
            None => {
                let user = rustix::process::geteuid().as_raw();
                std::env::temp_dir().join(format!("infusewatch-kiosk-{user}"))
            }
        }
    }
}

impl KioskArguments {
    /// Shows the display of this configuration's daemon.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        super::run::log_to_stderr();
        let display = super::check_config::load(&self.config)?.display;
        run(&KioskSettings {
            listen: display.listen,
            runtime_dir: display.runtime_dir,
            browser: self.browser,
            folder: KioskSettings::usual_folder(),
        })
    }
}

/// Shows the display until SIGTERM or SIGINT.
pub fn run(settings: &KioskSettings) -> Result<ExitStatus, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot("start", Path::new("the kiosk"), &error))?;
    runtime.block_on(async {
        let signals = || -> std::io::Result<_> {
            Ok((
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
            ))
        };
        let (mut terminate, mut interrupt) =
            signals().map_err(|error| cannot("listen for", Path::new("signals"), &error))?;
        show(settings, async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await
    })
}

fn cannot(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        ExitStatus::CannotOpen,
        format!("cannot {what} {}: {error}", path.display()),
    )
}

/// Shows the display until `stop` is ready. Fails only when the private folder cannot be used; a
/// browser that cannot be started is tried again for ever.
pub async fn show(
    settings: &KioskSettings,
    stop: impl Future<Output = ()>,
) -> Result<ExitStatus, Failure> {
    make_private(&settings.folder)?;
    let page = settings.folder.join("start.html");
    write_start_page(settings, &page)?;
    tokio::pin!(stop);
    loop {
        let reason = match start_browser(settings, &page) {
            Ok(mut browser) => {
                let reason = tokio::select! {
                    () = &mut stop => None,
                    reason = attend(settings, &page, &mut browser) => Some(reason),
                };
                end(&mut browser).await;
                reason
            }
            Err(error) => Some(format!("cannot be started: {error}")),
        };
        let Some(reason) = reason else {
            return Ok(ExitStatus::Done);
        };
        tracing::error!(reason, "browser lost, started again");
        tokio::select! {
            () = &mut stop => return Ok(ExitStatus::Done),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Makes the private folder, or refuses one that others could have prepared.
fn make_private(folder: &Path) -> Result<(), Failure> {
    make_folder(folder, 0o700).map_err(|error| cannot("make", folder, &error))?;
    let found =
        std::fs::symlink_metadata(folder).map_err(|error| cannot("look at", folder, &error))?;
    let ours = found.is_dir()
        && found.uid() == rustix::process::geteuid().as_raw()
        && found.mode() & 0o077 == 0;
    if ours {
        return Ok(());
    }
    Err(cannot(
        "use",
        folder,
        &"it must be a folder of this user with mode 0700; remove it and start again",
    ))
}

/// Where the daemon listens: its own word, else the configuration.
fn address(settings: &KioskSettings) -> SocketAddr {
    client::address(&settings.runtime_dir).unwrap_or(settings.listen)
}

/// Writes the start page for the address and token of this moment. Without a token it stays where it
/// is and says so: a page without one could neither command nor count as the attached display.
fn write_start_page(settings: &KioskSettings, page: &Path) -> Result<(), Failure> {
    let address = address(settings);
    let target = client::token(&settings.runtime_dir)
        .map(|token| format!("http://{address}/#token={token}&kiosk"))
        .unwrap_or_default();
    // Both are hexadecimal digits and an address: nothing that could leave the script's quotes.
    let text = include_str!("kiosk/start.html")
        .replace("@TARGET@", &target)
        .replace("@ADDRESS@", &address.to_string());
    replace(page, &text, Mode::from(0o600)).map_err(|error| cannot("write", page, &error))
}

fn start_browser(settings: &KioskSettings, page: &Path) -> std::io::Result<Child> {
    let words: Vec<String> = match &settings.browser {
        Some(command) => command.split_whitespace().map(str::to_owned).collect(),
        None => {
            let profile = settings.folder.join("profile");
            let mut words: Vec<String> = BROWSER.iter().copied().map(str::to_owned).collect();
            words.push(format!("--user-data-dir={}", profile.display()));
            words
        }
    };
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| std::io::Error::other("the browser command is empty"))?;
    Command::new(program)
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Keeps the start page current and watches one browser; returns why it must be started again.
async fn attend(settings: &KioskSettings, page: &Path, browser: &mut Child) -> String {
    let real = Clock::real();
    let mut watch = Watch::new(real.now().moment);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ask = tokio::time::interval(ASK);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written = String::new();
    loop {
        tokio::select! {
            ended = browser.wait() => {
                return match ended {
                    Ok(status) => format!("ended with {status}"),
                    Err(error) => format!("cannot be waited for: {error}"),
                };
            }
            _ = look.tick() => {
                let token = client::token(&settings.runtime_dir).unwrap_or_default();
                let current = format!("{} {token}", address(settings));
                if current != written {
                    match write_start_page(settings, page) {
                        Ok(()) => written = current,
                        Err(failure) => tracing::error!(%failure, "start page not written"),
                    }
                }
            }
            _ = ask.tick() => {
                let address = address(settings);
                let answer = tokio::task::spawn_blocking(move || client::get(address, "/api/v1/now"));
                let seen = answer.await.ok().and_then(Result::ok).map(|(_, body)| Seen::read(&body));
                if watch.is_lost(real.now().moment, seen.as_ref()) {
                    return "shows no beat for 10 s while the daemon answers".into();
                }
            }
        }
    }
}

/// Ends the browser and everything that it started.
async fn end(browser: &mut Child) {
    let Some(group) = browser
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw)
    else {
        return;
    };
    // A group that is already gone is what we want.
    let _ = kill_process_group(group, Signal::TERM);
    let _ = tokio::time::timeout(END, browser.wait()).await;
    let _ = kill_process_group(group, Signal::KILL);
    let _ = browser.wait().await;
}
