//! The dossier's vectors and traps.

use super::super::record::frame;
use super::*;
use crate::observation::AlertPhase;

const RECORD: [u8; 22] = [
    0x00, 0x02, 0x00, 0x0D, 0x00, 0x0E, 0x20, 0x26, 0x01, 0x02, 0x03, 0x04, 0x05, 0x00, 0x02, 0x00,
    0x00, 0x48, 0x00, 0x61, 0x00, 0x03,
];

#[test]
fn a_packet_of_format_2_begins_as_the_dossier_says() {
    let begin = packet_of(Layout::Df2, 0, &[(1, 0), (2, 0x48), (3, 0x61), (4, 0x30)]);
    // The pleth of the vector is zero throughout.
    let expected = [
        [0x01, 0x81, 0x01, 0x00, 0x83],
        [0x01, 0x80, 0x01, 0x48, 0xCA],
        [0x01, 0x80, 0x01, 0x61, 0xE3],
        [0x01, 0x80, 0x01, 0x30, 0xB2],
    ];
    for (place, (frame, expected)) in begin.chunks(5).zip(expected).enumerate() {
        let written = Layout::Df2.write(Frame {
            status: frame[1],
            pleth: 1,
            slow: frame[3],
        });
        assert_eq!(written, expected, "frame {}", place + 1);
    }
}

#[test]
fn a_packet_is_two_readings_and_a_third_of_a_second_of_pleth() {
    for (protocol, layout) in [(&DF2, Layout::Df2), (&DF7, Layout::Df7)] {
        let events = heard(protocol, [packet(layout, 0x02).as_slice()]);
        assert_eq!(events[0], Event::Frame);
        assert_eq!(readings(&events), pair(valid(97), valid(72)));
        let waves = waves(&events);
        assert_eq!(waves.len(), 1);
        assert_eq!((&*waves[0].label, waves[0].rate_hz), ("pleth", 75));
        let samples: Vec<_> = (0..25).map(|place| Some(37 * place % 256)).collect();
        assert_eq!(waves[0].samples, samples);
        assert_eq!(faults(&events), []);
        assert_eq!(summary(&events).discarded_bytes, 0);
    }
    let two_bytes = Layout::Df7.write(Frame {
        status: 0x81,
        pleth: 0x1234,
        slow: 0,
    });
    assert_eq!(two_bytes, [0x81, 0x12, 0x34, 0x00, 0xC7]);
}

#[test]
fn a_rate_has_two_high_bits_shifted_by_seven() {
    for (high, low, rate) in [
        (1, 0x48, 200),
        (2, 0x00, 256),
        (2, 0x41, 321),
        (0, 0x7F, 127),
    ] {
        // Bits that do not belong to the number are anybody's.
        for noise in [0x00, 0xFC] {
            let slow = [
                (8, 0),
                (9, 97),
                (20, high | noise),
                (21, low | (noise & 0x80)),
            ];
            let events = heard(&DF2, [packet_of(Layout::Df2, 0, &slow).as_slice()]);
            assert_eq!(readings(&events), pair(valid(97), valid(rate)));
        }
    }
}

#[test]
fn what_is_missing_without_an_alarm_is_being_searched() {
    let slow = [(8, 0), (9, 0x7F), (20, 3), (21, 0x7F)];
    let searching = invalid(Cause::Searching);
    for (status, reading) in [
        (0x00, searching),
        (0x10, searching),
        (0x08, invalid(Cause::ProbeOff)),
        (0x40, invalid(Cause::SensorMissing)),
        (0x48, invalid(Cause::SensorMissing)),
    ] {
        let events = heard(&DF2, [packet_of(Layout::Df2, status, &slow).as_slice()]);
        assert_eq!(readings(&events), pair(reading, reading), "{status:02x}");
    }
}

#[test]
fn held_display_values_are_no_values_once_the_sensor_alarm_is_up() {
    for (status, cause) in [
        (0x08, Cause::ProbeOff),
        (0x10, Cause::Artefact),
        (0x18, Cause::ProbeOff),
        (0x40, Cause::SensorMissing),
    ] {
        let reading = invalid(cause);
        let events = heard(&DF7, [packet(Layout::Df7, status).as_slice()]);
        assert_eq!(readings(&events), pair(reading, reading), "{status:02x}");
        // One frame of the packet is enough.
        let mut stream = packet(Layout::Df7, 0x02);
        let last = stream.len() - 5;
        stream[last] |= status;
        stream[last + 4] = stream[last + 4].wrapping_add(status);
        let events = heard(&DF7, [stream.as_slice()]);
        assert_eq!(readings(&events), pair(reading, reading), "{status:02x}");
    }
    let off = heard(&DF7, [packet(Layout::Df7, 0x08).as_slice()]);
    assert_eq!(waves(&off)[0].samples, [None; 25]);
}

#[test]
fn perfusion_is_the_last_pulses_for_three_seconds() {
    let after = |status: u8, quiet: usize| {
        let mut stream = packet(Layout::Df2, status);
        stream.extend(packet(Layout::Df2, 0).repeat(quiet));
        let events = heard(&DF2, [stream.as_slice()]);
        observed(&events)
            .into_iter()
            .rev()
            .find(|seen| seen.parameter == Parameter::Spo2.into())
            .unwrap()
            .reading
    };
    for (status, reading) in [
        (0x02, valid(97)),
        (0x04, doubtful(97, Doubt::LowPerfusion)),
        (0x06, doubtful(97, Doubt::LowQuality)),
    ] {
        assert_eq!(after(status, 0), reading);
        assert_eq!(after(status, 8), reading);
        assert_eq!(after(status, 9), valid(97));
    }
    assert_eq!(after(0x20, 0), doubtful(97, Doubt::LowQuality));
    assert_eq!(after(0x20, 1), valid(97));
}

#[test]
fn equal_packets_are_told_once_a_second_and_changes_at_once() {
    let stream = [
        packet(Layout::Df2, 0x02).repeat(9),
        packet(Layout::Df2, 0x08),
        packet(Layout::Df2, 0x02),
    ]
    .concat();
    let events = heard(&DF2, [stream.as_slice()]);
    let spo2: Vec<_> = readings(&events)
        .into_iter()
        .filter(|(name, _)| name == "spo2")
        .map(|(_, reading)| reading)
        .collect();
    let off = invalid(Cause::ProbeOff);
    // At packets 1, 4, 7, 10 (off), 11.
    assert_eq!(spo2, [valid(97), valid(97), valid(97), off, valid(97)]);
    assert_eq!(summary(&events).frames, 11);
    assert_eq!(waves(&events).len(), 11);
}

#[test]
fn a_low_battery_begins_and_ends() {
    let low = [(8, 0x21), (9, 97), (20, 0), (21, 72)];
    let stream = [
        packet(Layout::Df2, 2),
        packet_of(Layout::Df2, 2, &low).repeat(3),
        packet(Layout::Df2, 2),
    ]
    .concat();
    let by_packet = heard(&DF2, [stream.as_slice()]);
    let by_group = heard(
        &DF8,
        [[0x80, 72, 97, 0], [0x80, 72, 97, 1], [0x80, 72, 97, 0]]
            .as_flattened()
            .chunks(3),
    );
    for events in [by_packet, by_group] {
        let said: Vec<_> = alerts(&events)
            .into_iter()
            .map(|alert| (&*alert.text, alert.phase))
            .collect();
        let battery = "oximeter battery low";
        assert_eq!(
            said,
            [(battery, AlertPhase::Start), (battery, AlertPhase::End)]
        );
    }
}

#[test]
fn format_8_reads_the_dossiers_groups() {
    let off = invalid(Cause::ProbeOff);
    let artefact = invalid(Cause::Artefact);
    let missing = invalid(Cause::SensorMissing);
    let searching = invalid(Cause::Searching);
    for (group, spo2, rate) in [
        ([0x80, 0x48, 0x61, 0x00], valid(97), valid(72)),
        ([0x81, 0x48, 0x61, 0x00], valid(97), valid(200)),
        ([0x83, 0x7F, 0x7F, 0x08], off, off),
        ([0xA0, 0x48, 0x61, 0x00], artefact, artefact),
        // Held for 10 s after the finger has left.
        ([0x80, 0x48, 0x61, 0x08], off, off),
        ([0xC0, 0x48, 0x61, 0x00], missing, missing),
        ([0x80, 0x48, 0x61, 0x40], missing, missing),
        ([0x83, 0x7F, 0x7F, 0x00], searching, searching),
        ([0xA3, 0x7F, 0x7F, 0x00], searching, searching),
        ([0x83, 0x7F, 0x61, 0x00], valid(97), searching),
        (
            [0x90, 0x48, 0x61, 0x00],
            doubtful(97, Doubt::LowPerfusion),
            doubtful(72, Doubt::LowPerfusion),
        ),
        (
            [0x88, 0x48, 0x61, 0x00],
            doubtful(97, Doubt::LowQuality),
            doubtful(72, Doubt::LowQuality),
        ),
        (
            [0x84, 0x48, 0x61, 0x00],
            doubtful(97, Doubt::LowQuality),
            doubtful(72, Doubt::LowQuality),
        ),
        // Reserved bits, SmartPoint: anybody's.
        ([0x80, 0x48, 0x61, 0x36], valid(97), valid(72)),
        (
            [0x80, 0x00, 0x00, 0x00],
            invalid(Cause::Zero),
            invalid(Cause::Zero),
        ),
    ] {
        let events = heard(&DF8, [group.as_slice()]);
        assert_eq!(readings(&events), pair(spo2, rate), "{group:02x?}");
        assert_eq!(events[0], Event::Frame);
    }
}

#[test]
fn a_record_of_format_13_is_one_spot_check_at_its_own_time() {
    let events = heard(&DF13, [RECORD.as_slice()]);
    assert_eq!(events[0], Event::Frame);
    assert_eq!(readings(&events), pair(valid(97), valid(72)));
    for seen in observed(&events) {
        assert_eq!(seen.measured_at.unwrap().iso8601(), "2026-01-02T03:04:05");
        assert_eq!(seen.message_at, None);
    }
    assert_eq!(faults(&events), []);
}

/// The data of the dossier's record with these bytes in place of its own.
fn data(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut data = RECORD[6..20].to_vec();
    for (place, value) in changes {
        data[*place] = *value;
    }
    data
}

#[test]
fn a_record_says_what_it_is_worth() {
    let none = invalid(Cause::NotAvailable);
    for (changes, spo2, rate) in [
        (&[(10, 1)][..], valid(97), valid(328)),
        (&[(10, 1), (11, 0xFF)], valid(97), none),
        (&[(13, 127)], none, valid(72)),
        (
            &[(8, 0)],
            doubtful(97, Doubt::LowQuality),
            doubtful(72, Doubt::LowQuality),
        ),
        (&[(8, 1)], none, none),
        (&[(10, 2)], valid(97), invalid(Cause::OutOfRange)),
        (&[(13, 0)], invalid(Cause::Zero), valid(72)),
    ] {
        let events = heard(&DF13, [frame(&data(changes)).as_slice()]);
        assert_eq!(readings(&events), pair(spo2, rate), "{changes:?}");
    }
}

#[test]
fn a_record_from_the_memory_is_kept_and_is_no_reading_of_now() {
    let events = heard(&DF13, [frame(&data(&[(9, 0x10)])).as_slice()]);
    assert_eq!(
        readings(&events),
        [
            ("vendor:nonin-df13:memory-spo2".to_owned(), valid(97)),
            ("vendor:nonin-df13:memory-pr".to_owned(), valid(72)),
        ]
    );
    let seen = observed(&events)[0];
    assert_eq!(seen.measured_at.unwrap().iso8601(), "2026-01-02T03:04:05");
}

#[test]
fn a_record_may_grow_and_its_clock_may_be_unset() {
    let mut grown = data(&[]);
    grown.extend([1, 2, 3]);
    let events = heard(&DF13, [frame(&grown).as_slice()]);
    assert_eq!(readings(&events), pair(valid(97), valid(72)));

    for changes in [
        &[(2, 0x13)][..],
        &[(0, 0), (1, 0), (2, 0), (3, 0)],
        &[(6, 0x0A)],
    ] {
        let events = heard(&DF13, [frame(&data(changes)).as_slice()]);
        assert_eq!(readings(&events), pair(valid(97), valid(72)));
        assert_eq!(observed(&events)[0].measured_at, None);
        assert_eq!(faults(&events), [crate::protocol::Fault::BadTime]);
    }
}

#[test]
fn a_printed_line_is_read_by_its_keys() {
    let none = invalid(Cause::NotAvailable);
    let poor = |value| doubtful(value, Doubt::LowQuality);
    for (line, spo2, rate) in [
        ("SPO2=097 HR=072", valid(97), valid(72)),
        ("HR=072 SPO2=097", valid(97), valid(72)),
        ("12:34:56 SPO2=097 HR=072", valid(97), valid(72)),
        ("SPO2=097 HR=072 F", poor(97), poor(72)),
        ("SPO2=097 HR=072*", valid(97), valid(72)),
        ("SPO2=097 HR=072 *", valid(97), valid(72)),
        ("SPO2=097 HR=072 F *", poor(97), poor(72)),
        ("12:34:56 SPO2=097 HR=072 F*", poor(97), poor(72)),
        ("SPO2=--- HR=---", none, none),
        ("SPO2=097 HR=---", valid(97), none),
        (
            "SPO2=000 HR=000",
            invalid(Cause::Zero),
            invalid(Cause::Zero),
        ),
        ("SPO2=100 HR=321", valid(100), valid(321)),
    ] {
        let events = heard(&ASCII, [format!("{line}\r\n").as_bytes()]);
        assert_eq!(readings(&events), pair(spo2, rate), "{line}");
    }
    let banner = "NONIN MEDICAL\r\n\r\nAVANT 4000  REV 9\r\nSPO2=097 HR=072\r\n";
    let events = heard(&ASCII, [banner.as_bytes()]);
    assert_eq!(faults(&events), []);
    assert_eq!(summary(&events).frames, 1);
}

#[test]
fn a_damaged_line_is_dropped_whole() {
    use crate::protocol::Fault;
    for line in [
        "SPO2=97 HR=072 F",
        "SPO2=0971 HR=072",
        "SPO2=101 HR=072",
        "SPO2=097 HR=351",
        "SPO2=09- HR=072",
        "SPO2=097 HR=+72",
        "SPO2=097 HR=072 HR=073",
        "SPO2=097 HR=072SPO2=098 HR=073",
        "SPO2=097 HR=07SPO2=098 HR=073",
        "SPO2=097 HR=072 12:00:00",
        "SPO2=097 HR=072 X",
        "SPO2=097 HR=072 FX",
        "SP02=097 HR=072",
        "SPO2=097 PR=072",
        "SPO2=0\u{e9}7 HR=072",
        "12:3x:56 SPO2=097 HR=072",
    ] {
        let stream = format!("SPO2=097 HR=072\r\n{line}\r\nSPO2=096 HR=071\r\n");
        let events = heard(&ASCII, [stream.as_bytes()]);
        assert_eq!(summary(&events).frames, 2, "{line}");
        assert_eq!(faults(&events), [Fault::BadMessage], "{line}");
    }
}

#[test]
fn nothing_is_ever_sent_and_nothing_answers() {
    for protocol in ALL {
        let stream = shown(protocol, &[screen(valid(97), valid(72))]).concat();
        let events = heard(protocol, [stream.as_slice(), b"\x06", b"\x15"]);
        assert_eq!(sent(&events), Vec::<Vec<u8>>::new(), "{}", protocol.name);
        let mut replies = Vec::new();
        let mut device = device(protocol);
        // The command that would choose a format.
        let select = [0x02, 0x70, 0x02, 0x02, 0x08, 0xFF, 0x03];
        device.receive(Now::default(), &select, &mut replies);
        assert!(replies.is_empty());
    }
}
