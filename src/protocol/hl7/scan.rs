//! Finds the few bytes that matter among many, eight at a time and in safe code.
//!
//! Most bytes of a message are neither delimiters nor control characters; one pass over words skips
//! them, and the caller looks at the rest.

/// One in every byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of every byte of a word.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// All other bits.
const LOW: u64 = !HIGH;
/// Bytes of a word.
const WORD: usize = 8;

/// Where a text has a certain ASCII character, or any byte up to a limit; in order.
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    text: &'a [u8],
    character: u64,
    up_to: u64,
    /// Where the word behind the current one begins.
    next: usize,
    /// The high bit of every byte of the current word that was not given yet.
    marks: u64,
}

impl<'a> Candidates<'a> {
    /// The places of `character` and of bytes of at most `up_to` in `text`; both below 128.
    pub const fn new(text: &'a [u8], character: u8, up_to: u8) -> Self {
        Self {
            text,
            character: ONES * (character & 0x7F) as u64,
            up_to: ONES * (0x7F - (up_to & 0x7F)) as u64,
            next: 0,
            marks: 0,
        }
    }

    /// The high bit of every byte of `word` that is wanted. No carry leaves a byte, so that the marks
    /// are exact.
    const fn marks(&self, word: u64) -> u64 {
        let differs = word ^ self.character;
        let equal = !(((differs & LOW) + LOW) | differs);
        let small = !(((word & LOW) + self.up_to) | word);
        (equal | small) & HIGH
    }

    /// The next word; a short one at the end is filled with bytes that nobody wants.
    fn word(&self) -> Option<u64> {
        let rest = self.text.get(self.next..)?;
        if let Some(word) = rest.first_chunk::<WORD>() {
            return Some(u64::from_le_bytes(*word));
        }
        let mut word = [0xFF; WORD];
        word.get_mut(..rest.len())?.copy_from_slice(rest);
        (!rest.is_empty()).then_some(u64::from_le_bytes(word))
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.marks = self.marks(self.word()?);
            self.next += WORD;
        }
        let byte = (self.marks.trailing_zeros() / 8) as usize;
        self.marks &= self.marks - 1;
        Some(self.next - WORD + byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_slow_search_finds(
            text in prop::collection::vec(any::<u8>(), 0..100),
            character in 0_u8..128,
            up_to in 0_u8..127,
        ) {
            let slow: Vec<_> = (0..text.len())
                .filter(|&at| text[at] == character || text[at] <= up_to)
                .collect();
            let found: Vec<_> = Candidates::new(&text, character, up_to).collect();
            prop_assert_eq!(found, slow);
        }
    }
}
