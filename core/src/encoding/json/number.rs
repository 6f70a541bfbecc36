//! Numbers of a JSON text, exact: no float is ever made ([RFC 8259 section 6]).
//!
//! Refuses, as a claim: a sign (so also `-0`), an exponent or fraction where an integer is wanted, and
//! anything above [`MAX_SAFE_INTEGER`].
//!
//! [RFC 8259 section 6]: https://www.rfc-editor.org/rfc/rfc8259#section-6

/// 2^53 − 1, the largest integer that every JSON reader holds exactly ([RFC 7493 section 2.2]).
///
/// [RFC 7493 section 2.2]: https://www.rfc-editor.org/rfc/rfc7493#section-2.2
pub const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// A number, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    raw: &'a str,
}

/// The parts of a number; `exponent` is clamped to ±100 000, far beyond what a text can outweigh.
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: i64,
    plain: bool,
}

impl<'a> Number<'a> {
    pub(super) fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The number as it was written.
    pub fn as_str(self) -> &'a str {
        self.raw
    }

    /// The value, where it is written as a plain integer from 0 to [`MAX_SAFE_INTEGER`].
    pub fn as_u64(self) -> Option<u64> {
        // 2^53 − 1 has 16 digits, and a number has no leading zeros.
        if self.raw.len() > 16 {
            return None;
        }
        let mut value = 0u64;
        for byte in self.raw.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.wrapping_mul(10).wrapping_add(digit.into());
        }
        Some(value).filter(|value| *value <= MAX_SAFE_INTEGER)
    }

    /// The value rounded down, where it lies from 0 to [`MAX_SAFE_INTEGER`] and carries no sign. A
    /// fraction and an exponent are taken into account exactly.
    pub fn floor_u64(self) -> Option<u64> {
        let parts = self.parts();
        if parts.negative {
            return None;
        }
        let point = i64::try_from(parts.integer.len()).ok()?.saturating_add(parts.exponent);
        let written = parts.integer.bytes().chain(parts.fraction.bytes());
        if written.clone().all(|digit| digit == b'0') {
            return Some(0);
        }
        let digits = written.chain(core::iter::repeat(b'0'));
        let mut value = 0u64;
        for digit in digits.take(usize::try_from(point).unwrap_or(0)) {
            let digit = u64::from(digit.wrapping_sub(b'0'));
            value = value.checked_mul(10)?.checked_add(digit).filter(|v| *v <= MAX_SAFE_INTEGER)?;
        }
        Some(value)
    }

    /// Whether a plain integer fits 64 bits, and any other number the range of a double.
    pub(super) fn is_representable(self) -> bool {
        let parts = self.parts();
        if parts.plain {
            return if parts.negative { self.raw.parse::<i64>().is_ok() } else { self.raw.parse::<u64>().is_ok() };
        }
        let digits = || parts.integer.bytes().chain(parts.fraction.bytes());
        let Some(leading) = digits().position(|digit| digit != b'0') else { return true };
        // The decimal exponent of the first digit that is not zero.
        let lengths = (i64::try_from(parts.integer.len()), i64::try_from(leading));
        let (Ok(integer), Ok(leading)) = lengths else { return false };
        let magnitude = integer.saturating_sub(1).saturating_sub(leading).saturating_add(parts.exponent);
        (-307..=307).contains(&magnitude)
    }

    fn parts(self) -> Parts<'a> {
        let (negative, unsigned) = match self.raw.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.raw),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Parts {
            negative,
            integer,
            fraction,
            exponent: exponent.map_or(0, clamped_exponent),
            plain: exponent.is_none() && fraction.is_empty(),
        }
    }
}

fn clamped_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = digits.bytes().fold(0i64, |size, digit| {
        size.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(100_000)
    });
    if negative { size.saturating_neg() } else { size }
}
