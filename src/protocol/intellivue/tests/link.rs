//! The serial line: any cut, garbage, truncation and damage between good frames.

use super::super::super::event::Fault;
use super::*;
use proptest::prelude::*;

/// A good frame: one result with these two values.
fn good(sequence: u16, spo2: i64) -> Vec<u8> {
    let values = [
        numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, spo2)]),
        numeric(2, HR, None, &[number(0x4182, 0, 0x0AA0, 70)]),
    ];
    frame::encode(&result(sequence, Link::End, &values))
}

/// Everything said about a stream that comes in these pieces, without what is sent.
fn streamed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session_over(Medium::Stream, &[]);
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    events.clear();
    for piece in pieces {
        session.receive(at_ms(0), piece, &mut events);
    }
    session.closed(at_ms(0), &mut events);
    events
}

fn saturations(events: &Events) -> Vec<Reading> {
    observed(events)
        .into_iter()
        .filter(|seen| seen.parameter == Parameter::Spo2.into())
        .map(|seen| seen.reading)
        .collect()
}

#[test]
fn what_is_sent_on_a_serial_line_is_framed() {
    let mut session = session_over(Medium::Stream, &[]);
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    let release = "c01101001a09187de11661803080020101a080628080010000000000000000004108c1";
    assert_eq!(sent(&events), [from_hex(release).unwrap()]);
}

#[test]
fn joining_in_the_middle_of_a_frame_is_no_fault() {
    let stream = [&good(1, 91)[9..], &good(2, 92)[..]].concat();
    let events = streamed([&stream[..]]);
    assert_eq!(saturations(&events), [valid(92)]);
    assert_eq!(faults(&events), []);
    assert_eq!(
        summary(&events).discarded_bytes,
        good(1, 91).len() as u64 - 9
    );
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_truncated() {
    let frame = good(1, 91);
    for length in 1..frame.len() {
        let events = streamed([&frame[..length]]);
        assert_eq!(saturations(&events), []);
        assert_eq!(faults(&events), [Fault::Truncated]);
    }
}

proptest! {
    #[test]
    fn any_cut_of_the_stream_says_the_same(
        spo2 in prop::collection::vec(1..=100_i64, 1..5),
        noise in prop::collection::vec(any::<u8>(), 0..40),
        sizes in prop::collection::vec(1..50_usize, 1..20),
    ) {
        let mut stream: Vec<u8> = (1..)
            .zip(&spo2)
            .flat_map(|(sequence, spo2)| good(sequence, *spo2))
            .collect();
        stream.extend(noise);
        let whole = streamed([&stream[..]]);
        prop_assert_eq!(&streamed(stream.chunks(1)), &whole);
        let mut rest = &stream[..];
        let mut pieces = Vec::new();
        for size in sizes.iter().cycle() {
            let (piece, left) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&streamed(pieces), &whole);
        let expected: Vec<Reading> = spo2.into_iter().map(valid).collect();
        prop_assert_eq!(saturations(&whole), expected);
    }

    #[test]
    fn damage_costs_at_most_two_frames_and_brings_no_wrong_value(
        at in 0..1_000_usize,
        bit in 0..8_u32,
        cut in 0..60_usize,
    ) {
        let frames = [good(1, 91), good(2, 92), good(3, 93), good(4, 94)];
        let mut damaged = frames[1].clone();
        let place = at % damaged.len();
        damaged[place] ^= 1 << bit;
        let flipped = [&frames[0][..], &damaged, &frames[2], &frames[3]].concat();
        let shorter = &frames[1][..frames[1].len() - 1 - cut];
        let truncated = [&frames[0][..], shorter, &frames[2], &frames[3]].concat();
        for stream in [flipped, truncated] {
            let events = streamed([&stream[..]]);
            let told = saturations(&events);
            prop_assert_eq!(told, [valid(91), valid(93), valid(94)]);
            prop_assert!(!faults(&events).is_empty());
            let sums = summary(&events);
            prop_assert_eq!(sums.frames, 3);
            prop_assert!(sums.discarded_bytes > 0);
        }
    }

    #[test]
    fn garbage_never_stops_the_next_good_frame(
        garbage in prop::collection::vec(
            prop_oneof![Just(0xC0_u8), Just(0xC1), Just(0x7D), Just(0xE1), any::<u8>()], 0..3_000,
        ),
    ) {
        let stream = [&garbage[..], &good(1, 91)].concat();
        let events = streamed(stream.chunks(97));
        let told = saturations(&events);
        prop_assert_eq!(told.last(), Some(&valid(91)));
        prop_assert!(events.len() < 3 * garbage.len() + 20);
        let mut session = session_over(Medium::Datagram, &[]);
        let mut events = Events::new();
        session.opened(at_ms(0), &mut events);
        events.clear();
        for datagram in garbage.chunks(61) {
            session.receive(at_ms(0), datagram, &mut events);
        }
        let bare = result(1, Link::End, &[numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, 91)])]);
        session.receive(at_ms(0), &bare, &mut events);
        prop_assert_eq!(saturations(&events), [valid(91)]);
    }

    #[test]
    fn a_damaged_datagram_never_panics_and_never_hangs(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut message = created(&[attribute(0x091E, wire::to_text("Chair 3"))]);
        let values = [
            numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, 97)]),
            numeric(2, NBP, Some(TAKEN), &[number(0x4A05, 0, 0x0F20, 120), number(0x4A06, 0, 0x0F20, 60)]),
        ];
        let mut other = result(1, Link::Part { number: 1, is_last: false }, &values);
        for (at, byte) in flips {
            let place = at.index(message.len());
            message[place] = byte;
            let place = at.index(other.len());
            other[place] = byte;
        }
        let events = heard(&[message, other, result(2, Link::End, &values)]);
        prop_assert!(events.len() < 40);
    }
}
