//! When published keys are fetched: what must hold of every conversation, and machines that are a little wrong.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs, reason = "a test")]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use safeconduct_core::jws::remote::{Advice, Event, RemotePolicy, RemoteSettings, State, step};
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, SigningKey};
use safeconduct_core::time::{Seconds, Timestamp};

const COOLDOWN: u64 = 10;
const MAX_AGE: u64 = 60;
const MAX_STALE: u64 = 200;

fn settings() -> RemoteSettings {
    RemoteSettings {
        cooldown: Seconds::new(COOLDOWN),
        max_age: Seconds::new(MAX_AGE),
        max_stale: Seconds::new(MAX_STALE),
    }
}

fn policy() -> RemotePolicy {
    RemotePolicy::new(settings()).unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Ask {
        is_known: bool,
    },
    Take,
    Pass {
        seconds: u64,
    },
    /// One of the fetches under way ends.
    End {
        which: usize,
        has_keys: bool,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => any::<bool>().prop_map(|is_known| Act::Ask { is_known }),
        1 => Just(Act::Take),
        3 => prop::sample::select(vec![1, 9, 10, 11, 60, 139, 200]).prop_map(|seconds| Act::Pass { seconds }),
        3 => (0..3usize, prop::bool::weighted(0.6)).prop_map(|(which, has_keys)| Act::End { which, has_keys }),
    ];
    prop::collection::vec(act, 1..60)
}

/// What a conversation has shown, kept apart from the machine.
#[derive(Default)]
struct Seen {
    /// When a fetch last began or ended.
    stirred: Option<u64>,
    fetched: Option<u64>,
    under_way: Vec<u64>,
}

/// Talks to a machine, and compares what it advises with what must be.
fn talk(
    mut machine: impl FnMut(State, Event, Timestamp) -> (State, Advice),
    acts: &[Act],
) -> Result<(), TestCaseError> {
    let (mut state, mut now, mut seen) = (State::default(), 1_000, Seen::default());
    for act in acts {
        let at = Timestamp::from_unix_seconds(now);
        match *act {
            Act::Pass { seconds } => now += seconds,
            Act::End { which, has_keys } => {
                let Some(place) = which.checked_rem(seen.under_way.len()) else { continue };
                let began = seen.under_way.remove(place);
                let moment = Timestamp::from_unix_seconds(began);
                let event = if has_keys { Event::Fetched { began: moment } } else { Event::Failed { began: moment } };
                (state, _) = machine(state, event, at);
                seen.stirred = Some(now);
                seen.fetched = seen.fetched.max(has_keys.then_some(began));
            }
            Act::Take => {
                let advice;
                (state, advice) = machine(state, Event::Take, at);
                let is_usable = seen.fetched.is_some_and(|fetched| now - fetched < MAX_STALE);
                let right = if is_usable { Advice::Use } else { Advice::Unavailable };
                prop_assert_eq!(advice, right, "whoever has fetched or waited is not done");
            }
            Act::Ask { is_known } => {
                let advice;
                (state, advice) = machine(state, Event::Ask { is_known }, at);
                let has_cooled = seen.stirred.is_none_or(|stirred| now >= stirred + COOLDOWN);
                let age = seen.fetched.map_or(u64::MAX, |fetched| now - fetched);
                prop_assert!(advice != Advice::Fetch || has_cooled, "two fetches in one cooldown");
                prop_assert!(advice != Advice::Use || age < MAX_STALE, "keys are used that are {age} s old");
                prop_assert!(
                    !(is_known && age < MAX_AGE) || advice == Advice::Use,
                    "young keys are not used: {advice:?}"
                );
                let wants = !is_known || age >= MAX_AGE;
                prop_assert!(!wants || !has_cooled || advice == Advice::Fetch, "nobody fetches: {advice:?}");
                prop_assert!(advice != Advice::Wait || !seen.under_way.is_empty(), "waits for nothing");
                prop_assert!(
                    advice != Advice::Unavailable || age >= MAX_STALE,
                    "keys that are {age} s old are not used though nothing better will come"
                );
                if advice == Advice::Fetch {
                    seen.stirred = Some(now);
                    seen.under_way.push(now);
                }
            }
        }
    }
    Ok(())
}

fn run(talk: impl Fn(Vec<Act>) -> Result<(), TestCaseError>) -> Result<(), String> {
    let config = Config { cases: 1500, failure_persistence: None, max_shrink_iters: 50, ..Config::default() };
    TestRunner::new(config).run(&acts(), talk).map_err(|error| error.to_string())
}

#[test]
fn keys_are_fetched_when_they_are_wanted_and_never_more_than_once_in_a_cooldown() {
    run(|acts| talk(|state, event, now| step(state, event, now, &policy()), &acts)).unwrap();
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    CoolsDownAfterSuccessOnly,
    CoolsDownFromTheBeginning,
    FetchesAgainForOneToken,
    FetchesForEveryStranger,
    NeverFetchesForStrangers,
    UsesStaleKeys,
    NeverRefreshes,
    TakesALateAnswerForANewOne,
    WaitsForAFetchThatFailed,
}

#[test]
fn a_wrong_machine_is_found_out() {
    use Wrong::*;
    let with = |change: fn(&mut RemoteSettings)| {
        let mut settings = settings();
        change(&mut settings);
        RemotePolicy::new(settings).unwrap()
    };
    for wrong in [
        CoolsDownAfterSuccessOnly,
        CoolsDownFromTheBeginning,
        FetchesAgainForOneToken,
        FetchesForEveryStranger,
        NeverFetchesForStrangers,
        UsesStaleKeys,
        NeverRefreshes,
        TakesALateAnswerForANewOne,
        WaitsForAFetchThatFailed,
    ] {
        let outcome = run(|acts| {
            let mut before = State::default();
            let machine = |state, event, now| {
                let policy = match wrong {
                    FetchesForEveryStranger => with(|settings| settings.cooldown = Seconds::new(1)),
                    UsesStaleKeys => with(|settings| settings.max_stale = Seconds::days(7)),
                    NeverRefreshes => with(|settings| settings.max_age = settings.max_stale),
                    _ => policy(),
                };
                let event = match event {
                    Event::Ask { .. } if wrong == NeverFetchesForStrangers => Event::Ask { is_known: true },
                    Event::Fetched { .. } if wrong == TakesALateAnswerForANewOne => Event::Fetched { began: now },
                    Event::Failed { .. } if wrong == CoolsDownAfterSuccessOnly => return (before, Advice::Use),
                    Event::Failed { .. } if wrong == WaitsForAFetchThatFailed => return (state, Advice::Use),
                    Event::Take if wrong == FetchesAgainForOneToken => Event::Ask { is_known: true },
                    event => event,
                };
                let now = match event {
                    Event::Fetched { began } | Event::Failed { began } if wrong == CoolsDownFromTheBeginning => began,
                    _ => now,
                };
                let (after, advice) = step(state, event, now, &policy);
                if advice == Advice::Fetch {
                    before = state;
                }
                (after, advice)
            };
            talk(machine, &acts)
        });
        assert!(outcome.is_err(), "{wrong:?} was not found out");
    }
}

#[test]
fn times_that_do_not_fit_together_are_refused() {
    let usual = RemoteSettings::default();
    assert!(RemotePolicy::new(usual).is_ok());
    for wrong in [
        RemoteSettings { cooldown: Seconds::ZERO, ..usual },
        RemoteSettings { cooldown: Seconds::new(301), ..usual },
        RemoteSettings { max_age: Seconds::new(3601), ..usual },
        RemoteSettings { max_stale: Seconds::new(7 * 86_400 + 1), ..usual },
    ] {
        assert_eq!(RemotePolicy::new(wrong).unwrap_err().reason(), "remote_policy");
    }
}

#[test]
fn a_published_set_with_anything_secret_in_it_is_refused_whole() {
    let key = SigningKey::ed25519(&[1; 32], Algorithm::EdDsa).unwrap();
    let public = key.verifying_key().public_jwk().unwrap();
    let private = KeySet::new(SigningKey::ed25519(&[2; 32], Algorithm::EdDsa).unwrap()).private_jwks();
    let private = private.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap();
    let read = |keys: &[&str]| KeySet::from_published_jwks(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).map(|_| ());
    assert_eq!(read(&[&public]), Ok(()));
    for secret in [private, r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#, r#"{"kty":"EC","d":1}"#] {
        assert_eq!(read(&[&public, secret]), Err(KeyError::PrivateMembers));
    }
    let secret = r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
    assert_eq!(read(&[&public, secret]), Err(KeyError::SymmetricKey));
    assert_eq!(read(&[]), Err(KeyError::NoKeys));
}
