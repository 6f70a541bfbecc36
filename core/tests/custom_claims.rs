//! What an application may put into an access token, and what it may not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use safeconduct_core::token::{ClaimsError, CustomClaims, looks_like_personal_data};

fn refusal(json: &str) -> Option<ClaimsError> {
    CustomClaims::parse(json, 1000, &[]).err()
}

#[test]
fn roles_tenants_and_flags_are_fine() {
    for json in [
        "{}",
        "{ }",
        r#"{"roles":["admin","a@b"],"tenant":5,"beta":true,"none":null}"#,
        r#"{"acr":"urn:mace:incommon:iap:silver","amr":["pwd"],"groups":["x"]}"#,
        r#"{"https://example.com/plan":{"tier":"gold","since":2020}}"#,
        r#"{"handle":"@someone","ratio":"1@2"}"#,
    ] {
        assert_eq!(refusal(json), None, "{json}");
    }
    assert_eq!(CustomClaims::parse(" { \"a\" : 1 } ", 20, &[]).unwrap().to_json(), r#"{"a" : 1}"#);
}

#[test]
fn what_is_not_one_strict_object_within_the_limit_is_refused() {
    for json in ["", "[]", "null", "{", "{}{}", r#"{"a":1,"a":2}"#, r#"{"a":"\ud800"}"#, "{\"a\":1e999}"] {
        assert_eq!(refusal(json), Some(ClaimsError::Malformed), "{json}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1000));
    assert_eq!(refusal(&long), Some(ClaimsError::TooLarge));
}

#[test]
fn a_claim_that_the_library_writes_cannot_be_given() {
    for name in
        ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "sep", "scv", "gep", "scope", "client_id", "cnf"]
    {
        assert_eq!(refusal(&format!("{{\"{name}\":1}}")), Some(ClaimsError::Reserved), "{name}");
    }
    assert_eq!(refusal(r#"{"\u0065xp":1}"#), Some(ClaimsError::Reserved));
    assert_eq!(refusal(r#"{"nested":{"exp":1}}"#), None);
}

#[test]
fn what_looks_like_personal_data_is_refused_at_any_depth_unless_it_is_named() {
    for json in [
        r#"{"email":"x"}"#,
        r#"{"Email":"x"}"#,
        r#"{"e\u006dail":"x"}"#,
        r#"{"name":"x"}"#,
        r#"{"given_name":"x"}"#,
        r#"{"family_name":"x"}"#,
        r#"{"phone_number":"x"}"#,
        r#"{"birthdate":"x"}"#,
        r#"{"address":{}}"#,
        r#"{"picture":"x"}"#,
        r#"{"nickname":"x"}"#,
        r#"{"preferred_username":"x"}"#,
        r#"{"user":{"profile":{"email":"x"}}}"#,
        r#"{"owner":"jo@example.com"}"#,
        r#"{"owner":"jo\u0040example.com"}"#,
        r#"{"owner":"Jo <jo@x.org>"}"#,
        r#"{"owners":[["jo@example.co.uk"]]}"#,
    ] {
        assert_eq!(refusal(json), Some(ClaimsError::PersonalData), "{json}");
    }
    assert!(CustomClaims::parse(r#"{"email":"jo@example.com"}"#, 100, &["email"]).is_ok());
    assert!(CustomClaims::parse(r#"{"owner":{"name":"x"}}"#, 100, &["owner"]).is_ok());
    assert!(CustomClaims::parse(r#"{"email":"jo@example.com","name":"Jo"}"#, 100, &["email"]).is_err());
}

#[test]
fn a_sub_that_looks_like_an_address_or_a_telephone_number_is_found() {
    for sub in [
        "jo@example.com",
        "jo+tag@mail.example.com",
        "jo@x.org",
        "acct:jo@example.com",
        "mailto:jo@example.com",
        "jö@exämple.de",
        "+4915112345678",
        "+49 151 1234 5678",
        "tel:+1-555-123-4567",
        "(555) 123-4567",
        "555-123-4567",
    ] {
        assert!(looks_like_personal_data(sub), "{sub}");
    }
    for sub in [
        "",
        "user-1",
        "42",
        "1234567890",
        "9f3c1c1e-5a0b-4a3e-8a63-0d3a8a1a2b3c",
        "12345678-1234-1234-1234-123456789012",
        "auth0|507f1f77bcf86cd799439011",
        "AwEBAQEBAQECAgICAgICAg",
        "@handle",
        "a@b",
        "team@",
        "https://id.example/users/5",
        "1.2.3",
    ] {
        assert!(!looks_like_personal_data(sub), "{sub}");
    }
}
