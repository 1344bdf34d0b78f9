//! Every decoder on two minutes of its simulated device: bytes and observations a second, allocations, beside the
//! same bytes merely copied. `cargo bench --bench feeds`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench may fail loudly"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use infusewatch::protocol::{Event, Events, Protocol, REGISTRY, Session, SessionOptions};
use infusewatch::simulator::{Heard, Scenario, overheard};
use infusewatch::vocabulary::Now;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    for protocol in protocols() {
        let heard = stream(protocol);
        let read = read(protocol, &heard);
        println!(
            "{}: {} bytes, {} frames, {} observations",
            protocol.name, read.bytes, read.frames, read.observations
        );
    }
    divan::main();
}

fn protocols() -> impl Iterator<Item = &'static Protocol> {
    REGISTRY
        .iter()
        .filter(|protocol| !protocol.parameters.is_empty())
}

fn names() -> Vec<&'static str> {
    protocols().map(|protocol| protocol.name).collect()
}

fn stream(protocol: &Protocol) -> Vec<Heard> {
    let scenario = Arc::new(Scenario::named("ketamine").unwrap());
    let options = SessionOptions::default();
    overheard(protocol, &options, scenario, Duration::from_secs(120)).unwrap()
}

#[derive(Default)]
struct Read {
    bytes: u64,
    frames: u64,
    observations: u64,
}

impl Read {
    fn take(&mut self, session: &mut dyn Session, now: Now, events: &mut Events) {
        while let Some(event) = events.pop() {
            match event {
                Event::Frame => self.frames += 1,
                Event::Observation(observation) => {
                    black_box(&observation);
                    self.observations += 1;
                }
                Event::AwaitCommit(token) => session.committed(now, token, true, events),
                Event::Identity(_)
                | Event::DeviceAlert(_)
                | Event::PumpEvent(_)
                | Event::Wave(_)
                | Event::Send(_)
                | Event::Fault(_)
                | Event::Discarded(_) => {}
            }
        }
    }
}

/// One session over the whole stream, asking when it would ask.
fn read(protocol: &Protocol, heard: &[Heard]) -> Read {
    let mut session = (protocol.open)(&SessionOptions::default()).unwrap();
    let mut events = Events::new();
    let mut read = Read::default();
    let Some(first) = heard.first() else {
        return read;
    };
    session.opened(first.at, &mut events);
    for Heard { at, bytes } in heard {
        while session.deadline().is_some_and(|due| due < at.moment) {
            session.expire(*at, &mut events);
        }
        session.receive(*at, bytes, &mut events);
        read.bytes += bytes.len() as u64;
        read.take(&mut *session, *at, &mut events);
    }
    read
}

fn find(name: &str) -> &'static Protocol {
    protocols().find(|protocol| protocol.name == name).unwrap()
}

#[divan::bench(args = names(), max_time = 1)]
fn decoded(bencher: Bencher<'_, '_>, name: &str) {
    let protocol = find(name);
    let heard = stream(protocol);
    let once = read(protocol, &heard);
    bencher
        .counter(BytesCount::new(once.bytes))
        .counter(ItemsCount::new(once.observations))
        .bench_local(|| read(protocol, &heard).observations);
}

/// The limit: the same pieces copied into one place.
#[divan::bench(args = names(), max_time = 1)]
fn copied(bencher: Bencher<'_, '_>, name: &str) {
    let heard = stream(find(name));
    let bytes: u64 = heard.iter().map(|one| one.bytes.len() as u64).sum();
    let mut place = Vec::new();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        place.clear();
        for one in &heard {
            place.extend_from_slice(black_box(&one.bytes));
        }
        place.len()
    });
}
