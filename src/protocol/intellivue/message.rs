//! The data export envelope: remote operations, their results and errors, and what is asked with them
//! (dossier 6).
//!
//! Every length inside a message must agree before any of it is read. A message that asks for something
//! can only be our own that came back.

use super::super::event::Fault;
use super::wire::{Attributes, Bytes, attribute, block, list};

/// First byte of a data export message.
pub(super) const DATA_EXPORT: u8 = 0xE1;
/// Session and presentation context.
const ENVELOPE: [u8; 4] = [0xE1, 0x00, 0x00, 0x02];

/// The MDS object without an instance: class, context, handle.
pub(super) const MDS_OBJECT: [u8; 6] = [0x00, 0x21, 0, 0, 0, 0];

/// Remote operation types.
mod operation {
    pub(super) const INVOKE: u16 = 1;
    pub(super) const RESULT: u16 = 2;
    pub(super) const ERROR: u16 = 3;
    pub(super) const LINKED_RESULT: u16 = 5;
}

/// Commands.
mod command {
    pub(super) const EVENT_REPORT: u16 = 0;
    pub(super) const CONFIRMED_EVENT_REPORT: u16 = 1;
    pub(super) const CONFIRMED_SET: u16 = 5;
    pub(super) const CONFIRMED_ACTION: u16 = 7;
}

const MDS_CREATE: u16 = 0x0D06;
const SINGLE_POLL: u16 = 0x0C16;
const EXTENDED_POLL: u16 = 0xF13B;
const ACTIVE_PERIOD: u16 = 0xF13E;
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
const OBJECTS: u16 = 1;

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
fn message(kind: u16, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = ENVELOPE.to_vec();
    out.extend(kind.to_be_bytes());
    block(&mut out, write);
    out
}

/// Invoke number, command and body.
fn operation_body(out: &mut Vec<u8>, invoke: u16, command: u16, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend(invoke.to_be_bytes());
    out.extend(command.to_be_bytes());
    block(out, write);
}

/// The answer to an MDS Create event.
pub(super) fn created_answer((invoke, event_time): (u16, u32)) -> Vec<u8> {
    message(operation::RESULT, |out| {
        operation_body(out, invoke, command::CONFIRMED_EVENT_REPORT, |out| {
            out.extend(MDS_OBJECT);
            out.extend(event_time.to_be_bytes());
            out.extend(MDS_CREATE.to_be_bytes());
            out.extend([0, 0]);
        });
    })
}

/// One poll, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What is polled, by its code in the object partition.
    pub(super) class: u16,
    /// The attribute group.
    pub(super) group: u16,
    /// How long results are to keep coming, in 1/8 ms; `None` for one result.
    pub(super) period: Option<u32>,
}

/// The request for a poll; the class is its poll number, so that a renewal takes the place of the old.
pub(super) fn poll(invoke: u16, question: Question) -> Vec<u8> {
    message(operation::INVOKE, |out| {
        operation_body(out, invoke, command::CONFIRMED_ACTION, |out| {
            out.extend(MDS_OBJECT);
            out.extend([0; 4]);
            let action = if question.period.is_some() {
                EXTENDED_POLL
            } else {
                SINGLE_POLL
            };
            out.extend(action.to_be_bytes());
            block(out, |out| {
                for word in [question.class, OBJECTS, question.class, question.group] {
                    out.extend(word.to_be_bytes());
                }
                if let Some(period) = question.period {
                    list(out, &[attribute(ACTIVE_PERIOD, period.to_be_bytes())]);
                }
            });
        });
    })
}

/// The request to export these waves, by their labels. It chooses what this association gets; it
/// changes nothing that is measured, shown or alarmed.
pub(super) fn choose_waves(invoke: u16, labels: &[u32]) -> Vec<u8> {
    message(operation::INVOKE, |out| {
        operation_body(out, invoke, command::CONFIRMED_SET, |out| {
            out.extend(MDS_OBJECT);
            out.extend([0; 4]);
            let mut replace = vec![0, 0];
            replace.extend(attribute(WAVE_PRIORITY, label_list(labels)));
            list(out, &[replace]);
        });
    })
}

fn label_list(labels: &[u32]) -> Vec<u8> {
    let labels: Vec<[u8; 4]> = labels.iter().map(|label| label.to_be_bytes()).collect();
    let mut value = Vec::new();
    list(&mut value, &labels);
    value
}

/// The labels in the list of waves.
pub(super) fn labels(attributes: Attributes<'_>) -> impl Iterator<Item = u32> {
    let list = attributes
        .get(WAVE_PRIORITY)
        .and_then(|mut value| value.list());
    let mut labels = list.map_or(Bytes::default(), |(_, labels)| labels);
    std::iter::from_fn(move || labels.u32())
}

/// What a client asks of the device side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The MDS Create event is answered.
    CreateAnswered,
    /// A poll.
    Poll(u16, Question),
    /// These waves.
    Waves(u16, Vec<u32>),
    /// Something that this device does not do.
    Unknown(u16),
}

impl Asked {
    /// Reads a request.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        bytes.array::<4>().filter(|head| *head == ENVELOPE)?;
        let kind = bytes.u16()?;
        let mut body = bytes.last_block()?;
        let (invoke, command) = (body.u16()?, body.u16()?);
        let mut argument = body.last_block()?;
        match (kind, command) {
            (operation::RESULT, command::CONFIRMED_EVENT_REPORT) => Some(Self::CreateAnswered),
            (operation::INVOKE, command::CONFIRMED_ACTION) => {
                let _object_and_scope = argument.array::<10>()?;
                let action = argument.u16()?;
                let mut argument = argument.last_block()?;
                let _poll_number = argument.u16()?;
                let _partition = argument.u16()?;
                let (class, group) = (argument.u16()?, argument.u16()?);
                let period = match action {
                    SINGLE_POLL => None,
                    EXTENDED_POLL => Some(argument.attributes()?.u32(ACTIVE_PERIOD)?),
                    _ => return Some(Self::Unknown(invoke)),
                };
                let question = Question {
                    class,
                    group,
                    period,
                };
                Some(Self::Poll(invoke, question))
            }
            (operation::INVOKE, command::CONFIRMED_SET) => {
                let _object_and_scope = argument.array::<10>()?;
                let (_, mut changes) = argument.list()?;
                let _replace = changes.u16().filter(|operator| *operator == 0)?;
                let id = changes.u16().filter(|id| *id == WAVE_PRIORITY)?;
                let mut rebuilt = vec![0, 1];
                block(&mut rebuilt, |out| {
                    out.extend(id.to_be_bytes());
                    out.extend(changes.0);
                });
                let chosen = Bytes(&rebuilt).attributes()?;
                Some(Self::Waves(invoke, labels(chosen).collect()))
            }
            (operation::INVOKE, _) => Some(Self::Unknown(invoke)),
            _ => None,
        }
    }
}

/// The MDS Create event with these attributes.
pub(super) fn created(invoke: u16, event_time: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    message(operation::INVOKE, |out| {
        operation_body(out, invoke, command::CONFIRMED_EVENT_REPORT, |out| {
            out.extend(MDS_OBJECT);
            out.extend(event_time.to_be_bytes());
            out.extend(MDS_CREATE.to_be_bytes());
            block(out, |out| {
                out.extend(MDS_OBJECT);
                list(out, attributes);
            });
        });
    })
}

/// The error "no such action".
pub(super) fn refused(invoke: u16) -> Vec<u8> {
    message(operation::ERROR, |out| {
        out.extend(invoke.to_be_bytes());
        out.extend([0, 9, 0, 0]);
    })
}

/// The effective list of waves.
pub(super) fn chosen_waves(invoke: u16, labels: &[u32]) -> Vec<u8> {
    message(operation::RESULT, |out| {
        operation_body(out, invoke, command::CONFIRMED_SET, |out| {
            out.extend(MDS_OBJECT);
            list(out, &[attribute(WAVE_PRIORITY, label_list(labels))]);
        });
    })
}

/// What the device side tells of a poll beside its objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) invoke: u16,
    pub(super) question: Question,
    /// Ignored for a single poll.
    pub(super) sequence: u16,
    pub(super) at: u32,
    pub(super) link: Link,
}

/// A poll result with objects of one context, each written by [`object`].
pub(super) fn polled(told: Told, objects: &[Vec<u8>]) -> Vec<u8> {
    let kind = match told.link {
        Link::End => operation::RESULT,
        Link::Part { .. } => operation::LINKED_RESULT,
    };
    message(kind, |out| {
        if let Link::Part { number, is_last } = told.link {
            let state = match (is_last, number) {
                (true, _) => 3,
                (false, 1) => 1,
                (false, _) => 2,
            };
            out.extend([state, number]);
        }
        operation_body(out, told.invoke, command::CONFIRMED_ACTION, |out| {
            out.extend(MDS_OBJECT);
            let action = if told.question.period.is_some() {
                EXTENDED_POLL
            } else {
                SINGLE_POLL
            };
            out.extend(action.to_be_bytes());
            block(out, |out| {
                out.extend(told.question.class.to_be_bytes());
                if told.question.period.is_some() {
                    out.extend(told.sequence.to_be_bytes());
                }
                out.extend(told.at.to_be_bytes());
                out.extend(super::wire::NO_TIME);
                for word in [OBJECTS, told.question.class, told.question.group] {
                    out.extend(word.to_be_bytes());
                }
                let mut contexts = Vec::new();
                if !objects.is_empty() {
                    let mut context = CONTEXT.to_be_bytes().to_vec();
                    list(&mut context, objects);
                    contexts.push(context);
                }
                list(out, &contexts);
            });
        });
    })
}

/// The context of everything that the device side tells.
const CONTEXT: u16 = 1;

/// An object with these attributes.
pub(super) fn object(handle: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = handle.to_be_bytes().to_vec();
    list(&mut out, attributes);
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::json::{from_hex, hex};
    use super::*;

    #[test]
    fn requests_are_the_byte_strings_of_the_dossier() {
        let numerics = Question {
            class: 6,
            group: 0,
            period: Some(480_000),
        };
        let keep_alive = Question {
            class: Class::Alerts.code(),
            group: group::STATIC,
            period: None,
        };
        // The poll number is ours; the dossier's examples have 2 and 3.
        assert_eq!(
            hex(&poll(3, numerics)),
            "e1000002000100280003000700220021000000000000\
             0000f13b0014000600010006000000010008f13e000400075300"
                .replace(' ', "")
        );
        assert_eq!(
            hex(&poll(4, keep_alive)),
            "e10000020001001c0004000700160021000000000000\
             00000c160008003600010036 0811"
                .replace(' ', "")
        );
        assert_eq!(
            hex(&created_answer((1, 0x0D58_B800))),
            "e1000002000200140001 0001000e0021000000000d58b8000d060000".replace(' ', "")
        );
        for (invoke, question) in [(3, numerics), (4, keep_alive)] {
            assert_eq!(
                Asked::read(&poll(invoke, question)),
                Some(Asked::Poll(invoke, question))
            );
        }
        assert_eq!(
            Asked::read(&choose_waves(9, &[0x0002_0102, 0x0002_4BB4])),
            Some(Asked::Waves(9, vec![0x0002_0102, 0x0002_4BB4]))
        );
        assert_eq!(
            Asked::read(&created_answer((1, 2))),
            Some(Asked::CreateAnswered)
        );
    }

    #[test]
    fn a_request_that_comes_back_is_no_answer() {
        let question = Question {
            class: 6,
            group: 0,
            period: None,
        };
        for ours in [poll(1, question), choose_waves(2, &[1])] {
            assert_eq!(Message::read(&ours), Err(Fault::BadAnswer));
        }
    }

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
