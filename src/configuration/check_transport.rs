//! From what the file says to what the daemon may hold: how a feed's bytes come.

use super::check_feed::{FeedCheck, Named};
use super::claims::Claims;
use super::feed::{Pace, Transport, timing_file};
use super::problem::Findings;
use super::tree::At;
use crate::protocol::{LineSettings, Parity, SpeaksFirst, StopBits};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// The speeds that serial adapters have.
const BAUDS: &[u32] = &[
    1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600,
];

impl FeedCheck<'_> {
    /// How the bytes come: exactly one of the five keys, and what belongs to it.
    pub(super) fn transport(
        &self,
        named: &Named,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<Transport> {
        let raw = self.raw;
        let given: Vec<_> = [
            ("serial", &raw.serial),
            ("listen", &raw.listen),
            ("connect", &raw.connect),
            ("udp", &raw.udp),
            ("file", &raw.file),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
        .collect();
        let (key, value) = match given.as_slice() {
            [] => {
                findings.missing(
                    Some(raw.line),
                    "feed",
                    "says not how its bytes come: give one of serial, listen, connect, udp, file",
                );
                return None;
            }
            [(key, value)] => (*key, *value),
            [(first, _), (second, value), ..] => {
                findings.wrong(
                    value.line,
                    &format!("feed.{second}"),
                    format!("{first} is given already: exactly one of serial, listen, connect, udp, file"),
                );
                return None;
            }
        };
        match key {
            "serial" => self.serial(value, named, claims, findings),
            "listen" => {
                let tls = self.tls_server(findings);
                let (address, allow) = self.bound(key, value, claims, findings)?;
                let tls = tls?;
                Some(Transport::Listen {
                    address,
                    allow,
                    tls,
                })
            }
            "udp" => self.datagrams(value, named, claims, findings),
            "connect" => self.connect(value, claims, findings),
            _ => self.file(value, claims, findings),
        }
    }

    fn serial(
        &self,
        value: &At<String>,
        named: &Named,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<Transport> {
        let device = PathBuf::from(&value.value);
        if device.is_relative() {
            findings.wrong(
                value.line,
                "feed.serial",
                "must be the whole path of a device, as in \"/dev/ttyUSB0\"",
            );
        } else {
            claims.path(&device, value.line, "feed.serial", &self.user, findings);
        }
        let own = match named {
            Named::Protocol(protocol) => protocol.line,
            Named::Raw | Named::Unknown => None,
        };
        let line = self.line_settings(own, matches!(named, Named::Unknown), findings)?;
        Some(Transport::Serial { device, line })
    }

    fn line_settings(
        &self,
        own: Option<LineSettings>,
        protocol_unknown: bool,
        findings: &mut Findings,
    ) -> Option<LineSettings> {
        let raw = self.raw;
        let baud = match (&raw.baud, own) {
            (Some(given), _) if BAUDS.contains(&given.value) => Some(given.value),
            (Some(given), _) => {
                let known: Vec<_> = BAUDS.iter().map(ToString::to_string).collect();
                findings.wrong(
                    given.line,
                    "feed.baud",
                    format!("must be one of {}", known.join(", ")),
                );
                None
            }
            (None, Some(own)) => Some(own.baud),
            (None, None) => {
                if !protocol_unknown {
                    findings.missing(
                        Some(raw.line),
                        "feed.baud",
                        "is missing: this protocol has no serial line settings of its own",
                    );
                }
                None
            }
        };
        let parity = choice(
            raw.parity.as_ref(),
            "feed.parity",
            &[
                ("none", Parity::None),
                ("even", Parity::Even),
                ("odd", Parity::Odd),
            ],
            own.map_or(Parity::None, |own| own.parity),
            findings,
        );
        let stop_bits = match raw
            .stop_bits
            .as_ref()
            .map(|given| (given.line, given.value))
        {
            None => Some(own.map_or(StopBits::One, |own| own.stop_bits)),
            Some((_, 1)) => Some(StopBits::One),
            Some((_, 2)) => Some(StopBits::Two),
            Some((line, _)) => {
                findings.wrong(line, "feed.stop-bits", "must be 1 or 2");
                None
            }
        };
        let rts_cts = choice(
            raw.flow.as_ref(),
            "feed.flow",
            &[("none", false), ("rts-cts", true)],
            own.is_some_and(|own| own.rts_cts),
            findings,
        );
        Some(LineSettings {
            baud: baud?,
            parity: parity?,
            stop_bits: stop_bits?,
            rts_cts: rts_cts?,
        })
    }

    fn datagrams(
        &self,
        value: &At<String>,
        named: &Named,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<Transport> {
        let peer = self.peer(findings);
        let bound = self.bound("udp", value, claims, findings);
        if let (Named::Protocol(protocol), None) = (named, &self.raw.peer)
            && protocol.speaks_first == SpeaksFirst::Host
        {
            findings.missing(
                Some(self.raw.line),
                "feed.peer",
                format!(
                    "is missing: a {} device speaks when it is asked; give its address and port",
                    protocol.name
                ),
            );
        }
        let (address, allow) = bound?;
        if let Some(peer) = peer?
            && peer.is_ipv4() != address.is_ipv4()
        {
            findings.wrong(
                value.line,
                "feed.udp",
                format!("{address} cannot reach {peer}: one is IPv4, the other IPv6"),
            );
        }
        Some(Transport::Udp {
            address,
            peer: peer?,
            allow,
        })
    }

    /// The device that is asked: `None` when what is given is no address.
    fn peer(&self, findings: &mut Findings) -> Option<Option<SocketAddr>> {
        let Some(given) = &self.raw.peer else {
            return Some(None);
        };
        match given.value.parse::<SocketAddr>() {
            Ok(peer) if peer.port() != 0 && !peer.ip().is_unspecified() => Some(Some(peer)),
            Ok(_) | Err(_) => {
                findings.wrong(
                    given.line,
                    "feed.peer",
                    format!(
                        "{:?} is not the address and port of a device, as in \"192.168.7.30:24105\"",
                        given.value
                    ),
                );
                None
            }
        }
    }

    fn bound(
        &self,
        key: &str,
        value: &At<String>,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<(SocketAddr, Vec<IpAddr>)> {
        let full = format!("feed.{key}");
        let allow = self.allow(findings);
        let address = match value.value.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => {
                findings.wrong(
                    value.line,
                    &full,
                    format!(
                        "{:?} is not an address with a port, as in \"192.168.7.1:2575\"",
                        value.value
                    ),
                );
                return None;
            }
        };
        if address.port() == 0 {
            findings.wrong(
                value.line,
                &full,
                "port 0 is no port that a sender could know",
            );
        }
        let open = self
            .raw
            .allow
            .as_ref()
            .is_none_or(|list| list.value.is_empty())
            && self.raw.peer.is_none();
        if address.ip().is_unspecified() && open {
            findings.wrong(
                value.line,
                &full,
                format!("{address} takes data from every network: name the senders in allow, or listen on one address"),
            );
        } else if open && !address.ip().is_loopback() && !self.clients_are_known() {
            findings.warn(
                Some(value.line),
                &full,
                "every machine that reaches this address can send readings: name the senders in allow",
            );
        }
        let kind = if key == "udp" { "udp" } else { "tcp" };
        claims.listen(kind, address, value.line, &full, &self.user, findings);
        Some((address, allow?))
    }

    fn allow(&self, findings: &mut Findings) -> Option<Vec<IpAddr>> {
        let Some(list) = &self.raw.allow else {
            return Some(Vec::new());
        };
        let mut peers = Vec::new();
        let mut clean = true;
        for peer in &list.value {
            match peer.value.parse() {
                Ok(address) => peers.push(address),
                Err(_) => {
                    clean = false;
                    findings.wrong(
                        peer.line,
                        "feed.allow",
                        format!("{:?} is not an IP address", peer.value),
                    );
                }
            }
        }
        clean.then_some(peers)
    }

    fn connect(
        &self,
        value: &At<String>,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<Transport> {
        let tls = self.tls_client(value, findings);
        let port = value
            .value
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty() && !host.contains(char::is_whitespace))
            .and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            findings.wrong(
                value.line,
                "feed.connect",
                format!(
                    "{:?} is not a host with a port, as in \"192.168.7.30:4001\"",
                    value.value
                ),
            );
            return None;
        }
        claims.peer(value, "feed.connect", &self.user, findings);
        Some(Transport::Connect {
            address: value.value.clone(),
            tls: tls?,
        })
    }

    fn file(
        &self,
        value: &At<String>,
        claims: &mut Claims,
        findings: &mut Findings,
    ) -> Option<Transport> {
        let path = self.folder.join(&value.value);
        claims.path(&path, value.line, "feed.file", &self.user, findings);
        let raw = self.raw;
        let own = choice(
            raw.pace.as_ref(),
            "feed.pace",
            &[("own", true), ("at-once", false)],
            true,
            findings,
        )?;
        let pace = match (own, &raw.bytes_per_second) {
            (false, None) => Pace::AtOnce,
            (false, Some(rate)) => {
                findings.wrong(
                    rate.line,
                    "feed.bytes-per-second",
                    "has no meaning with pace = \"at-once\"",
                );
                return None;
            }
            (true, Some(rate)) => match NonZeroU32::new(rate.value) {
                Some(rate) => Pace::BytesPerSecond(rate),
                None => {
                    findings.wrong(rate.line, "feed.bytes-per-second", "must be 1 or more");
                    return None;
                }
            },
            (true, None) if timing_file(&path).exists() => Pace::Recorded,
            (true, None) => {
                findings.wrong(
                    value.line,
                    "feed.file",
                    format!(
                        "there is no timing file {} beside it: give bytes-per-second, or pace = \"at-once\"",
                        timing_file(&path).display()
                    ),
                );
                return None;
            }
        };
        Some(Transport::File { path, pace })
    }
}

fn choice<T: Copy>(
    given: Option<&At<String>>,
    key: &str,
    choices: &[(&str, T)],
    default: T,
    findings: &mut Findings,
) -> Option<T> {
    let Some(given) = given else {
        return Some(default);
    };
    let found = choices.iter().find(|(name, _)| *name == given.value);
    if found.is_none() {
        let known: Vec<_> = choices
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        findings.wrong(given.line, key, format!("must be {}", known.join(" or ")));
    }
    found.map(|(_, value)| *value)
}
