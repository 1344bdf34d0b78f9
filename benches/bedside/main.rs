//! One bed on the bench: the whole daemon with a monitor that sends four 250 Hz waves over MLLP, measured from
//! outside and printed as a table, each figure beside its bar and, where there is one, beside what the machine
//! itself needs for the same thing.
//!
//! `cargo bench --bench bedside [-- PART…]` with the parts `decided`, `durable`, `footprint`, `restart`; without any,
//! all of them. It takes about four minutes and wants an otherwise quiet machine.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a bench may fail loudly, and it measures with the machine's clock"
)]

mod bed;
mod footprint;
mod latency;
mod monitor;
mod peer;
mod restart;

use std::time::Duration;

/// One line of the table.
fn report(what: &str, figure: &str, bar: &str) {
    println!("{what:<66} {figure:>30}   {bar}");
}

/// Times in the order of their length.
struct Times(Vec<Duration>);

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty());
        times.sort_unstable();
        Self(times)
    }

    /// The time that `share` of all do not exceed.
    fn within(&self, share: f64) -> Duration {
        let place = (self.0.len() as f64 * share).ceil() as usize;
        self.0[place.clamp(1, self.0.len()) - 1]
    }

    fn micros(&self, share: f64) -> f64 {
        self.within(share).as_secs_f64() * 1e6
    }

    fn millis(&self, share: f64) -> f64 {
        self.within(share).as_secs_f64() * 1e3
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--player") => return peer::player(&arguments[1]),
        Some("--idle") => return peer::idle(),
        _ => {}
    }
    let asked: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|asked| *asked == part);
    if wanted("decided") {
        latency::decided();
    }
    if wanted("durable") {
        latency::durable_and_shown();
    }
    if wanted("footprint") {
        footprint::measure();
    }
    if wanted("restart") {
        restart::measure();
    }
}
