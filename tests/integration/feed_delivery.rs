//! What reaches the engine, in which order, and what becomes of the rest: identities, commits, waves,
//! a full queue, a peer that does not read.

use crate::feed_stand::{PATIENCE, QUICK, Stand, changed, monitored, nowhere};
use infusewatch::configuration::{Feed, Ours};
use infusewatch::engine::{FeedState, HealthItem, Input};
use infusewatch::feed::{Opened, Opener, Opening, Stream, Timings};
use infusewatch::inbox::Delivery;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Opens what the test hands in, in order; afterwards every attempt fails.
struct Scripted(VecDeque<io::Result<DuplexStream>>, Arc<Mutex<u64>>);

impl Opener for Scripted {
    fn open(&mut self) -> Opening<'_> {
        *self.1.lock().unwrap() += 1;
        let next = self.0.pop_front();
        Box::pin(async move {
            let stream = next.unwrap_or_else(|| Err(io::Error::other("unplugged")))?;
            Ok(Opened::Link(Box::new(Stream(stream))))
        })
    }
}

/// The device's end of a feed's only link.
struct Wire {
    stand: Stand,
    device: DuplexStream,
    attempts: Arc<Mutex<u64>>,
}

impl Wire {
    fn plug(feed: Feed, timings: Timings, capacity: usize) -> Self {
        let (device, ours) = tokio::io::duplex(4_096);
        let attempts = Arc::default();
        let opener = Scripted(VecDeque::from([Ok(ours)]), Arc::clone(&attempts));
        let stand = Stand::run_with(feed, timings, capacity, Box::new(opener));
        Self {
            stand,
            device,
            attempts,
        }
    }

    fn new() -> Self {
        Self::plug(monitored(nowhere()), QUICK, 4_096)
    }

    fn say(&mut self, text: &str) {
        let writing = self.device.write_all(text.as_bytes());
        self.stand.runtime().block_on(writing).unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = Vec::new();
        let device = &mut self.device;
        self.stand.runtime().block_on(async {
            let reading = async {
                while line.last() != Some(&b'\n') {
                    line.push(device.read_u8().await.unwrap());
                }
            };
            tokio::time::timeout(PATIENCE, reading)
                .await
                .expect("nothing was sent");
        });
        String::from_utf8(line).unwrap()
    }

    /// The inputs up to the one that ends with a heart rate of 1.
    fn inputs(&mut self) -> Vec<Input> {
        self.say("hr 1\n");
        let mut inputs = Vec::new();
        loop {
            let input = self.stand.input();
            let is_mark = matches!(&input, Input::Reading { observation, .. }
                if observation.reading.value().is_some_and(|value| value.to_string() == "1"));
            if is_mark {
                return inputs;
            }
            inputs.push(input);
        }
    }
}

fn beds(inputs: &[Input]) -> Vec<String> {
    inputs
        .iter()
        .filter_map(|input| {
            let Input::Identity { identity, .. } = input else {
                return None;
            };
            identity.bed.as_deref().map(str::to_owned)
        })
        .collect()
}

fn alive(inputs: &[Input]) -> usize {
    inputs
        .iter()
        .filter(|input| matches!(input, Input::Alive { .. }))
        .count()
}

#[test]
fn a_sign_of_life_comes_before_the_readings_and_once_a_second_at_most() {
    let mut wire = Wire::new();
    wire.say("bad\nhr 60\nhr 61\nhr 62\n");
    let inputs = wire.inputs();
    assert!(matches!(
        inputs[0],
        Input::Feed {
            state: FeedState::Ok,
            ..
        }
    ));
    assert!(
        matches!(inputs[1], Input::Alive { .. }),
        "a bad frame is no sign of life: {inputs:?}"
    );
    assert!(matches!(inputs[2], Input::Reading { .. }));
    assert!(alive(&inputs) <= 2);
}

#[test]
fn an_identity_is_announced_before_its_readings_and_only_when_it_changes() {
    let mut wire = Wire::new();
    wire.say("bed A\nhr 60\nbed A\nhr 61\nbed B\nbed A\nhr 62\nbed B\nhr 63\n");
    let inputs = wire.inputs();
    assert_eq!(
        beds(&inputs),
        ["A", "B"],
        "an identity without a reading concerns nobody"
    );
    let first = inputs
        .iter()
        .position(|input| matches!(input, Input::Identity { .. }));
    let reading = inputs
        .iter()
        .position(|input| matches!(input, Input::Reading { .. }));
    assert!(first < reading);
}

#[test]
fn readings_of_another_bed_are_acknowledged_counted_and_go_nowhere() {
    let feed = changed(monitored(nowhere()), |feed| {
        feed.ours = Ours {
            bed: Some("CHAIR3".into()),
            ..Ours::default()
        };
    });
    let mut wire = Wire::plug(feed, QUICK, 4_096);
    wire.say("hr 59\nbed CHAIR4\nspo2 50\nwave\nsave\n");
    wire.stand.barrier()(true);
    assert_eq!(wire.hear(), "saved 1\n");
    wire.say("bed CHAIR3\nspo2 97\n");
    let inputs = wire.inputs();
    assert_eq!(beds(&inputs), ["CHAIR3"]);
    assert_eq!(
        alive(&inputs),
        1,
        "only our own bed is a sign of our patient's life"
    );
    let readings = inputs
        .iter()
        .filter(|input| matches!(input, Input::Reading { .. }));
    assert_eq!(readings.count(), 1);
    assert_eq!(wire.stand.count(|counters| &counters.not_ours), 3);
    assert!(
        wire.stand.waves.try_recv().is_err(),
        "nor is a stranger's wave shown"
    );
}

#[test]
fn a_sender_waits_for_the_record_and_hears_the_truth() {
    let mut wire = Wire::new();
    for durable in [true, false] {
        wire.say("hr 60\nsave\n");
        assert_eq!(
            wire.stand.reading(),
            "hr 60",
            "judging does not wait for the record"
        );
        wire.stand.barrier()(durable);
        let wanted = if durable { "saved 1\n" } else { "lost 2\n" };
        assert_eq!(wire.hear(), wanted);
    }
    wire.say("save\nsave\n");
    let (first, second) = (wire.stand.barrier(), wire.stand.barrier());
    second(false);
    first(true);
    assert_eq!(wire.hear(), "saved 3\n", "in the order of the questions");
    assert_eq!(wire.hear(), "lost 4\n");
}

/// A journal that answers too late.
const IMPATIENT: Timings = Timings {
    commit: Duration::from_millis(50),
    ..QUICK
};

#[test]
fn a_sender_is_told_when_the_record_does_not_answer_in_time() {
    let mut wire = Wire::plug(monitored(nowhere()), IMPATIENT, 4_096);
    wire.say("save\nhr 60\n");
    let late = wire.stand.barrier();
    assert_eq!(wire.hear(), "lost 1\n");
    late(true);
    assert_eq!(wire.stand.reading(), "hr 60");
    wire.say("say still here\n");
    assert_eq!(
        wire.hear(),
        "still here\n",
        "the late answer changes nothing"
    );
}

#[test]
fn waves_come_after_the_readings_that_came_with_them() {
    let mut wire = Wire::new();
    wire.say("wave\nhr 60\nhr 61\n");
    let (wave, waiting) = wire.stand.waves.recv_timeout(PATIENCE).unwrap();
    assert_eq!(&*wave.feed, "monitor");
    assert_eq!(wave.chunk.samples.len(), 3);
    assert!(
        waiting >= 4,
        "feed state, sign of life and both readings were offered before: {waiting}"
    );
}

#[test]
fn a_sessions_deadline_is_kept() {
    let mut wire = Wire::new();
    wire.say("soon\n");
    assert_eq!(wire.stand.reading(), "hr 77");
}

#[test]
fn a_peer_that_does_not_read_is_dropped_and_the_feed_goes_on() {
    let mut wire = Wire::new();
    wire.say("flood 100000\nhr 60\n");
    assert_eq!(
        wire.stand.reading(),
        "hr 60",
        "its readings are taken all the same"
    );
    assert_eq!(wire.stand.state(), FeedState::Lost);
    let mut wire = Wire::new();
    wire.say("flood 2000000\n");
    assert_eq!(wire.stand.state(), FeedState::Ok);
    assert_eq!(
        wire.stand.state(),
        FeedState::Lost,
        "and at once when too much waits for it"
    );
}

#[test]
fn a_lost_transport_is_said_once_and_tried_for_ever() {
    let mut wire = Wire::new();
    assert_eq!(wire.stand.state(), FeedState::Ok);
    drop(std::mem::replace(&mut wire.device, tokio::io::duplex(1).0));
    assert_eq!(wire.stand.state(), FeedState::Lost);
    while *wire.attempts.lock().unwrap() < 5 {
        std::thread::yield_now();
    }
    assert!(wire.stand.engine.try_recv().is_err());
    wire.stand.stop();
}

#[test]
fn an_opening_that_hangs_is_given_up_and_does_not_stop_the_stop() {
    struct Hanging;
    impl Opener for Hanging {
        fn open(&mut self) -> Opening<'_> {
            Box::pin(std::future::pending())
        }
    }
    let timings = Timings {
        open: Duration::from_millis(30),
        ..QUICK
    };
    let mut stand = Stand::run_with(monitored(nowhere()), timings, 16, Box::new(Hanging));
    assert_eq!(stand.state(), FeedState::Lost);
    stand.was_tried();
    stand.stop();
}

#[test]
fn a_full_queue_keeps_cuff_readings_leaves_the_wire_unread_and_loses_only_old_numbers() {
    let mut wire = Wire::plug(monitored(nowhere()), QUICK, 2);
    // The queue holds the feed's state and the sign of life; everything else finds it full.
    wire.say("spo2 97\nspo2 96\nspo2 84\n");
    wire.stand.counted(|counters| &counters.overwritten, 2);
    wire.say("sys 181\n");
    wire.stand.counted(|counters| &counters.bytes, 32);
    wire.say("sys 182\nspo2 83\n");
    assert!(!wire.stand.status.health(HealthItem::QueueFull).ok());
    let mut readings = Vec::new();
    let mut queue_full = None;
    while readings.last().is_none_or(|last| last != "spo2 83") {
        let input = wire.stand.input();
        if let Input::Reading { observation, .. } = &input {
            let value = observation.reading.value().unwrap();
            readings.push(format!("{} {value}", observation.parameter));
        } else if let Input::Health { what, ok, .. } = input {
            queue_full = Some((what, ok));
        }
    }
    assert_eq!(
        readings,
        ["spo2 84", "nibp-sys 181", "nibp-sys 182", "spo2 83"]
    );
    assert_eq!(queue_full, Some((HealthItem::QueueFull, false)));
    assert_eq!(wire.stand.count(|counters| &counters.overwritten), 2);
}

#[test]
fn a_full_queue_also_holds_the_question_for_the_record_in_its_place() {
    let mut wire = Wire::plug(monitored(nowhere()), IMPATIENT, 1);
    wire.say("hr 60\nsave\n");
    assert_eq!(
        wire.hear(),
        "lost 1\n",
        "the engine stands still: nothing was recorded"
    );
    let mut seen = Vec::new();
    while seen.last() != Some(&"barrier") {
        seen.push(match wire.stand.delivery() {
            Delivery::Input {
                input: Input::Reading { .. },
                ..
            } => "reading",
            Delivery::Input { .. } => "other",
            Delivery::Barrier(_) => "barrier",
            Delivery::Command { .. } => "command",
        });
    }
    assert_eq!(seen, ["other", "other", "reading", "barrier"]);
}

#[test]
fn what_was_read_before_a_stop_is_delivered() {
    let mut wire = Wire::new();
    wire.say("hr 60\nhr 6");
    assert_eq!(wire.stand.reading(), "hr 60");
    wire.stand.counted(|counters| &counters.bytes, 10);
    wire.stand.stop();
    assert_eq!(
        wire.stand.count(|counters| &counters.faults),
        1,
        "the cut line is counted"
    );
}
