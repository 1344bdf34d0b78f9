//! The sound path from outside: what a stand-in player receives through the real thread, and what the
//! engine hears when the player dies, hangs or is not there. Positions are counted in samples, so that a
//! slow machine changes nothing.

use crossbeam_channel::Receiver;
use infusewatch::board::{Board, Cue, Published, Status};
use infusewatch::clock::Clock;
use infusewatch::engine::{AudioState, HealthItem, Input, Sounding};
use infusewatch::inbox::{Delivery, Inbox};
use infusewatch::sound::{self, Connections, SAMPLE_RATE, SoundSettings};
use infusewatch::vocabulary::{Moment, Rule};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

const MS: usize = SAMPLE_RATE as usize / 1_000;

/// The sound thread with everything around it.
struct Bench {
    folder: TempDir,
    started: Moment,
    published: Arc<Published>,
    status: Arc<Status>,
    inbox: Inbox,
    deliveries: Receiver<Delivery>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Bench {
    /// Prepares; the shell line may use `$PCM` (a file for the samples) and `$PID` (one for its number).
    fn new(inbox_capacity: usize) -> Self {
        let (inbox, deliveries) = Inbox::new(inbox_capacity);
        Self {
            folder: TempDir::new().unwrap(),
            started: Clock::real().now().moment,
            published: Arc::default(),
            status: Arc::default(),
            inbox,
            deliveries,
            stop: Arc::default(),
            thread: None,
        }
    }

    fn play_with(&mut self, player: Option<Vec<String>>) {
        self.started = Clock::real().now().moment;
        let connections = Connections {
            published: Arc::clone(&self.published),
            status: Arc::clone(&self.status),
            inbox: self.inbox.clone(),
            clock: Clock::sped_up(20),
            stop: Arc::clone(&self.stop),
        };
        let settings = SoundSettings { player };
        self.thread = Some(std::thread::spawn(move || {
            sound::run(&settings, &connections);
        }));
    }

    fn shell(line: &str) -> Self {
        let mut bench = Self::new(16);
        bench.play_with(Some(bench.shell_command(line)));
        bench
    }

    fn shell_command(&self, line: &str) -> Vec<String> {
        let line = line
            .replace("$PCM", self.pcm_path().to_str().unwrap())
            .replace("$PID", self.pid_path().to_str().unwrap());
        vec!["sh".to_owned(), "-c".to_owned(), line]
    }

    fn pcm_path(&self) -> PathBuf {
        self.folder.path().join("pcm")
    }

    fn pid_path(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// Samples received by the player so far.
    fn received(&self) -> usize {
        fs::metadata(self.pcm_path()).map_or(0, |file| file.len() as usize / 2)
    }

    fn samples(&self) -> Vec<i16> {
        let bytes = fs::read(self.pcm_path()).unwrap();
        let (pairs, _) = bytes.as_chunks::<2>();
        pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
    }

    /// Waits until the player has `milliseconds` of sound more than `from` samples.
    fn wait_for(&self, from: usize, milliseconds: usize) {
        until("enough sound", || {
            (self.received() >= from + milliseconds * MS).then_some(())
        });
    }

    fn cue(&self, sounding: Sounding, loudness: u8) -> usize {
        let before = self.received();
        self.published.set_cue(Cue {
            sounding,
            rule: Some(Rule::Spo2Low),
            loudness,
            turn: 0,
        });
        before
    }

    /// The next thing that the engine is told about the sound.
    fn told(&self) -> (bool, Option<String>) {
        match self.deliveries.recv_timeout(Duration::from_secs(30)) {
            Ok(Delivery::Input {
                input: Input::Health { what, ok, detail },
                ..
            }) => {
                assert_eq!(what, HealthItem::Sound);
                (ok, detail.map(|text| text.to_string()))
            }
            Ok(_) => panic!("something else was delivered"),
            Err(error) => panic!("nothing was told: {error}"),
        }
    }

    fn sound_is_ok(&self) -> bool {
        self.status.health(HealthItem::Sound).ok()
    }
}

/// Polls until there is an answer; only a hang makes it fail.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited a minute for {what}");
}

fn pid_in(path: &Path) -> Option<Pid> {
    let text = fs::read_to_string(path).ok()?;
    text.strip_suffix('\n')?.parse().ok().map(Pid::from_raw)
}

/// Start and length of every pulse, in samples: windows of 1 ms with sound, at most 30 ms apart.
fn pulses(samples: &[i16]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (place, window) in samples.chunks(MS).enumerate() {
        if window.iter().all(|&sample| sample.unsigned_abs() < 8) {
            continue;
        }
        let at = place * MS;
        match found.last_mut() {
            Some((start, length)) if at < *start + *length + 30 * MS => {
                *length = at + MS - *start;
            }
            _ => found.push((at, MS)),
        }
    }
    found
}

/// The strength of one frequency in these samples (Goertzel).
fn strength(samples: &[i16], hertz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hertz / f64::from(SAMPLE_RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in samples {
        (last, before) = (f64::from(sample) + turn * last - before, last);
    }
    (last * last + before * before - turn * last * before).sqrt()
}

/// The middle 100 ms of a pulse of 150 ms: neither rise nor fall.
fn plateau(samples: &[i16], start: usize) -> &[i16] {
    &samples[start + 35 * MS..start + 135 * MS]
}

fn milliseconds_after_first(found: &[(usize, usize)]) -> Vec<i64> {
    found
        .iter()
        .map(|(start, _)| (start - found[0].0) as i64 / MS as i64)
        .collect()
}

const RECORDER: &str = "echo $$ > $PID; exec cat >> $PCM";

#[test]
fn silence_is_streamed_in_real_time_even_in_a_fast_demo() {
    let bench = Bench::shell(RECORDER);
    bench.wait_for(0, 1_500);
    let samples = bench.samples();
    let elapsed = Clock::real().now().moment.since(bench.started);
    let ahead = (samples.len() / MS) as i128 - elapsed.as_millis() as i128;
    assert!(ahead <= 50, "{ahead} ms ahead of real time");
    assert!(samples.iter().all(|&sample| sample == 0));
    assert_eq!(bench.told(), (true, None));
}

#[test]
fn alm_06_a_high_alarm_is_heard_with_its_pulses_notes_and_harmonics() {
    let bench = Bench::shell(RECORDER);
    bench.wait_for(0, 100);
    let from = bench.cue(Sounding::High, 0);
    bench.wait_for(from, 4_000);
    let samples = bench.samples();
    let found = pulses(&samples);
    assert!(found[0].0 + MS > from);
    assert!(found[0].0 <= from + 250 * MS, "the cue was heard late");
    let starts = milliseconds_after_first(&found);
    let expected = [0, 250, 500, 1_000, 1_250, 1_900, 2_150, 2_400, 2_900, 3_150];
    for (start, expected) in starts.iter().zip(expected) {
        assert!(start.abs_diff(expected) <= 2, "{starts:?}");
    }
    assert_eq!(starts.len(), 10);
    // Oxygen: C5 B4 A4 G4 F4, twice.
    let notes = [523.0, 494.0, 440.0, 392.0, 349.0].into_iter().cycle();
    for ((start, length), note) in found.iter().zip(notes) {
        assert!((150 * MS..=175 * MS).contains(length));
        let pulse = plateau(&samples, *start);
        let fundamental = strength(pulse, note);
        for other in [0.8, 1.25, 1.5] {
            assert!(fundamental > 10.0 * strength(pulse, note * other));
        }
        let harmonics = (2..=12)
            .map(|order| note * f64::from(order))
            .filter(|hertz| (300.0..=4_000.0).contains(hertz))
            .filter(|&hertz| (20.0 * (strength(pulse, hertz) / fundamental).log10()).abs() <= 15.0)
            .count();
        assert!(harmonics >= 4, "{note} Hz has {harmonics} harmonics");
    }
    // Between the pulses nothing at all.
    for pair in found.windows(2) {
        let gap = &samples[pair[0].0 + pair[0].1..pair[1].0];
        assert!(gap.iter().all(|&sample| sample.unsigned_abs() < 8));
    }
}

#[test]
fn alm_06_an_escalation_is_heard_within_250_ms_and_loudness_rises() {
    let bench = Bench::shell(RECORDER);
    bench.wait_for(0, 100);
    let from = bench.cue(Sounding::Medium, 0);
    // The medium burst is over; the next would come 14 s later.
    bench.wait_for(from, 1_200);
    let escalated = bench.cue(Sounding::High, 0);
    bench.wait_for(escalated, 500);
    let louder = bench.cue(Sounding::High, 1);
    bench.wait_for(louder, 3_200);
    let samples = bench.samples();
    let found = pulses(&samples);
    let high: Vec<_> = found
        .iter()
        .copied()
        .filter(|(start, _)| start + MS > escalated)
        .collect();
    assert!(high[0].0 <= escalated + 250 * MS);
    assert_eq!(milliseconds_after_first(&high)[..4], [0, 250, 500, 1_000]);
    let peak = |(start, _): &(usize, usize)| {
        let pulse = plateau(&samples, *start);
        f64::from(pulse.iter().map(|s| s.unsigned_abs()).max().unwrap())
    };
    // The sixth pulse has the note of the first.
    let rise = 20.0 * (peak(&high[5]) / peak(&high[0])).log10();
    assert!(high[0].0 < louder && high[5].0 > louder + 100 * MS);
    assert!((5.0..7.0).contains(&rise), "{rise} dB");
}

#[test]
fn alm_17_a_short_alarm_is_heard_whole_but_a_pause_is_silent_at_once() {
    let bench = Bench::shell(RECORDER);
    bench.wait_for(0, 100);
    let from = bench.cue(Sounding::Medium, 0);
    bench.wait_for(from, 100);
    let over = bench.cue(Sounding::None, 0);
    bench.wait_for(over, 2_000);
    assert_eq!(pulses(&bench.samples()).len(), 3);

    let from = bench.cue(Sounding::High, 0);
    bench.wait_for(from, 400);
    let mut board = Board::default();
    board.audio.state = AudioState::Paused;
    let paused = bench.cue(Sounding::None, 0);
    bench.published.publish(board);
    bench.wait_for(paused, 2_000);
    let last = pulses(&bench.samples()).pop().unwrap();
    assert!(last.0 + last.1 <= paused + 250 * MS);
}

#[test]
fn a_player_that_dies_is_told_and_replaced() {
    let bench = Bench::shell(RECORDER);
    assert_eq!(bench.told(), (true, None));
    assert!(bench.sound_is_ok());
    let pid = pid_in(&bench.pid_path()).unwrap();
    kill(pid, Signal::SIGTERM).unwrap();
    let (ok, detail) = bench.told();
    assert!(!ok);
    let detail = detail.unwrap();
    assert!(detail.contains("\"sh\" ended (signal: 15"), "{detail}");
    assert_eq!(bench.told(), (true, None));
    assert_ne!(pid_in(&bench.pid_path()), Some(pid));
}

#[test]
fn a_player_that_hangs_is_told_killed_and_replaced() {
    let bench = Bench::shell(RECORDER);
    assert_eq!(bench.told(), (true, None));
    let pid = pid_in(&bench.pid_path()).unwrap();
    kill(pid, Signal::SIGSTOP).unwrap();
    let (ok, detail) = bench.told();
    assert!(!ok);
    assert!(detail.unwrap().contains("takes no sound"));
    assert_eq!(bench.told(), (true, None));
    assert!(bench.sound_is_ok());
    until("the end of the hung player", || kill(pid, None).err());
}

#[test]
fn an_alarm_sounds_from_the_start_in_a_new_player() {
    let bench = Bench::shell(RECORDER);
    assert_eq!(bench.told(), (true, None));
    bench.cue(Sounding::High, 0);
    until("the first pulse", || {
        (pulses(&bench.samples()).len() > 1).then_some(())
    });
    kill(pid_in(&bench.pid_path()).unwrap(), Signal::SIGKILL).unwrap();
    let (ok, _) = bench.told();
    assert!(!ok);
    let from = bench.received();
    bench.wait_for(from, 1_500);
    let again = pulses(&bench.samples()[from..]);
    assert!(again[0].0 <= 250 * MS);
    assert_eq!(
        milliseconds_after_first(&again)[..5],
        [0, 250, 500, 1_000, 1_250]
    );
}

#[test]
fn a_player_that_cannot_open_its_device_is_told_once_with_its_own_words() {
    let bench = Bench::shell("echo x >> $PID; echo 'audio open error: No such file' >&2; exit 1");
    let (ok, detail) = bench.told();
    assert!(!ok);
    let detail = detail.unwrap();
    assert!(detail.contains("exit status: 1"), "{detail}");
    assert!(
        detail.contains("audio open error: No such file"),
        "{detail}"
    );
    // It is started again and again, and the engine is not told again and again.
    until("three starts", || {
        let starts = fs::read_to_string(bench.pid_path()).unwrap_or_default();
        (starts.lines().count() >= 3).then_some(())
    });
    assert!(bench.deliveries.is_empty());
    assert!(!bench.sound_is_ok());
}

#[test]
fn a_player_that_never_reads_is_told() {
    let bench = Bench::shell("exec sleep 600");
    let (ok, detail) = bench.told();
    assert!(!ok);
    assert!(detail.unwrap().contains("takes no sound"));
}

#[test]
fn a_player_that_talks_a_lot_is_listened_to() {
    let bench = Bench::shell("yes underrun >&2 & exec cat >> $PCM");
    assert_eq!(bench.told(), (true, None));
}

#[test]
fn a_program_that_does_not_exist_and_no_player_at_all_are_told() {
    for (player, expected) in [
        (
            Some(vec!["no-such-player".to_owned()]),
            "cannot start the player",
        ),
        (Some(Vec::new()), "no player is configured"),
        (None, "no player is configured"),
    ] {
        let mut bench = Bench::new(16);
        bench.play_with(player);
        let (ok, detail) = bench.told();
        assert!(!ok);
        assert!(detail.unwrap().contains(expected));
        assert!(!bench.sound_is_ok());
    }
}

#[test]
fn a_full_inbox_is_tried_again() {
    let mut bench = Bench::new(1);
    let filler = || Delivery::Input {
        received: Clock::real().now(),
        input: Input::Tick,
    };
    assert!(bench.inbox.offer(filler()).is_ok());
    bench.play_with(None);
    until("the flag", || (!bench.sound_is_ok()).then_some(()));
    assert_eq!(bench.inbox.waiting(), 1);
    assert!(matches!(
        bench.deliveries.recv(),
        Ok(Delivery::Input {
            input: Input::Tick,
            ..
        })
    ));
    assert!(!bench.told().0);
}

#[test]
fn stopping_ends_the_player_and_its_children() {
    let bench = Bench::shell("sleep 600 & echo $! > $PID; cat > /dev/null; sleep 600");
    let child = until("the player", || pid_in(&bench.pid_path()));
    drop(bench);
    // An orphan may stay a zombie where nothing reaps it; what counts is that it does not run.
    until("the end of the player's child", || {
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}
