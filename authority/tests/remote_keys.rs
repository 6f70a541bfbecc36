//! Keys of another issuer, fetched when they are wanted: scenario 34 at a resource server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a test"
)]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use safeconduct::core::jws::remote::{RemotePolicy, RemoteSettings};
use safeconduct::core::jws::rotation::{self, Command, RotationPolicy};
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey, Typ, WithdrawalReason, sign};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::{InvalidToken, Scratch, Verifier, VerifierConfig};
use safeconduct::{RemoteError, RemoteKeys};

const START: u64 = 1_700_000_000;

fn key(number: u8) -> SigningKey {
    SigningKey::ed25519(&[number; 32], Algorithm::EdDsa).unwrap()
}

/// An issuer that publishes what it is told to, and counts who asks.
#[derive(Default)]
struct Issuer {
    published: Mutex<Option<String>>,
    fetches: AtomicUsize,
    clock: AtomicU64,
    /// How many seconds a fetch takes.
    lasts: AtomicU64,
}

impl Issuer {
    fn publish(&self, keys: &KeySet, now: u64) {
        *self.published.lock().unwrap() = Some(keys.public_jwks(Timestamp::from_unix_seconds(now)).unwrap());
    }

    fn keys(self: &Arc<Self>) -> RemoteKeys {
        let (fetched, timed) = (Arc::clone(self), Arc::clone(self));
        let fetch = move || {
            fetched.fetches.fetch_add(1, Ordering::SeqCst);
            fetched.wait(fetched.lasts.load(Ordering::SeqCst));
            fetched.published.lock().unwrap().clone().ok_or_else(|| "503".to_string())
        };
        let settings =
            RemoteSettings { cooldown: Seconds::new(30), max_age: Seconds::new(300), max_stale: Seconds::new(900) };
        let policy = RemotePolicy::new(settings).unwrap();
        RemoteKeys::with_clock(policy, fetch, move || Timestamp::from_unix_seconds(timed.clock.load(Ordering::SeqCst)))
    }

    fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn fetches(&self) -> usize {
        self.fetches.swap(0, Ordering::SeqCst)
    }
}

fn token(key: &SigningKey) -> String {
    sign(key, Typ::Jwt, format!(r#"{{"exp":{}}}"#, START + 100_000).as_bytes())
}

fn verified(keys: &RemoteKeys, token: &str) -> Result<(), RemoteError> {
    let rules = Verifier::without_keys(VerifierConfig::jwt()).unwrap();
    let now = Timestamp::from_unix_seconds(START);
    keys.verify(|keys| rules.with_keys(keys).verify(token, now, &mut Scratch::boxed()).map(|_| ()))
}

const UNKNOWN: Result<(), RemoteError> = Err(RemoteError::Token(InvalidToken::UnknownKey));

#[test]
fn an_unknown_key_is_refused_and_costs_at_most_one_fetch_in_a_cooldown() {
    let issuer = Arc::new(Issuer::default());
    issuer.publish(&KeySet::new(key(1)), START);
    let keys = issuer.keys();
    assert_eq!((verified(&keys, &token(&key(1))), issuer.fetches()), (Ok(()), 1));
    for _ in 0..3 {
        for _ in 0..100 {
            assert_eq!(verified(&keys, &token(&key(2))), UNKNOWN);
            assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
        }
        assert!(issuer.fetches() <= 1);
        issuer.wait(30);
    }
    // The same where it fails.
    *issuer.published.lock().unwrap() = None;
    for _ in 0..100 {
        assert_eq!(verified(&keys, &token(&key(2))), UNKNOWN);
    }
    assert_eq!(issuer.fetches(), 1);
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
    assert_eq!(keys.trouble().as_deref(), Some("503"));
}

#[test]
fn a_new_key_is_accepted_at_once_and_a_withdrawn_one_until_the_keys_are_fetched_again() {
    let issuer = Arc::new(Issuer::default());
    let now = |seconds: u64| Timestamp::from_unix_seconds(START + seconds);
    let (policy, first) = (RotationPolicy::default(), rotation::first(key(1), now(0)));
    issuer.publish(&first, START);
    let keys = issuer.keys();
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
    issuer.wait(30);
    let second = rotation::apply(&first, Command::Publish(key(2)), now(30), &policy).unwrap();
    issuer.publish(&second, START + 30);
    assert_eq!(verified(&keys, &token(&key(2))), Ok(()));
    let kid = key(1).kid().to_string();
    let command = Command::Withdraw { kid: &kid, reason: WithdrawalReason::Compromised, successor: None };
    issuer.publish(&rotation::apply(&second, command, now(40), &policy).unwrap(), START + 40);
    issuer.wait(299);
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
    issuer.wait(1);
    assert_eq!(verified(&keys, &token(&key(1))), UNKNOWN);
    assert_eq!(verified(&keys, &token(&key(2))), Ok(()));
}

#[test]
fn without_an_answer_old_keys_will_do_for_a_while_and_then_nobody_can_say() {
    let issuer = Arc::new(Issuer::default());
    let keys = issuer.keys();
    let unavailable = Err(RemoteError::Unavailable("503".into()));
    assert_eq!(verified(&keys, &token(&key(1))), unavailable);
    assert_eq!((verified(&keys, &token(&key(1))), issuer.fetches()), (unavailable.clone(), 1));
    issuer.publish(&KeySet::new(key(1)), START);
    issuer.wait(30);
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
    let private = KeySet::new(key(3)).private_jwks().to_string();
    for bad in [None, Some(private), Some(r#"{"keys":[]}"#.into()), Some("<html>".into())] {
        *issuer.published.lock().unwrap() = bad;
        issuer.wait(200);
        assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
        assert_eq!(verified(&keys, &token(&key(3))), UNKNOWN);
        assert!(keys.trouble().is_some());
    }
    issuer.wait(100);
    assert_eq!(verified(&keys, &token(&key(1))).unwrap_err().reason(), "keys_unavailable");
    issuer.publish(&KeySet::new(key(1)), START);
    issuer.wait(30);
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
}

#[test]
fn of_many_threads_one_fetches_and_all_have_what_it_brings() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fetches);
    let keys = RemoteKeys::new(RemotePolicy::default(), move || {
        counted.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(100));
        KeySet::new(key(1)).public_jwks(Timestamp::MAX).map_err(|error| error.to_string())
    });
    let barrier = Barrier::new(16);
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                barrier.wait();
                assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
            });
        }
    });
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[test]
fn a_fetch_that_panics_has_failed_and_the_next_goes_well() {
    let calls = AtomicUsize::new(0);
    let clock = Arc::new(AtomicU64::new(0));
    let timed = Arc::clone(&clock);
    let fetch = move || {
        assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "as a callback may");
        KeySet::new(key(1)).public_jwks(Timestamp::MAX).map_err(|error| error.to_string())
    };
    let keys = RemoteKeys::with_clock(RemotePolicy::default(), fetch, move || {
        Timestamp::from_unix_seconds(timed.load(Ordering::SeqCst))
    });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verified(&keys, &token(&key(1)))));
    assert!(caught.is_err());
    assert_eq!(verified(&keys, &token(&key(1))).unwrap_err().reason(), "keys_unavailable");
    clock.store(30, Ordering::SeqCst);
    assert_eq!(verified(&keys, &token(&key(1))), Ok(()));
}

#[test]
fn a_fetch_that_outlasts_every_time_is_the_only_one_of_its_call() {
    let (cooldown, max_age, max_stale) = (30, 300, 900);
    for (has_keys, lasts, old) in [
        (false, cooldown + 1, None),
        (false, cooldown + 1, Some(Ok(()))),
        (false, max_stale, Some(Err("keys_unavailable"))),
        (true, max_age, None),
        (true, max_stale, None),
    ] {
        let issuer = Arc::new(Issuer::default());
        issuer.publish(&KeySet::new(key(1)), START);
        let keys = issuer.keys();
        if old.is_some() {
            assert_eq!((verified(&keys, &token(&key(1))), issuer.fetches()), (Ok(()), 1));
            issuer.wait(max_age);
        }
        if !has_keys {
            *issuer.published.lock().unwrap() = None;
        }
        issuer.lasts.store(lasts, Ordering::SeqCst);
        let right = old.unwrap_or(if has_keys && lasts < max_stale { Ok(()) } else { Err("keys_unavailable") });
        let answer = |number| verified(&keys, &token(&key(number))).map_err(|error| error.reason());
        assert_eq!((answer(1), issuer.fetches()), (right, 1), "{has_keys} {lasts} {old:?}");
        // The cooldown counts from its end, also for a key that is not known.
        issuer.wait(cooldown - 1);
        assert!(answer(2).is_err());
        assert_eq!(issuer.fetches(), 0, "{has_keys} {lasts} {old:?}");
        issuer.wait(1);
        assert!(answer(2).is_err());
        assert_eq!(issuer.fetches(), 1, "{has_keys} {lasts} {old:?}");
    }
}

#[test]
fn those_who_waited_for_a_slow_fetch_that_failed_do_not_fetch_in_turn() {
    let (fetches, clock) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let (counted, passed, timed) = (Arc::clone(&fetches), Arc::clone(&clock), Arc::clone(&clock));
    let fetch = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(300));
        passed.fetch_add(31, Ordering::SeqCst);
        Err("timed out".into())
    };
    let keys = RemoteKeys::with_clock(RemotePolicy::default(), fetch, move || {
        Timestamp::from_unix_seconds(timed.load(Ordering::SeqCst))
    });
    let barrier = Barrier::new(8);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                barrier.wait();
                assert_eq!(verified(&keys, &token(&key(1))), Err(RemoteError::Unavailable("timed out".into())));
            });
        }
    });
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}
