//! Tells the text of a key pair's half from a secret (algorithm confusion, [RFC 8725 section 2.1]).
//!
//! A verifier that were given a public key's text as its HMAC secret would accept what anybody signs
//! with that text. Recognized: PEM, DER, OpenSSH and RFC 4716 lines, JWK and JWK sets, and the base64 of
//! a DER key, each also behind a byte-order mark, with white space, or in UTF-16. Not recognized,
//! because it looks like any random string: the raw 32 bytes of an Ed25519 key.
//!
//! What is looked at may well be a secret, so every byte is looked at alike: no branch and no address depends
//! on one, but where a secret begins like a JSON object, which is then read as one.
//!
//! [RFC 8725 section 2.1]: https://www.rfc-editor.org/rfc/rfc8725#section-2.1

use crate::encoding::json;

/// How texts of keys begin, in lower case and without white space.
const BEGINNINGS: [&[u8]; 11] = [
    b"-----begin",
    b"----begin",
    b"ssh-",
    b"ecdsa-sha2-",
    b"sk-ssh-",
    b"sk-ecdsa-",
    // Base64 of SubjectPublicKeyInfo: Ed25519, P-256, RSA; and of the SSH wire form.
    b"mcowbqydk2vwayea",
    b"mfkwewyhkozizj0c",
    b"miibijanbgkqhkig",
    b"aaaac3nzac1lzdi1",
    b"aaaab3nzac1yc2ea",
];

/// What stands in texts of keys, wherever.
const CONTENTS: [&[u8]; 2] = [b"publickey", b"\"kty\""];

/// How the content of a DER SEQUENCE begins that is a key, each byte under a mask: with the algorithm (SPKI), a
/// version (PKCS#8, PKCS#1 private) or a long integer (PKCS#1 public).
const DER_BEGINNINGS: [&[(u8, u8)]; 7] = [
    &[is(0x30), ANY, is(0x06)],
    &[is(0x30), is(0x81), ANY, is(0x06)],
    &[is(0x02), is(0x01), (0x00, 0xfe), is(0x30)],
    &[is(0x02), is(0x01), is(0x01), is(0x04)],
    &[is(0x02), is(0x01), is(0x00), is(0x02)],
    &[is(0x02), is(0x81)],
    &[is(0x02), is(0x82)],
];
const ANY: (u8, u8) = (0, 0);

const fn is(byte: u8) -> (u8, u8) {
    (byte, 0xff)
}

/// White space, byte-order marks and the NULs of UTF-16.
const SKIPPED: [u8; 12] = [0, b'\t', b'\n', 0xb, 0xc, b'\r', b' ', 0xef, 0xbb, 0xbf, 0xfe, 0xff];

/// Whether `secret` is the text, or the DER form, of a public or private key.
pub(super) fn is_key_text(secret: &[u8]) -> bool {
    let begins = BEGINNINGS.iter().fold(0, |found, word| found | search(secret, word, Where::AtTheBeginning));
    let contains = CONTENTS.iter().fold(0, |found, word| found | search(secret, word, Where::Anywhere));
    begins | contains | is_der_key(secret) != 0 || is_jwk(secret)
}

/// Whether `secret` is white space alone.
pub(super) fn is_blank(secret: &[u8]) -> bool {
    secret.iter().fold(u8::MAX, |blank, byte| blank & among(*byte, b"\t\n\x0c\r ")) != 0
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    AtTheBeginning,
    Anywhere,
}

/// Not zero where the significant bytes of `secret`, in lower case, have `word` in them. Bit i of the state says
/// that those up to now end with the first i + 1 characters of the word, which are fewer than 64.
fn search(secret: &[u8], word: &[u8], place: Where) -> u64 {
    let (mut state, mut start, mut found) = (0u64, 1u64, 0u64);
    let again = u64::from(place == Where::Anywhere);
    for byte in secret {
        let skip = u64::from(among(*byte, &SKIPPED) & 1).wrapping_neg();
        let lower = byte.to_ascii_lowercase();
        let fits = word.iter().rev().fold(0, |fits, c| fits << 1 | u64::from(equal(*c, lower) & 1));
        state = state & skip | (state << 1 | start) & fits & !skip;
        start = start & skip | again & !skip;
        found |= state;
    }
    word.iter().skip(1).fold(found, |found, _| found >> 1)
}

/// All ones where the bytes are the same, else zero.
fn equal(one: u8, other: u8) -> u8 {
    let [_, mask] = u16::from(one ^ other).wrapping_sub(1).to_le_bytes();
    mask
}

/// All ones where `byte` is one of `bytes`, else zero.
fn among(byte: u8, bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |found, other| found | equal(byte, *other))
}

/// JSON that names a key type, or keys.
fn is_jwk(secret: &[u8]) -> bool {
    if search(secret, b"{", Where::AtTheBeginning) == 0 {
        return false;
    }
    let bytes = secret.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(secret);
    json::object(bytes).is_ok_and(|object| object.get("kty").is_some() || object.get("keys").is_some())
}

/// Not zero where the bytes are one DER SEQUENCE, of the announced length, that begins as keys do. The length is no
/// secret, so what announces it is known.
fn is_der_key(secret: &[u8]) -> u64 {
    let announced = |header: usize| u16::try_from(secret.len().checked_sub(header)?).ok().map(u16::to_be_bytes);
    let short = announced(2).filter(|[high, low]| *high == 0 && *low < 0x80).map(|[_, low]| [0x30, low]);
    let long = announced(3).filter(|[high, _]| *high == 0).map(|[_, low]| [0x30, 0x81, low]);
    let longer = announced(4).map(|[high, low]| [0x30, 0x82, high, low]);
    let headers = [short.as_ref().map(<[u8; 2]>::as_slice), long.as_ref().map(<[u8; 3]>::as_slice)];
    let headers = headers.into_iter().chain([longer.as_ref().map(<[u8; 4]>::as_slice)]).flatten();
    headers.fold(0, |found, header| found | begins_as_key(secret, header))
}

fn begins_as_key(secret: &[u8], header: &[u8]) -> u64 {
    let Some((head, body)) = secret.split_at_checked(header.len()) else { return 0 };
    let other_header = head.iter().zip(header).fold(0, |other, (one, byte)| other | (one ^ byte));
    let long_enough = DER_BEGINNINGS.iter().filter(|beginning| body.len() >= beginning.len());
    let other = |beginning: &[(u8, u8)]| {
        body.iter().zip(beginning).fold(other_header, |other, (one, (byte, mask))| other | (one ^ byte) & mask)
    };
    long_enough.fold(0, |found, beginning| found | u64::from(equal(other(beginning), 0)))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_word_is_found_where_a_search_with_branches_finds_it() {
        const ALPHABET: &[u8; 5] = b"aAb {";
        for word in [b"aab".as_slice(), b"aa", b"b", b"aba"] {
            for number in 0..5u32.pow(6) {
                let text: Vec<u8> = (0..6).map(|i| ALPHABET[(number / 5u32.pow(i) % 5) as usize]).collect();
                let significant: Vec<u8> = text.iter().filter(|b| **b != b' ').map(u8::to_ascii_lowercase).collect();
                let (begins, contains) =
                    (significant.starts_with(word), significant.windows(word.len()).any(|window| window == word));
                assert_eq!(search(&text, word, Where::AtTheBeginning) != 0, begins, "{word:?} {text:?}");
                assert_eq!(search(&text, word, Where::Anywhere) != 0, contains, "{word:?} {text:?}");
            }
        }
    }

    #[test]
    fn a_key_in_der_is_known_by_its_length_and_its_beginning() {
        for (len, header) in [(40, [0x30, 38].as_slice()), (200, &[0x30, 0x81, 197]), (300, &[0x30, 0x82, 1, 40])] {
            for beginning in DER_BEGINNINGS {
                let mut der = header.to_vec();
                der.extend(beginning.iter().map(|(byte, _)| *byte));
                der.resize(len, 0xaa);
                assert_ne!(is_der_key(&der), 0, "{header:?} {beginning:?}");
                // A byte that is looked at may not be another, nor the length.
                for at in 0..header.len() + beginning.len() {
                    let seen = at.checked_sub(header.len()).is_none_or(|at| beginning[at] != ANY);
                    let mut other = der.clone();
                    other[at] ^= 0x40;
                    assert_eq!(is_der_key(&other) == 0, seen, "{header:?} {beginning:?} at {at}");
                }
                der.push(0);
                assert_eq!(is_der_key(&der), 0);
            }
        }
    }

    #[test]
    fn white_space_alone_is_blank() {
        for byte in 0..=255u8 {
            assert_eq!(is_blank(&[b' ', byte, b'\n']), byte.is_ascii_whitespace(), "{byte}");
        }
    }
}
