//! base64url without padding ([RFC 4648 section 5], [RFC 7515 section 2]), canonical only.
//!
//! Refused when decoding: any character outside `A–Z a–z 0–9 - _`, padding, white space, a length of
//! 1 modulo 4, and trailing bits that are not zero; so every byte string has exactly one text form.
//!
//! Two decoders with one meaning: [`decode`] for public text, by table, and [`decode_secret`] and
//! [`encode_into`] for secrets, whose time and memory accesses depend on the length alone.
//!
//! [RFC 4648 section 5]: https://www.rfc-editor.org/rfc/rfc4648#section-5
//! [RFC 7515 section 2]: https://www.rfc-editor.org/rfc/rfc7515#section-2

use alloc::string::String;
use core::fmt;

/// The text is not canonical base64url, or does not fit the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not canonical base64url without padding")
    }
}

impl core::error::Error for Malformed {}

/// The length of the text form of `len` bytes.
pub const fn encoded_len(len: usize) -> usize {
    len.saturating_mul(8).div_ceil(6)
}

/// The number of bytes that `len` characters stand for, where they are canonical.
pub const fn decoded_len(len: usize) -> usize {
    len.saturating_mul(6) / 8
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const INVALID: u8 = 0xff;
const SEXTETS: [u8; 256] = sextets();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which refuses both"
)]
const fn sextets() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut i = 0;
    while i < ALPHABET.len() {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table
}

/// Decodes public text into the front of `out` and gives back that part of it. Not constant-time.
///
/// # Errors
/// [`Malformed`] where the text is not canonical or `out` is shorter than [`decoded_len`].
pub fn decode<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Malformed> {
    let sextet = |c: u8| SEXTETS.get(usize::from(c)).copied().unwrap_or(INVALID);
    decode_by(text, out, sextet)
}

/// As [`decode`], in time that depends on the length alone: no table is indexed by a secret.
///
/// # Errors
/// [`Malformed`], as [`decode`]. Whether the text was malformed is not kept secret; where is.
///
/// # Security
/// A table look-up would leave the secret's characters in the cache for a co-resident attacker.
pub fn decode_secret<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Malformed> {
    decode_by(text, out, sextet_of_secret)
}

fn decode_by<'o>(text: &[u8], out: &'o mut [u8], sextet: impl Fn(u8) -> u8) -> Result<&'o [u8], Malformed> {
    let len = decoded_len(text.len());
    let out = out.get_mut(..len).ok_or(Malformed)?;
    let mut bad = u8::from(text.len() % 4 == 1);
    let mut groups = text.chunks_exact(4);
    let mut written = out.chunks_exact_mut(3);
    for (group, bytes) in groups.by_ref().zip(written.by_ref()) {
        let &[a, b, c, d] = group else { return Err(Malformed) };
        let (a, b, c, d) = (sextet(a), sextet(b), sextet(c), sextet(d));
        bad |= (a | b | c | d) & 0xc0;
        if let [x, y, z] = bytes {
            *x = a << 2 | (b & 0x3f) >> 4;
            *y = b << 4 | (c & 0x3f) >> 2;
            *z = c << 6 | d & 0x3f;
        }
    }
    match (groups.remainder(), written.into_remainder()) {
        (&[a, b], [x]) => {
            let (a, b) = (sextet(a), sextet(b));
            bad |= (a | b) & 0xc0 | b & 0x0f;
            *x = a << 2 | (b & 0x3f) >> 4;
        }
        (&[a, b, c], [x, y]) => {
            let (a, b, c) = (sextet(a), sextet(b), sextet(c));
            bad |= (a | b | c) & 0xc0 | c & 0x03;
            *x = a << 2 | (b & 0x3f) >> 4;
            *y = b << 4 | (c & 0x3f) >> 2;
        }
        _ => {}
    }
    if bad == 0 { Ok(out) } else { Err(Malformed) }
}

/// The sextet of a character by arithmetic: each range contributes its value under a mask, and what
/// is in no range comes out with the two top bits set.
fn sextet_of_secret(c: u8) -> u8 {
    let c = i16::from(c);
    // -1 where low <= c <= high, else 0: the sign of (low - 1 - c) & (c - high - 1).
    let within = |low: u8, high: u8| {
        (i16::from(low).wrapping_sub(1).wrapping_sub(c) & c.wrapping_sub(i16::from(high)).wrapping_sub(1)) >> 8
    };
    let value = (within(b'A', b'Z') & c.wrapping_sub(0x40))
        .wrapping_add(within(b'a', b'z') & c.wrapping_sub(0x46))
        .wrapping_add(within(b'0', b'9') & c.wrapping_add(0x05))
        .wrapping_add(within(b'-', b'-') & 0x3f)
        .wrapping_add(within(b'_', b'_') & 0x40);
    value.wrapping_sub(1).to_le_bytes()[0]
}

/// Encodes into the front of `out`, in time that depends on the length alone, and gives back that part.
///
/// # Errors
/// [`Malformed`] where `out` is shorter than [`encoded_len`].
pub fn encode_into<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, Malformed> {
    let out = out.get_mut(..encoded_len(bytes.len())).ok_or(Malformed)?;
    let mut groups = bytes.chunks_exact(3);
    let mut written = out.chunks_exact_mut(4);
    for (group, text) in groups.by_ref().zip(written.by_ref()) {
        if let (&[x, y, z], [a, b, c, d]) = (group, text) {
            *a = character(x >> 2);
            *b = character((x << 4 | y >> 4) & 0x3f);
            *c = character((y << 2 | z >> 6) & 0x3f);
            *d = character(z & 0x3f);
        }
    }
    match (groups.remainder(), written.into_remainder()) {
        (&[x], [a, b]) => {
            *a = character(x >> 2);
            *b = character(x << 4 & 0x3f);
        }
        (&[x, y], [a, b, c]) => {
            *a = character(x >> 2);
            *b = character((x << 4 | y >> 4) & 0x3f);
            *c = character(y << 2 & 0x3f);
        }
        _ => {}
    }
    core::str::from_utf8(out).map_err(|_| Malformed)
}

/// The character of a sextet by arithmetic: start in `A–Z` and step over each gap that lies below.
fn character(sextet: u8) -> u8 {
    let s = i16::from(sextet);
    // -1 where s > limit, else 0.
    let above = |limit: i16| limit.wrapping_sub(s) >> 8;
    let c = s
        .wrapping_add(i16::from(b'A'))
        .wrapping_add(above(25) & 6)
        .wrapping_sub(above(51) & 75)
        .wrapping_sub(above(61) & 13)
        .wrapping_add(above(62) & 49);
    c.to_le_bytes()[0]
}

/// The text form as a new string, in time that depends on the length alone.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = alloc::vec![0; encoded_len(bytes.len())];
    // The buffer has the right length, so this cannot fail; an empty string would be refused anywhere.
    let filled = encode_into(bytes, &mut text).is_ok();
    if filled { String::from_utf8(text).unwrap_or_default() } else { String::new() }
}

/// Writes the text form of up to 48 bytes, for `Display` of identifiers.
pub(crate) fn write_to(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let mut text = [0; 64];
    f.write_str(encode_into(bytes, &mut text).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_string_has_one_text_form_and_both_decoders_agree() {
        for len in 0..=9usize {
            for seed in 0..=255u8 {
                let bytes: alloc::vec::Vec<u8> =
                    (0..len).map(|i| seed.wrapping_mul(37).wrapping_add((i as u8).wrapping_mul(91))).collect();
                let text = encode(&bytes);
                let (mut fast, mut secret) = ([0; 9], [0; 9]);
                assert_eq!(decode(text.as_bytes(), &mut fast), Ok(&bytes[..]));
                assert_eq!(decode_secret(text.as_bytes(), &mut secret), Ok(&bytes[..]));
            }
        }
    }

    #[test]
    fn the_arithmetic_and_the_table_agree_on_every_character() {
        for c in 0..=255u8 {
            let (table, arithmetic) = (SEXTETS[usize::from(c)], sextet_of_secret(c));
            assert_eq!(table == INVALID, arithmetic & 0xc0 != 0, "{c}");
            assert!(table == INVALID || table == arithmetic, "{c}");
        }
        for (sextet, c) in ALPHABET.iter().enumerate() {
            assert_eq!(character(sextet as u8), *c);
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in ["A", "AAAAA", "AA==", "AB", "AAB", "A+", "A/", "A A", "AA\n", "AA\0", "é"] {
            let (mut fast, mut secret) = ([0; 9], [0; 9]);
            assert_eq!(decode(text.as_bytes(), &mut fast), Err(Malformed), "{text:?}");
            assert_eq!(decode_secret(text.as_bytes(), &mut secret), Err(Malformed), "{text:?}");
        }
    }
}
