//! What the groups of a record say: status bits, labels, codes, the cuff.

use super::super::basic::{Basic, Group, INVALID, NOT_CALIBRATED, OVER_RANGE};
use super::{NOON, heard, observed, readings, values};
use crate::observation::Finding;
use crate::vocabulary::{Cause, Decimal, Doubt, Parameter, Reading};

fn valid(value: &str) -> Reading {
    Reading::Valid(Decimal::parse(value.as_bytes()).unwrap())
}

/// A monitor with ECG, cuff, oximeter and gas, with numbers as a healthy adult has them.
fn healthy() -> Basic {
    Basic {
        ecg: Group {
            status: 0x4B,
            label: 0x1200,
            values: [71, INVALID, INVALID, INVALID, 16],
        },
        nibp: Group {
            status: 3,
            label: 0x0B,
            values: [12_100, 7_600, 9_200, INVALID],
        },
        spo2: Group {
            status: 3,
            label: 0,
            values: [9_665, 72, 377, INVALID],
        },
        co2: Group {
            status: 0x107,
            label: 9,
            values: [487, 26, 15, 7_598],
        },
        ..Basic::default()
    }
}

fn of(records: &[Basic], name: &str) -> Option<Reading> {
    readings(records)
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, reading)| reading)
}

/// The reading after a change to the healthy record, which came once before.
fn after(name: &str, change: impl Fn(&mut Basic)) -> Option<Reading> {
    let mut changed = healthy();
    change(&mut changed);
    of(&[healthy(), changed], name)
}

#[test]
fn values_are_the_exact_decimals_of_the_wire() {
    let said: Vec<(String, String)> = readings(&[healthy()])
        .into_iter()
        .map(|(name, reading)| (name, reading.value().unwrap().to_string()))
        .collect();
    let expected = [
        ("hr", "71"),
        ("spo2", "96.65"),
        ("pr", "72"),
        ("vendor:ge-dri:ir-amplitude", "3.77"),
        ("nibp-sys", "121.00"),
        ("nibp-dia", "76.00"),
        ("nibp-mean", "92.00"),
        ("etco2", "34.7"),
        ("rr@airway", "15"),
        ("rr@impedance", "16"),
    ];
    assert_eq!(
        said,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn everything_below_the_lowest_number_is_no_number() {
    for (code, cause) in [
        (INVALID, Cause::NotAvailable),
        (-32_766, Cause::NotAvailable),
        (-32_765, Cause::NotAvailable),
        (-32_764, Cause::OutOfRange),
        (OVER_RANGE, Cause::OutOfRange),
        (NOT_CALIBRATED, Cause::Calibrating),
        (-32_001, Cause::NotAvailable),
        (i16::MIN, Cause::NotAvailable),
        (-32_000, Cause::OutOfRange),
        (0, Cause::Zero),
        (10_001, Cause::OutOfRange),
    ] {
        let reading = after("spo2", |basic| basic.spo2.values[0] = code);
        assert_eq!(reading, Some(Reading::Invalid(cause)), "{code}");
    }
    // Validity is per value.
    let lost = |basic: &mut Basic| basic.spo2.values[1] = INVALID;
    assert_eq!(after("spo2", lost), Some(valid("96.65")));
    assert_eq!(
        after("pr", lost),
        Some(Reading::Invalid(Cause::NotAvailable))
    );
}

#[test]
fn a_module_says_nothing_before_it_measured_and_why_not_afterwards() {
    assert_eq!(readings(&[Basic::default()]), []);
    let mut fitted = healthy();
    for status in [
        &mut fitted.ecg.status,
        &mut fitted.nibp.status,
        &mut fitted.spo2.status,
        &mut fitted.co2.status,
    ] {
        *status = 1;
    }
    assert_eq!(readings(&[fitted]), []);
    let gone = readings(&[healthy(), fitted]);
    let none = Reading::Invalid(Cause::NotAvailable);
    let names = [
        "hr",
        "spo2",
        "pr",
        "nibp-sys",
        "nibp-dia",
        "nibp-mean",
        "etco2",
        "rr@airway",
    ];
    assert_eq!(gone, names.map(|name| (name.to_owned(), none)));
}

#[test]
fn a_heart_rate_is_read_under_its_status() {
    let hr = |status: u32, value: i16| {
        after("hr", |basic| {
            basic.ecg.status = status;
            basic.ecg.values[0] = value;
        })
    };
    let invalid = |cause| Some(Reading::Invalid(cause));
    assert_eq!(hr(0x4B, 60), Some(valid("60")));
    assert_eq!(hr(0x24B, 0), invalid(Cause::Starting), "learning");
    assert_eq!(hr(0x4B, 0), invalid(Cause::Zero));
    assert_eq!(hr(0x4F, 0), invalid(Cause::Zero), "asystole");
    assert_eq!(hr(0x384B, INVALID), invalid(Cause::ProbeOff), "leads off");
    assert_eq!(hr(0x14B, INVALID), invalid(Cause::Artefact));
    assert_eq!(hr(0x4B, INVALID), invalid(Cause::NotAvailable));
    let noisy = Reading::Questionable(Decimal::whole(60), Doubt::LowQuality);
    assert_eq!(hr(0xCB, 60), Some(noisy));
}

#[test]
fn asystole_is_a_finding_beside_the_rate() {
    let finding = |status: u32| {
        let mut basic = healthy();
        basic.ecg.status = status;
        basic.ecg.values[0] = 0;
        let stream = values(NOON, &basic);
        let events = heard([stream.as_slice()]);
        observed(&events)
            .into_iter()
            .find(|seen| seen.parameter == Parameter::Hr.into())
            .map(|seen| seen.finding)
    };
    // Said even if no heart rate was ever seen.
    assert_eq!(finding(0x4F), Some(Some(Finding::Asystole)));
    assert_eq!(finding(0x4B), Some(None));
}

#[test]
fn a_rate_from_the_pleth_is_a_pulse_rate() {
    let from_pleth = |basic: &mut Basic| {
        basic.ecg.status = 3 | 6 << 3;
        basic.ecg.values[0] = 88;
    };
    let none = Some(Reading::Invalid(Cause::NotAvailable));
    assert_eq!(after("hr", from_pleth), none);
    assert_eq!(after("pr", from_pleth), Some(valid("72")));
    let without_own = |basic: &mut Basic| {
        from_pleth(basic);
        basic.spo2.values[1] = INVALID;
    };
    assert_eq!(after("pr", without_own), Some(valid("88")));
    // Without an ECG from the start nothing is called a heart rate.
    let mut basic = healthy();
    from_pleth(&mut basic);
    assert_eq!(of(&[basic], "hr"), None);
    basic.spo2.status = 0;
    assert_eq!(of(&[basic], "pr"), Some(valid("88")));
    // From a pressure line it is neither.
    let from_pressure = |basic: &mut Basic| basic.ecg.status = 3 | 2 << 3;
    assert_eq!(after("hr", from_pressure), none);
}

#[test]
fn no_breath_is_a_finding_unless_the_apnoea_alarm_is_off() {
    let findings = |status: u32, rate: i16| -> Vec<(Option<Finding>, Reading)> {
        let mut basic = healthy();
        basic.co2.status = status;
        basic.co2.values[2] = rate;
        let stream = values(NOON, &basic);
        observed(&heard([stream.as_slice()]))
            .into_iter()
            .filter(|seen| seen.parameter == Parameter::Rr.into())
            .map(|seen| (seen.finding, seen.reading))
            .collect()
    };
    let no_breath = Some(Finding::NoBreath);
    let zero = Reading::Invalid(Cause::Zero);
    assert_eq!(findings(0x007, 0), [(no_breath, zero), (None, valid("16"))]);
    assert_eq!(findings(0x007, 15)[0], (no_breath, valid("15")));
    assert_eq!(findings(0x107, 15)[0], (None, valid("15")), "alarm off");
    assert_eq!(
        findings(0x083, 15)[1],
        (no_breath, valid("16")),
        "impedance"
    );
    // The rate that has no number does not blank the one that has.
    assert_eq!(findings(0x003, 0), [(None, valid("16"))]);
}

#[test]
fn gas_is_read_under_its_status() {
    let etco2 = |status: u32| after("etco2", |basic| basic.co2.status = status);
    assert_eq!(etco2(0x03), Some(valid("34.7")));
    for (status, cause) in [
        (0x0B, Cause::Calibrating),
        (0x13, Cause::Calibrating),
        (0x23, Cause::SensorFault),
    ] {
        assert_eq!(etco2(status), Some(Reading::Invalid(cause)), "{status:#x}");
    }
    let leaking = Reading::Questionable(Decimal::new(347, 1), Doubt::LowQuality);
    assert_eq!(etco2(0x43), Some(leaking));
    for ambient in [INVALID, 0, 2_999] {
        assert_eq!(
            after("etco2", |basic| basic.co2.values[3] = ambient),
            Some(Reading::Invalid(Cause::NotAvailable)),
            "without a pressure no per cent becomes mmHg"
        );
    }
}

#[test]
fn pressures_and_temperatures_are_named_by_their_labels() {
    let mut basic = Basic::default();
    let channel = |label: u16| Group {
        status: 3,
        label,
        values: [12_050, 6_010, 8_020, 70],
    };
    basic.pressures[1] = channel(1);
    basic.pressures[2] = channel(2);
    let warm = |label: u16, value: i16| Group {
        status: 3,
        label,
        values: [value],
    };
    basic.temperatures = [
        warm(11, 3_650),
        warm(4, 3_710),
        warm(7, 3_300),
        warm(9, 2_150),
    ];
    let said = readings(&[basic]);
    let expected = [
        ("art-sys", "120.50"),
        ("art-dia", "60.10"),
        ("art-mean", "80.20"),
        ("art-pr", "70"),
        ("vendor:ge-dri:p3-sys", "120.50"),
        ("vendor:ge-dri:p3-dia", "60.10"),
        ("vendor:ge-dri:p3-mean", "80.20"),
        ("vendor:ge-dri:p3-rate", "70"),
        ("temp", "36.50"),
        ("temp@core", "37.10"),
        ("temp@skin", "33.00"),
        ("vendor:ge-dri:t4-not-of-the-body", "21.50"),
    ];
    assert_eq!(
        said,
        expected.map(|(name, value)| (name.to_owned(), valid(value)))
    );
}

#[test]
fn the_cuff_says_what_it_does_and_a_pair_must_be_a_pair() {
    let sys = |label: u16, values: [i16; 4]| {
        after("nibp-sys", |basic| {
            basic.nibp.label = label;
            basic.nibp.values = values;
        })
    };
    let pair = [12_100, 7_600, 9_200, 68];
    let invalid = |cause| Some(Reading::Invalid(cause));
    assert_eq!(sys(0x0B, pair), Some(valid("121")));
    assert_eq!(sys(0x2B, pair), invalid(Cause::Measuring));
    assert_eq!(sys(0x8B, pair), invalid(Cause::Calibrating));
    assert_eq!(sys(0x0B, [INVALID; 4]), invalid(Cause::NotAvailable));
    assert_eq!(
        sys(0x0B, [7_600, 7_600, 7_600, INVALID]),
        invalid(Cause::OutOfRange)
    );
    let mut old = healthy();
    old.nibp.label |= 0x100;
    assert_eq!(of(&[old], "nibp-sys"), invalid(Cause::Old));
    let mut measuring = healthy();
    measuring.nibp.label |= 0x20;
    let mut failed = healthy();
    failed.nibp.values = [INVALID; 4];
    assert_eq!(
        of(&[healthy(), measuring, failed], "nibp-sys"),
        invalid(Cause::CuffFault)
    );
}

#[test]
fn a_repeated_cuff_reading_keeps_the_time_at_which_it_appeared() {
    let mut repeated = healthy();
    repeated.spo2.values[0] = 9_700;
    let stream = [values(NOON, &healthy()), values(NOON + 40, &repeated)].concat();
    let events = heard([stream.as_slice()]);
    let times: Vec<_> = observed(&events)
        .into_iter()
        .filter(|seen| seen.parameter.known().is_some_and(Parameter::is_cuff))
        .map(|seen| {
            (
                seen.measured_at.unwrap().iso8601(),
                seen.message_at.unwrap().iso8601(),
            )
        })
        .collect();
    let first = "2026-01-02T10:20:30".to_owned();
    let later = "2026-01-02T10:21:10".to_owned();
    assert_eq!(times[..3], vec![(first.clone(), first.clone()); 3]);
    assert_eq!(times[3..], vec![(first, later); 3]);
}
