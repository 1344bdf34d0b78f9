//! Settings of the protocol.

use super::super::registry::OptionSpec;
use super::super::session::{OptionProblem, Options};

const SWITCH: &[(&str, bool)] = &[("true", true), ("false", false)];

/// The settings that the protocol understands.
pub(super) const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "stuffing",
    about: "whether the station replaces D and E by pairs of letters, as it does unless that was switched off on its web page: true or false; default true",
    check: |_, value| read(value).map(drop),
}];

fn read(value: &str) -> Result<bool, String> {
    SWITCH
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, found)| *found)
        .ok_or_else(|| format!("{value:?} is neither true nor false"))
}

/// Whether letters are replaced.
pub(super) fn stuffing(options: &Options) -> Result<bool, OptionProblem> {
    options.get("stuffing").map_or(Ok(true), |value| {
        read(value).map_err(|problem| OptionProblem {
            option: "stuffing".to_owned(),
            problem,
        })
    })
}
