//! The staff's desk: who is logged in, and how slowly a PIN may be guessed.
//!
//! Promises: a log-in lives in memory only, ends by inactivity and with the daemon; a PIN is looked at on
//! a thread of its own, one at a time, so that neither the engine nor another request waits for it; each
//! wrong one makes the next try wait longer, for that name and, after a few, for everybody; every try
//! counts before it is looked at, so that hanging up does not undo it. What silences or acknowledges an
//! alarm never comes here.

use super::token::random_hex;
use crate::clock::Clock;
use crate::configuration::{Access, Staff};
use crate::vocabulary::Moment;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Log-ins at once; the one that rested longest gives way.
const MOST_LOGINS: usize = 32;
/// How long a try waits for its turn before it is told to come later.
const TURN: Duration = Duration::from_secs(2);
/// The longest delay after wrong PINs for one name.
const LONGEST_FOR_A_NAME: Duration = Duration::from_secs(300);
/// The longest delay for everybody: nobody can lock a clinic out for long.
const LONGEST_FOR_ALL: Duration = Duration::from_secs(30);
/// Wrong PINs of all names together that are free.
const FREE_FOR_ALL: u32 = 5;
/// How long one wrong PIN counts against everybody.
const FORGET: Duration = Duration::from_secs(60);

/// Why nobody was logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No such name or not their PIN; the name only if it is one of the staff's.
    Wrong(Option<Arc<str>>),
    /// Not looked at: come again later.
    Later(Duration),
}

/// Somebody logged in.
#[derive(Debug)]
pub(super) struct LoggedIn {
    /// The secret that commands carry.
    pub(super) login: String,
    /// Who.
    pub(super) staff: Staff,
}

/// Wrong tries in a row and what follows from them.
#[derive(Clone, Copy, Debug)]
struct Tries {
    failures: u32,
    /// No try before.
    until: Moment,
    /// When the last one was.
    last: Moment,
}

impl Tries {
    const NONE: Self = Self {
        failures: 0,
        until: Moment::ZERO,
        last: Moment::ZERO,
    };

    fn wait(&self, now: Moment) -> Option<Duration> {
        Some(self.until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// One more: the delay doubles from one second on once `free` are used up.
    fn failed(&mut self, now: Moment, free: u32, longest: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.last = now;
        if let Some(beyond) = self.failures.checked_sub(free + 1) {
            let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
            self.until = now.after(Duration::from_secs(seconds).min(longest));
        }
    }

    /// One is forgotten for each span of rest.
    fn forget(&mut self, now: Moment) {
        let rest = now.since(self.last).as_secs() / FORGET.as_secs();
        if let Ok(rest) = u32::try_from(rest)
            && rest > 0
        {
            self.failures = self.failures.saturating_sub(rest);
            self.last = now;
        }
    }
}

/// The delays: for each name, for names that nobody has, and for all together.
#[derive(Debug)]
struct Slow {
    names: Vec<Tries>,
    unknown: Tries,
    all: Tries,
}

impl Slow {
    fn new(staff: usize) -> Self {
        Self {
            names: vec![Tries::NONE; staff],
            unknown: Tries::NONE,
            all: Tries::NONE,
        }
    }

    fn of(&mut self, place: Option<usize>) -> &mut Tries {
        match place.and_then(|place| self.names.get_mut(place)) {
            Some(tries) => tries,
            None => &mut self.unknown,
        }
    }

    fn wait(&mut self, place: Option<usize>, now: Moment) -> Option<Duration> {
        self.of(place).wait(now).max(self.all.wait(now))
    }

    /// A try counts as wrong until it proves right.
    fn charge(&mut self, place: Option<usize>, now: Moment) {
        self.of(place).failed(now, 0, LONGEST_FOR_A_NAME);
        self.all.forget(now);
        self.all.failed(now, FREE_FOR_ALL, LONGEST_FOR_ALL);
    }

    fn proved_right(&mut self, place: usize, now: Moment) {
        *self.of(Some(place)) = Tries::NONE;
        self.all.failures = self.all.failures.saturating_sub(1);
        if self.all.failures <= FREE_FOR_ALL {
            self.all.until = now;
        }
    }
}

#[derive(Debug)]
struct Login {
    secret: String,
    place: usize,
    used: Moment,
}

#[derive(Debug)]
struct State {
    logins: Vec<Login>,
    slow: Slow,
}

/// Who may log in and who is.
#[derive(Debug)]
pub(super) struct Desk {
    /// The machine's time, also in a demo that runs faster.
    real: Clock,
    access: Access,
    state: Mutex<State>,
    turn: Arc<Semaphore>,
}

impl Desk {
    /// Nobody is logged in yet.
    pub(super) fn new(access: Access) -> Self {
        let slow = Slow::new(access.staff.len());
        Self {
            real: Clock::real(),
            access,
            state: Mutex::new(State {
                logins: Vec::new(),
                slow,
            }),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that delays and log-ins follow.
    pub(super) fn now(&self) -> Moment {
        self.real.now().moment
    }

    /// What the page must know.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "required": self.access.required,
            "staff": self.access.staff.iter().map(|person| json!({
                "name": person.name, "role": person.role,
            })).collect::<Vec<_>>(),
            "auto_log_off_s": self.access.auto_log_off.as_secs(),
        })
    }

    /// Whether a command needs a log-in.
    pub(super) fn requires(&self, command: &str) -> bool {
        self.access.required.contains(&command)
    }

    /// Whether anybody could log in.
    pub(super) fn has_staff(&self) -> bool {
        !self.access.staff.is_empty()
    }

    /// How long a log-in lasts without a command.
    pub(super) const fn auto_log_off(&self) -> Duration {
        self.access.auto_log_off
    }

    /// Whose log-in this is; it counts as used now.
    pub(super) fn who(&self, secret: &str, now: Moment) -> Option<Arc<str>> {
        let mut state = self.state();
        self.end_idle(&mut state, now);
        let login = state
            .logins
            .iter_mut()
            .find(|login| same(&login.secret, secret))?;
        login.used = now;
        let person = self.access.staff.get(login.place)?;
        Some(Arc::clone(&person.name))
    }

    /// Ends a log-in; whose it was.
    pub(super) fn log_out(&self, secret: &str, now: Moment) -> Option<Arc<str>> {
        let name = self.who(secret, now)?;
        self.state()
            .logins
            .retain(|login| !same(&login.secret, secret));
        Some(name)
    }

    fn end_idle(&self, state: &mut State, now: Moment) {
        let longest = self.access.auto_log_off;
        state.logins.retain(|login| now.since(login.used) < longest);
    }

    /// Looks at a PIN.
    ///
    /// # Errors
    /// The outer one: the kernel gives no randomness or the thread that looked at the PIN died.
    pub(super) async fn log_in(
        &self,
        name: &str,
        pin: String,
        now: Moment,
    ) -> io::Result<Result<LoggedIn, Denied>> {
        let place = self
            .access
            .staff
            .iter()
            .position(|person| *person.name == *name);
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Ok(Err(Denied::Later(Duration::from_secs(1))));
        };
        {
            let mut state = self.state();
            if let Some(wait) = state.slow.wait(place, now) {
                return Ok(Err(Denied::Later(wait)));
            }
            state.slow.charge(place, now);
        }
        let Some((place, person)) = place.and_then(|place| {
            self.access
                .staff
                .get(place)
                .map(|person| (place, person.clone()))
        }) else {
            return Ok(Err(Denied::Wrong(None)));
        };
        let hash = person.pin.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let is_right = hash.matches(&pin);
            drop(turn);
            is_right
        });
        if !looked.await.map_err(io::Error::other)? {
            return Ok(Err(Denied::Wrong(Some(person.name))));
        }
        let secret = random_hex::<16>()?;
        let mut state = self.state();
        state.slow.proved_right(place, now);
        self.end_idle(&mut state, now);
        if state.logins.len() >= MOST_LOGINS
            && let Some(oldest) = state
                .logins
                .iter()
                .enumerate()
                .min_by_key(|(_, login)| login.used)
                .map(|(place, _)| place)
        {
            state.logins.swap_remove(oldest);
        }
        state.logins.push(Login {
            secret: secret.clone(),
            place,
            used: now,
        });
        Ok(Ok(LoggedIn {
            login: secret,
            staff: person,
        }))
    }
}

/// Whether two secrets are equal; takes the same time wherever they differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0_u8, |difference, (a, b)| difference | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::PinHash;

    fn desk() -> Desk {
        let person = |name: &str, pin: &str| Staff {
            name: name.into(),
            role: "nurse".into(),
            pin: PinHash::of(pin, b"sixteen bytes!!!").unwrap(),
        };
        Desk::new(Access {
            required: vec!["set-limit"],
            auto_log_off: Duration::from_secs(300),
            staff: vec![person("Ann", "4711"), person("Ben", "2222")],
        })
    }

    #[test]
    fn the_delay_doubles_for_a_name_and_a_right_pin_ends_it() {
        let now = Moment::from_secs(1_000);
        let second = Duration::from_secs;
        let mut slow = Slow::new(2);
        for (failures, wait) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            slow.charge(Some(0), now);
            assert_eq!(slow.wait(Some(0), now), Some(second(wait)), "{failures}");
            assert_eq!(slow.wait(Some(1), now), None, "only that name");
        }
        slow.proved_right(0, now);
        assert_eq!(slow.wait(Some(0), now), None);
    }

    #[test]
    fn many_names_slow_everybody_but_not_for_long() {
        let mut now = Moment::from_secs(1_000);
        let mut slow = Slow::new(2);
        for _ in 0..FREE_FOR_ALL {
            slow.charge(None, now);
        }
        assert_eq!(slow.wait(Some(1), now), None);
        for _ in 0..40 {
            slow.charge(None, now);
        }
        assert_eq!(slow.wait(Some(1), now), Some(LONGEST_FOR_ALL));
        assert_eq!(slow.wait(None, now), Some(LONGEST_FOR_A_NAME));
        now = now.after(FORGET * 60);
        slow.charge(Some(0), now);
        assert_eq!(slow.wait(Some(1), now), None, "forgotten after a rest");
    }

    #[tokio::test]
    async fn a_log_in_ends_when_nobody_uses_it() {
        let (desk, mut now) = (desk(), Moment::from_secs(1_000));
        let in_as = desk.log_in("Ann", "4711".into(), now).await.unwrap();
        let login = in_as.unwrap().login;
        assert_eq!(login.len(), 32);
        for _ in 0..3 {
            now = now.after(Duration::from_secs(299));
            assert_eq!(desk.who(&login, now).as_deref(), Some("Ann"));
        }
        now = now.after(Duration::from_secs(300));
        assert_eq!(desk.who(&login, now), None);
    }

    #[tokio::test]
    async fn wrong_pins_are_slowed_down_and_name_nobody_unknown() {
        let (desk, now) = (desk(), Moment::from_secs(1_000));
        let try_it =
            async |name: &str, pin: &str, now| desk.log_in(name, pin.into(), now).await.unwrap();
        let wrong = try_it("Ann", "0000", now).await.unwrap_err();
        assert_eq!(wrong, Denied::Wrong(Some("Ann".into())));
        let later = try_it("Ann", "4711", now).await.unwrap_err();
        assert_eq!(later, Denied::Later(Duration::from_secs(1)));
        let other = try_it("Ben", "2222", now).await;
        assert!(other.is_ok(), "another name may go on");
        let now = now.after(Duration::from_secs(1));
        let in_as = try_it("Ann", "4711", now).await.unwrap();
        assert_eq!(desk.log_out(&in_as.login, now).as_deref(), Some("Ann"));
        assert_eq!(desk.who(&in_as.login, now), None);
        let nobody = try_it("4711", "4711", now).await.unwrap_err();
        assert_eq!(nobody, Denied::Wrong(None));
    }

    #[tokio::test]
    async fn the_list_of_log_ins_is_bounded() {
        let (desk, mut now) = (desk(), Moment::from_secs(1_000));
        let first = desk.log_in("Ann", "4711".into(), now).await.unwrap();
        for _ in 0..MOST_LOGINS {
            now = now.after(Duration::from_millis(1));
            let next = desk.log_in("Ben", "2222".into(), now).await.unwrap();
            assert!(next.is_ok());
        }
        assert_eq!(desk.state().logins.len(), MOST_LOGINS);
        assert_eq!(desk.who(&first.unwrap().login, now), None);
    }
}
