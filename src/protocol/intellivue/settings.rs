//! The settings of an `intellivue` feed.

use super::super::registry::OptionSpec;
use super::super::session::{OptionProblem, Options};
use super::nomenclature::{WAVES, Wave};

/// Leads and other waves that a monitor exports to one client (dossier 11).
const MOST_LEADS: usize = 3;
const MOST_OTHERS: usize = 8;

/// What the registry says about them.
pub(super) const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "waves",
    about: "waves to ask for, comma-separated: up to three of ecg-i ecg-ii ecg-iii ecg-avr ecg-avl ecg-avf \
            ecg-v ecg-mcl ecg-v1 to ecg-v6, and pleth, resp, co2, abp, art; none by default, because \
            asking sets the monitor's list of exported waves",
    check: |_, value| waves(value).map(|_| ()),
}];

/// The waves that a feed's settings ask for.
pub(super) fn read(options: &Options) -> Result<Vec<Wave>, OptionProblem> {
    let mut wanted = Vec::new();
    for (option, value) in options {
        let verdict = match option.as_str() {
            "waves" => waves(value).map(|waves| wanted = waves),
            _ => Err(format!("{} has no such setting", super::PROTOCOL.name)),
        };
        verdict.map_err(|problem| OptionProblem {
            option: option.clone(),
            problem,
        })?;
    }
    Ok(wanted)
}

fn waves(value: &str) -> Result<Vec<Wave>, String> {
    let mut wanted: Vec<Wave> = Vec::new();
    let names = value.split(',').map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let wave = WAVES
            .iter()
            .find(|wave| wave.name == name)
            .ok_or_else(|| format!("{name:?} is no wave that can be read"))?;
        if wanted.contains(wave) {
            return Err(format!("{name} is named twice"));
        }
        wanted.push(*wave);
    }
    let leads = wanted.iter().filter(|wave| wave.is_lead).count();
    if leads > MOST_LEADS || wanted.len() - leads > MOST_OTHERS {
        return Err(format!(
            "a monitor exports at most {MOST_LEADS} leads and {MOST_OTHERS} other waves"
        ));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_read_by_the_same_rules() {
        let options =
            |name: &str, value: &str| -> Options { [(name.to_owned(), value.to_owned())].into() };
        let read_names = |value: &str| -> Vec<&str> {
            let waves = read(&options("waves", value)).unwrap();
            waves.iter().map(|wave| wave.name).collect()
        };
        assert_eq!(
            read_names("ecg-ii, pleth,resp"),
            ["ecg-ii", "pleth", "resp"]
        );
        assert!(read_names("").is_empty());
        for (name, value) in [
            ("waves", "ecg"),
            ("waves", "pleth,pleth"),
            ("waves", "ecg-i,ecg-ii,ecg-iii,ecg-v"),
            ("speed", "1"),
        ] {
            let options = options(name, value);
            assert!(read(&options).is_err(), "{name}={value}");
            assert_eq!(super::super::PROTOCOL.check(&options).len(), 1);
        }
    }
}
