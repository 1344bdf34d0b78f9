//! One line of the printout: what it says, or why it is no line.

use super::super::event::Fault;
use super::code;
use crate::observation::DeviceTime;

/// The shortest line of data, without padding.
pub(super) const SHORTEST: usize = "DD-Mon-YY HH:MM:SS 0 0 0".len();
/// Longer than this no line is, padding included.
pub(super) const LONGEST: usize = 256;

/// The months as they are printed.
pub(super) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The highest numbers that are measured; above them a digit is damaged.
const MOST_SPO2: u16 = 100;
const MOST_RATE: u16 = 300;
const MOST_AMPLITUDE: u16 = 254;

/// A line that passed its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Values.
    Data(Data),
    /// The first line of the head, with the limits of the oximeter's own alarms.
    Limits(Limits),
    /// Any other line of the head.
    Head,
}

/// Values of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data {
    /// The time that the line carries.
    pub(super) at: DeviceTime,
    /// Saturation in per cent; `None` for dashes.
    pub(super) spo2: Option<u16>,
    /// Pulse rate; `None` for dashes.
    pub(super) rate: Option<u16>,
    /// Pulse amplitude, without a unit; `None` for dashes.
    pub(super) amplitude: Option<u16>,
    /// The codes, as bits.
    pub(super) codes: u32,
    /// Codes that are not known.
    pub(super) unknown: usize,
    /// In which columns the three values end: with a character lost, they end elsewhere.
    pub(super) columns: [usize; 3],
}

/// The limits of the oximeter's own alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Saturation, lower and upper.
    pub(super) spo2: [u16; 2],
    /// Pulse rate, lower and upper.
    pub(super) rate: [u16; 2],
}

impl Line {
    /// Reads a line without its end. A wrong shape is [`Fault::BadMessage`], an impossible date
    /// [`Fault::BadTime`].
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::BadMessage)?;
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Fault::BadMessage);
        }
        if text.contains("Limit:") {
            return limits(text).map(Self::Limits).ok_or(Fault::BadMessage);
        }
        if is_head(text) {
            return Ok(Self::Head);
        }
        Data::parse(text).map(Self::Data)
    }
}

/// The other lines of the head: model and version, patient and mode, the names of the columns.
fn is_head(text: &str) -> bool {
    let names_columns = text.starts_with("TIME ") && text.contains("%SpO2");
    names_columns
        || ["VERSION", "SAT-S", "RESP MODE"]
            .iter()
            .any(|word| text.contains(word))
}

fn limits(text: &str) -> Option<Limits> {
    let range = |name: &str, unit: &str, most: u16| {
        let (_, rest) = text.split_once(name)?;
        let (range, _) = rest.split_once(unit)?;
        let (low, high) = range.trim().split_once('-')?;
        let (low, high) = (digits(low)?, digits(high)?);
        (low <= high && high <= most).then_some([low, high])
    };
    Some(Limits {
        spo2: range("SpO2 Limit:", "%", MOST_SPO2)?,
        rate: range("PR Limit:", "BPM", MOST_RATE)?,
    })
}

impl Data {
    fn parse(text: &str) -> Result<Self, Fault> {
        let mut words = words(text);
        let mut next = || words.next().ok_or(Fault::BadMessage);
        let ((_, date), (_, time)) = (next()?, next()?);
        let at = clock(date, time)?;
        let (spo2_end, spo2) = value(next()?, MOST_SPO2)?;
        let (rate_end, rate) = value(next()?, MOST_RATE)?;
        let (amplitude_end, amplitude) = value(next()?, MOST_AMPLITUDE)?;
        let (mut codes, mut unknown) = (0, 0);
        for (_, word) in words {
            if word.len() != 2 || !word.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(Fault::BadMessage);
            }
            match code::ALL.iter().find(|(name, _)| *name == word) {
                Some((_, bit)) => codes |= bit,
                None => unknown += 1,
            }
        }
        Ok(Self {
            at,
            spo2,
            rate,
            amplitude,
            codes,
            unknown,
            columns: [spo2_end, rate_end, amplitude_end],
        })
    }
}

/// The words of a line, each with the column after its last character.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut column = 0;
    text.split(' ').filter_map(move |word| {
        let end = column + word.len();
        column = end + 1;
        (!word.is_empty()).then_some((end, word))
    })
}

/// A value and the column where it ends; a star for "outside its limit" may follow it.
fn value((end, word): (usize, &str), most: u16) -> Result<(usize, Option<u16>), Fault> {
    let number = word.strip_suffix('*').unwrap_or(word);
    let end = end - (word.len() - number.len());
    if number == "---" {
        return Ok((end, None));
    }
    digits(number)
        .filter(|number| *number <= most)
        .map(|number| (end, Some(number)))
        .ok_or(Fault::BadMessage)
}

/// One to three digits.
fn digits(text: &str) -> Option<u16> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// `DD-Mon-YY` and `HH:MM:SS`, in this century.
fn clock(date: &str, time: &str) -> Result<DeviceTime, Fault> {
    let two = |text: &str| {
        (text.len() == 2)
            .then(|| digits(text))
            .flatten()
            .and_then(|number| i8::try_from(number).ok())
    };
    let shape = || {
        let [day, month, year] = parts(date, '-')?;
        let [hour, minute, second] = parts(time, ':')?;
        let month = MONTHS.iter().position(|name| *name == month)?;
        Some((
            i16::from(two(year)?),
            i8::try_from(month + 1).ok()?,
            [two(day)?, two(hour)?, two(minute)?, two(second)?],
        ))
    };
    let (year, month, [day, hour, minute, second]) = shape().ok_or(Fault::BadMessage)?;
    let stamp = jiff::civil::DateTime::new(2_000 + year, month, day, hour, minute, second, 0)
        .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|_| Fault::BadTime)?
        .timestamp();
    Ok(DeviceTime::civil(stamp.as_millisecond()))
}

fn parts(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}
