//! Numerics: the vectors of the dossier and its traps, one result at a time.

use super::*;
use crate::observation::DeviceTime;

/// The numeric result of the dossier's third worked example.
const EXAMPLE: &str = "e1000002 000200a8 00030007 00a2 002100000000 f13b0098 00020007 00989680 \
    ffffffffffffffff 000100060000 0001007e 000100030078 \
    82b300020016 0924000400024182 0950000a 418200000aa000000048 \
    83d500020016 0924000400024bb8 0950000a 4bb800020220ff000375 \
    826a0003003a 0924000400024a04 09900008 2026052014300500 094b0022 0003001e \
    4a0500000f2000000079 4a0600000f200000004e 4a0700000f200000005c";

fn example() -> Vec<u8> {
    from_hex(&EXAMPLE.replace([' ', '\n'], "")).unwrap()
}

#[test]
fn the_worked_example_reads_as_the_dossier_says() {
    let message = example();
    assert_eq!(message.len(), 176);
    let events = heard(&[created(&[]), message.clone()]);
    assert_eq!(events[0], Event::Frame);
    let spo2 = Reading::Valid(Decimal::new(885, 1));
    assert_eq!(
        readings(&events),
        [
            ("hr".to_owned(), valid(72)),
            ("spo2".to_owned(), spo2),
            ("nibp-sys".to_owned(), valid(121)),
            ("nibp-dia".to_owned(), valid(78)),
            ("nibp-mean".to_owned(), valid(92)),
        ]
    );
    let taken = Some(DeviceTime::civil(TAKEN));
    let now = Some(DeviceTime::civil(TAKEN + 1_250_000));
    let times: Vec<_> = observed(&events)
        .iter()
        .map(|seen| (seen.measured_at, seen.message_at))
        .collect();
    assert_eq!(
        times,
        [
            (now, now),
            (now, now),
            (taken, now),
            (taken, now),
            (taken, now)
        ]
    );
    assert_eq!(observed(&events)[1].mdc, Some(150_456));
    assert_eq!(faults(&events), []);

    // Without the monitor's clock nobody knows how old the cuff reading is.
    let told: BTreeMap<_, _> = readings(&heard(&[message])).into_iter().collect();
    assert_eq!((told["hr"], told["spo2"]), (valid(72), spo2));
    assert_eq!(told["nibp-sys"], Reading::Invalid(Cause::Old));
}

#[test]
fn every_cut_of_a_message_is_a_fault_and_no_value() {
    let message = example();
    for length in 0..message.len() {
        let events = heard(&[message[..length].to_vec()]);
        assert_eq!(readings(&events), [], "{length}");
        assert_eq!(faults(&events).len(), 1, "{length}");
        assert_eq!(summary(&events).discarded_bytes, length as u64);
    }
    let longer = [&message[..], &[0]].concat();
    assert_eq!(readings(&heard(&[longer])), []);
}

#[test]
fn the_captured_records_read_as_the_dossier_says() {
    let invalid = |cause| Reading::Invalid(cause);
    for (code, state, unit, float, reading) in [
        (0x4182, 0x0400, 0x0AA0, 0x0000_003C, invalid(Cause::Demo)),
        (0x4BB8, 0x0400, 0x0220, 0xFF00_03B6, invalid(Cause::Demo)),
        (0x500A, 0x0401, 0x0AE0, 0x0000_000F, invalid(Cause::Demo)),
        (
            0x4A05,
            0x2000,
            0x0F20,
            0x007F_FFFF,
            invalid(Cause::NotAvailable),
        ),
        (
            0x4BB8,
            0x8000,
            0x0220,
            0x007F_FFFF,
            invalid(Cause::DeviceInvalid),
        ),
        (
            0x4822,
            0x8001,
            0x0AA0,
            0x007F_FFFF,
            invalid(Cause::DeviceInvalid),
        ),
    ] {
        let value = Value {
            code,
            state,
            unit,
            float,
        };
        assert_eq!(read_as(value), reading, "{value:04X?}");
    }
}

#[test]
fn the_state_is_read_before_the_number() {
    let read = |state: u16| read_as(number(0x4BB8, state, 0x0220, 97));
    // Usable: alarming, alarms off, validated, preliminary, measuring.
    for state in [0x0000, 0x0002, 0x0001, 0x0080, 0x0040, 0x0020, 0x00FF] {
        assert_eq!(read(state), valid(97), "{state:04X}");
    }
    for (state, cause) in [
        (0x8000, Cause::DeviceInvalid),
        (0x8001, Cause::DeviceInvalid),
        (0x4000, Cause::LowQuality),
        (0x2000, Cause::NotAvailable),
        (0x1000, Cause::Calibrating),
        (0x0800, Cause::Test),
        (0x0400, Cause::Demo),
        (0x0C00, Cause::Demo),
        (0x8400, Cause::Demo),
        (0x0200, Cause::DeviceInvalid),
        (0x0100, Cause::DeviceInvalid),
    ] {
        assert_eq!(read(state), Reading::Invalid(cause), "{state:04X}");
    }
    // All states: a number if and only if the first octet is zero.
    let told: Vec<Vec<Vec<u8>>> = (0..=u8::MAX)
        .map(|octet| {
            vec![numeric(
                1,
                SPO2,
                None,
                &[number(0x4BB8, u16::from(octet) << 8, 0x0220, 97)],
            )]
        })
        .collect();
    let events = heard(&results(&told));
    for (octet, seen) in (0..=u8::MAX).zip(observed(&events)) {
        assert_eq!(seen.reading.value().is_some(), octet == 0, "{octet:02X}");
    }
}

#[test]
fn a_special_float_is_never_a_number_even_in_a_good_state() {
    for (float, cause) in [
        (0x007F_FFFF, Cause::NotAvailable),
        (0xFF7F_FFFF, Cause::NotAvailable),
        (0x0080_0000, Cause::OutOfRange),
        (0x007F_FFFE, Cause::OutOfRange),
        (0x0080_0002, Cause::OutOfRange),
        (0x0000_0000, Cause::Zero),
        (0x0000_0065, Cause::OutOfRange),
        (0xFFFF_FFF7, Cause::OutOfRange),
    ] {
        let value = Value {
            code: 0x4BB8,
            state: 0,
            unit: 0x0220,
            float,
        };
        assert_eq!(read_as(value), Reading::Invalid(cause), "{float:08X}");
    }
}

#[test]
fn units_are_converted_by_their_code_and_never_guessed() {
    let tenths = |code, unit, value| {
        read_as(Value {
            code,
            state: 0,
            unit,
            float: wire::to_float(Decimal::new(value, 1)),
        })
    };
    let of = |value| Reading::Valid(Decimal::new(value, 1));
    assert_eq!(tenths(0x50B0, 0x0F03, 51), of(383), "kPa");
    assert_eq!(tenths(0x50B0, 0x0F20, 380), of(380));
    assert_eq!(tenths(0x4B48, 0x1140, 986), of(370), "Fahrenheit");
    assert_eq!(tenths(0x4B48, 0x17A0, 366), of(366));
    let unknown = Reading::Invalid(Cause::UnknownUnit);
    assert_eq!(tenths(0x4B48, 0x1120, 3_100), unknown, "kelvin");
    assert_eq!(tenths(0x4A15, 0x0F40, 1_200), unknown, "cmH2O");
    assert_eq!(tenths(0x4182, 0x0000, 720), unknown, "no unit");
    assert_eq!(tenths(0x500A, 0x0AA0, 140), of(140), "a simulator's unit");
}

#[test]
fn the_order_within_a_compound_does_not_matter() {
    let abp = [
        number(0x4A17, 0, 0x0F20, 91),
        number(0x4A15, 0, 0x0F20, 120),
        number(0x4A16, 0, 0x0F20, 70),
    ];
    let events = heard(&results(&[vec![numeric(1, 0x0002_4A14, None, &abp)]]));
    let told: BTreeMap<_, _> = readings(&events).into_iter().collect();
    assert_eq!(told["art-sys"], valid(120));
    assert_eq!(told["art-dia"], valid(70));
    assert_eq!(told["art-mean"], valid(91));
    // Two values that cannot be a pair.
    let swapped = [
        number(0x4A15, 0, 0x0F20, 70),
        number(0x4A16, 0, 0x0F20, 120),
    ];
    let events = heard(&results(&[vec![numeric(1, 0x0002_4A14, None, &swapped)]]));
    let none = Reading::Invalid(Cause::OutOfRange);
    assert_eq!(
        readings(&events),
        [("art-sys".to_owned(), none), ("art-dia".to_owned(), none)]
    );
}

#[test]
fn of_two_arterial_lines_one_is_ours() {
    let line = |base: u16, state: u16, sys: i64| {
        let values = [
            number(base + 1, state, 0x0F20, sys),
            number(base + 2, state, 0x0F20, 60),
        ];
        numeric(base, 0x0002_0000 | u32::from(base), None, &values)
    };
    let told = |objects: Vec<Vec<u8>>| -> BTreeMap<String, Reading> {
        readings(&heard(&results(&[objects]))).into_iter().collect()
    };
    let both = told(vec![line(0x4A10, 0, 100), line(0x4A14, 0, 120)]);
    assert_eq!(
        (both["art-sys"], both["mdc:150033"]),
        (valid(120), valid(100)),
        "{both:?}"
    );
    let one_off = told(vec![line(0x4A10, 0, 100), line(0x4A14, 0x8000, 120)]);
    assert_eq!(one_off["art-sys"], valid(100));
    assert_eq!(told(vec![line(0x4A10, 0, 100)])["art-sys"], valid(100));
}

#[test]
fn a_respiration_rate_without_a_number_does_not_blank_the_other() {
    let rate = |code: u16, value: Option<i64>| {
        let values: Vec<Value> = value
            .map(|value| number(code, 0, 0x0AE0, value))
            .into_iter()
            .collect();
        numeric(code, 0x0002_0000 | u32::from(code), None, &values)
    };
    let told = |impedance, airway| {
        readings(&heard(&results(&[vec![
            rate(0x500A, impedance),
            rate(0x5012, airway),
        ]])))
    };
    let named = |name: &str, reading| (name.to_owned(), reading);
    assert_eq!(told(None, Some(14)), [named("rr@airway", valid(14))]);
    assert_eq!(
        told(Some(12), Some(14)),
        [
            named("rr@impedance", valid(12)),
            named("rr@airway", valid(14))
        ]
    );
    let none = Reading::Invalid(Cause::NotAvailable);
    assert_eq!(told(None, None), [named("rr@impedance", none)]);
}

#[test]
fn a_numeric_without_a_value_is_no_value_but_not_in_the_first_result() {
    let empty = vec![numeric(1, SPO2, None, &[]), numeric(2, NBP, None, &[])];
    let told = readings(&heard(&[result(1, Link::End, &empty)]));
    let none = Reading::Invalid(Cause::NotAvailable);
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["spo2", "nibp-sys", "nibp-dia", "nibp-mean"]);
    assert!(told.iter().all(|(_, reading)| *reading == none));
    // The immediate answer to an extended poll comes without values (dossier 6.3).
    assert_eq!(readings(&heard(&[result(0, Link::End, &empty)])), []);
}

#[test]
fn what_is_no_longer_told_is_not_carried_forward() {
    let spo2 = numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, 97)]);
    let hr = numeric(2, HR, None, &[number(0x4182, 0, 0x0AA0, 70)]);
    let both = vec![hr.clone(), spo2];
    // A renewal's first result may be empty and says nothing of what is missing.
    let events = heard(&[
        result(1, Link::End, &both),
        result(2, Link::End, std::slice::from_ref(&hr)),
        result(0, Link::End, &[]),
    ]);
    let events = [
        events,
        heard(&[result(1, Link::End, &both), result(2, Link::End, &[])]),
    ]
    .concat();
    let told: Vec<String> = readings(&events)
        .into_iter()
        .map(|(name, reading)| match reading.value() {
            Some(value) => format!("{name} {value}"),
            None => format!("{name} -"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "hr 70", "spo2 97", "hr 70", "spo2 -", "hr 70", "spo2 97", "hr -", "spo2 -"
        ]
    );
}

fn cuff(taken: Option<i64>, state: u16, sys: i64) -> Vec<u8> {
    let values = [
        number(0x4A05, state, 0x0F20, sys),
        number(0x4A06, state, 0x0F20, 60),
        number(0x4A07, state, 0x0F20, 80),
    ];
    numeric(3, NBP, taken, &values)
}

/// Systolic reading and seconds since [`TAKEN`] for each of these results.
fn cuff_story(results_of: &[Vec<u8>]) -> Vec<(Reading, Option<i64>)> {
    let series: Vec<Vec<Vec<u8>>> = results_of
        .iter()
        .map(|object| vec![object.clone()])
        .collect();
    let mut stream = vec![created(&[])];
    stream.extend(results(&series));
    observed(&heard(&stream))
        .into_iter()
        .filter(|seen| seen.parameter == Parameter::NibpSys.into())
        .map(|seen| {
            let taken = seen.measured_at.map(|at| (at.civil_ms - TAKEN) / 1_000);
            (seen.reading, taken)
        })
        .collect()
}

#[test]
fn a_cuff_reading_has_its_own_time_and_a_repeat_keeps_it() {
    let first = Some(TAKEN - 100_000);
    let second = Some(TAKEN + 3_000);
    let none = |cause| Reading::Invalid(cause);
    assert_eq!(
        cuff_story(&[
            cuff(first, 0, 120),
            cuff(first, 0, 120),
            // Measuring: the old pair stays on the screen.
            cuff(first, 0x0020, 120),
            cuff(second, 0x0020, 118),
            cuff(second, 0, 118),
            // The time may be left out of a repeat.
            cuff(None, 0, 118),
            // Expired; failed.
            cuff(second, 0x2000, 118),
            cuff(second, 0x8000, 118),
        ]),
        [
            (valid(120), Some(-100)),
            (valid(120), Some(-100)),
            (none(Cause::Measuring), Some(3)),
            (valid(118), Some(3)),
            (valid(118), Some(3)),
            (valid(118), Some(3)),
            (none(Cause::NotAvailable), Some(7)),
            (none(Cause::CuffFault), Some(8)),
        ]
    );
}

#[test]
fn without_a_stamp_a_reading_is_new_when_it_changes_and_the_first_is_old() {
    assert_eq!(
        cuff_story(&[
            cuff(None, 0, 120),
            cuff(None, 0, 120),
            cuff(None, 0, 130),
            cuff(None, 0, 130),
        ]),
        [
            (Reading::Invalid(Cause::Old), Some(1)),
            (Reading::Invalid(Cause::Old), Some(2)),
            (valid(130), Some(3)),
            (valid(130), Some(3)),
        ]
    );
}

#[test]
fn a_monitor_in_demo_or_service_mode_has_no_patient() {
    for (mode, cause) in [(0x2000_u16, Cause::Demo), (0x1000, Cause::Test)] {
        let good = numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, 97)]);
        let empty = numeric(2, HR, None, &[]);
        let stream = [
            created(&[attribute(0x0946, mode.to_be_bytes())]),
            result(1, Link::End, &[good, empty]),
        ];
        for (name, reading) in readings(&heard(&stream)) {
            assert_eq!(reading, Reading::Invalid(cause), "{name}");
        }
    }
}

#[test]
fn codes_that_are_not_ours_keep_their_names() {
    let told = readings(&heard(&results(&[vec![
        numeric(1, 0x0002_4261, None, &[number(0x4261, 0, 0x0AA0, 3)]),
        numeric(2, 0x0002_F0E3, None, &[number(0xF0E3, 0, 0x0220, 9)]),
        numeric(3, 0x8003_5402, None, &[number(0x480A, 0, 0x0AA0, 71)]),
        numeric(4, 0x0002_F0E5, None, &[number(0xF0E5, 0, 0x0AA0, 70)]),
    ]])));
    let expected = [
        ("mdc:148065", valid(3)),
        ("vendor:intellivue:0002-f0e3", valid(9)),
        ("art-pr", valid(71)),
        ("nibp-pr", Reading::Invalid(Cause::Old)),
    ];
    assert_eq!(
        told,
        expected.map(|(name, reading)| (name.to_owned(), reading))
    );
}

#[test]
fn the_monitors_clock_dates_what_it_tells() {
    let hr = numeric(2, HR, None, &[number(0x4182, 0, 0x0AA0, 70)]);
    let events = heard(&[created(&[]), result(10, Link::End, &[hr])]);
    let seen: &Observation = observed(&events)[0];
    let expected = Some(DeviceTime::civil(TAKEN + 10_240));
    assert_eq!((seen.measured_at, seen.message_at), (expected, expected));
}

#[test]
fn a_value_that_contradicts_itself_takes_the_whole_result_with_it() {
    let good = numeric(2, HR, None, &[number(0x4182, 0, 0x0AA0, 70)]);
    let short = answer::object(3, &[attribute(VALUE, [0x4B, 0xB8, 0, 0, 2, 0x20, 0, 0, 0])]);
    let long = answer::object(3, &[attribute(VALUE, [0; 11])]);
    let mut list = Vec::new();
    wire::list(&mut list, &[[0_u8; 9]]);
    let compound = answer::object(3, &[attribute(COMPOUND_VALUE, list)]);
    for bad in [short, long, compound] {
        let events = heard(&results(&[vec![good.clone(), bad]]));
        assert_eq!(readings(&events), []);
        assert_eq!(
            faults(&events),
            [super::super::super::event::Fault::BadFrame]
        );
    }
}
