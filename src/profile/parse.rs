//! From text to a checked profile.

use super::read::{Reader, Section, Zero};
use super::{
    Absolute, AlarmTiming, BaselineTiming, CuffTiming, Discharge, FeedTiming, Gate, LimitRule,
    NoBreath, Persistence, PhaseSet, Problem, Profile, PulseLost, PumpTiming, Rails, ReadingTiming,
    Reason, Relative, ScoreTiming, SessionTiming, Side, Technical, Tier, check,
};
use crate::vocabulary::{AlarmClass, Priority, Rule};
use toml::de::DeTable;

/// The rules that have a table under `limits`, in catalogue order, and the side on which their values
/// violate.
const LIMIT_RULES: [(Rule, Side); 10] = [
    (Rule::Spo2Low, Side::Low),
    (Rule::RateLow, Side::Low),
    (Rule::RateHigh, Side::High),
    (Rule::SbpHigh, Side::High),
    (Rule::DbpHigh, Side::High),
    (Rule::SbpLow, Side::Low),
    (Rule::MapLow, Side::Low),
    (Rule::RrLow, Side::Low),
    (Rule::RrHigh, Side::High),
    (Rule::Oversedated, Side::Low),
];

/// Reads and checks a profile.
///
/// # Errors
/// Every problem found, in the order of the file.
pub fn parse(text: &str) -> Result<Profile, Vec<Problem>> {
    let mut reader = Reader::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.problem(at, "", error.message().to_owned());
    }
    if !reader.is_content() {
        return Err(reader.into_problems());
    }
    let profile = profile(&mut reader, &mut Section::root(root.get_ref()));
    match profile {
        Some(profile) if reader.is_content() => Ok(profile),
        Some(_) | None => Err(reader.into_problems()),
    }
}

/// Reads every section; `None` only when a whole section is missing, which is then a problem.
fn profile<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Option<Profile> {
    let name = reader.text(root, "name").into();
    // Who reviewed it is for people; the file must say it.
    reader.text(root, "review");
    let alarm = section(reader, root, "alarm", alarm);
    let persistence = section(reader, root, "persistence", persistence);
    let baseline = section(reader, root, "baseline", baseline);
    let gate = section(reader, root, "gate", gate);
    let rails = section(reader, root, "rails", rails);
    let session = section(reader, root, "session", session);
    // Profiles from before there was a checklist have none.
    let discharge = match root.optional("discharge") {
        Some(_) => section(reader, root, "discharge", discharge),
        None => Some(Discharge::default()),
    };
    let reading = section(reader, root, "reading", reading);
    let feeds = section(reader, root, "feeds", feeds);
    let cuff = section(reader, root, "cuff", cuff);
    let score = section(reader, root, "score", score);
    let pump = section(reader, root, "pump", pump);
    let pulse_lost = section(reader, root, "pulse-lost", pulse_lost);
    let no_breath = section(reader, root, "no-breath", no_breath);
    let limits = section(reader, root, "limits", |reader, all| {
        limits(reader, all, rails.as_ref())
    });
    let technical = section(reader, root, "technical", technical);
    reader.finish(root);
    Some(Profile {
        name,
        alarm: alarm?,
        persistence: persistence?,
        baseline: baseline?,
        gate: gate?,
        rails: rails?,
        session: session?,
        discharge: discharge?,
        reading: reading?,
        feeds: feeds?,
        cuff: cuff?,
        score: score?,
        pump: pump?,
        pulse_lost: pulse_lost?,
        no_breath: no_breath?,
        limits: limits?,
        technical: technical?,
    })
}

/// Reads one table with `read` and reports the keys that nobody asked for.
fn section<'t, T>(
    reader: &mut Reader<'t>,
    root: &mut Section<'t>,
    key: &'static str,
    read: impl FnOnce(&mut Reader<'t>, &mut Section<'t>) -> T,
) -> Option<T> {
    let mut found = reader.section(root, key)?;
    let value = read(reader, &mut found);
    reader.finish(&found);
    Some(value)
}

fn alarm<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> AlarmTiming {
    AlarmTiming {
        re_alarm_high: reader.duration(from, "re-alarm-high", Zero::Refused),
        re_alarm_medium: reader.duration(from, "re-alarm-medium", Zero::Refused),
        audio_pause: reader.duration(from, "audio-pause", Zero::Refused),
        louder_after: reader.rising_durations(from, "louder-after"),
    }
}

fn persistence<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> Persistence {
    Persistence {
        suspend_up_to: reader.duration(from, "suspend-up-to", Zero::Refused),
        clear_for: reader.duration(from, "clear-for", Zero::Refused),
        repeats: count(reader, from, "repeats", 2, 10),
        repeats_within: reader.duration(from, "repeats-within", Zero::Refused),
    }
}

/// A whole number between `least` and `most`.
fn count<'t>(
    reader: &mut Reader<'t>,
    from: &mut Section<'t>,
    key: &'static str,
    least: i64,
    most: i64,
) -> i64 {
    let number = reader.whole(from, key);
    if !(least..=most).contains(&number) {
        let what = format!("must be a whole number from {least} to {most}");
        reader.problem(from.at(), from.key(key), what);
    }
    number
}

fn baseline<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> BaselineTiming {
    BaselineTiming {
        readings: count(reader, from, "readings", 1, 10),
        newest_within: reader.duration(from, "newest-within", Zero::Refused),
    }
}

fn gate<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> Gate {
    let gate = Gate {
        note_sys: reader.whole(from, "note-sys"),
        note_dia: reader.whole(from, "note-dia"),
        recheck_after: reader.duration(from, "recheck-after", Zero::Refused),
        override_sys: reader.whole(from, "override-sys"),
        override_dia: reader.whole(from, "override-dia"),
        two_person_sys: reader.whole(from, "two-person-sys"),
        two_person_dia: reader.whole(from, "two-person-dia"),
        spo2_below: reader.whole(from, "spo2-below"),
        rate_below: reader.whole(from, "rate-below"),
        rate_above: reader.whole(from, "rate-above"),
    };
    check::gate(reader, from, &gate);
    gate
}

fn rails<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> Rails {
    Rails {
        spo2_lowest: reader.whole(from, "spo2-lowest"),
        rate_low_lowest: reader.whole(from, "rate-low-lowest"),
        rate_high_highest: reader.whole(from, "rate-high-highest"),
    }
}

fn session<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> SessionTiming {
    SessionTiming {
        recovery: reader.duration(from, "recovery", Zero::Refused),
        minimum_after_end: reader.duration(from, "minimum-after-end", Zero::Refused),
        minimum_after_start: reader.duration(from, "minimum-after-start", Zero::Allowed),
        away_up_to: reader.duration(from, "away-up-to", Zero::Refused),
        back_after: reader.duration(from, "back-after", Zero::Refused),
        still_open_after: reader.duration(from, "still-open-after", Zero::Refused),
    }
}

fn discharge<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> Discharge {
    Discharge {
        aldrete: count(reader, from, "aldrete", 1, 10),
        padss: count(reader, from, "padss", 1, 10),
        moaas: count(reader, from, "moaas", 1, 5),
        pressure_percent: count(reader, from, "pressure-percent", 1, 50),
        spo2: count(reader, from, "spo2", 85, 100),
        spo2_for: reader.duration(from, "spo2-for", Zero::Refused),
    }
}

fn reading<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> ReadingTiming {
    ReadingTiming {
        oldest: reader.duration(from, "oldest", Zero::Refused),
        ahead_up_to: reader.duration(from, "ahead-up-to", Zero::Refused),
        cuff_shown_for: reader.duration(from, "cuff-shown-for", Zero::Refused),
        implausible_count: count(reader, from, "implausible-count", 1, 100),
    }
}

fn feeds<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> FeedTiming {
    FeedTiming {
        slow_above: reader.duration(from, "slow-above", Zero::Refused),
        spo2_differs_by: count(reader, from, "spo2-differs-by", 1, 100),
        rate_differs_above: count(reader, from, "rate-differs-above", 1, 350),
        differs_for: reader.duration(from, "differs-for", Zero::Refused),
        ecg_pleth_for: reader.duration(from, "ecg-pleth-for", Zero::Refused),
    }
}

fn cuff<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> CuffTiming {
    CuffTiming {
        infusion_first: reader.duration(from, "infusion-first", Zero::Refused),
        infusion_first_for: reader.duration(from, "infusion-first-for", Zero::Refused),
        infusion: reader.duration(from, "infusion", Zero::Refused),
        paused: reader.duration(from, "paused", Zero::Refused),
        recovery_first: reader.duration(from, "recovery-first", Zero::Refused),
        recovery: reader.duration(from, "recovery", Zero::Refused),
        observation: reader.duration(from, "observation", Zero::Refused),
        after_violation: reader.duration(from, "after-violation", Zero::Refused),
        peak_after: reader.duration(from, "peak-after", Zero::Refused),
        confirm_within: reader.duration(from, "confirm-within", Zero::Refused),
        overdue_after: reader.duration(from, "overdue-after", Zero::Refused),
    }
}

fn score<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> ScoreTiming {
    ScoreTiming {
        interval: reader.duration(from, "interval", Zero::Refused),
        overdue_after: reader.duration(from, "overdue-after", Zero::Refused),
    }
}

fn pump<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> PumpTiming {
    PumpTiming {
        transition_wait: reader.duration(from, "transition-wait", Zero::Refused),
    }
}

fn pulse_lost<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> PulseLost {
    let found = PulseLost {
        phases: reader.phases(from, "phases"),
        ecg_below: reader.whole(from, "ecg-below"),
        with_ecg_high: reader.duration(from, "with-ecg-high", Zero::Refused),
        medium: reader.duration(from, "medium", Zero::Refused),
        high: reader.duration(from, "high", Zero::Refused),
        cuff_holds_up_to: reader.duration(from, "cuff-holds-up-to", Zero::Refused),
    };
    if found.high < found.medium {
        reader.problem(from.at(), from.key("high"), "must not be before `medium`");
    }
    found
}

fn no_breath<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>) -> NoBreath {
    NoBreath {
        phases: reader.phases(from, "phases"),
        high: reader.duration(from, "high", Zero::Refused),
    }
}

fn limits<'t>(
    reader: &mut Reader<'t>,
    all: &mut Section<'t>,
    rails: Option<&Rails>,
) -> Vec<LimitRule> {
    let mut found = Vec::new();
    for (rule, side) in LIMIT_RULES {
        let Some(mut from) = reader.section(all, rule.name()) else {
            continue;
        };
        let limits = limit_rule(reader, &mut from, rule, side);
        reader.finish(&from);
        check::limits(reader, &from, &limits, rails);
        found.push(limits);
    }
    found
}

fn limit_rule<'t>(
    reader: &mut Reader<'t>,
    from: &mut Section<'t>,
    rule: Rule,
    side: Side,
) -> LimitRule {
    let phases = reader.phases(from, "phases");
    let margin = reader.whole(from, "margin");
    let low_margin = reader.whole(from, "low-margin");
    // A score is one entry: it has no delay. Everything else that is continuous must have one.
    let zero = if rule == Rule::Oversedated {
        Zero::Allowed
    } else {
        Zero::Refused
    };
    let mut tiers = Vec::new();
    for (value, path) in reader.items(from, "tiers") {
        let Some(mut section) = reader.table(value, path) else {
            continue;
        };
        if let Some(tier) = tier(reader, &mut section, (side, zero), phases) {
            tiers.push(tier);
        }
        reader.finish(&section);
    }
    if tiers.is_empty() {
        reader.problem(from.at(), from.key("tiers"), "must have at least one tier");
    }
    LimitRule {
        rule,
        margin,
        low_margin,
        tiers,
    }
}

fn tier<'t>(
    reader: &mut Reader<'t>,
    from: &mut Section<'t>,
    (side, zero): (Side, Zero),
    rule_phases: PhaseSet,
) -> Option<Tier> {
    let name = reader.text(from, "tier");
    let priority = Priority::ALL
        .into_iter()
        .find(|priority| priority.name() == name);
    if priority.is_none() {
        let what = "must be low, medium or high";
        reader.problem(from.at(), from.key("tier"), what);
    }
    let (plain, inclusive, percent, points) = match side {
        Side::Low => (
            "below",
            "at-or-below",
            "below-baseline-percent",
            "below-baseline-points",
        ),
        Side::High => (
            "above",
            "at-or-above",
            "above-baseline-percent",
            "above-baseline-points",
        ),
    };
    let absolute = one_of(
        reader,
        from,
        (plain, inclusive),
        |limit| Absolute {
            limit,
            inclusive: false,
        },
        |limit| Absolute {
            limit,
            inclusive: true,
        },
    );
    let relative = one_of(
        reader,
        from,
        (percent, points),
        Relative::Percent,
        Relative::Points,
    );
    if absolute.is_none() && relative.is_none() {
        let what = format!("must have one of {plain}, {inclusive}, {percent}, {points}");
        reader.problem(from.at(), from.key(""), what);
    }

    let delay = reader.duration(from, "for", zero);
    let told = reader.optional_whole(from, "point-seconds");
    let point_seconds = told.map(|told| check::point_seconds(reader, from, told));
    let reason = from.optional("reason").and_then(|value| {
        let found = (value.get_ref().as_str() == Some(Reason::Fall.name())).then_some(Reason::Fall);
        if found.is_none() {
            reader.problem(value.span().start, from.key("reason"), "must be \"fall\"");
        }
        found
    });
    let phases = reader
        .optional_phases(from, "phases")
        .unwrap_or(rule_phases);
    if phases.is_empty() {
        reader.problem(
            from.at(),
            from.key("phases"),
            "must name at least one phase",
        );
    }
    Some(Tier {
        priority: priority?,
        side,
        absolute,
        relative,
        delay,
        point_seconds,
        phases,
        confirm: reader.flag(from, "confirm"),
        reason,
    })
}

/// At most one of two keys with a whole number.
fn one_of<'t, T>(
    reader: &mut Reader<'t>,
    from: &mut Section<'t>,
    keys: (&'static str, &'static str),
    first: impl FnOnce(i64) -> T,
    second: impl FnOnce(i64) -> T,
) -> Option<T> {
    let one = reader.optional_whole(from, keys.0);
    let other = reader.optional_whole(from, keys.1);
    match (one, other) {
        (Some(_), Some(_)) => {
            let what = format!("cannot stand beside {}", keys.0);
            reader.problem(from.at(), from.key(keys.1), what);
            None
        }
        (Some(number), None) => Some(first(number)),
        (None, Some(number)) => Some(second(number)),
        (None, None) => None,
    }
}

fn technical<'t>(reader: &mut Reader<'t>, all: &mut Section<'t>) -> Vec<Technical> {
    let mut found = Vec::new();
    for &rule in Rule::ALL {
        if rule.class() != AlarmClass::Technical {
            continue;
        }
        let Some(mut from) = reader.section(all, rule.name()) else {
            continue;
        };
        let from = &mut from;
        let entry = Technical {
            rule,
            after: reader.optional_duration(from, "after").unwrap_or_default(),
            low: reader.optional_phases(from, "low").unwrap_or_default(),
            medium: reader.optional_phases(from, "medium").unwrap_or_default(),
            high: reader.optional_phases(from, "high").unwrap_or_default(),
            high_after: reader.optional_duration(from, "high-after"),
            high_after_in: reader
                .optional_phases(from, "high-after-in")
                .unwrap_or_default(),
        };
        check::technical(reader, from, &entry);
        reader.finish(from);
        found.push(entry);
    }
    found
}
