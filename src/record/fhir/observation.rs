//! Observations: cuff readings, minutes, single readings near alarms, and scores.

use super::identity::About;
use super::node::{Node, object};
use super::{Entry, Frame, concept, quantity};
use crate::record::Stamp;
use crate::record::entered::scale_words;
use crate::vocabulary::{Cause, Decimal, Parameter, ParameterId, ReadingUnit};

const LOINC: &str = "http://loinc.org";
const MDC: &str = "urn:iso:std:iso:11073:10101";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
const PROFILES: &str = "http://hl7.org/fhir/StructureDefinition/";

/// How a parameter is coded: its profile and LOINC codes.
struct Coding {
    profile: Option<&'static str>,
    loinc: &'static [&'static str],
    text: &'static str,
}

/// The codes that the vital-signs profiles ask for; without one, the MDC code stands alone.
const fn coding(parameter: Parameter) -> Coding {
    let (profile, loinc, text): (_, &'static [&'static str], _) = match parameter {
        Parameter::Hr => (Some("heartrate"), &["8867-4"], "Heart rate (ECG)"),
        Parameter::Pr => (Some("heartrate"), &["8867-4"], "Pulse rate (pleth)"),
        Parameter::ArtPr => (Some("heartrate"), &["8867-4"], "Pulse rate (arterial line)"),
        Parameter::NibpPr => (Some("heartrate"), &["8867-4"], "Pulse rate (cuff)"),
        Parameter::Spo2 => (
            Some("oxygensat"),
            &["2708-6", "59408-5"],
            "Oxygen saturation by pulse oximetry",
        ),
        Parameter::Rr => (Some("resprate"), &["9279-1"], "Respiratory rate"),
        Parameter::Temp => (Some("bodytemp"), &["8310-5"], "Body temperature"),
        Parameter::NibpSys => (None, &["8480-6"], "Systolic pressure (cuff)"),
        Parameter::NibpDia => (None, &["8462-4"], "Diastolic pressure (cuff)"),
        Parameter::NibpMean => (None, &["8478-0"], "Mean pressure (cuff)"),
        Parameter::ArtSys => (None, &[], "Systolic pressure (arterial line)"),
        Parameter::ArtDia => (None, &[], "Diastolic pressure (arterial line)"),
        Parameter::ArtMean => (None, &[], "Mean pressure (arterial line)"),
        Parameter::Etco2 => (None, &[], "End-tidal carbon dioxide"),
        Parameter::Pi => (None, &[], "Perfusion index"),
    };
    Coding {
        profile,
        loinc,
        text,
    }
}

/// Our unit for people and in UCUM.
const fn ucum(unit: ReadingUnit) -> (&'static str, &'static str) {
    match unit {
        ReadingUnit::PerMinute => ("/min", "/min"),
        ReadingUnit::Percent => ("%", "%"),
        ReadingUnit::MmHg => ("mmHg", "mm[Hg]"),
        ReadingUnit::DegC => ("°C", "Cel"),
    }
}

fn code(parameter: Parameter, mdc: Option<u32>) -> Node {
    let known = coding(parameter);
    let mdc = mdc.unwrap_or(parameter.mdc()).to_string();
    let codings: Vec<(&'static str, &str)> = known
        .loinc
        .iter()
        .map(|code| (LOINC, *code))
        .chain([(MDC, mdc.as_str())])
        .collect();
    concept(&codings, known.text)
}

/// Why there is no number, in FHIR's words and in ours.
fn absent(cause: Option<Cause>) -> Node {
    let code = match cause {
        None
        | Some(
            Cause::Searching
            | Cause::LowPerfusion
            | Cause::Measuring
            | Cause::Starting
            | Cause::Calibrating
            | Cause::Old
            | Cause::Withdrawn,
        ) => "unknown",
        Some(Cause::ProbeOff | Cause::SensorMissing | Cause::NotAvailable) => "not-performed",
        Some(
            Cause::Artefact
            | Cause::CuffFault
            | Cause::OutOfRange
            | Cause::UnknownUnit
            | Cause::CodeMismatch
            | Cause::Zero
            | Cause::SensorFault
            | Cause::LowQuality
            | Cause::Demo
            | Cause::Test
            | Cause::Setting
            | Cause::DeviceInvalid,
        ) => "error",
    };
    concept(&[(ABSENT, code)], cause.map_or("not told", Cause::name))
}

fn value(node: Node, parameter: Parameter, value: Option<Decimal>, cause: Option<Cause>) -> Node {
    match value {
        Some(value) => {
            let (unit, code) = ucum(parameter.unit());
            node.with("valueQuantity", quantity(value, unit, code))
        }
        None => node.with("dataAbsentReason", absent(cause)),
    }
}

/// What every observation begins with.
fn begin(
    frame: &Frame<'_>,
    profile: Option<&str>,
    status: &str,
    category: &str,
    code: Node,
) -> Node {
    object([("resourceType", "Observation".into())])
        .with_some(
            "meta",
            profile
                .map(|name| object([("profile", vec![format!("{PROFILES}{name}").into()].into())])),
        )
        .with("status", status)
        .with("category", vec![concept(&[(CATEGORY, category)], category)])
        .with("code", code)
        .with("subject", frame.patient())
        .with("encounter", frame.encounter())
}

fn doubt(node: Node, text: Option<String>) -> Node {
    node.with_some(
        "note",
        text.map(|text| vec![object([("text", text.into())])]),
    )
}

/// Every cuff reading as a blood pressure panel; its pulse rate as an observation of its own.
pub(super) fn cuff(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    for reading in &frame.record.cuff {
        let panel = concept(&[(LOINC, "85354-9")], "Blood pressure (cuff)");
        let component = |parameter: Parameter, number: Option<Decimal>| {
            let cause = reading.cause;
            value(
                object([("code", code(parameter, None))]),
                parameter,
                number,
                cause,
            )
        };
        let mut components = vec![
            component(Parameter::NibpSys, reading.sys),
            component(Parameter::NibpDia, reading.dia),
        ];
        if reading.mean.is_some() {
            components.push(component(Parameter::NibpMean, reading.mean));
        }
        let is_empty = reading.sys.is_none() && reading.dia.is_none() && reading.mean.is_none();
        let has_pressure = !is_empty || reading.cause.is_some();
        let at = reading.at.rfc3339();
        if has_pressure {
            let mut node = begin(frame, Some("bp"), "final", "vital-signs", panel)
                .with("effectiveDateTime", at.clone());
            if is_empty {
                node = node.with("dataAbsentReason", absent(reading.cause));
            }
            node = doubt(node, reading.questionable.then(|| "doubtful".to_owned()));
            entries.push(Entry {
                urn: frame.names.urn(About::Cuff, reading.seq),
                resource: node
                    .with("device", frame.device(&reading.feed))
                    .with("component", components),
            });
        }
        if let Some(rate) = reading.pr {
            let node = begin(
                frame,
                coding(Parameter::NibpPr).profile,
                "final",
                "vital-signs",
                code(Parameter::NibpPr, None),
            )
            .with("effectiveDateTime", at);
            entries.push(Entry {
                // The number of the same reading, of another kind.
                urn: frame.names.urn(About::Reading, reading.seq),
                resource: value(node, Parameter::NibpPr, Some(rate), None)
                    .with("device", frame.device(&reading.feed)),
            });
        }
    }
}

/// Continuous vital signs by minute.
pub(super) fn minutes(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    for (place, series) in (0_u64..).zip(&frame.record.series) {
        let ParameterId::Known(parameter) = series.parameter else {
            continue;
        };
        for point in &series.points {
            let end = Stamp::from_millis(point.at.millis().saturating_add(60_000));
            let known = coding(parameter);
            let node = begin(
                frame,
                known.profile,
                "final",
                "vital-signs",
                code(parameter, series.mdc),
            )
            .with(
                "effectivePeriod",
                object([
                    ("start", point.at.rfc3339().into()),
                    ("end", end.rfc3339().into()),
                ]),
            );
            let node = value(node, parameter, point.median, point.cause);
            let doubtful = (point.questionable > 0).then(|| {
                format!(
                    "{} of {} readings doubtful",
                    point.questionable, point.numbers
                )
            });
            let minute = u64::try_from(point.minute).unwrap_or(u64::MAX);
            entries.push(Entry {
                urn: frame.names.urn(About::Minute, (place << 32) | minute),
                resource: doubt(node, doubtful)
                    .with("method", concept(&[], "Median of one minute"))
                    .with("device", frame.device(&series.feed)),
            });
        }
    }
}

/// Every single reading near the turns of a patient alarm.
pub(super) fn near_alarms(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    for reading in &frame.record.near_alarms {
        let ParameterId::Known(parameter) = reading.parameter else {
            continue;
        };
        let known = coding(parameter);
        let node = begin(
            frame,
            known.profile,
            "final",
            "vital-signs",
            code(parameter, reading.mdc),
        )
        .with("effectiveDateTime", reading.at.rfc3339());
        let is_doubtful = reading.value.is_some() && reading.cause.is_some();
        let node = value(node, parameter, reading.value, reading.cause);
        let doubtful = reading
            .cause
            .filter(|_| is_doubtful)
            .map(|cause| format!("doubtful: {}", cause.name()));
        entries.push(Entry {
            urn: frame.names.urn(About::Reading, reading.seq),
            resource: doubt(node, doubtful).with("device", frame.device(&reading.feed)),
        });
    }
}

/// Scores; one that was corrected is marked as entered in error.
pub(super) fn scores(frame: &Frame<'_>, entries: &mut Vec<Entry>) {
    for score in &frame.record.scores {
        let status = if score.corrected_by.is_some() {
            "entered-in-error"
        } else {
            "final"
        };
        let words = concept(&[], scale_words(&score.scale));
        entries.push(Entry {
            urn: frame.names.urn(About::Score, score.seq),
            resource: begin(frame, None, status, "survey", words)
                .with("effectiveDateTime", score.at.rfc3339())
                .with("valueInteger", score.value.normalized())
                .with("note", vec![object([("text", "entered by hand".into())])]),
        });
    }
}
