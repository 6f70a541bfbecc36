//! What a JWK set says of its keys' times: read strictly, written as it was read.

use safeconduct_core::jws::rotation::{Command, apply, first};
use safeconduct_core::jws::{
    Algorithm, JwsError, KeyError, KeySet, Phase, SigningKey, Typ, Untrusted, WithdrawalReason, sign,
};
use safeconduct_core::time::{Seconds, Timestamp};
use serde_json::{Value, json};

use crate::deployment::{START, key, names, policy};

const NOW: Timestamp = Timestamp::from_millis(START);

/// A set of two private keys whose first JWK has these members besides.
fn read(further: &Value) -> Result<KeySet, KeyError> {
    let mut jwk: Value = private(1);
    jwk.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    KeySet::from_jwks(&json!({ "keys": [jwk, private(2)] }).to_string())
}

fn private(number: u8) -> Value {
    let set: Value = serde_json::from_str(&KeySet::new(key(Algorithm::EdDsa, number)).private_jwks()).unwrap();
    set["keys"][0].clone()
}

#[test]
fn a_schedule_comes_back_as_it_was() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let mut keys = first(key(algorithm, 1), NOW);
        for number in 2..6 {
            let now = NOW.plus(Seconds::new(u64::from(number) * 2 * policy().lead().get()));
            keys = apply(&keys, Command::Publish(key(algorithm, number)), now, &policy()).unwrap();
            if number == 4 {
                let kid = keys.signing(now).unwrap().kid().to_string();
                let command = Command::Withdraw { kid: &kid, reason: WithdrawalReason::Superseded, successor: None };
                keys = apply(&keys, command, now, &policy()).unwrap();
            }
            let again = KeySet::from_jwks(&keys.private_jwks()).unwrap();
            assert_eq!(again.private_jwks().as_str(), keys.private_jwks().as_str());
            for later in [NOW, now, now.plus(policy().lead()), NOW.plus(Seconds::days(9))] {
                let statuses = |keys: &KeySet| keys.statuses(later).map(|s| format!("{s:?}")).collect::<Vec<_>>();
                assert_eq!(statuses(&again), statuses(&keys));
            }
        }
        assert_eq!(keys.withdrawn().len(), 1);
    }
}

#[test]
fn what_stays_of_a_withdrawn_key_could_not_sign() {
    let keys = first(key(Algorithm::Hs256, 1), NOW);
    let kid = keys.signing(NOW).unwrap().kid().to_string();
    let successor = Some(key(Algorithm::Hs256, 2));
    let command = Command::Withdraw { kid: &kid, reason: WithdrawalReason::Compromised, successor };
    let text = apply(&keys, command, NOW, &policy()).unwrap().private_jwks();
    let set: Value = serde_json::from_str(&text).unwrap();
    let tombstone = set["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == kid.as_str()).unwrap();
    let seconds = START / 1000;
    assert_eq!(
        *tombstone,
        json!({ "kid": kid, "alg": "HS256", "iat": seconds - 60, "nbf": seconds - 60,
            "revoked": { "revoked_at": seconds, "reason": "compromised" } })
    );
}

#[test]
fn times_that_are_none_or_in_no_order_are_refused() {
    let bad = [
        json!({ "nbf": "1" }),
        json!({ "nbf": -1 }),
        json!({ "nbf": 1.5 }),
        json!({ "iat": null }),
        json!({ "exp": true }),
        json!({ "exp": 9_007_199_254_740_992_u64 }),
        json!({ "exp": 0 }),
        json!({ "iat": 6, "nbf": 5 }),
        json!({ "nbf": 5, "exp": 5 }),
        json!({ "iat": 7, "nbf": 8, "exp": 6 }),
        json!({ "revoked": true }),
        json!({ "revoked": {} }),
        json!({ "revoked": { "revoked_at": "now" } }),
        json!({ "revoked": { "revoked_at": 5, "reason": 3 } }),
        json!({ "revoked": { "revoked_at": 5 }, "nbf": "1" }),
    ];
    for further in bad {
        assert_eq!(read(&further).err(), Some(KeyError::BadSchedule), "{further}");
    }
    for good in [json!({ "iat": 5, "nbf": 5, "exp": 6 }), json!({ "iat": 5 }), json!({ "exp": 1 }), json!({})] {
        assert!(read(&good).is_ok(), "{good}");
    }
}

#[test]
fn a_public_key_of_impossible_times_is_left_out_and_a_nameless_withdrawal_is_not() {
    let mut public = private(1);
    public.as_object_mut().unwrap().remove("d");
    public["nbf"] = "soon".into();
    let keys = KeySet::from_jwks(&json!({ "keys": [public, private(2)] }).to_string()).unwrap();
    assert_eq!((keys.skipped()[0].reason, keys.verifying().len()), (KeyError::BadSchedule, 1));
    let nameless = json!({ "keys": [private(2), { "revoked": { "revoked_at": 1 } }] });
    assert_eq!(KeySet::from_jwks(&nameless.to_string()).err(), Some(KeyError::BadKeyId));
}

#[test]
fn a_withdrawn_name_is_no_other_keys_name() {
    let kid = private(2)["kid"].clone();
    for place in [0, 1] {
        let mut keys = vec![private(2)];
        keys.insert(place, json!({ "kid": kid, "revoked": { "revoked_at": 1 } }));
        let refused = KeySet::from_jwks(&json!({ "keys": keys }).to_string()).err();
        assert!(matches!(refused, Some(KeyError::DuplicateKeyId | KeyError::Withdrawn)), "{refused:?}");
    }
}

#[test]
fn a_whole_key_that_is_marked_as_withdrawn_is_withdrawn() {
    let keys = read(&json!({ "revoked": { "revoked_at": 1, "reason": "anything else" } })).unwrap();
    let statuses: Vec<_> = keys.statuses(NOW).map(|status| status.phase).collect();
    assert_eq!(statuses, [Phase::Signing, Phase::Withdrawn]);
    assert!(!keys.private_jwks().contains(private(1)["d"].as_str().unwrap()));
}

#[test]
fn of_plain_private_keys_only_the_first_signs_ever() {
    let keys = read(&json!({})).unwrap();
    assert_eq!(keys.signing(NOW).map(SigningKey::kid), private(1)["kid"].as_str());
    let plain = private(1);
    let command = Command::Withdraw {
        kid: plain["kid"].as_str().unwrap(),
        reason: WithdrawalReason::Unspecified,
        successor: Some(key(Algorithm::EdDsa, 3)),
    };
    let keys = apply(&keys, command, NOW, &policy()).unwrap();
    assert_eq!(keys.signing(NOW).map(SigningKey::kid), Some(key(Algorithm::EdDsa, 3).kid()));
}

#[test]
fn what_is_published_and_what_a_token_meets_follow_the_time() {
    let token = |number| sign(&key(Algorithm::EdDsa, number), Typ::Jwt, b"{}");
    let keys = apply(&first(key(Algorithm::EdDsa, 1), NOW), Command::Publish(key(Algorithm::EdDsa, 2)), NOW, &policy());
    let keys = keys.unwrap();
    let met = |keys: &KeySet, number, now| {
        Untrusted::parse(&token(number)).unwrap().verify(keys, Typ::Jwt, now, &mut [0; 8]).map(|_| ()).err()
    };
    let kids = [1, 2].map(|number| key(Algorithm::EdDsa, number).kid().to_string());
    let ends = NOW.plus(policy().lead()).plus(policy().retention());
    assert_eq!(names(&keys.public_jwks(NOW).unwrap()), kids);
    assert_eq!(names(&keys.public_jwks(ends).unwrap()), kids[1..]);
    assert_eq!((met(&keys, 1, NOW), met(&keys, 2, NOW)), (None, None));
    assert_eq!((met(&keys, 1, ends), met(&keys, 2, ends)), (Some(JwsError::UnknownKey), None));
    let command = Command::Withdraw { kid: &kids[0], reason: WithdrawalReason::Compromised, successor: None };
    let keys = apply(&keys, command, NOW, &policy()).unwrap();
    assert_eq!((met(&keys, 1, NOW), met(&keys, 2, NOW)), (Some(JwsError::KeyWithdrawn), None));
    assert_eq!(names(&keys.public_jwks(NOW).unwrap()), kids[1..]);
    // Neither does a name spelled with escapes get round it.
    let (_, rest) = token(1).split_once('.').map(|(a, b)| (a.to_string(), b.to_string())).unwrap();
    let spelled: String = kids[0].chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{spelled}"}}"#);
    let header = safeconduct_core::encoding::base64url::encode(header.as_bytes());
    let escaped = format!("{header}.{rest}");
    let met = Untrusted::parse(&escaped).unwrap().verify(&keys, Typ::Jwt, NOW, &mut [0; 8]).map(|_| ());
    assert_eq!(met, Err(JwsError::KeyWithdrawn));
}
