//! A bedside monitor: what one device has on its screen of what a scenario offers.

use super::scenario::{Cable, Scenario, Scene};
use super::waves::{LABELS, Waves};
use crate::observation::{AlertPhase, DeviceAlert};
use crate::protocol::{CuffReading, CuffState, Protocol, Screen};
use crate::vocabulary::{Cause, Decimal, Parameter, Priority, Reading, WallTime};
use std::sync::Arc;
use std::time::Duration;

/// Which of a scenario's facts a device measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The parameters; cuff parameters mean that it has a cuff.
    pub parameters: Vec<Parameter>,
    /// The labels of its waves.
    pub waves: Vec<&'static str>,
}

impl Fitted {
    /// Everything that the protocol can carry.
    pub fn of(protocol: &Protocol) -> Self {
        Self {
            parameters: protocol.parameters.to_vec(),
            waves: if protocol.waves {
                LABELS.to_vec()
            } else {
                Vec::new()
            },
        }
    }

    fn has(&self, parameter: Parameter) -> bool {
        self.parameters.contains(&parameter)
    }
}

/// One monitor at one patient.
pub struct Monitor {
    scenario: Arc<Scenario>,
    fitted: Fitted,
    /// The monitor's clock at the start of the scenario.
    started: WallTime,
    waves: Waves,
}

impl Monitor {
    /// A monitor that shows `scenario` from its beginning; its own clock says `started` then.
    pub fn new(scenario: Arc<Scenario>, fitted: Fitted, started: WallTime) -> Self {
        Self {
            scenario,
            fitted,
            started,
            waves: Waves::new(Duration::ZERO),
        }
    }

    /// Waves begin anew at `elapsed`: what was drawn while nobody listened is left out.
    pub fn begin_waves(&mut self, elapsed: Duration) {
        self.waves = Waves::new(elapsed);
    }

    /// The cable at `elapsed`.
    pub fn cable(&self, elapsed: Duration) -> Cable {
        self.scenario.cable(elapsed)
    }

    /// The screen at `elapsed`, with the waves since the last call.
    pub fn screen(&mut self, elapsed: Duration) -> Screen {
        let mut scene = self.scenario.at(elapsed);
        let mut waves = self.waves.draw(elapsed, &scene);
        waves.retain(|chunk| self.fitted.waves.contains(&&*chunk.label));
        scene
            .numerics
            .retain(|parameter, _| self.fitted.has(*parameter));
        if !self.fitted.has(Parameter::NibpSys) {
            scene.cuff = None;
            scene.cuff_reading = None;
        }
        Screen {
            civil_ms: self.civil_ms(elapsed),
            alerts: own_alarms(&scene),
            cuff: scene.cuff,
            cuff_reading: scene.cuff_reading.map(|reading| CuffReading {
                civil_ms: self.civil_ms(reading.at),
                sys: reading.sys,
                dia: reading.dia,
                mean: reading.mean,
                pulse: reading.pulse,
            }),
            numerics: scene.numerics,
            waves,
            pump_events: Vec::new(),
        }
    }

    fn civil_ms(&self, elapsed: Duration) -> i64 {
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        self.started.as_millis().saturating_add(elapsed)
    }
}

/// One of the monitor's own limits.
struct OwnLimit {
    parameter: Parameter,
    low: i64,
    high: i64,
    priority: Priority,
    label: &'static str,
}

/// Adult factory limits of an ordinary monitor (clinical dossier 4.1, S15).
const OWN_LIMITS: [OwnLimit; 5] = [
    own_limit(Parameter::Spo2, 90, 100, Priority::High, "SpO2"),
    own_limit(Parameter::Hr, 50, 120, Priority::Medium, "HR"),
    own_limit(Parameter::Pr, 50, 120, Priority::Medium, "PR"),
    own_limit(Parameter::NibpSys, 90, 160, Priority::Medium, "NIBP S"),
    own_limit(Parameter::NibpDia, 50, 90, Priority::Medium, "NIBP D"),
];

const fn own_limit(
    parameter: Parameter,
    low: i64,
    high: i64,
    priority: Priority,
    label: &'static str,
) -> OwnLimit {
    OwnLimit {
        parameter,
        low,
        high,
        priority,
        label,
    }
}

/// The alarms that the monitor shows itself: its own alarms stay on.
fn own_alarms(scene: &Scene) -> Vec<DeviceAlert> {
    let mut alerts = Vec::new();
    for limit in &OWN_LIMITS {
        let value = match (limit.parameter, scene.cuff_reading) {
            (Parameter::NibpSys, Some(reading)) => Some(reading.sys),
            (Parameter::NibpDia, Some(reading)) => Some(reading.dia),
            (other, _) => scene.numerics.get(&other).and_then(|found| found.value()),
        };
        let Some(value) = value.filter(|value| !value.is_zero()) else {
            continue;
        };
        let side = if value < Decimal::whole(limit.low) {
            "LOW"
        } else if value > Decimal::whole(limit.high) {
            "HIGH"
        } else {
            continue;
        };
        alerts.push(alert(limit.priority, format!("{} {side}", limit.label)));
    }
    let spo2 = scene.numerics.get(&Parameter::Spo2);
    if spo2 == Some(&Reading::Invalid(Cause::ProbeOff)) {
        alerts.push(alert(Priority::Low, "SpO2 PROBE OFF".to_owned()));
    }
    if scene.cuff == Some(CuffState::Failed) {
        alerts.push(alert(Priority::Low, "NIBP FAILED".to_owned()));
    }
    alerts
}

fn alert(priority: Priority, text: String) -> DeviceAlert {
    DeviceAlert {
        key: text.as_str().into(),
        priority: Some(priority),
        phase: AlertPhase::Present,
        text: text.into(),
        at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: WallTime = WallTime::from_millis(1_700_000_000_000);

    fn monitor(name: &str, parameters: &[Parameter], waves: &[&'static str]) -> Monitor {
        Monitor::new(
            Arc::new(Scenario::named(name).unwrap()),
            Fitted {
                parameters: parameters.to_vec(),
                waves: waves.to_vec(),
            },
            STARTED,
        )
    }

    #[test]
    fn a_device_shows_only_what_it_measures() {
        let mut oximeter = monitor(
            "stable",
            &[Parameter::Spo2, Parameter::Pr, Parameter::Pi],
            &["pleth"],
        );
        let screen = oximeter.screen(Duration::from_secs(70));
        assert_eq!(screen.numerics.len(), 3);
        assert_eq!((screen.cuff, screen.cuff_reading), (None, None));
        let labels: Vec<_> = screen.waves.iter().map(|chunk| &*chunk.label).collect();
        assert_eq!(labels, ["pleth"]);
        let mut bare = monitor("stable", &[Parameter::Hr, Parameter::NibpSys], &[]);
        let screen = bare.screen(Duration::from_secs(70));
        assert!(screen.waves.is_empty());
        assert_eq!(screen.cuff, Some(CuffState::Idle));
    }

    #[test]
    fn every_time_is_by_the_monitors_own_clock() {
        let mut monitor = monitor("stable", &[Parameter::NibpSys], &[]);
        let screen = monitor.screen(Duration::from_secs(70));
        assert_eq!(screen.civil_ms, STARTED.as_millis() + 70_000);
        // The first measurement starts at 30 s and takes 30 s.
        let reading = screen.cuff_reading.unwrap();
        assert_eq!(reading.civil_ms, STARTED.as_millis() + 60_000);
    }

    #[test]
    fn two_monitors_of_one_patient_agree() {
        let mut one = monitor("ketamine", &[Parameter::Spo2, Parameter::Hr], &[]);
        let mut other = monitor("ketamine", &[Parameter::Spo2], &LABELS);
        for second in 0..3_000 {
            let at = Duration::from_secs(second);
            assert_eq!(
                one.screen(at).reading(Parameter::Spo2),
                other.screen(at).reading(Parameter::Spo2)
            );
        }
    }

    #[test]
    fn the_monitors_own_alarms_stay_on() {
        let texts = |name: &str, second| -> Vec<String> {
            let all = Parameter::ALL;
            let mut monitor = monitor(name, all, &[]);
            let alerts = monitor.screen(Duration::from_secs(second)).alerts;
            alerts.iter().map(|alert| alert.text.to_string()).collect()
        };
        assert_eq!(texts("stable", 300), [""; 0]);
        assert_eq!(texts("desaturation", 130), ["SpO2 LOW"]);
        assert_eq!(texts("probe-off", 100), ["SpO2 PROBE OFF"]);
        assert_eq!(texts("hypertension", 600), ["NIBP S HIGH", "NIBP D HIGH"]);
        assert_eq!(texts("cuff-failure", 200), ["NIBP FAILED"]);
    }
}
