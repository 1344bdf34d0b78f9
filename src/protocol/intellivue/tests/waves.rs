//! Waves: rate, scale, marks and gaps.

use super::super::message::Object;
use super::super::numerics::Mode;
use super::super::wave::{self, Waves};
use super::super::wire::Bytes;
use super::*;
use crate::observation::WaveChunk;

/// Attributes of a wave: period, sample size and significant bits, flags, scale.
fn context(
    period: u32,
    bits: [u8; 2],
    flags: u16,
    scale: [u32; 2],
    scaled: [u16; 2],
) -> Vec<Vec<u8>> {
    let mut specification = vec![0, 64, bits[0], bits[1]];
    specification.extend(flags.to_be_bytes());
    let mut points = Vec::new();
    for point in scale {
        points.extend(point.to_be_bytes());
    }
    for point in scaled {
        points.extend(point.to_be_bytes());
    }
    vec![
        attribute(wave::SPECIFICATION, specification),
        attribute(wave::PERIOD, period.to_be_bytes()),
        attribute(wave::SCALE, points),
    ]
}

fn samples(code: u16, state: u16, raw: &[u16]) -> Vec<u8> {
    let mut value = code.to_be_bytes().to_vec();
    value.extend(state.to_be_bytes());
    wire::block(&mut value, |out| {
        for raw in raw {
            out.extend(raw.to_be_bytes());
        }
    });
    value
}

/// What a wave object with these attributes tells; `None` when it is refused.
fn take(waves: &mut Waves, attributes: &[Vec<u8>], mode: Mode) -> Option<Vec<WaveChunk>> {
    let bytes = answer::object(7, attributes);
    let object = Object {
        key: (1, 7),
        attributes: Bytes(&bytes[2..]).attributes().unwrap(),
    };
    let mut told = Vec::new();
    waves.take(&object, mode, |chunk| told.push(chunk))?;
    Some(told)
}

/// One block after its context.
fn told(context: Vec<Vec<u8>>, block: Vec<u8>) -> Vec<WaveChunk> {
    let mut waves = Waves::default();
    let all = [context, vec![attribute(wave::SAMPLES, block)]].concat();
    take(&mut waves, &all, Mode::Monitoring).unwrap()
}

/// The ECG of the captures: 0 to 16383 are −40.96 to 40.955 mV, 4 ms.
fn ecg() -> Vec<Vec<u8>> {
    let mut ecg = context(0x20, [16, 14], 0, [0xFEFF_F000, 0xFD00_9FFB], [0, 16_383]);
    ecg.push(attribute(wave::UNIT, 0x10B2_u16.to_be_bytes()));
    ecg
}

#[test]
fn the_ecg_of_the_captures_has_exact_counts_of_five_microvolts() {
    let chunks = told(ecg(), samples(0x0102, 0, &[8_192, 8_193, 8_191, 0, 16_383]));
    let chunk = &chunks[0];
    assert_eq!(
        (&*chunk.label, chunk.rate_hz, chunk.unit),
        ("ecg-II", 250, "mV")
    );
    assert_eq!(chunk.resolution, Decimal::new(5, 3));
    let counts = [Some(0), Some(1), Some(-1), Some(-8_192), Some(8_191)];
    assert_eq!(chunk.samples, counts);
}

#[test]
fn a_wave_without_absolute_scale_keeps_its_counts() {
    let none = [wire::NO_NUMBER, wire::NO_NUMBER];
    let chunks = told(
        context(0x40, [16, 12], 0, none, [0, 4_095]),
        samples(0x4BB4, 0, &[0, 4_095]),
    );
    let chunk = &chunks[0];
    assert_eq!(
        (&*chunk.label, chunk.rate_hz, chunk.unit),
        ("pleth", 125, "")
    );
    assert_eq!(chunk.samples, [Some(0), Some(4_095)]);
}

#[test]
fn a_scale_that_is_no_decimal_is_rounded_finer_than_a_count() {
    // 0 to 60 mmHg over 0 to 4095.
    let chunks = told(
        context(0x80, [16, 12], 0, [0, 60], [0, 4_095]),
        samples(0x50AC, 0, &[0, 1, 2_048, 4_095]),
    );
    let chunk = &chunks[0];
    let step = chunk.resolution;
    assert_eq!(step, Decimal::new(1, 3));
    // 62.5 samples a second: each is held for two of 125.
    assert_eq!(chunk.rate_hz, 125);
    let counts: Vec<i32> = chunk
        .samples
        .iter()
        .step_by(2)
        .map(|count| count.unwrap())
        .collect();
    assert_eq!(counts, [0, 15, 30_007, 60_000]);
    assert_eq!(chunk.samples[0], chunk.samples[1]);
}

#[test]
fn marked_masked_and_invalid_samples_are_gaps() {
    let mut special = Vec::new();
    // Private ids occur.
    wire::list(&mut special, &[[0x80, 3, 0, 1], [0, 1, 0x40, 0]]);
    let mut marked = ecg();
    marked.push(attribute(wave::SPECIAL_VALUES, special));
    let chunks = told(marked, samples(0x0101, 0, &[8_192, 0x4000 | 8_192]));
    assert_eq!(chunks[0].samples, [Some(0), None]);

    let masked = context(
        0x20,
        [16, 14],
        0x1000,
        [0xFEFF_F000, 0xFD00_9FFB],
        [0, 16_383],
    );
    let chunks = told(masked, samples(0x0101, 0, &[0xC000 | 8_192]));
    assert_eq!(chunks[0].samples, [Some(0)]);

    let chunks = told(ecg(), samples(0x0101, 0x8000, &[1, 2]));
    assert_eq!(chunks[0].samples, [None, None]);
    let mut off = ecg();
    off.push(attribute(0x0940, 0x8000_u16.to_be_bytes()));
    assert_eq!(told(off, samples(0x0101, 0, &[1]))[0].samples, [None]);
    // Another wave has its code for a label.
    assert_eq!(
        &*told(ecg(), samples(0x0109, 0, &[1]))[0].label,
        "intellivue:0109"
    );
}

#[test]
fn samples_wait_for_their_context_and_demonstrations_are_left_out() {
    let mut waves = Waves::default();
    let block = || vec![attribute(wave::SAMPLES, samples(0x0102, 0, &[8_192]))];
    let count = |waves: &mut Waves, attributes: &[Vec<u8>], mode| {
        take(waves, attributes, mode).unwrap().len()
    };
    assert_eq!(count(&mut waves, &block(), Mode::Monitoring), 0);
    assert_eq!(count(&mut waves, &ecg(), Mode::Monitoring), 0);
    assert_eq!(
        count(&mut waves, &block(), Mode::Monitoring),
        1,
        "the context is kept"
    );
    assert_eq!(count(&mut waves, &block(), Mode::Demo), 0);
    let demo = vec![attribute(wave::SAMPLES, samples(0x0102, 0x0400, &[8_192]))];
    assert_eq!(count(&mut waves, &demo, Mode::Monitoring), 0);
    waves.associated();
    assert_eq!(count(&mut waves, &block(), Mode::Monitoring), 0);
}

#[test]
fn the_composite_has_several_blocks() {
    let three: Vec<Vec<u8>> = [0x0101, 0x0102, 0x013D]
        .iter()
        .map(|code| samples(*code, 0, &[8_192; 64]))
        .collect();
    let mut value = Vec::new();
    wire::list(&mut value, &three);
    let all = [ecg(), vec![attribute(0x0967, &value)]].concat();
    let chunks = take(&mut Waves::default(), &all, Mode::Monitoring).unwrap();
    let labels: Vec<&str> = chunks.iter().map(|chunk| &*chunk.label).collect();
    assert_eq!(labels, ["ecg-I", "ecg-II", "ecg-III"]);
    assert!(chunks.iter().all(|chunk| chunk.samples.len() == 64));
}

#[test]
fn a_wave_that_contradicts_itself_is_refused() {
    let mut cut = samples(0x0102, 0, &[1, 2]);
    cut[5] = 9;
    for bad in [
        attribute(wave::SAMPLES, cut),
        attribute(wave::SPECIFICATION, [0, 1, 16]),
        attribute(wave::PERIOD, [0]),
        attribute(wave::SCALE, [0; 9]),
    ] {
        assert_eq!(take(&mut Waves::default(), &[bad], Mode::Monitoring), None);
    }
    // Periods and sizes that no wave has: nothing is told, nothing panics.
    for (period, bits) in [
        (0, [16, 14]),
        (9_000, [16, 14]),
        (7, [16, 14]),
        (0x20, [12, 12]),
    ] {
        let none = context(period, bits, 0x1000, [0, 60], [0, 0]);
        assert!(told(none, samples(0x0102, 0, &[1])).is_empty());
    }
}

#[test]
fn waves_of_the_device_come_back_at_the_monitors_rate() {
    let chunk = |label: &str, rate_hz: u32, unit, resolution| WaveChunk {
        label: label.into(),
        rate_hz,
        resolution,
        unit,
        samples: (0..i32::try_from(rate_hz).unwrap() * 1_024 / 1_000)
            .map(|number| (number % 10 != 3).then_some(number - 20))
            .collect(),
    };
    let screen = Screen {
        civil_ms: TAKEN,
        waves: vec![
            chunk("ecg-ii", 250, "mV", Decimal::new(1, 3)),
            chunk("resp", 125, "", Decimal::new(1, 2)),
        ],
        ..Screen::default()
    };
    let mut session = session_over(Medium::Datagram, &[("waves", "ecg-ii,resp,pleth")]);
    let mut device = device();
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    events.clear();
    session.expire(at_ms(250), &mut events);
    let mut heard: BTreeMap<String, Vec<Option<i32>>> = BTreeMap::new();
    for second in 0..4_u64 {
        let now = at_ms(250 + second * 1_024);
        let mut answers = Vec::new();
        loop {
            for message in sent(&events) {
                device.receive(now, &message, &mut answers);
            }
            assert_eq!(faults(&events), []);
            for chunk in waves(&events) {
                heard
                    .entry(chunk.label.to_string())
                    .or_default()
                    .extend(&chunk.samples);
                if &*chunk.label == "ecg-II" {
                    assert_eq!((chunk.rate_hz, chunk.resolution), (250, Decimal::new(1, 3)));
                }
            }
            events.clear();
            if answers.is_empty() {
                break;
            }
            for answer in std::mem::take(&mut answers) {
                session.receive(now, &answer, &mut events);
            }
        }
        device.present(now, &screen, &mut answers);
        for answer in answers {
            session.receive(now, &answer, &mut events);
        }
    }
    assert_eq!(heard.keys().collect::<Vec<_>>(), ["ecg-II", "resp"]);
    // Two whole seconds of the screen's own samples, gaps and all.
    let own: Vec<Option<i32>> = screen.waves[0]
        .samples
        .iter()
        .copied()
        .cycle()
        .take(512)
        .collect();
    assert_eq!(heard["ecg-II"][..512], own);
    // 62.5 a second, each held twice, from a count that stands for zero.
    assert_eq!(
        heard["resp"][..4],
        [Some(2_028), Some(2_028), Some(2_030), Some(2_030)]
    );
}
