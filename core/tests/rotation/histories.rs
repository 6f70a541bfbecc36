//! Random histories of a deployment, and the machines that are wrong on purpose and must be found.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use safeconduct_core::jws::rotation::invariants::{Broken, Property};
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, KeyStatus, Phase};
use safeconduct_core::time::Timestamp;

use crate::deployment::{Act, Deployment, Machine, settings};

#[derive(Clone, Debug)]
struct History {
    symmetric: bool,
    /// How far the clocks of two processes and two verifiers are ahead, in seconds: no two are further apart than
    /// the leeway that any verifier may give.
    ahead: [u64; 4],
    acts: Vec<Act>,
}

fn histories() -> impl Strategy<Value = History> {
    let by = || 0usize..2;
    let act = prop_oneof![
        4 => by().prop_map(|by| Act::Publish { by }),
        1 => by().prop_map(|by| Act::Promote { by }),
        2 => (by(), 0usize..4, any::<bool>())
            .prop_map(|(by, which, with_successor)| Act::Withdraw { by, which, with_successor }),
        1 => by().prop_map(|by| Act::Prune { by }),
        1 => Just(Act::Restore),
        2 => by().prop_map(|by| Act::Reload { by }),
        3 => (by(), by()).prop_map(|(by, from)| Act::Fetch { by, from }),
        6 => prop_oneof![1u64..30, 100u64..400].prop_map(|seconds| Act::Pass { seconds }),
    ];
    let ahead = prop::array::uniform4(prop_oneof![Just(0u64), Just(60), 0u64..=60]);
    (prop::bool::weighted(0.1), ahead, prop::collection::vec(act, 1..24)).prop_map(|(symmetric, ahead, acts)| History {
        symmetric,
        ahead,
        acts,
    })
}

fn run(machine: Machine, history: &History) -> Result<(), Broken> {
    let algorithm = if history.symmetric { Algorithm::Hs256 } else { Algorithm::EdDsa };
    let mut deployment = Deployment::new(machine, algorithm, history.ahead);
    history.acts.iter().try_for_each(|act| deployment.act(act))
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_property_holds_in_every_history(history in histories()) {
        prop_assert_eq!(run(Machine::PRODUCT, &history), Ok(()));
    }
}

/// Looks for a history in which the machine breaks the property before any other.
fn assert_found(machine: Machine, property: Property) {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let is_found = (0..500).any(|_| {
        let history = histories().new_tree(&mut runner).unwrap().current();
        run(machine, &history).is_err_and(|Broken(broken, _)| broken == property)
    });
    assert!(is_found, "{property:?} was not found broken");
}

#[test]
fn a_key_that_signs_beside_its_successor_is_found() {
    fn both(keys: &KeySet, now: Timestamp) -> Vec<KeyStatus<'_>> {
        moved(keys, now, Phase::Retiring, Phase::Signing)
    }
    assert_found(Machine { statuses: both, ..Machine::PRODUCT }, Property::OneSigns);
}

#[test]
fn a_key_that_signs_as_soon_as_it_is_published_is_found() {
    assert_found(Machine { policy: || settings(0, 100), ..Machine::PRODUCT }, Property::KnownBefore);
}

#[test]
fn a_key_that_signs_before_late_readers_know_it_is_found() {
    // Published long enough for those who fetch it at once, by the clocks that are furthest apart.
    assert_found(Machine { policy: || settings(25, 100), ..Machine::PRODUCT }, Property::Accepted);
}

#[test]
fn a_key_that_is_dropped_before_its_tokens_expired_is_found() {
    assert_found(Machine { policy: || settings(40, 1), ..Machine::PRODUCT }, Property::Accepted);
}

#[test]
fn a_pending_key_that_does_not_verify_yet_is_found() {
    fn late(keys: &KeySet, kid: &str, now: Timestamp) -> bool {
        let is_pending = |status: KeyStatus<'_>| status.kid == kid && status.phase == Phase::Pending;
        keys.find(Some(kid), now).is_some() && !keys.statuses(now).any(is_pending)
    }
    assert_found(Machine { accepts: late, ..Machine::PRODUCT }, Property::Accepted);
}

#[test]
fn a_withdrawn_key_that_an_older_file_brings_back_is_found() {
    let forgetful = Machine { read: |text, _, _| KeySet::from_jwks(text).unwrap(), ..Machine::PRODUCT };
    assert_found(forgetful, Property::Withdrawn);
}

#[test]
fn a_withdrawn_key_that_still_verifies_is_found() {
    let lenient = Machine { accepts: |_, _, _| true, ..Machine::PRODUCT };
    assert_found(lenient, Property::Withdrawn);
}

#[test]
fn a_withdrawn_key_that_still_signs_is_found() {
    fn stubborn(keys: &KeySet, now: Timestamp) -> Vec<KeyStatus<'_>> {
        let mut statuses = moved(keys, now, Phase::Withdrawn, Phase::Signing);
        let is_back = |status: &KeyStatus<'_>| status.withdrawn.is_some();
        if let Some(back) = statuses.iter().copied().find(is_back) {
            statuses.retain(|status| status.phase != Phase::Signing);
            statuses.push(back);
        }
        statuses
    }
    let published = |keys: &KeySet, now| whole(stubborn(keys, now));
    assert_found(Machine { statuses: stubborn, published, ..Machine::PRODUCT }, Property::Withdrawn);
}

#[test]
fn a_phase_that_goes_back_is_found() {
    fn relapsing(keys: &KeySet, now: Timestamp) -> Vec<KeyStatus<'_>> {
        let is_odd = now.as_unix_seconds() / 10 % 2 == 1;
        if is_odd { moved(keys, now, Phase::Signing, Phase::Pending) } else { keys.statuses(now).collect() }
    }
    assert_found(Machine { statuses: relapsing, ..Machine::PRODUCT }, Property::Forward);
}

#[test]
fn a_set_that_is_published_with_a_secret_is_found() {
    fn open(keys: &KeySet, now: Timestamp) -> Result<String, KeyError> {
        whole(keys.statuses(now).collect())
    }
    assert_found(Machine { published: open, ..Machine::PRODUCT }, Property::NoSecretPublished);
}

#[test]
fn a_set_that_is_published_with_a_key_too_many_or_too_few_is_found() {
    fn all(keys: &KeySet, now: Timestamp) -> Result<String, KeyError> {
        let (published, every) = (keys.public_jwks(now)?, keys.statuses(now).collect::<Vec<_>>());
        let is_whole = every.iter().all(|status| status.phase < Phase::Retired);
        if is_whole { Ok(published) } else { whole(every) }
    }
    fn current(keys: &KeySet, now: Timestamp) -> Result<String, KeyError> {
        let (published, mut every) = (keys.public_jwks(now)?, keys.statuses(now).collect::<Vec<_>>());
        let is_lone = every.iter().all(|status| !matches!(status.phase, Phase::Pending | Phase::Retiring));
        every.retain(|status| status.phase == Phase::Signing);
        if is_lone { Ok(published) } else { whole(every) }
    }
    assert_found(Machine { published: all, ..Machine::PRODUCT }, Property::PublishedWhole);
    assert_found(Machine { published: current, ..Machine::PRODUCT }, Property::PublishedWhole);
}

/// The keys of a set, those of one phase in another.
fn moved(keys: &KeySet, now: Timestamp, from: Phase, to: Phase) -> Vec<KeyStatus<'_>> {
    let mut statuses: Vec<KeyStatus<'_>> = keys.statuses(now).collect();
    statuses.iter_mut().filter(|status| status.phase == from).for_each(|status| status.phase = to);
    statuses
}

/// A set of these names, as a machine would publish it that knows nothing better.
fn whole(statuses: Vec<KeyStatus<'_>>) -> Result<String, KeyError> {
    let names = statuses.iter().map(|status| format!(r#"{{"kid":"{}"}}"#, status.kid));
    Ok(format!(r#"{{"keys":[{}]}}"#, names.collect::<Vec<_>>().join(",")))
}
