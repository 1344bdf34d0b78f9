//! The elements that every message is made of: big-endian fields, lists that count and measure
//! themselves, numbers, times and texts (dossier 6, 7).
//!
//! Reading never goes beyond the bytes given, and a list whose count and length disagree is no list.

use crate::vocabulary::{Cause, Decimal};
use jiff::civil::DateTime;

/// Bytes still to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// One byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Option<Bytes<'a>> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Bytes(head))
    }

    /// A length and as many bytes.
    pub(super) fn block(&mut self) -> Option<Bytes<'a>> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// A length and as many bytes, which must be all that is left.
    pub(super) fn last_block(&mut self) -> Option<Bytes<'a>> {
        let block = self.block()?;
        self.0.is_empty().then_some(block)
    }

    /// The count and the bytes of a list.
    pub(super) fn list(&mut self) -> Option<(u16, Bytes<'a>)> {
        Some((self.u16()?, self.block()?))
    }

    /// A list of attributes that agrees with its count and length.
    pub(super) fn attributes(&mut self) -> Option<Attributes<'a>> {
        let (count, bytes) = self.list()?;
        let mut rest = bytes;
        for _ in 0..count {
            rest.u16()?;
            rest.block()?;
        }
        rest.0.is_empty().then_some(Attributes(bytes))
    }
}

/// A list of attributes, checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes<'a>(Bytes<'a>);

impl<'a> Attributes<'a> {
    /// The attributes in their order.
    pub(super) fn iter(self) -> impl Iterator<Item = (u16, Bytes<'a>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || Some((rest.u16()?, rest.block()?)))
    }

    /// The first attribute with this number.
    pub(super) fn get(self, id: u16) -> Option<Bytes<'a>> {
        self.iter()
            .find_map(|(found, value)| (found == id).then_some(value))
    }

    /// A two-byte attribute.
    pub(super) fn u16(self, id: u16) -> Option<u16> {
        self.get(id)?.u16()
    }

    /// A four-byte attribute.
    pub(super) fn u32(self, id: u16) -> Option<u32> {
        self.get(id)?.u32()
    }
}

/// The mantissa that is no number (dossier 7): only the mantissa is tested, whatever the exponent.
const NOT_A_NUMBER: i32 = 0x7F_FFFF;
/// Not at this resolution, and the two infinities, with the mantissa's sign extended.
const BEYOND: [i32; 3] = [-0x80_0000, 0x7F_FFFE, -0x7F_FFFE];

/// The number in a FLOAT-Type, or why there is none.
pub(super) fn float(word: u32) -> Result<Decimal, Cause> {
    let [exponent, high, middle, low] = word.to_be_bytes();
    let mantissa = i32::from_be_bytes([high, middle, low, 0]) >> 8;
    if mantissa == NOT_A_NUMBER {
        return Err(Cause::NotAvailable);
    }
    if BEYOND.contains(&mantissa) {
        return Err(Cause::OutOfRange);
    }
    let mantissa = i64::from(mantissa);
    let exponent = i8::from_be_bytes([exponent]);
    if exponent <= 0 {
        return Ok(Decimal::new(mantissa, exponent.unsigned_abs()));
    }
    10_i64
        .checked_pow(u32::from(exponent.unsigned_abs()))
        .and_then(|power| mantissa.checked_mul(power))
        .map(Decimal::whole)
        .ok_or(Cause::OutOfRange)
}

/// The FLOAT-Type of no number.
pub(super) const NO_NUMBER: u32 = 0x007F_FFFF;

/// The FLOAT-Type of a number, with fewer places where its digits do not fit.
pub(super) fn to_float(value: Decimal) -> u32 {
    let most = i64::from(NOT_A_NUMBER - 2);
    for places in (0..=value.scale()).rev() {
        let mantissa = value
            .rounded(places)
            .filter(|mantissa| (-most..=most).contains(mantissa))
            .and_then(|mantissa| i32::try_from(mantissa).ok());
        if let Some(mantissa) = mantissa {
            let [_, high, middle, low] = mantissa.to_be_bytes();
            return u32::from_be_bytes([0_u8.wrapping_sub(places), high, middle, low]);
        }
    }
    NO_NUMBER
}

/// Zero of a civil time in milliseconds.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An AbsoluteTime as civil milliseconds; `None` when it is not available or is no time.
pub(super) fn absolute_time(bytes: [u8; 8]) -> Option<i64> {
    let digits = bytes.map(|byte| match (byte >> 4, byte & 0xF) {
        (tens @ 0..=9, ones @ 0..=9) => i8::try_from(tens * 10 + ones).ok(),
        _ => None,
    });
    let [century, year, month, day, hour, minute, second, hundredth] = digits;
    let civil = DateTime::new(
        i16::from(century?) * 100 + i16::from(year?),
        month?,
        day?,
        hour?,
        minute?,
        second?,
        i32::from(hundredth?) * 10_000_000,
    )
    .ok()?;
    i64::try_from(civil.duration_since(EPOCH).as_millis()).ok()
}

/// The AbsoluteTime that is not available.
pub(super) const NO_TIME: [u8; 8] = [0xFF; 8];

/// An AbsoluteTime of civil milliseconds.
pub(super) fn to_absolute_time(civil_ms: i64) -> [u8; 8] {
    let Ok(stamp) = jiff::Timestamp::from_millisecond(civil_ms) else {
        return NO_TIME;
    };
    let civil = stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let coded = |value: i64| {
        u8::try_from(value.rem_euclid(100)).map_or(0xFF, |value| ((value / 10) << 4) | (value % 10))
    };
    [
        coded(i64::from(civil.year()) / 100),
        coded(i64::from(civil.year())),
        coded(i64::from(civil.month())),
        coded(i64::from(civil.day())),
        coded(i64::from(civil.hour())),
        coded(i64::from(civil.minute())),
        coded(i64::from(civil.second())),
        coded(i64::from(civil.millisecond() / 10)),
    ]
}

/// A String up to its first NUL, without the blanks around it and control characters in it; `None`
/// when nothing is left or its length is wrong.
pub(super) fn text(mut field: Bytes<'_>) -> Option<String> {
    let mut units = field.block()?;
    let letters = std::iter::from_fn(|| units.u16()).take_while(|unit| *unit != 0);
    let text: String = char::decode_utf16(letters)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|letter| !letter.is_control())
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The bytes of a String.
pub(super) fn to_text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    block(&mut bytes, |out| {
        for unit in text.encode_utf16().chain([0]) {
            out.extend(unit.to_be_bytes());
        }
    });
    bytes
}

/// A length as it is written; what is built here is never longer.
pub(super) fn length(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Writes a length and what `write` writes.
pub(super) fn block(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    out.extend(length(inner.len()).to_be_bytes());
    out.extend(inner);
}

/// Writes a list of elements.
pub(super) fn list<T: AsRef<[u8]>>(out: &mut Vec<u8>, elements: &[T]) {
    out.extend(length(elements.len()).to_be_bytes());
    block(out, |out| {
        for element in elements {
            out.extend(element.as_ref());
        }
    });
}

/// One attribute.
pub(super) fn attribute(id: u16, value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = id.to_be_bytes().to_vec();
    block(&mut out, |out| out.extend(value.as_ref()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_floats_of_the_dossier() {
        for (word, value) in [
            (0x0000_003C, "60"),
            (0xFF00_03B6, "95.0"),
            (0xFD00_7D00, "32.000"),
            (0xFF00_0140, "32.0"),
            (0xFEFF_F000, "-40.96"),
            (0xFFFF_FFF7, "-0.9"),
            (0x0200_0003, "300"),
        ] {
            assert_eq!(float(word).unwrap().to_string(), value, "{word:08X}");
        }
        for exponent in [0x0000_0000, 0xFF00_0000, 0x0500_0000] {
            let special = |mantissa: u32| float(exponent | mantissa);
            assert_eq!(special(0x7F_FFFF), Err(Cause::NotAvailable));
            assert_eq!(special(0x80_0000), Err(Cause::OutOfRange));
            assert_eq!(special(0x7F_FFFE), Err(Cause::OutOfRange));
            assert_eq!(special(0x80_0002), Err(Cause::OutOfRange));
        }
        assert_eq!(float(0x7F00_0001), Err(Cause::OutOfRange));
    }

    #[test]
    fn times_and_texts_of_the_dossier() {
        let taken = [0x20, 0x26, 0x05, 0x20, 0x14, 0x30, 0x05, 0x25];
        let civil_ms = absolute_time(taken).unwrap();
        let told = crate::observation::DeviceTime::civil(civil_ms).iso8601();
        assert_eq!(told, "2026-05-20T14:30:05.25");
        assert_eq!(to_absolute_time(civil_ms), taken);
        assert_eq!(absolute_time(NO_TIME), None);
        assert_eq!(absolute_time([0; 8]), None);
        assert_eq!(absolute_time([0x20, 0x26, 0x13, 1, 0, 0, 0, 0]), None);

        let nbp = [
            0, 0x0E, 0, 0x4E, 0, 0x42, 0, 0x50, 0, 0x20, 0, 0x20, 0, 0x20, 0, 0,
        ];
        assert_eq!(text(Bytes(&nbp)).as_deref(), Some("NBP"));
        assert_eq!(text(Bytes(&[0, 2, 0, 0])), None);
        assert_eq!(text(Bytes(&nbp[..9])), None);
    }

    #[test]
    fn a_list_that_contradicts_itself_is_none() {
        let mut good = Vec::new();
        list(&mut good, &[attribute(0x0950, [1, 2]), attribute(7, [])]);
        let read = Bytes(&good).attributes().unwrap();
        assert_eq!(read.u16(0x0950), Some(0x0102));
        assert_eq!(read.iter().count(), 2);
        for (at, byte) in [(1, 1), (1, 3), (3, 9), (3, 11), (7, 1)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(Bytes(&bad).attributes(), None, "{at}: {byte}");
        }
    }

    proptest! {
        #[test]
        fn numbers_texts_and_times_come_back(
            mantissa in -8_000_000_i64..=8_000_000,
            scale in 0_u8..=4,
            words in "[ -~\u{e4}\u{1f600}]{0,20}",
            hundredths in 0_i64..=25_340_230_079_999,
        ) {
            let value = Decimal::new(mantissa, scale);
            prop_assert_eq!(float(to_float(value)), Ok(value));
            let kept = words.trim();
            let expected = (!kept.is_empty()).then_some(kept);
            let written = to_text(&words);
            let read = text(Bytes(&written));
            prop_assert_eq!(read.as_deref(), expected);
            prop_assert_eq!(absolute_time(to_absolute_time(hundredths * 10)), Some(hundredths * 10));
        }
    }
}
