//! The byte stream: every row of the framer's table, and damage of every kind.

use super::hl7_rig::{
    MSH, Rig, at, discarded, faults, frame, frames, lines, message, observations, obx, sent,
};
use infusewatch::protocol::{Event, Events, Fault, Medium};
use infusewatch::vocabulary::Moment;
use proptest::prelude::*;
use std::time::Duration;

fn good() -> Vec<u8> {
    message(&[obx("147842^^MDC", "1.1.1.1", "80", "264864^^MDC", "", "R")])
}

/// Two good messages are found in `stream`.
fn rates(events: &Events) -> Vec<String> {
    lines(&observations(events))
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn the_framers_table() {
    let good = good();
    let content = &good[1..good.len() - 2];
    let no_trailer = &good[..good.len() - 1];
    for (what, stream, messages, expected, lost) in [
        (
            "one read, two messages",
            join(&[&good, &good]),
            2,
            vec![],
            0,
        ),
        (
            "padding between frames",
            join(&[b"\0\r\n", &good, b"\n\0", &good]),
            2,
            vec![],
            5,
        ),
        (
            "noise before and between",
            join(&[b"abc", &good, b"def", &good]),
            2,
            vec![Fault::Noise; 2],
            6,
        ),
        (
            "sender restarts",
            join(&[&good[..50], &good]),
            1,
            vec![Fault::Truncated],
            50,
        ),
        ("start block twice", join(&[b"\x0B", &good]), 1, vec![], 0),
        ("trailer left out", join(&[no_trailer, &good]), 2, vec![], 0),
        (
            "trailer replaced",
            join(&[no_trailer, b"x", &good]),
            2,
            vec![Fault::Noise],
            1,
        ),
        (
            "end block alone",
            join(&[b"\x1C\r", &good]),
            1,
            vec![Fault::Noise],
            2,
        ),
        (
            "empty frame",
            join(&[b"\x0B\x1C\r", &good]),
            1,
            vec![Fault::BadMessage],
            0,
        ),
        (
            "no HL7 in the frame",
            join(&[b"\x0BGET / HTTP/1.1\x1C\r", &good]),
            1,
            vec![Fault::BadMessage],
            0,
        ),
        (
            "byte order mark",
            join(&[b"\x0B\xEF\xBB\xBF", content, b"\x1C\r"]),
            1,
            vec![],
            0,
        ),
        (
            "blank lines before the header",
            join(&[b"\x0B\r\n\r\n", content, b"\x1C\r"]),
            1,
            vec![],
            0,
        ),
    ] {
        let events = Rig::new(&[]).receive(&stream);
        assert_eq!(rates(&events), vec!["hr 80"; messages], "{what}");
        assert_eq!(frames(&events), messages, "{what}");
        assert_eq!(faults(&events), expected, "{what}");
        assert_eq!(discarded(&events), lost, "{what}");
    }
}

#[test]
fn utf_16_is_refused_and_the_next_message_is_taken() {
    let wide = |low_first: bool| {
        let mut bytes = vec![0x0B];
        for unit in "\u{FEFF}MSH|^~\\&|A\rOBX|1|NM|147842^^MDC||80\r".encode_utf16() {
            bytes.extend(if low_first {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            });
        }
        bytes.extend(b"\x1C\r");
        bytes
    };
    for low_first in [true, false] {
        let events = Rig::new(&[]).receive(&join(&[&wide(low_first), &good()]));
        assert_eq!(faults(&events), [Fault::BadCharset]);
        assert_eq!(rates(&events), ["hr 80"]);
    }
}

#[test]
fn an_overlong_frame_is_dropped_and_its_sender_told() {
    let limit = 4_096;
    let mut long = frame(&[MSH, &"x".repeat(3 * limit)]);
    long.extend(good());
    let mut rig = Rig::new(&[("max-frame", "4096")]);
    let events = rig.receive(&long);
    assert_eq!(faults(&events), [Fault::Oversized]);
    assert_eq!(rates(&events), ["hr 80"]);
    assert_eq!(
        discarded(&events),
        u64::try_from(long.len() - good().len()).unwrap() - 1
    );
    let answers = sent(&events);
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("MSA|CE|C17|"));
    // Exactly at the limit it is taken.
    let mut exact = good();
    let fill = limit - (exact.len() - 3);
    exact.splice(exact.len() - 2..exact.len() - 2, vec![b' '; fill]);
    assert_eq!(
        rates(&Rig::new(&[("max-frame", "4096")]).receive(&exact)),
        ["hr 80"]
    );
    exact.splice(exact.len() - 2..exact.len() - 2, [b' ']);
    assert_eq!(
        faults(&Rig::new(&[("max-frame", "4096")]).receive(&exact)),
        [Fault::Oversized]
    );
}

#[test]
fn a_frame_that_is_cut_off_is_a_fault_and_never_a_message() {
    let good = good();
    for length in 1..good.len() - 2 {
        let mut rig = Rig::new(&[]);
        assert_eq!(rig.receive(&good[..length]), [], "{length}");
        let events = rig.closed();
        assert_eq!(
            events,
            [
                Event::Fault(Fault::Truncated),
                Event::Discarded(length as u64)
            ],
            "{length}"
        );
        assert_eq!(rig.closed(), []);
    }
}

#[test]
fn a_frame_must_be_finished_within_thirty_seconds() {
    let good = good();
    let mut rig = Rig::new(&[]);
    let mut events = Events::new();
    assert_eq!(rig.session.deadline(), None);
    rig.session.receive(at(100), &good[..40], &mut events);
    assert_eq!(rig.session.deadline(), Some(Moment::from_secs(130)));
    // More of the same frame does not move it.
    rig.session.receive(at(129), &good[40..50], &mut events);
    assert_eq!(
        rig.session.deadline(),
        Some(Moment::from_secs(100).after(Duration::from_secs(30)))
    );
    rig.session.expire(at(129), &mut events);
    assert_eq!(events, []);
    rig.session.expire(at(130), &mut events);
    assert_eq!(events, [Event::Fault(Fault::Timeout), Event::Discarded(50)]);
    assert_eq!(rig.session.deadline(), None);
    // The rest of it is noise; the next message is taken.
    events.clear();
    rig.session.receive(at(131), &good[50..], &mut events);
    rig.session.receive(at(131), &good, &mut events);
    assert_eq!(rates(&events), ["hr 80"]);
    assert_eq!(rig.session.deadline(), None);
    // The deadline holds even if nobody called in time.
    events.clear();
    rig.session.receive(at(200), &good[..40], &mut events);
    rig.session.receive(at(231), &good[40..], &mut events);
    assert_eq!(faults(&events), [Fault::Timeout, Fault::Noise]);
}

#[test]
fn a_capture_without_frames_is_read_only_on_request() {
    let good = good();
    let bare = &good[1..good.len() - 2];
    let two = join(&[bare, b"\r\n", bare]);
    let events = Rig::new(&[]).receive(&two);
    assert_eq!(
        (rates(&events).len(), faults(&events)),
        (0, vec![Fault::Noise])
    );
    for chunk in [1, 7, two.len()] {
        let mut rig = Rig::new(&[("unframed", "true")]);
        let mut events = Events::new();
        for piece in two.chunks(chunk) {
            events.extend(rig.receive(piece));
        }
        events.extend(rig.closed());
        assert_eq!(rates(&events), ["hr 80", "hr 80"], "{chunk}");
        assert_eq!(faults(&events), []);
        assert_eq!(rig.commit(&events, true).len(), 2, "answered though closed");
    }
    // A framed capture is still read as one.
    let mut rig = Rig::new(&[("unframed", "true")]);
    assert_eq!(
        rates(&rig.receive(&join(&[&good, &good]))),
        ["hr 80", "hr 80"]
    );
}

#[test]
fn a_datagram_is_complete_or_nothing() {
    let good = good();
    let mut rig = Rig::on(Medium::Datagram, &[]);
    assert_eq!(faults(&rig.receive(&good[..60])), [Fault::Truncated]);
    assert_eq!(rates(&rig.receive(&good)), ["hr 80"]);
}

#[test]
fn a_million_random_bytes_end_in_the_next_good_message() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut noise = Vec::with_capacity(1 << 20);
    while noise.len() < 1 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    let mut rig = Rig::new(&[]);
    for piece in noise.chunks(1_460) {
        assert_eq!(observations(&rig.receive(piece)), []);
    }
    let events = rig.receive(&good());
    assert_eq!(rates(&events), ["hr 80"]);
}

#[test]
fn an_endless_frame_holds_no_more_than_the_limit() {
    let mut rig = Rig::new(&[("max-frame", "65536")]);
    let _ = rig.receive(b"\x0BMSH|^~\\&|");
    let mut lost = 0;
    for _ in 0..1_000 {
        lost += discarded(&rig.receive(&[b'x'; 1_000]));
    }
    assert_eq!(lost, 1_000_000 + 9);
    assert_eq!(rates(&rig.receive(&good())), ["hr 80"]);
}

#[test]
fn many_deep_rows_take_linear_time() {
    // Every row a new module with a time, every second one a metric that looks for it.
    let mut segments = vec![MSH.to_owned()];
    for n in 1..40_000 {
        segments.push(format!("OBX||ST|69798|{n}.0.0.0|||||||X|||20260301101500"));
        segments.push(format!("OBX||NM|147842|{n}.1.1.1|80|264864|||||R"));
    }
    let rows: Vec<_> = segments.iter().map(String::as_str).collect();
    let events = Rig::new(&[]).receive(&frame(&rows));
    assert_eq!(frames(&events), 1);
}

/// Events with what was discarded summed up, because its grouping depends on the reads.
fn summed(events: Events) -> (Events, u64) {
    let lost = discarded(&events);
    let rest = events
        .into_iter()
        .filter(|event| !matches!(event, Event::Discarded(_)))
        .collect();
    (rest, lost)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_cut_of_the_stream_does_not_matter(
        cuts in prop::collection::vec(1_usize..80, 1..60),
        pieces in prop::collection::vec(0_usize..7, 1..8),
    ) {
        let good = good();
        let shapes: [&[u8]; 7] = [
            &good,
            &good[..good.len() - 1],
            &good[..good.len() / 2],
            b"noise",
            b"\r\n\0",
            b"\x0B\x1C\r",
            &good[1..],
        ];
        let stream: Vec<u8> = pieces.iter().flat_map(|&n| shapes[n]).copied().collect();
        let mut whole = Rig::new(&[]);
        let mut expected = whole.receive(&stream);
        expected.extend(whole.closed());
        let mut cut = Rig::new(&[]);
        let mut events = Events::new();
        let mut rest = stream.as_slice();
        for &length in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            events.extend(cut.receive(piece));
            rest = behind;
        }
        events.extend(cut.closed());
        prop_assert_eq!(summed(events), summed(expected));
    }

    #[test]
    fn garbage_never_panics_and_never_costs_the_next_message(
        garbage in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\x0B\x1C\r\n|^~\\&MSHOBX0123456789.".as_slice()),
            ],
            0..400,
        ),
        unframed: bool,
    ) {
        let options: &[_] = if unframed { &[("unframed", "true")] } else { &[] };
        let mut rig = Rig::new(options);
        let _ = rig.receive(&garbage);
        let events = rig.receive(&join(&[b"\x1C\r", &good()]));
        let found = rates(&events);
        prop_assert_eq!(found.last().map(String::as_str), Some("hr 80"));
    }

    #[test]
    fn garbage_in_a_frame_never_panics(
        tail in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\r\n|^~\\&MSHOBXPIDOBR0123456789.NA".as_slice()),
            ],
            0..600,
        ),
    ) {
        let mut bytes = frame(&[MSH]);
        bytes.splice(bytes.len() - 2..bytes.len() - 2, tail);
        let mut rig = Rig::new(&[]);
        let _ = rig.receive(&bytes);
        let found = rates(&rig.receive(&join(&[b"\x1C\r", &good()])));
        prop_assert_eq!(found.last().map(String::as_str), Some("hr 80"));
    }

    #[test]
    fn flipped_bits_cost_only_their_own_message(
        flips in prop::collection::vec((0_usize..10_000, 0_u32..8), 1..6),
    ) {
        let mut damaged = message(&[
            obx("150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.2.1.1", "97", "262688^^MDC", "", "R"),
            obx("150344^MDC_TEMP^MDC", "1.2.1.1", "36.6", "268192^^MDC", "", "R"),
        ]);
        for (place, bit) in flips {
            let place = place % damaged.len();
            damaged[place] ^= 1 << bit;
        }
        let good = good();
        let events = Rig::new(&[]).receive(&join(&[&good, &damaged, &good, &good]));
        let found = rates(&events);
        prop_assert_eq!(found.first().map(String::as_str), Some("hr 80"));
        prop_assert_eq!(found.last().map(String::as_str), Some("hr 80"));
    }
}
