//! Spans of time as people write them: `"75s"`.

use std::time::Duration;

/// Reads a whole number with its unit: `ms`, `s`, `min` or `h`. Nothing is guessed: a bare number, a
/// fraction, a sign or a space is refused with what to write instead.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let refused = || {
        format!(
            "{text:?} is not a span of time: write a whole number and its unit (ms, s, min, h), as in \"75s\""
        )
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(refused)?;
    let number: u64 = number.parse().map_err(|_| refused())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(refused()),
    };
    millis.map(Duration::from_millis).ok_or_else(refused)
}

/// A span as it would be written in the file, in the largest unit that fits.
pub fn span_text(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}min", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_required_and_exact() {
        for (text, millis) in [
            ("250ms", 250),
            ("75s", 75_000),
            ("2min", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                parse_span(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "75",
            "75 s",
            "-5s",
            "+5s",
            "1.5s",
            "nan",
            "NaNs",
            "inf",
            "5m",
            "5 min",
            "٣s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 0_u64..1_000_000_000) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_span(&span_text(span)), Ok(span));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse_span(&text);
        }
    }
}
