//! Answers: which codes a sender wants, what they say, and in which order they leave (hl7.md 1.4).
//!
//! Promises: a positive answer is only ever written for a message whose rows are in the record;
//! answers leave in the order of their messages; an acknowledgement is never acknowledged.

use super::message::{Header, first};
use super::mllp::{CR, END, START};
use super::settings::AckMode;
use super::time;
use crate::protocol::{Event, Events, Token};
use crate::vocabulary::Now;
use std::collections::VecDeque;

/// Answers that may wait for the record; a sender with more unanswered messages than this gets no
/// answer for the next ones.
const MOST_WAITING: usize = 4_096;
/// Who we are in MSH-3.
const OURSELVES: &[u8] = b"INFUSEWATCH";

/// What is wrong with a message: an error of HL7 table 0357 and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    code: &'static str,
    name: &'static str,
    text: &'static str,
}

/// MSH-10 is empty.
pub const NO_CONTROL_ID: Problem = Problem {
    code: "101",
    name: "Required field missing",
    text: "MSH-10 is empty",
};
/// The rows are not in the record.
pub const NOT_RECORDED: Problem = Problem {
    code: "207",
    name: "Application internal error",
    text: "not recorded",
};
/// MSH-1 and MSH-2 contradict each other.
pub const DELIMITERS: Problem = Problem {
    code: "102",
    name: "Data type error",
    text: "the delimiters in MSH-1 and MSH-2 cannot be used",
};
/// MSH-9 is none of the messages we take.
pub const MESSAGE_TYPE: Problem = Problem {
    code: "200",
    name: "Unsupported message type",
    text: "this listener takes ORU R01, R40 and R42",
};
/// An order for a pump.
pub const ORDER: Problem = Problem {
    code: "200",
    name: "Unsupported message type",
    text: "orders are not taken: this listener only reads",
};
/// MSH-11 is not a processing id.
pub const PROCESSING_ID: Problem = Problem {
    code: "202",
    name: "Unsupported processing id",
    text: "MSH-11 is none of P, T, D",
};
/// MSH-12 is not a version 2.
pub const VERSION: Problem = Problem {
    code: "203",
    name: "Unsupported version id",
    text: "this listener takes HL7 version 2",
};
/// The frame is too long.
pub const TOO_LONG: Problem = Problem {
    code: "102",
    name: "Data type error",
    text: "the frame is longer than this listener takes",
};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In the record: `AA`, `CA`.
    Accepted,
    /// Understood, and nothing in it was to be recorded: `AA`, `CA`.
    Noted,
    /// The content is bad, or could not be recorded: `AE`, `CE`.
    Error(Problem),
    /// Not a message for us: `AR`, `CR`.
    Rejected(Problem),
}

/// When a sender wants an answer of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    Never,
    OnError,
    OnSuccess,
}

impl When {
    /// MSH-15 or MSH-16.
    fn read(condition: &[u8]) -> Self {
        match condition {
            b"" | b"NE" => Self::Never,
            b"ER" => Self::OnError,
            b"SU" => Self::OnSuccess,
            _ => Self::Always,
        }
    }

    fn applies(self, verdict: Verdict) -> bool {
        match (self, verdict) {
            (Self::Always, _)
            | (Self::OnError, Verdict::Error(_) | Verdict::Rejected(_))
            | (Self::OnSuccess, Verdict::Accepted | Verdict::Noted) => true,
            (Self::Never, _)
            | (Self::OnError, Verdict::Accepted | Verdict::Noted)
            | (Self::OnSuccess, Verdict::Error(_) | Verdict::Rejected(_)) => false,
        }
    }
}

/// Which answers a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    commit: When,
    application: When,
}

impl Wanted {
    fn of(mode: AckMode, header: &Header) -> Self {
        let (commit, application) = match mode {
            AckMode::Auto if header.field(15).is_empty() && header.field(16).is_empty() => {
                (When::Never, When::Always)
            }
            AckMode::Auto => (
                When::read(header.field(15)),
                // By the book a separate exchange; in practice on the same connection.
                When::read(header.field(16)),
            ),
            AckMode::Original => (When::Never, When::Always),
            AckMode::Commit => (When::Always, When::Never),
            AckMode::None => (When::Never, When::Never),
        };
        Self {
            commit,
            application,
        }
    }

    fn nothing(self) -> bool {
        self.commit == When::Never && self.application == When::Never
    }
}

/// One message that was not answered yet.
#[derive(Debug)]
struct Waiting {
    /// The record's answer is still open.
    token: Option<Token>,
    /// The header segment, to answer with its own delimiters and numbers.
    header: Box<[u8]>,
    wanted: Wanted,
    verdict: Verdict,
}

/// What came of asking for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It will be given, or the sender wants none.
    Taken,
    /// Too many messages of this sender wait: there will be none.
    TooMany,
}

/// The answers of one connection.
#[derive(Debug, Default)]
pub struct Answers {
    waiting: VecDeque<Waiting>,
    last_token: u64,
    written: u64,
}

impl Answers {
    /// The link is open again: answers of the old one are worth nothing.
    pub fn reset(&mut self) {
        self.waiting.clear();
    }

    /// Answers `header`'s message with `verdict` as soon as those before it are answered; an
    /// acceptance waits for the record.
    pub fn give(
        &mut self,
        now: Now,
        mode: AckMode,
        header: &Header,
        verdict: Verdict,
        events: &mut Events,
    ) -> Asked {
        let wanted = Wanted::of(mode, header);
        if wanted.nothing() {
            return Asked::Taken;
        }
        if self.waiting.len() >= MOST_WAITING {
            return Asked::TooMany;
        }
        let token = match verdict {
            Verdict::Accepted => {
                self.last_token += 1;
                let token = Token(self.last_token);
                events.push(Event::AwaitCommit(token));
                Some(token)
            }
            Verdict::Noted | Verdict::Error(_) | Verdict::Rejected(_) => None,
        };
        self.waiting.push_back(Waiting {
            token,
            header: header.text().into(),
            wanted,
            verdict,
        });
        self.flush(now, events);
        Asked::Taken
    }

    /// The record has answered.
    pub fn committed(&mut self, now: Now, token: Token, durable: bool, events: &mut Events) {
        if let Some(waiting) = self
            .waiting
            .iter_mut()
            .find(|waiting| waiting.token == Some(token))
        {
            waiting.token = None;
            if !durable {
                waiting.verdict = Verdict::Error(NOT_RECORDED);
            }
        }
        self.flush(now, events);
    }

    /// Sends what no longer waits, in order.
    fn flush(&mut self, now: Now, events: &mut Events) {
        while let Some(answer) = self.waiting.pop_front_if(|waiting| waiting.token.is_none()) {
            let Ok((header, _)) = Header::answerable(&answer.header) else {
                continue;
            };
            let kinds = [
                (answer.wanted.commit, Kind::Commit),
                (answer.wanted.application, Kind::Application),
            ];
            for (when, kind) in kinds {
                if when.applies(answer.verdict) {
                    self.written += 1;
                    let id = control_id(now, self.written);
                    events.push(Event::Send(write(now, &id, &header, kind, answer.verdict)));
                }
            }
        }
    }
}

/// Which set of codes an answer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Commit,
    Application,
}

/// MSA-1.
const fn code(kind: Kind, verdict: Verdict) -> &'static [u8] {
    match (kind, verdict) {
        (Kind::Commit, Verdict::Accepted | Verdict::Noted) => b"CA",
        (Kind::Commit, Verdict::Error(_)) => b"CE",
        (Kind::Commit, Verdict::Rejected(_)) => b"CR",
        (Kind::Application, Verdict::Accepted | Verdict::Noted) => b"AA",
        (Kind::Application, Verdict::Error(_)) => b"AE",
        (Kind::Application, Verdict::Rejected(_)) => b"AR",
    }
}

/// Our own MSH-10: at most 20 characters, as the older versions allow.
fn control_id(now: Now, written: u64) -> String {
    format!("{}-{}", now.wall.as_millis(), written % 1_000_000)
}

/// One answer in its frame, in the sender's own delimiters and version.
fn write(now: Now, control_id: &str, to: &Header, kind: Kind, verdict: Verdict) -> Vec<u8> {
    let separator = to.delimiters.field;
    let component = to.delimiters.component;
    let trigger = to
        .field(9)
        .split(|&byte| byte == component)
        .nth(1)
        .unwrap_or_default();
    let mut kind_of_message = b"ACK".to_vec();
    if !trigger.is_empty() {
        kind_of_message.push(component);
        kind_of_message.extend_from_slice(trigger);
        kind_of_message.push(component);
        kind_of_message.extend_from_slice(b"ACK");
    }
    let stamp = format!("{}+0000", time::write(now.wall.as_millis()));
    let mut out = vec![START];
    let mut segment = |fields: &[&[u8]]| {
        for (n, field) in fields.iter().enumerate() {
            if n > 0 {
                out.push(separator);
            }
            out.extend_from_slice(field);
        }
        out.push(CR);
    };
    segment(&[
        b"MSH",
        to.encoding(),
        OURSELVES,
        b"",
        to.field(3),
        to.field(4),
        stamp.as_bytes(),
        b"",
        &kind_of_message,
        control_id.as_bytes(),
        to.field(11),
        to.field(12),
    ]);
    let code = code(kind, verdict);
    let about = to.raw(10);
    match verdict {
        Verdict::Accepted | Verdict::Noted => segment(&[b"MSA", code, about]),
        Verdict::Error(problem) | Verdict::Rejected(problem) => {
            segment(&[b"MSA", code, about, problem.text.as_bytes()]);
            let mut what = problem.code.as_bytes().to_vec();
            for part in [problem.name, "HL70357"] {
                what.push(component);
                what.extend_from_slice(part.as_bytes());
            }
            segment(&[
                b"ERR",
                b"",
                b"",
                &what,
                b"E",
                b"",
                b"",
                b"",
                problem.text.as_bytes(),
            ]);
        }
    }
    out.push(END);
    out.push(CR);
    out
}

/// What an acknowledgement that we received says: MSA-1 and MSA-2.
pub fn read(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, mut segments) = Header::read(message).ok()?;
    let mut segment = super::message::Segment::new();
    while segments.next(&mut segment) {
        if segment.name() == b"MSA" {
            return Some((
                first(segment.field(1), header.delimiters.component),
                segment.field(2),
            ));
        }
    }
    None
}
