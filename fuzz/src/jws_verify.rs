//! Token texts against verifiers: whatever is accepted was signed here, byte for byte, and says what a
//! second JSON reader finds in it.
//!
//! The first byte of an input chooses what the rest is: a text; a script of changes to a good token; a
//! payload to be signed; a header and a payload, on two lines, to be signed.
//!
//! ES256 alone has two good signatures of every text, (r, s) and (r, n − s): the second is no edit that is tried here.

use std::sync::OnceLock;

use safeconduct_core::encoding::base64url;
use safeconduct_core::id::{Partition, SessionId, SubjectHandle};
use safeconduct_core::jws::{Algorithm, KeySet, SigningKey, Typ, sign};
use safeconduct_core::time::Seconds;
use safeconduct_core::token::{NewAccessToken, Profile, Scratch, Verifier, VerifierConfig};
use serde_json::Value;

use crate::deployment::{AUDIENCE, ISSUER, START};
use crate::edit::edited;
use crate::{Broken, Judged, hold};

/// What is under test: the payload of a token that is accepted at [`START`].
pub type Accept = fn(&Verifier, &str) -> Option<String>;

/// The real one.
pub fn accept(verifier: &Verifier, token: &str) -> Option<String> {
    let mut scratch = Scratch::boxed();
    let claims = verifier.verify(token, START, &mut scratch).ok()?;
    // Everything that can be read of the claims is read.
    let _ = format!("{claims:?}");
    let _ = (claims.has_scope("read"), claims.aud().map(|aud| aud.iter().count()));
    Some(claims.payload().to_owned())
}

struct World {
    signing: Vec<SigningKey>,
    verifiers: Vec<Verifier>,
    /// One of each key and kind; nothing else is ever acceptable as it stands.
    tokens: Vec<String>,
}

fn key(index: usize) -> SigningKey {
    let key = match index {
        0 => SigningKey::ed25519(&[7; 32], Algorithm::EdDsa),
        1 => SigningKey::ed25519(&[8; 32], Algorithm::Ed25519),
        2 => SigningKey::hmac(&[5; 32], Algorithm::Hs256),
        3 => SigningKey::hmac(&[6; 64], Algorithm::Hs512),
        _ => SigningKey::p256(&[9; 32]),
    };
    key.expect("a good key")
}

/// Which key a byte of an input stands for: the last one where it is from 8 to 15, the others in turn.
fn chosen_key(chosen: usize) -> usize {
    if (8..16).contains(&chosen) { 4 } else { chosen % 4 }
}

/// Which good token a byte of an input stands for, in the same way.
fn chosen_token(chosen: usize) -> usize {
    if (8..16).contains(&chosen) { 8 + chosen % 2 } else { chosen % 8 }
}

fn good_payload() -> String {
    NewAccessToken {
        iss: ISSUER,
        aud: &[AUDIENCE],
        sub: "user-1",
        client_id: "app",
        exp: START.plus(Seconds::new(300)),
        iat: START,
        jti: "token-1",
        sid: SessionId::new(SubjectHandle::new(Partition(3), [1; 7]), [2; 8]),
        sep: 4,
        scv: 5,
        gep: 6,
        scope: Some("read write"),
        auth_time: Some(START),
        jkt: Some(&[9; 32]),
        custom: None,
    }
    .to_json()
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let set = |first: usize, others: &[usize]| {
            others.iter().fold(KeySet::new(key(first)), |keys, other| {
                keys.with_verifying(key(*other).verifying_key()).expect("a good set")
            })
        };
        let jwt = || VerifierConfig { audience: Some(AUDIENCE.into()), ..VerifierConfig::jwt() };
        let verifiers = [set(0, &[1, 4]), set(2, &[3])].into_iter().flat_map(|keys| {
            let keys = std::sync::Arc::new(keys);
            [VerifierConfig::access_token(ISSUER, AUDIENCE), jwt()]
                .map(|config| Verifier::new(std::sync::Arc::clone(&keys), config).expect("a good verifier"))
        });
        let verifiers = verifiers.collect();
        let signing: Vec<SigningKey> = (0..5).map(key).collect();
        let kinds = [Typ::AccessToken, Typ::Jwt];
        let tokens = signing.iter().flat_map(|key| kinds.map(|typ| sign(key, typ, good_payload().as_bytes())));
        let tokens = tokens.collect();
        World { signing, verifiers, tokens }
    })
}

/// The tokens that an input of changes starts from.
pub fn signed_here() -> &'static [String] {
    &world().tokens
}

/// The target.
pub fn run(data: &[u8], accept: Accept) -> Judged {
    let world = world();
    let Some((&mode, rest)) = data.split_first() else { return Ok(()) };
    let (&chosen, tail) = rest.split_first().unwrap_or((&0, &[]));
    let chosen = usize::from(chosen);
    match mode {
        b'e' => {
            let original = &world.tokens[chosen_token(chosen)];
            let Ok(text) = String::from_utf8(edited(original.as_bytes(), tail)) else { return Ok(()) };
            foreign(&text, world, accept)
        }
        b'p' => {
            let key = &world.signing[chosen_key(chosen)];
            let typ = if chosen & 4 == 0 { Typ::AccessToken } else { Typ::Jwt };
            signed(&sign(key, typ, tail), tail, world, accept)
        }
        b'h' => {
            let (header, payload) = tail.split_at(tail.iter().position(|byte| *byte == b'\n').unwrap_or(tail.len()));
            let payload = payload.get(1..).unwrap_or_default();
            let key = &world.signing[chosen_key(chosen)];
            let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
            let mut signature = [0; 64];
            let signature = base64url::encode(key.signature(input.as_bytes(), &mut signature));
            if signed(&format!("{input}.{signature}"), payload, world, accept)? {
                header_is_plain(header, key)?;
            }
            return Ok(());
        }
        _ => match std::str::from_utf8(rest) {
            Ok(text) => foreign(text, world, accept),
            Err(_) => return Ok(()),
        },
    }
    .map(drop)
}

/// A text that nobody signed, unless it is one of ours.
fn foreign(text: &str, world: &World, accept: Accept) -> Result<bool, Broken> {
    let accepted = world.verifiers.iter().any(|verifier| accept(verifier, text).is_some());
    hold(!accepted || world.tokens.iter().any(|token| token == text), || format!("accepted: {text}"))?;
    Ok(accepted)
}

/// A token with a good signature: what is accepted says what the rules of its verifier ask for.
fn signed(token: &str, payload: &[u8], world: &World, accept: Accept) -> Result<bool, Broken> {
    let mut accepted = false;
    for verifier in &world.verifiers {
        let Some(seen) = accept(verifier, token) else { continue };
        accepted = true;
        hold(seen.as_bytes() == payload.trim_ascii(), || format!("another payload: {seen}"))?;
        let claims: Value = serde_json::from_str(&seen).map_err(|error| Broken(format!("{error}: {seen}")))?;
        claims_are_good(&claims, verifier).map_err(|Broken(why)| Broken(format!("{why}: {seen}")))?;
    }
    Ok(accepted)
}

fn claims_are_good(claims: &Value, verifier: &Verifier) -> Judged {
    let broken = |what: &str| Broken(what.to_owned());
    let date = |name: &str| {
        let text = claims.get(name)?.as_number()?.to_string();
        text.parse::<f64>().ok()
    };
    let (now, leeway) = (START.as_unix_seconds() as f64, 5.0);
    let exp = date("exp").ok_or_else(|| broken("no exp"))?;
    hold(exp + leeway > now, || "expired".into())?;
    for name in ["iat", "nbf"] {
        if claims.get(name).is_some() {
            let date = date(name).ok_or_else(|| broken("a date of another type"))?;
            hold(date < now + leeway + 1.0, || format!("{name} in the future"))?;
        }
    }
    let aud = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    hold(aud.contains(&AUDIENCE), || "another audience".into())?;
    if verifier.config().profile == Profile::AccessToken {
        hold(exp <= now + 3600.0, || "a longer life than is accepted".into())?;
        hold(claims.get("iss").and_then(Value::as_str) == Some(ISSUER), || "another issuer".into())?;
        for name in ["sub", "client_id", "jti", "sid"] {
            let text = claims.get(name).and_then(Value::as_str);
            hold(text.is_some_and(|text| !text.is_empty()), || format!("no {name}"))?;
        }
        hold(date("iat").is_some(), || "no iat".into())?;
    }
    Ok(())
}

/// A header under which anything was accepted asks for nothing unusual.
fn header_is_plain(header: &[u8], key: &SigningKey) -> Judged {
    let header: Value = serde_json::from_slice(header).map_err(|error| Broken(format!("header: {error}")))?;
    for name in ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"] {
        hold(header.get(name).is_none(), || format!("{name} was accepted"))?;
    }
    let alg = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let is_edwards =
        matches!(alg, "EdDSA" | "Ed25519") && matches!(key.algorithm(), Algorithm::EdDsa | Algorithm::Ed25519);
    hold(is_edwards || alg == key.algorithm().name(), || format!("accepted under {alg}"))
}
