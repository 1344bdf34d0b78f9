//! What the file may say: every key with its type and its line, before anything is checked for sense.

use super::access::{self, RawAccess};
use super::problem::Findings;
use super::tree::{At, Section};

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct RawConfiguration {
    pub(super) bed: RawBed,
    pub(super) journal: RawJournal,
    pub(super) display: RawDisplay,
    pub(super) access: RawAccess,
    pub(super) sound: RawSound,
    pub(super) profile: RawProfile,
    pub(super) feeds: Vec<RawFeed>,
    pub(super) prefer: Vec<(At<String>, Vec<At<String>>)>,
}

/// `[bed]`
#[derive(Debug, Default)]
pub(super) struct RawBed {
    pub(super) line: Option<usize>,
    pub(super) name: Option<At<String>>,
}

/// `[journal]`
#[derive(Debug, Default)]
pub(super) struct RawJournal {
    pub(super) line: Option<usize>,
    pub(super) path: Option<At<String>>,
}

/// `[display]`
#[derive(Debug, Default)]
pub(super) struct RawDisplay {
    pub(super) listen: Option<At<String>>,
    pub(super) runtime_dir: Option<At<String>>,
    pub(super) attached: Option<At<bool>>,
}

/// `[sound]`
#[derive(Debug, Default)]
pub(super) struct RawSound {
    pub(super) player: Option<At<Result<String, Vec<At<String>>>>>,
}

/// `[profile]`
#[derive(Debug, Default)]
pub(super) struct RawProfile {
    pub(super) line: Option<usize>,
    pub(super) file: Option<At<String>>,
}

/// One `[[feed]]`.
#[derive(Debug, Default)]
pub(super) struct RawFeed {
    pub(super) line: usize,
    pub(super) name: Option<At<String>>,
    pub(super) protocol: Option<At<String>>,
    pub(super) serial: Option<At<String>>,
    pub(super) listen: Option<At<String>>,
    pub(super) connect: Option<At<String>>,
    pub(super) udp: Option<At<String>>,
    pub(super) file: Option<At<String>>,
    pub(super) peer: Option<At<String>>,
    pub(super) allow: Option<At<Vec<At<String>>>>,
    pub(super) timezone: Option<At<String>>,
    pub(super) silence: Option<At<String>>,
    pub(super) bed_id: Option<At<String>>,
    pub(super) device_id: Option<At<String>>,
    pub(super) pump_id: Option<At<String>>,
    pub(super) baud: Option<At<u32>>,
    pub(super) parity: Option<At<String>>,
    pub(super) stop_bits: Option<At<u32>>,
    pub(super) flow: Option<At<String>>,
    pub(super) capture: Option<At<String>>,
    pub(super) pace: Option<At<String>>,
    pub(super) bytes_per_second: Option<At<u32>>,
    /// Everything else: the protocol's own settings, flattened.
    pub(super) settings: Vec<(String, At<String>)>,
}

/// Reads the whole tree; unknown keys and wrong types are found here.
pub(super) fn read(mut root: Section<'_>, findings: &mut Findings) -> RawConfiguration {
    let mut raw = RawConfiguration::default();
    if let Some(mut section) = root.section("bed", findings) {
        raw.bed = RawBed {
            line: Some(section.line()),
            name: section.text("name", findings),
        };
        section.finish(findings);
    }
    if let Some(mut section) = root.section("journal", findings) {
        raw.journal = RawJournal {
            line: Some(section.line()),
            path: section.text("path", findings),
        };
        section.finish(findings);
    }
    if let Some(mut section) = root.section("display", findings) {
        raw.display = RawDisplay {
            listen: section.text("listen", findings),
            runtime_dir: section.text("runtime-dir", findings),
            attached: section.flag("attached", findings),
        };
        section.finish(findings);
    }
    if let Some(section) = root.section("access", findings) {
        raw.access = access::read(section, findings);
    }
    if let Some(mut section) = root.section("sound", findings) {
        raw.sound.player = section.text_or_texts("player", findings);
        section.finish(findings);
    }
    if let Some(mut section) = root.section("profile", findings) {
        raw.profile = RawProfile {
            line: Some(section.line()),
            file: section.text("file", findings),
        };
        section.finish(findings);
    }
    raw.feeds = root
        .sections("feed", findings)
        .into_iter()
        .map(|section| read_feed(section, findings))
        .collect();
    if let Some(section) = root.section("prefer", findings) {
        raw.prefer = section.lists(findings);
    }
    root.finish(findings);
    raw
}

fn read_feed(mut section: Section<'_>, findings: &mut Findings) -> RawFeed {
    RawFeed {
        line: section.line(),
        name: section.text("name", findings),
        protocol: section.text("protocol", findings),
        serial: section.text("serial", findings),
        listen: section.text("listen", findings),
        connect: section.text("connect", findings),
        udp: section.text("udp", findings),
        file: section.text("file", findings),
        peer: section.text("peer", findings),
        allow: section.texts("allow", findings),
        timezone: section.text("timezone", findings),
        silence: section.text("silence", findings),
        bed_id: section.text("bed-id", findings),
        device_id: section.text("device-id", findings),
        pump_id: section.text("pump-id", findings),
        baud: section.number("baud", findings),
        parity: section.text("parity", findings),
        stop_bits: section.number("stop-bits", findings),
        flow: section.text("flow", findings),
        capture: section.text("capture", findings),
        pace: section.text("pace", findings),
        bytes_per_second: section.number("bytes-per-second", findings),
        settings: section.settings(findings),
    }
}
