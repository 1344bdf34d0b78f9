//! Configurations: every mistake is listed with its line, the shipped files are right, and the command
//! says so with the promised exit codes.

use crate::feed_stand::LINES;
use infusewatch::configuration::{
    Catalogue, Configuration, Content, Pace, Problem, ProfileMistake, Transport, load_with,
};
use infusewatch::engine::FeedId;
use infusewatch::protocol::{Parity, Protocol, SpeaksFirst, StopBits};
use infusewatch::vocabulary::Parameter;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

/// Stand-ins with the names of real protocols, so that these tests need none of them.
static PROTOCOLS: LazyLock<Vec<Protocol>> = LazyLock::new(|| {
    let named = |name, line, cadence| Protocol {
        name,
        line,
        cadence: Duration::from_secs(cadence),
        ..LINES
    };
    vec![
        named("hl7-mllp", None, 60),
        named("masimo-ascii1", LINES.line, 1),
        Protocol {
            speaks_first: SpeaksFirst::Host,
            ..named("ge-dri", LINES.line, 5)
        },
    ]
});

fn read_profile(text: &str) -> Result<Vec<String>, Vec<ProfileMistake>> {
    if text.contains("broken") {
        let mistake = |line, key: &str| ProfileMistake {
            line,
            key: key.to_owned(),
            what: "is broken".to_owned(),
        };
        return Err(vec![mistake(3, "spo2-low.high"), mistake(9, "rate-low")]);
    }
    Ok(vec!["spo2-low  high  < 88  10s".to_owned()])
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("profiles")).unwrap();
        fs::write(folder.path().join("profiles/ketamine-adult.toml"), "fine").unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self, text: &str) -> Result<Configuration, Vec<Problem>> {
        let file = self.path().join("bedside.toml");
        fs::write(&file, text).unwrap();
        load_with(
            &file,
            &Catalogue {
                protocols: &PROTOCOLS,
                read_profile,
                runtime_dir: None,
            },
        )
    }

    /// Lines and keys of the problems.
    fn problems(&self, text: &str) -> Vec<(Option<usize>, String)> {
        let problems = self
            .load(text)
            .expect_err("this configuration has problems");
        problems
            .into_iter()
            .map(|problem| (problem.line, problem.key))
            .collect()
    }
}

/// A good configuration of which each test breaks something.
const GOOD: &str = r#"[bed]
name = "Chair 3"
[journal]
path = "journal.db"
[profile]
file = "profiles/ketamine-adult.toml"
[[feed]]
name = "oximeter"
protocol = "masimo-ascii1"
serial = "/dev/ttyUSB0"
"#;

/// `GOOD` with more keys for its feed (they begin at line 11).
fn with(more: &str) -> String {
    format!("{GOOD}{more}\n")
}

/// `GOOD` with a transport in place of the serial port (line 10).
fn over(transport: &str) -> String {
    GOOD.replace("serial = \"/dev/ttyUSB0\"", transport)
}

#[test]
fn ten_mistakes_are_ten_problems_each_at_its_line() {
    let folder = Folder::new();
    let text = r#"[bed]
name = ""
[journal]
path = 7
[display]
listen = "0.0.0.0:8300"
colour = "red"
[profile]
file = "profiles/none.toml"
[[feed]]
name = "monitor"
protocol = "hl7-mlpp"
listen = "0.0.0.0:2575"
silence = "75"
timezone = "America/Newyork"
[[feed]]
name = "monitor"
protocol = "masimo-ascii1"
serial = "/dev/ttyUSB0"
baud = -9600
[[feed]]
name = "oximeter"
protocol = "masimo-ascii1"
serial = "/dev/../dev/ttyUSB0"
silence = "nan"
[prefer]
sp02 = ["oximeter"]
"#;
    let found = folder.problems(text);
    let wanted = [
        (2, "bed.name"),
        (4, "journal.path"),
        (6, "display.listen"),
        (7, "display.colour"),
        (9, "profile.file"),
        (12, "feed.protocol"),
        (13, "feed.listen"),
        (17, "feed.name"),
        (20, "feed.baud"),
        (25, "feed.silence"),
        (27, "prefer.sp02"),
    ];
    let wanted: Vec<_> = wanted
        .iter()
        .map(|&(line, key)| (Some(line), key.to_owned()))
        .collect();
    for one in &wanted {
        assert!(found.contains(one), "{one:?} is not among {found:?}");
    }
}

#[test]
fn one_mistake_is_one_problem_at_its_line() {
    let folder = Folder::new();
    let cases = [
        (with("silence = \"75 s\""), 11, "feed.silence"),
        (with("silence = \"-5s\""), 11, "feed.silence"),
        (with("silence = 75"), 11, "feed.silence"),
        (with("silence = nan"), 11, "feed.silence"),
        (with("silence = \"0s\""), 11, "feed.silence"),
        (with("silence = \"25h\""), 11, "feed.silence"),
        (with("timezone = \"Mars/Olympus\""), 11, "feed.timezone"),
        (with("baud = 9601"), 11, "feed.baud"),
        (with("parity = \"mark\""), 11, "feed.parity"),
        (with("stop-bits = 3"), 11, "feed.stop-bits"),
        (with("flow = \"xon\""), 11, "feed.flow"),
        (with("allow = [\"10.0.0.1\"]"), 11, "feed.allow"),
        (with("pace = \"own\""), 11, "feed.pace"),
        (with("gretting = \"hi\""), 11, "feed.gretting"),
        (with("greet = [1]"), 11, "feed.greet"),
        (with("greet = inf"), 11, "feed.greet"),
        (with("connect = \"10.0.0.1:4001\""), 11, "feed.connect"),
        (with("[feed.greet]\ndeep = 1"), 12, "feed.greet.deep"),
        (
            with("[[feed]]\nname = \"oximeter\"\nprotocol = \"ge-dri\"\nserial = \"/dev/ttyS0\""),
            12,
            "feed.name",
        ),
        (
            with("[[feed]]\nname = \"b\"\nprotocol = \"ge-dri\"\nserial = \"/dev/ttyUSB0\""),
            14,
            "feed.serial",
        ),
        (with("capture = \"journal.db\""), 11, "feed.capture"),
        (with("[prefer]\nhr = [\"nobody\"]"), 12, "prefer.hr"),
        (with("[prefer]\ntemp = [\"oximeter\"]"), 12, "prefer.temp"),
        (with("[prefer]\nhr = \"oximeter\""), 12, "prefer.hr"),
        (with("[colour]"), 11, "colour"),
        (over("serial = \"ttyUSB0\""), 10, "feed.serial"),
        (over("listen = \"2575\""), 10, "feed.listen"),
        (over("listen = \"127.0.0.1:0\""), 10, "feed.listen"),
        (over("listen = \"[::]:2575\""), 10, "feed.listen"),
        (over("listen = \"127.0.0.1:8300\""), 10, "feed.listen"),
        (
            over("listen = \"127.0.0.1:2575\"\nallow = [\"monitor\"]"),
            11,
            "feed.allow",
        ),
        (over("udp = \"0.0.0.0:24105\""), 10, "feed.udp"),
        (
            over("udp = \"127.0.0.1:7000\"\npeer = \"monitor\""),
            11,
            "feed.peer",
        ),
        (
            over("udp = \"127.0.0.1:7000\"\npeer = \"[::1]:7000\""),
            10,
            "feed.udp",
        ),
        (
            over("udp = \"127.0.0.1:7000\"").replace("masimo-ascii1", "ge-dri"),
            7,
            "feed.peer",
        ),
        (
            over("serial = \"/dev/ttyUSB0\"\npeer = \"10.0.0.1:7000\""),
            11,
            "feed.peer",
        ),
        (over("connect = \"10.0.0.1\""), 10, "feed.connect"),
        (over("connect = \":4001\""), 10, "feed.connect"),
        (over("file = \"sample.raw\""), 10, "feed.file"),
        (
            over("file = \"sample.raw\"\nbytes-per-second = 0"),
            11,
            "feed.bytes-per-second",
        ),
        (
            over("file = \"sample.raw\"\nbytes-per-second = 960.5"),
            11,
            "feed.bytes-per-second",
        ),
        (
            over("file = \"sample.raw\"\npace = \"fast\""),
            11,
            "feed.pace",
        ),
        (
            over("file = \"sample.raw\"\npace = \"at-once\"\ncapture = \"sample.raw\""),
            10,
            "feed.file",
        ),
        (over(""), 7, "feed"),
        (GOOD.replace("name = \"oximeter\"\n", ""), 7, "feed.name"),
        (
            GOOD.replace("\"oximeter\"", "\"two\\nlines\""),
            8,
            "feed.name",
        ),
        (
            GOOD.replace("protocol = \"masimo-ascii1\"\n", ""),
            7,
            "feed.protocol",
        ),
        (GOOD.replace("masimo-ascii1", "hl7-mllp"), 7, "feed.baud"),
        (GOOD.replace("masimo-ascii1", "raw"), 7, "feed.baud"),
        (
            GOOD.replace("path = \"journal.db\"", "path = \".\""),
            4,
            "journal.path",
        ),
        (GOOD.replace("path = \"journal.db\"", ""), 3, "journal.path"),
        (GOOD.replace("[bed]", "[[bed]]"), 1, "bed"),
        (
            format!("[sound]\nplayer = \"aplay -q\"\n{GOOD}"),
            2,
            "sound.player",
        ),
        (format!("[sound]\nplayer = []\n{GOOD}"), 2, "sound.player"),
        (
            format!("[display]\nattached = \"yes\"\n{GOOD}"),
            2,
            "display.attached",
        ),
        (
            format!("[display]\nlisten = \"192.168.7.1:8300\"\n{GOOD}"),
            2,
            "display.listen",
        ),
    ];
    for (text, line, key) in cases {
        let found = folder.problems(&text);
        assert!(
            found.contains(&(Some(line), key.to_owned())),
            "wanted line {line} {key}, found {found:?} in\n{text}"
        );
    }
}

#[test]
fn a_line_that_is_no_toml_hides_no_other_mistake_and_draws_none_after_it() {
    let folder = Folder::new();
    let text = with("silence = 75s\nbaud = 1");
    let found = folder.problems(&text);
    assert_eq!(
        found.iter().filter(|(line, _)| *line == Some(11)).count(),
        1,
        "{found:?}"
    );
    assert!(
        found.contains(&(Some(12), "feed.baud".to_owned())),
        "{found:?}"
    );
    let twice = GOOD.replace("[journal]", "name = \"Chair 4\"\n[journal]");
    assert_eq!(folder.problems(&twice), [(Some(3), String::new())]);
}

#[test]
fn what_is_missing_altogether_is_said() {
    let folder = Folder::new();
    let found = folder.problems("");
    for key in ["bed.name", "journal.path", "profile.file", "feed"] {
        assert!(found.contains(&(None, key.to_owned())), "{key}: {found:?}");
    }
}

#[test]
fn mistakes_in_the_profile_are_shown_in_its_own_file() {
    let folder = Folder::new();
    fs::write(folder.path().join("profiles/ketamine-adult.toml"), "broken").unwrap();
    let problems = folder.load(&with("baud = 1")).unwrap_err();
    let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3);
    assert!(shown[0].contains("bedside.toml: line 11  feed.baud  must be one of"));
    assert!(shown[1].contains("ketamine-adult.toml: line 3  spo2-low.high  is broken"));
    assert!(shown[2].contains("line 9  rate-low"));
}

#[test]
fn defaults_are_the_documented_ones() {
    let folder = Folder::new();
    let configuration = folder.load(GOOD).unwrap();
    assert_eq!(configuration.display.listen.to_string(), "127.0.0.1:8300");
    assert!(configuration.display.attached);
    assert_eq!(configuration.display.runtime_dir, folder.path());
    assert_eq!(configuration.journal, folder.path().join("journal.db"));
    assert_eq!(configuration.player.unwrap()[0], "aplay");
    let feed = &configuration.feeds[0];
    let Content::Monitored(monitored) = &feed.content else {
        panic!("not monitored")
    };
    assert_eq!(monitored.silence, Duration::from_secs(10));
    let Transport::Serial { line, .. } = &feed.transport else {
        panic!("not serial")
    };
    assert_eq!(
        (line.baud, line.parity, line.stop_bits),
        (9_600, Parity::None, StopBits::One)
    );
}

#[test]
fn what_is_written_is_what_is_held() {
    let folder = Folder::new();
    let configuration = folder
        .load(&format!(
            "{GOOD}{}",
            r#"baud = 19200
parity = "odd"
stop-bits = 2
flow = "rts-cts"
silence = "5s"
greet = 7
[[feed]]
name = "unknown"
protocol = "raw"
udp = "127.0.0.1:24105"
capture = "unknown.raw"
[[feed]]
name = "monitor"
protocol = "hl7-mllp"
listen = "0.0.0.0:2575"
allow = ["192.168.7.20", "::1"]
silence = "3min"
bed-id = "INF^^CHAIR3"
pump-id = "P1"
[[feed]]
name = "capture"
protocol = "ge-dri"
file = "sample.raw"
bytes-per-second = 1300
[prefer]
spo2 = ["monitor", "oximeter"]
[sound]
player = "none"
"#
        ))
        .unwrap();
    assert!(configuration.player.is_none());
    let names: Vec<_> = configuration.feeds.iter().map(|feed| &*feed.name).collect();
    assert_eq!(
        names,
        ["oximeter", "monitor", "capture", "unknown"],
        "recorded feeds come last"
    );
    assert_eq!(
        configuration.prefer[&Parameter::Spo2],
        [FeedId(1), FeedId(0)]
    );
    let setup = configuration.setup();
    assert_eq!(
        setup.feeds.len(),
        3,
        "the engine does not know what is only recorded"
    );
    assert_eq!(&*setup.profile, "fine");
    assert_eq!(setup.feeds[1].silence, Duration::from_secs(180));
    assert_eq!(setup.feeds[1].ours.bed.as_deref(), Some("INF^^CHAIR3"));
    assert_eq!(setup.feeds[1].ours.device.as_deref(), Some("P1"));
    let Content::Monitored(oximeter) = &configuration.feeds[0].content else {
        panic!("not monitored")
    };
    assert_eq!(oximeter.options["greet"], "7");
    assert!(matches!(
        configuration.feeds[2].transport,
        Transport::File { pace: Pace::BytesPerSecond(rate), .. } if rate.get() == 1_300
    ));
}

#[test]
fn a_slow_protocol_must_say_how_long_it_may_be_silent() {
    let folder = Folder::new();
    let slow = over("listen = \"127.0.0.1:2575\"").replace("masimo-ascii1", "hl7-mllp");
    assert_eq!(
        folder.problems(&slow),
        [(Some(7), "feed.silence".to_owned())]
    );
    let configuration = folder.load(&format!("{slow}silence = \"75s\"\n")).unwrap();
    assert_eq!(
        configuration.warnings[0].key, "feed.silence",
        "less than two messages long"
    );
}

#[test]
fn warnings_do_not_stop_the_start() {
    let folder = Folder::new();
    let open = over("listen = \"192.168.7.1:2575\"");
    let file = folder.path().join("bedside.toml");
    fs::write(&file, &open).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let configuration = folder.load(&open).unwrap();
    let keys: Vec<_> = configuration
        .warnings
        .iter()
        .map(|warning| warning.key.as_str())
        .collect();
    assert_eq!(keys, ["", "feed.listen"]);
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let folder = Folder::new();
    let missing = folder.path().join("nowhere.toml");
    let catalogue = Catalogue {
        protocols: &PROTOCOLS,
        read_profile,
        runtime_dir: None,
    };
    let problems = load_with(&missing, &catalogue).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .to_string()
            .contains("nowhere.toml:  cannot be read")
    );
}

#[test]
fn a_file_that_is_no_configuration_is_refused_whatever_it_is() {
    let folder = Folder::new();
    let found = folder.problems(&"# filler\n".repeat(200_000));
    assert_eq!(found, [(None, String::new())], "too large to be one");
    fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(
        check_config(&folder.path().join("bytes.toml"))
            .status
            .code(),
        Some(78)
    );
    assert_eq!(check_config(Path::new("/dev/zero")).status.code(), Some(78));
}

proptest! {
    /// Whatever is written, the check comes back with problems or without, and every line it names is
    /// one of the file.
    #[test]
    fn a_damaged_file_is_checked_to_its_end(cuts in proptest::collection::vec((0..400_usize, 0..30_usize, "\\PC{0,8}|\n|\"|\\[\\[|= "), 1..4)) {
        let folder = Folder::new();
        let mut text: Vec<char> = with("silence = \"75s\"\n[prefer]\nhr = [\"oximeter\"]").chars().collect();
        for (at, length, new) in cuts {
            let from = at.min(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, new.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = folder.load(&text) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.line.is_none_or(|line| line >= 1 && line <= text.lines().count() + 1), "{}", problem);
            }
        }
    }
}

#[test]
fn the_runtime_directory_of_the_service_manager_comes_first() {
    let folder = Folder::new();
    let file = folder.path().join("bedside.toml");
    fs::write(&file, format!("[display]\nruntime-dir = \"run\"\n{GOOD}")).unwrap();
    for (given, wanted) in [
        (
            Some("/run/infusewatch"),
            Path::new("/run/infusewatch").to_path_buf(),
        ),
        (None, folder.path().join("run")),
    ] {
        let catalogue = Catalogue {
            protocols: &PROTOCOLS,
            read_profile,
            runtime_dir: given.map(Into::into),
        };
        let configuration = load_with(&file, &catalogue).unwrap();
        assert_eq!(configuration.display.runtime_dir, wanted);
    }
}

fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    ["bedside.toml", "demo.toml"]
        .into_iter()
        .map(|name| {
            (
                name.to_owned(),
                fs::read_to_string(folder.join(name)).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_shipped_configurations_have_no_problem() {
    let folder = Folder::new();
    for (name, text) in shipped() {
        let configuration = folder
            .load(&text)
            .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert!(configuration.feeds.len() > 1);
    }
}

#[test]
fn the_shipped_configurations_pass_the_real_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let is_whole = ["hl7-mllp", "masimo-ascii1", "ge-dri"]
        .iter()
        .all(|name| infusewatch::protocol::find(name).is_some())
        && folder.join("profiles/ketamine-adult.toml").exists();
    if !is_whole {
        return; // Nothing to check them against.
    }
    for (name, _) in shipped() {
        let output = check_config(&folder.join(&name));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
    }
}

#[test]
fn every_key_of_the_shipped_configuration_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = fs::read_to_string(root.join("docs/config.md")).unwrap();
    for key in [
        "name",
        "path",
        "listen",
        "runtime-dir",
        "attached",
        "player",
        "file",
        "protocol",
        "connect",
        "udp",
        "serial",
        "allow",
        "timezone",
        "silence",
        "bed-id",
        "device-id",
        "pump-id",
        "baud",
        "parity",
        "stop-bits",
        "flow",
        "capture",
        "pace",
        "bytes-per-second",
        "prefer",
    ] {
        assert!(
            documented.contains(&format!("`{key}`")),
            "{key} is not in docs/config.md"
        );
    }
}

fn check_config(file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("check-config")
        .arg(file)
        .env_remove("RUNTIME_DIRECTORY")
        .output()
        .unwrap()
}

#[test]
fn the_command_lists_problems_on_stderr_and_exits_78() {
    let folder = Folder::new();
    let file = folder.path().join("bedside.toml");
    fs::write(&file, "[bed]\nnmae = \"Chair 3\"\n").unwrap();
    let output = check_config(&file);
    assert_eq!(output.status.code(), Some(78));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("bedside.toml: line 2  bed.nmae  unknown; known here: name"),
        "{said}"
    );
    assert!(said.contains("journal.path"), "{said}");
    assert!(said.contains("monitoring cannot start"), "{said}");
}

#[test]
fn the_command_shows_feeds_and_limits_and_exits_0() {
    let folder = Folder::new();
    let profile = infusewatch_profile();
    fs::write(folder.path().join("profiles/ketamine-adult.toml"), profile).unwrap();
    let file = folder.path().join("bedside.toml");
    let text =
        over("udp = \"127.0.0.1:24105\"\ncapture = \"x.raw\"").replace("masimo-ascii1", "raw");
    fs::write(&file, text).unwrap();
    let output = check_config(&file);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("Chair 3") && said.contains("recorded only"),
        "{said}"
    );
    assert!(said.contains("spo2-low"), "{said}");
    assert!(!folder.path().join("x.raw").exists(), "nothing is opened");
}

/// The shipped profile, or as much of one as names a rule.
fn infusewatch_profile() -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles/ketamine-adult.toml");
    fs::read_to_string(shipped).unwrap_or_else(|_| "[spo2-low]\n".to_owned())
}

#[test]
fn every_mistake_in_the_staff_is_listed_and_no_pin_is_repeated() {
    let folder = Folder::new();
    let hash = infusewatch::configuration::PinHash::of("4711", b"sixteen bytes!!!").unwrap();
    let bed = GOOD;
    let person = |name: &str, pin: &str| {
        format!("[[access.staff]]\nname = \"{name}\"\nrole = \"RN\"\npin = \"{pin}\"\n")
    };
    let good = format!(
        "{bed}[access]\nrequire = [\"set-limit\", \"sign\"]\nauto-log-off = \"2min\"\n{}",
        person("Ann", hash.reveal())
    );
    let access = folder.load(&good).unwrap().access;
    assert_eq!(access.required, ["set-limit", "sign"]);
    assert_eq!(access.auto_log_off, Duration::from_secs(120));
    assert!(access.staff[0].pin.matches("4711"));
    assert_eq!(folder.load(bed).unwrap().access.staff.len(), 0);

    let bad = format!(
        "{bed}[access]\nrequire = [\"acknowledge\", \"set-limit\", \"set-limit\"]\nauto-log-off = \"1s\"\nforce = 1\n{}{}",
        person("Ann", "4711"),
        person("Ben", hash.reveal()) + &person("Ben", hash.reveal()),
    );
    assert_eq!(
        folder.problems(&bad),
        [
            (Some(12), "access.require".to_owned()),
            (Some(12), "access.require".to_owned()),
            (Some(13), "access.auto-log-off".to_owned()),
            (Some(14), "access.force".to_owned()),
            (Some(18), "access.staff.pin".to_owned()),
            (Some(23), "access.staff.name".to_owned()),
        ]
    );
    let told = format!("{:?}", folder.load(&bad).unwrap_err());
    assert!(
        !told.contains("4711") && !told.contains("argon2id$v"),
        "{told}"
    );
    let nobody = format!("{bed}[access]\nrequire = [\"sign\"]\n");
    assert_eq!(
        folder.problems(&nobody),
        [(Some(12), "access.require".to_owned())]
    );
}
