//! The virtual patient: resting vital signs, what ketamine does to them, what a script adds, and
//! noise. A function of simulated time alone.
//!
//! The drug moves the signs in proportion to the concentration at the site of action, scaled so that
//! the standard infusion (0.5 mg/kg over 40 min) raises pressure by the mean of the large clinic
//! series: 16/11 mmHg with its peak at 40 min (Yale chart review 2024, clinical dossier S4). The
//! smaller movements of rate, saturation and breathing are our own choice of an ordinary patient; no
//! source gives a mean for them.

use super::noise::{Noise, ease};
use super::pharmacokinetics::{DOMINO, Infusion, Kinetics};
use std::time::Duration;

/// One vital sign of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vital {
    /// Systolic pressure, mmHg.
    Systolic,
    /// Diastolic pressure, mmHg.
    Diastolic,
    /// Heart rate, per minute.
    HeartRate,
    /// Oxygen saturation, %.
    Saturation,
    /// Breaths per minute.
    Breaths,
    /// End-tidal carbon dioxide, mmHg.
    CarbonDioxide,
    /// Perfusion index, %.
    Perfusion,
    /// Temperature, °C.
    Temperature,
}

/// How one vital sign behaves.
struct Behaviour {
    vital: Vital,
    /// Change at the peak of the standard infusion.
    drug: f64,
    /// Amplitude of the noise, and the time in which it wanders.
    noise: f64,
    period: Duration,
    /// What the sign can be at all.
    range: (f64, f64),
}

const fn behaviour(
    vital: Vital,
    drug: f64,
    noise: f64,
    period_s: u64,
    range: (f64, f64),
) -> Behaviour {
    Behaviour {
        vital,
        drug,
        noise,
        period: Duration::from_secs(period_s),
        range,
    }
}

const BEHAVIOUR: [Behaviour; 8] = [
    behaviour(Vital::Systolic, 16.0, 2.0, 60, (30.0, 300.0)),
    behaviour(Vital::Diastolic, 11.0, 1.5, 60, (15.0, 250.0)),
    behaviour(Vital::HeartRate, 7.0, 2.0, 12, (0.0, 300.0)),
    behaviour(Vital::Saturation, -0.5, 0.5, 15, (30.0, 100.0)),
    behaviour(Vital::Breaths, -1.0, 1.0, 25, (0.0, 80.0)),
    behaviour(Vital::CarbonDioxide, 1.5, 1.0, 25, (0.0, 120.0)),
    behaviour(Vital::Perfusion, -1.0, 0.3, 20, (0.02, 20.0)),
    behaviour(Vital::Temperature, 0.0, 0.05, 300, (30.0, 43.0)),
];

/// Values of all vital signs, or changes of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vitals {
    /// Systolic pressure, mmHg.
    pub systolic: f64,
    /// Diastolic pressure, mmHg.
    pub diastolic: f64,
    /// Heart rate, per minute.
    pub heart_rate: f64,
    /// Oxygen saturation, %.
    pub saturation: f64,
    /// Breaths per minute.
    pub breaths: f64,
    /// End-tidal carbon dioxide, mmHg.
    pub carbon_dioxide: f64,
    /// Perfusion index, %.
    pub perfusion: f64,
    /// Temperature, °C.
    pub temperature: f64,
}

impl Vitals {
    /// An adult at rest on room air.
    pub const RESTING: Self = Self {
        systolic: 124.0,
        diastolic: 76.0,
        heart_rate: 72.0,
        saturation: 97.5,
        breaths: 14.0,
        carbon_dioxide: 38.0,
        perfusion: 4.0,
        temperature: 36.6,
    };

    /// Mean pressure by the usual third of the pulse pressure, mmHg.
    pub fn mean_pressure(&self) -> f64 {
        self.diastolic + (self.systolic - self.diastolic) / 3.0
    }

    fn of(&mut self, vital: Vital) -> &mut f64 {
        match vital {
            Vital::Systolic => &mut self.systolic,
            Vital::Diastolic => &mut self.diastolic,
            Vital::HeartRate => &mut self.heart_rate,
            Vital::Saturation => &mut self.saturation,
            Vital::Breaths => &mut self.breaths,
            Vital::CarbonDioxide => &mut self.carbon_dioxide,
            Vital::Perfusion => &mut self.perfusion,
            Vital::Temperature => &mut self.temperature,
        }
    }
}

/// A scripted change of one vital sign: it comes, stays and goes.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// Which sign.
    pub vital: Vital,
    /// By how much at most, in the sign's unit.
    pub by: f64,
    /// When it begins.
    pub from: Duration,
    /// How long it takes to come.
    pub onset: Duration,
    /// How long it stays.
    pub hold: Duration,
    /// How long it takes to go.
    pub offset: Duration,
}

impl Shift {
    fn at(&self, at: Duration) -> f64 {
        let Some(since) = at.checked_sub(self.from) else {
            return 0.0;
        };
        let part = |span: Duration, of: Duration| ease(span.as_secs_f64() / of.as_secs_f64());
        let come = if self.onset.is_zero() {
            1.0
        } else {
            part(since, self.onset)
        };
        let going = since.saturating_sub(self.onset.saturating_add(self.hold));
        let gone = if going.is_zero() {
            0.0
        } else if self.offset.is_zero() {
            1.0
        } else {
            part(going, self.offset)
        };
        self.by * come * (1.0 - gone)
    }
}

/// A patient with everything that will happen.
#[derive(Clone, Debug)]
pub struct Patient {
    resting: Vitals,
    kinetics: Kinetics,
    infusion: Option<Infusion>,
    /// What one ng/ml at the effect site is of the standard infusion's peak.
    response_per_ng_ml: f64,
    shifts: Vec<Shift>,
    noise: Noise,
}

/// The standard infusion of the depression protocol (clinical dossier 1): mg per kg, and its length.
pub const STANDARD_DOSE_MG_PER_KG: f64 = 0.5;
/// See [`STANDARD_DOSE_MG_PER_KG`].
pub const STANDARD_LENGTH: Duration = Duration::from_secs(40 * 60);

impl Patient {
    /// A patient of `weight_kg` with these resting values, and noise of this seed.
    pub fn new(weight_kg: f64, resting: Vitals, seed: u64) -> Self {
        let kinetics = Kinetics::new(DOMINO, weight_kg);
        let standard = Infusion {
            start: Duration::ZERO,
            length: STANDARD_LENGTH,
            dose_mg: STANDARD_DOSE_MG_PER_KG * weight_kg,
        };
        Self {
            resting,
            kinetics,
            infusion: None,
            response_per_ng_ml: 1.0 / kinetics.effect_ng_ml(&standard, STANDARD_LENGTH),
            shifts: Vec::new(),
            noise: Noise::new(seed),
        }
    }

    /// The same patient with an infusion.
    pub fn with_infusion(mut self, infusion: Infusion) -> Self {
        self.infusion = Some(infusion);
        self
    }

    /// The same patient with scripted changes.
    pub fn with_shifts(mut self, shifts: impl IntoIterator<Item = Shift>) -> Self {
        self.shifts.extend(shifts);
        self
    }

    /// Concentration at the site of action, ng/ml.
    pub fn effect_ng_ml(&self, at: Duration) -> f64 {
        self.infusion
            .map_or(0.0, |infusion| self.kinetics.effect_ng_ml(&infusion, at))
    }

    /// The vital signs at `at`.
    pub fn vitals(&self, at: Duration) -> Vitals {
        let response = self.effect_ng_ml(at) * self.response_per_ng_ml;
        let mut vitals = self.resting;
        for (channel, behaviour) in (0_u64..).zip(&BEHAVIOUR) {
            let scripted: f64 = self
                .shifts
                .iter()
                .filter(|shift| shift.vital == behaviour.vital)
                .map(|shift| shift.at(at))
                .sum();
            let noise = behaviour.noise * self.noise.wander(channel, at, behaviour.period);
            let value = vitals.of(behaviour.vital);
            *value = (*value + behaviour.drug * response + scripted + noise)
                .clamp(behaviour.range.0, behaviour.range.1);
        }
        vitals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn infused() -> Patient {
        Patient::new(80.0, Vitals::RESTING, 1).with_infusion(Infusion {
            start: 6 * MINUTE,
            length: STANDARD_LENGTH,
            dose_mg: 40.0,
        })
    }

    #[test]
    fn the_standard_infusion_raises_pressure_by_the_published_mean_at_forty_minutes() {
        let patient = infused();
        let peak = patient.vitals(46 * MINUTE);
        assert!((peak.systolic - 124.0 - 16.0).abs() <= 2.0, "{peak:?}");
        assert!((peak.diastolic - 76.0 - 11.0).abs() <= 1.5, "{peak:?}");
        let before = patient.vitals(6 * MINUTE);
        assert!((before.systolic - 124.0).abs() <= 2.0);
        // Back near baseline 1.5 h after the infusion (S7).
        let after = patient.vitals(136 * MINUTE);
        assert!((after.systolic - 124.0).abs() <= 5.0, "{after:?}");
    }

    #[test]
    fn a_patient_at_rest_never_leaves_the_ordinary() {
        let patient = Patient::new(80.0, Vitals::RESTING, 4);
        for second in 0..7_200 {
            let vitals = patient.vitals(Duration::from_secs(second));
            assert!((95.0..=100.0).contains(&vitals.saturation));
            assert!((60.0..=85.0).contains(&vitals.heart_rate));
            assert!((12.0..=16.0).contains(&vitals.breaths));
            assert!(vitals.systolic > vitals.mean_pressure());
            assert!(vitals.mean_pressure() > vitals.diastolic);
        }
    }

    #[test]
    fn a_shift_comes_stays_and_goes() {
        let shift = Shift {
            vital: Vital::Saturation,
            by: -10.0,
            from: MINUTE,
            onset: MINUTE,
            hold: MINUTE,
            offset: MINUTE,
        };
        let at = |seconds| shift.at(Duration::from_secs(seconds));
        assert!(at(59).abs() < 1e-12 && at(60).abs() < 1e-12);
        assert!((at(90) + 5.0).abs() < 1e-9);
        assert!((at(120) + 10.0).abs() < 1e-9 && (at(180) + 10.0).abs() < 1e-9);
        assert!((at(210) + 5.0).abs() < 1e-9);
        assert!(at(240).abs() < 1e-9 && at(100_000).abs() < 1e-9);
    }

    #[test]
    fn a_shift_without_ramps_is_a_step() {
        let shift = Shift {
            vital: Vital::HeartRate,
            by: 20.0,
            from: MINUTE,
            onset: Duration::ZERO,
            hold: MINUTE,
            offset: Duration::ZERO,
        };
        let at = |seconds| shift.at(Duration::from_secs(seconds));
        assert!(at(59).abs() < 1e-12);
        assert!((at(60) - 20.0).abs() < 1e-12 && (at(120) - 20.0).abs() < 1e-12);
        assert!(at(121).abs() < 1e-12);
    }
}
