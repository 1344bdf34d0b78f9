//! The settings of an `hl7-mllp` feed: names, checks and defaults in one place.

use super::drug::DrugNames;
use super::mapping::{self, ClinicMap};
use super::text::Charset;
use crate::protocol::{OptionProblem, OptionSpec, Options};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of one frame, unless set otherwise.
const DEFAULT_LIMIT: usize = 4 * 1024 * 1024;
/// A frame limit below this could not hold an ordinary message.
const LEAST_LIMIT: usize = 4 * 1024;
/// A frame limit above this is a mistake.
const MOST_LIMIT: usize = 64 * 1024 * 1024;

/// After which time without news an alert without an end is shown as unknown.
const DEFAULT_ALERT_TIME: Duration = Duration::from_secs(600);
/// Times that can be meant by that, in seconds.
const ALERT_TIMES: std::ops::RangeInclusive<u64> = 10..=86_400;
/// How messages are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AckMode {
    /// As MSH-15 and MSH-16 ask.
    #[default]
    Auto,
    /// `AA`, `AE`, `AR`.
    Original,
    /// `CA`, `CE`, `CR`.
    Commit,
    /// Never.
    None,
}

impl AckMode {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("original", Self::Original),
        ("commit", Self::Commit),
        ("none", Self::None),
    ];
}

/// A segment that tells an identity before the first reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The message header.
    Msh,
    /// Patient.
    Pid,
    /// Visit.
    Pv1,
}

/// Where a text stands: `PV1-3`, `PV1-3.3`, `PV1-3.3.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The segment.
    pub place: Place,
    /// The field.
    pub field: usize,
    /// The component, from 1; none is the whole field.
    pub component: Option<usize>,
    /// The subcomponent, from 1; none is the whole component.
    pub subcomponent: Option<usize>,
}

/// Where the bed stands unless set otherwise.
const DEFAULT_BED: FieldPath = FieldPath {
    place: Place::Pv1,
    field: 3,
    component: None,
    subcomponent: None,
};

/// The checked settings of one feed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How messages are answered.
    pub ack: AckMode,
    /// Bytes of the longest frame.
    pub max_frame: usize,
    /// The character set, whatever MSH-18 says.
    pub charset: Option<Charset>,
    /// A number with OBX-11 `X` is a value.
    pub x_is_ok: bool,
    /// MSH-11 `T` and `D` are taken like `P`.
    pub accept_test: bool,
    /// Where the bed stands; the first that is told counts.
    pub bed: Vec<FieldPath>,
    /// A stream that does not begin with a start block holds bare messages.
    pub unframed: bool,
    /// The clinic's own identifiers.
    pub map: ClinicMap,
    /// How pumps may call the drug.
    pub drug: DrugNames,
    /// How long an alert may be without news before its state is unknown.
    pub alert_time: Duration,
    /// Devices that call themselves by several names, and the one that counts.
    pub same_device: BTreeMap<String, Arc<str>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ack: AckMode::Auto,
            max_frame: DEFAULT_LIMIT,
            charset: None,
            x_is_ok: false,
            accept_test: false,
            bed: vec![DEFAULT_BED],
            unframed: false,
            map: ClinicMap::default(),
            drug: DrugNames::default(),
            alert_time: DEFAULT_ALERT_TIME,
            same_device: BTreeMap::new(),
        }
    }
}

/// The settings as the registry lists them.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "ack",
        about: "how messages are answered: auto (as MSH-15/16 ask), original, commit or none",
        check: |_, value| one_of(AckMode::NAMES, value).map(drop),
    },
    OptionSpec {
        name: "max-frame",
        about: "bytes of the longest frame that is taken, 4096 to 67108864; default 4194304",
        check: |_, value| limit(value).map(drop),
    },
    OptionSpec {
        name: "charset",
        about: "character set of names, whatever MSH-18 says: auto, utf-8, 8859/1, ascii or windows-1251",
        check: |_, value| one_of(Charset::NAMES, value).map(drop),
    },
    OptionSpec {
        name: "x-is-ok",
        about: "true for a sender that marks good numbers with OBX-11 X; default false",
        check: |_, value| one_of(SWITCH, value).map(drop),
    },
    OptionSpec {
        name: "accept-test",
        about: "true to judge messages marked as test (MSH-11 T or D), on the bench only; default false",
        check: |_, value| one_of(SWITCH, value).map(drop),
    },
    OptionSpec {
        name: "bed-field",
        about: "where the bed stands, the first told of a list such as \"PV1-3.3, PV1-3\"; default PV1-3",
        check: |_, value| field_paths(value).map(drop),
    },
    OptionSpec {
        name: "unframed",
        about: "true for a capture of bare messages without MLLP frames; default false",
        check: |_, value| one_of(SWITCH, value).map(drop),
    },
    OptionSpec {
        name: "map.",
        about: "what an identifier of OBX-3 stands for: map.<identifier> or map.<identifier>@<OBX-4> = \"<parameter> [unit]\"; the unit is for rows that tell none",
        check: |key, value| mapping::read(key, value).map(drop),
    },
    OptionSpec {
        name: "drug",
        about: "parts of the names under which pumps give the drug; default \"ketamin, k\u{e9}tamin, ketalar, ketanest\"",
        check: |_, value| DrugNames::read(value).map(drop),
    },
    OptionSpec {
        name: "alert-time",
        about: "seconds without news after which an alert that has not ended is shown as unknown, 10 to 86400; default 600",
        check: |_, value| alert_time(value).map(drop),
    },
    OptionSpec {
        name: "same-device.",
        about: "another name of a device that calls itself differently in some messages: same-device.<name as told> = \"<name that counts>\"",
        check: |key, value| same_device(key, value).map(drop),
    },
];

const SWITCH: &[(&str, bool)] = &[("true", true), ("false", false)];

impl Settings {
    /// Reads the settings of a feed.
    pub fn read(options: &Options) -> Result<Self, OptionProblem> {
        let mut settings = Self::default();
        for (option, value) in options {
            settings
                .set(option, value)
                .map_err(|problem| OptionProblem {
                    option: option.clone(),
                    problem,
                })?;
        }
        Ok(settings)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        match option {
            "ack" => self.ack = one_of(AckMode::NAMES, value)?,
            "max-frame" => self.max_frame = limit(value)?,
            "charset" => self.charset = Some(one_of(Charset::NAMES, value)?),
            "x-is-ok" => self.x_is_ok = one_of(SWITCH, value)?,
            "accept-test" => self.accept_test = one_of(SWITCH, value)?,
            "bed-field" => self.bed = field_paths(value)?,
            "unframed" => self.unframed = one_of(SWITCH, value)?,
            "drug" => self.drug = DrugNames::read(value)?,
            "alert-time" => self.alert_time = alert_time(value)?,
            _ => match (
                option.strip_prefix("map."),
                option.strip_prefix("same-device."),
            ) {
                (Some(identifier), _) => self.map.add(identifier, value)?,
                (None, Some(told)) => {
                    let (told, counts) = same_device(told, value)?;
                    self.same_device.insert(told, counts);
                }
                (None, None) => return Err("hl7-mllp has no such setting".to_owned()),
            },
        }
        Ok(())
    }
}

fn one_of<T: Copy>(names: &[(&str, T)], value: &str) -> Result<T, String> {
    names
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, found)| *found)
        .ok_or_else(|| {
            let allowed: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            format!("{value:?} is none of {}", allowed.join(", "))
        })
}

fn limit(value: &str) -> Result<usize, String> {
    value
        .parse()
        .ok()
        .filter(|limit| (LEAST_LIMIT..=MOST_LIMIT).contains(limit))
        .ok_or_else(|| {
            format!("{value:?} is no number of bytes from {LEAST_LIMIT} to {MOST_LIMIT}")
        })
}

fn alert_time(value: &str) -> Result<Duration, String> {
    value
        .parse()
        .ok()
        .filter(|seconds| ALERT_TIMES.contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            let (least, most) = ALERT_TIMES.into_inner();
            format!("{value:?} is no number of seconds from {least} to {most}")
        })
}

fn same_device(told: &str, counts: &str) -> Result<(String, Arc<str>), String> {
    let (told, counts) = (told.trim(), counts.trim());
    if told.is_empty() || counts.is_empty() {
        return Err(
            "needs the name as told after \"same-device.\" and the name that counts".to_owned(),
        );
    }
    Ok((told.to_owned(), counts.into()))
}

fn field_paths(value: &str) -> Result<Vec<FieldPath>, String> {
    value.split(',').map(|one| field_path(one.trim())).collect()
}

fn field_path(text: &str) -> Result<FieldPath, String> {
    let wrong =
        || format!("{text:?} is no field of MSH, PID or PV1, such as \"PV1-3\" or \"PV1-3.3\"");
    let (segment, rest) = text.split_once('-').ok_or_else(wrong)?;
    let place = match segment {
        "MSH" => Place::Msh,
        "PID" => Place::Pid,
        "PV1" => Place::Pv1,
        _ => return Err(wrong()),
    };
    let numbers = rest
        .split('.')
        .map(|number| {
            number
                .parse::<usize>()
                .ok()
                .filter(|n| (1..=31).contains(n))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(wrong)?;
    let (field, component, subcomponent) = match *numbers.as_slice() {
        [field] => (field, None, None),
        [field, component] => (field, Some(component), None),
        [field, component, subcomponent] => (field, Some(component), Some(subcomponent)),
        _ => return Err(wrong()),
    };
    Ok(FieldPath {
        place,
        field,
        component,
        subcomponent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_check_takes_can_be_read_and_the_rest_names_its_fault() {
        for (option, good, bad) in [
            ("ack", "commit", "always"),
            ("max-frame", "65536", "12"),
            ("charset", "windows-1251", "utf-16"),
            ("x-is-ok", "true", "yes"),
            ("accept-test", "false", "1"),
            ("bed-field", "PV1-3.3.1, PV1-3", "OBX-18"),
            ("unframed", "true", ""),
            ("map.007000", "spo2 %", "saturation"),
            ("map.NIBP@SYS", "nibp-sys mmHg", "nibp-sys %"),
            ("drug", "ketamin, Spravato", "ketamin,,x"),
            ("alert-time", "120", "9"),
            ("same-device.2449", "P2449", " "),
        ] {
            let spec = OPTIONS
                .iter()
                .find(|spec| option.starts_with(spec.name))
                .unwrap();
            let key = option.strip_prefix(spec.name).unwrap();
            for (value, allowed) in [(good, true), (bad, false)] {
                let options = Options::from([(option.to_owned(), value.to_owned())]);
                assert_eq!(
                    (spec.check)(key, value).is_ok(),
                    allowed,
                    "{option} {value}"
                );
                assert_eq!(
                    Settings::read(&options).is_ok(),
                    allowed,
                    "{option} {value}"
                );
            }
        }
        let unknown = Options::from([("port".to_owned(), "1".to_owned())]);
        assert!(Settings::read(&unknown).is_err());
    }

    #[test]
    fn field_paths_are_read() {
        assert_eq!(field_path("PV1-3"), Ok(DEFAULT_BED));
        assert_eq!(
            field_path("PV1-3.3.2").unwrap(),
            FieldPath {
                component: Some(3),
                subcomponent: Some(2),
                ..DEFAULT_BED
            }
        );
        for text in [
            "PV1",
            "PV1-",
            "PV1-0",
            "PV1-3.",
            "PV1-3.1.1.1",
            "PV1-99",
            "ZZZ-1",
        ] {
            assert!(field_path(text).is_err(), "{text}");
        }
    }
}
