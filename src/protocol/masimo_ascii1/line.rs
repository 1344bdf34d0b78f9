//! One line of ASCII 1: what it says, or why it is no line. Knows no exceptions' meaning and no time
//! but its own.

use super::super::event::Fault;
use crate::observation::DeviceTime;
use crate::vocabulary::Decimal;

/// Shorter than this no line with the keys that every line has can be.
pub(super) const SHORTEST: usize = "MM/DD/YY HH:MM:SS SPO2=000 BPM=000 ALARM=00 EXC=000".len();
/// Longer than this no line is; the longest seen has 180 characters.
pub(super) const LONGEST: usize = 512;

/// A line that passed its checks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The time that it carries.
    pub(super) at: DeviceTime,
    /// The device's serial number, when told.
    pub(super) serial: Option<&'a str>,
    /// Saturation in per cent; `None` for dashes.
    pub(super) spo2: Option<Decimal>,
    /// Pulse rate; `None` for dashes.
    pub(super) bpm: Option<Decimal>,
    /// Perfusion index, where the model prints one; inside, `None` for dashes.
    pub(super) pi: Option<Option<Decimal>>,
    /// Numbers under keys that are not in our catalogue.
    pub(super) others: Vec<(&'a str, Decimal)>,
    /// The alarm bits.
    pub(super) alarm: u32,
    /// The exception bits.
    pub(super) exceptions: u32,
}

impl<'a> Line<'a> {
    /// Reads a line without its end. A wrong shape is [`Fault::BadMessage`], an impossible date
    /// [`Fault::BadTime`].
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::BadMessage)?;
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Fault::BadMessage);
        }
        let mut words = text.split_ascii_whitespace();
        let date = words.next().ok_or(Fault::BadMessage)?;
        let time = words.next().ok_or(Fault::BadMessage)?;
        let at = clock(date, time)?;

        let mut tokens: Vec<(&str, &str)> = Vec::new();
        for word in words {
            // A bare word (another date) or two of a key mean two lines in one: an end was lost.
            let (key, value) = word.split_once('=').ok_or(Fault::BadMessage)?;
            if tokens.iter().any(|(known, _)| *known == key) {
                return Err(Fault::BadMessage);
            }
            tokens.push((key, value));
        }
        let value = |wanted: &str| {
            tokens
                .iter()
                .find(|(key, _)| *key == wanted)
                .map(|(_, value)| *value)
        };
        let required = |wanted: &str| value(wanted).ok_or(Fault::BadMessage);

        Ok(Self {
            at,
            serial: value("SN").filter(|serial| is_digits(serial)),
            spo2: at_most(number(required("SPO2")?, [3, 0])?, 100)?,
            bpm: at_most(number(required("BPM")?, [3, 0])?, 300)?,
            pi: value("PI").map(|pi| number(pi, [2, 2])).transpose()?,
            others: tokens.iter().filter_map(other).collect(),
            alarm: bits(required("ALARM")?, 2..=6)?,
            exceptions: bits(required("EXC")?, 3..=8)?,
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `MM/DD/YY` and `HH:MM:SS`, two digits each, in this century.
fn clock(date: &str, time: &str) -> Result<DeviceTime, Fault> {
    let [month, day, year] = pairs(date, '/').ok_or(Fault::BadMessage)?;
    let [hour, minute, second] = pairs(time, ':').ok_or(Fault::BadMessage)?;
    let civil =
        jiff::civil::DateTime::new(2_000 + i16::from(year), month, day, hour, minute, second, 0)
            .map_err(|_| Fault::BadTime)?;
    let stamp = civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| Fault::BadTime)?
        .timestamp();
    Ok(DeviceTime::civil(stamp.as_millisecond()))
}

fn pairs(text: &str, separator: char) -> Option<[i8; 3]> {
    let mut parts = text.split(separator).map(|part| {
        (part.len() == 2 && is_digits(part))
            .then(|| part.parse::<i8>().ok())
            .flatten()
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// A number of exactly this many digits before and behind the point, `%` allowed after it; `None` when
/// a dash stands in it. The exact width matters: with a digit lost on the wire, 097 would read 7 or 9.
fn number(text: &str, [whole, places]: [usize; 2]) -> Result<Option<Decimal>, Fault> {
    let text = text.trim_end_matches('%');
    if text.contains('-') {
        return Ok(None);
    }
    let (before, behind) = text.split_once('.').unwrap_or((text, ""));
    let fits = before.len() == whole
        && behind.len() == places
        && is_digits(before)
        && (places == 0) != text.contains('.')
        && (places == 0 || is_digits(behind));
    if !fits {
        return Err(Fault::BadMessage);
    }
    Decimal::parse(text.as_bytes())
        .map(Some)
        .map_err(|_| Fault::BadMessage)
}

fn at_most(value: Option<Decimal>, most: i64) -> Result<Option<Decimal>, Fault> {
    if value.is_some_and(|value| value > Decimal::whole(most)) {
        return Err(Fault::BadMessage);
    }
    Ok(value)
}

/// A hexadecimal bit field.
fn bits(text: &str, digits: std::ops::RangeInclusive<usize>) -> Result<u32, Fault> {
    if !digits.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Fault::BadMessage);
    }
    u32::from_str_radix(text, 16).map_err(|_| Fault::BadMessage)
}

/// A key that is not in our catalogue, if it carries a number. `EXC1` is a bit field of unknown
/// meaning, the serial number is no measurement.
fn other<'a>((key, value): &(&'a str, &'a str)) -> Option<(&'a str, Decimal)> {
    let known = ["SN", "SPO2", "BPM", "PI", "ALARM", "EXC", "EXC1"].contains(key);
    let name = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if known || !name {
        return None;
    }
    Decimal::parse(value.trim_end_matches('%').as_bytes())
        .ok()
        .map(|number| (*key, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Line<'_>, Fault> {
        Line::parse(text.as_bytes())
    }

    const GOOD: &str = "01/02/26 10:20:30 SN=0000123456 SPO2=097% BPM=080 PI=05.31% SPCO=--.-% \
                        SPMET=01.2% DESAT=-- PIDELTA=-03 ALARM=0000 EXC=000800";

    #[test]
    fn a_line_is_read_by_its_keys() {
        let line = parse(GOOD).unwrap();
        assert_eq!(line.at.iso8601(), "2026-01-02T10:20:30");
        assert_eq!(line.serial, Some("0000123456"));
        assert_eq!(line.spo2, Some(Decimal::whole(97)));
        assert_eq!(line.bpm, Some(Decimal::whole(80)));
        assert_eq!(line.pi.unwrap().unwrap().to_string(), "5.31");
        assert_eq!(
            line.others,
            [
                ("SPMET", Decimal::new(12, 1)),
                ("PIDELTA", Decimal::whole(-3))
            ]
        );
        let shuffled = "01/02/26 10:20:30 EXC=800 PI=05.31 BPM=080% ALARM=20 SPO2=097";
        let line = parse(shuffled).unwrap();
        assert_eq!((line.alarm, line.exceptions), (0x20, 0x800));
        assert_eq!(line.spo2, Some(Decimal::whole(97)));
        assert_eq!(parse(&"x".repeat(SHORTEST)), Err(Fault::BadMessage));
    }

    #[test]
    fn dashes_are_no_number() {
        let line = parse("01/02/26 10:20:30 SPO2=---% BPM=--- PI=--.-- ALARM=0000 EXC=000001");
        let line = line.unwrap();
        assert_eq!((line.spo2, line.bpm, line.pi), (None, None, Some(None)));
        assert_eq!(line.serial, None);
    }

    #[test]
    fn a_damaged_line_is_dropped_whole() {
        for (from, to, fault) in [
            ("01/02/26", "1/02/26", Fault::BadMessage),
            ("01/02/26", "13/02/26", Fault::BadTime),
            ("10:20:30", "24:20:30", Fault::BadTime),
            ("10:20:30", "10:20", Fault::BadMessage),
            ("SPO2=097%", "SPO2=09%", Fault::BadMessage),
            ("SPO2=097%", "SPO2=0x7%", Fault::BadMessage),
            ("SPO2=097%", "SPO2=101%", Fault::BadMessage),
            ("SPO2=097%", "SP02=097%", Fault::BadMessage),
            ("SPO2=097%", "SPO2=097% SPO2=098%", Fault::BadMessage),
            ("BPM=080", "BPM=301", Fault::BadMessage),
            ("BPM=080", "BPM=08.0", Fault::BadMessage),
            ("BPM=080", "BPM=\u{e9}80", Fault::BadMessage),
            ("BPM=080", "BPM=\t080", Fault::BadMessage),
            ("PI=05.31%", "PI=0531%", Fault::BadMessage),
            ("PI=05.31%", "PI=5.31%", Fault::BadMessage),
            ("EXC=000800", "EXC=820:OffPat,SET", Fault::BadMessage),
            ("EXC=000800", "EXC=00080001/02/26", Fault::BadMessage),
            ("ALARM=0000 ", "", Fault::BadMessage),
        ] {
            assert!(GOOD.contains(from));
            let bad = GOOD.replace(from, to);
            assert_eq!(parse(&bad).map(|_| ()), Err(fault), "{bad}");
        }
    }
}
