//! What the contract says of the command line: codes, and which stream says what.

use std::process::{Command, Output};

fn infusewatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn version_prints_the_version_and_where_there_is_a_repository_the_commit() {
    let output = infusewatch(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stdout);
    let version = concat!("infusewatch ", env!("CARGO_PKG_VERSION"));
    let rest = told.trim_end().strip_prefix(version).unwrap();
    let commit = rest
        .strip_prefix(" (")
        .and_then(|rest| rest.strip_suffix(')'));
    let is_commit = commit.is_some_and(|commit| {
        commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    assert!(rest.is_empty() || is_commit, "{told}");
}

#[test]
fn help_is_a_result_and_exits_0_for_every_command() {
    let all = text(&infusewatch(&["--help"]).stdout);
    let names = all
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    let mut seen = 0;
    for name in names {
        let output = infusewatch(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{name}"
        );
        seen += 1;
    }
    assert!(seen >= 10, "{all}");
}

#[test]
fn every_failure_has_its_code_and_says_so_on_stderr_only() {
    let rows: [(&[&str], i32, &str); 12] = [
        (&[], 64, "Usage"),
        (&["fly"], 64, "fly"),
        (&["run"], 64, "--config"),
        (&["run", "--config", "/nowhere.toml"], 78, "/nowhere.toml"),
        (&["check-config", "/nowhere.toml"], 78, "/nowhere.toml"),
        (
            &["judge", "--profile", "/nowhere.toml"],
            74,
            "/nowhere.toml",
        ),
        (&["judge", "--profile", "Cargo.toml"], 78, "Cargo.toml"),
        (
            &[
                "judge",
                "--profile",
                "config/profiles/ketamine-adult.toml",
                "Cargo.toml",
            ],
            65,
            "line 1",
        ),
        (&["decode", "--protocol", "morse"], 64, "morse"),
        (
            &["decode", "--protocol", "hl7-mllp", "/nowhere"],
            74,
            "/nowhere",
        ),
        (
            &["decode", "--protocol", "hl7-mllp", "--feed-option", "x=y"],
            64,
            "no such setting",
        ),
        (&["verify", "/nowhere.db"], 74, "/nowhere.db"),
    ];
    for (arguments, code, what) in rows {
        let output = infusewatch(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(what), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
