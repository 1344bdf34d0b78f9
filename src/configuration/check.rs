//! From what the file says to what the daemon may hold: the sections of the house. Feeds are in
//! `check_feed.rs`.

use super::access;
use super::check_feed;
use super::claims::Claims;
use super::problem::{Findings, Problem};
use super::raw::{self, RawConfiguration, RawProfile};
use super::tree::{At, Lines, Section};
use super::{Catalogue, Configuration, Content, Display, Feed, ProfileFile, read_text};
use crate::engine::FeedId;
use crate::vocabulary::Parameter;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Where the page is served when the file does not say.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8300);

/// The player when the file does not say: raw samples as `sound` makes them, a short buffer.
const DEFAULT_PLAYER: &[&str] = &[
    "aplay",
    "-q",
    "-t",
    "raw",
    "-f",
    "S16_LE",
    "-r",
    "48000",
    "-c",
    "1",
    "--buffer-time=100000",
    "-",
];

/// The longest name that fits the page.
const LONGEST_NAME: usize = 40;

/// Checks the text of `path`. `None` as soon as something that the result needs is missing or wrong;
/// the reasons are in `findings`, and everything else was checked all the same.
pub(super) fn check(
    path: &Path,
    text: &str,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Option<Configuration> {
    let lines = Lines::of(text);
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        findings.unreadable(line, error.message());
    }
    let raw = raw::read(Section::root(&tree, &lines), findings);
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    warn_if_writable_by_others(path, None, "", findings);

    let mut claims = Claims::default();
    let bed = check_bed(&raw, findings);
    let journal = check_journal(&raw, folder, &mut claims, findings);
    let display = check_display(
        &raw,
        folder,
        journal.as_deref(),
        catalogue,
        &mut claims,
        findings,
    );
    let access = access::check(&raw.access, findings);
    if access
        .as_ref()
        .is_some_and(|access| !access.staff.is_empty())
    {
        warn_if_readable_by_others(path, findings);
    }
    let player = check_player(&raw, findings);
    let profile = check_profile(&raw.profile, folder, catalogue, findings);
    let feeds = check_feed::check_all(&raw.feeds, folder, catalogue, &mut claims, findings);
    let prefer = check_prefer(&raw, &feeds, findings);
    Some(Configuration {
        bed: bed?.into(),
        journal: journal?,
        display: display?,
        access: access?,
        training: false,
        player: player?,
        profile: profile?,
        feeds,
        prefer,
        warnings: Vec::new(),
    })
}

/// A name for people: short, on one line.
pub(super) fn check_name(name: &At<String>, key: &str, findings: &mut Findings) -> Option<String> {
    if name.value.chars().count() > LONGEST_NAME || name.value.chars().any(char::is_control) {
        findings.wrong(
            name.line,
            key,
            format!(
                "must be at most {LONGEST_NAME} characters on one line, so that it fits the page"
            ),
        );
        return None;
    }
    Some(name.value.clone())
}

fn check_bed(raw: &RawConfiguration, findings: &mut Findings) -> Option<String> {
    match &raw.bed.name {
        Some(name) => check_name(name, "bed.name", findings),
        None => {
            findings.missing(
                raw.bed.line,
                "bed.name",
                "is missing: the name of the chair or bed",
            );
            None
        }
    }
}

fn check_journal(
    raw: &RawConfiguration,
    folder: &Path,
    claims: &mut Claims,
    findings: &mut Findings,
) -> Option<PathBuf> {
    let Some(path) = &raw.journal.path else {
        findings.missing(
            raw.journal.line,
            "journal.path",
            "is missing: the file that the record is written to",
        );
        return None;
    };
    let file = folder.join(&path.value);
    if file.is_dir() {
        findings.wrong(
            path.line,
            "journal.path",
            "is a directory: name a file in it",
        );
        return None;
    }
    claims.path(&file, path.line, "journal.path", "the journal", findings);
    Some(file)
}

fn check_display(
    raw: &RawConfiguration,
    folder: &Path,
    journal: Option<&Path>,
    catalogue: &Catalogue,
    claims: &mut Claims,
    findings: &mut Findings,
) -> Option<Display> {
    let key = "display.listen";
    let listen = match &raw.display.listen {
        None => Some((DEFAULT_LISTEN, 0)),
        Some(listen) => match listen.value.parse::<SocketAddr>() {
            Err(_) => {
                findings.wrong(
                    listen.line,
                    key,
                    format!(
                        "{:?} is not an address with a port, as in \"127.0.0.1:8300\"",
                        listen.value
                    ),
                );
                None
            }
            Ok(address) if !address.ip().is_loopback() => {
                findings.wrong(
                    listen.line,
                    key,
                    format!("{address} can be reached from other machines; that needs TLS, which is not built: use 127.0.0.1 or [::1]"),
                );
                None
            }
            Ok(address) => Some((address, listen.line)),
        },
    };
    if let Some((address, line)) = listen {
        claims.listen("tcp", address, line, key, "the page", findings);
    }
    let configured = raw.display.runtime_dir.as_ref();
    let runtime_dir = catalogue
        .runtime_dir
        .clone()
        .or_else(|| configured.map(|dir| folder.join(&dir.value)))
        .or_else(|| journal?.parent().map(Path::to_path_buf));
    Some(Display {
        listen: listen?.0,
        runtime_dir: runtime_dir?,
        attached: raw.display.attached.as_ref().is_none_or(|flag| flag.value),
    })
}

/// The outer `None`: a mistake. The inner one: no player is wanted.
fn check_player(raw: &RawConfiguration, findings: &mut Findings) -> Option<Option<Vec<String>>> {
    let Some(player) = &raw.sound.player else {
        return Some(Some(
            DEFAULT_PLAYER.iter().map(|&word| word.to_owned()).collect(),
        ));
    };
    match &player.value {
        Ok(word) if word == "none" => Some(None),
        Err(words)
            if words
                .first()
                .is_some_and(|program| !program.value.trim().is_empty()) =>
        {
            Some(Some(words.iter().map(|word| word.value.clone()).collect()))
        }
        Ok(_) | Err(_) => {
            findings.wrong(
                player.line,
                "sound.player",
                "must be a program with its arguments, each a text of its own in a list, or \"none\"",
            );
            None
        }
    }
}

fn check_profile(
    raw: &RawProfile,
    folder: &Path,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Option<ProfileFile> {
    let Some(named) = &raw.file else {
        findings.missing(
            raw.line,
            "profile.file",
            "is missing: the file with the alarm limits",
        );
        return None;
    };
    let file = folder.join(&named.value);
    let text = match read_text(&file) {
        Ok(text) => text,
        Err(error) => {
            findings.wrong(
                named.line,
                "profile.file",
                format!("{} cannot be read: {error}", file.display()),
            );
            return None;
        }
    };
    warn_if_writable_by_others(&file, Some(named.line), "profile.file", findings);
    match (catalogue.read_profile)(&text) {
        Ok(limits) => Some(ProfileFile {
            file,
            text: text.into(),
            limits,
        }),
        Err(mistakes) => {
            for mistake in mistakes {
                findings.elsewhere(Problem {
                    file: file.clone(),
                    line: Some(mistake.line),
                    key: mistake.key,
                    what: mistake.what,
                });
            }
            None
        }
    }
}

/// A short PIN is soon found from its hash.
fn warn_if_readable_by_others(path: &Path, findings: &mut Findings) {
    let others_may_read =
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0);
    if others_may_read {
        findings.warn(
            None,
            "access.staff",
            format!(
                "every user of this machine can read the PIN hashes: chmod o-r {0}, with the daemon's group as its group",
                path.display()
            ),
        );
    }
}

fn warn_if_writable_by_others(
    path: &Path,
    line: Option<usize>,
    key: &str,
    findings: &mut Findings,
) {
    let others_may_write =
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0);
    if others_may_write {
        findings.warn(
            line,
            key,
            format!(
                "{0} can be written by every user of this machine: chmod o-w {0}",
                path.display()
            ),
        );
    }
}

fn check_prefer(
    raw: &RawConfiguration,
    feeds: &[Feed],
    findings: &mut Findings,
) -> BTreeMap<Parameter, Vec<FeedId>> {
    let mut prefer = BTreeMap::new();
    for (key, names) in &raw.prefer {
        let full = format!("prefer.{}", key.value);
        let Some(parameter) = Parameter::from_name(&key.value) else {
            let known: Vec<_> = Parameter::ALL.iter().map(|known| known.name()).collect();
            findings.wrong(
                key.line,
                &full,
                format!("is no parameter; known: {}", known.join(", ")),
            );
            continue;
        };
        let mut order = Vec::new();
        for name in names {
            let found = feeds.iter().find(|feed| *feed.name == *name.value);
            match found.map(|feed| &feed.content) {
                None => {
                    // A feed with problems of its own has been spoken of.
                    let mut named = raw.feeds.iter().filter_map(|feed| feed.name.as_ref());
                    if !named.any(|feed| feed.value == name.value) {
                        let what = format!("there is no feed {:?}", name.value);
                        findings.wrong(name.line, &full, what);
                    }
                }
                Some(Content::Monitored(feed)) if feed.protocol.parameters.contains(&parameter) => {
                    if order.contains(&feed.id) {
                        findings.wrong(name.line, &full, format!("names {:?} twice", name.value));
                    } else {
                        order.push(feed.id);
                    }
                }
                Some(Content::Monitored(_) | Content::Recorded) => findings.wrong(
                    name.line,
                    &full,
                    format!(
                        "feed {:?} cannot give {parameter}",
                        name.value,
                        parameter = key.value
                    ),
                ),
            }
        }
        prefer.insert(parameter, order);
    }
    prefer
}
