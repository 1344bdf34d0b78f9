//! From what the file says to what the daemon may hold: the feeds. How their bytes come is in
//! `check_transport.rs`.

use super::Catalogue;
use super::check::check_name;
use super::claims::Claims;
use super::feed::{Content, Feed, Monitored, Ours, Transport};
use super::problem::Findings;
use super::raw::RawFeed;
use super::span::{parse_span, span_text};
use super::tree::At;
use crate::engine::FeedId;
use crate::protocol::{Medium, Options, Protocol, SessionOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The protocol name of a feed whose bytes are only recorded.
const RAW: &str = "raw";
/// The default silence is never shorter than this (engine.md 3).
const SHORTEST_DEFAULT_SILENCE: Duration = Duration::from_secs(10);
/// A feed slower than this must say how long it may be silent (engine.md 3).
const SLOW_CADENCE: Duration = Duration::from_secs(15);
/// Bounds of what can be meant as a silence.
const SILENCE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 3_600);
/// Feeds that one daemon reads at most; a bed has a handful.
const MOST_FEEDS: usize = 32;

/// Checks every feed. Those with problems are left out of the result, but count for what the others
/// may not share.
pub(super) fn check_all(
    raw: &[RawFeed],
    folder: &Path,
    catalogue: &Catalogue,
    claims: &mut Claims,
    findings: &mut Findings,
) -> Vec<Feed> {
    if raw.is_empty() {
        findings.missing(None, "feed", "there is none: nothing would be monitored");
    }
    if let Some(surplus) = raw.get(MOST_FEEDS) {
        findings.wrong(surplus.line, "feed", format!("at most {MOST_FEEDS} feeds"));
    }
    let mut names = BTreeMap::new();
    let (mut monitored, mut recorded) = (Vec::new(), Vec::new());
    for feed in raw {
        let name = check_feed_name(feed, &mut names, findings);
        let checked = FeedCheck {
            raw: feed,
            user: feed.name.as_ref().map_or_else(
                || format!("the feed at line {}", feed.line),
                |name| format!("feed {:?}", name.value),
            ),
            folder,
            catalogue,
        }
        .check(claims, findings);
        let (Some(name), Some((spoken, transport, capture))) = (name, checked) else {
            continue;
        };
        let of = |content| Feed {
            name: name.into(),
            content,
            transport,
            capture,
        };
        match spoken {
            Some(mut spoken) => {
                spoken.id = FeedId(u16::try_from(monitored.len()).unwrap_or(u16::MAX));
                monitored.push(of(Content::Monitored(Box::new(spoken))));
            }
            None => recorded.push(of(Content::Recorded)),
        }
    }
    monitored.append(&mut recorded);
    monitored
}

fn check_feed_name(
    raw: &RawFeed,
    names: &mut BTreeMap<String, usize>,
    findings: &mut Findings,
) -> Option<String> {
    let Some(given) = &raw.name else {
        findings.missing(
            Some(raw.line),
            "feed.name",
            "is missing: a word for this feed",
        );
        return None;
    };
    let name = check_name(given, "feed.name", findings)?;
    if let Some(first) = names.get(&name) {
        findings.wrong(
            given.line,
            "feed.name",
            format!("{name:?} is already the feed at line {first}"),
        );
        return None;
    }
    names.insert(name.clone(), raw.line);
    Some(name)
}

/// The feed being checked and what its messages need.
pub(super) struct FeedCheck<'c> {
    pub(super) raw: &'c RawFeed,
    /// The feed as other messages name it.
    pub(super) user: String,
    pub(super) folder: &'c Path,
    catalogue: &'c Catalogue,
}

/// Which protocol is named.
pub(super) enum Named {
    Protocol(&'static Protocol),
    Raw,
    /// None, or one that we do not have.
    Unknown,
}

type Checked = (Option<Monitored>, Transport, Option<PathBuf>);

impl FeedCheck<'_> {
    fn check(&self, claims: &mut Claims, findings: &mut Findings) -> Option<Checked> {
        let named = self.protocol(findings);
        let capture = self.raw.capture.as_ref().map(|capture| {
            let path = self.folder.join(&capture.value);
            let user = format!("the capture of {}", self.user);
            claims.path(&path, capture.line, "feed.capture", &user, findings);
            path
        });
        let transport = self.transport(&named, claims, findings);
        self.refuse_strays(findings);
        let monitored = match named {
            Named::Unknown => None,
            Named::Raw => {
                self.check_recorded(capture.is_some(), findings);
                Some(None)
            }
            Named::Protocol(protocol) => self
                .monitored(protocol, transport.as_ref(), findings)
                .map(Some),
        };
        Some((monitored?, transport?, capture))
    }

    fn protocol(&self, findings: &mut Findings) -> Named {
        let known = || {
            let protocols = self.catalogue.protocols.iter().map(|known| known.name);
            let names: Vec<_> = protocols.filter(|name| *name != RAW).chain([RAW]).collect();
            names.join(", ")
        };
        let Some(name) = &self.raw.protocol else {
            findings.missing(
                Some(self.raw.line),
                "feed.protocol",
                format!("is missing; known: {}", known()),
            );
            return Named::Unknown;
        };
        if name.value == RAW {
            return Named::Raw;
        }
        match self
            .catalogue
            .protocols
            .iter()
            .find(|known| known.name == name.value)
        {
            Some(protocol) => Named::Protocol(protocol),
            None => {
                findings.wrong(
                    name.line,
                    "feed.protocol",
                    format!("{:?} is not known; known: {}", name.value, known()),
                );
                Named::Unknown
            }
        }
    }

    /// The keys that a recorded feed must and cannot have.
    fn check_recorded(&self, captured: bool, findings: &mut Findings) {
        if !captured {
            findings.missing(
                Some(self.raw.line),
                "feed.capture",
                "is missing: protocol \"raw\" only records, so it needs a file to record to",
            );
        }
        for (key, value) in [
            ("feed.silence", &self.raw.silence),
            ("feed.bed-id", &self.raw.bed_id),
            ("feed.device-id", &self.raw.device_id),
            ("feed.pump-id", &self.raw.pump_id),
            ("feed.timezone", &self.raw.timezone),
        ] {
            if let Some(value) = value {
                findings.wrong(
                    value.line,
                    key,
                    "has no meaning with protocol \"raw\", which only records",
                );
            }
        }
        for (name, value) in &self.raw.settings {
            findings.wrong(
                value.line,
                &format!("feed.{name}"),
                "unknown: protocol \"raw\" has no settings",
            );
        }
    }

    fn monitored(
        &self,
        protocol: &'static Protocol,
        transport: Option<&Transport>,
        findings: &mut Findings,
    ) -> Option<Monitored> {
        let silence = self.silence(protocol, findings);
        let timezone = self.timezone(findings);
        let options = self.options(protocol, transport, findings);
        let id = |value: &Option<At<String>>| {
            value.as_ref().map(|value| Arc::from(value.value.as_str()))
        };
        Some(Monitored {
            id: FeedId(0),
            protocol,
            options: options?,
            silence: silence?,
            ours: Ours {
                bed: id(&self.raw.bed_id),
                device: id(&self.raw.device_id),
                pump: id(&self.raw.pump_id),
            },
            timezone: timezone?,
        })
    }

    fn silence(&self, protocol: &Protocol, findings: &mut Findings) -> Option<Duration> {
        let key = "feed.silence";
        let Some(given) = &self.raw.silence else {
            let threefold = protocol.cadence.saturating_mul(3);
            if protocol.cadence > SLOW_CADENCE {
                findings.missing(
                    Some(self.raw.line),
                    key,
                    format!(
                        "is missing: {} ordinarily sends every {}, so say how long it may be silent, as in \"{}\"",
                        protocol.name,
                        span_text(protocol.cadence),
                        span_text(threefold),
                    ),
                );
                return None;
            }
            return Some(threefold.max(SHORTEST_DEFAULT_SILENCE));
        };
        let silence = match parse_span(&given.value) {
            Ok(silence) => silence,
            Err(what) => {
                findings.wrong(given.line, key, what);
                return None;
            }
        };
        if !SILENCE.contains(&silence) {
            findings.wrong(
                given.line,
                key,
                format!(
                    "must be between {} and {}",
                    span_text(*SILENCE.start()),
                    span_text(*SILENCE.end())
                ),
            );
            return None;
        }
        if silence < protocol.cadence.saturating_mul(2) {
            findings.warn(
                Some(given.line),
                key,
                format!(
                    "{} ordinarily sends every {}: one late message will alarm",
                    protocol.name,
                    span_text(protocol.cadence)
                ),
            );
        }
        Some(silence)
    }

    /// The outer `None`: a mistake. The inner one: not given.
    fn timezone(&self, findings: &mut Findings) -> Option<Option<Arc<str>>> {
        let Some(given) = &self.raw.timezone else {
            return Some(None);
        };
        match jiff::tz::TimeZone::get(&given.value) {
            Ok(_) => Some(Some(given.value.as_str().into())),
            Err(_) => {
                findings.wrong(
                    given.line,
                    "feed.timezone",
                    format!(
                        "{:?} is no time zone, as in \"America/New_York\"",
                        given.value
                    ),
                );
                None
            }
        }
    }

    fn options(
        &self,
        protocol: &Protocol,
        transport: Option<&Transport>,
        findings: &mut Findings,
    ) -> Option<Options> {
        let options: Options = self
            .raw
            .settings
            .iter()
            .map(|(name, value)| (name.clone(), value.value.clone()))
            .collect();
        let mut problems = protocol.check(&options);
        if problems.is_empty() {
            // A session owns no I/O, so opening one proves that the settings fit together.
            let medium = match transport {
                Some(Transport::Udp { .. }) => Medium::Datagram,
                Some(
                    Transport::Serial { .. }
                    | Transport::Listen { .. }
                    | Transport::Connect { .. }
                    | Transport::File { .. },
                )
                | None => Medium::Stream,
            };
            let trial = SessionOptions {
                medium,
                options: options.clone(),
            };
            problems.extend((protocol.open)(&trial).err());
        }
        for problem in &problems {
            let line = self
                .raw
                .settings
                .iter()
                .find(|(name, _)| *name == problem.option)
                .map_or(self.raw.line, |(_, value)| value.line);
            findings.wrong(
                line,
                &format!("feed.{}", problem.option),
                problem.problem.as_str(),
            );
        }
        problems.is_empty().then_some(options)
    }
}
