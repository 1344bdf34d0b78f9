//! The transports: each opens one kind of link and knows nothing of protocols.

mod file;
mod serial;
mod tcp;
mod udp;

use super::link::Opener;
use crate::clock::Clock;
use crate::configuration::Transport;

/// The opener of a configured transport. `clock` paces captures that are played.
pub(super) fn opener(transport: &Transport, clock: Clock) -> Box<dyn Opener> {
    match transport {
        Transport::Serial { device, line } => Box::new(serial::Serial::new(device, *line)),
        Transport::Listen { address, allow } => Box::new(tcp::Listen::new(*address, allow)),
        Transport::Connect { address } => Box::new(tcp::Connect::new(address)),
        Transport::Udp {
            address,
            peer,
            allow,
        } => Box::new(udp::Udp::new(*address, *peer, allow)),
        Transport::File { path, pace } => Box::new(file::Playback::new(path, *pace, clock)),
    }
}
