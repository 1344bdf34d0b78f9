//! Stories for the alarm tests: lines for `judge`, told in the order of time, and what it answers.

use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// A timeline for `judge`.
#[derive(Clone, Default)]
pub struct Story {
    lines: Vec<(f64, Value)>,
}

/// What `judge` said.
pub struct Told(pub Vec<Value>);

impl Story {
    /// A session opened at zero.
    pub fn opened() -> Self {
        Self::default().command(0.0, json!({"command": "open-session"}))
    }

    /// A session with a baseline (SpO2 97, HR 70, 120/80) whose infusion starts at 600 s. The monitor
    /// goes on with the same SpO2 and HR every second up to `until`, except where `quiet` says so.
    pub fn infusing(until: u32) -> Self {
        Self::opened()
            .cuff(60.0, 120, 80)
            .cuff(300.0, 120, 80)
            .steady("spo2", 97, 1, 600)
            .steady("hr", 70, 1, until)
            .command(600.0, json!({"command": "start-infusion"}))
            .scored(600, until)
    }

    /// Sedation scores every 15 minutes, so that none is overdue.
    fn scored(mut self, from: u32, until: u32) -> Self {
        let mut at = from;
        while at <= until {
            self = self.command(
                f64::from(at),
                json!({"command": "score", "scale": "moaas", "value": 5}),
            );
            at += 900;
        }
        self
    }

    pub fn line(mut self, t: f64, value: Value) -> Self {
        self.lines.push((t, value));
        self
    }

    pub fn command(self, t: f64, mut fields: Value) -> Self {
        fields["kind"] = "command".into();
        self.line(t, fields)
    }

    pub fn reads(self, t: f64, parameter: &str, value: i64) -> Self {
        self.said_by(t, "monitor", parameter, value)
    }

    pub fn said_by(self, t: f64, feed: &str, parameter: &str, value: i64) -> Self {
        self.line(
            t,
            json!({"kind": "observation", "feed": feed, "parameter": parameter, "value": value}),
        )
    }

    pub fn refuses(self, t: f64, parameter: &str, cause: &str) -> Self {
        self.line(
            t,
            json!({"kind": "observation", "feed": "monitor", "parameter": parameter,
                   "value": null, "validity": "invalid", "cause": cause}),
        )
    }

    /// The same value every second, both ends included.
    pub fn steady(mut self, parameter: &str, value: i64, from: u32, to: u32) -> Self {
        for t in from..=to {
            self = self.reads(f64::from(t), parameter, value);
        }
        self
    }

    /// No number for the same cause every second, both ends included.
    pub fn without(mut self, parameter: &str, cause: &str, from: u32, to: u32) -> Self {
        for t in from..=to {
            self = self.refuses(f64::from(t), parameter, cause);
        }
        self
    }

    /// One cuff reading with its own time.
    pub fn cuff(mut self, t: f64, sys: i64, dia: i64) -> Self {
        for (parameter, value) in [("nibp-sys", sys), ("nibp-dia", dia)] {
            self = self.line(
                t,
                json!({"kind": "observation", "feed": "monitor", "parameter": parameter,
                       "value": value, "measured_at": t}),
            );
        }
        self
    }

    pub fn end(self, t: f64) -> Self {
        self.line(t, json!({"kind": "end"}))
    }

    /// The text that `judge` reads: by time, at one time in the order told.
    pub fn text(&self) -> String {
        let mut lines = self.lines.clone();
        lines.sort_by(|one, other| one.0.total_cmp(&other.0));
        lines
            .into_iter()
            .map(|(t, mut value)| {
                value["t"] = json!(t);
                format!("{value}\n")
            })
            .collect()
    }

    /// Runs the binary on the story.
    pub fn told(&self) -> Told {
        let output = judge(&self.text(), &[]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        Told(
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        )
    }
}

/// Runs `judge` with `input` on its standard input.
pub fn judge(input: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("judge")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A bad line ends the program before it has read everything: a broken pipe is no failure here.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

impl Told {
    /// Every record of this kind.
    pub fn kind(&self, kind: &str) -> Vec<&Value> {
        self.0
            .iter()
            .filter(|record| record["kind"] == kind)
            .collect()
    }

    /// `time event priority` of every line of a rule's alarms.
    pub fn alarms(&self, rule: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|record| record["kind"] == "alarm" && record["rule"] == rule)
            .map(|record| {
                format!(
                    "{} {} {}",
                    record["t"],
                    record["event"].as_str().unwrap(),
                    record["priority"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// The first record of a rule's alarms.
    pub fn first(&self, rule: &str) -> &Value {
        self.0
            .iter()
            .find(|record| record["kind"] == "alarm" && record["rule"] == rule)
            .unwrap_or_else(|| panic!("no {rule}"))
    }

    /// `time sounding state` of every change of the sound, without mere changes of loudness.
    pub fn audio(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        let mut last = String::new();
        for record in self.kind("audio") {
            let what = format!(
                "{} {}",
                record["sounding"].as_str().unwrap(),
                record["state"].as_str().unwrap()
            );
            if what != last {
                told.push(format!("{} {what}", record["t"]));
            }
            last = what;
        }
        told
    }

    /// `time phase` of every change.
    pub fn phases(&self) -> Vec<String> {
        self.kind("phase")
            .iter()
            .map(|record| format!("{} {}", record["t"], record["phase"].as_str().unwrap()))
            .collect()
    }

    /// `time error` of every refusal.
    pub fn refusals(&self) -> Vec<String> {
        self.kind("refused")
            .iter()
            .map(|record| {
                format!(
                    "{} {}: {}",
                    record["t"],
                    record["command"].as_str().unwrap(),
                    record["error"].as_str().unwrap()
                )
            })
            .collect()
    }
}
