//! The monitor's text: GBK in China, UTF-8 or a Cyrillic set elsewhere, declared nowhere (dossier 2.1, 6.1).
//!
//! A whole message is decoded before it is cut into fields: the second byte of a GBK character can look like
//! a delimiter. A letter that was cut in half costs itself and at worst the delimiter behind it; then a field
//! is empty, never another one's number.

use encoding_rs::{GBK, WINDOWS_1251};
use std::borrow::Cow;

/// How the bytes of a message become characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Charset {
    /// UTF-8 where the bytes are valid UTF-8, else GBK.
    #[default]
    Auto,
    /// UTF-8.
    Utf8,
    /// GBK, which holds GB2312.
    Gbk,
    /// Windows-1251.
    Windows1251,
    /// Windows-1251 as one uMEC10 sends it: 0x10 too low.
    UmecCyrillic,
}

impl Charset {
    /// Names in the configuration.
    pub(super) const NAMES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("utf-8", Self::Utf8),
        ("gbk", Self::Gbk),
        ("windows-1251", Self::Windows1251),
        ("umec-cyrillic", Self::UmecCyrillic),
    ];

    /// The characters of a message; what cannot be one becomes U+FFFD.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Auto => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => GBK.decode_without_bom_handling(bytes).0,
            },
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Gbk => GBK.decode_without_bom_handling(bytes).0,
            Self::Windows1251 => WINDOWS_1251.decode_without_bom_handling(bytes).0,
            Self::UmecCyrillic if bytes.is_ascii() => {
                WINDOWS_1251.decode_without_bom_handling(bytes).0
            }
            Self::UmecCyrillic => {
                let raised: Vec<u8> = bytes
                    .iter()
                    .map(|&byte| match byte {
                        0x80..=0xEF => byte + 0x10,
                        _ => byte,
                    })
                    .collect();
                Cow::Owned(
                    WINDOWS_1251
                        .decode_without_bom_handling(&raised)
                        .0
                        .into_owned(),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_set_is_read() {
        for (charset, bytes, expected) in [
            (Charset::Auto, &b"HR"[..], "HR"),
            (Charset::Auto, "心率".as_bytes(), "心率"),
            (Charset::Auto, b"\xD0\xC4\xC2\xCA", "心率"),
            (Charset::Gbk, b"\xD0\xC4\xC2\xCA", "心率"),
            (Charset::Utf8, b"\xD0\xC4", "\u{FFFD}\u{FFFD}"),
            (Charset::Windows1251, b"\xC0\xED\xED\xE0", "Анна"),
            (Charset::UmecCyrillic, b"\xB0\xDD\xDD\xD0", "Анна"),
            // The second byte of one letter is the separator of fields.
            (Charset::Gbk, b"\x81\x7C|60", "亅|60"),
        ] {
            assert_eq!(charset.decode(bytes), expected, "{charset:?} {bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes: Vec<u8>) {
            for (_, charset) in Charset::NAMES {
                let _ = charset.decode(&bytes);
            }
        }
    }
}
