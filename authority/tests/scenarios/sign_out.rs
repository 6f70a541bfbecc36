//! Signing out: what ends, what goes on, and answers that arrive too late.

use std::sync::Arc;

use safeconduct::Error;
use safeconduct::core::audit::Kind;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::token::{InvalidToken, Scratch};

use crate::bed::{Bed, Deployment, NOT_OURS, REVOKED, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause};
use crate::interposed::{Interposed, Moment};

/// Scenario 19, the server's part. That the client drops the answer is told with the client.
#[test]
fn an_answer_that_arrives_after_the_sign_out_is_of_no_use() {
    on_every_store(|bed| {
        for rule in RULES {
            let interposed = Interposed::over(bed.store.clone());
            let server = Arc::new(Deployment::over(interposed.store(), Settings::default()));
            let mut client = Client::sign_in(&server, rule);
            let (token, other) = (client.token.clone(), Arc::clone(&server));
            interposed.arm(Moment::After(1), move || {
                assert_eq!(other.authority.revoke(&token), Ok(Outcome::Revoked));
            });
            // The refresh took effect before the sign-out, its answer comes after it.
            assert_eq!(client.refresh(&server), Outcome::Rotated);
            assert!(!interposed.disarm());
            assert_eq!(client.refresh(&server), REVOKED);
            let judged = server.authority.verify(&client.access, &mut Scratch::boxed()).map(|_| ());
            assert_eq!(judged, Err(Error::InvalidToken(InvalidToken::Revoked)));
        }
    });
}

/// Scenario 20.
#[test]
fn an_old_request_after_a_new_sign_in_on_the_same_device_gets_nothing_of_the_new_session() {
    on_every_store(|bed| {
        for rule in RULES {
            let interposed = Interposed::over(bed.store.clone());
            let slow = Deployment::over(interposed.store(), Settings::default());
            let other = Arc::new(bed.deployment());
            let old = Client::sign_in(&other, rule);
            let (token, server) = (old.token.clone(), Arc::clone(&other));
            interposed.arm(Moment::Before(1), move || {
                server.authority.revoke(&token).unwrap();
                Client::sign_in(&server, rule);
            });
            assert_eq!(outcome(&old.send(&slow)), REVOKED);
            assert_eq!(outcome(&old.send(&other)), REVOKED);
            assert_eq!(other.authority.sessions("user-1", None, 10).unwrap().len(), 1);
            other.authority.erase_subject("user-1").unwrap();
        }
    });
}

/// Scenario 32.
#[test]
fn ending_one_session_leaves_another_of_the_same_subject_and_client_alone() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let (a, mut b) = (Client::sign_in(&deployment, rule), Client::sign_in(&deployment, rule));
            assert_eq!(deployment.authority.revoke(&a.token), Ok(Outcome::Revoked));
            assert_eq!(outcome(&a.send(&deployment)), REVOKED);
            assert_eq!(b.refresh(&deployment), Outcome::Rotated);
            deployment.authority.verify(&b.access, &mut Scratch::boxed()).unwrap();
            deployment.authority.revoke_subject("user-1", None).unwrap();
            past_pause(&deployment);
            assert_eq!(b.refresh(&deployment), REVOKED);
        }
    });
}

/// Scenario 32: idempotent, by any token of the session, and no error for a token of nobody.
#[test]
fn any_token_ever_issued_ends_its_session_and_ending_it_again_is_no_error() {
    on_every_store(|bed| {
        for rule in RULES {
            for by in 0..3 {
                let deployment = bed.deployment();
                let mut client = Client::sign_in(&deployment, rule);
                let oldest = client.token.clone();
                for _ in 0..3 {
                    past_pause(&deployment);
                    client.refresh(&deployment);
                }
                let token = [&oldest, &client.token, &client.access][by];
                for _ in 0..3 {
                    let again = deployment.authority.revoke(token);
                    // An access token that is itself refused by now names no session.
                    assert!(again == Ok(Outcome::Revoked) || (by == 2 && again == Ok(NOT_OURS)), "{again:?}");
                    assert_eq!(outcome(&client.send(&deployment)), REVOKED);
                }
            }
        }
        let deployment = bed.deployment();
        for garbage in ["", "scr1_", "x", "a.b.c", "scr1_AAAA"] {
            assert_eq!(deployment.authority.revoke(garbage), Ok(NOT_OURS));
        }
        deployment.authority.revoke_subject("nobody", None).unwrap();
        deployment.authority.erase_subject("nobody").unwrap();
    });
}

/// Scenario 32: the session that is kept goes on, and one that is not the subject's is refused.
#[test]
fn a_revoke_all_keeps_the_session_named_and_refuses_one_that_is_not_the_subjects() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let (a, mut b) = (Client::sign_in(&deployment, RULES[0]), Client::sign_in(&deployment, RULES[0]));
        let stranger = Client::sign_in_as(&deployment, RULES[0], SignInRequest::new("user-2"));
        let refused = deployment.authority.revoke_subject("user-1", Some(stranger.session));
        assert_eq!(refused.unwrap_err().reason(), Refusal::Unknown.reason());
        assert!(a.send(&deployment).is_ok());
        deployment.authority.revoke_subject("user-1", Some(b.session)).unwrap();
        assert_eq!(outcome(&a.send(&deployment)), REVOKED);
        assert_eq!(b.refresh(&deployment), Outcome::Rotated);
        assert!(stranger.send(&deployment).is_ok());
    });
}

/// P5: what the view learned after the record was read is no reason to refuse an honest client.
#[test]
fn a_session_that_is_kept_or_amended_while_it_refreshes_is_refreshed() {
    on_every_store(|bed| {
        for rule in RULES {
            for amend in [false, true] {
                let interposed = Interposed::over(bed.store.clone());
                let server = Arc::new(Deployment::over(interposed.store(), Settings::default()));
                let mut client = Client::sign_in(&server, rule);
                let (other, session) = (Arc::clone(&server), client.session);
                interposed.arm(Moment::After(0), move || {
                    if amend {
                        other.authority.amend(session, Some("more"), None).unwrap();
                    } else {
                        other.authority.revoke_subject("user-1", Some(session)).unwrap();
                    }
                });
                assert_eq!(client.refresh(&server), Outcome::Rotated, "{rule:?}, amended: {amend}");
                assert!(!interposed.disarm());
                assert_eq!(server.noted(Kind::StoreRolledBack), 0);
                server.authority.verify(&client.access, &mut Scratch::boxed()).unwrap();
            }
        }
    });
}

/// How a session can be ended.
const ENDS: [fn(&Deployment, &Client); 4] = [
    |deployment, client| assert!(deployment.authority.revoke(&client.token).is_ok()),
    |deployment, client| assert!(deployment.authority.revoke_session(client.session).is_ok()),
    |deployment, _| deployment.authority.revoke_subject("user-1", None).unwrap(),
    |deployment, _| deployment.authority.erase_subject("user-1").unwrap(),
];

/// Runs `first`, and `second` in the middle of it, at the given call of the store; whether it was called.
fn overlap(bed: &Bed, rule: safeconduct::core::session::state::Replay, pair: (usize, usize), call: usize) -> bool {
    let interposed = Interposed::over(bed.store.clone());
    let slow = Deployment::over(interposed.store(), Settings::default());
    let other = Arc::new(bed.deployment());
    let client = Client::sign_in(&other, rule);
    let (copy, server) = (client.clone(), Arc::clone(&other));
    let act = move || if pair.1 < ENDS.len() { ENDS[pair.1](&server, &copy) } else { drop(copy.send(&server)) };
    interposed.arm(Moment::Before(call), act);
    if pair.0 < ENDS.len() {
        ENDS[pair.0](&slow, &client);
    } else {
        drop(client.send(&slow));
    }
    if interposed.disarm() {
        return false;
    }
    for server in [&slow, &other] {
        assert_eq!(outcome(&client.send(server)), REVOKED, "{pair:?} at {call}");
    }
    let listed = other.authority.sessions("user-1", None, 100).unwrap();
    assert!(listed.iter().all(|listed| listed.session != client.session));
    true
}

/// Scenario 45: sign-out, revoke, revoke-all, erase and refresh, each in the middle of each.
#[test]
fn every_two_endings_and_a_refresh_in_any_overlap_leave_the_session_ended() {
    on_every_store(|bed| {
        let refresh = ENDS.len();
        for first in 0..=refresh {
            for second in (0..=refresh).filter(|second| first != refresh || *second != refresh) {
                let mut call = 0;
                while overlap(bed, RULES[call % 3], (first, second), call) {
                    call += 1;
                }
                assert!(call >= 2, "{first} and {second} never met");
            }
        }
    });
}
