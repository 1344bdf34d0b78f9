//! Lossless compression of one second of one wave.
//!
//! Promises: every list of samples comes back exactly, missing samples included; a blob that is damaged
//! is an error, never a panic, and never allocates more than [`MOST_SAMPLES`] samples.
//!
//! A wave is smooth, so the next sample is predicted from the last ones by a polynomial of order 0 to 3
//! (the fixed predictors of Robinson's *Shorten*), and what is left is written in Rice code whose
//! parameter follows the recent size of the residuals (as in LOCO-I, Weinberger et al. 2000).
//!
//! Layout: one byte format and order, one byte first Rice parameter; then as variable-length integers the
//! number of samples, the number of runs (0: no sample is missing), the run lengths (present, missing,
//! present, …) and the first present sample; then the residuals as a bit stream, most significant bit first.

/// The longest blob in samples: one second of the fastest wave we keep.
pub const MOST_SAMPLES: usize = 8_192;

/// The format, in the upper half of the first byte.
const FORMAT: u8 = 0x10;
/// Predictor orders.
const ORDERS: u8 = 4;
/// Quotients from here on are written as an escape and the plain number.
const ESCAPE: u32 = 20;
/// Bits of a plain residual: three differences of 32-bit samples, and the sign.
const PLAIN_BITS: u32 = 36;
/// The largest Rice parameter.
const MOST_RICE: u8 = 34;
/// Residuals that the Rice parameter remembers.
const MEMORY: u64 = 24;

/// The bytes are no wave second of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the wave's bytes are damaged")]
pub struct DamagedWave;

/// The last three samples, and what they predict.
#[derive(Clone, Copy, Default)]
struct Predictor {
    order: u8,
    seen: u8,
    last: [i64; 3],
}

impl Predictor {
    fn starting(order: u8, first: i64) -> Self {
        let mut predictor = Self {
            order,
            ..Self::default()
        };
        predictor.push(first);
        predictor
    }

    fn predict(&self) -> i64 {
        let [a, b, c] = self.last;
        match self.order.min(self.seen) {
            0 => 0,
            1 => a,
            2 => 2 * a - b,
            _ => 3 * a - 3 * b + c,
        }
    }

    fn push(&mut self, sample: i64) {
        let [a, b, _] = self.last;
        self.last = [sample, a, b];
        self.seen = (self.seen + 1).min(3);
    }
}

/// The Rice parameter that fits the recent residuals.
struct Adaptive {
    sum: u64,
    count: u64,
}

impl Adaptive {
    const fn starting(parameter: u8) -> Self {
        Self {
            sum: 4 << parameter,
            count: 4,
        }
    }

    fn parameter(&self) -> u8 {
        // The best parameter is near log2(0.69 · mean) for a geometric distribution.
        let mut parameter = 0;
        while parameter < MOST_RICE && (self.count << parameter) * 3 < self.sum * 2 {
            parameter += 1;
        }
        parameter
    }

    const fn learn(&mut self, residual: u64) {
        self.sum += residual;
        self.count += 1;
        if self.count >= MEMORY {
            self.sum /= 2;
            self.count /= 2;
        }
    }
}

/// Small magnitudes of either sign become small numbers.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(code: u64) -> i64 {
    (code >> 1).cast_signed() ^ -((code & 1).cast_signed())
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    held: u64,
    bits: u32,
}

impl BitWriter {
    /// Writes the low `bits` (at most 36) of `value`.
    fn put(&mut self, value: u64, bits: u32) {
        self.held = self.held << bits | (value & ((1 << bits) - 1));
        self.bits += bits;
        while self.bits >= 8 {
            self.bits -= 8;
            let [byte, ..] = (self.held >> self.bits).to_le_bytes();
            self.bytes.push(byte);
        }
        self.held &= (1 << self.bits) - 1;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.bits > 0 {
            self.put(0, 8 - self.bits);
        }
        self.bytes
    }
}

struct BitReader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u64,
    bits: u32,
}

impl BitReader<'_> {
    /// The next `bits` (at most 36).
    fn take(&mut self, bits: u32) -> Result<u64, DamagedWave> {
        while self.bits < bits {
            let byte = self.bytes.next().ok_or(DamagedWave)?;
            self.held = self.held << 8 | u64::from(*byte);
            self.bits += 8;
        }
        self.bits -= bits;
        let value = self.held >> self.bits;
        self.held &= (1 << self.bits) - 1;
        Ok(value)
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = (value & 0x7f).to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take_varint(bytes: &mut std::slice::Iter<'_, u8>) -> Result<u64, DamagedWave> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.next().ok_or(DamagedWave)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DamagedWave)
}

fn length(value: u64) -> Result<usize, DamagedWave> {
    match usize::try_from(value) {
        Ok(value) if value <= MOST_SAMPLES => Ok(value),
        Ok(_) | Err(_) => Err(DamagedWave),
    }
}

/// Lengths of present, missing, present, … runs; empty when nothing is missing.
fn runs(samples: &[Option<i32>]) -> Vec<u64> {
    if samples.iter().all(Option::is_some) {
        return Vec::new();
    }
    let mut lengths = Vec::new();
    let mut present = true;
    let mut length = 0_u64;
    for sample in samples {
        if sample.is_some() != present {
            lengths.push(length);
            length = 0;
            present = !present;
        }
        length += 1;
    }
    lengths.push(length);
    lengths
}

/// The residuals of the samples after the first under a predictor of this order.
fn residuals(order: u8, first: i64, rest: &[i64]) -> impl Iterator<Item = u64> {
    let mut predictor = Predictor::starting(order, first);
    rest.iter().map(move |&sample| {
        let code = zigzag(sample - predictor.predict());
        predictor.push(sample);
        code
    })
}

/// The bytes that stand for these samples; at most [`MOST_SAMPLES`] of them.
pub fn encode(samples: &[Option<i32>]) -> Vec<u8> {
    let present: Vec<i64> = samples.iter().flatten().copied().map(i64::from).collect();
    let (first, rest) = match present.split_first() {
        Some((first, rest)) => (*first, rest),
        None => (0, [].as_slice()),
    };
    let cost = |order: &u8| residuals(*order, first, rest).sum::<u64>();
    let order = (0..ORDERS).min_by_key(cost).unwrap_or(1);
    let mean = cost(&order) / u64::try_from(rest.len().max(1)).unwrap_or(1);
    let start = Adaptive {
        sum: mean,
        count: 1,
    }
    .parameter();

    let mut bytes = vec![FORMAT | order, start];
    let lengths = runs(samples);
    put_varint(&mut bytes, u64::try_from(samples.len()).unwrap_or(0));
    put_varint(&mut bytes, u64::try_from(lengths.len()).unwrap_or(0));
    for length in lengths {
        put_varint(&mut bytes, length);
    }
    put_varint(&mut bytes, zigzag(first));

    let mut out = BitWriter {
        bytes,
        ..BitWriter::default()
    };
    let mut rice = Adaptive::starting(start);
    for residual in residuals(order, first, rest) {
        let parameter = u32::from(rice.parameter());
        match u32::try_from(residual >> parameter) {
            Ok(quotient) if quotient < ESCAPE => {
                // `quotient` ones and a zero, then the remainder.
                out.put((1 << (quotient + 1)) - 2, quotient + 1);
                out.put(residual, parameter);
            }
            Ok(_) | Err(_) => {
                out.put((1 << ESCAPE) - 1, ESCAPE);
                out.put(residual, PLAIN_BITS);
            }
        }
        rice.learn(residual);
    }
    out.finish()
}

/// The samples that the bytes stand for.
pub fn decode(bytes: &[u8]) -> Result<Vec<Option<i32>>, DamagedWave> {
    let mut rest = bytes.iter();
    let head = *rest.next().ok_or(DamagedWave)?;
    let order = head & 0x0f;
    let start = *rest.next().ok_or(DamagedWave)?;
    if head & 0xf0 != FORMAT || order >= ORDERS || start > MOST_RICE {
        return Err(DamagedWave);
    }
    let count = length(take_varint(&mut rest)?)?;
    let run_count = length(take_varint(&mut rest)?)?;
    let mut lengths = Vec::new();
    for _ in 0..run_count {
        lengths.push(length(take_varint(&mut rest)?)?);
    }
    if run_count == 0 {
        lengths.push(count);
    } else if lengths.iter().sum::<usize>() != count {
        return Err(DamagedWave);
    }
    let first = unzigzag(take_varint(&mut rest)?);

    let mut bits = BitReader {
        bytes: rest,
        held: 0,
        bits: 0,
    };
    let mut predictor = Predictor::starting(order, first);
    let mut rice = Adaptive::starting(start);
    let mut next = Some(first);
    let mut samples = Vec::with_capacity(count);
    for (place, length) in lengths.into_iter().enumerate() {
        for _ in 0..length {
            if place % 2 == 1 {
                samples.push(None);
                continue;
            }
            let sample = match next.take() {
                Some(first) => first,
                None => {
                    let residual = take_residual(&mut bits, u32::from(rice.parameter()))?;
                    rice.learn(residual);
                    let sample = predictor.predict() + unzigzag(residual);
                    predictor.push(sample);
                    sample
                }
            };
            samples.push(Some(i32::try_from(sample).map_err(|_| DamagedWave)?));
        }
    }
    Ok(samples)
}

fn take_residual(bits: &mut BitReader<'_>, parameter: u32) -> Result<u64, DamagedWave> {
    let mut quotient = 0_u32;
    while bits.take(1)? == 1 {
        quotient += 1;
        if quotient == ESCAPE {
            return bits.take(PLAIN_BITS);
        }
    }
    Ok(u64::from(quotient) << parameter | bits.take(parameter)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_wave() -> impl Strategy<Value = Vec<Option<i32>>> {
        let step = prop_oneof![
            8 => -40_i32..40,
            1 => any::<i32>(),
            1 => Just(0_i32),
        ];
        prop::collection::vec((step, 0_u8..20), 0..600).prop_map(|steps| {
            let mut level = 0_i32;
            steps
                .into_iter()
                .map(|(step, missing)| {
                    level = level.wrapping_add(step);
                    (missing != 0).then_some(level)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_wave_comes_back(samples in any_wave()) {
            prop_assert_eq!(decode(&encode(&samples)), Ok(samples));
        }

        #[test]
        fn whole_waves_come_back(samples in prop::collection::vec(any::<i32>().prop_map(Some), 0..300)) {
            prop_assert_eq!(decode(&encode(&samples)), Ok(samples));
        }

        #[test]
        fn garbage_is_an_error_or_some_samples(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(samples) = decode(&bytes) {
                prop_assert!(samples.len() <= MOST_SAMPLES);
            }
        }

        #[test]
        fn a_damaged_blob_never_panics(samples in any_wave(), place in any::<prop::sample::Index>(), value in any::<u8>(), keep in any::<prop::sample::Index>()) {
            let mut bytes = encode(&samples);
            let at = place.index(bytes.len());
            bytes[at] = value;
            let _ = decode(&bytes);
            bytes.truncate(keep.index(bytes.len()));
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn extremes_and_empty_lists_come_back() {
        for samples in [
            vec![],
            vec![None],
            vec![None, None, Some(i32::MIN)],
            vec![
                Some(i32::MAX),
                Some(i32::MIN),
                Some(i32::MAX),
                Some(i32::MIN),
                Some(0),
                None,
            ],
            vec![Some(7); MOST_SAMPLES],
        ] {
            assert_eq!(decode(&encode(&samples)), Ok(samples));
        }
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        assert_eq!(
            decode(&[0x10, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
            Err(DamagedWave)
        );
        // All missing, one run more than samples, and the sum wrong.
        assert_eq!(decode(&[0x10, 0, 4, 2, 0, 9, 0]), Err(DamagedWave));
    }

    #[test]
    fn a_flat_line_costs_about_a_bit_a_sample() {
        let bytes = encode(&vec![Some(-1_234); 250]);
        assert!(bytes.len() < 45, "{}", bytes.len());
    }
}
