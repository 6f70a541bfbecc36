//! jwt-compact, with ed25519-dalek and p256. Issuer and audience are compared here, for the library leaves them to its
//! caller.

use std::rc::Rc;

use chrono::{DateTime, Duration, Utc};
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, SigningKey};
use jwt_compact::{Algorithm, AlgorithmExt, Claims as Compact, Header, TimeOptions, Token, UntrustedToken};
use safeconduct::core::jws;
use safeconduct_benches::{AUDIENCE, ISSUER};
use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::keys::Keys;
use crate::{LEEWAY, Peer};

/// What the library has no member for.
#[derive(Serialize)]
struct Further<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    jti: &'a str,
    sid: &'a str,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read, as every library reads it")]
struct OwnedFurther {
    iss: String,
    aud: String,
    sub: String,
    client_id: String,
    jti: String,
    sid: String,
}

pub(crate) fn peer(keys: &Keys) -> Peer {
    match keys.algorithm {
        jws::Algorithm::EdDsa => {
            let key = <<Ed25519 as Algorithm>::SigningKey as SigningKey<Ed25519>>::from_slice(&keys.secret);
            let key = key.expect("a key");
            let trusted = SigningKey::<Ed25519>::to_verifying_key(&key);
            with(Ed25519, key, trusted, keys)
        }
        jws::Algorithm::Es256 => {
            let key = <<Es256 as Algorithm>::SigningKey as SigningKey<Es256>>::from_slice(&keys.secret);
            let key = key.expect("a key");
            let trusted = SigningKey::<Es256>::to_verifying_key(&key);
            with(Es256, key, trusted, keys)
        }
        _ => with(Hs256, Hs256Key::new(keys.secret), Hs256Key::new(keys.secret), keys),
    }
}

fn with<A>(algorithm: A, key: A::SigningKey, trusted: A::VerifyingKey, keys: &Keys) -> Peer
where
    A: Algorithm + 'static,
    A::SigningKey: 'static,
    A::VerifyingKey: 'static,
{
    let header = Header::empty().with_token_type("at+jwt").with_key_id(&keys.kid);
    let algorithm = Rc::new(algorithm);
    let verifying = Rc::clone(&algorithm);
    let time = TimeOptions::from_leeway(Duration::seconds(LEEWAY as i64));
    Peer {
        name: "jwt-compact",
        sign: Box::new(move |claims| algorithm.token(&header, &made(claims), &key).expect("a token")),
        verify: Box::new(move |token| {
            let token = UntrustedToken::new(token).ok()?;
            let token: Token<OwnedFurther> = verifying.validator(&trusted).validate(&token).ok()?;
            let claims = token.claims();
            claims.validate_expiration(&time).ok()?;
            let further = &claims.custom;
            let meant = further.iss == ISSUER && further.aud == AUDIENCE;
            claims.expiration.filter(|_| meant).map(|exp| exp.timestamp() as u64)
        }),
    }
}

fn made<'a>(claims: &Claims<'a>) -> Compact<Further<'a>> {
    let Claims { iss, aud, sub, client_id, jti, sid, .. } = *claims;
    let date = |seconds: u64| DateTime::<Utc>::from_timestamp(seconds as i64, 0);
    let mut made = Compact::new(Further { iss, aud, sub, client_id, jti, sid });
    made.expiration = date(claims.exp);
    made.issued_at = date(claims.iat);
    made
}
