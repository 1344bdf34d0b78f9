//! Results in their order: parts of one result, results of one poll, and what was lost between them
//! (dossier 6, 11).

use super::association::TICKS_PER_SECOND;
use super::clock::ticks_between;
use super::message::{Link, Poll};

/// A result that is older than the newest by less than this came late; by more, time began anew.
const LATE: u32 = 10 * TICKS_PER_SECOND;

/// The parts that have come of one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    invoke: u16,
    sequence: Option<u16>,
    at: u32,
    /// Number of the last part.
    parts: u8,
    /// A part is missing: the rest is of no use.
    is_torn: bool,
    /// The last part has come, and the result was told.
    is_told: bool,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Something before this is lost: what was gathered must be forgotten.
    pub(super) lost: bool,
    /// What to do with what it holds.
    pub(super) what: What,
}

/// What to do with what a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Add it; more parts come.
    Gather,
    /// Add it and tell the result.
    Tell,
    /// Tell it too: the result was told already, and its end holds more.
    Append,
    /// Nothing: a repeat, a latecomer, or a part of a torn result.
    Drop,
}

/// The results of one poll.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Series {
    open: Option<Open>,
    /// Sequence number and time of the last whole result.
    last: Option<(Option<u16>, u32)>,
}

impl Series {
    /// Where a message belongs.
    pub(super) fn judge(&mut self, poll: &Poll<'_>) -> Verdict {
        let is_same = self.open.is_some_and(|open| {
            (open.invoke, open.sequence, open.at) == (poll.invoke, poll.sequence, poll.at)
        });
        let mut lost = false;
        if !is_same {
            if self.is_late(poll) {
                return Verdict {
                    lost: false,
                    what: What::Drop,
                };
            }
            // A result that never got its end.
            let is_cut = |open: Open| !open.is_torn && !open.is_told;
            lost = self.open.take().is_some_and(is_cut) || self.is_gap(poll);
        }
        let what = match poll.link {
            Link::Part { number, is_last } => {
                let (sequence, at) = (poll.sequence, poll.at);
                let open = self.open.get_or_insert(Open {
                    invoke: poll.invoke,
                    sequence,
                    at,
                    parts: 0,
                    is_torn: false,
                    is_told: false,
                });
                if open.is_torn || number == open.parts {
                    What::Drop
                } else if open.parts.checked_add(1) == Some(number) {
                    open.parts = number;
                    open.is_told = is_last;
                    if is_last {
                        self.last = Some((sequence, at));
                        What::Tell
                    } else {
                        What::Gather
                    }
                } else {
                    open.is_torn = true;
                    lost = true;
                    What::Drop
                }
            }
            Link::End => {
                self.last = Some((poll.sequence, poll.at));
                let is_empty = poll.objects.iter().next().is_none();
                match self.open.take() {
                    None => What::Tell,
                    Some(open) if open.is_torn || open.is_told && is_empty => What::Drop,
                    Some(open) if open.is_told => What::Append,
                    // The last part is missing.
                    Some(_) if is_empty => {
                        lost = true;
                        What::Drop
                    }
                    Some(_) => What::Tell,
                }
            }
        };
        Verdict { lost, what }
    }

    /// Whether it is not newer than the last whole result.
    fn is_late(&self, poll: &Poll<'_>) -> bool {
        let Some((sequence, at)) = self.last else {
            return false;
        };
        let since = ticks_between(at, poll.at);
        // The first result of a renewed poll may have the time of the last of the old one.
        since == 0 && poll.sequence == sequence || since < 0 && since.unsigned_abs() < LATE
    }

    /// Whether results between the last one and this are missing.
    fn is_gap(&self, poll: &Poll<'_>) -> bool {
        let last = self.last.and_then(|(sequence, _)| sequence);
        match (last, poll.sequence) {
            (Some(last), Some(now)) => now != 0 && now != last.wrapping_add(1),
            (Some(_) | None, None) | (None, Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Class, Objects};
    use super::*;

    fn poll(sequence: u16, at: u32, link: Link) -> Poll<'static> {
        Poll {
            link,
            invoke: 7,
            sequence: Some(sequence),
            at,
            class: Some(Class::Numerics),
            objects: Objects::default(),
        }
    }

    const fn part(number: u8, is_last: bool) -> Link {
        Link::Part { number, is_last }
    }

    /// What becomes of these messages: `!` for a loss, then gather, tell or drop.
    fn story(messages: &[(u16, u32, Link)]) -> String {
        let mut series = Series::default();
        messages
            .iter()
            .map(|(sequence, at, link)| {
                let verdict = series.judge(&poll(*sequence, *at, *link));
                let what = match verdict.what {
                    What::Gather => 'g',
                    What::Tell => 't',
                    What::Append => 'a',
                    What::Drop => 'd',
                };
                if verdict.lost {
                    format!("!{what}")
                } else {
                    what.to_string()
                }
            })
            .collect()
    }

    #[test]
    fn results_are_told_when_they_are_whole() {
        let end = Link::End;
        let (one, two, three) = (part(1, false), part(2, false), part(3, true));
        let only = part(1, true);
        for (messages, told) in [
            (vec![(0, 0, end), (1, 8_192, end), (2, 16_384, end)], "ttt"),
            // As the captures have them: 1, 3 with count 2, end; 1, 2, 3, end.
            (vec![(0, 0, one), (0, 0, part(2, true)), (0, 0, end)], "gtd"),
            (
                vec![(5, 0, one), (5, 0, two), (5, 0, three), (5, 0, end)],
                "ggtd",
            ),
            // A part is lost: the first, one in the middle, the last; the end.
            (vec![(0, 0, two), (0, 0, end), (1, 8_192, end)], "!ddt"),
            (vec![(0, 0, one), (0, 0, three), (0, 0, end)], "g!dd"),
            (vec![(0, 0, one), (0, 0, end), (1, 8_192, end)], "g!dt"),
            (vec![(0, 0, one), (1, 8_192, only)], "g!t"),
            (vec![(0, 0, only), (1, 8_192, only), (1, 8_192, end)], "ttd"),
            // A part, and an end, that come twice.
            (
                vec![(0, 0, one), (0, 0, one), (0, 0, part(2, true)), (0, 0, end)],
                "gdtd",
            ),
            (vec![(0, 0, end), (0, 0, end), (0, 0, only)], "tdd"),
            // A gap; a renewal; a latecomer; a clock that begins anew.
            (
                vec![(0, 0, end), (2, 16_384, end), (0, 20_000, end)],
                "t!tt",
            ),
            (vec![(4, 8_192, end), (0, 8_192, end), (5, 0, end)], "ttd"),
            (vec![(4, 900_000, end), (0, 0, end)], "tt"),
            (vec![(u16::MAX, 0, end), (0, 8_192, end)], "tt"),
        ] {
            assert_eq!(story(&messages), told, "{messages:?}");
        }
    }
}
