//! What a client asks: built by the session, read by the device side. Nothing here changes what the
//! monitor measures, shows or alarms.

use super::message::{
    ENVELOPE, EXTENDED_POLL, MDS_CREATE, MDS_OBJECT, OBJECTS, SINGLE_POLL, WAVE_PRIORITY, command,
    message, operation, operation_body,
};
use super::wire::{Attributes, Bytes, attribute, block, list};

/// How long results of an extended poll keep coming.
const ACTIVE_PERIOD: u16 = 0xF13E;

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

/// The value of a list of labels.
pub(super) fn label_list(labels: &[u32]) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::super::super::event::Fault;
    use super::super::super::json::hex;
    use super::super::message::{Class, Message, group};
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
}
