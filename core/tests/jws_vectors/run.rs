//! Runs one vector and names its outcome: `valid`, or the reason of the refusal.

#[cfg(feature = "std")]
use std::collections::HashMap;

use safeconduct_core::encoding::base64url;
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, SigningKey, VerifyingKey};
use safeconduct_core::time::{Seconds, Timestamp};
#[cfg(feature = "std")]
use safeconduct_core::token::TokenCache;
use safeconduct_core::token::{InvalidToken, Profile, Scratch, Verifier, VerifierConfig};
use serde_json::Value;

pub(crate) fn verifier(settings: &Value) -> Verifier {
    let config = VerifierConfig {
        profile: if settings["profile"] == "access_token" { Profile::AccessToken } else { Profile::Jwt },
        issuer: settings["issuer"].as_str().map(String::from),
        audience: settings["audience"].as_str().map(String::from),
        leeway: Seconds::new(settings["leeway"].as_u64().unwrap()),
        max_ttl: settings["max_ttl"].as_u64().map(Seconds::new),
    };
    Verifier::new(KeySet::from_jwks(&settings["jwks"].to_string()).unwrap(), config).unwrap()
}

pub(crate) fn token(settings: &Value, vector: &Value) -> String {
    let verifier = verifier(settings);
    let now = Timestamp::from_unix_seconds(settings["now"].as_u64().unwrap());
    let token = vector["token"].as_str().unwrap();
    let outcome = name(verifier.verify(token, now, &mut Scratch::new()).map(|_| ()));
    #[cfg(feature = "std")]
    {
        let cache = TokenCache::new(4).for_symmetric_keys();
        for _ in 0..2 {
            assert_eq!(remembered(&cache, &verifier, token, now), outcome, "{}", vector["number"]);
        }
    }
    outcome
}

#[cfg(feature = "std")]
fn remembered(cache: &TokenCache, verifier: &Verifier, token: &str, now: Timestamp) -> String {
    let mut scratch = Scratch::boxed();
    name(cache.verify(verifier, token, now, &mut scratch, |_| Ok(())).map(|_| ()))
}

/// The outcome of each step of a conversation with one cache.
#[cfg(feature = "std")]
pub(crate) fn conversation(verifiers: &Value, conversation: &Value) -> Vec<String> {
    let cache = TokenCache::new(4);
    let made: HashMap<&String, Verifier> =
        verifiers.as_object().unwrap().iter().map(|(name, settings)| (name, verifier(settings))).collect();
    let steps = conversation["steps"].as_array().unwrap().iter();
    let outcomes = steps.map(|step| {
        let now = Timestamp::from_unix_seconds(step["now"].as_u64().unwrap());
        let asked = &made[&step["verifier"].as_str().unwrap().to_string()];
        remembered(&cache, asked, step["token"].as_str().unwrap(), now)
    });
    outcomes.collect()
}

fn name(outcome: Result<(), InvalidToken>) -> String {
    outcome.map_or_else(InvalidToken::reason, |()| "valid").into()
}

pub(crate) fn key(vector: &Value) -> String {
    let input = vector["input"].as_str().unwrap();
    let outcome = match vector["import"].as_str().unwrap() {
        "jwks" => KeySet::from_jwks(input).map(|_| ()),
        "private_jwk" => SigningKey::from_jwk(input).map(|_| ()),
        "public_jwk" => VerifyingKey::from_jwk(input).map(|_| ()),
        "private_pem" => SigningKey::from_pem(input).map(|_| ()),
        "public_pem" => VerifyingKey::from_pem(input).map(|_| ()),
        hmac => {
            let mut secret = vec![0; input.len()];
            let secret = base64url::decode(input.as_bytes(), &mut secret).unwrap();
            let algorithm = Algorithm::from_name(hmac).unwrap();
            assert_eq!(VerifyingKey::hmac(secret, algorithm).err(), SigningKey::hmac(secret, algorithm).err());
            SigningKey::hmac(secret, algorithm).map(|_| ())
        }
    };
    outcome.map_or_else(KeyError::reason, |()| "valid").into()
}
