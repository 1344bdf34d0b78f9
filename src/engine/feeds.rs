//! What the engine knows of each feed: its signs of life, its held readings, whose they are; and which
//! feed's reading counts for a parameter.
//!
//! Only a frame that passed its checks is a sign of life (engine.md 3). Readings of another bed or
//! device than ours are never adopted and are no sign of life of ours.

use super::input::{FeedId, FeedSetup, FeedState, Setup};
use super::reading::{CuffIdentity, Held, PerParameter};
use crate::observation::Identity;
use crate::vocabulary::{Moment, Parameter, ParameterId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parameters that we do not know, kept per feed for the screen; more are not shown.
const MOST_UNKNOWN: usize = 32;

/// Sources of the heart rate, in the order in which they are used (engine.md 5); the cuff's comes last
/// and is judged per reading.
pub const RATE_SOURCES: [Parameter; 3] = [Parameter::Hr, Parameter::Pr, Parameter::ArtPr];

/// One feed.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What is configured.
    pub setup: FeedSetup,
    /// The transport.
    pub transport: FeedState,
    /// The last sign of life, or when the feed became known.
    pub alive: Moment,
    /// Whether there was any sign of life.
    pub ever_alive: bool,
    /// From when on the values that it does not give are missing: after a silence it has one cadence to
    /// tell all of them, after a restart without replay its silence time.
    pub owes_from: Moment,
    /// What it said last.
    pub held: PerParameter<Option<Held>>,
    /// The same of a second sensor at another site: it counts where the first has no number, and its
    /// findings always.
    pub beside: PerParameter<Option<Held>>,
    /// Parameters of which it gave a valid number since the opening.
    pub gave: PerParameter<bool>,
    /// Its cuff.
    pub cuff: CuffIdentity,
    /// Parameters that we do not know: shown, never judged.
    pub unknown: BTreeMap<ParameterId, Held>,
    /// Whose readings it gives.
    pub whose: Whose,
    /// Values out of range in a row.
    pub implausible: PerParameter<u8>,
}

/// Whose readings a feed gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Whose {
    /// Bed and device that are ours, once known.
    pub bound: Option<Identity>,
    /// The newest identity told.
    pub newest: Identity,
    /// The newest identity of our bed and device.
    newest_ours: Identity,
    /// The newest identity is another bed or device.
    pub is_other: bool,
    /// The patient changed within the session.
    pub patient_changed: Option<Moment>,
}

impl Whose {
    /// A new identity was told at `now`; `ours` is what the configuration says.
    pub fn told(&mut self, identity: &Identity, ours: &Identity, now: Moment) {
        self.newest = identity.clone();
        let configured = ours.bed.is_some() || ours.device.is_some();
        if !configured && self.bound.is_none() {
            self.bound = Some(identity.clone());
        }
        let place = if configured {
            Some(ours)
        } else {
            self.bound.as_ref()
        };
        let differs = |known: &Option<_>, told: &Option<_>| match (known, told) {
            (Some(known), Some(told)) => known != told,
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        self.is_other = place.is_some_and(|place| {
            differs(&place.bed, &identity.bed) || differs(&place.device, &identity.device)
        });
        if self.is_other {
            return;
        }
        self.newest_ours = identity.clone();
        let bound = self.bound.get_or_insert_with(|| identity.clone());
        if differs(&bound.patient, &identity.patient) {
            self.patient_changed.get_or_insert(now);
        } else if bound.patient.is_none() {
            bound.patient.clone_from(&identity.patient);
        } else if identity.patient.is_some() {
            // The patient of the beginning is back: nothing is left to confirm.
            self.patient_changed = None;
        }
    }

    /// From when on another bed or device counts as having replaced ours, which was `alive` at last.
    pub fn replaced_from(&self, setup: &FeedSetup, alive: Moment) -> Option<Moment> {
        let configured = setup.ours.bed.is_some() || setup.ours.device.is_some();
        (self.is_other && !configured).then(|| alive.after(setup.silence))
    }

    /// A nurse confirmed whose readings these are: the new patient of our bed; or, when ours was
    /// replaced by another bed or device, that one. Another bed that only passes by on a shared
    /// connection is never adopted by this.
    pub fn confirm(&mut self, is_replaced: bool) {
        if is_replaced {
            self.bound = Some(self.newest.clone());
            self.newest_ours = self.newest.clone();
            self.is_other = false;
        } else if self.patient_changed.is_some() {
            self.bound = Some(self.newest_ours.clone());
        }
        self.patient_changed = None;
    }
}

impl Feed {
    /// A feed that became known at `now`.
    pub fn new(setup: FeedSetup, now: Moment) -> Self {
        Self {
            setup,
            transport: FeedState::Ok,
            alive: now,
            ever_alive: false,
            owes_from: Moment::ZERO,
            held: PerParameter::filled(None),
            beside: PerParameter::filled(None),
            gave: PerParameter::filled(false),
            cuff: CuffIdentity::default(),
            unknown: BTreeMap::new(),
            whose: Whose::default(),
            implausible: PerParameter::filled(0),
        }
    }

    /// From when on its silence time is over.
    pub fn silent_from(&self) -> Moment {
        self.alive.after(self.setup.silence)
    }

    /// From when on another bed or device counts as having replaced ours: on a shared connection other
    /// beds come and go beside ours, so only once ours has fallen silent. Where the configuration says
    /// which bed or device is ours, never.
    pub fn replaced_from(&self) -> Option<Moment> {
        self.whose.replaced_from(&self.setup, self.alive)
    }

    /// What it holds of a parameter: of the first sensor, then of one at another site.
    pub fn told(&self, parameter: Parameter) -> impl Iterator<Item = &Held> {
        let both = [self.held.get(parameter), self.beside.get(parameter)];
        both.into_iter().flatten()
    }

    /// The place of a continuous reading: two sensors of one parameter (respiration by impedance and at
    /// the airway) must not take turns, or a violation of one is reset by the other. The sensor that spoke
    /// first keeps its place for as long as it speaks.
    pub fn place_for(
        &mut self,
        parameter: Parameter,
        new: &Held,
        now: Moment,
    ) -> &mut Option<Held> {
        let first = self.held.get(parameter).as_ref();
        if first.is_some_and(|first| first.is_fresh(now) && first.site != new.site) {
            return self.beside.get_mut(parameter);
        }
        let beside = self.beside.get_mut(parameter);
        if beside.is_some_and(|beside| beside.site == new.site) {
            *beside = None;
        }
        self.held.get_mut(parameter)
    }

    /// Keeps a value that nobody judges.
    pub fn keep_unknown(&mut self, parameter: &ParameterId, held: Held) {
        if let Some(known) = self.unknown.get_mut(parameter) {
            *known = held;
        } else if self.unknown.len() < MOST_UNKNOWN {
            self.unknown.insert(parameter.clone(), held);
        }
    }

    /// Whether it could give the parameter: it did, or it says so, or it says nothing about itself.
    pub fn could_give(&self, parameter: Parameter) -> bool {
        self.setup.parameters.is_empty() || self.setup.parameters.contains(&parameter)
    }
}

/// Every feed, and the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Feeds {
    list: Vec<Feed>,
    prefer: BTreeMap<Parameter, Vec<FeedId>>,
}

impl Feeds {
    /// The feeds of a configuration, known from `now` on.
    pub fn new(setup: &Setup, now: Moment) -> Self {
        Self {
            list: setup
                .feeds
                .iter()
                .map(|feed| Feed::new(feed.clone(), now))
                .collect(),
            prefer: setup.prefer.clone(),
        }
    }

    /// One more feed, or another setting of a known one.
    pub fn declare(&mut self, setup: FeedSetup, now: Moment) {
        match self
            .list
            .iter_mut()
            .find(|feed| feed.setup.name == setup.name)
        {
            Some(known) => known.setup = setup,
            None => self.list.push(Feed::new(setup, now)),
        }
    }

    /// Which feed is asked first, per parameter.
    pub const fn preferences(&self) -> &BTreeMap<Parameter, Vec<FeedId>> {
        &self.prefer
    }

    /// Every feed, to be put in another order.
    pub fn take_list(&mut self) -> Vec<Feed> {
        std::mem::take(&mut self.list)
    }

    /// Puts feeds and preferences in the place of what was known.
    pub fn replace(&mut self, list: Vec<Feed>, prefer: BTreeMap<Parameter, Vec<FeedId>>) {
        self.list = list;
        self.prefer = prefer;
    }

    /// A feed by its number.
    pub fn get(&self, id: FeedId) -> Option<&Feed> {
        self.list.get(usize::from(id.0))
    }

    /// A feed by its number.
    pub fn get_mut(&mut self, id: FeedId) -> Option<&mut Feed> {
        self.list.get_mut(usize::from(id.0))
    }

    /// Every feed with its number.
    pub fn iter(&self) -> impl Iterator<Item = (FeedId, &Feed)> {
        (0_u16..).map(FeedId).zip(&self.list)
    }

    /// Every feed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Feed> {
        self.list.iter_mut()
    }

    /// Feeds in the order in which they are asked for a parameter: the preferred ones, then the rest
    /// as configured.
    fn in_order(&self, parameter: Parameter) -> impl Iterator<Item = (FeedId, &Feed)> {
        let preferred = self
            .prefer
            .get(&parameter)
            .map_or(&[] as &[FeedId], Vec::as_slice);
        let first = preferred
            .iter()
            .filter_map(|id| self.get(*id).map(|feed| (*id, feed)));
        let rest = self.iter().filter(move |(id, _)| !preferred.contains(id));
        first.chain(rest)
    }

    /// The reading that counts: of the first feed in order that has a fresh number.
    pub fn usable(&self, parameter: Parameter, now: Moment) -> Option<(FeedId, &Held)> {
        self.in_order(parameter).find_map(|(id, feed)| {
            feed.told(parameter)
                .find(|held| held.usable(now).is_some())
                .map(|held| (id, held))
        })
    }

    /// The second sensor's number beside the one that counts, where a feed has both.
    pub fn usable_beside(&self, parameter: Parameter, now: Moment) -> Option<(FeedId, &Held)> {
        let (id, counts) = self.usable(parameter, now)?;
        let beside = self.get(id)?.beside.get(parameter).as_ref()?;
        let is_other = beside.usable(now).is_some() && beside.site != counts.site;
        is_other.then_some((id, beside))
    }

    /// Without a usable number: the first fresh reading that says why there is none.
    pub fn refused(&self, parameter: Parameter, now: Moment) -> Option<(FeedId, &Held)> {
        self.in_order(parameter).find_map(|(id, feed)| {
            feed.told(parameter)
                .find(|held| held.refused(now).is_some())
                .map(|held| (id, held))
        })
    }

    /// The rate that counts among continuous sources.
    pub fn usable_rate(&self, now: Moment) -> Option<(Parameter, FeedId, &Held)> {
        RATE_SOURCES.into_iter().find_map(|source| {
            self.usable(source, now)
                .map(|(id, held)| (source, id, held))
        })
    }

    /// Whether any feed gave a valid number of this parameter since the opening.
    pub fn ever_gave(&self, parameter: Parameter) -> bool {
        self.list.iter().any(|feed| *feed.gave.get(parameter))
    }

    /// When the next fresh reading of this parameter becomes stale.
    pub fn stale_from(&self, parameter: Parameter, now: Moment) -> Option<Moment> {
        self.list
            .iter()
            .flat_map(|feed| feed.told(parameter))
            .map(|held| held.until)
            .filter(|until| *until > now)
            .min()
    }

    /// Whether every feed that gives this parameter (or could, if none did) is silent.
    pub fn all_givers_silent(&self, parameters: &[Parameter], now: Moment) -> bool {
        let gave = |feed: &Feed| parameters.iter().any(|p| *feed.gave.get(*p));
        let any_gave = self.list.iter().any(gave);
        let mut givers = self
            .list
            .iter()
            .filter(|feed| {
                if any_gave {
                    gave(feed)
                } else {
                    parameters.iter().any(|p| feed.could_give(*p))
                }
            })
            .peekable();
        givers.peek().is_some() && givers.all(|feed| feed.silent_from() <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(bed: &str, patient: &str) -> Identity {
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        Identity {
            bed: text(bed),
            device: None,
            patient: text(patient),
        }
    }

    #[test]
    fn the_first_identity_binds_and_another_bed_is_never_adopted() {
        let mut whose = Whose::default();
        let nobody = Identity::default();
        whose.told(&identity("1", "A"), &nobody, Moment::ZERO);
        assert!(!whose.is_other);
        whose.told(&identity("2", "B"), &nobody, Moment::ZERO);
        assert!(whose.is_other && whose.patient_changed.is_none());
        whose.told(&identity("1", "A"), &nobody, Moment::ZERO);
        assert!(!whose.is_other);
    }

    #[test]
    fn a_configured_bed_is_ours_from_the_first_message_on() {
        let mut whose = Whose::default();
        let ours = identity("2", "");
        whose.told(&identity("1", "A"), &ours, Moment::ZERO);
        assert!(whose.is_other);
        whose.told(&identity("2", "B"), &ours, Moment::ZERO);
        assert!(!whose.is_other && whose.patient_changed.is_none());
    }

    #[test]
    fn another_patient_in_our_bed_must_be_confirmed() {
        let mut whose = Whose::default();
        let nobody = Identity::default();
        whose.told(&identity("1", ""), &nobody, Moment::ZERO);
        whose.told(&identity("1", "A"), &nobody, Moment::ZERO);
        assert_eq!(whose.patient_changed, None, "now we know whom");
        whose.told(&identity("1", "B"), &nobody, Moment::from_secs(9));
        assert_eq!(whose.patient_changed, Some(Moment::from_secs(9)));
        whose.told(&identity("2", "C"), &nobody, Moment::from_secs(9));
        whose.confirm(false);
        assert_eq!(whose.patient_changed, None);
        whose.told(&identity("1", "B"), &nobody, Moment::from_secs(10));
        assert!(!whose.is_other && whose.patient_changed.is_none());
        whose.told(&identity("1", "A"), &nobody, Moment::from_secs(10));
        assert!(whose.patient_changed.is_some());
    }
}
