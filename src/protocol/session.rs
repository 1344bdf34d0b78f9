//! The interface of a protocol session.

use super::event::{Events, Token};
use crate::vocabulary::{Moment, Now};
use std::collections::BTreeMap;

/// Whether bytes come as a stream, cut anywhere, or as whole datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Medium {
    /// Serial, TCP, a capture: any cut.
    #[default]
    Stream,
    /// UDP: one call of [`Session::receive`] is one datagram.
    Datagram,
}

/// Settings of one feed by name, as they stand in the configuration or after `--feed-option`. A table
/// in the configuration is flattened: `[feed.map]` with `"007000" = "spo2 %"` is `map.007000`.
pub type Options = BTreeMap<String, String>;

/// What a session is opened with.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Stream or datagrams.
    pub medium: Medium,
    /// The protocol's own settings; names and values were checked by [`super::Protocol::check`].
    pub options: Options,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub struct OptionProblem {
    /// The setting.
    pub option: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

/// One connection's protocol state machine. It owns no I/O and reads no clock: `now` is an argument
/// and never falls from call to call.
pub trait Session: Send {
    /// The link is open (again). May send a request.
    fn opened(&mut self, now: Now, events: &mut Events);

    /// Bytes arrived: any piece of the stream, or one whole datagram.
    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events);

    /// When [`Session::expire`] wants to be called, if nothing arrives before.
    fn deadline(&self) -> Option<Moment> {
        None
    }

    /// The deadline has come.
    fn expire(&mut self, now: Now, events: &mut Events) {
        let _ = (now, events);
    }

    /// The answer to an [`super::Event::AwaitCommit`]: whether everything before it is in the record.
    /// Every token is answered exactly once, in order.
    fn committed(&mut self, now: Now, token: Token, durable: bool, events: &mut Events) {
        let _ = (now, token, durable, events);
    }

    /// The link is closed or the capture is at its end; a frame cut in the middle is a fault.
    fn closed(&mut self, now: Now, events: &mut Events) {
        let _ = (now, events);
    }
}
