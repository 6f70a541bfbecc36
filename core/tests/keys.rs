//! Keys and key sets: what comes in, what goes out, and which key is chosen.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use safeconduct_core::jws::{Algorithm, KeyError, KeySet, SigningKey, Typ, Untrusted, VerifyingKey, sign};
use safeconduct_core::time::Timestamp;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn ed25519(seed: u8) -> SigningKey {
    SigningKey::ed25519(&[seed; 32], Algorithm::EdDsa).unwrap()
}

fn p256(byte: u8) -> SigningKey {
    SigningKey::p256(&[byte; 32]).unwrap()
}

fn hmac(byte: u8) -> SigningKey {
    SigningKey::hmac(&[byte; 32], Algorithm::Hs256).unwrap()
}

fn accepts(keys: &KeySet, token: &str) -> bool {
    Untrusted::parse(token).unwrap().verify(keys, Typ::Jwt, NOW, &mut [0; 64]).is_ok()
}

#[test]
fn a_private_set_comes_back_as_it_was() {
    for (first, second) in [(ed25519(1), ed25519(2)), (p256(1), ed25519(2)), (p256(1), p256(2)), (hmac(1), hmac(2))] {
        let first = first.with_kid("a\"b\\c\u{1}é").unwrap();
        let (by_first, by_second) = (sign(&first, Typ::Jwt, b"{}"), sign(&second, Typ::Jwt, b"{}"));
        let keys = KeySet::new(first).with_verifying(second.verifying_key()).unwrap();
        let text = keys.private_jwks();
        let again = KeySet::from_jwks(&text).unwrap();
        assert_eq!(again.signing(NOW).map(SigningKey::kid), keys.signing(NOW).map(SigningKey::kid));
        assert_eq!(sign(again.signing(NOW).unwrap(), Typ::Jwt, b"{}"), by_first);
        assert!(accepts(&again, &by_first) && accepts(&again, &by_second));
        assert_eq!(again.private_jwks().as_str(), text.as_str());
        assert!(again.skipped().is_empty());
    }
}

#[test]
fn a_published_set_verifies_and_holds_no_secret() {
    let key = ed25519(1);
    let token = sign(&key, Typ::Jwt, b"{}");
    let keys = KeySet::new(key).with_verifying(ed25519(2).verifying_key()).unwrap();
    let published = keys.public_jwks(NOW).unwrap();
    let parsed: Value = serde_json::from_str(&published).unwrap();
    let all = parsed["keys"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|key| key["d"].is_null() && key["kty"] == "OKP" && key["use"] == "sig"));
    let again = KeySet::from_jwks(&published).unwrap();
    assert!(again.signing(NOW).is_none() && accepts(&again, &token));
}

#[test]
fn a_symmetric_key_is_never_published() {
    assert_eq!(KeySet::new(hmac(1)).public_jwks(NOW), Err(KeyError::SymmetricKey));
    assert_eq!(hmac(1).verifying_key().public_jwk(), Err(KeyError::SymmetricKey));
}

#[test]
fn a_set_refuses_two_keys_of_one_name_and_keys_of_two_kinds() {
    let twin = ed25519(2).with_kid(ed25519(1).kid()).unwrap();
    let refusal = |key: &SigningKey| KeySet::new(ed25519(1)).with_verifying(key.verifying_key()).err();
    assert_eq!(refusal(&twin), Some(KeyError::DuplicateKeyId));
    assert_eq!(refusal(&ed25519(1)), Some(KeyError::DuplicateKeyId));
    assert_eq!(refusal(&hmac(1)), Some(KeyError::MixedSet));
    assert_eq!(refusal(&ed25519(2)), None);
    assert_eq!(KeySet::verify_only(Vec::new()).err(), Some(KeyError::NoKeys));
    let many = (0..65).map(|i| ed25519(i).verifying_key()).collect();
    assert_eq!(KeySet::verify_only(many).err(), Some(KeyError::TooManyKeys));
}

#[test]
fn no_key_is_found_by_a_name_that_is_not_its_own() {
    let one = KeySet::new(ed25519(1));
    let two = KeySet::new(ed25519(1)).with_verifying(ed25519(2).verifying_key()).unwrap();
    let name = ed25519(1).kid().to_string();
    assert_eq!(one.find(Some(&name), NOW).map(VerifyingKey::kid), Some(name.as_str()));
    assert_eq!(two.find(Some(&name), NOW).map(VerifyingKey::kid), Some(name.as_str()));
    assert!(one.find(Some("x"), NOW).is_none() && two.find(Some(""), NOW).is_none());
    assert!(one.find(None, NOW).is_some() && two.find(None, NOW).is_none());
}

#[test]
fn what_a_set_skips_it_reports() {
    let good = ed25519(1).verifying_key().public_jwk().unwrap();
    let keys = KeySet::from_jwks(&format!(
        r#"{{"keys":[{{"kty":"RSA","n":"AQ","e":"AQAB"}},{good},{{"kty":"OKP","crv":"Ed25519","x":"AA"}}]}}"#
    ))
    .unwrap();
    let skipped: Vec<_> = keys.skipped().iter().map(|skipped| (skipped.index, skipped.reason)).collect();
    assert_eq!(skipped, [(0, KeyError::UnsupportedType), (2, KeyError::Malformed)]);
    assert_eq!(keys.verifying().len(), 1);
}

#[test]
fn a_symmetric_key_that_may_only_verify_does_not_sign() {
    let jwk = r#"{"kty":"oct","k":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","key_ops":["verify"]}"#;
    assert_eq!(SigningKey::from_jwk(jwk).err(), Some(KeyError::WrongUse));
    let keys = KeySet::from_jwks(&format!(r#"{{"keys":[{jwk}]}}"#)).unwrap();
    assert!(keys.signing(NOW).is_none());
    assert!(accepts(&keys, &sign(&hmac(1), Typ::Jwt, b"{}")));
}

#[test]
fn the_kid_of_a_secret_differs_by_secret_and_algorithm_and_shows_neither() {
    let kids = [
        hmac(1),
        hmac(2),
        SigningKey::hmac(&[1; 64], Algorithm::Hs256).unwrap(),
        SigningKey::hmac(&[1; 64], Algorithm::Hs512).unwrap(),
    ];
    let names: std::collections::BTreeSet<_> = kids.iter().map(SigningKey::kid).collect();
    assert_eq!(names.len(), kids.len());
    assert!(names.iter().all(|name| name.len() == 16));
}

#[test]
fn an_algorithm_fits_only_its_own_kind_of_key() {
    let wrong = Some(KeyError::WrongAlgorithm);
    assert_eq!(SigningKey::ed25519(&[1; 32], Algorithm::Es256).err(), wrong);
    assert_eq!(SigningKey::hmac(&[1; 64], Algorithm::Es256).err(), wrong);
    assert_eq!(VerifyingKey::ed25519(&[1; 32], Algorithm::Es256).err(), wrong);
    assert_eq!(SigningKey::ed25519(&[1; 32], Algorithm::Hs256).err(), wrong);
    assert_eq!(SigningKey::hmac(&[1; 64], Algorithm::EdDsa).err(), wrong);
    assert_eq!(VerifyingKey::hmac(&[1; 64], Algorithm::Ed25519).err(), wrong);
    let public: [u8; 32] = core::array::from_fn(|i| if i == 0 { 9 } else { 0 });
    assert_eq!(VerifyingKey::ed25519(&public, Algorithm::Hs512).err(), wrong);
    for name in ["none", "None", "", "hs256", "RS256", "es256", "ES256K"] {
        assert_eq!(Algorithm::from_name(name), None);
    }
}

#[test]
fn a_kid_is_neither_empty_nor_endless() {
    for kid in ["", "a\0b", &"k".repeat(257)] {
        assert_eq!(ed25519(1).with_kid(kid).err(), Some(KeyError::BadKeyId));
        assert_eq!(ed25519(1).verifying_key().with_kid(kid).err(), Some(KeyError::BadKeyId));
    }
    assert_eq!(ed25519(1).with_kid(&"k".repeat(256)).unwrap().kid().len(), 256);
}

#[test]
fn es256_is_deterministic_and_its_debug_output_holds_no_key() {
    // RFC 6979 appendix A.2.5, message `sample`.
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(text.get(i..i.saturating_add(2)).unwrap(), 16).unwrap())
            .collect()
    };
    let scalar = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let key = SigningKey::p256(&scalar.try_into().unwrap()).unwrap();
    let expected = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                    f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    assert_eq!(key.signature(b"sample", &mut [0; 64]), hex(expected));
    assert!(key.verifying_key().accepts(b"sample", &hex(expected)));
    assert_eq!(format!("{key:?}"), format!("SigningKey(ES256 {:?})", key.kid()));
    assert_eq!(format!("{:?}", key.verifying_key()), format!("VerifyingKey(ES256 {:?})", key.kid()));
    let generated = SigningKey::generate(&[9; 64], Algorithm::Es256).unwrap();
    assert_eq!(generated.kid(), p256(9).kid());
    let mut first_out_of_range = [0xff; 64];
    first_out_of_range[32..].fill(9);
    assert_eq!(SigningKey::generate(&first_out_of_range, Algorithm::Es256).unwrap().kid(), p256(9).kid());
}
