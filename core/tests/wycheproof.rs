//! The primitives against the Wycheproof vectors for HMAC, Ed25519 and ECDSA over P-256: what is valid is accepted and
//! what is not is refused, but for what is listed here by number with its reason.
//!
//! The sets for whole tokens and keys are in `conformance_jose.rs`: the crate has none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::ops::RangeInclusive;

use safeconduct_core::jws::{Algorithm, KeyError, SigningKey, VerifyingKey};
use serde_json::Value;
use wycheproof::{ecdsa, eddsa, mac};

/// What is valid and refused on purpose, in each of the three files of HMAC: tags that were cut short, for JWS has
/// none, ...
const CUT_SHORT: [RangeInclusive<u64>; 2] = [82..=108, 172..=174];
/// ... and keys shorter than the hash, which RFC 7518 section 3.2 forbids.
const SHORT_KEYS: [RangeInclusive<u64>; 1] = [163..=168];

const HMACS: [(Algorithm, mac::TestName); 3] = [
    (Algorithm::Hs256, mac::TestName::HmacSha256),
    (Algorithm::Hs384, mac::TestName::HmacSha384),
    (Algorithm::Hs512, mac::TestName::HmacSha512),
];

/// How a set of vectors and `accepts` differ.
#[derive(Debug, Default, PartialEq)]
struct Differences {
    tests: usize,
    valid: usize,
    /// Valid and refused.
    refused: Vec<u64>,
    /// Invalid and accepted.
    accepted: Vec<u64>,
}

/// Asks `accepts` about each test: its group, its message and its signature or tag.
fn differences(json: &str, accepts: impl Fn(&Value, &Value, &[u8], &[u8]) -> bool) -> Differences {
    let file: Value = serde_json::from_str(json).unwrap();
    let mut found = Differences::default();
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let signature = if test["sig"].is_string() { &test["sig"] } else { &test["tag"] };
            let accepted = accepts(group, test, &hex(&test["msg"]), &hex(signature));
            let valid = test["result"] == "valid";
            found.tests += 1;
            found.valid += usize::from(valid);
            let number = test["tcId"].as_u64().unwrap();
            match (valid, accepted) {
                (true, false) => found.refused.push(number),
                (false, true) => found.accepted.push(number),
                _ => {}
            }
        }
    }
    found
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn numbers(ranges: &[RangeInclusive<u64>]) -> Vec<u64> {
    ranges.iter().cloned().flatten().collect()
}

/// The public key of a group in every form that it is given in.
fn public_keys(group: &Value) -> Vec<VerifyingKey> {
    let key = &group["publicKey"];
    let raw = if key["uncompressed"].is_string() {
        let point = hex(&key["uncompressed"]);
        VerifyingKey::p256(&point[1..33].try_into().unwrap(), &point[33..].try_into().unwrap())
    } else {
        VerifyingKey::ed25519(&hex(&key["pk"]).try_into().unwrap(), Algorithm::EdDsa)
    };
    let mut keys = vec![raw.unwrap(), VerifyingKey::from_pem(group["publicKeyPem"].as_str().unwrap()).unwrap()];
    if group["publicKeyJwk"].is_object() {
        keys.push(VerifyingKey::from_jwk(&group["publicKeyJwk"].to_string()).unwrap());
    }
    keys
}

/// Whether the keys of the group accept, which has to be the same for all forms.
fn accepts(group: &Value, message: &[u8], signature: &[u8]) -> bool {
    let answers: Vec<bool> = public_keys(group).iter().map(|key| key.accepts(message, signature)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{group}");
    answers[0]
}

#[test]
fn hmac() {
    for (algorithm, name) in HMACS {
        let found = differences(name.json_data(), |_, test, message, tag| {
            let key = SigningKey::hmac(&hex(&test["key"]), algorithm);
            let Ok(key) = key else {
                assert_eq!(key.err(), Some(KeyError::SecretTooShort));
                return false;
            };
            let accepted = key.verifying_key().accepts(message, tag);
            assert_eq!(accepted, key.signature(message, &mut [0; 64]) == tag);
            accepted
        });
        let mut refused = [numbers(&CUT_SHORT), numbers(&SHORT_KEYS)].concat();
        refused.sort_unstable();
        assert_eq!(found, Differences { tests: 174, valid: 66, refused, accepted: vec![] }, "{algorithm}");
    }
}

#[test]
fn ed25519() {
    let found = differences(eddsa::TestName::Ed25519.json_data(), |group, _, message, signature| {
        accepts(group, message, signature)
    });
    assert_eq!(found, Differences { tests: 151, valid: 88, ..Differences::default() });
}

#[test]
fn p256() {
    let json = ecdsa::TestName::EcdsaSecp256r1Sha256P1363.json_data();
    let found = differences(json, |group, _, message, signature| accepts(group, message, signature));
    assert_eq!(found, Differences { tests: 262, valid: 173, ..Differences::default() });
}

#[test]
fn an_hmac_that_compares_only_as_much_as_it_is_given_is_found() {
    for (algorithm, name) in HMACS {
        let found = differences(name.json_data(), |_, test, message, tag| {
            let key = SigningKey::hmac(&hex(&test["key"]), algorithm);
            key.is_ok_and(|key| key.signature(message, &mut [0; 64]).starts_with(tag))
        });
        assert_eq!(found.refused, numbers(&SHORT_KEYS), "{algorithm}");
    }
}

#[test]
fn an_ed25519_that_forgives_bytes_behind_or_missing_from_a_signature_is_found() {
    let found = differences(eddsa::TestName::Ed25519.json_data(), |group, _, message, signature| {
        let mut fitted = signature.to_vec();
        fitted.resize(64, 0);
        accepts(group, message, &fitted)
    });
    assert!(found.refused.is_empty() && !found.accepted.is_empty(), "{found:?}");
}

#[test]
fn a_p256_that_takes_one_of_the_two_forms_of_a_signature_only_is_found() {
    let json = ecdsa::TestName::EcdsaSecp256r1Sha256P1363.json_data();
    let found = differences(json, |group, _, message, signature| {
        signature.get(32).is_some_and(|high| *high < 0x80) && accepts(group, message, signature)
    });
    assert!(!found.refused.is_empty() && found.accepted.is_empty(), "{found:?}");
}
