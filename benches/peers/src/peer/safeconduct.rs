//! This library: a `Verifier` of the public key alone, and the same claims by its JSON writer.

use std::cell::RefCell;

use safeconduct::core::encoding::json::Writer;
use safeconduct::core::jws::{KeySet, Typ, sign};
use safeconduct::core::token::{Scratch, Verifier, VerifierConfig};
use safeconduct_benches::{AUDIENCE, ISSUER};

use crate::claims::Claims;
use crate::keys::Keys;
use crate::{Peer, now};

pub(crate) fn peer(keys: &Keys) -> Peer {
    let key = keys.signing();
    let trusted = KeySet::verify_only(vec![key.verifying_key()]).expect("a good set");
    let verifier = Verifier::new(trusted, VerifierConfig::access_token(ISSUER, AUDIENCE)).expect("a good verifier");
    let scratch = RefCell::new(Scratch::boxed());
    Peer {
        name: "safeconduct",
        sign: Box::new(move |claims| sign(&key, Typ::AccessToken, payload(claims).as_bytes())),
        verify: Box::new(move |token| {
            let mut scratch = scratch.borrow_mut();
            let claims = verifier.verify(token, now(), &mut scratch).ok()?;
            Some(claims.exp().as_unix_seconds())
        }),
    }
}

fn payload(claims: &Claims<'_>) -> String {
    let mut writer = Writer::with_capacity(256);
    writer.string("iss", claims.iss).string("aud", claims.aud).string("sub", claims.sub);
    writer.string("client_id", claims.client_id).integer("exp", claims.exp).integer("iat", claims.iat);
    writer.string("jti", claims.jti).string("sid", claims.sid);
    writer.finish()
}
