//! Comparison of secrets and tags.
//!
//! # Security
//! One that stopped at the first byte that differs would tell by its time how far a guess was right.

use subtle::ConstantTimeEq;

/// Whether two byte strings are the same, in time that depends on their lengths alone. They are gathered by words and
/// compared once.
#[inline]
pub(crate) fn equal<const N: usize>(expected: &[u8; N], other: &[u8]) -> bool {
    let (words, rest) = expected.as_chunks();
    let (other_words, other_rest) = other.as_chunks();
    let mut difference = u64::from(other.len() != N);
    for (a, b) in words.iter().zip(other_words) {
        difference |= u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
    }
    for (a, b) in rest.iter().zip(other_rest) {
        difference |= u64::from(a ^ b);
    }
    difference.ct_eq(&0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_are_equal() {
        fn check<const N: usize>() {
            let bytes: [u8; N] = core::array::from_fn(|i| i as u8);
            assert!(equal(&bytes, &bytes));
            for at in 0..N {
                for bit in 0..8 {
                    let mut other = bytes;
                    other[at] ^= 1 << bit;
                    assert!(!equal(&bytes, &other), "byte {at}");
                }
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(!equal(&bytes, &longer));
            if let Some((_, shorter)) = bytes.split_last() {
                assert!(!equal(&bytes, shorter));
            }
        }
        check::<0>();
        check::<1>();
        check::<7>();
        check::<16>();
        check::<19>();
        check::<32>();
        check::<48>();
        check::<64>();
    }
}
