//! Which drug a pump gives, as far as it tells (hl7.md 5.2).
//!
//! Promises: a name is matched by parts, whatever its case, so that strengths and salts around it do not
//! matter; a pump that does not know its drug may be giving ours.

use super::message::{Delimiters, parts, told};
use super::settings::Settings;
use super::text::{self, Charset};
use crate::observation::{DeviceTime, Identity};
use std::sync::Arc;

/// How a drug that the pump does not know is numbered.
const UNKNOWN_DRUG: &[u8] = b"999999";
/// The drug unless set otherwise: parts of its name and of brands, in the languages that we know.
const DEFAULT_DRUG: &str = "ketamin, k\u{e9}tamin, ketalar, ketanest";

/// How pumps may call the drug that is given here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrugNames(Vec<String>);

impl DrugNames {
    /// Reads a list of names.
    pub fn read(value: &str) -> Result<Self, String> {
        let names: Vec<String> = value
            .split(',')
            .map(|name| name.trim().to_lowercase())
            .collect();
        if names.iter().any(|name| name.chars().count() < 3) {
            return Err(format!(
                "{value:?} is no list of names of at least three letters, such as \"ketamin, ketalar\""
            ));
        }
        Ok(Self(names))
    }

    /// Whether a drug as told by a pump is this one: one of the names stands in it.
    pub fn is_in(&self, told: &str) -> bool {
        let told = told.to_lowercase();
        self.0.iter().any(|name| told.contains(name))
    }
}

impl Default for DrugNames {
    fn default() -> Self {
        Self(DEFAULT_DRUG.split(", ").map(str::to_owned).collect())
    }
}

/// What a pump says that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drug {
    /// The drug of the clinic, or nothing known.
    Ours(Option<Arc<str>>),
    /// Another one.
    Another(Arc<str>),
}

/// Whom a group is about, and what stands around it.
pub struct About<'s> {
    /// The identity as said.
    pub whom: &'s Identity,
    /// The settings of the feed.
    pub settings: &'s Settings,
    /// The delimiters of the message.
    pub delimiters: &'s Delimiters,
    /// The character set of the message.
    pub charset: Charset,
    /// The whole message is a test.
    pub test: bool,
    /// MSH-7.
    pub message_at: Option<DeviceTime>,
    /// OBR-7.
    pub begin: Option<DeviceTime>,
}

impl About<'_> {
    /// A text of the message.
    pub fn text(&self, raw: &[u8]) -> Arc<str> {
        text::decode(raw, self.delimiters, self.charset)
            .as_ref()
            .into()
    }

    /// The drug of this name.
    pub fn drug(&self, raw: &[u8]) -> Drug {
        let name = self.text(raw);
        if self.settings.drug.is_in(&name) {
            Drug::Ours(Some(name))
        } else {
            Drug::Another(name)
        }
    }

    /// OBR-4: a drug where it has a name outside the code systems of devices and services.
    pub fn drug_of_order(&self, field: &[u8]) -> Drug {
        let [code, name, system] = parts::<3>(field, self.delimiters.component);
        let service = matches!(system, b"MDC" | b"SCT") || name.starts_with(b"MDC_");
        if service || is_unknown_drug(field, self.delimiters) {
            return Drug::Ours(None);
        }
        match (told(name), told(code)) {
            (Some(name), _) => self.drug(name),
            (None, Some(code)) => match self.drug(code) {
                drug @ Drug::Ours(_) => drug,
                Drug::Another(_) => Drug::Ours(None),
            },
            (None, None) => Drug::Ours(None),
        }
    }
}

/// Whether a pump says that it does not know its drug.
pub fn is_unknown_drug(value: &[u8], delimiters: &Delimiters) -> bool {
    let [code, name] = parts::<2>(value, delimiters.component);
    let says_so = |text: &[u8]| {
        text.get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"unknown"))
    };
    code == UNKNOWN_DRUG || says_so(code) || says_so(name)
}
