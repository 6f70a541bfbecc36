//! The ordinary life of a chain of refresh tokens, with messages lost, late and doubled.

use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::state::Replay;
use safeconduct::core::time::Seconds;

use crate::bed::{CHALLENGED, SUPERSEDED, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause};

/// Scenario 1.
#[test]
fn three_refreshes_count_to_three_and_one_session_is_listed_throughout() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            for generation in 0..3 {
                assert_eq!(client.generation(), generation);
                past_pause(&deployment);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                let listed = deployment.authority.sessions("user-1", None, 10).unwrap();
                assert_eq!(listed.len(), 1);
                assert_eq!(listed[0].session, client.session);
            }
            assert_eq!(client.generation(), 3);
            assert_eq!(deployment.decided(Outcome::Rotated), 3);
            deployment.authority.erase_subject("user-1").unwrap();
        }
    });
}

/// Scenario 2. A window is for cookies and does not claim this.
#[test]
fn a_lost_reply_can_be_repeated_eight_hours_later() {
    on_every_store(|bed| {
        for rule in [Replay::Committed, Replay::Bound] {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            assert_eq!(outcome(&client.send(&deployment)), Outcome::Rotated);
            deployment.wait(Seconds::new(8 * 3600));
            assert_eq!(client.refresh(&deployment), Outcome::Repeated);
            assert_eq!(client.generation(), 1);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(client.generation(), 2);
        }
    });
}

/// Scenario 2, the other side: a late repeat under a window is answered with a challenge and ends nothing.
#[test]
fn a_browser_whose_reply_was_lost_is_challenged_after_the_window_and_not_signed_out() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let client = Client::sign_in(&deployment, RULES[2]);
        let mut newer = client.clone();
        assert_eq!(newer.refresh(&deployment), Outcome::Rotated);
        past_pause(&deployment);
        assert_eq!(outcome(&client.send(&deployment)), CHALLENGED);
        assert_eq!(newer.refresh(&deployment), Outcome::Rotated);
    });
}

/// Scenario 3.
#[test]
fn a_request_that_never_arrived_is_sent_again_and_counts_once() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            // The first request is lost on the way: the server never sees it.
            let _lost = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(client.generation(), 1);
            assert_eq!(deployment.decided(Outcome::Rotated), 1);
        }
    });
}

/// Scenario 4.
#[test]
fn a_request_delivered_twice_is_one_rotation_and_one_repeat_with_the_same_successor() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let client = Client::sign_in(&deployment, rule);
            let (first, second) = (client.send(&deployment).unwrap(), client.send(&deployment).unwrap());
            assert_eq!((first.outcome, second.outcome), (Outcome::Rotated, Outcome::Repeated));
            assert_eq!(first.grant.receipt, second.grant.receipt);
            assert_eq!(first.grant.refresh_token, second.grant.refresh_token);
            assert_eq!(first.grant.nonce, second.grant.nonce);
            // Under Committed a repeat carries no access token: a leaked request would mint for ever.
            assert_eq!(second.grant.access_token.is_none(), rule == Replay::Committed);
            assert_eq!(deployment.decided(Outcome::Rotated), 1);
            assert_eq!(deployment.decided(Outcome::Repeated), 1);
        }
    });
}

/// Scenario 5, the server's part: the client finds token and next secret as it stored them.
#[test]
fn a_client_killed_before_it_stored_the_answer_recovers_with_what_it_stored_before() {
    on_every_store(|bed| {
        for rule in [Replay::Committed, Replay::Bound] {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            for generation in 1..=4 {
                let stored = client.clone();
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                // Killed: the answer is gone, the store is as it was.
                client = stored;
                assert_eq!(client.refresh(&deployment), Outcome::Repeated);
                assert_eq!(client.generation(), generation);
            }
        }
    });
}

/// Scenario 22: order is decided by counters.
#[test]
fn rotations_in_one_second_and_a_clock_set_back_an_hour_keep_their_order() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            deployment.set_millis(7_200_000);
            let mut client = Client::sign_in(&deployment, rule);
            let oldest = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            let old = client.clone();
            deployment.set_millis(3_600_000);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(client.generation(), 2);
            deployment.set_millis(3_600_001);
            let superseded = if matches!(rule, Replay::Window(_)) { CHALLENGED } else { SUPERSEDED };
            assert_eq!(outcome(&oldest.send(&deployment)), superseded);
            assert_eq!(outcome(&old.send(&deployment)), Outcome::Repeated);
            // The clock is right again: nothing that was decided under the wrong one is undone.
            deployment.set_millis(7_200_000);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}
