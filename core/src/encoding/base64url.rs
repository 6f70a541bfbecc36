//! base64url without padding ([RFC 4648 section 5], [RFC 7515 section 2]), canonical only.
//!
//! Refused when decoding: any character outside `A–Z a–z 0–9 - _`, padding, white space, a length of
//! 1 modulo 4, and trailing bits that are not zero; so every byte string has exactly one text form.
//!
//! No table is indexed but in [`decode_public`]: time and memory accesses depend on the length alone. Of
//! what [`decode_secret`] decodes no copy is left behind.
//!
//! [RFC 4648 section 5]: https://www.rfc-editor.org/rfc/rfc4648#section-5
//! [RFC 7515 section 2]: https://www.rfc-editor.org/rfc/rfc7515#section-2

mod by_table;

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

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

/// Characters that are decoded at once, and the bytes that they stand for: enough for vector registers.
const TEXT_BLOCK: usize = 32;
const BYTE_BLOCK: usize = decoded_len(TEXT_BLOCK);

/// Decodes into the front of `out`, in time that depends on the length alone, and gives back that part of it.
///
/// # Errors
/// [`Malformed`] where the text is not canonical or `out` is shorter than [`decoded_len`].
pub fn decode<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Malformed> {
    decode_by_blocks(text, out, &mut { LAST_BLOCK })
}

/// As [`decode`], sooner: for headers, payloads and names, which are no secret.
///
/// # Errors
/// [`Malformed`], as [`decode`].
///
/// # Security
/// It looks up tables, which leaves in the cache what characters the text has.
pub fn decode_public<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Malformed> {
    by_table::decode(text, out)
}

/// As [`decode`], and wipes what it copies.
///
/// # Errors
/// [`Malformed`], as [`decode`]. Whether the text was malformed is not kept secret; where is.
///
/// # Security
/// A table look-up would leave the secret's characters in the cache for a co-resident attacker.
pub fn decode_secret<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Malformed> {
    decode_by_blocks(text, out, &mut Zeroizing::new(LAST_BLOCK))
}

/// Where the rest of a text is decoded that does not fill a block: filled up with characters that stand for
/// zero, so that the bits behind the last whole byte, which have to be zero, are those of the byte behind it.
type LastBlock = ([u8; TEXT_BLOCK], [u8; BYTE_BLOCK]);
const LAST_BLOCK: LastBlock = ([b'A'; TEXT_BLOCK], [0; BYTE_BLOCK]);

#[inline(always)]
fn decode_by_blocks<'o>(text: &[u8], out: &'o mut [u8], last: &mut LastBlock) -> Result<&'o [u8], Malformed> {
    let out = out.get_mut(..decoded_len(text.len())).ok_or(Malformed)?;
    let (blocks, tail) = text.as_chunks::<TEXT_BLOCK>();
    let (byte_blocks, byte_tail) =
        out.split_at_mut_checked(blocks.len().saturating_mul(BYTE_BLOCK)).ok_or(Malformed)?;
    let mut bad = u64::from(text.len() % 4 == 1);
    for (block, bytes) in blocks.iter().zip(byte_blocks.as_chunks_mut().0) {
        bad |= decode_block(block, bytes);
    }
    if !tail.is_empty() {
        let (block, bytes) = last;
        block.get_mut(..tail.len()).ok_or(Malformed)?.copy_from_slice(tail);
        bad |= decode_block(block, bytes);
        let (whole, rest) = bytes.split_at_checked(byte_tail.len()).ok_or(Malformed)?;
        byte_tail.copy_from_slice(whole);
        bad |= u64::from(rest.first().copied().unwrap_or_default());
    }
    if bad == 0 { Ok(out) } else { Err(Malformed) }
}

/// Decodes a block; the outcome is not zero where a character is outside the alphabet.
fn decode_block(text: &[u8; TEXT_BLOCK], bytes: &mut [u8; BYTE_BLOCK]) -> u64 {
    // In a loop of its own, which compilers turn into vector instructions.
    let sextets = text.map(sextet);
    let mut bad = 0;
    for (eight, six) in sextets.as_chunks().0.iter().zip(bytes.as_chunks_mut::<6>().0) {
        // Neighbours move together: four pairs of 12 bits, two of 24, one of 48.
        let word = u64::from_be_bytes(*eight);
        bad |= word & 0xc0c0_c0c0_c0c0_c0c0;
        let word = word & 0x003f_003f_003f_003f | (word & 0x3f00_3f00_3f00_3f00) >> 2;
        let word = word & 0x0000_0fff_0000_0fff | (word & 0x0fff_0000_0fff_0000) >> 4;
        let word = word & 0x00ff_ffff | (word & 0x00ff_ffff_0000_0000) >> 8;
        let [_, _, six_bytes @ ..] = word.to_be_bytes();
        *six = six_bytes;
    }
    bad
}

/// The sextet of a character by arithmetic: each range contributes its value under a mask, and what
/// is in no range comes out with the two top bits set.
#[inline]
fn sextet(c: u8) -> u8 {
    let mask = |holds: bool| u8::from(holds).wrapping_neg();
    let (letter, digit) = ((c | 0x20).wrapping_sub(b'a'), c.wrapping_sub(b'0'));
    let (is_letter, is_digit) = (mask(letter < 26), mask(digit < 10));
    let (is_minus, is_line) = (mask(c == b'-'), mask(c == b'_'));
    let lower = mask(c.cast_signed() > 0x60) & 26;
    let value =
        is_letter & letter.wrapping_add(lower) | is_digit & digit.wrapping_add(52) | is_minus & 62 | is_line & 63;
    value | !(is_letter | is_digit | is_minus | is_line)
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
    // The mask changes no character. It shows that the top bit depends on nothing, so that neither does the branch
    // by which text is found to be UTF-8.
    c.to_le_bytes()[0] & 0x7f
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

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn every_byte_string_has_one_text_form() {
        for len in 0..=100usize {
            for seed in 0..=255u8 {
                let bytes: alloc::vec::Vec<u8> =
                    (0..len).map(|i| seed.wrapping_mul(37).wrapping_add((i as u8).wrapping_mul(91))).collect();
                let mut text = encode(&bytes).into_bytes();
                let mut out = [0; 100];
                assert_eq!(decode(&text, &mut out), Ok(&bytes[..]));
                assert_eq!(decode_public(&text, &mut out), Ok(&bytes[..]));
                assert_eq!(decode_secret(&text, &mut out), Ok(&bytes[..]));
                // Another last character is another byte string or none at all.
                if let Some(last) = text.last_mut() {
                    *last = ALPHABET[usize::from(seed) % 64];
                    let decoded = decode(&text, &mut out).map(<[u8]>::to_vec);
                    assert_eq!(decode_public(&text, &mut out).map(<[u8]>::to_vec), decoded);
                    assert_eq!(decode_secret(&text, &mut out).map(<[u8]>::to_vec), decoded);
                    assert!(decoded.is_err() || encode(&decoded.unwrap()).into_bytes() == text);
                }
            }
        }
    }

    #[test]
    fn the_alphabet_is_that_of_the_rfc() {
        for c in 0..=255u8 {
            let expected = ALPHABET.iter().position(|other| *other == c);
            assert_eq!(expected.is_none(), sextet(c) & 0xc0 != 0, "{c}");
            assert!(expected.is_none_or(|expected| usize::from(sextet(c)) == expected), "{c}");
        }
        for (sextet, c) in ALPHABET.iter().enumerate() {
            assert_eq!(character(sextet as u8), *c);
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused_wherever_it_stands() {
        for text in ["A", "AAAAA", "AA==", "AB", "AAB", "A+", "A/", "A A", "AA\n", "AA\0", "é"] {
            for before in [0, 4, 28, 32, 64] {
                let text = ["A".repeat(before).as_str(), text].concat();
                assert_eq!(decode(text.as_bytes(), &mut [0; 99]), Err(Malformed), "{text:?}");
                assert_eq!(decode_public(text.as_bytes(), &mut [0; 99]), Err(Malformed), "{text:?}");
                assert_eq!(decode_secret(text.as_bytes(), &mut [0; 99]), Err(Malformed), "{text:?}");
            }
        }
        for at in 0..96 {
            for c in (0..=255u8).filter(|c| !ALPHABET.contains(c)) {
                let mut text = [b'A'; 96];
                text[at] = c;
                assert_eq!(decode(&text, &mut [0; 72]), Err(Malformed), "{c} at {at}");
                assert_eq!(decode_public(&text, &mut [0; 72]), Err(Malformed), "{c} at {at}");
                assert_eq!(decode_secret(&text, &mut [0; 72]), Err(Malformed), "{c} at {at}");
            }
        }
    }

    #[test]
    fn a_buffer_that_is_too_short_is_refused() {
        for decode in [decode, decode_public, decode_secret] {
            assert_eq!(decode(b"AAAA", &mut [0; 2]), Err(Malformed));
            assert_eq!(decode(b"", &mut []), Ok(&[][..]));
        }
    }
}
