//! Exact decimal numbers as they stand on the wire.
//!
//! A monitor prints `04.96` or sends `9665` in hundredths; both are exact decimals and stay so.
//! Binary floating point never touches a value on its way to the alarm engine.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// An exact decimal: `mantissa / 10^scale`. Trailing zeros are kept, because they show the
/// precision of the device; comparison is by value, so `36.50` equals `36.5`.
#[derive(Clone, Copy)]
pub struct Decimal {
    mantissa: i64,
    scale: u8,
}

/// The text is not an optional sign, digits and an optional point, or is too long to be a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a plain decimal number of at most 15 digits")]
pub struct NotADecimal;

/// Digits a wire value may have; more is a decoding fault, not precision.
const MOST_DIGITS: usize = 15;
/// Places behind the point that can be kept.
const MOST_PLACES: u8 = 9;

const fn power_of_ten(places: u8) -> i64 {
    let mut power = 1_i64;
    let mut n = 0;
    while n < places {
        power = power.saturating_mul(10);
        n += 1;
    }
    power
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };

    /// A whole number.
    pub const fn whole(value: i64) -> Self {
        Self {
            mantissa: value,
            scale: 0,
        }
    }

    /// A constant of the program; the caller keeps `scale` at nine or below.
    pub(super) const fn of(mantissa: i64, scale: u8) -> Self {
        Self { mantissa, scale }
    }

    /// `mantissa / 10^scale`; a scale above nine places is cut to nine, rounding half up.
    pub fn new(mantissa: i64, scale: u8) -> Self {
        if scale <= MOST_PLACES {
            return Self { mantissa, scale };
        }
        let dropped = scale - MOST_PLACES;
        Self {
            mantissa: divide_half_up(mantissa, power_of_ten(dropped)),
            scale: MOST_PLACES,
        }
    }

    /// The digits without the point.
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// Places behind the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Reads an optional sign, digits and an optional point. Refuses exponents, `NaN`, hex, decimal
    /// commas, inner blanks and anything longer than a reading can be (dossier `hl7.md` 2).
    pub fn parse(text: &[u8]) -> Result<Self, NotADecimal> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut mantissa = 0_i64;
        let mut scale = 0_u8;
        let mut count = 0_usize;
        let mut point = false;
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    count += 1;
                    if count > MOST_DIGITS {
                        return Err(NotADecimal);
                    }
                    mantissa = mantissa * 10 + i64::from(byte - b'0');
                    if point {
                        scale += 1;
                    }
                }
                b'.' if !point => point = true,
                _ => return Err(NotADecimal),
            }
        }
        if count == 0 {
            return Err(NotADecimal);
        }
        Ok(Self::new(
            if negative { -mantissa } else { mantissa },
            scale,
        ))
    }

    /// The value in units of `1 / 10^scale`, rounded half up (away from the lower neighbour), or
    /// `None` when it does not fit.
    pub fn rounded(self, scale: u8) -> Option<i64> {
        if scale >= self.scale {
            self.mantissa.checked_mul(power_of_ten(scale - self.scale))
        } else {
            Some(divide_half_up(
                self.mantissa,
                power_of_ten(self.scale - scale),
            ))
        }
    }

    /// The value with `scale` places, rounded half up; unchanged when it does not fit.
    pub fn with_places(self, scale: u8) -> Self {
        match self.rounded(scale) {
            Some(mantissa) => Self { mantissa, scale },
            None => self,
        }
    }

    /// The product, or `None` when it does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self::new(mantissa, self.scale.checked_add(other.scale)?))
    }

    /// The difference, or `None` when it does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.rounded(scale)?.checked_sub(other.rounded(scale)?)?;
        Some(Self { mantissa, scale })
    }

    /// The sum, or `None` when it does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.rounded(scale)?.checked_add(other.rounded(scale)?)?;
        Some(Self { mantissa, scale })
    }

    /// Whether the value is exactly zero.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The same value without trailing zeros behind the point.
    pub fn normalized(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

/// Division rounding half up, for a positive divisor.
fn divide_half_up(value: i64, divisor: i64) -> i64 {
    let whole = value.div_euclid(divisor);
    let rest = value.rem_euclid(divisor);
    if rest >= divisor - rest {
        whole + 1
    } else {
        whole
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let scale = self.scale.max(other.scale);
        let widen = |d: &Self| i128::from(d.mantissa) * i128::from(power_of_ten(scale - d.scale));
        widen(self).cmp(&widen(other))
    }
}

impl std::hash::Hash for Decimal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let normal = self.normalized();
        normal.mantissa.hash(state);
        normal.scale.hash(state);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.mantissa);
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let power = power_of_ten(self.scale).unsigned_abs();
        let magnitude = self.mantissa.unsigned_abs();
        let width = usize::from(self.scale);
        write!(
            f,
            "{sign}{}.{:0width$}",
            magnitude / power,
            magnitude % power
        )
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Decimal {
    /// A JSON number with exactly the digits of the value.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale == 0 {
            return serializer.serialize_i64(self.mantissa);
        }
        serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl de::Visitor<'_> for Number {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
                Ok(Decimal::whole(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
                i64::try_from(value).map(Decimal::whole).map_err(E::custom)
            }
            /// The shortest text of a float is the decimal its writer meant.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Decimal, E> {
                Decimal::parse(value.to_string().as_bytes()).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn keeps_the_digits_of_the_wire() {
        assert_eq!(d("04.96").to_string(), "4.96");
        assert_eq!(d("36.50").to_string(), "36.50");
        assert_eq!(d("-0.5").to_string(), "-0.5");
        assert_eq!(d("+7").to_string(), "7");
        assert_eq!(d("36.50"), d("36.5"));
        assert_eq!(serde_json::to_string(&d("36.50")).unwrap(), "36.50");
    }

    #[test]
    fn refuses_what_is_no_plain_number() {
        for text in [
            "",
            "-",
            ".",
            "1e3",
            "NaN",
            "inf",
            "1,5",
            "0x10",
            "1 2",
            "1.2.3",
            "--.-",
            "9999999999999999",
        ] {
            assert_eq!(
                Decimal::parse(text.as_bytes()),
                Err(NotADecimal),
                "{text:?}"
            );
        }
    }

    #[test]
    fn rounds_half_up_to_what_a_monitor_shows() {
        assert_eq!(d("93.5").rounded(0), Some(94));
        assert_eq!(d("93.49").rounded(0), Some(93));
        assert_eq!(d("-0.5").rounded(0), Some(0));
        assert_eq!(d("36.55").rounded(1), Some(366));
        assert_eq!(d("97").rounded(1), Some(970));
        assert_eq!(
            d("5.1")
                .times(d("7.50062"))
                .unwrap()
                .with_places(1)
                .to_string(),
            "38.3"
        );
    }

    #[test]
    fn json_numbers_come_back_exactly() {
        for text in ["84", "84.5", "0.55", "-3.25"] {
            let back: Decimal = serde_json::from_str(text).unwrap();
            assert_eq!(back, d(text));
        }
        assert!(serde_json::from_str::<Decimal>("1e300").is_err());
    }
}
