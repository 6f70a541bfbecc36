//! Vectors that nobody here wrote, for JWS and JWK: Wycheproof, ed25519-speccheck, the JOSE cookbook. Those for the
//! primitives alone are in `wycheproof.rs`. Read in place from `../shared/vectors`, never copied; where that folder is
//! absent each test says so in one line and passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test may panic"
)]

use safeconduct_core::encoding::base64url;
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, SigningKey, Typ, Untrusted, VerifyingKey, sign};
use safeconduct_core::time::Timestamp;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");

/// The files that are there; all of them or none.
#[expect(clippy::print_stdout, reason = "a skipped test has to say so")]
fn read(names: &[&str]) -> Vec<Value> {
    let texts = names.iter().filter_map(|name| std::fs::read_to_string(format!("{FOLDER}/{name}")).ok());
    let files: Vec<Value> = texts.map(|text| serde_json::from_str(&text).unwrap()).collect();
    if files.len() < names.len() {
        println!("skipped: {} vector files not present", names.len() - files.len());
    }
    files
}

fn groups(file: &Value) -> impl Iterator<Item = &Value> {
    file["testGroups"].as_array().unwrap().iter()
}

fn tests(group: &Value) -> impl Iterator<Item = &Value> {
    group["tests"].as_array().unwrap().iter()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn accepted(keys: &KeySet, token: &str) -> bool {
    let mut scratch = [0; 16_384];
    Untrusted::parse(token)
        .and_then(|token| token.verify(keys, Typ::Jwt, Timestamp::from_millis(0), &mut scratch).map(|_| ()))
        .is_ok()
}

#[test]
fn wycheproof_json_web_signature() {
    // What differs from the file, and why.
    const MUST_BE_ACCEPTED: [u64; 2] = [367, 370]; // marked invalid, but byte-identical to the valid 357
    const MUST_BE_REFUSED: [u64; 2] = [372, 373]; // marked valid, but `?` stands inside a segment
    for file in read(&["wycheproof/testvectors_v1/json_web_signature_test.json"]) {
        let (mut ours, mut foreign) = (0, 0);
        for group in groups(&file) {
            let jwk = if group["public"].is_object() { &group["public"] } else { &group["private"] };
            let set = KeySet::from_jwks(&format!("{{\"keys\":[{jwk}]}}"));
            let supported = jwk["kty"] == "oct" || jwk["crv"] == "P-256";
            // RSA and P-521 are refused as unsupported, and keys for another use as such, so nothing of
            // the group can be accepted.
            if let Err(reason) = set {
                let for_another_use =
                    supported && (jwk["use"] == "enc" || jwk["key_ops"] == serde_json::json!(["encrypt"]));
                let expected = if for_another_use { KeyError::WrongUse } else { KeyError::UnsupportedType };
                assert_eq!((reason, supported), (expected, for_another_use), "{}", group["comment"]);
                foreign += tests(group).count();
                continue;
            }
            let set = set.unwrap();
            assert!(supported);
            for test in tests(group) {
                let id = test["tcId"].as_u64().unwrap();
                let valid = test["result"] == "valid" || MUST_BE_ACCEPTED.contains(&id);
                let token = test["jws"].as_str().unwrap();
                assert_eq!(accepted(&set, token), valid && !MUST_BE_REFUSED.contains(&id), "{id} {}", test["comment"]);
                ours += 1;
            }
        }
        assert_eq!((ours, ours + foreign), (79, 401));
    }
}

#[test]
fn wycheproof_json_web_key() {
    for file in read(&["wycheproof/testvectors_v1/json_web_key_test.json"]) {
        let mut count = 0;
        for group in groups(&file) {
            let jwks = if group["public"].is_object() { &group["public"] } else { &group["private"] };
            let symmetric = jwks["keys"].as_array().unwrap().iter().all(|key| key["kty"] == "oct");
            let set = KeySet::from_jwks(&jwks.to_string());
            for test in tests(group) {
                let token = test["jws"].as_str().unwrap();
                let outcome = set.as_ref().is_ok_and(|set| accepted(set, token));
                // 5, the only valid RSA case, is refused as unsupported.
                assert_eq!(outcome, test["result"] == "valid" && symmetric, "{} {}", test["tcId"], test["comment"]);
                count += 1;
            }
        }
        assert_eq!(count, 26);
    }
}

#[test]
fn rfc_7515_appendix_a_3() {
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let token = "eyJhbGciOiJFUzI1NiJ9\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
        .DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let keys = KeySet::new(SigningKey::from_jwk(jwk).unwrap());
    assert!(accepted(&keys, token));
    assert!(!accepted(&keys, &token.replace(".Dt", ".Et")));
}

#[test]
fn ed25519_speccheck() {
    for file in read(&["ed25519-speccheck/cases.json"]) {
        for (number, case) in file.as_array().unwrap().iter().enumerate() {
            let key = VerifyingKey::ed25519(&hex(&case["pub_key"]).try_into().unwrap(), Algorithm::EdDsa);
            // Keys of small order or in non-canonical form do not come in; of the rest, strict
            // verification accepts the mixed-order key of case 3 alone.
            assert_eq!(
                key.as_ref().err().copied(),
                [0, 1, 10, 11].contains(&number).then_some(KeyError::WeakKey),
                "{number}"
            );
            let accepted = key.is_ok_and(|key| key.accepts(&hex(&case["message"]), &hex(&case["signature"])));
            assert_eq!(accepted, number == 3, "{number}");
        }
    }
}

#[test]
fn jose_cookbook() {
    for name in ["jws/4_4.hmac-sha2_integrity_protection.json", "curve25519/jws.json"] {
        for file in read(&[&format!("jose-cookbook/{name}")]) {
            let key = SigningKey::from_jwk(&file["input"]["key"].to_string()).unwrap();
            let keys = KeySet::new(key);
            let token = file["output"]["compact"].as_str().unwrap();
            let mut scratch = [0; 1024];
            let verified = Untrusted::parse(token)
                .unwrap()
                .verify(&keys, Typ::Jwt, Timestamp::from_millis(0), &mut scratch)
                .unwrap();
            assert_eq!(verified.payload(), file["input"]["payload"].as_str().unwrap().as_bytes());
            assert!(!accepted(&keys, &file["output"]["json"].to_string()));
            assert!(!accepted(&keys, &file["output"]["json_flat"].to_string()));
        }
    }
    // RFC 7797: `b64` false is refused.
    for file in read(&["jose-cookbook/rfc7797/hmac-sha2_b64_false.json"]) {
        let keys = KeySet::new(SigningKey::from_jwk(&file["input"]["key"].to_string()).unwrap());
        assert!(!accepted(&keys, file["output"]["compact"].as_str().unwrap()));
    }
    // JWKs of other types and uses are refused with the right reason.
    for (name, reason) in [
        ("3_1.ec_public_key", KeyError::UnsupportedType),
        ("3_2.ec_private_key", KeyError::UnsupportedType),
        ("3_3.rsa_public_key", KeyError::UnsupportedType),
        ("3_4.rsa_private_key", KeyError::UnsupportedType),
        ("3_6.symmetric_key_encryption", KeyError::WrongUse),
    ] {
        for file in read(&[&format!("jose-cookbook/jwk/{name}.json")]) {
            assert_eq!(SigningKey::from_jwk(&file.to_string()).err(), Some(reason), "{name}");
        }
    }
    for file in read(&["jose-cookbook/jwk/3_5.symmetric_key_mac_computation.json"]) {
        assert_eq!(SigningKey::from_jwk(&file.to_string()).unwrap().kid(), "018c0ae5-4d9b-471b-bfd6-eef314bc7037");
    }
}

#[test]
fn values_of_the_rfc_appendices() {
    for file in read(&["jose-cookbook/rfc-appendix-vectors.json"]) {
        for vector in file["vectors"].as_array().unwrap() {
            let source = vector["source"].as_str().unwrap();
            let token = vector["token"].as_str().unwrap();
            match vector["alg"].as_str().unwrap() {
                "HS256" | "EdDSA" => {
                    let key = SigningKey::from_jwk(&vector["jwk"].to_string()).unwrap();
                    if let Some(thumbprint) = vector["thumbprint_sha256"].as_str() {
                        assert_eq!(key.kid(), thumbprint);
                    }
                    let again = sign(&key, Typ::Jwt, b"x");
                    let keys = KeySet::new(key);
                    assert!(accepted(&keys, token) && accepted(&keys, &again), "{source}");
                }
                "none" => {
                    let keys = KeySet::new(SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap());
                    assert!(!accepted(&keys, token), "{source}");
                }
                "ES256" => {
                    let jwk = vector["jwk"].to_string();
                    let private = SigningKey::from_jwk(&jwk).map(|key| key.verifying_key());
                    let key = private.or_else(|_| VerifyingKey::from_jwk(&jwk)).unwrap();
                    let (input, text) = token.rsplit_once('.').unwrap();
                    let mut signature = [0; 64];
                    let signature = base64url::decode(text.as_bytes(), &mut signature).unwrap();
                    assert!(key.accepts(input.as_bytes(), signature), "{source}");
                    // As a token it is accepted where its header may be: not a DPoP proof.
                    let keys = KeySet::verify_only(vec![key]).unwrap();
                    assert_eq!(accepted(&keys, token), !source.starts_with("RFC 9449"), "{source}");
                }
                _ => {
                    assert!(VerifyingKey::from_jwk(&vector["jwk"].to_string()).is_err(), "{source}");
                }
            }
        }
    }
}
