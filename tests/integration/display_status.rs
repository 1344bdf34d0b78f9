//! `status` against a daemon that is there, ill, or not there.

use crate::display_daemon::{Daemon, Plan, wait_for};
use infusewatch::cli::{ExitStatus, status};
use infusewatch::engine::HealthItem;

#[test]
fn status_tells_healthy_from_ill_from_absent() {
    let mut daemon = Daemon::with(Plan {
        attached: false,
        ..Plan::default()
    });
    let ask = |daemon: &Daemon| status::run(&daemon.folder, false);
    wait_for("a healthy daemon", || {
        (ask(&daemon).ok()? == ExitStatus::Done).then_some(())
    });
    daemon.status.health(HealthItem::Journal).set(false);
    assert_eq!(ask(&daemon).unwrap(), ExitStatus::Finding);
    daemon.stop();
    let absent = wait_for("the daemon to go", || ask(&daemon).err());
    assert_eq!(absent.status, ExitStatus::NoDaemon);
    assert!(absent.message.contains("no daemon answers"), "{absent}");
    let never = status::run(std::path::Path::new("/nonexistent"), true).unwrap_err();
    assert!(never.message.contains("--config"), "{never}");
}
