//! Signing keys: taking them in, signing, comparing tags.

use std::hint::black_box;

use safeconduct_core::jws::{Algorithm, JwsError, KeySet, SigningKey, Typ, VerifyingKey, sign, verify};
use safeconduct_core::time::Timestamp;

use super::encoding::secret;
use crate::case::Case;
use crate::{declassify, memcheck};

pub(crate) const ALL: &[Case] = &[
    Case::promised("HS256: take a key in", declassify::HMAC, || drop(hmac(Algorithm::Hs256))),
    Case::promised("HS384: take a key in", declassify::HMAC, || drop(hmac(Algorithm::Hs384))),
    Case::promised("HS512: take a key in", declassify::HMAC, || drop(hmac(Algorithm::Hs512))),
    Case::promised("HS256: sign", declassify::HMAC, || signs(&hmac(Algorithm::Hs256))),
    Case::promised("HS384: sign", declassify::HMAC, || signs(&hmac(Algorithm::Hs384))),
    Case::promised("HS512: sign", declassify::HMAC, || signs(&hmac(Algorithm::Hs512))),
    Case::promised("HS256: compare a tag", declassify::HMAC, || accepts(Algorithm::Hs256)),
    Case::promised("HS384: compare a tag", declassify::HMAC, || accepts(Algorithm::Hs384)),
    Case::promised("HS512: compare a tag", declassify::HMAC, || accepts(Algorithm::Hs512)),
    Case::promised("HS256: verify a token", declassify::VERIFIED, || verifies(Algorithm::Hs256)),
    Case::promised("HS384: verify a token", declassify::VERIFIED, || verifies(Algorithm::Hs384)),
    Case::promised("HS512: verify a token", declassify::VERIFIED, || verifies(Algorithm::Hs512)),
    Case::promised("Ed25519: take a key in", declassify::IMPORT, || drop(ed25519())),
    Case::promised("Ed25519: sign", declassify::IMPORT, || signs(&ed25519())),
    Case::promised("ES256: take a key in", declassify::P256, || drop(p256())),
    Case::promised("ES256: sign", declassify::ES256, || signs(&p256())),
];

/// Not blank, and no text of a key.
fn random(len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len).map(|i| u8::try_from(i * 89 % 251).unwrap()).collect();
    memcheck::secret(bytes.as_mut_slice());
    bytes
}

fn hmac(algorithm: Algorithm) -> SigningKey {
    SigningKey::hmac(&random(algorithm.signature_len()), algorithm).unwrap()
}

fn ed25519() -> SigningKey {
    SigningKey::ed25519(&secret(3), Algorithm::EdDsa).unwrap()
}

fn p256() -> SigningKey {
    SigningKey::p256(&secret(3)).unwrap()
}

fn signs(key: &SigningKey) {
    let mut out = [0; 64];
    let length = key.signature(b"header.payload", &mut out).len();
    declassify::signature(&mut out);
    assert_eq!(length, key.algorithm().signature_len());
    assert!(out.iter().take(length).any(|byte| *byte != 0));
    assert!(black_box(sign(key, Typ::AccessToken, b"{}")).len() > length);
}

/// The tag, one that differs in the first byte, one that differs in the last, and one of another length.
fn accepts(algorithm: Algorithm) {
    let len = algorithm.signature_len();
    let mut tag = [0; 64];
    hmac(algorithm).signature(b"message", &mut tag);
    declassify::signature(&mut tag);
    let key = VerifyingKey::hmac(&random(len), algorithm).unwrap();
    let accepted = |tag: &[u8]| declassify::verdict(key.accepts(b"message", tag));
    assert!(accepted(&tag[..len]));
    for wrong in [0, len - 1] {
        let mut other = tag;
        other[wrong] ^= 1;
        assert!(!accepted(&other[..len]));
    }
    assert!(!accepted(&tag[..len - 8]));
}

/// A whole token, and one whose signature ends with another character. Both are known to whoever sends them; the key
/// is not, nor the tag that is expected. The key has a name that is not made of it: headers are compared.
fn verifies(algorithm: Algorithm) {
    let key = || hmac(algorithm).with_kid("named").unwrap();
    let token = declassify::granted(&sign(&key(), Typ::AccessToken, b"{}"));
    let forged = [&token[..token.len() - 2], if token.ends_with("AA") { "BA" } else { "AA" }].concat();
    let keys = KeySet::new(key());
    let mut scratch = [0; 8];
    let mut verified = |token: &str| verify(token, &keys, Typ::AccessToken, Timestamp::MAX, &mut scratch).map(|_| ());
    assert_eq!(verified(&token), Ok(()));
    assert_eq!(verified(&forged), Err(JwsError::BadSignature));
}
