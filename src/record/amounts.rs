//! Drugs, rates and what they add up to.
//!
//! A sum is told only where every part of it is known: milligrams need a rate in mg/h over the whole infusion,
//! and nobody's guess stands in for one.

use super::model::{Drug, DrugTotal, PumpEntry, Rate, Totals};
use crate::vocabulary::{Decimal, Moment};
use std::time::Duration;

/// `amount / by`, rounded half up to `places`; `None` when nothing can be divided.
pub(super) fn per(amount: Decimal, by: Decimal, places: u8) -> Option<Decimal> {
    let scale = amount.scale().max(by.scale());
    let over = i128::from(amount.rounded(scale)?) * 10_i128.pow(u32::from(places) + 1);
    let under = i128::from(by.rounded(scale)?);
    if under <= 0 {
        return None;
    }
    let tenfold = i64::try_from(over.div_euclid(under)).ok()?;
    Some(Decimal::new(tenfold, places.checked_add(1)?).with_places(places))
}

/// What an infusion is made of: when it ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// From.
    pub from: Moment,
    /// To.
    pub to: Moment,
}

impl Run {
    fn length(self) -> Duration {
        self.to.since(self.from)
    }
}

/// Sum of a rate over a length, in millionths of the rate's thousandths.
fn amount(rate: Decimal, length: Duration) -> Option<i128> {
    let thousandths = i128::from(rate.rounded(3)?);
    Some(thousandths * i128::try_from(length.as_micros()).ok()?)
}

/// A sum of [`amount`] as a decimal with two places, rounded half up.
fn told(sum: i128) -> Option<Decimal> {
    // Thousandths of an hour's worth, in microseconds; two places and one to round.
    let thousandths = sum.div_euclid(3_600_000_000);
    Some(Decimal::new(i64::try_from(thousandths).ok()?, 3).with_places(2))
}

/// What the rates gave while the infusion ran, up to `until`; `None` when some of that time has no such rate.
fn given(runs: &[Run], rates: &[(Moment, Option<Decimal>)], until: Moment) -> Option<Decimal> {
    let mut sum = 0_i128;
    for run in runs {
        let end = run.to.min(until);
        let mut from = run.from;
        let mut rate = None;
        for (at, next) in rates {
            if *at <= run.from {
                rate = *next;
                continue;
            }
            if *at >= end {
                break;
            }
            sum += amount(rate?, at.since(from))?;
            (from, rate) = (*at, *next);
        }
        if end > from {
            sum += amount(rate?, end.since(from))?;
        }
    }
    told(sum)
}

/// The rates in force, by what: corrected ones count no more.
fn in_force(
    rates: &[(Moment, Rate)],
    of: impl Fn(&Rate) -> Option<Decimal>,
) -> Vec<(Moment, Option<Decimal>)> {
    let mut known: Vec<_> = rates
        .iter()
        .filter(|(_, rate)| rate.corrected_by.is_none())
        .map(|(at, rate)| (*at, of(rate)))
        .collect();
    known.sort_by_key(|(at, _)| *at);
    known
}

/// The rates with what was given until each, and the sums of the session.
pub(super) fn totals(
    runs: &[Run],
    mut rates: Vec<(Moment, Rate)>,
    drugs: &[Drug],
    pump: &[PumpEntry],
    end: Moment,
) -> (Vec<Rate>, Totals) {
    let mg = in_force(&rates, |rate| rate.mg_h);
    let ml = in_force(&rates, |rate| rate.ml_h);
    for (at, rate) in &mut rates {
        rate.mg_until = given(runs, &mg, *at);
    }
    let length: Duration = runs.iter().map(|run| run.length()).sum();
    let has_run = !length.is_zero();
    let totals = Totals {
        infusion_seconds: length.as_secs(),
        infusion_mg: given(runs, &mg, end).filter(|_| has_run),
        infusion_ml: given(runs, &ml, end).filter(|_| has_run),
        pump_volume_ml: pump.iter().rev().find_map(|entry| entry.volume_ml),
        drugs: by_name(drugs),
    };
    (rates.into_iter().map(|(_, rate)| rate).collect(), totals)
}

fn by_name(drugs: &[Drug]) -> Vec<DrugTotal> {
    let mut totals: Vec<DrugTotal> = Vec::new();
    for drug in drugs.iter().filter(|drug| drug.corrected_by.is_none()) {
        let same = |text: &str, other: &str| text.trim().eq_ignore_ascii_case(other.trim());
        let place = totals
            .iter()
            .position(|total| same(&total.name, &drug.name) && same(&total.unit, &drug.unit));
        let total = match place.and_then(|place| totals.get_mut(place)) {
            Some(total) => total,
            None => {
                totals.push(DrugTotal {
                    name: drug.name.trim().to_owned(),
                    unit: drug.unit.trim().to_owned(),
                    given: Decimal::ZERO,
                    wasted: Decimal::ZERO,
                    witnesses: Vec::new(),
                });
                match totals.last_mut() {
                    Some(total) => total,
                    None => continue,
                }
            }
        };
        let sum = if drug.wasted {
            for name in [&drug.by, &drug.second_by].into_iter().flatten() {
                if !total.witnesses.contains(name) {
                    total.witnesses.push(name.clone());
                }
            }
            &mut total.wasted
        } else {
            &mut total.given
        };
        // A sum that does not fit cannot come from entered doses; the largest that fits stays.
        *sum = sum.plus(drug.dose).unwrap_or(*sum);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Stamp;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    fn rate(mg_h: Option<&str>) -> Rate {
        Rate {
            seq: 1,
            at: Stamp::default(),
            minute: 0,
            ml_h: None,
            mg_h: mg_h.map(d),
            manual: true,
            feed: None,
            by: None,
            corrected_by: None,
            corrects: None,
            mg_until: None,
        }
    }

    fn run(from: u64, to: u64) -> Run {
        Run {
            from: Moment::from_secs(from * 60),
            to: Moment::from_secs(to * 60),
        }
    }

    fn at(minute: u64, mg_h: Option<&str>) -> (Moment, Rate) {
        (Moment::from_secs(minute * 60), rate(mg_h))
    }

    #[test]
    fn milligrams_follow_rates_and_pauses() {
        // 40 min at 60 mg/h with a pause of 10, then 30 mg/h for 20 min.
        let runs = [run(10, 30), run(40, 80)];
        let rates = vec![at(5, Some("60")), at(60, Some("30"))];
        let (rates, totals) = totals(&runs, rates, &[], &[], Moment::from_secs(9_999));
        assert_eq!(totals.infusion_mg, Some(d("50")));
        assert_eq!(totals.infusion_seconds, 3_600);
        assert_eq!(rates[0].mg_until, Some(d("0")));
        assert_eq!(rates[1].mg_until, Some(d("40")));
    }

    #[test]
    fn a_stretch_without_a_rate_gives_no_sum() {
        let runs = [run(10, 50)];
        let sum = |rates| {
            totals(&runs, rates, &[], &[], Moment::from_secs(9_999))
                .1
                .infusion_mg
        };
        assert_eq!(sum(vec![at(20, Some("60"))]), None);
        assert_eq!(sum(vec![at(5, Some("60")), at(20, None)]), None);
        assert_eq!(sum(vec![]), None);
        let mut corrected = at(5, Some("600"));
        corrected.1.corrected_by = Some(9);
        assert_eq!(sum(vec![corrected, at(5, Some("60"))]), Some(d("40")));
    }

    #[test]
    fn doses_by_weight_are_rounded_half_up() {
        assert_eq!(per(d("40"), d("81.5"), 2), Some(d("0.49")));
        assert_eq!(per(d("1"), d("8"), 2), Some(d("0.13")));
        assert_eq!(per(d("40"), Decimal::ZERO, 2), None);
    }

    #[test]
    fn given_and_wasted_are_summed_apart() {
        let drug = |name: &str, dose: &str, wasted: bool, by: &str| Drug {
            seq: 1,
            at: Stamp::default(),
            name: name.to_owned(),
            dose: d(dose),
            unit: "mg".to_owned(),
            wasted,
            by: Some(by.to_owned()),
            second_by: None,
            corrected_by: None,
            corrects: None,
        };
        let wrong = Drug {
            corrected_by: Some(7),
            ..drug("ketamine", "900", false, "a")
        };
        let found = by_name(&[
            drug("ketamine", "40.5", false, "a"),
            drug("Ketamine ", "9.5", true, "a"),
            drug("ketamine", "0.25", true, "b"),
            drug("labetalol", "5", false, "a"),
            wrong,
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].given, found[0].wasted), (d("40.5"), d("9.75")));
        assert_eq!(found[0].witnesses, ["a", "b"]);
        assert_eq!(found[1].given, d("5"));
    }
}
