//! Groups of bytes of which only the first has its highest bit: the framing of formats without a sum.
//!
//! The high bit is all the check there is. Whether a group that follows damage is believed is for the
//! protocol to say; here it is only told what stood between two groups.

/// What the stream is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<const N: usize> {
    /// A whole group.
    Group([u8; N]),
    /// A group that was cut by the next one: so many bytes.
    Cut(u64),
    /// A byte between two groups.
    Stray,
}

/// Finds groups of `N` bytes in a stream; holds at most one.
#[derive(Debug)]
pub(super) struct Groups<const N: usize> {
    group: [u8; N],
    length: usize,
}

impl<const N: usize> Groups<N> {
    /// Nothing received yet.
    pub(super) const fn new() -> Self {
        Self {
            group: [0; N],
            length: 0,
        }
    }

    /// Takes a piece of the stream and hands out what is decided.
    pub(super) fn receive(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<N>)) {
        for &byte in bytes {
            let is_first = byte & 0x80 != 0;
            if is_first && self.length > 0 {
                found(Piece::Cut(self.reset()));
            } else if !is_first && self.length == 0 {
                found(Piece::Stray);
                continue;
            }
            if let Some(free) = self.group.get_mut(self.length) {
                *free = byte;
            }
            self.length += 1;
            if self.length == N {
                self.length = 0;
                found(Piece::Group(self.group));
            }
        }
    }

    /// Forgets a group that is not whole; its bytes.
    pub(super) fn reset(&mut self) -> u64 {
        std::mem::take(&mut self.length) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_wherever_the_stream_is_cut() {
        let stream = [7, 0x80, 1, 2, 0x81, 3, 4, 5, 6, 0x82];
        let expected = [
            Piece::Stray,
            Piece::Cut(3),
            Piece::Group([0x81, 3, 4, 5]),
            Piece::Stray,
        ];
        for size in 1..=stream.len() {
            let mut groups = Groups::<4>::new();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                groups.receive(piece, |piece| found.push(piece));
            }
            assert_eq!(found, expected);
            assert_eq!(groups.reset(), 1);
        }
    }
}
