//! Conversations with one cache of verified tokens (class 31): what was accepted before must not help a token
//! that is not accepted now, nor what was refused harm one that is.

use safeconduct_core::jws::SigningKey;
use serde_json::{Value, json};

use crate::forge::{Claims, access, access_verifier, ed25519, jwt};

const NOW: u64 = 1_800_000_000;

/// Who is asked, for what token, when, and what is right.
type Step<'t> = (&'static str, &'t str, u64, &'static str);

fn public(key: &SigningKey) -> Value {
    serde_json::from_str(&key.verifying_key().public_jwk().unwrap()).unwrap()
}

fn verifiers() -> Value {
    // Another key under the same name, as where a name is used twice.
    let other = SigningKey::ed25519(&[9; 32], ed25519().algorithm()).unwrap();
    let mine = || access_verifier(json!([public(&ed25519())]));
    let with = |name: &str, value: Value| {
        let mut settings = mine();
        settings[name] = value;
        settings
    };
    json!({
        "mine": mine(),
        "withdrawn": access_verifier(json!([public(&other)])),
        "renamed": access_verifier(json!([public(&other.with_kid("ed").unwrap())])),
        "audience": with("audience", json!("https://other.example")),
        "issuer": with("issuer", json!("https://other.example")),
        "shorter": with("max_ttl", json!(60)),
        "jwt": {
            "profile": "jwt", "issuer": "https://id.example", "audience": "https://api.example",
            "leeway": 5, "max_ttl": null, "now": NOW, "jwks": {"keys": [public(&ed25519())]},
        },
    })
}

pub(crate) fn file() -> Value {
    let token = access(&Claims::access());
    let later = access(&Claims::access().with("nbf", "1800000100"));
    let again = access(&Claims::access().with("jti", "\"t-2\""));
    let generic = jwt(&Claims::jwt().with("iss", "\"https://id.example\"").with("aud", "\"https://api.example\""));
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (_, other_signature) = again.rsplit_once('.').unwrap();
    let other_payload = format!("{}.{signature}", again.rsplit_once('.').unwrap().0);
    let other_signature = format!("{input}.{other_signature}");
    let cut = &token[..token.len() - 1];
    let (header, rest) = token.split_once('.').unwrap();
    let other_header = format!("{}.{rest}", header.replacen('e', "f", 1));
    let accepted: Step<'_> = ("mine", &token, NOW, "valid");
    let conversations: [(&str, Vec<Step<'_>>); 14] = [
        ("once more", vec![accepted, accepted]),
        ("expired since", vec![accepted, ("mine", &token, NOW + 305, "expired"), accepted]),
        (
            "not yet valid, then valid",
            vec![("mine", &later, NOW, "not_yet_valid"), ("mine", &later, NOW + 100, "valid")],
        ),
        (
            "valid, then the clock is set back",
            vec![("mine", &later, NOW + 100, "valid"), ("mine", &later, NOW, "not_yet_valid")],
        ),
        (
            "issued in the future after the clock is set back",
            vec![accepted, ("mine", &token, NOW - 60, "issued_in_future")],
        ),
        ("another audience", vec![accepted, ("audience", &token, NOW, "wrong_audience"), accepted]),
        ("another issuer", vec![accepted, ("issuer", &token, NOW, "wrong_issuer"), accepted]),
        ("a shorter lifetime", vec![accepted, ("shorter", &token, NOW, "lifetime_too_long"), accepted]),
        ("its key withdrawn", vec![accepted, accepted, ("withdrawn", &token, NOW, "unknown_key")]),
        ("another key under the same name", vec![accepted, ("renamed", &token, NOW, "bad_signature"), accepted]),
        (
            "of the generic profile, asked for as an access token",
            vec![("jwt", &generic, NOW, "valid"), ("mine", &generic, NOW, "wrong_type")],
        ),
        (
            "another payload under a signature that was accepted",
            vec![accepted, ("mine", &other_payload, NOW, "bad_signature"), ("mine", &again, NOW, "valid")],
        ),
        (
            "another signature under a payload that was accepted",
            vec![accepted, ("mine", &other_signature, NOW, "bad_signature"), ("mine", cut, NOW, "malformed")],
        ),
        (
            "another header over what was accepted",
            vec![accepted, ("mine", &other_header, NOW, "header_refused"), accepted],
        ),
    ];
    let conversations: Vec<Value> = conversations
        .iter()
        .zip(3101..)
        .map(|((name, steps), number)| {
            let steps: Vec<Value> = steps
                .iter()
                .map(|(verifier, token, now, expected)| json!({"verifier": verifier, "token": token, "now": now, "expected": expected}))
                .collect();
            json!({"number": number, "class": 31, "name": name, "steps": steps})
        })
        .collect();
    json!({"title": "Conversations with a cache: attack class 31", "verifiers": verifiers(), "conversations": conversations})
}
