//! Settings of the protocol.

use super::super::registry::OptionSpec;
use super::super::session::{OptionProblem, Options};

/// Characters of a name in a request.
pub(super) const LONGEST_NAME: usize = 32;

/// The settings that the protocol understands.
pub(super) const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "own-name",
    about: "our own `WARD|BED` in requests, at most 32 ASCII characters; default \"INFUSE|WATCH\"",
    check: |_, value| check_name(value),
}];

fn check_name(value: &str) -> Result<(), String> {
    let fits = (1..=LONGEST_NAME).contains(&value.len());
    let printable = value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let parts = value.split('|').count() == 2;
    if fits && printable && parts {
        Ok(())
    } else {
        Err(format!(
            "must be a ward and a bed with | between, at most {LONGEST_NAME} plain characters, as in \"INFUSE|WATCH\""
        ))
    }
}

/// The name in requests.
pub(super) fn name(options: &Options) -> Result<String, OptionProblem> {
    let name = options
        .get("own-name")
        .map_or("INFUSE|WATCH", String::as_str);
    check_name(name).map_err(|problem| OptionProblem {
        option: "own-name".to_owned(),
        problem,
    })?;
    Ok(name.to_owned())
}
