//! An answer of the station: quadruples of time, address, name and value, over one block or several.

use super::block::cut;

/// Between two quadruples.
const RECORD: u8 = 0x1E;
/// Bytes of the longest answer that is taken.
const LONGEST: usize = 256 * 1024;
/// The station itself.
pub(super) const STATION: u32 = 50_100;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Whose: `501`, pillar, slot.
    pub(super) address: u32,
    /// The name.
    pub(super) name: &'a [u8],
    /// The value as told.
    pub(super) value: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a quadruple; the value may hold commas.
    fn read(text: &'a [u8]) -> Option<Self> {
        let (_time, rest) = cut(text, b',')?;
        let (address, rest) = cut(rest, b',')?;
        let (name, value) = cut(rest, b',')?;
        let address = address.trim_ascii();
        let digits = address.len() == 5 && address.iter().all(u8::is_ascii_digit);
        let address = std::str::from_utf8(address).ok()?.parse().ok()?;
        (digits && (STATION..STATION + 100).contains(&address)).then_some(Self {
            address,
            name: name.trim_ascii(),
            value: value.trim_ascii(),
        })
    }

    /// Whether there is a value at all.
    pub(super) fn is_told(&self) -> bool {
        !self.value.is_empty() && self.value != b"_NV"
    }
}

/// The quadruples of an answer as far as it was told.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Each in its own text.
    records: Vec<Vec<u8>>,
    bytes: usize,
}

impl Answer {
    /// Forgets what was told.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    /// Takes the information of the next block; `false` when the answer becomes too long.
    pub(super) fn take(&mut self, information: &[u8]) -> bool {
        self.bytes = self.bytes.saturating_add(information.len());
        if self.bytes > LONGEST {
            self.clear();
            return false;
        }
        for (place, piece) in information.split(|&byte| byte == RECORD).enumerate() {
            match self.records.last_mut() {
                // What is no quadruple at the beginning of a block is the rest of the last one's.
                Some(last) if place == 0 && Record::read(piece).is_none() => {
                    last.extend_from_slice(piece);
                }
                Some(_) | None => self.records.push(piece.to_vec()),
            }
        }
        true
    }

    /// The quadruples; `None` for a text that is none.
    pub(super) fn records(&self) -> impl Iterator<Item = Option<Record<'_>>> {
        self.records
            .iter()
            .filter(|text| !text.trim_ascii().is_empty())
            .map(|text| Record::read(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(blocks: &[&str]) -> Vec<Option<(u32, String, String)>> {
        let mut answer = Answer::default();
        for block in blocks {
            assert!(answer.take(block.as_bytes()));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        answer
            .records()
            .map(|record| {
                record.map(|record| (record.address, text(record.name), text(record.value)))
            })
            .collect()
    }

    fn one(address: u32, name: &str, value: &str) -> Option<(u32, String, String)> {
        Some((address, name.to_owned(), value.to_owned()))
    }

    #[test]
    fn quadruples_are_read_however_the_blocks_are_cut() {
        let expected = [
            one(50_111, "INRT", "25.0"),
            one(50_111, "INSOL", "Ketamine, 50 mg"),
            one(50_111, "INM3", "1"),
        ];
        for blocks in [
            &["7,50111,INRT,25.0\u{1e}7,50111,INSOL,Ketamine, 50 mg\u{1e}7,50111,INM3,1"][..],
            &[
                "7,50111,INRT,25.0",
                "7,50111,INSOL,Ketamine, 50 mg\u{1e}7,50111,INM3,1\u{1e}",
            ],
            // Nobody says that a value is never cut: 2 is not 25.
            &[
                "7,50111,INRT,2",
                "5.0\u{1e}7,50111,INSOL,Ketamine, 50 mg\u{1e}7,501",
                "11,INM3,1",
            ],
        ] {
            assert_eq!(told(blocks), expected, "{blocks:?}");
        }
        for wrong in [
            "7,50111,INRT",
            "7,5011,INRT,1",
            "7,40111,INRT,1",
            "x",
            "7,+0111,A,1",
        ] {
            assert_eq!(told(&[wrong]), [None], "{wrong}");
        }
    }

    #[test]
    fn an_answer_without_end_is_not_kept() {
        let mut answer = Answer::default();
        let block = vec![b'x'; 60_000];
        let taken = (0..10).filter(|_| answer.take(&block)).count();
        assert!(taken < 10);
        assert!(answer.bytes <= LONGEST);
    }
}
