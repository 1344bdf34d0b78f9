//! Garbage, cuts, flipped bits, lost and extra bytes, other protocols: each costs only itself.

use super::super::record::frame;
use super::*;
use crate::protocol::Fault;
use crate::vocabulary::Moment;
use proptest::prelude::*;

fn spo2(events: &Events) -> Vec<Reading> {
    observed(events)
        .into_iter()
        .filter(|seen| seen.parameter == Parameter::Spo2.into())
        .map(|seen| seen.reading)
        .collect()
}

/// What the device sends for these saturations, one write each.
fn sent_for(protocol: &Protocol, saturations: &[i64]) -> Vec<Vec<u8>> {
    let screens: Vec<_> = saturations
        .iter()
        .map(|spo2| screen(valid(*spo2), valid(72)))
        .collect();
    shown(protocol, &screens)
}

/// The formats with a sum.
const SUMMED: [&Protocol; 3] = [&DF2, &DF7, &DF13];

proptest! {
    #[test]
    fn a_flipped_bit_never_gives_a_wrong_value_where_there_is_a_sum(
        protocol in prop::sample::select(SUMMED.to_vec()),
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut sent = sent_for(protocol, &[97, 88, 99]);
        let at = at.index(sent[1].len());
        sent[1][at] ^= 1_u8 << bit;
        let events = heard(protocol, [sent.concat().as_slice()]);
        prop_assert_eq!(spo2(&events), [valid(97), valid(99)]);
        prop_assert!(!faults(&events).is_empty());
        prop_assert!(faults(&events).len() <= 2, "{:?}", faults(&events));
    }

    #[test]
    fn a_cut_frame_costs_only_itself(
        protocol in prop::sample::select(SUMMED.to_vec()),
        at in any::<prop::sample::Index>(),
    ) {
        let mut sent = sent_for(protocol, &[97, 88, 99]);
        let length = at.index(sent[1].len() - 1) + 1;
        sent[1].truncate(length);
        let events = heard(protocol, [sent.concat().as_slice()]);
        prop_assert_eq!(spo2(&events), [valid(97), valid(99)]);
        let told = summary(&events);
        prop_assert_eq!(told.discarded_bytes, length as u64);
        prop_assert!(!told.faults.is_empty());
    }

    #[test]
    fn garbage_between_frames_costs_only_itself(
        protocol in prop::sample::select(SUMMED.to_vec()),
        garbage in prop::collection::vec(any::<u8>(), 1..700),
    ) {
        let sent = sent_for(protocol, &[97, 98, 99]);
        let stream = [&sent[0][..], &garbage, &sent[1], &sent[2]].concat();
        let events = heard(protocol, [stream.as_slice()]);
        prop_assert_eq!(spo2(&events), [97, 98, 99].map(valid));
        prop_assert_eq!(summary(&events).discarded_bytes, garbage.len() as u64);
        prop_assert!(!faults(&events).is_empty());
    }

    #[test]
    fn joining_in_the_middle_is_nobodys_fault(
        protocol in prop::sample::select(ALL.to_vec()),
        at in any::<prop::sample::Index>(),
    ) {
        let sent = sent_for(protocol, &[97, 98, 99]);
        let at = at.index(sent[0].len());
        let stream = [&sent[0][at..], &sent[1], &sent[2]].concat();
        let events = heard(protocol, [stream.as_slice()]);
        prop_assert_eq!(faults(&events), []);
        prop_assert!(spo2(&events).ends_with(&[98, 99].map(valid)));
    }

    #[test]
    fn a_group_after_damage_waits_for_its_like(
        garbage in prop::collection::vec(any::<u8>(), 1..100),
        cut in 1_usize..4,
    ) {
        let sent = sent_for(&DF8, &[97, 97, 97, 97]);
        let stream = [&sent[0][..], &sent[1][..cut], &garbage, &sent[2], &sent[3], &sent[3]].concat();
        let events = heard(&DF8, [stream.as_slice()]);
        let seen = spo2(&events);
        prop_assert_eq!(seen.first(), Some(&valid(97)));
        prop_assert_eq!(seen.last(), Some(&valid(97)));
        // Every byte is in a group that was told, or was told as thrown away.
        let told = summary(&events);
        prop_assert_eq!(4 * told.frames + told.discarded_bytes, stream.len() as u64);
    }

    #[test]
    fn a_lost_byte_never_gives_a_wrong_value_in_format_8(at in 0_usize..4) {
        let mut sent = sent_for(&DF8, &[97, 97, 97, 97]);
        sent[1].remove(at);
        let events = heard(&DF8, [sent.concat().as_slice()]);
        // The damaged group is lost, and the next one waits for its like.
        prop_assert_eq!(spo2(&events), [valid(97); 2]);
        prop_assert_eq!(faults(&events).len(), 1);
        prop_assert_eq!(summary(&events).discarded_bytes, 7);
    }

    #[test]
    fn a_lost_character_never_gives_a_wrong_value_in_print(at in 0_usize..17) {
        let mut sent = sent_for(&ASCII, &[97, 88, 99]);
        sent[1].remove(at);
        let events = heard(&ASCII, [sent.concat().as_slice()]);
        let seen = spo2(&events);
        // One of the two line ends is enough.
        let kept = [97, 88, 99].map(valid);
        prop_assert!(seen == [kept[0], kept[2]] || (at >= 15 && seen == kept), "{:?}", seen);
    }

    #[test]
    fn no_noise_gives_a_reading_where_there_is_a_sum(
        protocol in prop::sample::select(SUMMED.to_vec()),
        noise in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        prop_assert_eq!(observed(&heard(protocol, [noise.as_slice()])).len(), 0);
    }
}

#[test]
fn noise_seldom_passes_for_format_8() {
    let mut state = 7_u64;
    let noise: Vec<u8> = (0..100_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    // 100 s of an endless burst at 9600 baud: of 50 000 high bytes some thousand begin a legal group.
    let events = heard(&DF8, noise.chunks(100));
    let believed = summary(&events).frames;
    assert!(believed < 30, "{believed} groups believed");
}

#[test]
fn a_packet_with_a_frame_too_many_or_too_few_is_refused() {
    for (protocol, layout) in [(&DF2, Layout::Df2), (&DF7, Layout::Df7)] {
        let good = packet(layout, 2);
        let few = [&good[..60], &good[65..]].concat();
        let many = [&good[..60], &good[55..]].concat();
        for (damaged, name) in [(few, "few"), (many, "many")] {
            let stream = [&good[..], &damaged, &good, &good].concat();
            let events = heard(protocol, [stream.as_slice()]);
            let frames = summary(&events).frames;
            // A frame too many comes after 25 good ones.
            let expected = if name == "few" { 3 } else { 4 };
            assert_eq!(frames, expected, "{name}");
            assert!(!faults(&events).is_empty());
        }
    }
}

#[test]
fn an_impossible_number_in_format_8_is_damage() {
    for group in [
        [0x80, 0x48, 101, 0],
        [0x80, 0x48, 126, 0],
        [0x82, 0x5F, 97, 0],
        [0x83, 0x7E, 97, 0],
    ] {
        let good = [0x80, 0x48, 0x61, 0x00];
        let stream = [good, group, good, good].concat();
        let events = heard(&DF8, [stream.as_slice()]);
        assert_eq!(spo2(&events), [valid(97); 2], "{group:02x?}");
        assert_eq!(faults(&events), [Fault::BadFrame]);
    }
}

#[test]
fn after_damage_two_groups_that_differ_are_not_believed() {
    let good = [0x80, 0x48, 0x61, 0x00];
    let jump = [0x80, 0x48, 0x30, 0x00];
    let cut = &good[..2];
    let stream = [&good[..], cut, &jump, &good, &good].concat();
    let events = heard(&DF8, [stream.as_slice()]);
    assert_eq!(spo2(&events), [valid(97); 2]);
    assert_eq!(faults(&events), [Fault::Truncated]);
    // Without damage a fall is told at once, however deep.
    let events = heard(&DF8, [[good, jump].concat().as_slice()]);
    assert_eq!(spo2(&events), [valid(97), valid(48)]);
}

fn at(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        ..Now::default()
    }
}

#[test]
fn a_record_that_does_not_end_in_time_is_given_up() {
    let good = sent_for(&DF13, &[97]).concat();
    let mut session = session(&DF13);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    assert_eq!(session.deadline(), None);
    // A head that claims more than there is, then a whole record, then nothing.
    session.receive(at(10), &[0, 2, 0, 13, 0, 40, 1, 2, 3], &mut events);
    session.receive(at(10), &good, &mut events);
    assert_eq!(spo2(&events), []);
    assert_eq!(session.deadline(), Some(Moment::from_secs(11)));
    session.expire(at(11), &mut events);
    assert_eq!(spo2(&events), [valid(97)]);
    assert_eq!(faults(&events), [Fault::Timeout]);
    assert_eq!(session.deadline(), None);
    session.receive(at(12), &good, &mut events);
    assert_eq!(spo2(&events).len(), 2);
    assert_eq!(session.deadline(), None);
    session.closed(at(13), &mut events);
    assert_eq!(summary(&events).discarded_bytes, 9);
}

#[test]
fn a_record_with_a_wrong_length_sum_or_end_is_refused() {
    let good = sent_for(&DF13, &[97]).concat();
    let wrong = |place: usize, value: u8| {
        let mut record = good.clone();
        record[place] = value;
        record
    };
    let last = good.len() - 1;
    for (record, fault) in [
        (wrong(last, 4), Fault::BadFrame),
        (wrong(last - 1, good[last - 1] ^ 1), Fault::BadChecksum),
        (wrong(5, 13), Fault::BadLength),
        (wrong(4, 1), Fault::BadLength),
        (frame(&[0; 13]), Fault::BadLength),
    ] {
        let stream = [&good[..], &record, &good].concat();
        let events = heard(&DF13, [stream.as_slice()]);
        assert_eq!(spo2(&events), [valid(97); 2], "{record:02x?}");
        assert!(faults(&events).contains(&fault), "{:?}", faults(&events));
    }
}

#[test]
fn another_format_is_no_sign_of_life() {
    for protocol in ALL {
        for other in ALL.into_iter().filter(|other| other.name != protocol.name) {
            let stream = sent_for(other, &[97; 20]).concat();
            let events = heard(protocol, [stream.as_slice()]);
            assert_eq!(
                summary(&events).frames,
                0,
                "{} read {}",
                protocol.name,
                other.name
            );
        }
    }
}

#[test]
fn a_megabyte_of_noise_says_little_and_the_next_frame_is_taken() {
    for protocol in ALL {
        let mut state = 1_u64;
        let mut stream: Vec<u8> = (0..1 << 20)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        stream.push(b'\n');
        stream.extend(sent_for(protocol, &[97; 4]).concat());
        let events = heard(protocol, stream.chunks(4_096));
        assert_eq!(spo2(&events).last(), Some(&valid(97)), "{}", protocol.name);
        assert!(
            events.len() < stream.len() / 100,
            "{}: {}",
            protocol.name,
            events.len()
        );
    }
}
