//! `status`: asks the running daemon how it is, for people and for scripts.

use super::check_config::load;
use super::{ExitStatus, Failure};
use crate::display::client;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Command line of `status`.
#[derive(clap::Args, Debug)]
pub struct StatusArguments {
    /// The daemon's configuration; without it the runtime directory of the service is asked.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the whole board as JSON.
    #[arg(long)]
    pub json: bool,
}

impl StatusArguments {
    /// Asks the daemon of this configuration, or the one of the service.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let runtime_dir = match &self.config {
            Some(file) => load(file)?.display.runtime_dir,
            None => PathBuf::from(SERVICE_RUNTIME_DIR),
        };
        run(&runtime_dir, self.json)
    }
}

/// Where systemd puts the service's runtime directory.
const SERVICE_RUNTIME_DIR: &str = "/run/infusewatch";

/// Prints the state of the daemon whose runtime directory this is. Exit status: healthy, a technical
/// alarm, or no daemon.
pub fn run(runtime_dir: &Path, json: bool) -> Result<ExitStatus, Failure> {
    let body = match ask(runtime_dir) {
        Ok(body) => body,
        Err(why) => return Err(Failure::new(ExitStatus::NoDaemon, why)),
    };
    let board: Value = serde_json::from_str(&body).map_err(|error| {
        Failure::new(
            ExitStatus::NoDaemon,
            format!("the answer is not a board: {error}; is another program on this port?"),
        )
    })?;
    let (text, status) = describe(&board);
    let text = if json { format!("{body}\n") } else { text };
    // A reader that went away (`| head`) is no failure of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(status)
}

fn ask(runtime_dir: &Path) -> Result<String, String> {
    let address = client::address(runtime_dir).ok_or_else(|| {
        format!(
            "no daemon: {} holds no address; start the service, or name its configuration with --config",
            runtime_dir.display()
        )
    })?;
    match client::get(address, "/api/v1/now") {
        Ok((200, body)) => Ok(body),
        Ok((status, _)) => Err(format!(
            "{address} answers with {status}; is another program on this port?"
        )),
        Err(error) => Err(format!(
            "no daemon answers at {address}: {error}; see its log"
        )),
    }
}

/// The board in a few lines, and what it means.
fn describe(board: &Value) -> (String, ExitStatus) {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let list = |name: &str| {
        board
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let at = |path: &str| board.pointer(path).cloned().unwrap_or(Value::Null);
    let mut lines = vec![format!(
        "{}: {}, infusewatch {}",
        text(&at("/bed")),
        text(&at("/phase")),
        text(&at("/display/version"))
    )];
    let mut wrong = false;
    for feed in list("feeds") {
        let field = |name: &str| feed.get(name).cloned().unwrap_or(Value::Null);
        let age = field("last_data_age_s");
        let age = if age.is_null() {
            "no data yet".to_owned()
        } else {
            format!("last data {age} s ago")
        };
        lines.push(format!(
            "feed {}: {}, {age}",
            text(&field("name")),
            text(&field("state"))
        ));
    }
    for part in ["journal", "disk", "sound", "display"] {
        if at(&format!("/health/{part}")) != Value::Bool(true) {
            wrong = true;
            lines.push(format!("{part}: does not work"));
        }
    }
    if at("/display/engine") != Value::Bool(true) {
        wrong = true;
        lines.push("engine: stands still".to_owned());
    }
    for alarm in list("alarms") {
        let field = |name: &str| alarm.get(name).map(text).unwrap_or_default();
        wrong |= field("class") == "technical";
        lines.push(format!(
            "alarm {} {}: {} ({})",
            field("priority"),
            field("class"),
            field("text"),
            field("state")
        ));
    }
    let status = if wrong {
        ExitStatus::Finding
    } else {
        ExitStatus::Done
    };
    (lines.join("\n") + "\n", status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn healthy() -> Value {
        json!({
            "bed": "Chair 3", "phase": "infusion", "alarms": [],
            "feeds": [{ "name": "monitor", "state": "ok", "last_data_age_s": 0.4 }],
            "health": { "journal": true, "disk": true, "sound": true, "display": true },
            "display": { "version": "0.1.0", "engine": true },
        })
    }

    #[test]
    fn a_healthy_daemon_is_done() {
        let (text, status) = describe(&healthy());
        assert_eq!(status, ExitStatus::Done);
        assert_eq!(
            text,
            "Chair 3: infusion, infusewatch 0.1.0\nfeed monitor: ok, last data 0.4 s ago\n"
        );
    }

    #[test]
    fn a_patient_alarm_is_no_finding_but_a_technical_one_is() {
        let with = |class: &str| {
            let mut board = healthy();
            board["alarms"] =
                json!([{ "class": class, "priority": "high", "text": "x", "state": "active" }]);
            describe(&board).1
        };
        assert_eq!(with("physiological"), ExitStatus::Done);
        assert_eq!(with("technical"), ExitStatus::Finding);
    }

    #[test]
    fn what_does_not_work_or_is_not_said_is_a_finding() {
        for path in ["/health/sound", "/health/journal", "/display/engine"] {
            let mut board = healthy();
            *board.pointer_mut(path).unwrap() = json!(false);
            assert_eq!(describe(&board).1, ExitStatus::Finding, "{path}");
        }
        assert_eq!(describe(&json!({})).1, ExitStatus::Finding);
    }
}
