//! The kiosk with a real browser: from NOT MONITORING to the monitor, and over a restart of the daemon.

use super::devtools::{Browser, headless, installed};
use crate::display_board;
use crate::display_daemon::{Daemon, Plan, wait_for};
use infusewatch::cli::kiosk::{KioskSettings, show};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running kiosk; stops, and ends its browser, when dropped.
struct Kiosk {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Kiosk {
    fn start(settings: KioskSettings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let shown = runtime.block_on(show(&settings, async {
                let _ = stopped.await;
            }));
            shown.unwrap();
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn settings(folder: &Path, listen: SocketAddr, browser: String) -> KioskSettings {
    KioskSettings {
        listen,
        runtime_dir: folder.join("run"),
        browser: Some(browser),
        folder: folder.join("kiosk"),
    }
}

#[test]
fn from_not_monitoring_to_the_monitor_and_over_a_restart() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listen = free_address();
    let profile = folder.path().join("profile");
    let browser = format!("/usr/bin/chromium {}", headless(&profile).join(" "));
    let settings = settings(folder.path(), listen, browser);
    let runtime_dir = settings.runtime_dir.clone();
    let _kiosk = Kiosk::start(settings);

    let mut page = Browser::join(&profile);
    page.until("document.querySelector('h1')?.textContent === 'NOT MONITORING'");
    page.until("document.querySelector('#why').textContent.includes('nobody answers')");
    page.picture("not-monitoring");

    let plan = || Plan {
        listen,
        folder: Some(runtime_dir.clone()),
        ..Plan::default()
    };
    let mut first = Daemon::with(plan());
    first.published.publish(display_board::infusion());
    page.until("document.querySelector('#tile-spo2 .number')?.textContent === '97'");
    page.until("document.querySelector('#audio-pause').checkVisibility()");

    // The daemon is started again, with another token: the page comes back with all rights.
    first.stop();
    page.until("document.body.classList.contains('no-data')");
    let second = Daemon::with(plan());
    second.published.publish(display_board::infusion());
    page.until(&format!(
        "location.hash.includes({:?})",
        second.token.reveal()
    ));
    page.until("document.querySelector('#audio-pause')?.checkVisibility() === true");
    // A browser drops presses until it has painted the page for the first time.
    wait_for("a command", || {
        page.press("#audio-pause");
        second.commands.try_recv().ok()
    });
}

#[test]
fn a_browser_that_ends_is_started_again_and_ended_with_the_kiosk() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = folder.path().join("browser.sh");
    // The first one crashes; the second one stays until it is told to go.
    let text = format!(
        "echo \"$1 $$\" >> {log}\n[ $(wc -l < {log}) -gt 1 ] || exit 3\nexec sleep 1000\n",
        log = log.display()
    );
    std::fs::write(&script, text).unwrap();
    let browser = format!("sh {}", script.display());
    let kiosk = Kiosk::start(settings(folder.path(), free_address(), browser));
    let lines = wait_for("a second browser", || {
        let text = std::fs::read_to_string(&log).ok()?;
        (text.lines().count() == 2).then_some(text)
    });
    let second = lines.lines().nth(1).unwrap();
    let (address, process) = second.split_once(' ').unwrap();
    let page = address.strip_prefix("file://").unwrap();
    assert!(
        std::fs::read_to_string(page)
            .unwrap()
            .contains("NOT MONITORING")
    );
    drop(kiosk);
    assert!(!Path::new("/proc").join(process).exists(), "left behind");
}

#[test]
fn a_folder_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), free_address(), "true".into());
    std::fs::create_dir(&settings.folder).unwrap();
    std::fs::set_permissions(&settings.folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let failure = runtime
        .block_on(show(&settings, std::future::pending()))
        .unwrap_err();
    assert!(failure.message.contains("mode 0700"), "{failure}");
}
