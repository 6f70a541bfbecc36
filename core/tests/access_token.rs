//! What a verifier makes of tokens as they are issued, and of every small change to them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test may panic"
)]

use std::sync::Arc;

use proptest::prelude::*;
use safeconduct_core::encoding::base64url;
use safeconduct_core::id::{Partition, SessionId, SubjectHandle};
use safeconduct_core::jws::{Algorithm, KeySet, SigningKey, Typ, VerifyingKey, sign};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::{
    ConfigError, CustomClaims, InvalidToken, MAX_LEEWAY, NewAccessToken, Profile, Scratch, Verifier, VerifierConfig,
};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn keys() -> Vec<SigningKey> {
    let secret: Vec<u8> = (1..=64).collect();
    vec![
        SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap(),
        SigningKey::ed25519(&[7; 32], Algorithm::Ed25519).unwrap(),
        SigningKey::hmac(&secret, Algorithm::Hs256).unwrap(),
        SigningKey::hmac(&secret, Algorithm::Hs384).unwrap(),
        SigningKey::hmac(&secret, Algorithm::Hs512).unwrap(),
    ]
}

fn claims() -> NewAccessToken<'static> {
    NewAccessToken {
        iss: ISSUER,
        aud: &[AUDIENCE],
        sub: "user-1",
        client_id: "app",
        exp: NOW.plus(Seconds::new(300)),
        iat: NOW,
        jti: "token-1",
        sid: SessionId::new(SubjectHandle::new(Partition(3), [1; 7]), [2; 8]),
        sep: 4,
        scv: 5,
        gep: 6,
        scope: Some("read write"),
        auth_time: Some(NOW),
        jkt: Some(&[9; 32]),
        custom: None,
    }
}

fn verifier(key: SigningKey) -> Verifier {
    Verifier::new(KeySet::new(key), VerifierConfig::access_token(ISSUER, AUDIENCE)).unwrap()
}

fn refusal(verifier: &Verifier, token: &str) -> Option<InvalidToken> {
    verifier.verify(token, NOW, &mut Scratch::new()).err()
}

#[test]
fn an_issued_token_is_accepted_and_says_what_was_put_in() {
    for key in keys() {
        let custom = CustomClaims::parse(r#"{ "roles": ["admin"], "tenant": {"id": 5} }"#, 200, &[]).unwrap();
        let claims = NewAccessToken { custom: Some(&custom), sub: "us\"er\\\n1é", ..claims() };
        let token = sign(&key, Typ::AccessToken, claims.to_json().as_bytes());
        let verifier = verifier(key);
        let mut scratch = Scratch::new();
        let seen = verifier.verify(&token, NOW, &mut scratch).unwrap();
        assert!(seen.iss().unwrap() == ISSUER && seen.aud().unwrap().contains(AUDIENCE));
        assert_eq!(seen.sub().unwrap().to_string(), claims.sub);
        assert!(seen.client_id().unwrap() == "app" && seen.jti().unwrap() == "token-1");
        assert_eq!((seen.exp(), seen.iat(), seen.auth_time()), (claims.exp, Some(NOW), Some(NOW)));
        assert_eq!((seen.sid(), seen.sep(), seen.scv(), seen.gep()), (Some(claims.sid), Some(4), Some(5), Some(6)));
        assert_eq!(seen.jkt(), Some([9; 32]));
        assert!(seen.has_scope("read") && seen.has_scope("write"));
        assert!(!seen.has_scope("rea") && !seen.has_scope("") && !seen.has_scope("read write"));
        assert_eq!(seen.object().get("roles").unwrap().as_array().unwrap().raw(), r#"["admin"]"#);
        assert_eq!(seen.payload(), claims.to_json());
    }
}

#[test]
fn several_audiences_are_written_as_a_list() {
    let [key, ..] = <[SigningKey; 5]>::try_from(keys()).unwrap();
    let claims = NewAccessToken { aud: &["https://other.example", AUDIENCE], ..claims() };
    let token = sign(&key, Typ::AccessToken, claims.to_json().as_bytes());
    assert_eq!(refusal(&verifier(key), &token), None);
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    for key in keys() {
        let token = sign(&key, Typ::AccessToken, claims().to_json().as_bytes());
        let verifier = verifier(key);
        for len in 0..token.len() {
            assert!(refusal(&verifier, &token[..len]).is_some(), "cut to {len}");
            assert!(refusal(&verifier, &token[len + 1..]).is_some(), "cut from {len}");
        }
        for extra in ["A", "AA", "AAAA", "=", ".", " ", "\n", "\0", "é"] {
            assert!(refusal(&verifier, &format!("{token}{extra}")).is_some(), "{extra:?} behind");
            assert!(refusal(&verifier, &format!("{extra}{token}")).is_some(), "{extra:?} in front");
        }
    }
}

#[test]
fn every_flip_of_one_bit_is_refused() {
    let short = NewAccessToken { iss: "i", aud: &["a"], scope: None, auth_time: None, jkt: None, ..claims() };
    for key in keys().into_iter().filter(|key| key.algorithm() != Algorithm::Ed25519) {
        let token = sign(&key, Typ::AccessToken, short.to_json().as_bytes());
        let verifier = Verifier::new(KeySet::new(key), VerifierConfig::access_token("i", "a")).unwrap();
        assert_eq!(refusal(&verifier, &token), None);
        for place in 0..token.len() {
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                assert!(refusal(&verifier, &flipped).is_some(), "bit {bit} of {place}");
            }
        }
    }
}

#[test]
fn every_truncation_and_every_flip_of_a_plain_jwt_is_refused() {
    for key in keys().into_iter().filter(|key| key.algorithm() != Algorithm::Ed25519) {
        let token = sign(&key, Typ::Jwt, br#"{"exp":1800000300}"#);
        let verifier = Verifier::new(KeySet::new(key), VerifierConfig::jwt()).unwrap();
        assert_eq!(refusal(&verifier, &token), None);
        for place in 0..token.len() {
            assert!(refusal(&verifier, &token[..place]).is_some(), "cut to {place}");
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                assert!(refusal(&verifier, &flipped).is_some(), "bit {bit} of {place}");
            }
        }
    }
}

#[test]
fn a_token_lives_exactly_from_its_start_to_its_end_give_or_take_the_leeway() {
    let key = || SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap();
    let payload = claims().to_json();
    let payload = payload.replacen('{', r#"{"nbf":1800000100,"#, 1);
    let token = sign(&key(), Typ::AccessToken, payload.as_bytes());
    for leeway in [0, 5, 60] {
        let config = VerifierConfig { leeway: Seconds::new(leeway), ..VerifierConfig::access_token(ISSUER, AUDIENCE) };
        let verifier = Verifier::new(KeySet::new(key()), config).unwrap();
        let at = |millis: u64| verifier.verify(&token, Timestamp::from_millis(millis), &mut Scratch::new()).err();
        let (nbf, exp) = (1_800_000_100_000 - leeway * 1000, 1_800_000_300_000 + leeway * 1000);
        assert_eq!(at(nbf - 1), Some(InvalidToken::NotYetValid));
        assert_eq!(at(nbf), None);
        assert_eq!(at(exp - 1), None);
        assert_eq!(at(exp), Some(InvalidToken::Expired));
        assert_eq!(at(u64::MAX), Some(InvalidToken::Expired));
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let key = SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap();
    let as_jwt = sign(&key, Typ::Jwt, claims().to_json().as_bytes());
    let as_access_token = sign(&key, Typ::AccessToken, claims().to_json().as_bytes());
    let access = verifier(SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap());
    let config = VerifierConfig { audience: Some(AUDIENCE.into()), ..VerifierConfig::jwt() };
    let jwt = Verifier::new(KeySet::new(key), config).unwrap();
    assert_eq!(refusal(&access, &as_jwt), Some(InvalidToken::WrongType));
    assert_eq!(refusal(&jwt, &as_access_token), Some(InvalidToken::WrongType));
    assert_eq!(refusal(&jwt, &as_jwt), None);
}

#[test]
fn as_many_custom_claims_as_are_taken_are_verified_too() {
    let names = |count: usize| {
        let members: Vec<String> = (0..count).map(|i| format!("\"n{i}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let most = (1..300).take_while(|count| CustomClaims::parse(&names(*count), 9000, &[]).is_ok()).last().unwrap();
    assert!((200..256).contains(&most));
    let custom = CustomClaims::parse(&names(most), 9000, &[]).unwrap();
    let key = keys().remove(0);
    let token = sign(&key, Typ::AccessToken, NewAccessToken { custom: Some(&custom), ..claims() }.to_json().as_bytes());
    assert!(verifier(key).verify(&token, NOW, &mut Scratch::new()).is_ok());
}

#[test]
fn both_names_of_ed25519_are_accepted_for_one_key() {
    for (signs, verifies) in [(Algorithm::EdDsa, Algorithm::Ed25519), (Algorithm::Ed25519, Algorithm::EdDsa)] {
        let token =
            sign(&SigningKey::ed25519(&[7; 32], signs).unwrap(), Typ::AccessToken, claims().to_json().as_bytes());
        assert_eq!(refusal(&verifier(SigningKey::ed25519(&[7; 32], verifies).unwrap()), &token), None);
    }
}

#[test]
fn after_a_rotation_the_old_key_still_verifies_and_an_unknown_one_never_does() {
    let old = SigningKey::ed25519(&[1; 32], Algorithm::EdDsa).unwrap();
    let token = sign(&old, Typ::AccessToken, claims().to_json().as_bytes());
    let stranger = SigningKey::ed25519(&[3; 32], Algorithm::EdDsa).unwrap();
    let strange = sign(&stranger, Typ::AccessToken, claims().to_json().as_bytes());
    let keys = KeySet::new(SigningKey::ed25519(&[2; 32], Algorithm::EdDsa).unwrap());
    let keys = Arc::new(keys.with_verifying(old.verifying_key()).unwrap());
    let verifier = Verifier::new(keys, VerifierConfig::access_token(ISSUER, AUDIENCE)).unwrap();
    assert_eq!(refusal(&verifier, &token), None);
    assert_eq!(refusal(&verifier, &strange), Some(InvalidToken::UnknownKey));
    // The same kid on another key: found, and its signature is wrong.
    let imposter = stranger.with_kid(old.kid()).unwrap();
    let forged = sign(&imposter, Typ::AccessToken, claims().to_json().as_bytes());
    assert_eq!(refusal(&verifier, &forged), Some(InvalidToken::BadSignature));
}

#[test]
fn a_verifier_that_would_accept_too_much_cannot_be_made() {
    let key = || KeySet::new(SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap());
    let good = || VerifierConfig::access_token(ISSUER, AUDIENCE);
    let refused = |config| Verifier::new(key(), config).err();
    assert_eq!(refused(VerifierConfig { issuer: None, ..good() }), Some(ConfigError::IssuerMissing));
    assert_eq!(refused(VerifierConfig { issuer: Some(String::new()), ..good() }), Some(ConfigError::IssuerMissing));
    assert_eq!(refused(VerifierConfig { audience: None, ..good() }), Some(ConfigError::AudienceMissing));
    assert_eq!(refused(VerifierConfig { max_ttl: None, ..good() }), Some(ConfigError::MaxTtlMissing));
    assert_eq!(refused(VerifierConfig { max_ttl: Some(Seconds::ZERO), ..good() }), Some(ConfigError::MaxTtlMissing));
    let leeway = Seconds::new(MAX_LEEWAY.get() + 1);
    assert_eq!(refused(VerifierConfig { leeway, ..good() }), Some(ConfigError::LeewayTooLong));
    assert_eq!(refused(VerifierConfig { profile: Profile::Jwt, issuer: None, audience: None, ..good() }), None);
}

#[test]
fn neither_debug_nor_errors_show_a_secret_or_a_claim() {
    let secret = b"0123456789abcdef0123456789abcdef";
    let key = SigningKey::hmac(secret, Algorithm::Hs256).unwrap();
    let token = sign(&key, Typ::AccessToken, claims().to_json().as_bytes());
    let verifying = VerifyingKey::hmac(secret, Algorithm::Hs256).unwrap();
    let verifier = verifier(key);
    let mut scratch = Scratch::new();
    let seen = format!("{:?} {:?}", verifier.verify(&token, NOW, &mut scratch).unwrap(), claims());
    let all = format!("{seen} {verifier:?} {verifying:?} {scratch:?}");
    for hidden in ["0123456789abcdef", "48, 49, 50", "user-1", "token-1"] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = InvalidToken::ALL.iter().map(|reason| reason.reason()).collect();
    assert_eq!(names.len(), InvalidToken::ALL.len());
    assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
}

/// A JWT verifier and an access-token verifier for one HMAC key.
fn both_profiles() -> [Verifier; 2] {
    [VerifierConfig::jwt(), VerifierConfig::access_token(ISSUER, AUDIENCE)].map(|config| {
        Verifier::new(KeySet::new(SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap()), config).unwrap()
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_verifier_panic(token in "\\PC{0,40}", segments in "[A-Za-z0-9_.=-]{0,60}") {
        for verifier in both_profiles() {
            prop_assert!(refusal(&verifier, &token).is_some());
            prop_assert!(refusal(&verifier, &segments).is_some());
        }
    }

    #[test]
    fn no_signed_bytes_make_a_verifier_panic(
        header in prop::collection::vec(any::<u8>(), 0..40),
        payload in prop::collection::vec(any::<u8>(), 0..40),
        claim in "iss|aud|sub|client_id|exp|iat|nbf|jti|sid|sep|cnf|scope",
        value in "[\\[\\]{}\",:0-9eE.a-z\\\\-]{0,20}",
    ) {
        let key = SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap();
        let claims = format!("{{\"exp\":1800000300,\"{claim}\":{value}}}");
        let input = format!("{}.{}", base64url::encode(&header), base64url::encode(&payload));
        let tag = base64url::encode(key.signature(input.as_bytes(), &mut [0; 64]));
        let odd = format!("{input}.{tag}");
        for verifier in both_profiles() {
            for typ in [Typ::Jwt, Typ::AccessToken] {
                let _ = refusal(&verifier, &sign(&key, typ, &payload));
                let _ = refusal(&verifier, &sign(&key, typ, claims.as_bytes()));
            }
            prop_assert!(refusal(&verifier, &odd).is_some());
        }
    }
}
