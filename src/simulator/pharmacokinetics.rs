//! Ketamine in plasma and at its site of action during and after an intravenous infusion.
//!
//! A linear three-compartment (mammillary) model with first-order elimination from the central
//! compartment, and an effect compartment behind it. With a constant rate the equations have a
//! closed solution, a sum of exponentials, and that solution is what is computed here: the
//! concentration is a function of time alone and carries no integration error. The tests hold it
//! against a slow step-by-step integration.
//!
//! Amounts are in mg, volumes in litres, rates in mg/min, rate constants in 1/min, times in minutes
//! inside and [`Duration`] outside, concentrations in ng/ml (the same as µg/l).

use std::f64::consts::PI;
use std::time::Duration;

/// Rate constants of a three-compartment model with an effect site.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// Volume of the central compartment, litres per kg of body weight.
    pub v1_l_per_kg: f64,
    /// Elimination from the central compartment, 1/min.
    pub k10: f64,
    /// Central → second compartment, 1/min.
    pub k12: f64,
    /// Central → third compartment, 1/min.
    pub k13: f64,
    /// Second → central compartment, 1/min.
    pub k21: f64,
    /// Third → central compartment, 1/min.
    pub k31: f64,
    /// Plasma ↔ effect site, 1/min.
    pub ke0: f64,
}

/// The model of Domino and colleagues (1982, PMID 7198883) that target-controlled pumps use for
/// ketamine. The paper itself was not at hand: the constants are those on which two independent open
/// implementations agree (opentiva, which cites that paper, to four places; fus_anes to three). The
/// effect-site constant is Navarrete and colleagues' estimate for this very model (2024, preprint,
/// doi 10.21203/rs.3.rs-5027055/v1: 0.238/min, 95 % interval 0.20 to 0.28).
pub const DOMINO: Constants = Constants {
    v1_l_per_kg: 0.063,
    k10: 0.4381,
    k12: 0.5921,
    k13: 0.5900,
    k21: 0.2470,
    k31: 0.0146,
    ke0: 0.238,
};

/// One infusion at a constant rate.
#[derive(Clone, Copy, Debug)]
pub struct Infusion {
    /// When it starts.
    pub start: Duration,
    /// How long it runs; longer than zero.
    pub length: Duration,
    /// The whole dose, mg.
    pub dose_mg: f64,
}

/// One exponential of the disposition function.
#[derive(Clone, Copy, Debug)]
struct Term {
    /// The share of a unit dose, in mg per litre per mg.
    share: f64,
    /// The exponent, 1/min.
    rate: f64,
}

/// The model for one body weight.
#[derive(Clone, Copy, Debug)]
pub struct Kinetics {
    terms: [Term; 3],
    ke0: f64,
}

impl Kinetics {
    /// The model `constants` for a patient of `weight_kg`.
    pub fn new(constants: Constants, weight_kg: f64) -> Self {
        let Constants {
            v1_l_per_kg,
            k10,
            k12,
            k13,
            k21,
            k31,
            ke0,
        } = constants;
        let volume = v1_l_per_kg * weight_kg;
        let [a, b, c] = roots(
            k10 + k12 + k13 + k21 + k31,
            k10 * k21 + k10 * k31 + k12 * k31 + k13 * k21 + k21 * k31,
            k10 * k21 * k31,
        );
        let term = |own: f64, other: f64, third: f64| Term {
            share: (k21 - own) * (k31 - own) / ((other - own) * (third - own)) / volume,
            rate: own,
        };
        Self {
            terms: [term(a, b, c), term(b, a, c), term(c, a, b)],
            ke0,
        }
    }

    /// Plasma concentration at `at`, ng/ml.
    pub fn plasma_ng_ml(&self, infusion: &Infusion, at: Duration) -> f64 {
        self.superpose(infusion, at, |term, since| {
            term.share / term.rate * -(-term.rate * since).exp_m1()
        })
    }

    /// Concentration at the site of action at `at`, ng/ml.
    pub fn effect_ng_ml(&self, infusion: &Infusion, at: Duration) -> f64 {
        let ke0 = self.ke0;
        self.superpose(infusion, at, |term, since| {
            let lag = ((-term.rate * since).exp() - (-ke0 * since).exp()) * ke0 / (ke0 - term.rate);
            term.share / term.rate * (-(-ke0 * since).exp_m1() - lag)
        })
    }

    /// An infusion that ends is one that starts, less the same one started at its end.
    fn superpose(
        &self,
        infusion: &Infusion,
        at: Duration,
        response: impl Fn(&Term, f64) -> f64,
    ) -> f64 {
        let rate = infusion.dose_mg / minutes(infusion.length);
        let since = |start: Duration| -> f64 {
            let elapsed = minutes(at.saturating_sub(start));
            self.terms.iter().map(|term| response(term, elapsed)).sum()
        };
        let milligrams_per_litre =
            rate * (since(infusion.start) - since(infusion.start.saturating_add(infusion.length)));
        milligrams_per_litre * 1_000.0
    }
}

fn minutes(span: Duration) -> f64 {
    span.as_secs_f64() / 60.0
}

/// The three positive roots of `x³ − a·x² + b·x − c`, which are real for every mammillary model
/// (trigonometric solution, polished by one Newton step because the smallest comes out of a
/// difference of near neighbours).
fn roots(a: f64, b: f64, c: f64) -> [f64; 3] {
    let p = b - a * a / 3.0;
    let q = a * b / 3.0 - 2.0 * a * a * a / 27.0 - c;
    let radius = 2.0 * (-p / 3.0).sqrt();
    let angle = (3.0 * q / (p * radius)).clamp(-1.0, 1.0).acos() / 3.0;
    [0.0, 1.0, 2.0].map(|turn| {
        let x = radius * (angle - 2.0 * PI * turn / 3.0).cos() + a / 3.0;
        let value = ((x - a) * x + b) * x - c;
        let slope = (3.0 * x - 2.0 * a) * x + b;
        x - value / slope
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn standard(weight_kg: f64) -> Infusion {
        Infusion {
            start: Duration::ZERO,
            length: 40 * MINUTE,
            dose_mg: 0.5 * weight_kg,
        }
    }

    /// The slow oracle: amounts in the three compartments, what was eliminated, and the effect site.
    struct Oracle {
        amounts: [f64; 5],
        constants: Constants,
        volume: f64,
    }

    impl Oracle {
        fn new(constants: Constants, weight_kg: f64) -> Self {
            Self {
                amounts: [0.0; 5],
                constants,
                volume: constants.v1_l_per_kg * weight_kg,
            }
        }

        fn slope(&self, y: [f64; 5], rate: f64) -> [f64; 5] {
            let k = self.constants;
            [
                rate - (k.k10 + k.k12 + k.k13) * y[0] + k.k21 * y[1] + k.k31 * y[2],
                k.k12 * y[0] - k.k21 * y[1],
                k.k13 * y[0] - k.k31 * y[2],
                k.k10 * y[0],
                k.ke0 * (y[0] / self.volume - y[4]),
            ]
        }

        /// One step of the classical Runge–Kutta method.
        fn step(&mut self, dt: f64, rate: f64) {
            let y = self.amounts;
            let along =
                |slope: [f64; 5], by: f64| std::array::from_fn(|i| y[i] + slope[i] * by * dt);
            let first = self.slope(y, rate);
            let second = self.slope(along(first, 0.5), rate);
            let third = self.slope(along(second, 0.5), rate);
            let fourth = self.slope(along(third, 1.0), rate);
            self.amounts = std::array::from_fn(|i| {
                y[i] + dt / 6.0 * (first[i] + 2.0 * second[i] + 2.0 * third[i] + fourth[i])
            });
        }

        fn plasma_ng_ml(&self) -> f64 {
            self.amounts[0] / self.volume * 1_000.0
        }

        fn effect_ng_ml(&self) -> f64 {
            self.amounts[4] * 1_000.0
        }
    }

    #[test]
    fn the_closed_solution_is_the_integral_and_no_drug_is_lost() {
        let weight = 80.0;
        let kinetics = Kinetics::new(DOMINO, weight);
        let infusion = standard(weight);
        let mut oracle = Oracle::new(DOMINO, weight);
        let mut given = 0.0;
        for step in 0_u32..18_000 {
            let rate = if step < 4_000 {
                infusion.dose_mg / 40.0
            } else {
                0.0
            };
            oracle.step(0.01, rate);
            given += rate * 0.01;
            let at = Duration::from_millis(u64::from(step + 1) * 600);
            let plasma = kinetics.plasma_ng_ml(&infusion, at);
            let effect = kinetics.effect_ng_ml(&infusion, at);
            assert!((plasma - oracle.plasma_ng_ml()).abs() < 1e-3, "{at:?}");
            assert!((effect - oracle.effect_ng_ml()).abs() < 1e-3, "{at:?}");
            let present: f64 = oracle.amounts[..4].iter().sum();
            assert!((present - given).abs() < 1e-6, "{at:?}");
        }
    }

    #[test]
    fn all_that_is_given_leaves_through_the_central_compartment() {
        // The area under the curve times the clearance is the dose.
        let weight = 70.0;
        let kinetics = Kinetics::new(DOMINO, weight);
        let area: f64 = kinetics
            .terms
            .iter()
            .map(|term| term.share / term.rate)
            .sum();
        let clearance = DOMINO.k10 * DOMINO.v1_l_per_kg * weight;
        assert!((area * clearance - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_infusion_settles_at_rate_over_clearance() {
        let weight = 70.0;
        let kinetics = Kinetics::new(DOMINO, weight);
        let days = 100 * 24 * 60 * MINUTE;
        let infusion = Infusion {
            start: Duration::ZERO,
            length: days,
            dose_mg: minutes(days),
        };
        let settled = 1_000.0 / (DOMINO.k10 * DOMINO.v1_l_per_kg * weight);
        let plasma = kinetics.plasma_ng_ml(&infusion, days);
        assert!((plasma - settled).abs() / settled < 1e-9);
        let effect = kinetics.effect_ng_ml(&infusion, days);
        assert!((effect - settled).abs() / settled < 1e-9);
    }

    #[test]
    fn the_depression_protocol_peaks_in_the_published_range() {
        // 0.5 mg/kg over 40 min: mean peak 185 ng/ml (Zarate 2006), range 100 to 250 (Krystal 1994).
        let kinetics = Kinetics::new(DOMINO, 80.0);
        let infusion = standard(80.0);
        let peak = kinetics.plasma_ng_ml(&infusion, 40 * MINUTE);
        assert!((150.0..=250.0).contains(&peak), "{peak}");
        for minute in 0..180_u32 {
            assert!(kinetics.plasma_ng_ml(&infusion, minute * MINUTE) <= peak + 1e-9);
        }
        let effect_after = kinetics.effect_ng_ml(&infusion, 42 * MINUTE);
        assert!(effect_after > kinetics.plasma_ng_ml(&infusion, 42 * MINUTE));
    }

    #[test]
    fn there_is_nothing_before_the_start() {
        let kinetics = Kinetics::new(DOMINO, 80.0);
        let infusion = Infusion {
            start: 6 * MINUTE,
            ..standard(80.0)
        };
        assert!(kinetics.plasma_ng_ml(&infusion, 5 * MINUTE).abs() < 1e-12);
        assert!(kinetics.effect_ng_ml(&infusion, 6 * MINUTE).abs() < 1e-12);
    }
}
