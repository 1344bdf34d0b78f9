//! HL7 v2 text on bytes: delimiters, segments, fields, components, the message header (hl7.md 2).
//!
//! One pass and no copy: a segment is a row of slices of the frame, and whatever is inside a field
//! is split only when somebody asks. Nothing here fails on content: a missing part is empty, an
//! unexpected one is ignored; only a header that cannot be read refuses a message.

use super::mllp::CR;
use super::scan::Candidates;

/// Fields of one segment that can be asked for; PID-31 is the highest we use.
const FIELDS: usize = 32;
/// The longest header segment that is taken.
const LONGEST_HEADER: usize = 4_096;

/// The five delimiters of one message (MSH-1 and MSH-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiters {
    /// Between fields.
    pub field: u8,
    /// Between components.
    pub component: u8,
    /// Between repetitions.
    pub repetition: u8,
    /// Around an escape sequence.
    pub escape: u8,
    /// Between subcomponents.
    pub subcomponent: u8,
}

impl Delimiters {
    /// The delimiters that nearly everybody uses.
    pub const USUAL: Self = Self {
        field: b'|',
        component: b'^',
        repetition: b'~',
        escape: b'\\',
        subcomponent: b'&',
    };

    /// Reads MSH-1 and MSH-2. Missing characters of MSH-2 get their usual values; `None` when two
    /// would be the same or one could stand in a word.
    pub fn read(field: u8, encoding: &[u8]) -> Option<Self> {
        let usual = Self::USUAL;
        let read = match *encoding {
            // The sender's own string escapes have eaten the backslash.
            [component, repetition, subcomponent] if subcomponent == usual.subcomponent => Self {
                field,
                component,
                repetition,
                subcomponent,
                ..usual
            },
            _ => {
                let at = |n: usize, usual: u8| encoding.get(n).copied().unwrap_or(usual);
                Self {
                    field,
                    component: at(0, usual.component),
                    repetition: at(1, usual.repetition),
                    escape: at(2, usual.escape),
                    subcomponent: at(3, usual.subcomponent),
                }
            }
        };
        let all = [
            read.field,
            read.component,
            read.repetition,
            read.escape,
            read.subcomponent,
        ];
        let distinct = all
            .iter()
            .enumerate()
            .all(|(n, one)| !all.iter().skip(n + 1).any(|other| other == one));
        (distinct && all.iter().all(u8::is_ascii_punctuation)).then_some(read)
    }
}

/// One segment of a message: its text, and where its fields end. Reused from segment to segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    text: &'a [u8],
    /// Where each field ends; the separator stands there.
    ends: [usize; FIELDS],
    used: usize,
}

impl<'a> Segment<'a> {
    /// An empty segment.
    pub const fn new() -> Self {
        Self {
            text: &[],
            ends: [0; FIELDS],
            used: 0,
        }
    }

    /// The segment's name.
    pub fn name(&self) -> &'a [u8] {
        self.field(0)
    }

    /// Field `n` as HL7 numbers it (for MSH see [`Header::field`]), without blanks around it.
    pub fn field(&self, n: usize) -> &'a [u8] {
        self.raw(n).trim_ascii()
    }

    /// Field `n` byte for byte.
    fn raw(&self, n: usize) -> &'a [u8] {
        if n >= self.used {
            return &[];
        }
        let start = match n.checked_sub(1).and_then(|before| self.ends.get(before)) {
            Some(separator) => separator + 1,
            None => 0,
        };
        self.ends
            .get(n)
            .and_then(|&end| self.text.get(start..end))
            .unwrap_or_default()
    }

    fn field_ends(&mut self, at: usize) {
        if let Some(end) = self.ends.get_mut(self.used) {
            *end = at;
            self.used += 1;
        }
    }
}

/// Walks the segments of a message once.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'a> {
    rest: &'a [u8],
    separator: u8,
}

impl<'a> Segments<'a> {
    /// The segments of `text`, whose fields are separated by `separator`, which must not be a
    /// control character.
    pub const fn new(text: &'a [u8], separator: u8) -> Self {
        Self {
            rest: text,
            separator,
        }
    }

    /// What was not walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads the next segment into `segment`; `false` at the end. Segments end in CR, LF or both;
    /// blank lines do not count.
    pub fn next(&mut self, segment: &mut Segment<'a>) -> bool {
        self.rest = self.rest.trim_ascii_start();
        segment.text = self.rest;
        segment.used = 0;
        if self.rest.is_empty() {
            return false;
        }
        let text = self.rest;
        for at in Candidates::new(text, self.separator, CR) {
            let byte = text.get(at).copied().unwrap_or_default();
            if byte == self.separator {
                segment.field_ends(at);
            } else if matches!(byte, CR | b'\n') {
                segment.field_ends(at);
                self.rest = text.get(at + 1..).unwrap_or_default();
                return true;
            }
        }
        segment.field_ends(text.len());
        self.rest = &[];
        true
    }
}

/// The parts of `text` between `delimiter`, as an array; missing ones are empty, further ones are
/// left out, blanks around each are cut.
pub fn parts<const N: usize>(text: &[u8], delimiter: u8) -> [&[u8]; N] {
    let mut parts = [&[] as &[u8]; N];
    let mut rest = text;
    for place in &mut parts {
        // Parts are short: a plain search beats a clever one.
        let end = rest.iter().position(|&byte| byte == delimiter);
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        *place = part.trim_ascii();
        rest = behind.get(1..).unwrap_or_default();
    }
    parts
}

/// The first part of `text` before `delimiter`.
pub fn first(text: &[u8], delimiter: u8) -> &[u8] {
    parts::<1>(text, delimiter)[0]
}

/// The text of a field that was told: neither absent nor the null `""`.
pub fn told(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty() && text != b"\"\"").then_some(text)
}

/// Why a message cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not begin with a header segment.
    #[error("the message does not begin with MSH")]
    NoHeader,
    /// Two bytes a character.
    #[error("the message is UTF-16, which MLLP cannot carry")]
    Utf16,
    /// The delimiters collide.
    #[error("the delimiters in MSH-1 and MSH-2 cannot be used")]
    Delimiters,
    /// Longer than any header can be.
    #[error("the header segment is longer than 4096 bytes")]
    LongHeader,
}

/// The message header.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The delimiters of this message.
    pub delimiters: Delimiters,
    /// The declared delimiters are those.
    usable: bool,
    text: &'a [u8],
    segment: Segment<'a>,
}

impl<'a> Header<'a> {
    /// Reads the header at the beginning of `message` and gives the segments behind it.
    pub fn read(message: &'a [u8]) -> Result<(Self, Segments<'a>), Unreadable> {
        let (header, segments) = Self::answerable(message)?;
        if header.usable {
            Ok((header, segments))
        } else {
            Err(Unreadable::Delimiters)
        }
    }

    /// Like [`Header::read`], but takes the usual delimiters where the declared ones cannot be used:
    /// enough to tell the sender, not to read his message.
    pub fn answerable(message: &'a [u8]) -> Result<(Self, Segments<'a>), Unreadable> {
        let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
        let message = message.trim_ascii_start();
        let [b'M', b'S', b'H', separator, ..] = *message else {
            return Err(if utf16(message) {
                Unreadable::Utf16
            } else {
                Unreadable::NoHeader
            });
        };
        if separator == 0 {
            return Err(Unreadable::Utf16);
        }
        if !separator.is_ascii_punctuation() {
            return Err(Unreadable::Delimiters);
        }
        let mut segments = Segments::new(message, separator);
        let mut segment = Segment::new();
        segments.next(&mut segment);
        let length = message.len().saturating_sub(segments.rest().len());
        if length > LONGEST_HEADER {
            return Err(Unreadable::LongHeader);
        }
        let declared = Delimiters::read(separator, segment.field(1));
        let delimiters = declared
            .or_else(|| Delimiters::read(separator, &[]))
            .ok_or(Unreadable::Delimiters)?;
        let header = Self {
            delimiters,
            usable: declared.is_some(),
            text: message.get(..length).unwrap_or_default(),
            segment,
        };
        Ok((header, segments))
    }

    /// MSH-2 for an answer: as the sender wrote it, if it can be used.
    pub fn encoding(&self) -> &'a [u8] {
        if self.usable { self.field(2) } else { b"^~\\&" }
    }

    /// The header segment as it came.
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// MSH-`n`, from 2 on.
    pub fn field(&self, n: usize) -> &'a [u8] {
        n.checked_sub(1)
            .map_or(&[], |place| self.segment.field(place))
    }

    /// MSH-`n` byte for byte.
    pub fn raw(&self, n: usize) -> &'a [u8] {
        n.checked_sub(1)
            .map_or(&[], |place| self.segment.raw(place))
    }

    /// The first component of MSH-`n`.
    pub fn code(&self, n: usize) -> &'a [u8] {
        first(self.field(n), self.delimiters.component)
    }
}

/// Whether the bytes look like two-byte characters: a byte order mark, or every other byte of the
/// first word zero.
fn utf16(message: &[u8]) -> bool {
    matches!(
        *message,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'M', 0, ..] | [b'M', 0, b'S', 0, ..]
    )
}
