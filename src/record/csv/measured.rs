//! Tables of what was measured and decided: the session, readings, alarms, limits.

use super::table::{Cell, Column, Kind, Table};
use crate::engine::LimitSource;
use crate::record::model::Record;
use crate::vocabulary::{Decimal, ReadingUnit};

pub(super) fn about(record: &Record, tables: &mut Vec<Table>) {
    let header = &record.header;
    table!(
        tables,
        "session",
        [
            ("session", Text, "", "number of the session"),
            ("patient", Text, "", "patient identifier, by hand"),
            ("patient_name", Text, "", "patient name, by hand"),
            ("weight_kg", Number, "kg", "weight, by hand"),
            ("drug", Text, "", "drug, by hand"),
            ("dose_mg", Number, "mg", "planned dose, by hand"),
            ("dose_mg_per_kg", Number, "mg/kg", "planned dose by weight"),
            ("planned_min", Number, "min", "planned length, by hand"),
            ("cuff_arm", Text, "", "arm with the cuff, by hand"),
            ("spo2_arm", Text, "", "arm with the oximeter, by hand"),
            ("opened_at", Time, "", "when it was opened"),
            ("opened_by", Text, "", "who opened it"),
            ("complete_from_opening", Truth, "", "whether the record holds the opening"),
            ("infusion_started_at", Time, "", "first start of the infusion"),
            ("infusion_ended_at", Time, "", "last end of the infusion"),
            ("closed_at", Time, "", "when it was closed; empty while it is open"),
            ("closed_by", Text, "", "who closed it"),
            ("upto", Time, "", "newest entry in these files"),
            ("upto_seq", Number, "", "its number"),
            ("profile", Text, "", "profile of the limits, with its check sum"),
            ("session_s", Number, "s", "length of the session"),
            ("observation_s", Number, "s", "observation after the last end of the infusion"),
            ("since_first_dose_s", Number, "s", "time since the first start of the infusion"),
            ("infusion_s", Number, "s", "time the drug ran, without pauses"),
            ("infusion_mg", Number, "mg", "sum by the rates in mg/h; empty when a stretch has none"),
            ("infusion_ml", Number, "mL", "sum by the rates in mL/h; empty when a stretch has none"),
            ("pump_volume_ml", Number, "mL", "volume that the pump told last"),
            ("programs", Text, "", "versions of the program, separated by blanks"),
        ],
        [record],
        record => [
            &record.session.to_string(),
            &header.patient,
            &header.patient_name,
            header.weight_kg,
            &header.drug,
            header.dose_mg,
            header.dose_mg_per_kg,
            header.planned_min,
            &header.cuff_arm,
            &header.spo2_arm,
            header.opened_at,
            &header.opened_by,
            header.complete_from_opening,
            header.infusion_started_at,
            header.infusion_ended_at,
            header.closed_at,
            &header.closed_by,
            header.upto,
            header.upto_seq,
            &header.profile,
            record.lengths.session_s,
            record.lengths.observation_s,
            record.lengths.since_first_dose_s,
            record.totals.infusion_seconds,
            record.totals.infusion_mg,
            record.totals.infusion_ml,
            record.totals.pump_volume_ml,
            &header.programs.join(" "),
        ]
    );
    table!(
        tables,
        "phases",
        [
            ("seq", Number, "", "entry that began it"),
            ("phase", Text, "", "phase"),
            ("from", Time, "", "beginning"),
            ("to", Time, "", "end; empty while it lasts"),
            ("seconds", Number, "s", "length"),
            ("why", Text, "", "what began it"),
        ],
        &record.phases,
        span => [span.seq, span.phase.name(), span.from, span.to, span.seconds, &span.why]
    );
    table!(
        tables,
        "feeds",
        [
            ("feed", Text, "", "name of the feed"),
            ("protocol", Text, "", "its protocol"),
            ("devices", Text, "", "devices that it told of"),
            ("beds", Text, "", "beds that it told of"),
            ("patients", Text, "", "patient identifiers that it told of"),
        ],
        &record.feeds,
        feed => [
            &*feed.name,
            &*feed.protocol,
            &feed.devices.join(" "),
            &feed.beds.join(" "),
            &feed.patients.join(" "),
        ]
    );
    table!(
        tables,
        "restarts",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when the program ran again"),
            ("down_s", Number, "s", "how long nothing ran; empty when not known"),
            ("carried_over", Text, "", "why the session was not replayed; empty when it was"),
        ],
        &record.restarts,
        restart => [restart.seq, restart.at, restart.down_s, &restart.carried_over]
    );
    table!(
        tables,
        "gaps",
        [
            ("from_seq", Number, "", "first entry that could not be kept"),
            ("to_seq", Number, "", "last entry that could not be kept"),
            ("at", Time, "", "first entry after them"),
        ],
        &record.gaps,
        gap => [gap.from_seq, gap.to_seq, gap.at]
    );
}

pub(super) fn readings(record: &Record, tables: &mut Vec<Table>) {
    table!(
        tables,
        "vitals_by_minute",
        [
            ("at", Time, "", "beginning of the minute; a minute that is missing is a gap"),
            ("parameter", Text, "", "parameter, or the code of an unknown one"),
            ("feed", Text, "", "feed"),
            ("unit", Text, "", "unit of the numbers; empty for an unknown code"),
            ("median", Number, "see unit", "median of the minute; empty: no number"),
            ("min", Number, "see unit", "lowest"),
            ("max", Number, "see unit", "highest"),
            ("numbers", Number, "", "readings with a number"),
            ("questionable", Number, "", "doubtful ones among them"),
            ("without", Number, "", "readings without a number"),
            ("cause", Text, "", "why the last of these had none"),
        ],
        record
            .series
            .iter()
            .flat_map(|series| series.points.iter().map(move |point| (series, point))),
        (series, point) => [
            point.at,
            &series.parameter.to_string(),
            &*series.feed,
            series.unit.map(ReadingUnit::name),
            point.median,
            point.min,
            point.max,
            point.numbers,
            point.questionable,
            point.without,
            point.cause.map(|cause| cause.name()),
        ]
    );
    table!(
        tables,
        "vitals_near_alarms",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when it was received"),
            ("parameter", Text, "", "parameter, or the code of an unknown one"),
            ("feed", Text, "", "feed"),
            ("value", Number, "see vitals_by_minute", "number; empty: none"),
            ("cause", Text, "", "why there is none, or why it is doubtful"),
            ("mdc", Number, "", "MDC code under which it came"),
            ("site", Text, "", "where it was measured"),
        ],
        &record.near_alarms,
        reading => [
            reading.seq,
            reading.at,
            &reading.parameter.to_string(),
            &*reading.feed,
            reading.value,
            reading.cause.map(|cause| cause.name()),
            reading.mdc.map(u64::from),
            reading.site.map(|site| site.name()),
        ]
    );
    table!(
        tables,
        "cuff",
        [
            ("seq", Number, "", "first entry that told it"),
            ("at", Time, "", "when it was received first"),
            ("measured_at", Text, "", "when it was measured, by the device's clock"),
            ("feed", Text, "", "feed"),
            ("phase", Text, "", "phase"),
            ("sys", Number, "mmHg", "systolic"),
            ("dia", Number, "mmHg", "diastolic"),
            ("mean", Number, "mmHg", "mean"),
            ("pr", Number, "/min", "pulse rate"),
            ("cause", Text, "", "why it failed"),
            ("questionable", Truth, "", "whether it is doubtful"),
            ("repeats", Number, "", "how often the monitor told it again"),
        ],
        &record.cuff,
        reading => [
            reading.seq,
            reading.at,
            &reading.measured_at,
            &*reading.feed,
            reading.phase.name(),
            reading.sys,
            reading.dia,
            reading.mean,
            reading.pr,
            reading.cause.map(|cause| cause.name()),
            reading.questionable,
            reading.repeats,
        ]
    );
    table!(
        tables,
        "baseline",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when it was fixed"),
            ("parameter", Text, "", "parameter"),
            ("value", Number, "the parameter's", "value; empty without enough readings"),
            ("readings", Text, "the parameter's", "newest readings behind it, separated by blanks"),
            ("manual", Truth, "", "whether a person replaced it"),
            ("reason", Text, "", "why"),
        ],
        &record.baseline,
        known => [
            known.seq,
            known.at,
            known.parameter.name(),
            known.value,
            &blanks(&known.readings),
            known.manual,
            &known.reason,
        ]
    );
    table!(
        tables,
        "extremes",
        [
            ("parameter", Text, "", "parameter"),
            ("lowest", Number, "the parameter's", "lowest number"),
            ("lowest_at", Time, "", "when"),
            ("highest", Number, "the parameter's", "highest number"),
            ("highest_at", Time, "", "when"),
        ],
        &record.extremes,
        extreme => [
            extreme.parameter.name(),
            extreme.lowest,
            extreme.lowest_at,
            extreme.highest,
            extreme.highest_at,
        ]
    );
}

fn blanks(numbers: &[Decimal]) -> String {
    let told: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    told.join(" ")
}

pub(super) fn alarms(record: &Record, tables: &mut Vec<Table>) {
    table!(
        tables,
        "alarms",
        [
            ("alarm", Number, "", "occurrence"),
            ("rule", Text, "", "rule"),
            ("class", Text, "", "physiological or technical"),
            ("parameter", Text, "", "parameter"),
            ("priority", Text, "", "highest priority"),
            ("began_at", Time, "", "beginning; empty: before the session"),
            ("over_at", Time, "", "end of its condition; empty: it stood"),
            ("ended_at", Time, "", "when it left the list"),
            ("seconds", Number, "s", "how long its condition stood"),
            ("acknowledged_at", Time, "", "first acknowledgement"),
            ("acknowledged_by", Text, "", "by whom; empty beside a time: unnamed"),
            ("value", Number, "the parameter's", "value at the highest priority"),
            ("limit", Number, "the parameter's", "limit that judged it"),
            ("limit_source", Text, "", "profile, baseline, nurse, device, timing"),
            ("extreme", Number, "the parameter's", "most extreme reading while it stood"),
            ("phase", Text, "", "phase whose limits judged it"),
            ("feed", Text, "", "feed"),
            ("text", Text, "", "in words"),
            ("late_s", Number, "s", "how late it was decided, after a downtime"),
        ],
        &record.alarms,
        alarm => [
            alarm.alarm,
            alarm.rule.name(),
            alarm.class.name(),
            alarm.parameter.map(|parameter| parameter.name()),
            alarm.priority.name(),
            alarm.began_at,
            alarm.over_at,
            alarm.ended_at,
            alarm.seconds,
            alarm.acknowledged_at,
            &alarm.acknowledged_by,
            alarm.value,
            alarm.limit,
            alarm.limit_source.map(source_name),
            alarm.extreme,
            alarm.phase.name(),
            &alarm.feed,
            &alarm.text,
            alarm.late_s,
        ]
    );
    table!(
        tables,
        "alarm_events",
        [
            ("alarm", Number, "", "occurrence"),
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when"),
            ("event", Text, "", "begin, escalate, deescalate, acknowledge, return, end, re-alarm"),
            ("priority", Text, "", "priority from then on"),
            ("value", Number, "the parameter's", "value then"),
            ("by", Text, "", "who acknowledged"),
        ],
        record
            .alarms
            .iter()
            .flat_map(|alarm| alarm.events.iter().map(move |event| (alarm.alarm, event))),
        (alarm, event) => [
            alarm,
            event.seq,
            event.at,
            event.event,
            event.priority.name(),
            event.value,
            &event.by,
        ]
    );
    table!(
        tables,
        "device_alerts",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when it was received"),
            ("feed", Text, "", "feed"),
            ("phase", Text, "", "start, continue, end, present"),
            ("priority", Text, "", "priority as told"),
            ("text", Text, "", "the monitor's words"),
        ],
        &record.device_alerts,
        alert => [
            alert.seq,
            alert.at,
            &*alert.feed,
            alert.phase,
            alert.priority.map(|priority| priority.name()),
            &*alert.text,
        ]
    );
    table!(
        tables,
        "limits",
        [
            ("parameter", Text, "", "parameter"),
            ("from", Time, "", "from"),
            ("to", Time, "", "to"),
            ("low", Number, "the parameter's", "below this alarms"),
            ("high", Number, "the parameter's", "above this alarms"),
        ],
        &record.limits,
        span => [span.parameter.name(), span.from, span.to, span.low, span.high]
    );
    table!(
        tables,
        "limit_changes",
        [
            ("seq", Number, "", "entry"),
            ("at", Time, "", "when"),
            ("rule", Text, "", "rule"),
            ("tier", Text, "", "tier"),
            ("from", Number, "the parameter's", "limit before"),
            ("to", Number, "the parameter's", "limit from then on"),
            ("source", Text, "", "nurse, or profile: the profile's again"),
            ("reason", Text, "", "why"),
            ("by", Text, "", "who"),
        ],
        &record.limit_changes,
        change => [
            change.seq,
            change.at,
            change.rule.name(),
            change.tier.name(),
            change.from,
            change.to,
            source_name(change.source),
            &change.reason,
            &change.by,
        ]
    );
}

/// The name of a source in the interface.
const fn source_name(source: LimitSource) -> &'static str {
    match source {
        LimitSource::Profile => "profile",
        LimitSource::Baseline => "baseline",
        LimitSource::Nurse => "nurse",
        LimitSource::Device => "device",
        LimitSource::Timing => "timing",
    }
}
