//! How often the heap is asked for memory: never to verify, once to sign.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test may panic"
)]

use allocation_counter::measure;
use safeconduct_core::id::SessionId;
use safeconduct_core::jws::{Algorithm, KeySet, SigningKey, Typ, sign};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::{NewAccessToken, Scratch, Verifier, VerifierConfig};

/// How many allocations `work` makes, and what it gives back.
fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let mut done = None;
    let info = measure(|| done = Some(work()));
    (info.count_total, done.unwrap())
}

#[test]
fn verifying_allocates_nothing_and_signing_once() {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let claims = NewAccessToken {
        iss: "i",
        aud: &["a", "b"],
        sub: "u",
        client_id: "c",
        exp: now.plus(Seconds::new(300)),
        iat: now,
        jti: "j",
        sid: SessionId::from_bytes([1; 16]),
        sep: 1,
        scv: 1,
        gep: 1,
        scope: Some("read"),
        auth_time: Some(now),
        jkt: None,
        custom: None,
    };
    let (written, payload) = allocations(|| claims.to_json());
    assert_eq!(written, 1, "writing the claims");
    for algorithm in
        [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ed25519, Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]
    {
        let key = || SigningKey::generate(&[3; 64], algorithm).unwrap();
        let signing = key();
        let (signed, token) = allocations(|| sign(&signing, Typ::AccessToken, payload.as_bytes()));
        assert_eq!(signed, 1, "signing by {algorithm}");
        let verifier = Verifier::new(KeySet::new(key()), VerifierConfig::access_token("i", "a")).unwrap();
        let mut scratch = Scratch::new();
        let (count, accepted) = allocations(|| verifier.verify(&token, now, &mut scratch).is_ok());
        assert!(accepted);
        assert_eq!(count, 0, "verifying by {algorithm}");
        #[cfg(feature = "std")]
        {
            let cache = safeconduct_core::token::TokenCache::new(8).for_symmetric_keys();
            let mut ask = |expected| {
                assert_eq!(cache.contains(&verifier, &token, now), expected);
                assert!(cache.verify(&verifier, &token, now, &mut scratch, |_| Ok(())).is_ok());
            };
            let (entered, ()) = allocations(|| ask(false));
            let (hit, ()) = allocations(|| ask(true));
            assert_eq!((entered, hit), (3, 0), "a cache of tokens by {algorithm}");
        }
        // A header in another form, and a refusal.
        let other = sign(&key().with_kid("other").unwrap(), Typ::AccessToken, payload.as_bytes());
        let (count, accepted) = allocations(|| verifier.verify(&other, now, &mut scratch).is_ok());
        assert!(!accepted);
        assert_eq!(count, 0, "refusing by {algorithm}");
    }
}
