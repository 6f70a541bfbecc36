//! Revocations that race everything else: what was acknowledged holds, for all that begins afterwards.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use safeconduct::core::id::SessionId;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::token::Scratch;

use crate::bed::{Bed, Deployment, REVOKED, on_every_store, outcome};
use crate::client::{Client, RULES, window};
use crate::flawed::{Flaw, Flawed};
use crate::interposed::{Interposed, Moment};

#[derive(Clone, Copy, Debug)]
enum End {
    Session,
    Subject,
}

fn end(deployment: &Deployment, how: End, session: SessionId) {
    match how {
        End::Session => assert_eq!(deployment.authority.revoke_session(session), Ok(Outcome::Revoked)),
        End::Subject => deployment.authority.revoke_subject("user-1", None).unwrap(),
    }
}

/// Says what is handed out on a decision that was made before a revocation and committed after it.
fn decided_before_committed_after(bed: &Bed, how: End) -> Result<(), String> {
    for rule in RULES {
        for expected in [Outcome::Rotated, Outcome::Repeated, Outcome::Paused, Outcome::Amended] {
            let interposed = Interposed::over(bed.store.clone());
            let slow = Deployment::over(interposed.store(), Settings::default());
            let other = Arc::new(bed.deployment());
            let mut client = Client::sign_in(&other, rule);
            let old = client.clone();
            if expected != Outcome::Rotated {
                assert_eq!(client.refresh(&other), Outcome::Rotated);
            }
            let act = || match expected {
                Outcome::Amended => outcome(&slow.authority.amend(client.session, Some("more"), None)),
                Outcome::Repeated => outcome(&old.send(&slow)),
                _ => outcome(&client.send(&slow)),
            };
            if expected == Outcome::Paused && rule != window(10) {
                continue;
            }
            let session = client.session;
            interposed.arm(Moment::Before(1), move || end(&other, how, session));
            let decided = act();
            assert!(!interposed.disarm(), "{expected:?} is answered without a commit");
            if decided != REVOKED {
                return Err(format!("{rule:?}, {how:?}: {decided:?} after the revocation was acknowledged"));
            }
        }
    }
    Ok(())
}

/// Scenario 18, P3 and P10, each interleaving by itself.
#[test]
fn nothing_is_handed_out_on_a_decision_that_a_revocation_overtook() {
    on_every_store(|bed| {
        decided_before_committed_after(bed, End::Session).unwrap();
        decided_before_committed_after(bed, End::Subject).unwrap();
    });
}

/// Scenario 18 can fail: a store that skips the subject's expectation, one that does not compare where
/// nothing is written, and one that compares nothing.
#[test]
fn stores_that_leave_out_a_comparison_are_caught() {
    let run = |flaw, how| decided_before_committed_after(&Flawed::memory(flaw), how);
    assert!(run(Flaw::ComparesOnlyWhatItWrites, End::Subject).is_err());
    assert!(run(Flaw::ComparesNoEmptyCommit, End::Session).is_err());
    assert!(run(Flaw::ComparesNothing, End::Session).is_err());
    assert!(run(Flaw::LosesSubjects, End::Subject).is_err());
}

/// Says what outlives a revocation among 64 threads that refresh while it happens.
fn refreshes_around_a_revocation(bed: &Bed, how: End) -> Result<(), String> {
    // Two servers on one store: what the other one knows, this one knows only from the store.
    let (deployment, other) = (bed.deployment(), bed.deployment());
    let client = Client::sign_in(&deployment, window(10));
    let (gate, acknowledged, granted_after) = (Barrier::new(64), AtomicBool::new(false), AtomicUsize::new(0));
    let minted: Vec<String> = std::thread::scope(|threads| {
        let refresh = || {
            let mut access = Vec::new();
            gate.wait();
            for _ in 0..4 {
                let begun_after = acknowledged.load(Ordering::SeqCst);
                if let Ok(granted) = client.send(&other) {
                    access.extend(granted.grant.access_token.map(|token| token.to_string()));
                    granted_after.fetch_add(usize::from(begun_after), Ordering::SeqCst);
                }
            }
            access
        };
        let refreshing: Vec<_> = (0..63).map(|_| threads.spawn(refresh)).collect();
        gate.wait();
        end(&deployment, how, client.session);
        acknowledged.store(true, Ordering::SeqCst);
        refreshing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut scratch = Scratch::boxed();
    let good = minted.iter().filter(|access| deployment.authority.verify(access, &mut scratch).is_ok()).count();
    match (granted_after.load(Ordering::SeqCst), good, outcome(&client.send(&other))) {
        (0, 0, REVOKED) => Ok(()),
        other => Err(format!("granted afterwards, access tokens still good, session: {other:?}")),
    }
}

/// Scenario 18, P3.
#[test]
fn no_refresh_that_begins_after_an_acknowledged_revocation_succeeds_and_no_token_of_the_race_is_good() {
    on_every_store(|bed| {
        for _ in 0..5 {
            refreshes_around_a_revocation(bed, End::Session).unwrap();
            refreshes_around_a_revocation(bed, End::Subject).unwrap();
        }
    });
    assert!(refreshes_around_a_revocation(&Flawed::memory(Flaw::LosesSubjects), End::Subject).is_err());
}

/// Says which sessions outlive a revoke-all among 64 threads that sign in and refresh.
fn sign_ins_around_a_revoke_all(bed: &Bed) -> Result<(), String> {
    let (deployment, other) = (bed.deployment(), bed.deployment());
    let before: Vec<Client> = (0..8).map(|i| Client::sign_in(&deployment, RULES[i % 3])).collect();
    let (gate, started) = (Barrier::new(64), AtomicBool::new(false));
    let sign_in = |number: usize| {
        let mut mine = Vec::new();
        gate.wait();
        for _ in 0..3 {
            let mut client = Client::sign_in(&other, RULES[number % 3]);
            let acknowledged_before = !started.load(Ordering::SeqCst);
            client.refresh(&other);
            mine.push((acknowledged_before, client));
        }
        mine
    };
    let racing: Vec<(bool, Client)> = std::thread::scope(|threads| {
        let sign_in = &sign_in;
        let signing_in: Vec<_> = (0..63).map(|number| threads.spawn(move || sign_in(number))).collect();
        gate.wait();
        started.store(true, Ordering::SeqCst);
        deployment.authority.revoke_subject("user-1", None).unwrap();
        signing_in.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let earlier = before.iter().chain(racing.iter().filter(|(earlier, _)| *earlier).map(|(_, client)| client));
    let alive = earlier.filter(|client| client.send(&other).is_ok()).count();
    if alive > 0 {
        return Err(format!("{alive} sessions outlive the revoke-all"));
    }
    // A second one, with nobody racing, ends whatever came after the first.
    deployment.authority.revoke_subject("user-1", None).unwrap();
    let alive = racing.iter().filter(|(_, client)| client.send(&other).is_ok()).count();
    if alive > 0 { Err(format!("{alive} sessions outlive the second revoke-all")) } else { Ok(()) }
}

/// P10.
#[test]
fn no_earlier_session_outlives_a_revoke_all_that_races_sign_ins_and_refreshes() {
    on_every_store(|bed| sign_ins_around_a_revoke_all(bed).unwrap());
    assert!(sign_ins_around_a_revoke_all(&Flawed::memory(Flaw::LosesSubjects)).is_err());
}

/// P10: the sign-in that read the old epoch is decided again, under the new one.
#[test]
fn a_sign_in_that_a_revoke_all_overtook_comes_after_it() {
    on_every_store(|bed| {
        let interposed = Interposed::over(bed.store.clone());
        let slow = Deployment::over(interposed.store(), Settings::default());
        let other = Arc::new(bed.deployment());
        let earlier = Client::sign_in(&other, window(10));
        for call in 0..3 {
            let act = Arc::clone(&other);
            interposed.arm(Moment::Before(call), move || act.authority.revoke_subject("user-1", None).unwrap());
            let granted = slow.authority.issue(&SignInRequest::new("user-1")).unwrap();
            assert!(!interposed.disarm());
            let mut scratch = Scratch::boxed();
            let access = granted.grant.access_token.unwrap();
            let claims = other.authority.verify(&access, &mut scratch).unwrap();
            assert_eq!(claims.sid(), Some(granted.grant.session));
            assert_eq!(earlier.send(&other).map(|_| ()).unwrap_err().reason(), "session_revoked");
        }
    });
}
