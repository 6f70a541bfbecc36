//! Other libraries beside this one, each made to do the same work: sign and verify the access token of eight claims
//! with HS256, EdDSA and ES256.
//!
//! A [`Peer`] holds what the library lets one prepare: parsed keys, validation options. Its two functions are what is
//! timed. Every verification checks signature, issuer, audience and expiry by the system's clock, and gives out the
//! claims; what else a library refuses is seen by running it ([`forged`]), never claimed.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up is over")]

pub mod claims;
pub mod forged;
pub mod keys;
mod peer;
pub mod sizes;

use safeconduct::core::jws::Algorithm;
use safeconduct::core::time::Timestamp;

use crate::claims::Claims;
use crate::keys::Keys;

/// What is compared, by the names that JWS has for them.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256];

/// The tolerance for clocks, in seconds, that every library is given that takes one.
pub const LEEWAY: u64 = 5;

/// One library under one algorithm.
pub struct Peer {
    /// The library, and its back end where there are several.
    pub name: &'static str,
    /// The eight claims as a signed token with `typ` `at+jwt` and a `kid`: serialized, encoded, signed.
    pub sign: Box<dyn Fn(&Claims<'_>) -> String>,
    /// The claim `exp` of a token that is accepted now.
    pub verify: Verify,
}

/// The claim `exp` of a token that is accepted now.
pub type Verify = Box<dyn Fn(&str) -> Option<u64>>;

/// Every library under `algorithm`, this one first.
pub fn peers(algorithm: Algorithm) -> Vec<Peer> {
    let keys = Keys::new(algorithm);
    vec![
        peer::safeconduct::peer(&keys),
        peer::safeconduct::copying(&keys),
        peer::oxitoken::peer(&keys),
        peer::jsonwebtoken::aws_lc(&keys),
        peer::jsonwebtoken::rust_crypto(&keys),
        peer::jwt_compact::peer(&keys),
        peer::jwt_simple::peer(&keys),
    ]
}

/// The system's time.
pub fn now() -> Timestamp {
    safeconduct::system_time()
}
