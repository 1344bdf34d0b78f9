//! The settings of a `ge-dri` feed.

use super::super::registry::OptionSpec;
use super::super::session::{OptionProblem, Options};
use super::request::MOST_WAVES;
use super::wave::{MOST_SAMPLES_A_SECOND, WAVES};

/// What the registry says about them.
pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "interval",
        about: "seconds between two records, 1 to 60; 5 by the vendor's document and by default, many \
                monitors also do 1",
        check: |_, value| interval(value).map(|_| ()),
    },
    OptionSpec {
        name: "aux",
        about: "true asks for the exact time of the cuff reading as well; false by default",
        check: |_, value| aux(value).map(|_| ()),
    },
    OptionSpec {
        name: "waves",
        about: "waves to ask for, comma-separated, together at most 600 samples a second: ecg1 ecg2 \
                ecg3 (300 each), p1 to p6, pleth (100 each), co2, resp (25 each); none by default",
        check: |_, value| waves(value).map(|_| ()),
    },
];

/// Whether the cuff's exact time is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Auxiliary {
    /// Not asked for.
    #[default]
    Left,
    /// Asked for beside the displayed values.
    Asked,
}

/// The checked settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Seconds between two records.
    pub(super) interval: i16,
    /// Whether the cuff's exact time is asked for.
    pub(super) auxiliary: Auxiliary,
    /// Types of the waves to ask for.
    pub(super) waves: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: 5,
            auxiliary: Auxiliary::Left,
            waves: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads the settings of a feed.
    pub(super) fn read(options: &Options) -> Result<Self, OptionProblem> {
        let mut settings = Self::default();
        for (option, value) in options {
            let verdict = match option.as_str() {
                "interval" => interval(value).map(|interval| settings.interval = interval),
                "aux" => aux(value).map(|auxiliary| settings.auxiliary = auxiliary),
                "waves" => waves(value).map(|waves| settings.waves = waves),
                _ => Err(format!("{} has no such setting", super::PROTOCOL.name)),
            };
            verdict.map_err(|problem| OptionProblem {
                option: option.clone(),
                problem,
            })?;
        }
        Ok(settings)
    }
}

fn interval(value: &str) -> Result<i16, String> {
    value
        .parse()
        .ok()
        .filter(|seconds| (1..=60).contains(seconds))
        .ok_or_else(|| format!("{value:?} is not a whole number of seconds from 1 to 60"))
}

fn aux(value: &str) -> Result<Auxiliary, String> {
    match value {
        "true" => Ok(Auxiliary::Asked),
        "false" => Ok(Auxiliary::Left),
        _ => Err(format!("{value:?} is neither true nor false")),
    }
}

fn waves(value: &str) -> Result<Vec<u8>, String> {
    let mut types = Vec::new();
    let mut samples = 0;
    let names = value.split(',').map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let wave = WAVES
            .iter()
            .find(|wave| wave.name == name)
            .ok_or_else(|| format!("{name:?} is no wave that can be read"))?;
        if types.contains(&wave.code) {
            return Err(format!("{name} is named twice"));
        }
        types.push(wave.code);
        samples += wave.rate_hz;
    }
    if types.len() > MOST_WAVES {
        return Err(format!("at most {MOST_WAVES} waves can be asked for"));
    }
    if samples > MOST_SAMPLES_A_SECOND {
        return Err(format!(
            "{samples} samples a second are more than the line carries ({MOST_SAMPLES_A_SECOND})"
        ));
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_read_by_the_same_rules() {
        let options = |pairs: &[(&str, &str)]| -> Options {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let read = Settings::read(&options(&[
            ("interval", "1"),
            ("aux", "true"),
            ("waves", "ecg1, pleth,co2"),
        ]));
        assert_eq!(
            read,
            Ok(Settings {
                interval: 1,
                auxiliary: Auxiliary::Asked,
                waves: vec![1, 8, 9],
            })
        );
        for (name, value) in [
            ("interval", "0"),
            ("interval", "61"),
            ("interval", "5s"),
            ("aux", "yes"),
            ("waves", "ecg9"),
            ("waves", "pleth,pleth"),
            ("waves", "ecg1,ecg2,pleth"),
            ("speed", "1"),
        ] {
            let options = options(&[(name, value)]);
            assert!(Settings::read(&options).is_err(), "{name}={value}");
            assert_eq!(super::super::PROTOCOL.check(&options).len(), 1);
        }
    }
}
