//! The token that libraries are compared on has the length that the tables name.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use safeconduct::core::jws::{Algorithm, KeySet, Typ, sign};
use safeconduct::core::time::Timestamp;
use safeconduct::core::token::{Scratch, Verifier, VerifierConfig};
use safeconduct_benches::{AUDIENCE, ISSUER, eight_claims, key};

#[test]
fn the_compared_token_has_361_characters_and_is_accepted() {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let token = sign(&key(Algorithm::Hs256), Typ::AccessToken, eight_claims(now).as_bytes());
    assert_eq!(token.len(), 361);
    let config = VerifierConfig::access_token(ISSUER, AUDIENCE);
    let verifier = Verifier::new(KeySet::new(key(Algorithm::Hs256)), config).unwrap();
    assert!(verifier.verify(&token, now, &mut Scratch::boxed()).is_ok());
}
