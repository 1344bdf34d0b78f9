//! The files in `systemd/`: accepted without a word, hardened, and saying what the design decided; and the
//! messages that the daemon sends to the service manager.

use infusewatch::supervisor::systemd::Notifier;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name)
}

/// The shipped units in a folder of their own, starting the binary that was just built: an installed one
/// is not needed to check them.
fn units() -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let mut paths = Vec::new();
    for entry in fs::read_dir(shipped("")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "service") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let installed = "ExecStart=/usr/local/bin/infusewatch ";
        assert!(text.contains(installed), "{}", path.display());
        let built = format!("ExecStart={} ", env!("CARGO_BIN_EXE_infusewatch"));
        let copy = folder.path().join(path.file_name().unwrap());
        fs::write(&copy, text.replace(installed, &built)).unwrap();
        paths.push(copy);
    }
    assert!(!paths.is_empty());
    (folder, paths)
}

/// Runs a tool that `tests/run` installs.
fn run(program: &str, arguments: &[&Path]) -> Output {
    Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_unit_is_accepted_without_a_word() {
    // An unknown key is only a warning and exit code 0: any output fails.
    let (_folder, units) = units();
    for unit in units {
        let output = run("systemd-analyze", &[Path::new("verify"), &unit]);
        assert_eq!(said(&output), "", "{}", unit.display());
        assert!(output.status.success());
    }
}

#[test]
fn the_service_is_exposed_to_no_more_than_2_of_10() {
    let (folder, _) = units();
    let unit = folder.path().join("infusewatch.service");
    let output = run(
        "systemd-analyze",
        &[
            Path::new("security"),
            Path::new("--offline=true"),
            Path::new("--threshold=20"),
            Path::new("--no-pager"),
            &unit,
        ],
    );
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

#[test]
fn the_service_restarts_for_everything_but_a_bad_configuration() {
    let text = fs::read_to_string(shipped("infusewatch.service")).unwrap();
    for line in [
        "Type=notify",
        "Restart=always",
        "RestartSec=100ms",
        "RestartPreventExitStatus=78",
        "StartLimitIntervalSec=0",
        "WatchdogSec=3s",
        "KillMode=mixed",
        "User=infusewatch",
        "StateDirectory=infusewatch",
        "RuntimeDirectory=infusewatch",
        "RuntimeDirectoryMode=0750",
        "SupplementaryGroups=dialout audio",
        "DeviceAllow=char-ttyUSB rw",
        "DeviceAllow=char-ttyACM rw",
        "DeviceAllow=char-ttyS rw",
        "DeviceAllow=char-alsa rw",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing");
    }
    // These would hide the ports, and the boot id that a restart needs.
    for line in ["PrivateDevices=yes", "ProcSubset=pid"] {
        assert!(text.lines().all(|found| found != line), "{line}");
    }
}

#[test]
fn the_user_belongs_to_the_serial_ports_and_the_sound() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let option = format!("--root={}", root.path().display());
    let output = run(
        "systemd-sysusers",
        &[Path::new(&option), &shipped("infusewatch.sysusers")],
    );
    assert!(output.status.success(), "{}", said(&output));
    let read = |name: &str| fs::read_to_string(root.path().join("etc").join(name)).unwrap();
    assert!(read("passwd").contains("infusewatch:"));
    for group in ["dialout", "audio"] {
        assert!(
            read("group").lines().any(
                |line| line.starts_with(&format!("{group}:")) && line.ends_with(":infusewatch")
            )
        );
    }
}

#[test]
fn serial_ports_get_stable_names_for_one_group_only() {
    let text = fs::read_to_string(shipped("61-infusewatch.rules")).unwrap();
    assert!(text.contains(r#"GROUP="dialout", MODE="0660""#));
    assert!(!text.contains("0666"));
    for name in ["socket-$env{ID_PATH_TAG}", "adapter-$env{ID_SERIAL_SHORT}"] {
        assert!(text.contains(&format!("SYMLINK+=\"infusewatch/{name}")));
    }
}

/// Sends one of each; does nothing where no service manager listens. Run again by the next test with a
/// socket in its environment, which a test may not change for itself.
#[test]
fn says_everything_once() {
    let systemd = Notifier;
    systemd.ready();
    systemd.watchdog();
    systemd.status("monitoring");
    systemd.stopping();
}

#[test]
fn messages_reach_the_service_manager() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "systemd::says_everything_once"])
        .env("NOTIFY_SOCKET", &path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let mut buffer = [0; 256];
    for expected in ["READY=1", "WATCHDOG=1", "STATUS=monitoring", "STOPPING=1"] {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..length]).trim(), expected);
    }
}
