//! Makes tokens that no issuer would write, signed all the same.

use safeconduct_core::encoding::base64url::encode;
use safeconduct_core::jws::{Algorithm, SigningKey};
use serde_json::{Value, json};

/// One token, by whom it is judged, and what is right.
pub(crate) struct Case {
    pub(crate) class: u32,
    pub(crate) name: String,
    pub(crate) verifier: &'static str,
    pub(crate) token: String,
    pub(crate) expected: &'static str,
}

pub(crate) fn case(
    class: u32,
    name: impl Into<String>,
    verifier: &'static str,
    token: String,
    expected: &'static str,
) -> Case {
    Case { class, name: name.into(), verifier, token, expected }
}

/// The header that the Ed25519 key writes itself.
pub(crate) const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed"}"#;
/// The same for the HMAC key.
pub(crate) const HMAC_HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt","kid":"hs"}"#;

pub(crate) fn ed25519() -> SigningKey {
    SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap().with_kid("ed").unwrap()
}

pub(crate) fn secret() -> Vec<u8> {
    (1..=32).collect()
}

pub(crate) fn hmac() -> SigningKey {
    SigningKey::hmac(&secret(), Algorithm::Hs256).unwrap().with_kid("hs").unwrap()
}

/// A token of any header and payload.
pub(crate) fn token(key: &SigningKey, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    signed(key, &format!("{}.{}", encode(header.as_ref()), encode(payload.as_ref())))
}

/// A token of any signing input.
pub(crate) fn signed(key: &SigningKey, input: &str) -> String {
    format!("{input}.{}", encode(key.signature(input.as_bytes(), &mut [0; 64])))
}

/// Claims in order, as JSON that need not be right.
#[derive(Clone)]
pub(crate) struct Claims(Vec<(String, String)>);

impl Claims {
    /// What the access-token profile requires.
    pub(crate) fn access() -> Self {
        let claims = [
            ("iss", r#""https://id.example""#),
            ("aud", r#""https://api.example""#),
            ("sub", r#""user-1""#),
            ("client_id", r#""app""#),
            ("exp", "1800000300"),
            ("iat", "1800000000"),
            ("jti", r#""t-1""#),
            ("sid", r#""AwEBAQEBAQECAgICAgICAg""#),
            ("sep", "1"),
            ("scv", "1"),
            ("gep", "1"),
        ];
        Self(claims.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// What the generic profile requires.
    pub(crate) fn jwt() -> Self {
        Self(vec![("exp".into(), "1800000300".into())])
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
        self
    }

    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn json(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// An access token by the Ed25519 key.
pub(crate) fn access(claims: &Claims) -> String {
    token(&ed25519(), HEADER, claims.json())
}

/// A generic token by the Ed25519 key.
pub(crate) fn jwt(claims: &Claims) -> String {
    token(&ed25519(), r#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#, claims.json())
}

/// A file of cases, each with a number made of its class and its place there.
pub(crate) fn file(title: &str, cases: Vec<Case>) -> Value {
    file_for(title, verifiers(), cases)
}

/// The same with verifiers of its own.
pub(crate) fn file_for(title: &str, verifiers: Value, cases: Vec<Case>) -> Value {
    let mut counts = std::collections::BTreeMap::new();
    let tokens: Vec<Value> = cases
        .into_iter()
        .map(|case| {
            let count = counts.entry(case.class).or_insert(0);
            *count += 1;
            json!({
                "number": case.class * 100 + *count,
                "class": case.class,
                "name": case.name,
                "verifier": case.verifier,
                "token": case.token,
                "expected": case.expected,
            })
        })
        .collect();
    json!({"title": title, "verifiers": verifiers, "tokens": tokens})
}

/// A verifier of access tokens by these keys.
pub(crate) fn access_verifier(keys: Value) -> Value {
    json!({
        "profile": "access_token", "issuer": "https://id.example", "audience": "https://api.example",
        "leeway": 5, "max_ttl": 3600, "now": 1_800_000_000u64, "jwks": {"keys": keys},
    })
}

fn verifiers() -> Value {
    let public: Value = serde_json::from_str(&ed25519().verifying_key().public_jwk().unwrap()).unwrap();
    let mut without_alg = public.clone();
    without_alg.as_object_mut().unwrap().remove("alg");
    let other = SigningKey::ed25519(&[8; 32], Algorithm::EdDsa).unwrap().with_kid("other").unwrap();
    let other: Value = serde_json::from_str(&other.verifying_key().public_jwk().unwrap()).unwrap();
    let oct = json!({"kty": "oct", "kid": "hs", "alg": "HS256", "k": encode(&secret())});
    let jwt = |issuer: Value, audience: Value| {
        json!({
            "profile": "jwt", "issuer": issuer, "audience": audience,
            "leeway": 5, "max_ttl": null, "now": 1_800_000_000u64, "jwks": {"keys": [public]},
        })
    };
    let mut short = jwt(Value::Null, Value::Null);
    short["max_ttl"] = json!(60);
    json!({
        "access": access_verifier(json!([public])),
        "access-two": access_verifier(json!([public, other])),
        "access-no-alg": access_verifier(json!([without_alg])),
        "access-hs256": access_verifier(json!([oct])),
        "jwt": jwt(Value::Null, Value::Null),
        "jwt-short": short,
        "jwt-named": jwt(json!("https://id.example"), json!("https://api.example")),
    })
}
