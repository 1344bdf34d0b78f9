//! What the device side shows is what the session reads.

use super::super::super::device::{CuffReading, CuffState};
use super::super::association;
use super::*;
use crate::vocabulary::Doubt;
use proptest::prelude::*;

/// A device and a session that are associated over this medium; the screen is shown once a second.
struct Pair {
    session: Box<dyn Session>,
    device: Box<dyn Device>,
    medium: Medium,
    /// Bytes of the stream come in pieces of this size.
    size: usize,
    cadences: u64,
}

impl Pair {
    fn associated(medium: Medium, size: usize, first: &Screen) -> Self {
        let mut pair = Self {
            session: session_over(medium, &[]),
            device: device(),
            medium,
            size,
            cadences: 0,
        };
        let mut events = Events::new();
        pair.session.opened(at_ms(0), &mut events);
        events.clear();
        pair.session.expire(at_ms(250), &mut events);
        let mut waiting = Vec::new();
        for message in sent(&events) {
            pair.device.receive(at_ms(250), &message, &mut waiting);
        }
        assert!(waiting.is_empty(), "there is no screen yet");
        let said = pair.show(first);
        assert_eq!(faults(&said), []);
        pair
    }

    /// Shows a screen; everything that the session says about it.
    fn show(&mut self, screen: &Screen) -> Events {
        self.cadences += 1;
        let now = at_ms(250 + self.cadences * 1_024);
        let mut answers = Vec::new();
        self.device.present(now, screen, &mut answers);
        let mut said = Events::new();
        while !answers.is_empty() {
            let mut events = Events::new();
            match self.medium {
                Medium::Datagram => {
                    for datagram in &answers {
                        assert!(datagram.len() <= 996, "{}", datagram.len());
                        self.session.receive(now, datagram, &mut events);
                    }
                }
                Medium::Stream => {
                    for piece in answers.concat().chunks(self.size) {
                        self.session.receive(now, piece, &mut events);
                    }
                }
            }
            if self.session.deadline().is_some_and(|due| due <= now.moment) {
                self.session.expire(now, &mut events);
            }
            answers.clear();
            for message in sent(&events) {
                self.device.receive(now, &message, &mut answers);
            }
            said.extend(events);
        }
        said
    }
}

fn reading(range: std::ops::RangeInclusive<i64>, scale: u8) -> BoxedStrategy<Reading> {
    let causes = vec![
        Cause::NotAvailable,
        Cause::DeviceInvalid,
        Cause::Calibrating,
        Cause::Demo,
        Cause::Test,
        Cause::LowQuality,
    ];
    prop_oneof![
        3 => range.prop_map(move |value| Reading::Valid(Decimal::new(value, scale))),
        1 => prop::sample::select(causes).prop_map(Reading::Invalid),
    ]
    .boxed()
}

/// Continuous numerics of a monitor with or without a gas module and an arterial line.
fn numerics() -> impl Strategy<Value = BTreeMap<Parameter, Reading>> {
    let ordinary = (
        reading(1..=350, 0),
        reading(10..=1_000, 1),
        reading(1..=350, 0),
        reading(0..=2_500, 2),
        reading(1..=150, 0),
        reading(100..=460, 1),
    );
    let art = prop::option::of((30..=120_i64, 1..=150_i64, reading(1..=200, 0)));
    (ordinary, art, prop::option::of(reading(0..=2_000, 1))).prop_map(
        |((hr, spo2, pr, pi, rr, temp), art, etco2)| {
            let mut numerics: BTreeMap<Parameter, Reading> = [
                (Parameter::Hr, hr),
                (Parameter::Spo2, spo2),
                (Parameter::Pr, pr),
                (Parameter::Pi, pi),
                (Parameter::Rr, rr),
                (Parameter::Temp, temp),
            ]
            .into();
            if let Some((dia, above, pulse)) = art {
                numerics.insert(Parameter::ArtSys, valid(dia + above));
                numerics.insert(Parameter::ArtDia, valid(dia));
                numerics.insert(Parameter::ArtMean, valid(dia + above / 3));
                numerics.insert(Parameter::ArtPr, pulse);
            }
            numerics.extend(etco2.map(|etco2| (Parameter::Etco2, etco2)));
            numerics
        },
    )
}

/// What the wire makes of it: the monitor's question mark is no number.
fn as_read(reading: Reading) -> Reading {
    match reading {
        Reading::Invalid(Cause::LowQuality) => Reading::Invalid(Cause::DeviceInvalid),
        Reading::Invalid(_) | Reading::Valid(_) | Reading::Questionable(..) => reading,
    }
}

proptest! {
    #[test]
    fn what_the_monitor_shows_is_what_is_read(
        screens in prop::collection::vec(numerics(), 1..4),
        size in 1_usize..400,
        datagrams in any::<bool>(),
    ) {
        let medium = if datagrams { Medium::Datagram } else { Medium::Stream };
        let screen = |numerics: &BTreeMap<Parameter, Reading>| Screen {
            civil_ms: TAKEN,
            numerics: numerics.clone(),
            ..Screen::default()
        };
        let mut pair = Pair::associated(medium, size, &screen(&screens[0]));
        for numerics in &screens {
            let events = pair.show(&screen(numerics));
            prop_assert_eq!(faults(&events), []);
            let mut seen: BTreeMap<Parameter, Reading> = observed(&events)
                .into_iter()
                .map(|seen| (seen.parameter.known().unwrap(), seen.reading))
                .collect();
            // What the screens before had and this has not is told to be missing.
            seen.retain(|parameter, reading| {
                numerics.contains_key(parameter) || *reading != Reading::Invalid(Cause::NotAvailable)
            });
            let expected: BTreeMap<Parameter, Reading> =
                numerics.iter().map(|(parameter, reading)| (*parameter, as_read(*reading))).collect();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn each_cuff_reading_is_read_once_at_its_time(
        pressures in prop::collection::vec((40..=100_i64, 20..=100_i64), 1..4),
        pause in 1..30_i64,
    ) {
        let mut screen = Screen {
            civil_ms: TAKEN,
            cuff: Some(CuffState::Idle),
            ..Screen::default()
        };
        let mut pair = Pair::associated(Medium::Datagram, 1, &screen);
        let mut taken = Vec::new();
        let mut seen = Vec::new();
        for (dia, above) in &pressures {
            for state in [CuffState::Measuring; 5].into_iter().chain((0..pause).map(|_| CuffState::Idle)) {
                if screen.cuff == Some(CuffState::Measuring) && state == CuffState::Idle {
                    taken.push((screen.civil_ms / 10 * 10, valid(dia + above)));
                    screen.cuff_reading = Some(CuffReading {
                        civil_ms: screen.civil_ms,
                        sys: Decimal::whole(dia + above),
                        dia: Decimal::whole(*dia),
                        mean: Decimal::whole(dia + above / 3),
                        pulse: Some(Decimal::whole(70)),
                    });
                }
                screen.cuff = Some(state);
                for observation in observed(&pair.show(&screen)) {
                    if observation.parameter == Parameter::NibpSys.into() {
                        match observation.reading {
                            Reading::Invalid(cause) => {
                                let none = if taken.is_empty() { Cause::NotAvailable } else { Cause::Measuring };
                                prop_assert_eq!(cause, none);
                                prop_assert!(state == CuffState::Measuring || taken.is_empty());
                            }
                            reading @ (Reading::Valid(_) | Reading::Questionable(..)) => {
                                seen.push((observation.measured_at.unwrap().civil_ms, reading));
                            }
                        }
                    }
                }
                screen.civil_ms += 1_024;
            }
        }
        seen.dedup();
        prop_assert_eq!(seen, taken);
    }
}

#[test]
fn a_probe_that_is_off_a_doubtful_value_and_a_failed_cuff_have_their_causes() {
    let mut screen = Screen {
        civil_ms: TAKEN,
        numerics: [
            (Parameter::Spo2, Reading::Invalid(Cause::ProbeOff)),
            (
                Parameter::Pr,
                Reading::Questionable(Decimal::whole(70), Doubt::LowQuality),
            ),
            (Parameter::Hr, Reading::Valid(Decimal::ZERO)),
        ]
        .into(),
        cuff: Some(CuffState::Failed),
        ..Screen::default()
    };
    let mut pair = Pair::associated(Medium::Stream, 50, &screen);
    let told =
        |events: &Events| -> BTreeMap<String, Reading> { readings(events).into_iter().collect() };
    let first = told(&pair.show(&screen));
    assert_eq!(first["spo2"], Reading::Invalid(Cause::DeviceInvalid));
    assert_eq!(first["pr"], Reading::Invalid(Cause::LowQuality));
    assert_eq!(first["hr"], Reading::Invalid(Cause::Zero));
    assert_eq!(first["nibp-sys"], Reading::Invalid(Cause::CuffFault));
    screen.cuff = Some(CuffState::Idle);
    screen.numerics.remove(&Parameter::Spo2);
    let second = told(&pair.show(&screen));
    assert_eq!(second["nibp-sys"], Reading::Invalid(Cause::NotAvailable));
    assert_eq!(
        second["spo2"],
        Reading::Invalid(Cause::NotAvailable),
        "unplugged"
    );
}

#[test]
fn a_long_result_comes_in_parts() {
    let numerics = Parameter::ALL
        .iter()
        .filter(|parameter| !parameter.is_cuff() && **parameter != Parameter::Rr)
        .map(|parameter| (*parameter, valid(parameter.range().0.max(20))))
        .collect();
    let screen = Screen {
        civil_ms: TAKEN,
        numerics,
        cuff: Some(CuffState::Idle),
        ..Screen::default()
    };
    let mut pair = Pair::associated(Medium::Datagram, 1, &screen);
    let now = at_ms(2_500);
    let (mut datagrams, mut events) = (Vec::new(), Events::new());
    pair.device.present(now, &screen, &mut datagrams);
    let linked = datagrams.iter().filter(|datagram| datagram[5] == 5).count();
    assert!(linked > 1, "{linked} of {}", datagrams.len());
    for datagram in &datagrams {
        pair.session.receive(now, datagram, &mut events);
    }
    assert_eq!(faults(&events), []);
    let told: BTreeMap<_, _> = readings(&events).into_iter().collect();
    assert_eq!(told.len(), screen.numerics.len() + 3, "{told:?}");
}

#[test]
fn the_device_refuses_a_second_association_and_drops_a_silent_client() {
    let mut device = device();
    let mut sent = Vec::new();
    device.present(at_ms(0), &Screen::default(), &mut sent);
    let terms = association::Terms {
        min_poll_period: std::time::Duration::from_secs(1),
        longest_message: 1_364,
        extended: 0x8000_0000,
    };
    let request = association::request(&terms);
    device.receive(at_ms(0), &association::release(), &mut sent);
    assert!(sent.is_empty(), "there is nothing to release");
    device.receive(at_ms(0), &request, &mut sent);
    assert_eq!(sent.len(), 2, "response and MDS Create");
    device.receive(at_ms(10), &request, &mut sent);
    assert_eq!(sent[2..], [association::refuse()]);
    sent.clear();
    let mut kinds = Vec::new();
    for second in 1..=12 {
        device.present(at_ms(second * 1_000), &Screen::default(), &mut sent);
        kinds.extend(sent.drain(..).map(|message| message[0]));
    }
    // The MDS Create event is told three times in all, then the client is dropped.
    assert_eq!(kinds, [0xE1, 0xE1, association::ABORT]);
}
