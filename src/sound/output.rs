//! The sound thread: keeps a player fed for as long as the daemon lives, and says when it cannot.
//!
//! Promises: it never waits for the engine, the player or the inbox; a lost sound is told within a second
//! and told again until the engine has taken it; the player is restarted for ever after a short, constant
//! pause. Sound runs in real time even when the demo's clock runs faster.

use super::mixer::Mixer;
use super::pace::{Appetite, Consumption, Pace};
use super::player::{Failure, Player};
use crate::board::{Published, Status, TestSound};
use crate::clock::Clock;
use crate::engine::{AudioState, HealthItem, Sounding};
use crate::inbox::{HealthTeller, Inbox};
use crate::vocabulary::Moment;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the thread goes round: seldom enough to cost next to nothing for months of silence, often
/// enough to keep a 4 KiB pipe filled.
const ROUND: Duration = Duration::from_millis(30);

/// Samples written at once at most: what the pipe holds.
const CHUNK: usize = 2_048;

/// Rounds between the end of a player and the start of the next: about 0.5 s.
const PAUSE: u32 = 17;

/// Rounds in which a killed player ordinarily dies: about 0.2 s.
const DYING: u32 = 7;

/// The `[sound]` table of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundSettings {
    /// The player's program and arguments; `None` is `player = "none"`.
    pub player: Option<Vec<String>>,
}

/// What the sound thread is connected to.
pub struct Connections {
    /// Where the cue stands.
    pub published: Arc<Published>,
    /// Where the health of the sound is shown.
    pub status: Arc<Status>,
    /// Where the engine hears of it.
    pub inbox: Inbox,
    /// The daemon's clock, for the stamps of what goes to the engine.
    pub clock: Clock,
    /// Set to end the thread.
    pub stop: Arc<AtomicBool>,
}

/// Plays what the published cue asks for until `connections.stop` is set. Runs on a thread of its own.
pub fn run(settings: &SoundSettings, connections: &Connections) {
    let mut thread = SoundThread {
        connections,
        real: Clock::real(),
        health: HealthTeller::new(HealthItem::Sound),
        tested: connections.published.test(),
    };
    match &settings.player {
        Some(command) => thread.keep_playing(command),
        None => {
            thread.lost(&Failure::NoPlayer);
            while thread.round() {}
        }
    }
}

struct SoundThread<'a> {
    connections: &'a Connections,
    real: Clock,
    health: HealthTeller,
    /// The newest test that was played or passed over.
    tested: Option<TestSound>,
}

impl SoundThread<'_> {
    fn keep_playing(&mut self, command: &[String]) {
        while !self.stopped() {
            match Player::start(command) {
                Ok(player) => {
                    if !self.play_and_bury(player) {
                        return;
                    }
                }
                Err(failure) => self.lost(&failure),
            }
            for _ in 0..PAUSE {
                if !self.round() {
                    return;
                }
            }
        }
    }

    /// Plays until the player fails, and waits until its process is gone: a second one could not open the
    /// device anyway. False when the thread was asked to stop.
    fn play_and_bury(&mut self, mut player: Player) -> bool {
        let failure = self.play(&mut player);
        player.kill();
        let mut status = player.gone();
        for _ in 0..DYING {
            if status.is_some() {
                break;
            }
            std::thread::sleep(ROUND);
            status = player.gone();
        }
        let Err(failure) = failure else {
            return false;
        };
        self.lost(&player.explain(failure, status));
        while status.is_none() {
            if !self.round() {
                return false;
            }
            status = player.gone();
        }
        true
    }

    /// Feeds the player; ends with `Ok` when asked to stop.
    fn play(&mut self, player: &mut Player) -> Result<(), Failure> {
        let start = self.moment();
        let mut pace = Pace::starting(start);
        let mut consumption = Consumption::starting(start);
        let mut mixer = Mixer::default();
        let mut chunk = [0_i16; CHUNK];
        while !self.stopped() {
            player.check()?;
            let (taken, waiting) = player.progress()?;
            let now = self.moment();
            match consumption.judge(now, taken, waiting) {
                Appetite::Unproven => {}
                Appetite::Proven => self.works(),
                Appetite::Stalled => return Err(player.stalled()),
            }
            let room = pace.room(now).min(Player::room(waiting));
            let samples = chunk.get_mut(..room.min(CHUNK)).unwrap_or_default();
            self.mix(&mut mixer, samples);
            pace.wrote(samples.len());
            player.offer(samples)?;
            self.tell();
            player.wait(ROUND)?;
        }
        Ok(())
    }

    fn mix(&mut self, mixer: &mut Mixer, samples: &mut [i16]) {
        let cue = self.connections.published.cue();
        if cue.sounding == Sounding::None {
            // A first burst ends by itself, but not against the nurse's press. The pause is shown on the
            // board, which follows the cue within the same step of the engine.
            mixer.fill(cue, &mut []);
            if self.connections.published.board().audio.state == AudioState::Paused {
                mixer.hush();
            }
        }
        let test = self.connections.published.test();
        if test != self.tested {
            self.tested = test;
            // An alarm that came meanwhile goes first, and so does a pause.
            if let Some(test) = test
                && cue.sounding == Sounding::None
                && self.connections.published.board().audio.state == AudioState::On
            {
                mixer.test(test.priority);
            }
        }
        mixer.fill(cue, samples);
    }

    /// One idle round; false when the thread was asked to stop.
    fn round(&mut self) -> bool {
        self.tell();
        std::thread::sleep(ROUND);
        !self.stopped()
    }

    fn lost(&mut self, failure: &Failure) {
        self.connections.status.health(HealthItem::Sound).set(false);
        if self.health.ok() == Some(false) {
            tracing::debug!(error = %failure, "still no sound");
            return;
        }
        tracing::warn!(error = %failure, "sound lost");
        self.health.say(false, Some(failure.to_string().into()));
        self.tell();
    }

    fn works(&mut self) {
        if self.health.ok() == Some(true) {
            return;
        }
        self.connections.status.health(HealthItem::Sound).set(true);
        tracing::info!("the player takes sound");
        self.health.say(true, None);
    }

    /// Tells the engine what it does not know yet; a full inbox is tried again in the next round.
    fn tell(&mut self) {
        let Connections { inbox, clock, .. } = self.connections;
        self.health.tell(inbox, clock.now());
    }

    fn moment(&self) -> Moment {
        self.real.now().moment
    }

    fn stopped(&self) -> bool {
        self.connections.stop.load(Ordering::Acquire)
    }
}
