//! The token: who holds it may send commands and counts as the attached display.
//!
//! New at each start, 256 bits from the kernel, compared in constant time, never logged. It leaves the
//! program through the runtime directory's `token` file and, for the demo, through
//! [`Token::reveal`] only.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Bytes of randomness in a token.
const BYTES: usize = 32;

/// A secret of 256 bits as 64 lower-case hexadecimal digits.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// `N` bytes from the kernel as hexadecimal digits.
pub(crate) fn random_hex<const N: usize>() -> io::Result<String> {
    use fmt::Write as _;
    let mut bytes = [0_u8; N];
    loop {
        match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
            Ok(filled) if filled == N => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut text = String::with_capacity(2 * N);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

impl Token {
    /// A new token. Fails only when the kernel gives no randomness.
    pub fn generate() -> io::Result<Self> {
        random_hex::<BYTES>().map(|text| Self(text.into()))
    }

    /// The digits, for the runtime directory and for the demo's first lines.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `offered` is this token; takes the same time wherever the difference is.
    pub fn matches(&self, offered: &str) -> bool {
        offered.len() == self.0.len()
            && offered
                .bytes()
                .zip(self.0.bytes())
                .fold(0_u8, |difference, (a, b)| difference | (a ^ b))
                == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_match_only_themselves() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert!(one.reveal().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(one.matches(one.reveal()));
        assert!(!one.matches(other.reveal()));
        assert!(!one.matches(""));
        assert!(!one.matches(&one.reveal().replace(|_| true, "0")));
        assert!(!one.matches(one.reveal().get(..63).unwrap()));
        assert_eq!(format!("{one:?}"), "Token(…)");
    }
}
