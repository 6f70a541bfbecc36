//! jwt-simple. Its other back end, BoringSSL, serves RSA only: none of what is compared here.
//!
//! Claims and options are passed by value, so they are made anew, or copied, for each call.

use std::collections::HashSet;

use jwt_simple::prelude::{
    Claims as Simple, Duration, ECDSAP256KeyPairLike, ECDSAP256PublicKeyLike, ES256KeyPair, Ed25519KeyPair,
    EdDSAKeyPairLike, EdDSAPublicKeyLike, HS256Key, HeaderOptions, JWTClaims, MACLike, UnixTimeStamp,
    VerificationOptions,
};
use safeconduct::core::jws::Algorithm;
use safeconduct_benches::{AUDIENCE, ISSUER};
use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::keys::Keys;
use crate::{LEEWAY, Peer};

/// What the library has no member for.
#[derive(Serialize)]
struct Further<'a> {
    client_id: &'a str,
    sid: &'a str,
}

#[derive(Deserialize)]
struct OwnedFurther {
    #[allow(dead_code, reason = "read, as every library reads it")]
    client_id: String,
    #[allow(dead_code, reason = "read, as every library reads it")]
    sid: String,
}

pub(crate) fn peer(keys: &Keys) -> Peer {
    let allowed = |name: &str| Some(HashSet::from([name.to_owned()]));
    let options = VerificationOptions {
        allowed_issuers: allowed(ISSUER),
        allowed_audiences: allowed(AUDIENCE),
        time_tolerance: Some(Duration::from_secs(LEEWAY)),
        ..VerificationOptions::default()
    };
    let header = HeaderOptions { signature_type: Some("at+jwt".into()), ..HeaderOptions::default() };
    let exp = |claims: JWTClaims<OwnedFurther>| claims.expires_at.map(|exp| exp.as_secs());
    let name = "jwt-simple";
    match keys.algorithm {
        Algorithm::EdDsa => {
            let both = [&keys.secret[..], &keys.public].concat();
            let key = Ed25519KeyPair::from_bytes(&both).expect("a key").with_key_id(&keys.kid);
            let trusted = key.public_key();
            Peer {
                name,
                sign: Box::new(move |claims| key.sign_with_options(made(claims), &header).expect("a token")),
                verify: Box::new(move |token| trusted.verify_token(token, Some(options.clone())).ok().and_then(exp)),
            }
        }
        Algorithm::Es256 => {
            let key = ES256KeyPair::from_bytes(&keys.secret).expect("a key").with_key_id(&keys.kid);
            let trusted = key.public_key();
            Peer {
                name,
                sign: Box::new(move |claims| key.sign_with_options(made(claims), &header).expect("a token")),
                verify: Box::new(move |token| trusted.verify_token(token, Some(options.clone())).ok().and_then(exp)),
            }
        }
        _ => {
            let key = HS256Key::from_bytes(&keys.secret).with_key_id(&keys.kid);
            let trusted = HS256Key::from_bytes(&keys.secret);
            Peer {
                name,
                sign: Box::new(move |claims| key.authenticate_with_options(made(claims), &header).expect("a token")),
                verify: Box::new(move |token| trusted.verify_token(token, Some(options.clone())).ok().and_then(exp)),
            }
        }
    }
}

fn made<'a>(claims: &Claims<'a>) -> JWTClaims<Further<'a>> {
    let further = Further { client_id: claims.client_id, sid: claims.sid };
    let mut made = Simple::with_custom_claims(further, Duration::from_secs(claims.exp - claims.iat))
        .with_issuer(claims.iss)
        .with_audience(claims.aud)
        .with_subject(claims.sub)
        .with_jwt_id(claims.jti);
    made.issued_at = Some(UnixTimeStamp::from_secs(claims.iat));
    made.expires_at = Some(UnixTimeStamp::from_secs(claims.exp));
    made.invalid_before = None;
    made
}
