//! Named staff and what they must log in for.
//!
//! Promises: a PIN is never in the file, only its argon2id hash in the PHC form that `infusewatch pin`
//! prints; no message and no debug text shows a hash; what silences or acknowledges an alarm, and what
//! stops an infusion, can never be made to need a log-in.

use super::parse_span;
use super::problem::Findings;
use super::tree::{At, Section};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Commands that a clinic may require a log-in for.
const GUARDED: &[&str] = &[
    "open-session",
    "start-infusion",
    "close-session",
    "away",
    "set-limit",
    "restore-limits",
    "set-baseline",
    "rate-change",
    "drug",
    "correct",
    "confirm-patient",
    "check",
    "sign",
];

/// How long a log-in lasts without a command when the file does not say.
const DEFAULT_AUTO_LOG_OFF: Duration = Duration::from_secs(5 * 60);
/// What else it may be.
const AUTO_LOG_OFF: RangeInclusive<Duration> =
    Duration::from_secs(30)..=Duration::from_secs(12 * 60 * 60);
/// More names than a clinic has.
const MOST_STAFF: usize = 200;
/// The longest name or role.
const LONGEST_NAME: usize = 40;
/// How long a PIN may be, characters.
pub const PIN_LENGTH: RangeInclusive<usize> = 4..=64;
/// The most memory that one look at a PIN may take, KiB.
const MOST_MEMORY: u32 = 64 * 1024;
/// The most rounds and lanes.
const MOST_ROUNDS: u32 = 16;

/// A PIN as argon2id hash.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash(Arc<str>);

impl fmt::Debug for PinHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinHash(…)")
    }
}

impl PinHash {
    /// The hash of a PIN with this random salt (8 to 48 bytes).
    ///
    /// # Errors
    /// The PIN is too short or too long, or the salt is.
    pub fn of(pin: &str, salt: &[u8]) -> Result<Self, String> {
        if !PIN_LENGTH.contains(&pin.chars().count()) || pin.chars().any(char::is_control) {
            return Err(format!(
                "a PIN has {} to {} characters",
                PIN_LENGTH.start(),
                PIN_LENGTH.end()
            ));
        }
        let salt = SaltString::encode_b64(salt).map_err(|error| error.to_string())?;
        argon2id(Params::DEFAULT)
            .hash_password(pin.as_bytes(), &salt)
            .map(|hash| Self(hash.to_string().into()))
            .map_err(|error| error.to_string())
    }

    /// Reads the PHC form. What is wrong is said without repeating the text.
    ///
    /// # Errors
    /// No argon2id hash, or one that would take too much memory or time at each log-in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = PasswordHash::new(text).map_err(|_| {
            "is no PIN hash: make one with `infusewatch pin`, never write the PIN itself".to_owned()
        })?;
        if parsed.algorithm != Algorithm::Argon2id.ident() {
            return Err("must be an argon2id hash, as `infusewatch pin` makes it".to_owned());
        }
        let params = Params::try_from(&parsed)
            .map_err(|_| "has settings that argon2id does not know".to_owned())?;
        if parsed.salt.is_none() || parsed.hash.is_none() {
            return Err("is cut off: salt or hash is missing".to_owned());
        }
        if params.m_cost() > MOST_MEMORY
            || params.t_cost() > MOST_ROUNDS
            || params.p_cost() > MOST_ROUNDS
        {
            return Err(
                "would take too much memory or time at each log-in: make it with `infusewatch pin`"
                    .to_owned(),
            );
        }
        Ok(Self(text.into()))
    }

    /// The PHC form, for the configuration file.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is the PIN. Takes tens of milliseconds and 19 MiB: never on a thread that others
    /// wait for.
    pub fn matches(&self, pin: &str) -> bool {
        PasswordHash::new(&self.0).is_ok_and(|hash| {
            argon2id(Params::DEFAULT)
                .verify_password(pin.as_bytes(), &hash)
                .is_ok()
        })
    }
}

/// The hasher; a verification takes the settings of the hash instead.
fn argon2id(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The name, in the record and on the page.
    pub name: Arc<str>,
    /// What the person is here.
    pub role: Arc<str>,
    /// The PIN.
    pub pin: PinHash,
}

/// The `[access]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Commands that need a log-in.
    pub required: Vec<&'static str>,
    /// How long a log-in lasts without a command.
    pub auto_log_off: Duration,
    /// Who may log in.
    pub staff: Vec<Staff>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            required: Vec::new(),
            auto_log_off: DEFAULT_AUTO_LOG_OFF,
            staff: Vec::new(),
        }
    }
}

/// `[access]`
#[derive(Debug, Default)]
pub(super) struct RawAccess {
    require: Option<At<Vec<At<String>>>>,
    auto_log_off: Option<At<String>>,
    staff: Vec<RawStaff>,
}

/// One `[[access.staff]]`.
#[derive(Debug)]
struct RawStaff {
    line: usize,
    name: Option<At<String>>,
    role: Option<At<String>>,
    pin: Option<At<String>>,
}

/// Reads the table.
pub(super) fn read(mut section: Section<'_>, findings: &mut Findings) -> RawAccess {
    let raw = RawAccess {
        require: section.texts("require", findings),
        auto_log_off: section.text("auto-log-off", findings),
        staff: section
            .sections("staff", findings)
            .into_iter()
            .map(|mut person| {
                let raw = RawStaff {
                    line: person.line(),
                    name: person.text("name", findings),
                    role: person.text("role", findings),
                    pin: person.text("pin", findings),
                };
                person.finish(findings);
                raw
            })
            .collect(),
    };
    section.finish(findings);
    raw
}

/// Checks the table; mistakes are in `findings`.
pub(super) fn check(raw: &RawAccess, findings: &mut Findings) -> Option<Access> {
    let required = raw
        .require
        .as_ref()
        .map_or(Some(Vec::new()), |names| check_required(names, findings));
    let auto_log_off = match &raw.auto_log_off {
        None => Some(DEFAULT_AUTO_LOG_OFF),
        Some(text) => check_span(text, findings),
    };
    let mut staff: Vec<Staff> = Vec::new();
    for person in &raw.staff {
        let Some(found) = check_person(person, findings) else {
            continue;
        };
        if staff.iter().any(|known| known.name == found.name) {
            let what = format!("{:?} is named twice", found.name);
            findings.wrong(person.line, "access.staff.name", what);
        }
        staff.push(found);
    }
    if raw.staff.len() > MOST_STAFF {
        let line = raw.staff.first().map(|person| person.line);
        findings.missing(
            line,
            "access.staff",
            format!("more than {MOST_STAFF} people"),
        );
    }
    if let Some(names) = raw.require.as_ref().filter(|_| raw.staff.is_empty())
        && !names.value.is_empty()
    {
        findings.wrong(
            names.line,
            "access.require",
            "needs at least one [[access.staff]]: nobody could log in",
        );
    }
    Some(Access {
        required: required?,
        auto_log_off: auto_log_off?,
        staff,
    })
}

fn check_required(
    names: &At<Vec<At<String>>>,
    findings: &mut Findings,
) -> Option<Vec<&'static str>> {
    let mut required = Vec::new();
    let mut all_known = true;
    for name in &names.value {
        match GUARDED.iter().find(|known| **known == name.value) {
            Some(known) if required.contains(known) => {
                let what = format!("names {:?} twice", name.value);
                findings.wrong(name.line, "access.require", what);
                all_known = false;
            }
            Some(known) => required.push(*known),
            None => {
                let what = format!(
                    "{:?} cannot need a log-in; those that can: {}",
                    name.value,
                    GUARDED.join(", ")
                );
                findings.wrong(name.line, "access.require", what);
                all_known = false;
            }
        }
    }
    all_known.then_some(required)
}

fn check_span(text: &At<String>, findings: &mut Findings) -> Option<Duration> {
    let key = "access.auto-log-off";
    match parse_span(&text.value) {
        Ok(span) if AUTO_LOG_OFF.contains(&span) => Some(span),
        Ok(_) => {
            findings.wrong(text.line, key, "must be from 30s to 12h");
            None
        }
        Err(what) => {
            findings.wrong(text.line, key, what);
            None
        }
    }
}

fn check_person(person: &RawStaff, findings: &mut Findings) -> Option<Staff> {
    let mut short = |text: &Option<At<String>>, key: &str, what: &str| match text {
        None => {
            findings.missing(Some(person.line), key, format!("is missing: {what}"));
            None
        }
        Some(text)
            if text.value.chars().count() > LONGEST_NAME
                || text.value.chars().any(char::is_control)
                || text.value.trim() != text.value =>
        {
            findings.wrong(
                text.line,
                key,
                format!(
                    "must be at most {LONGEST_NAME} characters on one line, without spaces around"
                ),
            );
            None
        }
        Some(text) => Some(Arc::<str>::from(text.value.as_str())),
    };
    let name = short(&person.name, "access.staff.name", "who logs in");
    let role = short(&person.role, "access.staff.role", "what the person is here");
    let pin = match &person.pin {
        None => {
            let what = "is missing: the hash that `infusewatch pin` prints";
            findings.missing(Some(person.line), "access.staff.pin", what);
            None
        }
        Some(text) => PinHash::parse(&text.value)
            .map_err(|what| findings.wrong(text.line, "access.staff.pin", what))
            .ok(),
    };
    Some(Staff {
        name: name?,
        role: role?,
        pin: pin?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_pin_and_shows_nothing() {
        let hash = PinHash::of("4711", b"sixteen bytes!!!").unwrap();
        assert!(hash.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!hash.reveal().contains("4711"));
        assert_eq!(format!("{hash:?}"), "PinHash(…)");
        let read = PinHash::parse(hash.reveal()).unwrap();
        assert!(read.matches("4711"));
        assert!(!read.matches("4712") && !read.matches(""));
        assert_ne!(PinHash::of("4711", b"another salt....").unwrap(), hash);
    }

    #[test]
    fn a_pin_or_a_foreign_hash_is_no_hash() {
        let good = PinHash::of("4711", b"sixteen bytes!!!").unwrap();
        for text in [
            "4711",
            "$2b$12$abcdefghijklmnopqrstuu",
            &good.reveal().replace("argon2id", "argon2i"),
            &good.reveal().replace("m=19456", "m=4194304"),
            &good.reveal().replace("t=2", "t=1000"),
            good.reveal().rsplit_once('$').unwrap().0,
            "",
        ] {
            let refused = PinHash::parse(text).unwrap_err();
            assert!(!refused.contains("4711"), "{refused}");
        }
        assert!(PinHash::of("123", b"sixteen bytes!!!").is_err());
        assert!(PinHash::of("12\n34", b"sixteen bytes!!!").is_err());
    }
}
