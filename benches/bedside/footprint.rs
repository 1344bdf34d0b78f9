//! What one bed costs the machine: memory, processor, disk. From `/proc`, over [`WINDOW`].

use crate::bed::{Bed, Sound};
use crate::report;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(20);

/// A value of a `/proc` file with lines `name: value …`.
fn value(process: u32, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
    word.unwrap().parse().unwrap()
}

/// Processor time of every thread, to the nanosecond, with the threads' names.
fn processor(process: u32) -> Vec<(String, u64)> {
    let mut threads: Vec<_> = fs::read_dir(format!("/proc/{process}/task"))
        .unwrap()
        .filter_map(|thread| {
            let path = thread.ok()?.path();
            let name = fs::read_to_string(path.join("comm")).ok()?;
            let times = fs::read_to_string(path.join("schedstat")).ok()?;
            let spent = times.split_whitespace().next()?.parse().ok()?;
            Some((
                format!("{}/{}", path.file_name()?.to_str()?, name.trim()),
                spent,
            ))
        })
        .collect();
    threads.sort();
    threads
}

/// Share of one core over the window, in percent, and the same per thread.
fn load(process: u32) -> (f64, String) {
    let begun = Instant::now();
    let before = processor(process);
    std::thread::sleep(WINDOW);
    let after = processor(process);
    let spent = begun.elapsed().as_nanos() as f64;
    let mut all = 0.0;
    let mut each = Vec::new();
    for (thread, time) in after {
        let earlier = before.iter().find(|(known, _)| *known == thread);
        let share = 100.0 * (time - earlier.map_or(0, |(_, time)| *time)) as f64 / spent;
        all += share;
        let name = thread.split_once('/').map_or("", |(_, name)| name);
        each.push(format!("{name} {share:.2}"));
    }
    (all, each.join(", "))
}

pub fn measure() {
    let mut other = Command::new(std::env::current_exe().unwrap())
        .arg("--idle")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let (share, _) = load(other.id());
    report(
        "  an idle tokio program: processor / resident memory",
        &format!(
            "{share:.2} % / {:.1} MB",
            megabytes(value(other.id(), "status", "VmRSS"))
        ),
        "(limit)",
    );
    other.kill().unwrap();
    other.wait().unwrap();
    for (sound, how) in [(Sound::None, "no player"), (Sound::Swallowed, "a player")] {
        one(sound, how);
    }
}

fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1_024.0 / 1e6
}

fn one(sound: Sound, how: &str) {
    let bed = Bed::new(sound);
    let daemon = bed.run();
    let process = daemon.id();
    let processor = |what: &str, bar: &str| {
        let (share, threads) = load(process);
        report(&format!("{what}, {how}"), &format!("{share:.2} %"), bar);
        println!("    {threads}");
    };
    processor(
        "processor, nothing connected",
        "idle: at most 0.5 % of a core",
    );
    let mut monitor = bed.monitor();
    bed.infuse(&mut monitor);
    let flow = bed.monitor().flowing(Some(Duration::from_secs(1)));
    let begun = Instant::now();
    let written = value(process, "io", "write_bytes");
    processor("processor, four 250 Hz waves and numerics", "");
    let written = value(process, "io", "write_bytes") - written;
    let day = written as f64 / begun.elapsed().as_secs_f64() * 86_400.0;
    report(
        &format!("resident memory, four waves, {how}"),
        &format!("{:.1} MB", megabytes(value(process, "status", "VmRSS"))),
        "at most 20 MB",
    );
    report(
        &format!("written to disk a day at this rate, {how}"),
        &format!("{:.2} GB", day / 1e9),
        "at most 2 GB",
    );
    drop(flow);
}
