//! The data export envelope: remote operations, their results and errors (dossier 6).
//!
//! Every length inside a message must agree before any of it is read. A message that asks for something
//! can only be our own that came back.

use super::super::event::Fault;
use super::wire::{Attributes, Bytes, block};

/// First byte of a data export message.
pub(super) const DATA_EXPORT: u8 = 0xE1;
/// Session and presentation context.
pub(super) const ENVELOPE: [u8; 4] = [0xE1, 0x00, 0x00, 0x02];

/// The MDS object without an instance: class, context, handle.
pub(super) const MDS_OBJECT: [u8; 6] = [0x00, 0x21, 0, 0, 0, 0];

/// Remote operation types.
pub(super) mod operation {
    pub(in super::super) const INVOKE: u16 = 1;
    pub(in super::super) const RESULT: u16 = 2;
    pub(in super::super) const ERROR: u16 = 3;
    pub(in super::super) const LINKED_RESULT: u16 = 5;
}

/// Commands.
pub(super) mod command {
    pub(in super::super) const EVENT_REPORT: u16 = 0;
    pub(in super::super) const CONFIRMED_EVENT_REPORT: u16 = 1;
    pub(in super::super) const CONFIRMED_SET: u16 = 5;
    pub(in super::super) const CONFIRMED_ACTION: u16 = 7;
}

pub(super) const MDS_CREATE: u16 = 0x0D06;
pub(super) const SINGLE_POLL: u16 = 0x0C16;
pub(super) const EXTENDED_POLL: u16 = 0xF13B;
/// The list of waves that are exported.
pub(super) const WAVE_PRIORITY: u16 = 0xF23A;

/// Classes that are polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Numerics.
    Numerics,
    /// Waves.
    Waves,
    /// The alert monitor.
    Alerts,
    /// Patient demographics.
    Patient,
    /// The monitor itself.
    System,
}

impl Class {
    const ALL: [Self; 5] = [
        Self::Numerics,
        Self::Waves,
        Self::Alerts,
        Self::Patient,
        Self::System,
    ];

    /// The code in the object partition.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Numerics => 0x0006,
            Self::Waves => 0x0009,
            Self::Alerts => 0x0036,
            Self::Patient => 0x002A,
            Self::System => 0x0021,
        }
    }

    fn of(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// Attribute groups.
pub(super) mod group {
    pub(in super::super) const ALL: u16 = 0;
    pub(in super::super) const ALERTS: u16 = 0x0801;
    pub(in super::super) const PATIENT: u16 = 0x0807;
    pub(in super::super) const STATIC: u16 = 0x0811;
}

/// The object partition.
pub(super) const OBJECTS: u16 = 1;

/// Where in a series of linked results a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// A part, with its number from one on, and whether it says that it is the last.
    Part { number: u8, is_last: bool },
    /// The result itself: the whole answer, or the end of the parts.
    End,
}

/// The result of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Poll<'a> {
    /// Its place in a series.
    pub(super) link: Link,
    /// Which series: the request's invoke number.
    pub(super) invoke: u16,
    /// Number of the result since the poll was asked for; `None` for a single poll.
    pub(super) sequence: Option<u16>,
    /// The monitor's running time in 1/8 ms.
    pub(super) at: u32,
    /// What was polled; `None` for a class that is not ours.
    pub(super) class: Option<Class>,
    /// The objects, checked.
    pub(super) objects: Objects<'a>,
}

/// What a monitor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// The association works: the monitor tells what it is, and wants an answer if it says so.
    Created {
        /// To be repeated in the answer; `None` when none is wanted.
        answer: Option<(u16, u32)>,
        attributes: Attributes<'a>,
    },
    /// The result of a poll.
    Polled(Poll<'a>),
    /// The list that a SET made effective.
    WaveList(Attributes<'a>),
    /// A request was not done.
    Refused {
        /// Which.
        invoke: u16,
    },
    /// Something else that is well formed.
    Other,
}

/// Objects of a poll result: contexts with their objects and their attributes, checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Objects<'a> {
    contexts: Bytes<'a>,
}

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object<'a> {
    /// Context and handle: its name within the association.
    pub(super) key: (u16, u16),
    /// What is told of it.
    pub(super) attributes: Attributes<'a>,
}

impl<'a> Objects<'a> {
    fn read(bytes: &mut Bytes<'a>) -> Option<Self> {
        let (count, contexts) = bytes.list()?;
        let mut rest = contexts;
        for _ in 0..count {
            let _context = rest.u16()?;
            let (count, mut objects) = rest.list()?;
            for _ in 0..count {
                let _handle = objects.u16()?;
                objects.attributes()?;
            }
            objects.0.is_empty().then_some(())?;
        }
        rest.0.is_empty().then_some(Self { contexts })
    }

    /// The objects in their order.
    pub(super) fn iter(self) -> impl Iterator<Item = Object<'a>> {
        let mut contexts = self.contexts;
        let mut context = 0;
        let mut objects = Bytes::default();
        std::iter::from_fn(move || {
            while objects.0.is_empty() {
                context = contexts.u16()?;
                objects = contexts.list()?.1;
            }
            Some(Object {
                key: (context, objects.u16()?),
                attributes: objects.attributes()?,
            })
        })
    }
}

impl<'a> Message<'a> {
    /// Reads a data export message.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut bytes = Bytes(bytes);
        let envelope = bytes.u16().zip(bytes.u16());
        // The presentation context is not compared: some gateways send zero.
        if envelope.is_none_or(|(session, _)| session != 0xE100) {
            return Err(Fault::BadFrame);
        }
        let kind = bytes.u16().ok_or(Fault::BadLength)?;
        let mut body = bytes.last_block().ok_or(Fault::BadLength)?;
        match kind {
            operation::INVOKE => Self::invoked(&mut body),
            operation::RESULT => Self::result(&mut body, Link::End),
            operation::LINKED_RESULT => {
                let link = body.u8().zip(body.u8()).ok_or(Fault::BadLength)?;
                let link = Link::Part {
                    is_last: link.0 == 3,
                    number: link.1,
                };
                Self::result(&mut body, link)
            }
            operation::ERROR => {
                let invoke = body.u16().ok_or(Fault::BadLength)?;
                let _error = body.u16().ok_or(Fault::BadLength)?;
                body.last_block().ok_or(Fault::BadLength)?;
                Ok(Self::Refused { invoke })
            }
            _ => Err(Fault::Unsupported),
        }
    }

    fn invoked(body: &mut Bytes<'a>) -> Result<Self, Fault> {
        let invoke = body.u16().ok_or(Fault::BadLength)?;
        let command = body.u16().ok_or(Fault::BadLength)?;
        let mut event = body.last_block().ok_or(Fault::BadLength)?;
        let confirmed = match command {
            command::EVENT_REPORT => false,
            command::CONFIRMED_EVENT_REPORT => true,
            // Only a client asks: our own request came back.
            _ => return Err(Fault::BadAnswer),
        };
        let mut created = || {
            let _object = event.array::<6>()?;
            let time = event.u32()?;
            let kind = event.u16()?;
            let mut told = event.last_block()?;
            if kind != MDS_CREATE {
                return Some(Self::Other);
            }
            let _object = told.array::<6>()?;
            let attributes = told.attributes()?;
            let answer = confirmed.then_some((invoke, time));
            Some(Self::Created { answer, attributes })
        };
        created().ok_or(Fault::BadFrame)
    }

    fn result(body: &mut Bytes<'a>, link: Link) -> Result<Self, Fault> {
        let invoke = body.u16().ok_or(Fault::BadLength)?;
        let command = body.u16().ok_or(Fault::BadLength)?;
        let mut answer = body.last_block().ok_or(Fault::BadLength)?;
        match command {
            command::CONFIRMED_ACTION => Self::polled(&mut answer, link, invoke),
            command::CONFIRMED_SET => {
                let _object = answer.array::<6>();
                answer.attributes().map(Self::WaveList)
            }
            _ => Some(Self::Other),
        }
        .ok_or(Fault::BadFrame)
    }

    fn polled(answer: &mut Bytes<'a>, link: Link, invoke: u16) -> Option<Self> {
        let _object = answer.array::<6>()?;
        let action = answer.u16()?;
        let mut told = answer.last_block()?;
        let is_extended = match action {
            SINGLE_POLL => false,
            EXTENDED_POLL => true,
            _ => return Some(Self::Other),
        };
        let _poll_number = told.u16()?;
        let sequence = if is_extended { Some(told.u16()?) } else { None };
        let at = told.u32()?;
        let _never_available = told.array::<8>()?;
        let (partition, code) = (told.u16()?, told.u16()?);
        let _group = told.u16()?;
        let objects = Objects::read(&mut told)?;
        told.0.is_empty().then_some(Self::Polled(Poll {
            link,
            invoke,
            sequence,
            at,
            class: (partition == OBJECTS).then(|| Class::of(code)).flatten(),
            objects,
        }))
    }
}

/// Whether these bytes are a connect indication whose lengths agree.
pub(super) fn is_connect_indication(bytes: &[u8]) -> bool {
    let read = || {
        let mut bytes = Bytes(bytes);
        let _nomenclature = bytes.array::<4>().filter(|head| *head == [0, 0, 1, 0])?;
        let kind = bytes.u16()?;
        let mut body = bytes.last_block()?;
        let (_invoke, command) = (body.u16()?, body.u16()?);
        let mut event = body.last_block()?;
        let _object_and_time = event.array::<10>()?;
        let _kind = event.u16()?;
        event.last_block()?.attributes()?;
        (kind == operation::INVOKE && command == command::EVENT_REPORT).then_some(())
    };
    read().is_some()
}

/// A remote operation around `write`.
pub(super) fn message(kind: u16, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = ENVELOPE.to_vec();
    out.extend(kind.to_be_bytes());
    block(&mut out, write);
    out
}

/// Invoke number, command and body.
pub(super) fn operation_body(
    out: &mut Vec<u8>,
    invoke: u16,
    command: u16,
    write: impl FnOnce(&mut Vec<u8>),
) {
    out.extend(invoke.to_be_bytes());
    out.extend(command.to_be_bytes());
    block(out, write);
}

#[cfg(test)]
mod tests {
    use super::super::super::json::from_hex;
    use super::*;

    #[test]
    fn objects_keep_their_context_and_an_empty_context_is_normal() {
        let text = "e100000200020042 0003 0007 003c 002100000000 0c16 0032 0006 00000001 \
                    ffffffffffffffff 0001 0006 0000 \
                    0003 0018 0000 0000 0000 0001 0002 0008 0007 0000 0000 0008 0000 0000 0002 0000 0000";
        let mut bytes = from_hex(&text.replace(' ', "")).unwrap();
        let fix = |bytes: &mut Vec<u8>| {
            // The lengths are those of the bytes: RO, operation, action.
            let total = bytes.len();
            for (at, behind) in [(6, 8), (12, 14), (22, 24), (46, 48)] {
                let length = u16::try_from(total - behind).unwrap().to_be_bytes();
                bytes[at..at + 2].copy_from_slice(&length);
            }
        };
        // Context 1 holds two objects of 6 bytes.
        bytes[58..60].copy_from_slice(&[0, 12]);
        fix(&mut bytes);
        let Ok(Message::Polled(poll)) = Message::read(&bytes) else {
            panic!("{:?}", Message::read(&bytes));
        };
        let keys: Vec<_> = poll.objects.iter().map(|object| object.key).collect();
        assert_eq!(keys, [(1, 7), (1, 8)]);
        assert_eq!(poll.sequence, None);
        for cut in 1..bytes.len() {
            assert!(Message::read(&bytes[..cut]).is_err());
        }
        bytes.push(0);
        assert_eq!(Message::read(&bytes), Err(Fault::BadLength));
    }
}
