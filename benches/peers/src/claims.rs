//! The eight claims: borrowed where they are signed, owned where they are read.
//!
//! All the other libraries ask for `Deserialize` from any lifetime, so the texts that they read are copied.

use safeconduct::core::id::{Partition, SessionId, SubjectHandle};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct_benches::{AUDIENCE, ISSUER};
use serde::{Deserialize, Serialize};

/// What is signed.
#[derive(Clone, Copy, Serialize)]
pub struct Claims<'a> {
    pub iss: &'a str,
    pub aud: &'a str,
    pub sub: &'a str,
    pub client_id: &'a str,
    pub exp: u64,
    pub iat: u64,
    pub jti: &'a str,
    pub sid: &'a str,
}

/// What is read.
#[derive(Deserialize)]
pub struct Owned {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub exp: u64,
    pub iat: u64,
    pub jti: String,
    pub sid: String,
}

/// The claim `sid`.
pub fn sid() -> String {
    SessionId::new(SubjectHandle::new(Partition(3), [1; 7]), [2; 8]).to_string()
}

/// The claims that `safeconduct_benches::eight_claims` has, of the time `issued_at`; a test compares the two.
pub fn claims(issued_at: Timestamp, sid: &str) -> Claims<'_> {
    Claims {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: "01234567",
        client_id: "app",
        exp: issued_at.plus(Seconds::new(600)).as_unix_seconds(),
        iat: issued_at.as_unix_seconds(),
        jti: "AAAAAAAAAAAA",
        sid,
    }
}
