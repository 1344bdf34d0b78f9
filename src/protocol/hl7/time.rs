//! HL7 times: `YYYYMMDDHHMM[SS[.fraction]][±ZZZZ]`, as devices really send them (hl7.md 2.2).
//!
//! A time without a zone stays without one. What is not told to the minute is no measuring time.

use super::message::first;
use crate::observation::DeviceTime;
use crate::protocol::{Event, Events, Fault};
use jiff::civil::DateTime;

/// The text is no time, or no time of our calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form YYYYMMDDHHMM[SS[.fraction]][+ZZZZ], told at least to the minute")]
pub struct NotATime;

/// Zero of [`DeviceTime::civil_ms`].
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// The widest offset in use, in minutes.
const WIDEST_OFFSET: i64 = 15 * 60;

/// Reads times of one message; the same text is read once.
#[derive(Debug, Default)]
pub struct Times<'a> {
    text: &'a [u8],
    read: Option<DeviceTime>,
}

impl<'a> Times<'a> {
    /// The time of a field; one that cannot be read is a fault.
    pub fn read(
        &mut self,
        field: &'a [u8],
        component: u8,
        events: &mut Events,
    ) -> Option<DeviceTime> {
        if field != self.text {
            self.text = field;
            self.read = match read(first(field, component)) {
                Ok(time) => time,
                Err(NotATime) => {
                    events.push(Event::Fault(Fault::BadTime));
                    None
                }
            };
        }
        self.read
    }
}

/// Reads a time; `None` for an empty text and for zeros only, which mean "never".
pub fn read(text: &[u8]) -> Result<Option<DeviceTime>, NotATime> {
    if text.is_empty() {
        return Ok(None);
    }
    let (digits, rest) = leading_digits(text);
    if !digits.is_empty() && digits.iter().all(|&digit| digit == b'0') {
        return Ok(None);
    }
    // Some senders leave the point before the milliseconds out.
    let (seconds, joined) = digits.split_at_checked(14).unwrap_or((digits, &[]));
    if !matches!(seconds.len(), 12 | 14) || joined.len() > 4 {
        return Err(NotATime);
    }
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', after)) if joined.is_empty() => leading_digits(after),
        _ => (joined, rest),
    };
    let offset_min = match rest.split_first() {
        None => None,
        Some((b'+', digits)) => Some(offset(digits)?),
        Some((b'-', digits)) => Some(-offset(digits)?),
        Some(_) => return Err(NotATime),
    };
    let part = |from: usize, length: usize| {
        number(seconds.get(from..from + length).unwrap_or_default()).unwrap_or(0)
    };
    let small = |from: usize| i8::try_from(part(from, 2)).unwrap_or(i8::MAX);
    let civil = DateTime::new(
        i16::try_from(part(0, 4)).unwrap_or(i16::MAX),
        small(4),
        small(6),
        small(8),
        small(10),
        small(12),
        0,
    )
    .map_err(|_| NotATime)?;
    let whole = civil.duration_since(EPOCH).as_millis();
    Ok(Some(DeviceTime {
        civil_ms: i64::try_from(whole)
            .map_err(|_| NotATime)?
            .saturating_add(millis(fraction)),
        offset_min,
    }))
}

/// `YYYYMMDDHHMMSS.mmm`, without a zone; empty for a time outside our calendar.
pub fn write(civil_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(civil_ms) {
        Ok(stamp) => stamp.strftime("%Y%m%d%H%M%S%.3f").to_string(),
        Err(_) => String::new(),
    }
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(length)
}

/// A short run of digits as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

/// The first three places behind the point.
fn millis(fraction: &[u8]) -> i64 {
    let mut places = fraction.iter().map(|digit| i64::from(digit - b'0'));
    (0..3).fold(0, |sum, _| sum * 10 + places.next().unwrap_or(0))
}

/// `HHMM`, or `HMM` from senders that drop the zero, in minutes.
fn offset(digits: &[u8]) -> Result<i16, NotATime> {
    let (3 | 4, Some(told)) = (digits.len(), number(digits)) else {
        return Err(NotATime);
    };
    let minutes = told / 100 * 60 + told % 100;
    if told % 100 >= 60 || minutes > WIDEST_OFFSET {
        return Err(NotATime);
    }
    i16::try_from(minutes).map_err(|_| NotATime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iso(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(Some(time)) => format!("{} {}", time.iso8601(), time.civil_ms.rem_euclid(1000)),
            Ok(None) => "never".to_owned(),
            Err(NotATime) => "no time".to_owned(),
        }
    }

    #[test]
    fn every_form_that_was_seen_is_read() {
        for (text, expected) in [
            ("20260301101500", "2026-03-01T10:15:00 0"),
            ("202603011015", "2026-03-01T10:15:00 0"),
            ("20260301101500+0000", "2026-03-01T10:15:00Z 0"),
            ("20260301101500-0000", "2026-03-01T10:15:00Z 0"),
            ("20260301101500.25-0430", "2026-03-01T10:15:00.25-04:30 250"),
            ("20260301101500.0000+0800", "2026-03-01T10:15:00+08:00 0"),
            ("20260301101500-500", "2026-03-01T10:15:00-05:00 0"),
            ("20260301101500007+0800", "2026-03-01T10:15:00.007+08:00 7"),
            ("", "never"),
            ("0", "never"),
            ("00000000000000", "never"),
        ] {
            assert_eq!(iso(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_time_to_the_minute_is_refused() {
        for text in [
            "2026",
            "20260301",
            "2026030110",
            "20261301101500",
            "20260230101500",
            "20260301241500",
            "20260301106100",
            "2026030110150",
            "20260301101500+99",
            "20260301101500+0860",
            "20260301101500+2400",
            "20260301101500Z",
            "20260301 101500",
            "now",
            "-",
            "2026030110150012345",
        ] {
            assert_eq!(iso(text), "no time", "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_written_time_is_read_back(civil_ms in -62_000_000_000_000_i64..250_000_000_000_000) {
            prop_assert_eq!(
                read(write(civil_ms).as_bytes()),
                Ok(Some(DeviceTime::civil(civil_ms)))
            );
        }

        #[test]
        fn no_text_makes_it_panic(text: Vec<u8>) {
            let _ = read(&text);
        }
    }
}
