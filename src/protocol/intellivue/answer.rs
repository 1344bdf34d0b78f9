//! What a monitor answers: built by the device side.

use super::message::{
    EXTENDED_POLL, Link, MDS_CREATE, MDS_OBJECT, OBJECTS, SINGLE_POLL, WAVE_PRIORITY, command,
    message, operation, operation_body,
};
use super::request::{Question, label_list};
use super::wire::{NO_TIME, attribute, block, list};

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
                out.extend(NO_TIME);
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
