//! Verified claims as types of an application.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use safeconduct_core::jws::{Algorithm, KeySet, SigningKey, Typ, sign};
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::{InvalidToken, Scratch, Verifier, VerifierConfig};
use serde::Deserialize;

#[derive(Deserialize, PartialEq, Debug)]
struct Claims<'a> {
    sub: &'a str,
    exp: u64,
    #[serde(default)]
    roles: Vec<String>,
}

fn decoded<T>(
    payload: &str,
    check: impl FnOnce(Result<Claims<'_>, serde_json::Error>) -> T,
) -> Result<T, InvalidToken> {
    let key = || SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap();
    let verifier = Verifier::new(KeySet::new(key()), VerifierConfig::jwt()).unwrap();
    let token = sign(&key(), Typ::Jwt, payload.as_bytes());
    let mut scratch = Scratch::boxed();
    let claims = verifier.verify(&token, Timestamp::from_unix_seconds(1_000), &mut scratch)?;
    Ok(check(claims.decode()))
}

#[test]
fn claims_are_decoded_into_a_type_that_borrows_them() {
    let payload = r#" {"sub":"user-1","exp":2000,"roles":["admin"],"more":{"a":[1.5,null]}} "#;
    let expected = Claims { sub: "user-1", exp: 2000, roles: vec!["admin".into()] };
    decoded(payload, |claims| assert_eq!(claims.unwrap(), expected)).unwrap();
}

#[test]
fn claims_that_do_not_fit_are_an_error_of_the_application() {
    decoded(r#"{"sub":"user-1","exp":2000,"roles":"admin"}"#, |claims| assert!(claims.unwrap_err().is_data())).unwrap();
    decoded(r#"{"exp":2000}"#, |claims| assert!(claims.unwrap_err().to_string().contains("`sub`"))).unwrap();
}

#[test]
fn what_serde_would_let_pass_never_comes_to_it() {
    // The last of two twins would win there; `more` is not looked at.
    for payload in
        [r#"{"sub":"a","exp":2000,"more":{"x":1,"x":2}}"#, r#"{"sub":"a","exp":2000,"roles":[],"r\u006fles":[]}"#]
    {
        assert!(serde_json::from_str::<serde_json::Value>(payload).is_ok());
        assert_eq!(decoded(payload, |_| ()).unwrap_err(), InvalidToken::NotJson);
    }
}
