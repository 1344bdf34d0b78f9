//! Association control: request, response, refuse, release and abort, and what was agreed (dossier 4).
//!
//! The presentation blocks are constants: a monitor compares them byte by byte. Of its response only the
//! user information is read, at the place that its mark shows.

use super::super::event::Fault;
use super::wire::{Attributes, Bytes, attribute, list};
use std::time::Duration;

/// First bytes of the messages (dossier 3).
pub(super) const REQUEST: u8 = 0x0D;
pub(super) const RESPONSE: u8 = 0x0E;
pub(super) const REFUSE: u8 = 0x0C;
pub(super) const RELEASE: u8 = 0x09;
pub(super) const RELEASED: u8 = 0x0A;
pub(super) const ABORT: u8 = 0x19;

/// Session data of request and response.
const SESSION: [u8; 14] = [
    0x05, 0x08, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x80, 0x00, 0x14, 0x02, 0x00, 0x02,
];
/// Presentation header of the request after its length (dossier 4.1).
const REQUEST_PRESENTATION: [u8; 131] = [
    0x31, 0x80, 0xA0, 0x80, 0x80, 0x01, 0x01, 0x00, 0x00, 0xA2, 0x80, 0xA0, 0x03, 0x00, 0x00, 0x01,
    0xA4, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x06, 0x04, 0x52, 0x01, 0x00, 0x01, 0x30, 0x80, 0x06,
    0x02, 0x51, 0x01, 0x00, 0x00, 0x00, 0x00, 0x30, 0x80, 0x02, 0x01, 0x02, 0x06, 0x0C, 0x2A, 0x86,
    0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x01, 0x01, 0x30, 0x80, 0x06, 0x0C, 0x2A, 0x86,
    0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0, 0x80, 0x60, 0x80, 0xA1, 0x80, 0x06, 0x0C, 0x2A,
    0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x03, 0x01, 0x00, 0x00, 0xBE, 0x80, 0x28,
    0x80, 0x06, 0x0C, 0x2A, 0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02,
    0x01, 0x02, 0x81,
];
/// The marks before the user information of a response.
const MARKS: [&[u8]; 2] = [
    &[0xBE, 0x80, 0x28, 0x80, 0x81],
    &[0xBE, 0x80, 0x28, 0x80, 0x02, 0x01, 0x02, 0x81],
];
/// Zero bytes behind the user information.
const TRAILER: [u8; 16] = [0; 16];

/// A release, as a request (`0x62`) or a response (`0x63`).
const fn release_body(which: u8) -> [u8; 25] {
    [
        0x18, 0xC1, 0x16, 0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0, 0x80, which, 0x80, 0x80,
        0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
}

/// The whole release request.
pub(super) fn release() -> Vec<u8> {
    [&[RELEASE], &release_body(0x62)[..]].concat()
}

/// The whole answer to one.
pub(super) fn released() -> Vec<u8> {
    [&[RELEASED], &release_body(0x63)[..]].concat()
}

/// The whole refusal.
pub(super) fn refuse() -> Vec<u8> {
    vec![REFUSE, 0x03, 0x32, 0x01, 0x00]
}

/// The whole abort.
pub(super) fn abort() -> Vec<u8> {
    vec![
        ABORT, 0x2E, 0x11, 0x01, 0x03, 0xC1, 0x29, 0xA0, 0x80, 0xA0, 0x80, 0x30, 0x80, 0x02, 0x01,
        0x01, 0x06, 0x02, 0x51, 0x01, 0, 0, 0, 0, 0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0,
        0x80, 0x64, 0x80, 0x80, 0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
}

/// Extended poll options, by their bits (dossier 4.2).
pub(super) mod extended {
    /// Numerics in real time.
    pub(in super::super) const REAL_TIME: u32 = 0x8000_0000;
    /// Waves.
    pub(in super::super) const WAVES: u32 = 0x0800_0000;
}

const POLL_PROFILE: u16 = 0x0001;
const POLL_PROFILE_EXTENDED: u16 = 0xF001;

/// What a client asks for, and what a monitor grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// The shortest time between polls, which decides when a silent client is dropped.
    pub(super) min_poll_period: Duration,
    /// Longest message in each direction.
    pub(super) longest_message: u32,
    /// Bits of [`extended`]; without the package, zero.
    pub(super) extended: u32,
}

/// Ticks of 1/8 ms in a second.
pub(super) const TICKS_PER_SECOND: u32 = 8_000;

impl Terms {
    /// Silence of the client after which the monitor drops the association (dossier 4.3).
    pub(super) fn time_out(&self) -> Duration {
        let period = self.min_poll_period;
        if period <= Duration::from_millis(3_300) {
            Duration::from_secs(10)
        } else if period <= Duration::from_secs(43) {
            period * 3
        } else {
            Duration::from_secs(130)
        }
    }

    /// MDSEUserInfoStd of either side.
    fn user_information(&self, system_type: u32, startup: u32) -> Vec<u8> {
        let period = self.min_poll_period.as_millis().saturating_mul(8);
        let mut package = Vec::new();
        for word in [
            0x8000_0000,
            u32::try_from(period).unwrap_or(u32::MAX),
            self.longest_message,
            self.longest_message,
            u32::MAX,
            0x6000_0000,
        ] {
            package.extend(word.to_be_bytes());
        }
        let mut options = self.extended.to_be_bytes().to_vec();
        list::<Vec<u8>>(&mut options, &[]);
        list(&mut package, &[attribute(POLL_PROFILE_EXTENDED, options)]);

        let mut information = Vec::new();
        for word in [0x8000_0000, 0x4000_0000, 0, system_type, startup] {
            information.extend(word.to_be_bytes());
        }
        list::<Vec<u8>>(&mut information, &[]);
        list(&mut information, &[attribute(POLL_PROFILE, package)]);
        information
    }

    fn read(mut information: Bytes<'_>) -> Option<Self> {
        let _versions_units_role_and_start = information.array::<20>()?;
        let _option_list = information.attributes()?;
        let profiles = information.attributes()?;
        let mut profile = profiles.get(POLL_PROFILE)?;
        let _revision = profile.u32()?;
        let period = profile.u32()?;
        let longest_message = profile.u32()?;
        let _transmitted_bandwidth_and_options = profile.array::<12>()?;
        let packages = profile.attributes().unwrap_or(Attributes::default());
        Some(Self {
            min_poll_period: Duration::from_micros(u64::from(period) * 125),
            longest_message,
            extended: packages.u32(POLL_PROFILE_EXTENDED).unwrap_or(0),
        })
    }
}

/// A length indicator of session and presentation headers.
fn indicated(count: usize) -> Vec<u8> {
    match u8::try_from(count) {
        Ok(count @ ..=254) => vec![count],
        Ok(_) | Err(_) => {
            let [high, low] = super::wire::length(count).to_be_bytes();
            vec![0xFF, high, low]
        }
    }
}

/// A length as ASN.1 writes it.
fn asn_length(count: usize) -> Vec<u8> {
    match u8::try_from(count) {
        Ok(count @ ..=127) => vec![count],
        Ok(_) | Err(_) => {
            let [high, low] = super::wire::length(count).to_be_bytes();
            vec![0x82, high, low]
        }
    }
}

fn read_asn_length(bytes: &mut Bytes<'_>) -> Option<usize> {
    match bytes.u8()? {
        short @ 0..=127 => Some(short.into()),
        long @ 0x81..=0x84 => {
            let mut length = 0_usize;
            for _ in 0..long & 0x7F {
                length = length << 8 | usize::from(bytes.u8()?);
            }
            Some(length)
        }
        _ => None,
    }
}

fn associate(kind: u8, presentation: &[u8], information: &[u8]) -> Vec<u8> {
    let mut user = presentation.to_vec();
    user.extend(asn_length(information.len()));
    user.extend(information);
    user.extend(TRAILER);
    let mut body = SESSION.to_vec();
    body.push(0xC1);
    body.extend(indicated(user.len()));
    body.extend(user);
    let mut message = vec![kind];
    message.extend(indicated(body.len()));
    message.extend(body);
    message
}

/// The association request for these terms, from a cold start.
pub(super) fn request(terms: &Terms) -> Vec<u8> {
    let information = terms.user_information(0x8000_0000, 0x2000_0000);
    associate(REQUEST, &REQUEST_PRESENTATION, &information)
}

/// The monitor's response that grants these terms.
pub(super) fn response(terms: &Terms) -> Vec<u8> {
    /// Mode and empty responder selector, then both contexts accepted, in BER.
    const CONTEXTS: [u8; 40] = [
        0x31, 0x80, 0xA0, 0x80, 0x80, 0x01, 0x01, 0x00, 0x00, 0xA2, 0x80, 0xA0, 0x03, 0x00, 0x00,
        0x01, 0xA5, 0x80, 0x30, 0x80, 0x80, 0x01, 0x00, 0x81, 0x02, 0x51, 0x01, 0x00, 0x00, 0x30,
        0x80, 0x80, 0x01, 0x00, 0x81, 0x0C, 0x2A, 0x86, 0x48, 0xCE,
    ];
    /// The rest of the transfer syntax, then the application's acceptance up to its user information.
    const ACCEPTED: [u8; 61] = [
        0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x61, 0x80, 0x30,
        0x80, 0x02, 0x01, 0x01, 0xA0, 0x80, 0x61, 0x80, 0xA1, 0x80, 0x06, 0x0C, 0x2A, 0x86, 0x48,
        0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x03, 0x01, 0x00, 0x00, 0xA2, 0x03, 0x02, 0x01,
        0x00, 0xA3, 0x05, 0xA1, 0x03, 0x02, 0x01, 0x00, 0xBE, 0x80, 0x28, 0x80, 0x02, 0x01, 0x02,
        0x81,
    ];
    let presentation = [&CONTEXTS[..], &ACCEPTED[..]].concat();
    let information = terms.user_information(0x0080_0000, 0x8000_0000);
    associate(RESPONSE, &presentation, &information)
}

/// What a response grants.
pub(super) fn granted(message: &[u8]) -> Result<Terms, Fault> {
    MARKS
        .iter()
        .filter_map(|mark| user_information(message, mark))
        .find_map(Terms::read)
        .ok_or(Fault::BadFrame)
}

/// What a request asks for.
pub(super) fn asked(message: &[u8]) -> Option<Terms> {
    let (_, mark) = REQUEST_PRESENTATION.split_at_checked(117)?;
    user_information(message, mark).and_then(Terms::read)
}

/// The user information behind the first `mark`.
fn user_information<'a>(message: &'a [u8], mark: &[u8]) -> Option<Bytes<'a>> {
    let at = message
        .windows(mark.len())
        .position(|window| window == mark)?;
    let mut rest = Bytes(message.get(at + mark.len()..)?);
    let length = read_asn_length(&mut rest)?;
    rest.take(length)
}

/// Whether a release or an abort has the length that it says.
pub(super) fn is_whole(message: &[u8]) -> bool {
    matches!(message, [_, said, rest @ ..] if usize::from(*said) == rest.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::json::{from_hex, hex};
    use super::*;

    const TERMS: Terms = Terms {
        min_poll_period: Duration::from_secs(1),
        longest_message: 1_364,
        extended: 0x8C00_0000,
    };

    #[test]
    fn the_request_is_the_one_of_the_dossier() {
        let message = request(&TERMS);
        assert_eq!(message.len(), 238);
        let head = "0dec0508130100160102800014020002c1dc3180a080800101";
        let tail = "8148\
             8000000040000000000000008000000020000000\
             00000000\
             0001002c00010028\
             8000000000001f40\
             0000055400000554ffffffff\
             60000000\
             0001000cf00100088c00000000000000\
             00000000000000000000000000000000";
        let text = hex(&message);
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with(tail), "{text}");
        assert_eq!(asked(&message), Some(TERMS));
    }

    #[test]
    fn a_response_reads_back_with_either_mark_and_any_length() {
        let message = response(&TERMS);
        assert_eq!(&message[..2], [0x0E, 206]);
        assert_eq!(&message[16..18], [0xC1, 190], "101 bytes before the length");
        assert_eq!(granted(&message), Ok(TERMS));

        let information = TERMS.user_information(0, 0);
        for length in [
            vec![0x48],
            vec![0x81, 0x48],
            vec![0x82, 0, 0x48],
            vec![0x84, 0, 0, 0, 0x48],
        ] {
            for mark in MARKS {
                let message = [&[0x0E, 0, 9], mark, &length, &information, &[0; 16]].concat();
                assert_eq!(granted(&message), Ok(TERMS), "{length:02X?}");
            }
        }
        for cut in 0..message.len() - 16 {
            assert_eq!(granted(&message[..cut]), Err(Fault::BadFrame), "{cut}");
        }
    }

    #[test]
    fn long_lengths_take_three_bytes() {
        assert_eq!(indicated(254), [254]);
        assert_eq!(indicated(0x128), [0xFF, 0x01, 0x28]);
        assert_eq!(asn_length(128), [0x82, 0, 0x80]);
        let long = [0xFF, 1, 2, 3, 4, 5];
        assert_eq!(read_asn_length(&mut Bytes(&long)), None);
    }

    #[test]
    fn release_refuse_and_abort_are_the_byte_strings_of_the_dossier() {
        let text = "0918c11661803080020101a08062808001000000000000000000";
        assert_eq!(release(), from_hex(text).unwrap());
        assert_eq!(
            hex(&released()),
            text.replace("0918", "0a18").replace("8062", "8063")
        );
        assert_eq!(abort().len(), 48);
        for message in [release(), released(), abort(), refuse()] {
            assert!(is_whole(&message));
            assert!(!is_whole(&message[1..]));
        }
    }

    #[test]
    fn the_time_out_follows_the_poll_period() {
        for (period, time_out) in [
            (0.5, 10.0),
            (3.3, 10.0),
            (4.0, 12.0),
            (40.0, 120.0),
            (43.5, 130.0),
        ] {
            let terms = Terms {
                min_poll_period: Duration::from_secs_f64(period),
                ..TERMS
            };
            assert_eq!(terms.time_out(), Duration::from_secs_f64(time_out));
        }
    }
}
