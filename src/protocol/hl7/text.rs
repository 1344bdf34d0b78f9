//! Text inside a field: escape sequences and character sets, decoded late (hl7.md 2 and 2.1).
//!
//! Readings are parsed on bytes and never fail because a name does not decode: a bad byte becomes
//! U+FFFD, an unknown escape sequence stays as it came.

use super::message::Delimiters;
use std::borrow::Cow;

/// Characters of a text that are kept: a name, not a document.
const LONGEST: usize = 200;

/// How the bytes of a text become characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Charset {
    /// UTF-8 where the bytes are valid UTF-8, else 8859/1.
    #[default]
    Auto,
    /// UTF-8.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// Seven bits.
    Ascii,
    /// Windows-1251, which some monitors sold for Cyrillic send without saying so.
    Windows1251,
}

impl Charset {
    /// Names in the configuration.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("utf-8", Self::Utf8),
        ("8859/1", Self::Latin1),
        ("ascii", Self::Ascii),
        ("windows-1251", Self::Windows1251),
    ];

    /// What the first repetition of MSH-18 declares. ASCII is read like nothing declared: a byte
    /// above 127 contradicts it in any case.
    pub fn declared(name: &[u8]) -> Self {
        const DECLARED: &[(&[u8], Charset)] = &[
            (b"UNICODE UTF-8", Charset::Utf8),
            (b"UTF-8", Charset::Utf8),
            (b"8859/1", Charset::Latin1),
        ];
        DECLARED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Auto, |(_, charset)| *charset)
    }

    /// The characters of `bytes`.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Auto => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
            },
            Self::Latin1 | Self::Ascii | Self::Windows1251 => {
                match std::str::from_utf8(bytes)
                    .ok()
                    .filter(|text| text.is_ascii())
                {
                    Some(text) => Cow::Borrowed(text),
                    None => Cow::Owned(bytes.iter().map(|&byte| self.high(byte)).collect()),
                }
            }
        }
    }

    /// One byte of a one-byte character set.
    fn high(self, byte: u8) -> char {
        /// 0x80 to 0xBF of Windows-1251; the letters behind them stand in Unicode's order.
        const CYRILLIC: &str = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{FFFD}™љ›њќћџ\
            \u{A0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{AD}®Ї°±Ііґµ¶·ё№є»јЅѕї";
        match (self, byte) {
            (_, 0..=0x7F) => char::from(byte),
            (Self::Ascii, _) => char::REPLACEMENT_CHARACTER,
            (Self::Windows1251, 0xC0..) => {
                char::from_u32(0x0410 + u32::from(byte - 0xC0)).unwrap_or_default()
            }
            (Self::Windows1251, _) => CYRILLIC
                .chars()
                .nth(usize::from(byte - 0x80))
                .unwrap_or(char::REPLACEMENT_CHARACTER),
            (Self::Auto | Self::Utf8 | Self::Latin1, _) => char::from(byte),
        }
    }
}

/// The text of one part of a field, after splitting: escapes once from left to right, then the
/// character set. Cut after 200 characters.
pub fn decode<'a>(raw: &'a [u8], delimiters: &Delimiters, charset: Charset) -> Cow<'a, str> {
    // No character takes more bytes than four, no escaped byte more than seven.
    let raw = raw.get(..LONGEST * 28).unwrap_or(raw);
    let text = if raw.contains(&delimiters.escape) {
        Cow::Owned(charset.decode(&unescape(raw, delimiters)).into_owned())
    } else {
        charset.decode(raw)
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some(_) => Cow::Owned(text.chars().take(LONGEST).collect()),
    }
}

fn unescape(raw: &[u8], delimiters: &Delimiters) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == delimiters.escape) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let after = from.get(1..).unwrap_or_default();
        let Some(length) = after.iter().position(|&byte| byte == delimiters.escape) else {
            // An escape character without a partner is itself.
            rest = from;
            break;
        };
        let (sequence, behind) = after.split_at(length);
        if !sequence_into(sequence, delimiters, &mut out) {
            out.push(delimiters.escape);
            out.extend_from_slice(sequence);
            out.push(delimiters.escape);
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// Writes what an escape sequence stands for; `false` when we do not know it.
fn sequence_into(sequence: &[u8], delimiters: &Delimiters, out: &mut Vec<u8>) -> bool {
    match sequence {
        b"F" => out.push(delimiters.field),
        b"S" => out.push(delimiters.component),
        b"T" => out.push(delimiters.subcomponent),
        b"R" => out.push(delimiters.repetition),
        b"E" => out.push(delimiters.escape),
        b"P" => out.push(b'#'),
        b"H" | b"N" => {}
        b".br" => out.push(b'\n'),
        [b'.', b's', b'p', ..] => out.push(b'\n'),
        [b'X', digits @ ..] => return hex_into(digits, out),
        _ => return false,
    }
    true
}

fn hex_into(digits: &[u8], out: &mut Vec<u8>) -> bool {
    let nibble = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks(2) {
        let [high, low] = *pair else { return false };
        let (Some(high), Some(low)) = (nibble(high), nibble(low)) else {
            return false;
        };
        bytes.push(high << 4 | low);
    }
    out.append(&mut bytes);
    !digits.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raw: &str) -> String {
        decode(raw.as_bytes(), &Delimiters::USUAL, Charset::Auto).into_owned()
    }

    #[test]
    fn escapes_are_decoded_once_from_left_to_right() {
        for (raw, expected) in [
            (r"plain", "plain"),
            (r"a\F\b\S\c\T\d\R\e\E\f\P\g", r"a|b^c&d~e\f#g"),
            (r"\E\F\", r"\F\"),
            (r"\H\bold\N\ off", "bold off"),
            (r"one\.br\two\.sp2\three", "one\ntwo\nthree"),
            (r"\X4869\", "Hi"),
            (r"\X4\ \X\ \Xzz\", r"\X4\ \X\ \Xzz\"),
            (r"\Zlocal\", r"\Zlocal\"),
            (r"\.ce\", r"\.ce\"),
            (r"a lone \ stays", r"a lone \ stays"),
            (r"\", r"\"),
            (r"\\", r"\\"),
        ] {
            assert_eq!(text(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn character_sets() {
        let name = |bytes: &[u8], charset: Charset| {
            decode(bytes, &Delimiters::USUAL, charset).into_owned()
        };
        assert_eq!(name("Zoë".as_bytes(), Charset::Auto), "Zoë");
        assert_eq!(name(b"Zo\xEB", Charset::Auto), "Zoë");
        assert_eq!(name(b"Zo\xEB", Charset::Latin1), "Zoë");
        assert_eq!(name(b"Zo\xEB", Charset::Utf8), "Zo\u{FFFD}");
        assert_eq!(name(b"Zo\xEB", Charset::Ascii), "Zo\u{FFFD}");
        assert_eq!(
            name(b"\xC0\xED\xED\xE0 \xB8", Charset::Windows1251),
            "Анна ё"
        );
        assert_eq!(name(b"\x80\xBF\x98", Charset::Windows1251), "Ђї\u{FFFD}");
        assert_eq!(Charset::declared(b"UNICODE UTF-8"), Charset::Utf8);
        assert_eq!(Charset::declared(b"8859/1"), Charset::Latin1);
        assert_eq!(Charset::declared(b""), Charset::Auto);
        assert_eq!(Charset::declared(b"GB 18030-2000"), Charset::Auto);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(text(&"x".repeat(100_000)).chars().count(), LONGEST);
    }

    proptest! {
        #[test]
        fn any_bytes_decode(raw: Vec<u8>) {
            for (_, charset) in Charset::NAMES {
                let _ = decode(&raw, &Delimiters::USUAL, *charset);
            }
        }
    }
}
