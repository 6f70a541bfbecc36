//! Every type that holds a secret leaves nothing of it in memory that it gave back.
//!
//! The test's own allocator looks into each block as it is freed. Looked for are the bytes that were given, their
//! text, and what they become inside: derived keys, the keyed states of HMAC, expanded keys. That these are the
//! right bytes to look for is shown by values whose destructors are kept from running.
//!
//! The stack is not looked at. `spec/constant-time.md` says what that leaves open.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test: a panic is a failure"
)]

mod flows;
mod needles;
mod printed;
mod watch;

use std::hint::black_box;
use std::mem::ManuallyDrop;

use hmac::{Hmac, KeyInit};
use safeconduct::core::jws::rotation::RotationPolicy;
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey, VerifyingKey, WithdrawalReason};
use safeconduct::core::secret::{KeyId, Keyring, Secret, Secrets};
use safeconduct::core::time::Timestamp;
use safeconduct::{Keys, keys, secrets};
use sha2::{Sha256, Sha384, Sha512};

use crate::needles::{ISSUER, master, plain, signing};
use crate::watch::{Needle, left_behind};

const NOTHING: [String; 0] = [];
const KEY: [u8; 32] = *b"a master key of thirty-two byte.";
const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512, Algorithm::EdDsa, Algorithm::Ed25519, Algorithm::Es256];

/// 64 bytes that are no text of a key, and below the order of P-256.
fn random() -> [u8; 64] {
    std::array::from_fn(|i| (i * 89 % 251) as u8)
}

/// As many of them as a key of the algorithm is made of.
fn key_bytes(algorithm: Algorithm) -> Vec<u8> {
    let len = if algorithm.is_symmetric() { algorithm.signature_len() } else { 32 };
    random()[..len].to_vec()
}

/// Deployments with many keys, each another: `sck1_` lines.
fn many(count: u8) -> (Vec<Needle>, String) {
    let mut secrets = Secrets::new([1; 32]);
    let mut needles = Vec::new();
    for i in 1..count {
        let key: [u8; 32] = std::array::from_fn(|at| i.wrapping_mul(31) ^ (at as u8).wrapping_mul(7));
        needles.extend(plain(&format!("key {i}"), &key));
        secrets.add(key).unwrap();
    }
    (needles, secrets.to_text().to_string())
}

#[test]
fn what_is_not_wiped_is_found() {
    assert_eq!(left_behind(plain("key", &KEY), || drop(black_box(KEY.to_vec()))), ["key"]);
    // A buffer that wipes itself, but was moved when it grew.
    let grows = || {
        let mut buffer = zeroize::Zeroizing::new(Vec::with_capacity(32));
        buffer.extend_from_slice(&KEY);
        buffer.extend_from_slice(&[0; 64]);
        drop(black_box(buffer));
    };
    assert_eq!(left_behind(plain("key", &KEY), grows), ["key"]);
    let text = || drop(black_box(format!("sck1_{}", safeconduct::core::encoding::base64url::encode(&KEY))));
    assert_eq!(left_behind(plain("key", &KEY), text), ["key, as text"]);
}

/// Puts a value on the heap and gives its memory back without dropping it.
fn forget<T>(value: T) {
    drop(black_box(Box::new(ManuallyDrop::new(value))));
}

#[test]
fn what_is_looked_for_is_what_the_types_hold() {
    let found = |needles, work: fn()| left_behind(needles, work).join("; ");
    let prefixed = |needles: Vec<Needle>, end: &str| needles.into_iter().filter(|n| n.name.ends_with(end)).collect();
    assert_eq!(found(plain("secret", &KEY), || forget(Secret::new(KEY))), "secret");
    let states: Vec<Needle> = prefixed(master(&KEY), "state 36");
    let count = states.len() - 1; // all but that of the extracted key, which no keyring keeps
    let kept = left_behind(states, || forget(Keyring::derive(&Secrets::new(KEY), ISSUER)));
    assert_eq!(kept.len(), count, "{kept:?}");
    for (algorithm, work) in [
        (Algorithm::Hs256, (|| forget(Hmac::<Sha256>::new_from_slice(&random()[..32]).unwrap())) as fn()),
        (Algorithm::Hs384, || forget(Hmac::<Sha384>::new_from_slice(&random()[..48]).unwrap())),
        (Algorithm::Hs512, || forget(Hmac::<Sha512>::new_from_slice(&random()[..64]).unwrap())),
    ] {
        let needles = signing(&key_bytes(algorithm), algorithm);
        assert_eq!(left_behind(needles, work).len(), 2, "{algorithm}: both states");
    }
    let ed25519 = || forget(ed25519_dalek::SigningKey::from_bytes(random()[..32].try_into().unwrap()));
    assert_eq!(found(signing(&random()[..32], Algorithm::EdDsa), ed25519), "seed");
    let expanded =
        || forget(ed25519_dalek::hazmat::ExpandedSecretKey::from(<&[u8; 32]>::try_from(&random()[..32]).unwrap()));
    assert_eq!(left_behind(signing(&random()[..32], Algorithm::EdDsa), expanded).last().unwrap(), "prefix");
    let p256 = || forget(p256::ecdsa::SigningKey::from_slice(&random()[..32]).unwrap());
    assert_eq!(found(signing(&random()[..32], Algorithm::Es256), p256), "scalar, as it is computed with");
}

#[test]
fn secrets_and_keyrings_leave_nothing() {
    assert_eq!(left_behind(plain("secret", &KEY), || drop(Box::new(Secret::new(KEY)))), NOTHING);
    let text = safeconduct::core::encoding::base64url::encode(&KEY);
    assert_eq!(left_behind(plain("secret", &KEY), || drop(Box::new(Secret::parse(&text)))), NOTHING);
    assert_eq!(left_behind(master(&KEY), || drop(Box::new(Keyring::derive(&Secrets::new(KEY), ISSUER)))), NOTHING);
    let (needles, text) = many(40);
    let many_keys = || {
        let mut secrets = Box::new(Secrets::parse(&text).unwrap());
        drop(Keyring::derive(&secrets, ISSUER));
        for id in [1, 40, 7, 20] {
            secrets.retire(KeyId(id)).unwrap();
        }
        secrets.add([0x5a; 32]).unwrap();
        drop(secrets.to_text());
    };
    assert_eq!(left_behind(needles, many_keys), NOTHING);
    let (needles, text) = many(9);
    let malformed = format!("{text}sck1_");
    assert_eq!(left_behind(needles, || assert!(Secrets::parse(&malformed).is_err())), NOTHING);
}

#[test]
fn adding_key_after_key_leaves_nothing() {
    let (needles, _) = many(40);
    let added = || drop(black_box(many_by_adding(40)));
    assert_eq!(left_behind(needles, added), NOTHING);
}

fn many_by_adding(count: u8) -> Secrets {
    let mut secrets = Secrets::new([1; 32]);
    for i in 1..count {
        secrets.add(std::array::from_fn(|at| i.wrapping_mul(31) ^ (at as u8).wrapping_mul(7))).unwrap();
    }
    secrets
}

#[test]
fn signing_keys_leave_nothing() {
    for algorithm in ALGORITHMS {
        let bytes = key_bytes(algorithm);
        let work = || {
            let key = SigningKey::generate(&random(), algorithm).unwrap();
            key.signature(b"message", &mut [0; 64]);
            let verifying = key.verifying_key();
            drop(verifying.duplicate());
            drop(verifying);
            let key = key.with_kid("another").unwrap();
            let set = KeySet::new(key);
            let jwks = set.private_jwks();
            let read = KeySet::from_jwks(&jwks).unwrap();
            let signing = set.signing(Timestamp::MAX).unwrap();
            assert!(read.verifying().all(|key| key.accepts(b"message", signing.signature(b"message", &mut [0; 64]))));
            drop(SigningKey::from_jwk(&jwks[9..jwks.len() - 2]).unwrap());
            if algorithm.is_symmetric() {
                drop(VerifyingKey::hmac(&random()[..algorithm.signature_len()], algorithm).unwrap());
            }
        };
        assert_eq!(left_behind(signing(&bytes, algorithm), work), NOTHING, "{algorithm}");
    }
}

/// Read, rotated, read again, withdrawn and taken out: by then nothing holds it.
#[test]
fn a_key_in_a_file_leaves_nothing() {
    for algorithm in ALGORITHMS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(keys::create(&path, Algorithm::EdDsa, Timestamp::default()).unwrap());
        let bytes = key_bytes(algorithm);
        let work = || {
            let set = KeySet::new(SigningKey::generate(&random(), algorithm).unwrap());
            std::fs::write(&path, set.private_jwks().as_bytes()).unwrap();
            drop(set);
            let keys = Keys::open(&path, RotationPolicy::default()).unwrap();
            let kid = keys.current().signing(Timestamp::default()).unwrap().kid().to_owned();
            keys.rotate(Timestamp::from_unix_seconds(1)).unwrap();
            assert!(!keys.reload().unwrap());
            keys.withdraw(&kid, WithdrawalReason::Compromised, Timestamp::from_unix_seconds(2)).unwrap();
        };
        assert_eq!(left_behind(signing(&bytes, algorithm), work), NOTHING, "{algorithm}");
    }
}

#[test]
fn keys_in_pem_leave_nothing() {
    // RFC 8410 section 10.3, and a P-256 key whose scalar is 1 to 32.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----";
    const P256: &str = "-----BEGIN PRIVATE KEY-----
MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA==
-----END PRIVATE KEY-----";
    for pem in [ED25519, P256] {
        let key = SigningKey::from_pem(pem).unwrap();
        let jwk = KeySet::new(key).private_jwks().to_string();
        let d = jwk.split("\"d\":\"").nth(1).unwrap().split('"').next().unwrap();
        let mut secret = [0; 32];
        safeconduct::core::encoding::base64url::decode(d.as_bytes(), &mut secret).unwrap();
        let algorithm = if pem == P256 { Algorithm::Es256 } else { Algorithm::EdDsa };
        let work = || drop(SigningKey::from_pem(pem).unwrap());
        assert_eq!(left_behind(signing(&secret, algorithm), work), NOTHING);
        // Another label is refused before or after the key was decoded.
        let public = pem.replace("PRIVATE", "PUBLIC");
        assert_eq!(left_behind(signing(&secret, algorithm), || drop(VerifyingKey::from_pem(&public))), NOTHING);
    }
}

#[test]
fn secrets_in_a_file_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Some that fit the buffer they are read into at first, and as many as there can be.
    for count in [2, 90, 200] {
        let (needles, text) = many(count);
        let path = folder.path().join(count.to_string());
        std::fs::write(&path, &text).unwrap();
        std::process::Command::new("chmod").arg("600").arg(&path).status().unwrap();
        assert_eq!(left_behind(needles, || drop(secrets::from_file(&path).unwrap())), NOTHING, "{count} keys");
    }
    let created = folder.path().join("created");
    secrets::from_file_or_create(&created).unwrap();
    let text = std::fs::read(&created).unwrap();
    let needles = vec![Needle::new("created", &text[5..45])];
    assert_eq!(left_behind(needles, || drop(secrets::from_file_or_create(&created).unwrap())), NOTHING);
}
