//! Waves: recognised, kept as counts, never taken for numerics.

use super::hl7_rig::{MSH, Rig, faults, frame, lines, observations, waves};
use infusewatch::protocol::{Events, Fault};

fn receive(rows: &[&str]) -> Events {
    let mut segments = vec![MSH];
    segments.extend(rows);
    Rig::new(&[]).receive(&frame(&segments))
}

const GROUP: &str = "OBR|1|||CONTINUOUS WAVEFORM|||20260301101500.000|20260301101501.000";
const PLETH: &str = "OBX|1|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.2.1.4|10^11^^32767^13~14|262656^MDC_DIM_DIMLESS^MDC|||||R";

#[test]
fn a_wave_with_its_attributes() {
    let events = receive(&[
        GROUP,
        PLETH,
        "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.2.1.4.1|60|264640^MDC_DIM_HZ^MDC|||||R",
        "OBX|3|NM|67917^MDC_ATTR_NU_MSMT_RES^MDC|1.2.1.4.2|0.025|262656^MDC_DIM_DIMLESS^MDC|||||R",
        "OBX|4|NM|262196^MDC_EVT_INOP^MDC|1.2.1.4.3|32767||||||R",
        "OBX|5|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R",
    ]);
    assert_eq!(lines(&observations(&events)), ["spo2 97"]);
    let found = waves(&events);
    assert_eq!(found.len(), 1);
    let wave = &found[0];
    assert_eq!(&*wave.label, "pleth");
    assert_eq!(wave.rate_hz, 60);
    assert_eq!(wave.resolution.to_string(), "0.025");
    assert_eq!(
        wave.samples,
        [Some(10), Some(11), None, None, Some(13), Some(14)]
    );
    assert_eq!(faults(&events), []);
}

#[test]
fn the_interval_tells_the_rate_when_nobody_else_does() {
    let samples = vec!["1"; 250].join("^");
    let row =
        format!("OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.9|{samples}|266418^^MDC|||||R");
    let range = "OBX|2|NR|0^MDC_ATTR_DATA_RANGE^MDC|1.1.1.9.2|-2048^2047||||||R";
    let found = waves(&receive(&[GROUP, &row, range]));
    assert_eq!(found[0].rate_hz, 250);
    assert_eq!(&*found[0].label, "ecg-ii");
    assert_eq!(found[0].unit, "mV");
}

#[test]
fn samples_with_a_point_become_counts() {
    let row = "OBX|1|NA|131329^^MDC|1.1.1.9|0.5^-0.25^1|266418^^MDC|||||R";
    let rate = "OBX|2|NM|^MDC_ATTR_SAMP_RATE|1.1.1.9.1|3||||||R";
    let found = waves(&receive(&[row, rate]));
    assert_eq!(found[0].samples, [Some(50), Some(-25), Some(100)]);
    assert_eq!(found[0].resolution.to_string(), "0.01");
}

#[test]
fn a_wave_under_a_numerics_code_is_still_no_number() {
    let events = receive(&[
        GROUP,
        "OBX|1|NA|150456^MDC_PULS_OXIM_SAT_O2_WAVEFORM^MDC|1.2.1.4|97^98^99||||||R",
        "OBX|2|NA|9001^PRIVATE^99X|1.2.1.5|1^2^3||||||R",
    ]);
    assert_eq!(observations(&events), []);
    let labels: Vec<_> = waves(&events)
        .iter()
        .map(|wave| wave.label.to_string())
        .collect();
    assert_eq!(labels, ["mdc:150456", "vendor:hl7-mllp:9001"]);
}

#[test]
fn what_cannot_be_a_wave_is_counted_and_dropped() {
    let many = format!(
        "OBX|1|NA|150452^^MDC|1.2.1.4|{}||||||R",
        "1^".repeat(70_000)
    );
    for rows in [
        // No rate at all.
        vec![PLETH],
        // No sample at all.
        vec![GROUP, "OBX|1|NA|150452^^MDC|1.2.1.4|^^^||||||R"],
        // A rate that no monitor has.
        vec![
            PLETH,
            "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.2.1.4.1|0||||||R",
        ],
        vec![
            PLETH,
            "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.2.1.4.1|-60||||||R",
        ],
        vec![GROUP, &many],
    ] {
        let events = receive(&rows);
        assert_eq!(waves(&events), []);
        assert_eq!(faults(&events), [Fault::BadMessage]);
    }
}

#[test]
fn a_demonstration_wave_is_not_shown() {
    for flags in ["DEMO", "TEST", "INV"] {
        let row = PLETH.replace("|||||R", &format!("||{flags}|||R"));
        assert_eq!(waves(&receive(&[GROUP, &row])), [], "{flags}");
    }
}
