//! A feed as the daemon may hold it: what is read, by which protocol, over which transport.

use crate::engine::FeedId;
use crate::observation::Identity;
use crate::protocol::{LineSettings, Options, Protocol};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One feed, checked.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The name, unique.
    pub name: Arc<str>,
    /// What becomes of the bytes.
    pub content: Content,
    /// How they come.
    pub transport: Transport,
    /// The file that every received byte is also written to.
    pub capture: Option<PathBuf>,
}

/// What becomes of a feed's bytes.
#[derive(Clone, Debug)]
pub enum Content {
    /// A protocol reads them for the engine.
    Monitored(Box<Monitored>),
    /// `protocol = "raw"`: an unknown device. The bytes are captured and nothing else; the engine
    /// does not know this feed.
    Recorded,
}

/// A feed that the engine knows.
#[derive(Clone, Debug)]
pub struct Monitored {
    /// Its number for the engine; also its place in the list of feeds.
    pub id: FeedId,
    /// The protocol.
    pub protocol: &'static Protocol,
    /// The protocol's settings, checked by it.
    pub options: Options,
    /// How long it may say nothing.
    pub silence: Duration,
    /// Whose readings are taken on a shared connection.
    pub ours: Ours,
    /// The IANA name of the zone in which the device tells its times, where it tells none itself.
    pub timezone: Option<Arc<str>>,
}

/// Which identities are ours. Nothing configured: everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// `bed-id`
    pub bed: Option<Arc<str>>,
    /// `device-id`
    pub device: Option<Arc<str>>,
    /// `pump-id`
    pub pump: Option<Arc<str>>,
}

impl Ours {
    /// Whether anything is configured, so that identities must be looked at.
    pub const fn is_restricted(&self) -> bool {
        self.bed.is_some() || self.device.is_some() || self.pump.is_some()
    }

    /// Whether readings about `who` are ours. What does not say whom it is about is not,
    /// once something is configured.
    pub fn takes_readings(&self, who: Option<&Identity>) -> bool {
        self.takes(who, self.device.as_ref().or(self.pump.as_ref()))
    }

    /// Whether pump events about `who` are ours.
    pub fn takes_pump(&self, who: Option<&Identity>) -> bool {
        self.takes(who, self.pump.as_ref().or(self.device.as_ref()))
    }

    /// Whether alerts about `who` are ours: those of the monitor and those of the pump.
    pub fn takes_alerts(&self, who: Option<&Identity>) -> bool {
        self.takes_readings(who) || self.takes_pump(who)
    }

    fn takes(&self, who: Option<&Identity>, device: Option<&Arc<str>>) -> bool {
        if !self.is_restricted() {
            return true;
        }
        let matches = |wanted: Option<&Arc<str>>, told: Option<&Arc<str>>| {
            wanted.is_none_or(|wanted| told == Some(wanted))
        };
        who.is_some_and(|who| {
            matches(self.bed.as_ref(), who.bed.as_ref()) && matches(device, who.device.as_ref())
        })
    }

    /// The same for the engine: the identity that readings must carry.
    pub fn as_identity(&self) -> Identity {
        Identity {
            bed: self.bed.clone(),
            device: self.device.clone().or_else(|| self.pump.clone()),
            patient: None,
        }
    }
}

/// How a feed's bytes come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A serial port.
    Serial {
        /// The device file.
        device: PathBuf,
        /// Its settings: the protocol's own unless overridden.
        line: LineSettings,
    },
    /// Senders connect to us over TCP.
    Listen {
        /// Where we listen.
        address: SocketAddr,
        /// Who may connect; empty: everybody who can reach the address.
        allow: Vec<IpAddr>,
    },
    /// We connect to a device or a serial server over TCP.
    Connect {
        /// `host:port`.
        address: String,
    },
    /// Datagrams to one of our ports.
    Udp {
        /// Where we listen.
        address: SocketAddr,
        /// The one device that is asked and whose datagrams are taken; without it replies go to
        /// the sender that was heard last.
        peer: Option<SocketAddr>,
        /// Whose datagrams are taken; empty: everybody's.
        allow: Vec<IpAddr>,
    },
    /// A capture, played once.
    File {
        /// The capture.
        path: PathBuf,
        /// How fast.
        pace: Pace,
    },
}

/// How fast a capture is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it was recorded, by the timing file beside it.
    Recorded,
    /// At a steady rate.
    BytesPerSecond(NonZeroU32),
    /// As fast as it can be read.
    AtOnce,
}

/// The timing file that belongs to a capture: the same name with `.pace` behind it.
pub fn timing_file(capture: &std::path::Path) -> PathBuf {
    let mut name = capture.as_os_str().to_owned();
    name.push(".pace");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(bed: Option<&str>, device: Option<&str>) -> Identity {
        Identity {
            bed: bed.map(Into::into),
            device: device.map(Into::into),
            patient: None,
        }
    }

    #[test]
    fn what_does_not_say_whose_it_is_is_not_ours_once_something_is_configured() {
        let ours = Ours {
            bed: Some("CHAIR3".into()),
            ..Ours::default()
        };
        assert!(ours.takes_readings(Some(&identity(Some("CHAIR3"), None))));
        assert!(ours.takes_readings(Some(&identity(Some("CHAIR3"), Some("any")))));
        assert!(!ours.takes_readings(Some(&identity(Some("CHAIR4"), None))));
        assert!(!ours.takes_readings(Some(&identity(None, Some("any")))));
        assert!(!ours.takes_readings(None));
        assert!(Ours::default().takes_readings(None));
    }

    #[test]
    fn a_pump_beside_a_monitor_has_its_own_identity() {
        let both = Ours {
            device: Some("monitor".into()),
            pump: Some("pump".into()),
            ..Ours::default()
        };
        let (monitor, pump) = (
            identity(None, Some("monitor")),
            identity(None, Some("pump")),
        );
        assert!(both.takes_readings(Some(&monitor)) && !both.takes_readings(Some(&pump)));
        assert!(both.takes_pump(Some(&pump)) && !both.takes_pump(Some(&monitor)));
        assert!(both.takes_alerts(Some(&pump)) && both.takes_alerts(Some(&monitor)));
        assert!(!both.takes_alerts(Some(&identity(None, Some("another")))));
        let one = Ours {
            device: Some("monitor".into()),
            ..Ours::default()
        };
        assert!(!one.takes_pump(Some(&pump)));
    }
}
