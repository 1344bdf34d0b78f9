//! What stands before the start of an infusion: pressures, saturation and rate that need an override.

use super::command::Override;
use super::kernel::{Engine, Refusal};
use super::rules::Source;
use crate::profile::Gate;
use crate::vocabulary::Parameter;

/// What the newest readings say about a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateView {
    sys: Option<i64>,
    dia: Option<i64>,
    spo2: Option<i64>,
    rate: Option<i64>,
    step: Step,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    #[default]
    Free,
    Note,
    Override,
    TwoPersons,
}

impl GateView {
    /// Whether a start needs an override.
    pub fn needs_override(self) -> bool {
        self.step >= Step::Override
    }

    /// Whether the pressure is worth a note and a recheck.
    pub fn is_noted(self) -> bool {
        self.step >= Step::Note
    }

    fn text(self) -> String {
        let mut parts = Vec::new();
        if let (Some(sys), Some(dia)) = (self.sys, self.dia) {
            parts.push(format!("blood pressure {sys}/{dia} mmHg"));
        } else if let Some(sys) = self.sys {
            parts.push(format!("systolic pressure {sys} mmHg"));
        }
        if let Some(spo2) = self.spo2 {
            parts.push(format!("SpO2 {spo2} %"));
        }
        if let Some(rate) = self.rate {
            parts.push(format!("rate {rate} /min"));
        }
        parts.join(", ")
    }

    /// Whether a start is allowed with this override.
    pub(super) fn pass(self, over: Option<&Override>) -> Result<(), Refusal> {
        let said = |text: &str| !text.trim().is_empty();
        let one = over.is_some_and(|over| said(&over.reason) && said(&over.by));
        let two = over.filter(|_| one).is_some_and(|over| {
            over.second_by
                .as_deref()
                .is_some_and(|second| said(second) && second.trim() != over.by.trim())
        });
        match self.step {
            Step::Free | Step::Note => Ok(()),
            Step::Override if one => Ok(()),
            Step::TwoPersons if two => Ok(()),
            Step::Override => Err(Refusal::new(
                format!("start not allowed with {}", self.text()),
                "recheck, or start with an override: a reason and who decides",
            )),
            Step::TwoPersons => Err(Refusal::new(
                format!("start not allowed with {}", self.text()),
                "recheck, or start with an override by two people: reason, by, second-by",
            )),
        }
    }
}

fn step(view: &GateView, gate: &Gate) -> Step {
    let above = |value: Option<i64>, limit: i64| value.is_some_and(|value| value > limit);
    let reaches = |value: Option<i64>, limit: i64| value.is_some_and(|value| value >= limit);
    let below = |value: Option<i64>, limit: i64| value.is_some_and(|value| value < limit);
    if reaches(view.sys, gate.two_person_sys)
        || reaches(view.dia, gate.two_person_dia)
        || below(view.spo2, gate.spo2_below)
        || below(view.rate, gate.rate_below)
        || above(view.rate, gate.rate_above)
    {
        Step::TwoPersons
    } else if reaches(view.sys, gate.override_sys) || reaches(view.dia, gate.override_dia) {
        Step::Override
    } else if above(view.sys, gate.note_sys) || above(view.dia, gate.note_dia) {
        Step::Note
    } else {
        Step::Free
    }
}

impl Engine {
    /// The newest cuff value that was judged, as long as it may be shown.
    fn last_cuff_value(&self, parameter: Parameter) -> Option<i64> {
        let source = Source::Cuff(parameter);
        let last = self
            .slots
            .iter()
            .find(|entry| entry.source == source)?
            .slot
            .last?;
        let until = last.received.after(self.profile.reading.cuff_shown_for);
        (self.at < until).then_some(last.level)
    }

    /// What the newest readings say about a start now.
    pub fn gate(&self) -> GateView {
        let now = self.at;
        let level = |parameter| {
            self.feeds
                .usable(parameter, now)
                .and_then(|(_, held)| held.level)
        };
        // A measurement that fails after a reading does not make the reading undone.
        let pressure = |parameter| level(parameter).or_else(|| self.last_cuff_value(parameter));
        let mut view = GateView {
            sys: pressure(Parameter::NibpSys).or_else(|| level(Parameter::ArtSys)),
            dia: pressure(Parameter::NibpDia).or_else(|| level(Parameter::ArtDia)),
            spo2: level(Parameter::Spo2),
            rate: self
                .feeds
                .usable_rate(now)
                .and_then(|(_, _, held)| held.level)
                .or_else(|| level(Parameter::NibpPr)),
            step: Step::Free,
        };
        view.step = step(&view, &self.profile.gate);
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sys: i64, dia: i64, spo2: i64, rate: i64) -> Step {
        let gate = crate::profile::parse(crate::profile::SHIPPED).unwrap().gate;
        let view = GateView {
            sys: Some(sys),
            dia: Some(dia),
            spo2: Some(spo2),
            rate: Some(rate),
            step: Step::Free,
        };
        step(&view, &gate)
    }

    #[test]
    fn gate_before_start_has_three_steps() {
        for (sys, dia, spo2, rate, expected) in [
            (140, 90, 97, 70, Step::Free),
            (141, 90, 97, 70, Step::Note),
            (140, 91, 97, 70, Step::Note),
            (160, 90, 97, 70, Step::Override),
            (150, 100, 97, 70, Step::Override),
            (180, 90, 97, 70, Step::TwoPersons),
            (120, 110, 97, 70, Step::TwoPersons),
            (120, 80, 89, 70, Step::TwoPersons),
            (120, 80, 90, 70, Step::Free),
            (120, 80, 97, 44, Step::TwoPersons),
            (120, 80, 97, 45, Step::Free),
            (120, 80, 97, 130, Step::Free),
            (120, 80, 97, 131, Step::TwoPersons),
        ] {
            assert_eq!(
                at(sys, dia, spo2, rate),
                expected,
                "{sys}/{dia} {spo2} {rate}"
            );
        }
    }

    #[test]
    fn two_people_are_two_people() {
        let view = GateView {
            step: Step::TwoPersons,
            ..GateView::default()
        };
        let over = |by: &str, second: Option<&str>| Override {
            reason: "agreed".into(),
            by: by.into(),
            second_by: second.map(Into::into),
        };
        assert!(view.pass(None).is_err());
        assert!(view.pass(Some(&over("A", None))).is_err());
        assert!(view.pass(Some(&over("A", Some("A")))).is_err());
        assert!(view.pass(Some(&over("A", Some("B")))).is_ok());
    }
}
