//! Tells the text of a key pair's half from a secret (algorithm confusion, [RFC 8725 section 2.1]).
//!
//! A verifier that were given a public key's text as its HMAC secret would accept what anybody signs
//! with that text. Recognized: PEM, DER, OpenSSH and RFC 4716 lines, JWK and JWK sets, and the base64 of
//! a DER key, each also behind a byte-order mark, with white space, or in UTF-16. Not recognized,
//! because it looks like any random string: the raw 32 bytes of an Ed25519 key.
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

/// Whether `secret` is the text, or the DER form, of a public or private key.
pub(super) fn is_key_text(secret: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| significant(secret).take(beginning.len()).eq(beginning.iter().copied()))
        || contains(secret, b"publickey")
        || contains(secret, b"\"kty\"")
        || is_jwk(secret)
        || is_der_key(secret)
}

/// The bytes in lower case, without white space, byte-order marks and the NULs of UTF-16.
fn significant(secret: &[u8]) -> impl Iterator<Item = u8> + Clone + '_ {
    let skipped = |b: &u8| matches!(b, 0 | b'\t' | b'\n' | 0xb | 0xc | b'\r' | b' ' | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    secret.iter().filter(move |b| !skipped(b)).map(u8::to_ascii_lowercase)
}

fn contains(secret: &[u8], word: &[u8]) -> bool {
    let mut rest = significant(secret);
    loop {
        if rest.clone().take(word.len()).eq(word.iter().copied()) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

fn is_jwk(secret: &[u8]) -> bool {
    let bytes = secret.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(secret);
    json::object(bytes).is_ok_and(|object| object.get("kty").is_some() || object.get("keys").is_some())
}

/// Whether the bytes are one DER SEQUENCE, of the announced length, that begins as keys do: with the
/// algorithm (SPKI), a version (PKCS#8, PKCS#1 private) or a long integer (PKCS#1 public).
fn is_der_key(secret: &[u8]) -> bool {
    let Some(body) = der_sequence(secret) else { return false };
    match body {
        [0x30, inner @ ..] => matches!(inner, [_, 0x06, ..] | [0x81, _, 0x06, ..]),
        [0x02, 0x01, 0x00 | 0x01, 0x30, ..] | [0x02, 0x01, 0x01, 0x04, ..] => true,
        [0x02, 0x81 | 0x82, ..] | [0x02, 0x01, 0x00, 0x02, ..] => true,
        _ => false,
    }
}

fn der_sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (len, body) = match bytes {
        [0x30, 0x82, high, low, body @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), body),
        [0x30, 0x81, len, body @ ..] => (usize::from(*len), body),
        [0x30, len @ 0..=0x7f, body @ ..] => (usize::from(*len), body),
        _ => return None,
    };
    if body.len() == len { Some(body) } else { None }
}
