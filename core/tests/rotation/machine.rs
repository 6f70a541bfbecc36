//! The machine, command by command.

use safeconduct_core::jws::rotation::{Command, RotationError, RotationPolicy, RotationSettings, apply, first, is_due};
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, Phase, SigningKey, WithdrawalReason};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::MAX_LEEWAY;

use crate::deployment::{START, key, policy};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(START).plus(Seconds::new(seconds))
}

fn eddsa(number: u8) -> SigningKey {
    key(Algorithm::EdDsa, number)
}

fn kid(number: u8) -> String {
    eddsa(number).kid().into()
}

fn publish(keys: &KeySet, number: u8, now: Timestamp) -> Result<KeySet, RotationError> {
    apply(keys, Command::Publish(eddsa(number)), now, &policy())
}

fn withdraw(keys: &KeySet, number: u8, successor: Option<u8>, now: Timestamp) -> Result<KeySet, RotationError> {
    let (kid, successor) = (kid(number), successor.map(eddsa));
    apply(keys, Command::Withdraw { kid: &kid, reason: WithdrawalReason::Compromised, successor }, now, &policy())
}

fn phases(keys: &KeySet, now: Timestamp) -> Vec<Phase> {
    keys.statuses(now).map(|status| status.phase).collect()
}

fn signing(keys: &KeySet, now: Timestamp) -> Option<&str> {
    keys.signing(now).map(SigningKey::kid)
}

/// A century later.
const FAR: Timestamp = Timestamp::from_unix_seconds(START / 1000 + 3_155_760_000);
/// 15 s until every process has read it, 40 s of caching, 60 s of leeway.
const LEAD: u64 = 115;
/// 100 s of a token's life, 15 s of reading late, 60 s of leeway.
const RETENTION: u64 = 175;

#[test]
fn a_set_that_was_read_once_rotates_by_itself_when_its_times_come() {
    use Phase as P;
    let keys = publish(&first(eddsa(1), at(0)), 2, at(10)).unwrap();
    let begins = 10 + LEAD;
    let stages = [
        (at(10), [P::Signing, P::Pending], Some(kid(1))),
        (at(begins - 1), [P::Signing, P::Pending], Some(kid(1))),
        (at(begins), [P::Retiring, P::Signing], Some(kid(2))),
        (at(begins + RETENTION - 1), [P::Retiring, P::Signing], Some(kid(2))),
        (at(begins + RETENTION), [P::Retired, P::Signing], Some(kid(2))),
        (FAR, [P::Retired, P::Signing], Some(kid(2))),
    ];
    for (now, expected, signer) in stages {
        assert_eq!(phases(&keys, now), expected);
        assert_eq!(signing(&keys, now), signer.as_deref());
        let verifies = |number| keys.find(Some(&kid(number)), now).is_some();
        assert_eq!([verifies(1), verifies(2)], expected.map(|phase| phase != P::Retired));
    }
    let pruned = apply(&keys, Command::Prune, at(begins + RETENTION), &policy()).unwrap();
    assert_eq!(phases(&pruned, at(begins + RETENTION)), [P::Signing]);
    assert_eq!(apply(&keys, Command::Prune, at(begins), &policy()).unwrap().verifying().len(), 2);
}

#[test]
fn times_are_whole_seconds_on_the_safe_side() {
    let keys = publish(&first(eddsa(1), at(0)), 2, Timestamp::from_millis(START + 1)).unwrap();
    assert_eq!(signing(&keys, at(LEAD)), Some(kid(1).as_str()));
    assert_eq!(signing(&keys, at(LEAD + 1)), Some(kid(2).as_str()));
}

#[test]
fn a_first_key_signs_at_once_also_by_a_slow_clock() {
    let keys = first(eddsa(1), at(60));
    assert!(keys.signing(at(60).minus(MAX_LEEWAY)).is_some() && keys.signing(at(60)).is_some());
    let empty = KeySet::verify_only(vec![eddsa(9).verifying_key()]).unwrap();
    let keys = publish(&empty, 1, at(0)).unwrap();
    assert_eq!(signing(&keys, at(0)), Some(kid(1).as_str()));
    assert_eq!(phases(&keys, FAR), [Phase::Retiring, Phase::Signing], "a foreign key has no end");
}

#[test]
fn a_plain_key_is_succeeded_like_any_other() {
    let keys = publish(&KeySet::new(eddsa(1)), 2, at(0)).unwrap();
    assert_eq!(phases(&keys, at(LEAD)), [Phase::Retiring, Phase::Signing]);
    assert_eq!(phases(&keys, at(LEAD + RETENTION)), [Phase::Retired, Phase::Signing]);
}

#[test]
fn only_one_key_is_pending_and_none_signs_too_early() {
    let keys = publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap();
    assert_eq!(publish(&keys, 3, at(1)).err(), Some(RotationError::AlreadyPending));
    let promote = |number, now, policy: RotationPolicy| {
        apply(&keys, Command::Promote { kid: &kid(number) }, now, &policy)
            .map(|keys| signing(&keys, now).map(String::from))
    };
    assert_eq!(promote(2, at(LEAD - 1), policy()), Err(RotationError::TooEarly));
    assert_eq!(promote(1, at(0), policy()), Err(RotationError::NotPending));
    assert_eq!(promote(9, at(0), policy()), Err(RotationError::UnknownKey));
    // A shorter policy lets a key sign that was published under a longer one.
    let shorter = crate::deployment::settings(0, 100);
    assert_eq!(promote(2, at(74), shorter), Err(RotationError::TooEarly));
    assert_eq!(promote(2, at(75), shorter), Ok(Some(kid(2))));
}

#[test]
fn a_withdrawn_key_is_gone_at_once_and_for_ever() {
    let keys = withdraw(&first(eddsa(1), at(0)), 1, Some(2), at(1000)).unwrap();
    assert_eq!(phases(&keys, at(1000)), [Phase::Signing, Phase::Withdrawn]);
    assert_eq!(signing(&keys, at(1000).minus(MAX_LEEWAY)), Some(kid(2).as_str()), "by a slow clock too");
    assert!(keys.find(Some(&kid(1)), at(1000)).is_none() && keys.is_withdrawn(&kid(1)));
    assert_eq!(publish(&keys, 1, at(2000)).err(), Some(RotationError::Key(KeyError::Withdrawn)));
    let again = withdraw(&keys, 1, None, at(2000)).unwrap();
    assert_eq!(again.private_jwks().as_str(), keys.private_jwks().as_str(), "the second time changes nothing");
    let pruned = apply(&keys, Command::Prune, FAR, &policy()).unwrap();
    assert!(pruned.is_withdrawn(&kid(1)));
}

#[test]
fn the_key_that_signs_is_not_withdrawn_without_another() {
    let keys = first(eddsa(1), at(0));
    assert_eq!(withdraw(&keys, 1, None, at(1)).err(), Some(RotationError::NoSuccessor));
    assert_eq!(withdraw(&keys, 7, Some(2), at(1)).err(), Some(RotationError::UnknownKey));
    // A pending key takes its place at once; what was brought is not needed.
    let keys = publish(&keys, 2, at(0)).unwrap();
    for brought in [None, Some(3)] {
        let after = withdraw(&keys, 1, brought, at(5)).unwrap();
        assert_eq!(phases(&after, at(5)), [Phase::Signing, Phase::Withdrawn]);
        assert_eq!(signing(&after, at(5)), Some(kid(2).as_str()));
    }
}

#[test]
fn a_pending_key_that_is_withdrawn_leaves_the_one_that_signs_without_end() {
    let keys = publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap();
    let keys = withdraw(&keys, 2, None, at(5)).unwrap();
    assert_eq!(phases(&keys, at(5)), [Phase::Signing, Phase::Withdrawn]);
    assert_eq!(signing(&keys, FAR), Some(kid(1).as_str()));
    assert!(publish(&keys, 3, at(6)).is_ok());
}

#[test]
fn a_pending_key_that_is_withheld_leaves_the_one_that_signs_without_end() {
    let keys = publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap();
    let heard = keys.withhold(&[eddsa(2).verifying_key().tag()].into(), at(5)).unwrap();
    assert_eq!(phases(&heard, at(5)), [Phase::Signing, Phase::Withdrawn]);
    assert_eq!(signing(&heard, FAR), Some(kid(1).as_str()));
}

#[test]
fn a_key_that_signs_is_kept_until_what_it_signs_has_expired_whatever_end_it_had() {
    let text = first(eddsa(1), at(0)).private_jwks();
    let text = text.replace(r#"[{"#, &format!(r#"[{{"exp":{},"#, START / 1000 + 200));
    let keys = publish(&KeySet::from_jwks(&text).unwrap(), 2, at(150)).unwrap();
    let begins = 150 + LEAD;
    assert_eq!(signing(&keys, at(begins - 1)), Some(kid(1).as_str()));
    assert_eq!(phases(&keys, at(begins + RETENTION - 1)), [Phase::Retiring, Phase::Signing]);
    assert_eq!(phases(&keys, at(begins + RETENTION)), [Phase::Retired, Phase::Signing]);
}

#[test]
fn a_key_that_is_withdrawn_among_two_pending_ones_is_passed_over() {
    // A clock that is 60 s ahead publishes the third while the second is pending by the slow one still.
    let keys = publish(&publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap(), 3, at(LEAD)).unwrap();
    let slow = at(LEAD - 60);
    assert_eq!(phases(&keys, slow), [Phase::Signing, Phase::Pending, Phase::Pending]);
    let signers = |keys: &KeySet| [slow, at(LEAD), at(2 * LEAD), FAR].map(|now| signing(keys, now).map(String::from));
    let ends = |keys: &KeySet| keys.statuses(slow).map(|key| key.schedule.kept_until).collect::<Vec<_>>();
    let (second, third) = (at(LEAD + RETENTION), at(2 * LEAD + RETENTION));
    assert_eq!(ends(&keys), [second, third, Timestamp::MAX]);
    let without_third = withdraw(&keys, 3, None, slow).unwrap();
    assert_eq!(signers(&without_third), [1, 2, 2, 2].map(|number| Some(kid(number))));
    assert_eq!(ends(&without_third)[..2], [second, Timestamp::MAX]);
    let without_second = withdraw(&keys, 2, None, slow).unwrap();
    assert_eq!(signers(&without_second), [1, 1, 3, 3].map(|number| Some(kid(number))));
    assert_eq!(ends(&without_second)[..2], [third, Timestamp::MAX]);
    let without_first = withdraw(&keys, 1, None, slow).unwrap();
    assert_eq!(signers(&without_first), [2, 2, 3, 3].map(|number| Some(kid(number))));
    assert_eq!(ends(&without_first)[..2], [third, Timestamp::MAX]);
}

#[test]
fn no_key_signs_again_that_another_has_succeeded() {
    let keys = publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap();
    // Another process withdrew the second key; the file with its successor is not here yet.
    let heard = keys.withhold(&[eddsa(2).verifying_key().tag()].into(), at(LEAD + 1)).unwrap();
    assert_eq!(phases(&heard, at(LEAD + 1)), [Phase::Retiring, Phase::Withdrawn]);
    assert_eq!(signing(&heard, at(LEAD + 1)), None);
    assert!(heard.withhold(&[eddsa(2).verifying_key().tag()].into(), at(LEAD + 2)).is_none(), "nothing changes");
}

#[test]
fn the_private_half_goes_when_no_process_can_need_it() {
    let keys = publish(&first(eddsa(1), at(0)), 2, at(0)).unwrap();
    let private_keys = |now| {
        let text = apply(&keys, Command::Prune, now, &policy()).unwrap().private_jwks();
        text.matches(r#""d":"#).count()
    };
    let over = LEAD + 15 + MAX_LEEWAY.get();
    assert_eq!((private_keys(at(over - 1)), private_keys(at(over))), (2, 1));
}

#[test]
fn a_rotation_is_due_once_in_a_period() {
    let settings = RotationSettings { period: Some(Seconds::new(1000)), ..*policy() };
    let policy = RotationPolicy::new(settings).unwrap();
    let keys = first(eddsa(1), at(60));
    assert!(!is_due(&keys, at(999), &policy) && is_due(&keys, at(1000), &policy));
    assert!(!is_due(&keys, FAR, &RotationPolicy::default()));
    let keys = apply(&keys, Command::Publish(eddsa(2)), at(1000), &policy).unwrap();
    assert!(!is_due(&keys, at(1001), &policy), "one is pending");
    assert!(!is_due(&keys, at(1000 + LEAD + 999), &policy) && is_due(&keys, at(1000 + LEAD + 1000), &policy));
}

#[test]
fn times_that_do_not_fit_together_are_refused() {
    let refused = |change: fn(&mut RotationSettings)| {
        let mut settings = RotationSettings::default();
        change(&mut settings);
        RotationPolicy::new(settings).err()
    };
    let error = Some(RotationError::Policy);
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|settings| settings.max_ttl = Seconds::ZERO), error);
    assert_eq!(refused(|settings| settings.cache_lifetime = Seconds::days(367)), error);
    assert_eq!(refused(|settings| settings.reload_interval = Seconds::new(u64::MAX)), error);
    assert_eq!(refused(|settings| settings.period = Some(Seconds::new(420))), error);
    assert_eq!(refused(|settings| settings.period = Some(Seconds::new(421))), None);
}
