//! Listening to a device without a session: for finding out what it speaks.
//!
//! Promises: nothing is ever sent, and no more is kept than was asked for.

use super::link::{Accepted, Link, Listener, Opened, Received};
use super::transport;
use crate::clock::Clock;
use crate::configuration::Transport;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

/// The bytes that come over `transport` within `span` of its opening, at most `most`. Over a listener, those of
/// the first sender.
pub async fn overhear(transport: &Transport, span: Duration, most: usize) -> io::Result<Vec<u8>> {
    let mut heard = Vec::new();
    let mut opener = transport::opener(transport, Clock::real());
    let opened = opener.open().await?;
    let listening = async {
        let mut link = match opened {
            Opened::Link(link) => link,
            Opened::Listener(mut listener) => match first(&mut *listener).await? {
                Some(link) => link,
                None => return Ok(()),
            },
        };
        let mut buffer = vec![0; 4_096];
        while heard.len() < most {
            let received = poll_fn(|context| link.poll_receive(context, &mut buffer)).await?;
            match received {
                Received::Bytes(length) => {
                    let room = most.saturating_sub(heard.len()).min(length);
                    heard.extend_from_slice(buffer.get(..room).unwrap_or_default());
                }
                Received::Refused(_) => {}
                Received::Closed => break,
            }
        }
        Ok(())
    };
    match tokio::time::timeout(span, listening).await {
        Ok(Err(error)) if heard.is_empty() => Err(error),
        // What came before a line broke, or before the time was over, was heard.
        Ok(_) | Err(_) => Ok(heard),
    }
}

/// The first sender that is let in.
async fn first(listener: &mut dyn Listener) -> io::Result<Option<Box<dyn Link>>> {
    loop {
        match poll_fn(|context| listener.poll_accept(context)).await? {
            Accepted::Link(link) => return Ok(Some(link)),
            Accepted::Refused(_) => {}
            Accepted::NoMore => return Ok(None),
        }
    }
}
