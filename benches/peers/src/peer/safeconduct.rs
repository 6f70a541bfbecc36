//! This library: a `Verifier` of the public key alone, and the same claims by its JSON writer.

use std::cell::RefCell;

use safeconduct::core::encoding::json::Writer;
use safeconduct::core::jws::{KeySet, Typ, sign};
use safeconduct::core::token::{AccessClaims, Scratch, Verifier, VerifierConfig};
use safeconduct_benches::{AUDIENCE, ISSUER};

use crate::claims::{Claims, Owned};
use crate::keys::Keys;
use crate::{Peer, now};

/// The claims as they are given out: they refer to the token.
pub(crate) fn peer(keys: &Keys) -> Peer {
    made("safeconduct", keys, |claims| claims.exp().as_unix_seconds())
}

/// The claims copied into the very type that the other libraries fill.
pub(crate) fn copying(keys: &Keys) -> Peer {
    made("safeconduct, copied", keys, |claims| claims.decode::<Owned>().expect("eight claims").exp)
}

fn made(name: &'static str, keys: &Keys, read: impl Fn(AccessClaims<'_>) -> u64 + 'static) -> Peer {
    let key = keys.signing();
    let trusted = KeySet::verify_only(vec![key.verifying_key()]).expect("a good set");
    let verifier = Verifier::new(trusted, VerifierConfig::access_token(ISSUER, AUDIENCE)).expect("a good verifier");
    let scratch = RefCell::new(Scratch::boxed());
    Peer {
        name,
        sign: Box::new(move |claims| sign(&key, Typ::AccessToken, payload(claims).as_bytes())),
        verify: Box::new(move |token| Some(read(verifier.verify(token, now(), &mut scratch.borrow_mut()).ok()?))),
    }
}

fn payload(claims: &Claims<'_>) -> String {
    let mut writer = Writer::with_capacity(256);
    writer.string("iss", claims.iss).string("aud", claims.aud).string("sub", claims.sub);
    writer.string("client_id", claims.client_id).integer("exp", claims.exp).integer("iat", claims.iat);
    writer.string("jti", claims.jti).string("sid", claims.sid);
    writer.finish()
}
