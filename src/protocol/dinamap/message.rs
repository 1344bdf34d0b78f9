//! Messages: unit, two letters, data, two check characters, CR.

/// What is asked. The protocol can start and stop the cuff too; no value of this type does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The cuff's last result.
    Cuff,
    /// The oximeter.
    Oximeter,
    /// The heart rate.
    Rate,
}

impl Question {
    /// In the order in which they are asked.
    pub(super) const ALL: [Self; 3] = [Self::Cuff, Self::Oximeter, Self::Rate];

    /// The two letters.
    pub(super) const fn letters(self) -> &'static [u8; 2] {
        match self {
            Self::Cuff => b"NA",
            Self::Oximeter => b"OA",
            Self::Rate => b"RA",
        }
    }

    /// Characters of data in the answer.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::Cuff => 16,
            Self::Oximeter => 7,
            Self::Rate => 4,
        }
    }

    /// The question's bytes, behind a CR that ends a line cut by somebody else.
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![b'\r'];
        bytes.extend(message(self.letters(), b""));
        bytes
    }
}

/// A whole message of a single monitor, with its check characters and its end.
pub(super) fn message(letters: &[u8; 2], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b' '];
    bytes.extend_from_slice(letters);
    bytes.extend_from_slice(data);
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    bytes.push(b'\r');
    bytes
}

/// The check characters over everything from the unit on: the sum of each character's distance from 1F hex,
/// six bits a character.
pub(super) fn check(bytes: &[u8]) -> [u8; 2] {
    let total = bytes.iter().fold(0_u32, |sum, byte| {
        sum + u32::from(byte.saturating_sub(0x1F))
    });
    let total = if total > 0xFFF { total % 0xFFF } else { total };
    let character = |bits: u32| u8::try_from(0x20 + (bits & 0x3F)).unwrap_or(b' ');
    [character(total >> 6), character(total)]
}

/// Why a line is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Too short, or other characters than an answer has.
    Unreadable,
    /// An answer to something else: another host, a late answer, a refusal.
    Another,
    /// The check characters are wrong or missing, and this monitor sends them.
    Check,
}

/// An answer's data and whether check characters stood behind it and were right.
pub(super) fn answer(
    question: Question,
    line: &[u8],
    demanded: bool,
) -> Result<(&[u8], bool), NoAnswer> {
    let [b' ', first, second, rest @ ..] = line else {
        return Err(NoAnswer::Unreadable);
    };
    if [*first, *second] != *question.letters() {
        return Err(NoAnswer::Another);
    }
    let (data, tail) = rest
        .split_at_checked(question.width())
        .ok_or(NoAnswer::Unreadable)?;
    let head = line.len().saturating_sub(tail.len());
    // The cuff's answer is described as one character longer than its fields: the check may follow that one.
    let spare = usize::from(question == Question::Cuff);
    let checked = (0..=spare).any(|skipped| {
        let end = head.saturating_add(skipped);
        let parts = line.split_at_checked(end);
        parts.is_some_and(|(head, tail)| tail == check(head))
    });
    if demanded && !checked {
        return Err(NoAnswer::Check);
    }
    Ok((data, checked))
}

/// A field of digits.
pub(super) fn digits(data: &[u8], from: usize, width: usize) -> Option<u32> {
    let field = data.get(from..from.checked_add(width)?)?;
    field.iter().try_fold(0_u32, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}
