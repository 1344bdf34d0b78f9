//! The flow sheet: one self-contained file to print, with the content of the dossier's clause 6.
//!
//! Promises: no script, no address, no byte that depends on when or where it is made except the zone that its
//! times are told in; texts of people and devices are text; what is missing, manual, doubtful, corrected or
//! still open is marked. What the program never learns (allergies, consent, …) is left to the pen.

mod alarms;
mod course;
mod grid;
mod page;
mod panel;
mod tables;
mod trend;

use super::model::Record;
use jiff::tz::TimeZone;
use page::Page;

/// The page's only style; inline, because the file stands alone.
const STYLE: &str = include_str!("style.css");

/// What a server that shows the page must allow, and nothing more: its own style.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-6kXtKuq7seuB8FbvpPumIEWoRw77ZTdFXUCvVyORLLY='; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";

/// Where the sheet's tables stand: the record and the zone in which its times are told.
struct Sheet<'a> {
    record: &'a Record,
    zone: &'a TimeZone,
}

/// The flow sheet with times in `zone`.
pub fn flow_sheet(record: &Record, zone: &TimeZone) -> String {
    let sheet = Sheet { record, zone };
    let mut page = Page::default();
    page.markup(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Session ",
    )
    .shown(record.session)
    .markup("</title>\n<style>")
    .markup(STYLE)
    .markup("</style>\n</head>\n<body>\n");
    sheet.header(&mut page);
    sheet.baseline(&mut page);
    sheet.phases(&mut page);
    trend::draw(&sheet, &mut page);
    sheet.cuff(&mut page);
    sheet.alarms(&mut page);
    sheet.drugs(&mut page);
    sheet.scores(&mut page);
    sheet.notes(&mut page);
    sheet.extremes(&mut page);
    sheet.checklist(&mut page);
    sheet.rems(&mut page);
    sheet.signatures(&mut page);
    grid::table(&sheet, &mut page);
    sheet.events(&mut page);
    sheet.sources(&mut page);
    page.markup("</body>\n</html>\n");
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 (FIPS 180-4), slow and plain: the policy names the style by it.
    fn sha256(bytes: &[u8]) -> [u8; 32] {
        let primes = (2_u32..).filter(|n| (2..*n).all(|d| n % d != 0));
        // The first 32 bits of the fractions of square and cube roots, by whole numbers.
        let root = |n: u32, power: u32| {
            let (mut low, mut high) = (0_u128, 1_u128 << 40);
            let wanted = u128::from(n) << (32 * power);
            while low + 1 < high {
                let middle = (low + high) / 2;
                if middle.pow(power) <= wanted {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            (low & 0xffff_ffff) as u32
        };
        let first: Vec<u32> = primes.take(64).collect();
        let keys: Vec<u32> = first.iter().map(|n| root(*n, 3)).collect();
        let mut state: Vec<u32> = first.iter().take(8).map(|n| root(*n, 2)).collect();
        let mut message = bytes.to_vec();
        message.push(0x80);
        while message.len() % 64 != 56 {
            message.push(0);
        }
        message.extend((bytes.len() as u64 * 8).to_be_bytes());
        for block in message.chunks(64) {
            let mut w: Vec<u32> = block
                .chunks(4)
                .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
                .collect();
            for t in 16..64 {
                let (a, b) = (w[t - 15], w[t - 2]);
                let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
                let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
                w.push(
                    w[t - 16]
                        .wrapping_add(s0)
                        .wrapping_add(w[t - 7])
                        .wrapping_add(s1),
                );
            }
            let mut v = state.clone();
            for t in 0..64 {
                let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
                let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
                let one = v[7]
                    .wrapping_add(s1)
                    .wrapping_add(choice)
                    .wrapping_add(keys[t])
                    .wrapping_add(w[t]);
                let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
                v.rotate_right(1);
                v[4] = v[4].wrapping_add(one);
                v[0] = one.wrapping_add(s0).wrapping_add(majority);
            }
            for (sum, part) in state.iter_mut().zip(&v) {
                *sum = sum.wrapping_add(*part);
            }
        }
        let mut digest = [0; 32];
        for (four, word) in digest.chunks_mut(4).zip(&state) {
            four.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let mut word = [0; 3];
            word[..three.len()].copy_from_slice(three);
            let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                text.push(if place <= three.len() {
                    letter as char
                } else {
                    '='
                });
            }
        }
        text
    }

    #[test]
    fn the_policy_allows_the_style_and_no_other() {
        assert_eq!(
            base64(&sha256(b"abc")),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
        let hash = base64(&sha256(STYLE.as_bytes()));
        assert!(
            POLICY.contains(&format!("style-src 'sha256-{hash}'")),
            "{hash}"
        );
    }
}
