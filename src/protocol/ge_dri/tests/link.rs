//! The link: who asks when, what is refused, and what damage costs.

use super::super::super::device::Screen;
use super::super::super::event::{Events, Fault};
use super::super::super::transcript::alerts;
use super::super::alarm;
use super::super::basic::{Basic, Class, Group};
use super::super::frame::{LONGEST_RECORD, encode};
use super::super::record::Kind;
use super::super::request::{AlarmCommand, COMMAND, Request, physiological};
use super::super::wave;
use super::{
    NOON, at, device, faults, heard, observed, present, record, sent, session, summary, values,
    waves,
};
use crate::observation::AlertPhase;
use crate::vocabulary::{Decimal, Moment, Parameter, Priority, Reading};
use proptest::prelude::*;

fn pulse(spo2: i16) -> Basic {
    Basic {
        spo2: Group {
            status: 3,
            label: 0,
            values: [spo2, 70, 100, 0],
        },
        ..Basic::default()
    }
}

fn asked(interval: i16) -> Vec<u8> {
    Request::Values {
        wanted: physiological::DISPLAYED,
        interval,
    }
    .frame()
}

#[test]
fn the_monitor_is_asked_at_opening_and_after_three_silent_intervals() {
    let mut session = session(&[]);
    let mut events = Events::new();
    session.opened(at(100), &mut events);
    assert_eq!(sent(&events), [asked(5)]);
    assert_eq!(session.deadline(), Some(Moment::from_secs(115)));

    events.clear();
    session.receive(at(112), &values(NOON, &pulse(9_700)), &mut events);
    assert_eq!(sent(&events), Vec::<Vec<u8>>::new());
    assert_eq!(session.deadline(), Some(Moment::from_secs(127)));
    session.receive(at(120), b"\x7e\x00\x7e", &mut events);
    assert_eq!(session.deadline(), Some(Moment::from_secs(127)));

    events.clear();
    session.expire(at(127), &mut events);
    assert_eq!(sent(&events), [asked(5)]);
    assert_eq!(session.deadline(), Some(Moment::from_secs(142)));
    session.closed(at(130), &mut events);
    assert_eq!(session.deadline(), None);
    events.clear();
    session.opened(at(135), &mut events);
    assert_eq!(sent(&events), [asked(5)]);
}

#[test]
fn a_short_interval_is_missed_sooner_and_not_asked_for_in_a_rush() {
    let mut session = session(&[("interval", "1"), ("waves", "ecg1,pleth"), ("aux", "true")]);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let auxiliary = Request::Values {
        wanted: physiological::AUXILIARY,
        interval: 1,
    };
    let waves = Request::Waves(vec![1, 8]);
    assert_eq!(sent(&events), [asked(1), auxiliary.frame(), waves.frame()]);
    assert_eq!(session.deadline(), Some(Moment::from_secs(15)));
    session.receive(at(2), &values(NOON, &pulse(9_700)), &mut events);
    assert_eq!(session.deadline(), Some(Moment::from_secs(5)));
    session.expire(at(5), &mut events);
    assert_eq!(session.deadline(), Some(Moment::from_secs(20)));
}

#[test]
fn alarms_are_asked_for_once_and_only_where_they_are_answered() {
    let old = values(NOON, &pulse(9_700));
    assert_eq!(sent(&heard([old.as_slice()])), Vec::<Vec<u8>>::new());
    let mut screen = Screen::default();
    screen
        .numerics
        .insert(Parameter::Spo2, Reading::Valid(Decimal::whole(97)));
    let mut device = device();
    device.receive(at(0), &asked(1), &mut Vec::new());
    let stream = [
        present(&mut *device, 0, &screen),
        present(&mut *device, 1, &screen),
    ]
    .concat();
    let events = heard(stream.iter().map(Vec::as_slice));
    let commands = [AlarmCommand::Once, AlarmCommand::OnChange];
    assert_eq!(
        sent(&events),
        commands.map(|command| Request::Alarms(command).frame())
    );
}

#[test]
fn the_monitors_own_alarms_begin_and_end() {
    let answer = |alarms: &[(&str, Option<Priority>)]| {
        encode(&record(
            Kind::Alarm,
            NOON,
            &[(COMMAND, alarm::write(alarms))],
        ))
    };
    let stream = [
        answer(&[("APNEA", Some(Priority::High))]),
        answer(&[("APNEA", Some(Priority::High))]),
        answer(&[]),
    ]
    .concat();
    let events = heard([stream.as_slice()]);
    let said: Vec<_> = alerts(&events)
        .into_iter()
        .map(|alert| (alert.text.to_string(), alert.priority, alert.phase))
        .collect();
    let apnea = |phase| ("APNEA".to_owned(), Some(Priority::High), phase);
    assert_eq!(said, [apnea(AlertPhase::Start), apnea(AlertPhase::End)]);
}

#[test]
fn our_own_request_is_no_sign_of_life() {
    for echo in [
        asked(5),
        Request::Waves(vec![1]).frame(),
        Request::Alarms(AlarmCommand::Once).frame(),
    ] {
        let events = heard([echo.as_slice()]);
        assert_eq!(summary(&events).frames, 0);
        assert_eq!(faults(&events), [Fault::BadAnswer]);
    }
}

#[test]
fn a_record_is_read_whole_or_not_at_all() {
    let displayed = || Class::write(NOON, &pulse(9_700), 8);
    let with_class = |class: u8| {
        let mut subrecord = displayed();
        subrecord[277] = class;
        subrecord
    };
    let cut = displayed()[..200].to_vec();
    let physiological =
        |subrecords: &[(u8, Vec<u8>)]| encode(&record(Kind::Physiological, NOON, subrecords));
    // (frame, observations, fault)
    for (frame, count, fault) in [
        (physiological(&[(1, displayed())]), 3, None),
        (
            physiological(&[(1, displayed()), (1, with_class(2))]),
            3,
            None,
        ),
        (
            physiological(&[(77, vec![1, 2, 3]), (1, displayed())]),
            3,
            None,
        ),
        (physiological(&[(3, displayed())]), 0, None),
        (
            physiological(&[(1, displayed()), (1, with_class(4))]),
            0,
            Some(Fault::BadFrame),
        ),
        (
            physiological(&[(1, displayed()), (1, cut)]),
            0,
            Some(Fault::BadFrame),
        ),
        (
            physiological(&[(1, displayed()), (4, vec![1, 2])]),
            0,
            Some(Fault::BadFrame),
        ),
        (
            encode(&record(
                Kind::Waveform,
                NOON,
                &[(8, wave::write(&[Some(1)])), (8, vec![9, 0, 0, 0, 0, 0])],
            )),
            0,
            Some(Fault::BadFrame),
        ),
        (encode(&record(Kind::Network, NOON, &[])), 0, None),
    ] {
        let events = heard([frame.as_slice()]);
        assert_eq!(observed(&events).len(), count, "{frame:02x?}");
        assert_eq!(faults(&events), Vec::from_iter(fault));
        assert_eq!(summary(&events).frames, u64::from(fault.is_none()));
        assert!(fault.is_none() || waves(&events).is_empty());
    }
}

#[test]
fn a_zero_byte_more_or_less_is_seen_although_the_sum_is_right() {
    let good = record(
        Kind::Physiological,
        NOON,
        &[(1, Class::write(NOON, &pulse(9_700), 8))],
    );
    for place in 0..good.len() {
        let mut more = good.clone();
        more.insert(place, 0);
        let mut stream = encode(&more);
        if good[place] == 0 {
            let mut less = good.clone();
            less.remove(place);
            stream.extend(encode(&less));
        }
        stream.extend(encode(&good));
        let events = heard([stream.as_slice()]);
        assert_eq!(summary(&events).frames, 1, "byte {place}");
        assert!(
            !faults(&events).contains(&Fault::BadChecksum),
            "byte {place}"
        );
    }
}

#[test]
fn a_device_sends_nothing_unasked_one_record_an_interval_and_stops() {
    let screen = Screen::default();
    let mut device = device();
    assert_eq!(present(&mut *device, 0, &screen).len(), 0);
    device.receive(at(0), &asked(5), &mut Vec::new());
    let sent = |device: &mut dyn crate::protocol::Device, from: u64, to: u64| -> usize {
        (from..to)
            .map(|second| present(device, second, &screen).len())
            .sum()
    };
    assert_eq!(sent(&mut *device, 1, 21), 4);
    device.receive(at(21), &asked(-1), &mut Vec::new());
    assert_eq!(sent(&mut *device, 21, 41), 1);
    device.receive(at(41), &asked(2), &mut Vec::new());
    device.receive(at(41), &asked(0), &mut Vec::new());
    assert_eq!(sent(&mut *device, 41, 61), 0);
}

#[test]
fn a_megabyte_of_noise_says_little_and_the_next_record_is_taken() {
    let mut state = 1_u64;
    let mut stream: Vec<u8> = (0..1 << 20)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    stream.extend(values(NOON, &pulse(9_700)));
    let events = heard(stream.chunks(4_096));
    let summary = summary(&events);
    assert_eq!(summary.frames, 1);
    assert_eq!(observed(&events).len(), 3);
    assert!(events.len() < stream.len() / 100, "{} events", events.len());

    // The worst case: nothing but the smallest scraps.
    let scraps = b"\x7e\x00".repeat(1 << 19);
    assert!(heard([scraps.as_slice()]).len() < 300);
    let endless = [b"\x7e".as_slice(), &vec![0; 10 * LONGEST_RECORD]].concat();
    assert_eq!(faults(&heard([endless.as_slice()])), [Fault::Truncated]);
}

fn spo2(events: &Events) -> Vec<Decimal> {
    observed(events)
        .into_iter()
        .filter(|seen| seen.parameter == Parameter::Spo2.into())
        .filter_map(|seen| seen.reading.value())
        .collect()
}

fn percent(hundredths: i16) -> Decimal {
    Decimal::new(i64::from(hundredths), 2)
}

proptest! {
    #[test]
    fn a_flipped_bit_never_gives_a_wrong_value_and_costs_one_record(
        values_before in 8_000_i16..10_000,
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let [first, hit, last] = [values_before, 7_777, 9_999]
            .map(|spo2| values(NOON, &pulse(spo2)));
        let mut flipped = hit.clone();
        flipped[at.index(hit.len())] ^= 1_u8 << bit;
        let stream = [first, flipped, last].concat();
        let seen = spo2(&heard([stream.as_slice()]));
        let all = [values_before, 7_777, 9_999].map(percent);
        let without_the_hit = [all[0], all[2]];
        prop_assert!(seen == all || seen == without_the_hit, "{:?}", seen);
    }

    #[test]
    fn a_cut_record_costs_only_itself(at in any::<prop::sample::Index>()) {
        let [first, hit, last] = [9_000, 7_777, 9_999].map(|spo2| values(NOON, &pulse(spo2)));
        let length = at.index(hit.len() - 1).max(2);
        let stream = [&first[..], &hit[..length], &last].concat();
        let events = heard([stream.as_slice()]);
        prop_assert_eq!(spo2(&events), [9_000, 9_999].map(percent));
        prop_assert_eq!(faults(&events).len(), 1);
    }

    #[test]
    fn garbage_between_records_costs_only_itself(
        garbage in prop::collection::vec(any::<u8>(), 1..3_000),
        size in 1_usize..700,
    ) {
        let good = values(NOON, &pulse(9_700));
        let stream = [&good[..], &garbage, &good, &good].concat();
        let events = heard([stream.as_slice()]);
        prop_assert_eq!(summary(&events).frames, 3);
        prop_assert_eq!(spo2(&events), [percent(9_700); 3]);
        prop_assert!(!faults(&events).is_empty() || garbage.iter().all(|byte| *byte == 0x7E));
        prop_assert_eq!(&heard(stream.chunks(size)), &events);
        prop_assert_eq!(&heard(stream.chunks(1)), &events);
    }

    #[test]
    fn joining_in_the_middle_is_nobodys_fault(at in any::<prop::sample::Index>()) {
        let good = values(NOON, &pulse(9_700));
        let stream = [&good[at.index(good.len())..], &good].concat();
        let events = heard([stream.as_slice()]);
        prop_assert_eq!(faults(&events), []);
        prop_assert!(summary(&events).frames >= 1);
    }
}
