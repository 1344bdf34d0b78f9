//! The shipped scenarios.

use super::{Cable, CuffPlan, Outage, Script, Sensor, SensorFault};
use crate::simulator::patient::{
    Patient, STANDARD_DOSE_MG_PER_KG, STANDARD_LENGTH, Shift, Vital, Vitals,
};
use crate::simulator::pharmacokinetics::Infusion;
use crate::vocabulary::Cause;
use std::time::Duration;

/// A shipped scenario.
pub struct Named {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, in one sentence.
    pub about: &'static str,
    pub(super) build: fn() -> Script,
}

/// Every shipped scenario.
pub static NAMED: &[Named] = &[
    Named {
        name: "stable",
        about: "an adult at rest, a cuff reading every 5 min, nothing happens",
        build: stable,
    },
    Named {
        name: "ketamine",
        about: "the demo: infusion from 6 to 46 min, desaturation at 20, probe off at 27, cable out at 33, pressure peak at 41, recovery",
        build: ketamine,
    },
    Named {
        name: "desaturation",
        about: "from 1 min on SpO2 falls to 82 % within 40 s, stays 90 s and comes back",
        build: desaturation,
    },
    Named {
        name: "hypertension",
        about: "from 2 min on pressure rises to about 190/115, a cuff reading every 2 min",
        build: hypertension,
    },
    Named {
        name: "hypotension",
        about: "from 2 min on pressure falls to about 74/42, a cuff reading every 2 min",
        build: hypotension,
    },
    Named {
        name: "bradycardia",
        about: "from 1 min on the heart rate falls to 36 for 2 min",
        build: bradycardia,
    },
    Named {
        name: "tachycardia",
        about: "from 1 min on the heart rate rises to 158 for 2 min",
        build: tachycardia,
    },
    Named {
        name: "slow-breathing",
        about: "from 1 min on breathing falls to 6 a minute, etCO2 rises, SpO2 follows",
        build: slow_breathing,
    },
    Named {
        name: "pulse-lost",
        about: "at 1 min the pleth finds no pulse and the ECG rate is 15, for 40 s",
        build: pulse_lost,
    },
    Named {
        name: "probe-off",
        about: "the finger probe is off from 1 min to 2 min 30 s, then searches for 6 s",
        build: probe_off,
    },
    Named {
        name: "electrodes-off",
        about: "the ECG electrodes are off from 1 min to 2 min",
        build: electrodes_off,
    },
    Named {
        name: "cuff-failure",
        about: "a cuff reading every 2 min, the second and third fail",
        build: cuff_failure,
    },
    Named {
        name: "cable-out",
        about: "the cable is pulled from 1 min to 1 min 30 s",
        build: cable_out,
    },
    Named {
        name: "silence",
        about: "from 1 min to 2 min nothing gets through, and nothing is closed",
        build: silence,
    },
];

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const WEIGHT_KG: f64 = 80.0;
/// One seed for all: what is shown in a training is shown again in the next.
const SEED: u64 = 20_180_726;

/// When the infusion of the scenario `ketamine` starts.
pub const INFUSION_START: Duration = Duration::from_secs(6 * 60);

fn resting() -> Patient {
    Patient::new(WEIGHT_KG, Vitals::RESTING, SEED)
}

fn cuff_every(minutes: u32) -> CuffPlan {
    CuffPlan::periodic(30 * SECOND, minutes * MINUTE)
}

fn stable() -> Script {
    Script::new(resting(), cuff_every(5))
}

/// A change from one minute on.
const fn shift(vital: Vital, by: f64, onset: Duration, hold: Duration) -> Shift {
    Shift {
        vital,
        by,
        from: MINUTE,
        onset,
        hold,
        offset: MINUTE,
    }
}

fn shifted(shifts: impl IntoIterator<Item = Shift>, cuff: CuffPlan) -> Script {
    Script::new(resting().with_shifts(shifts), cuff)
}

fn desaturation() -> Script {
    shifted(
        [shift(Vital::Saturation, -15.5, 40 * SECOND, 90 * SECOND)],
        cuff_every(5),
    )
}

fn hypertension() -> Script {
    shifted(
        [
            shift(Vital::Systolic, 66.0, 3 * MINUTE, 10 * MINUTE),
            shift(Vital::Diastolic, 39.0, 3 * MINUTE, 10 * MINUTE),
        ]
        .map(|shift| Shift {
            from: 2 * MINUTE,
            ..shift
        }),
        cuff_every(2),
    )
}

fn hypotension() -> Script {
    shifted(
        [
            shift(Vital::Systolic, -50.0, 2 * MINUTE, 8 * MINUTE),
            shift(Vital::Diastolic, -34.0, 2 * MINUTE, 8 * MINUTE),
        ]
        .map(|shift| Shift {
            from: 2 * MINUTE,
            ..shift
        }),
        cuff_every(2),
    )
}

fn bradycardia() -> Script {
    shifted(
        [shift(Vital::HeartRate, -36.0, 20 * SECOND, 2 * MINUTE)],
        cuff_every(5),
    )
}

fn tachycardia() -> Script {
    shifted(
        [shift(Vital::HeartRate, 86.0, 20 * SECOND, 2 * MINUTE)],
        cuff_every(5),
    )
}

fn slow_breathing() -> Script {
    shifted(
        [
            shift(Vital::Breaths, -8.0, MINUTE, 3 * MINUTE),
            shift(Vital::CarbonDioxide, 16.0, 2 * MINUTE, 2 * MINUTE),
            shift(Vital::Saturation, -8.0, 3 * MINUTE, MINUTE),
        ],
        cuff_every(5),
    )
}

fn pulse_lost() -> Script {
    let arrest = Shift {
        onset: 2 * SECOND,
        offset: 5 * SECOND,
        ..shift(Vital::HeartRate, -57.0, SECOND, 40 * SECOND)
    };
    shifted([arrest], cuff_every(5)).with_fault(SensorFault {
        sensor: Sensor::Oximeter,
        cause: Cause::Searching,
        from: MINUTE,
        hold: 45 * SECOND,
    })
}

/// The probe comes off, is put back, and looks for the pulse for some seconds.
fn probe_comes_off(script: Script, from: Duration, hold: Duration) -> Script {
    let fault = |cause, from, hold| SensorFault {
        sensor: Sensor::Oximeter,
        cause,
        from,
        hold,
    };
    script
        .with_fault(fault(Cause::ProbeOff, from, hold))
        .with_fault(fault(Cause::Searching, from + hold, 6 * SECOND))
}

fn probe_off() -> Script {
    probe_comes_off(stable(), MINUTE, 90 * SECOND)
}

fn electrodes_off() -> Script {
    stable().with_fault(SensorFault {
        sensor: Sensor::Electrodes,
        cause: Cause::SensorMissing,
        from: MINUTE,
        hold: MINUTE,
    })
}

fn cuff_failure() -> Script {
    Script::new(
        resting(),
        CuffPlan {
            failing: vec![1, 2],
            ..cuff_every(2)
        },
    )
}

fn cable_out() -> Script {
    stable().with_outage(Outage {
        cable: Cable::Pulled,
        from: MINUTE,
        hold: 30 * SECOND,
    })
}

fn silence() -> Script {
    stable().with_outage(Outage {
        cable: Cable::Silent,
        from: MINUTE,
        hold: MINUTE,
    })
}

/// The whole session of the demo. The mean rise of pressure alone stays below the alarm limits; the
/// surge on top of it (an anxious patient near the end) reaches the medium tier and is confirmed by
/// the next reading.
fn ketamine() -> Script {
    let surge = |vital, by| Shift {
        vital,
        by,
        from: 36 * MINUTE,
        onset: 5 * MINUTE,
        hold: 5 * MINUTE,
        offset: 6 * MINUTE,
    };
    let dip = |vital, by| Shift {
        vital,
        by,
        from: 20 * MINUTE,
        onset: 50 * SECOND,
        hold: 40 * SECOND,
        offset: MINUTE,
    };
    let patient = resting()
        .with_infusion(Infusion {
            start: INFUSION_START,
            length: STANDARD_LENGTH,
            dose_mg: STANDARD_DOSE_MG_PER_KG * WEIGHT_KG,
        })
        .with_shifts([
            surge(Vital::Systolic, 28.0),
            surge(Vital::Diastolic, 11.0),
            surge(Vital::HeartRate, 6.0),
            dip(Vital::Saturation, -12.0),
            dip(Vital::Perfusion, -2.2),
        ]);
    // Two or three readings for the baseline, every 5 min in the infusion, closer around the peak,
    // then as the phases ask for (engine.md 5); in seconds.
    let starts = [
        30, 150, 270, 630, 930, 1_230, 1_530, 1_830, 2_130, 2_340, 2_490, 2_610, 2_760, 2_910,
        3_060, 3_210, 3_360,
    ];
    let cuff = CuffPlan {
        starts: starts.map(Duration::from_secs).to_vec(),
        every: Some(14 * MINUTE),
        failing: Vec::new(),
    };
    let script = probe_comes_off(Script::new(patient, cuff), 27 * MINUTE, 90 * SECOND);
    script.with_outage(Outage {
        cable: Cable::Pulled,
        from: 33 * MINUTE,
        hold: 30 * SECOND,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;
    use crate::protocol::CuffState;
    use crate::vocabulary::{Decimal, Parameter, Reading};
    use std::collections::BTreeSet;

    fn seconds(
        name: &str,
        range: std::ops::Range<u64>,
    ) -> impl Iterator<Item = (u64, super::super::Scene)> {
        let scenario = Scenario::named(name).unwrap();
        range.map(move |second| (second, scenario.at(Duration::from_secs(second))))
    }

    fn lowest(name: &str, parameter: Parameter, range: std::ops::Range<u64>) -> Decimal {
        seconds(name, range)
            .filter_map(|(_, scene)| scene.numerics[&parameter].value())
            .min()
            .unwrap()
    }

    #[test]
    fn every_scenario_runs_for_hours_and_names_are_unique() {
        let names: BTreeSet<_> = NAMED.iter().map(|named| named.name).collect();
        assert_eq!(names.len(), NAMED.len());
        for named in NAMED {
            for (second, scene) in seconds(named.name, 0..8_000).step_by(7) {
                for (parameter, reading) in &scene.numerics {
                    if let Some(value) = reading.value() {
                        assert!(
                            parameter.check(value).is_ok(),
                            "{} {second} {parameter:?} {value}",
                            named.name
                        );
                    }
                }
                if let Some(reading) = scene.cuff_reading {
                    assert!(reading.sys > reading.dia, "{} {second}", named.name);
                }
            }
        }
        assert!(Scenario::named("no-such-scenario").is_none());
    }

    #[test]
    fn scenarios_do_what_their_sentence_says() {
        assert!(lowest("stable", Parameter::Spo2, 0..7_200) >= Decimal::whole(96));
        let low = lowest("desaturation", Parameter::Spo2, 100..190);
        assert!((Decimal::whole(81)..=Decimal::whole(83)).contains(&low));
        assert!(lowest("bradycardia", Parameter::Hr, 80..200) < Decimal::whole(40));
        assert!(lowest("tachycardia", Parameter::Hr, 80..200) > Decimal::whole(150));
        assert!(lowest("slow-breathing", Parameter::Rr, 120..240) < Decimal::whole(8));
        assert!(lowest("pulse-lost", Parameter::Hr, 63..100) < Decimal::whole(20));
        let high = seconds("hypertension", 400..800)
            .filter_map(|(_, scene)| scene.cuff_reading)
            .map(|reading| (reading.sys, reading.dia))
            .max()
            .unwrap();
        assert!(high.0 >= Decimal::whole(180) && high.1 >= Decimal::whole(110));
        let failed: BTreeSet<_> = seconds("cuff-failure", 0..600)
            .filter(|(_, scene)| scene.cuff == Some(CuffState::Failed))
            .map(|(second, _)| second / 120)
            .collect();
        assert_eq!(failed, BTreeSet::from([1, 2, 3]));
        for (name, cable) in [("cable-out", Cable::Pulled), ("silence", Cable::Silent)] {
            let scenario = Scenario::named(name).unwrap();
            assert_eq!(scenario.cable(59 * SECOND), Cable::In);
            assert_eq!(scenario.cable(60 * SECOND), cable);
            assert_eq!(scenario.cable(120 * SECOND), Cable::In);
        }
    }

    /// The last reading that finished by this minute and second.
    fn pressure(minute: u64, second: u64) -> (Decimal, Decimal) {
        let scene = Scenario::named("ketamine")
            .unwrap()
            .at(Duration::from_secs(minute * 60 + second));
        let reading = scene.cuff_reading.unwrap();
        (reading.sys, reading.dia)
    }

    #[test]
    fn the_ketamine_session_alarms_where_it_is_meant_to_and_nowhere_else() {
        // Three baseline readings, the last within 15 min of the start.
        let ends: BTreeSet<_> = seconds("ketamine", 0..360)
            .filter_map(|(_, scene)| scene.cuff_reading)
            .map(|reading| reading.at.as_secs())
            .collect();
        assert_eq!(ends, BTreeSet::from([60, 180, 300]));
        let whole = Decimal::whole;
        let (sys, dia) = pressure(5, 0);
        assert!((whole(120)..=whole(128)).contains(&sys), "{sys}");
        assert!((whole(73)..=whole(79)).contains(&dia), "{dia}");
        // The ordinary rise stays below B + 20 % and 160 until the surge.
        for minute in [11, 16, 21, 26, 31, 36] {
            let (sys, dia) = pressure(minute, 0);
            assert!(
                sys <= whole(145) && dia <= whole(90),
                "{minute}: {sys}/{dia}"
            );
        }
        // Two readings in a row reach the medium tier near the fortieth minute of the infusion.
        for (minute, second) in [(42, 0), (44, 0), (46, 30)] {
            let (sys, dia) = pressure(minute, second);
            assert!((whole(165)..whole(180)).contains(&sys), "{minute}: {sys}");
            assert!(dia < whole(100), "{minute}: {dia}");
        }
        assert!(pressure(54, 0).0 <= whole(145));
        // One desaturation, below 88 for longer than its ten seconds, never below 85.
        let low: Vec<_> = seconds("ketamine", 0..7_200)
            .filter(|(_, scene)| {
                scene.numerics[&Parameter::Spo2]
                    .value()
                    .is_some_and(|value| value < whole(88))
            })
            .map(|(second, _)| second)
            .collect();
        assert!(low.len() >= 30, "{low:?}");
        assert!(low.iter().all(|second| (1_200..1_360).contains(second)));
        assert!(lowest("ketamine", Parameter::Spo2, 0..7_200) >= whole(85));
        // The rate and the breathing alarm nowhere.
        assert!(lowest("ketamine", Parameter::Hr, 0..7_200) > whole(60));
        assert!(lowest("ketamine", Parameter::Rr, 0..7_200) >= whole(11));
        for (second, scene) in seconds("ketamine", 0..7_200) {
            assert!(scene.numerics[&Parameter::Hr].value().unwrap() < whole(93));
            let expected = (1_620..1_716).contains(&second);
            let off = matches!(scene.numerics[&Parameter::Spo2], Reading::Invalid(_));
            assert_eq!(off, expected, "at {second}");
        }
    }
}
