//! The keys of a deployment, derived once more from what the documents say: what a thief of keys can do.

use safeconduct::core::jws::{Algorithm, SigningKey};
use safeconduct::core::secret::Secret;

use crate::bed::ISSUER;

/// Every purpose that a key is derived for.
pub const PURPOSES: [&str; 9] = [
    "refresh tag",
    "refresh seal",
    "opaque tag",
    "opaque seal",
    "successor",
    "nonce",
    "challenge",
    "record",
    "directory",
];

pub fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut out = [0; 64];
    let key = SigningKey::hmac(key, Algorithm::Hs256).unwrap();
    key.signature(message, &mut out).try_into().unwrap()
}

/// HKDF-SHA256 with one block of output.
pub fn purpose_key(master: &[u8; 32], purpose: &str) -> [u8; 32] {
    let mut salt = [0; 32];
    salt[..13].copy_from_slice(b"safeconduct 1");
    let extracted = hmac(&salt, master);
    hmac(&extracted, &[purpose.as_bytes(), &[0], ISSUER.as_bytes(), &[1]].concat())
}

/// The bytes of a refresh token (key id 1) with a right tag and whatever seal.
pub fn tagged(tag_key: &[u8; 32], sid: &[u8; 16], generation: u32, secret: [u8; 32], seal: [u8; 16]) -> Vec<u8> {
    let head = [&[1][..], sid, &generation.to_be_bytes()].concat();
    let tag = hmac(tag_key, &[&head[..], &Secret::new(secret).commitment().0].concat());
    [&head[..], &secret, &tag[..16], &seal].concat()
}

/// A record's bytes with a right MAC for the given place.
pub fn sealed_record(record_key: &[u8; 32], at: &[u8], signed: &[u8]) -> Vec<u8> {
    let mac = hmac(record_key, &[at, signed].concat());
    [signed, &mac[..16]].concat()
}
