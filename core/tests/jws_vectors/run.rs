//! Runs one vector and names its outcome: `valid`, or the reason of the refusal.

use safeconduct_core::encoding::base64url;
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, SigningKey, VerifyingKey};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::{Profile, Scratch, Verifier, VerifierConfig};
use serde_json::Value;

pub(crate) fn token(settings: &Value, vector: &Value) -> String {
    let config = VerifierConfig {
        profile: if settings["profile"] == "access_token" { Profile::AccessToken } else { Profile::Jwt },
        issuer: settings["issuer"].as_str().map(String::from),
        audience: settings["audience"].as_str().map(String::from),
        leeway: Seconds::new(settings["leeway"].as_u64().unwrap()),
        max_ttl: settings["max_ttl"].as_u64().map(Seconds::new),
    };
    let keys = KeySet::from_jwks(&settings["jwks"].to_string()).unwrap();
    let verifier = Verifier::new(keys, config).unwrap();
    let now = Timestamp::from_unix_seconds(settings["now"].as_u64().unwrap());
    match verifier.verify(vector["token"].as_str().unwrap(), now, &mut Scratch::new()) {
        Ok(_) => "valid".into(),
        Err(reason) => reason.reason().into(),
    }
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
