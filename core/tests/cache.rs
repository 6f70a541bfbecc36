//! The cache of verified tokens says what a verifier says, whatever it remembers, and caches that remember a
//! little too much are found out.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use safeconduct_core::jws::{Algorithm, KeySet, Phase, SigningKey, Typ, sign};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::{InvalidToken, MAX_CACHED_LEN, Profile, Scratch, TokenCache, Verifier, VerifierConfig};

const START: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";
const AUDIENCES: [&str; 2] = ["https://api.example", "https://other.example"];

fn key(seed: u8) -> SigningKey {
    SigningKey::generate(&[seed; 64], Algorithm::EdDsa).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(START + seconds)
}

/// A token of `key` for `audience`, from `nbf` to `exp` seconds after the start.
fn token(key: &SigningKey, audience: &str, nbf: u64, exp: u64, more: &str) -> String {
    let (nbf, exp) = (START + nbf, START + exp);
    let payload = format!(
        r#"{{"iss":"{ISSUER}","aud":"{audience}","sub":"a","client_id":"b","jti":"c","sid":"AwEBAQEBAQECAgICAgICAg","iat":{START},"nbf":{nbf},"exp":{exp}{more}}}"#
    );
    sign(key, Typ::AccessToken, payload.as_bytes())
}

fn verifier(keys: &Arc<KeySet>, audience: &str) -> Verifier {
    let config = VerifierConfig { leeway: Seconds::ZERO, ..VerifierConfig::access_token(ISSUER, audience) };
    Verifier::new(Arc::clone(keys), config).unwrap()
}

fn keys(seeds: &[u8]) -> Arc<KeySet> {
    Arc::new(KeySet::verify_only(seeds.iter().map(|seed| key(*seed).verifying_key()).collect()).unwrap())
}

/// A set of the first key, which verifies until `end` seconds after the start.
fn ending(end: u64) -> Arc<KeySet> {
    let jwk = key(1).verifying_key().public_jwk().unwrap();
    let jwks = format!(r#"{{"keys":[{}]}}"#, jwk.replacen('{', &format!(r#"{{"exp":{},"#, START + end), 1));
    Arc::new(KeySet::from_jwks(&jwks).unwrap())
}

const fn good(_: &safeconduct_core::token::AccessClaims<'_>) -> Result<(), InvalidToken> {
    Ok(())
}

fn ask(
    cache: &TokenCache<impl BuildHasher>,
    verifier: &Verifier,
    token: &str,
    now: Timestamp,
) -> Result<bool, InvalidToken> {
    let remembered = cache.contains(verifier, token, now);
    cache.verify(verifier, token, now, &mut Scratch::boxed(), good).map(|_| remembered)
}

#[test]
fn the_second_time_a_token_is_remembered_and_says_the_same() {
    let (cache, verifier, token) =
        (TokenCache::new(64), verifier(&keys(&[1]), AUDIENCES[0]), token(&key(1), AUDIENCES[0], 0, 600, ""));
    let (mut first, mut second) = (Scratch::boxed(), Scratch::boxed());
    let first = cache.verify(&verifier, &token, at(1), &mut first, good).unwrap();
    assert!(cache.contains(&verifier, &token, at(1)));
    let second = cache.verify(&verifier, &token, at(1), &mut second, good).unwrap();
    assert_eq!(first.payload(), second.payload());
    assert!(first.sub() == second.sub() && second.sub().unwrap() == "a");
    assert_eq!((first.exp(), first.sid(), first.key().kid()), (second.exp(), second.sid(), second.key().kid()));
}

#[test]
fn every_hit_asks_again_for_time_audience_and_revocation() {
    let (keys, cache) = (keys(&[1]), TokenCache::new(64));
    let (mine, theirs) = (verifier(&keys, AUDIENCES[0]), verifier(&keys, AUDIENCES[1]));
    let token = token(&key(1), AUDIENCES[0], 100, 600, "");
    assert_eq!(ask(&cache, &mine, &token, at(50)), Err(InvalidToken::NotYetValid));
    assert_eq!(ask(&cache, &mine, &token, at(100)), Ok(false));
    assert_eq!(ask(&cache, &mine, &token, at(50)), Err(InvalidToken::NotYetValid));
    assert_eq!(ask(&cache, &theirs, &token, at(100)), Err(InvalidToken::WrongAudience));
    assert_eq!(ask(&cache, &mine, &token, at(100)), Ok(true));
    let mut scratch = Scratch::boxed();
    let revoked = cache.verify(&mine, &token, at(100), &mut scratch, |_| Err(InvalidToken::Revoked));
    assert_eq!(revoked.unwrap_err(), InvalidToken::Revoked);
    assert_eq!(ask(&cache, &mine, &token, at(600)), Err(InvalidToken::Expired));
}

#[test]
fn what_one_profile_accepted_another_judges_by_itself() {
    let (keys, cache) = (keys(&[1]), TokenCache::new(64));
    let payload = format!(r#"{{"iss":"{ISSUER}","aud":"{}","exp":{}}}"#, AUDIENCES[0], START + 600);
    let token = sign(&key(1), Typ::Jwt, payload.as_bytes());
    let jwt = VerifierConfig { profile: Profile::Jwt, ..VerifierConfig::access_token(ISSUER, AUDIENCES[0]) };
    let jwt = Verifier::new(Arc::clone(&keys), jwt).unwrap();
    assert_eq!(ask(&cache, &jwt, &token, at(1)), Ok(false));
    assert!(ask(&cache, &verifier(&keys, AUDIENCES[0]), &token, at(1)).is_err());
    assert_eq!(ask(&cache, &jwt, &token, at(1)), Ok(true));
}

#[test]
fn a_change_of_keys_is_felt_at_once() {
    let (cache, token) = (TokenCache::new(64), token(&key(1), AUDIENCES[0], 0, 600, ""));
    let before = verifier(&keys(&[1]), AUDIENCES[0]);
    assert_eq!((ask(&cache, &before, &token, at(1)), ask(&cache, &before, &token, at(1))), (Ok(false), Ok(true)));
    // Another set: the key withdrawn, the key still there, and many that may come to lie where the first lay.
    assert_eq!(ask(&cache, &verifier(&keys(&[2]), AUDIENCES[0]), &token, at(1)), Err(InvalidToken::UnknownKey));
    assert_eq!(ask(&cache, &verifier(&keys(&[2, 1]), AUDIENCES[0]), &token, at(1)), Ok(false));
    drop(before);
    for _ in 0..200 {
        assert!(ask(&cache, &verifier(&keys(&[2]), AUDIENCES[0]), &token, at(1)).is_err());
    }
}

#[test]
fn a_key_whose_time_is_over_is_felt_at_once_in_a_set_that_stays_the_same() {
    let (cache, token) = (TokenCache::new(64), token(&key(1), AUDIENCES[0], 0, 600, ""));
    let verifier = verifier(&ending(60), AUDIENCES[0]);
    assert_eq!((ask(&cache, &verifier, &token, at(1)), ask(&cache, &verifier, &token, at(59))), (Ok(false), Ok(true)));
    assert_eq!(ask(&cache, &verifier, &token, at(60)), Err(InvalidToken::UnknownKey));
    assert_eq!(ask(&cache, &verifier, &token, at(59)), Ok(true));
}

#[test]
fn a_key_set_is_not_kept_alive_and_what_it_accepted_makes_room() {
    let cache = TokenCache::new(4);
    let set = keys(&[1]);
    for i in 0..4 {
        let token = token(&key(1), AUDIENCES[0], 0, 600, &format!(r#","n":{i}"#));
        assert_eq!(ask(&cache, &verifier(&set, AUDIENCES[0]), &token, at(1)), Ok(false));
    }
    let weak = Arc::downgrade(&set);
    drop(set);
    assert_eq!((weak.strong_count(), cache.len()), (0, 4));
    cache.clear();
    assert!(cache.is_empty());
}

#[test]
fn no_more_tokens_are_kept_than_there_are_places_and_no_long_ones() {
    let (cache, verifier) = (TokenCache::new(16), verifier(&keys(&[1]), AUDIENCES[0]));
    for i in 0..100 {
        let token = token(&key(1), AUDIENCES[0], 0, 600, &format!(r#","n":{i}"#));
        assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(false));
        assert!(cache.len() <= cache.capacity());
    }
    assert_eq!(cache.capacity(), 16);
    let long = token(&key(1), AUDIENCES[0], 0, 600, &format!(r#","n":"{}""#, "a".repeat(MAX_CACHED_LEN)));
    for _ in 0..2 {
        assert_eq!(ask(&cache, &verifier, &long, at(1)), Ok(false));
    }
}

#[test]
fn expired_tokens_give_up_their_places_before_others() {
    let (cache, verifier) = (TokenCache::new(4), verifier(&keys(&[1]), AUDIENCES[0]));
    let short = |i: u32| token(&key(1), AUDIENCES[0], 0, 10, &format!(r#","n":{i}"#));
    let long = |i: u32| token(&key(1), AUDIENCES[0], 0, 600, &format!(r#","n":{i}"#));
    for token in [long(0), short(1), short(2), long(3)] {
        assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(false));
    }
    for token in [long(4), long(5)] {
        assert_eq!(ask(&cache, &verifier, &token, at(100)), Ok(false));
    }
    for token in [long(0), long(3), long(4), long(5)] {
        assert_eq!(ask(&cache, &verifier, &token, at(100)), Ok(true));
    }
}

#[test]
fn hmac_tokens_are_kept_only_where_asked() {
    let key = || SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap();
    let verifier = verifier(&Arc::new(KeySet::new(key())), AUDIENCES[0]);
    let token = token(&key(), AUDIENCES[0], 0, 600, "");
    for (cache, second) in [(TokenCache::new(8), false), (TokenCache::new(8).for_symmetric_keys(), true)] {
        assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(false));
        assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(second));
    }
}

/// Every token has the same hash.
#[derive(Clone, Default)]
struct Same;

impl Hasher for Same {
    fn finish(&self) -> u64 {
        7
    }

    fn write(&mut self, _: &[u8]) {}
}

impl BuildHasher for Same {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

#[test]
fn a_token_that_collides_with_a_remembered_one_is_not_it() {
    let (cache, verifier) = (TokenCache::with_hasher(8, Same), verifier(&keys(&[1]), AUDIENCES[0]));
    let token = token(&key(1), AUDIENCES[0], 0, 600, "");
    assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(false));
    for at_byte in 0..token.len() {
        for flip in [1, 2, 32] {
            let mut forged = token.clone().into_bytes();
            forged[at_byte] ^= flip;
            let Ok(forged) = String::from_utf8(forged) else { continue };
            assert!(ask(&cache, &verifier, &forged, at(1)).is_err(), "byte {at_byte}");
        }
    }
    for forged in [&token[1..], &token[..token.len() - 1], &format!("{token}A"), &format!("A{token}")] {
        assert!(ask(&cache, &verifier, forged, at(1)).is_err());
    }
    assert_eq!(ask(&cache, &verifier, &token, at(1)), Ok(true));
}

/// What a question to a cache is made of, by number.
#[derive(Clone, Copy, Debug)]
struct Question {
    token: usize,
    set: usize,
    audience: usize,
    now: u64,
    revoked: bool,
}

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let question = (
        0..8usize,
        0..4usize,
        0..2usize,
        prop::sample::select(vec![1, 40, 60, 99, 100, 700]),
        prop::bool::weighted(0.2),
    );
    let question =
        question.prop_map(|(token, set, audience, now, revoked)| Question { token, set, audience, now, revoked });
    prop::collection::vec(question, 1..30)
}

type Said = Result<String, InvalidToken>;

/// Asks `cache` and a bare verifier alike, and compares what they say.
fn compare(
    mut cache: impl FnMut(&Verifier, &Arc<KeySet>, &str, Timestamp, bool) -> Said,
    questions: &[Question],
) -> Result<(), TestCaseError> {
    let sets = [keys(&[1]), keys(&[2]), keys(&[1, 2]), ending(60)];
    let mut tokens = Vec::new();
    for seed in [1, 2] {
        for (nbf, exp) in [(0, 100), (50, 600)] {
            tokens.push(token(&key(seed), AUDIENCES[0], nbf, exp, ""));
        }
    }
    // The same with a signature that is another's, or cut short.
    let forged = tokens.iter().map(|token| {
        [&token[..token.rfind('.').unwrap() + 1], &tokens[0][tokens[0].rfind('.').unwrap() + 1..]].concat()
    });
    let forged: Vec<String> = forged.skip(1).chain([tokens[0][..tokens[0].len() - 2].to_string()]).collect();
    tokens.extend(forged);
    for question in questions {
        let (set, token, now) = (&sets[question.set], &tokens[question.token], at(question.now));
        let verifier = verifier(set, AUDIENCES[question.audience]);
        let mut scratch = Scratch::boxed();
        let expected = match verifier.verify(token, now, &mut scratch) {
            Ok(_) if question.revoked => Err(InvalidToken::Revoked),
            Ok(claims) => Ok(claims.payload().to_string()),
            Err(refused) => Err(refused),
        };
        prop_assert_eq!(cache(&verifier, set, token, now, question.revoked), expected, "{:?}", question);
    }
    Ok(())
}

fn run(compare_all: impl Fn(Vec<Question>) -> Result<(), TestCaseError>) -> Result<(), String> {
    let config = Config { cases: 400, failure_persistence: None, max_shrink_iters: 50, ..Config::default() };
    TestRunner::new(config).run(&questions(), compare_all).map_err(|error| error.to_string())
}

#[test]
fn a_cache_says_what_a_verifier_says_whatever_it_was_asked_before() {
    run(|questions| {
        let cache = TokenCache::with_hasher(8, Same);
        compare(
            |verifier, _, token, now, revoked| {
                let judge = |_: &safeconduct_core::token::AccessClaims<'_>| {
                    if revoked { Err(InvalidToken::Revoked) } else { Ok(()) }
                };
                let mut scratch = Scratch::boxed();
                cache.verify(verifier, token, now, &mut scratch, judge).map(|claims| claims.payload().to_string())
            },
            &questions,
        )
    })
    .unwrap();
}

/// What a careless cache forgets to ask again, or puts into its key too little of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Careless {
    Expiry,
    NotBefore,
    Audience,
    Keys,
    KeySchedule,
    Revocation,
    Signature,
    Refusals,
}

#[test]
fn a_careless_cache_is_found_out() {
    use Careless::*;
    for careless in [Expiry, NotBefore, Audience, Keys, KeySchedule, Revocation, Signature, Refusals] {
        let outcome = run(|questions| {
            // By the token or its signed part, the set and the audience: the last time, what was said, from when to when.
            let mut kept: HashMap<(String, usize, String), Said> = HashMap::new();
            compare(
                |verifier, set, token, now, revoked| {
                    let end = if careless == Signature { token.rfind('.').unwrap() } else { token.len() };
                    let set = if careless == Keys { 0 } else { Arc::as_ptr(set) as usize };
                    let audience = verifier.config().audience.clone().filter(|_| careless != Audience);
                    let place = (token[..end].to_string(), set, audience.unwrap_or_default());
                    if let Some(said) = kept.get(&place) {
                        let payload = said.clone()?;
                        if careless != KeySchedule
                            && verifier.keys().statuses(now).any(|key| key.phase == Phase::Retired)
                        {
                            return Err(InvalidToken::UnknownKey);
                        }
                        let number = |name: &str| {
                            let digits = payload.split(name).nth(1).unwrap();
                            digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
                        };
                        if careless != Expiry && now >= Timestamp::from_unix_seconds(number("\"exp\":")) {
                            return Err(InvalidToken::Expired);
                        }
                        if careless != NotBefore && now < Timestamp::from_unix_seconds(number("\"nbf\":")) {
                            return Err(InvalidToken::NotYetValid);
                        }
                        return if careless != Revocation && revoked {
                            Err(InvalidToken::Revoked)
                        } else {
                            Ok(payload)
                        };
                    }
                    let mut scratch = Scratch::boxed();
                    let said = verifier.verify(token, now, &mut scratch).map(|claims| claims.payload().to_string());
                    if said.is_ok() || careless == Refusals {
                        kept.insert(place, said.clone());
                    }
                    said.and_then(|payload| if revoked { Err(InvalidToken::Revoked) } else { Ok(payload) })
                },
                &questions,
            )
        });
        assert!(outcome.is_err(), "a cache that is careless about {careless:?} was not found out");
    }
}

#[test]
fn threads_that_share_a_cache_never_see_a_withdrawn_key_accepted() {
    let cache = TokenCache::new(8);
    let tokens: Vec<String> = (0..32).map(|i| token(&key(1), AUDIENCES[0], 0, 600, &format!(r#","n":{i}"#))).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let verifier = verifier(&keys(&[1]), AUDIENCES[0]);
                while !stop.load(Ordering::Relaxed) {
                    for token in &tokens {
                        assert!(ask(&cache, &verifier, token, at(1)).is_ok());
                    }
                }
            });
        }
        for _ in 0..100 {
            let verifier = verifier(&keys(&[2]), AUDIENCES[0]);
            for token in &tokens {
                assert!(ask(&cache, &verifier, token, at(1)).is_err());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}
