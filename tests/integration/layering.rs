//! The house: who may import whom, and what the pure modules never touch (design.md).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the bottom up. A room may import its own level's named neighbours and every level below.
const LEVELS: &[&[&str]] = &[
    &["vocabulary"],
    &["observation"],
    &["clock"],
    &["profile", "protocol"],
    &["engine"],
    &["inbox"],
    &["journal", "board"],
    &["configuration"],
    &["feed", "display", "sound", "record", "simulator"],
    &["supervisor"],
    &["cli"],
];

/// Rooms without I/O, clocks, threads or hash-ordered collections.
const PURE: &[&str] = &["vocabulary", "observation", "protocol", "profile", "engine"];

/// Words that a pure room never contains.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "rusqlite",
    "crossbeam",
    "std::fs",
    "std::net",
    "std::thread",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "HashMap",
    "HashSet",
    "tracing::",
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let inner = path.strip_prefix(&root).unwrap().to_path_buf();
            let room = inner
                .iter()
                .next()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs");
            let text = fs::read_to_string(&path).unwrap();
            (room.to_owned(), inner, text)
        })
        .collect()
}

/// The part of a source that is not its tests, without comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap();
    body.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn level(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}

fn imports(code: &str) -> Vec<String> {
    code.match_indices("crate::")
        .map(|(at, found)| {
            code[at + found.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if room == "main" || room == "lib" {
            continue;
        }
        let own = level(&room).unwrap_or_else(|| panic!("{room} has no level: add it to LEVELS"));
        for other in imports(&code(&text)) {
            if other == room {
                continue;
            }
            match level(&other) {
                Some(found) if found < own => {}
                Some(_) => wrong.push(format!("{} imports {other}", path.display())),
                None => wrong.push(format!("{} imports unknown {other}", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "against the flow:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_stay_pure() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        let code = code(&text);
        for word in FORBIDDEN {
            if code.contains(word) {
                wrong.push(format!("{} contains {word}", path.display()));
            }
        }
        if room == "engine" {
            for word in ["f32", "f64"] {
                if code.contains(word) {
                    wrong.push(format!("{} contains {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "not pure:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_readable() {
    // Style: a file over ~400 lines without its tests wants splitting along a real seam.
    let long: BTreeMap<_, _> = sources()
        .into_iter()
        .map(|(_, path, text)| (path, code(&text).lines().count()))
        .filter(|(_, lines)| *lines > 450)
        .collect();
    assert!(long.is_empty(), "too long: {long:?}");
}
