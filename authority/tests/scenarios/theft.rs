//! Two holders of one token: found at the first divergent use, and never by chance.

use safeconduct::core::audit::Kind;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::state::{Reason, Replay};
use safeconduct::core::time::Seconds;

use crate::bed::{CHALLENGED, REVOKED, SUPERSEDED, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause, plain_window, window};

/// Scenario 6.
#[test]
fn a_second_commitment_for_one_token_a_millisecond_later_is_reuse_and_ends_the_session() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, Replay::Committed);
        let thief = client.token_thief();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        deployment.set_millis(1);
        assert_eq!(outcome(&thief.send(&deployment)), Outcome::ReuseDetected);
        assert_eq!(client.refresh(&deployment), REVOKED);
        assert_eq!(deployment.noted(Kind::Because(Reason::ReuseDetected)), 1);
    });
}

/// Scenario 7, every rule: a thief of everything the client holds, half an hour apart.
#[test]
fn a_clone_that_alternates_with_its_victim_does_not_survive_and_nor_does_the_session() {
    on_every_store(|bed| {
        for rule in [Replay::Committed, plain_window(10), window(10)] {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            let mut thief = client.token_thief();
            let mut granted = [0, 0];
            for round in 0..500 {
                let who = if round % 2 == 0 { &mut client } else { &mut thief };
                match who.refresh(&deployment) {
                    Outcome::Rotated => granted[round % 2] += 1,
                    Outcome::ReuseDetected => break,
                    // A browser follows the challenge with what its jar holds now: the same old token.
                    CHALLENGED => {
                        assert_eq!(who.refresh(&deployment), Outcome::ReuseDetected);
                        break;
                    }
                    outcome => panic!("{outcome:?} in round {round}"),
                }
                deployment.wait(Seconds::new(1800));
            }
            assert_eq!(granted, [1, 0], "{rule:?}");
            assert_eq!(client.refresh(&deployment), REVOKED);
            assert_eq!(thief.refresh(&deployment), REVOKED);
        }
    });
}

/// Scenario 7 under Bound: without the key the copy is worth nothing at all.
#[test]
fn a_copy_of_a_bound_token_without_its_key_is_refused_and_harms_nobody() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, Replay::Bound);
        for _ in 0..20 {
            let stolen = safeconduct::RefreshRequest { proof: None, ..Default::default() };
            let answer = deployment.authority.refresh(&client.token, &stolen);
            assert!(matches!(outcome(&answer), Outcome::Refused(_)));
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}

/// Scenario 8.
#[test]
fn a_clone_in_lock_step_three_seconds_behind_is_found_within_one_rotation() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, Replay::Committed);
        let mut thief = client.token_thief();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        deployment.wait(Seconds::new(3));
        assert_eq!(thief.refresh(&deployment), Outcome::ReuseDetected);
        assert_eq!(client.refresh(&deployment), REVOKED);
    });
}

/// Scenario 8, the documented gap of [`Replay::Window`]: a thief and a second tab are one event.
#[test]
fn a_clone_within_the_window_shares_the_session_as_documented() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, window(10));
        let mut thief = client.token_thief();
        for _ in 0..5 {
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            deployment.wait(Seconds::new(3));
            assert_eq!(thief.refresh(&deployment), Outcome::Repeated);
            assert_eq!(thief.token, client.token);
            past_pause(&deployment);
        }
    });
}

/// The stated limit of Committed: token and next secret together share one successor, until either uses it.
#[test]
fn a_thief_of_token_and_next_secret_gets_one_successor_and_is_found_at_its_first_use() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, Replay::Committed);
        let mut thief = client.clone();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        assert_eq!(thief.refresh(&deployment), Outcome::Repeated);
        assert_eq!(client.token, thief.token);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        assert_eq!(thief.refresh(&deployment), Outcome::ReuseDetected);
        assert_eq!(client.refresh(&deployment), REVOKED);
    });
}

/// Scenario 9.
#[test]
fn a_token_two_generations_old_is_superseded_at_any_time_and_changes_nothing() {
    on_every_store(|bed| {
        for rule in [Replay::Committed, Replay::Bound] {
            for pause in [0, 3, 86_400] {
                let deployment = bed.deployment();
                let mut client = Client::sign_in(&deployment, rule);
                let old = client.token_thief();
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                deployment.wait(Seconds::new(pause));
                for _ in 0..3 {
                    assert_eq!(outcome(&old.send(&deployment)), SUPERSEDED);
                }
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            }
        }
    });
}

/// Scenario 9, the client's part: it still holds the old token, so somebody else moved the chain on.
#[test]
fn the_holder_of_a_superseded_token_can_end_the_session() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let honest = Client::sign_in(&deployment, rule);
            let mut thief = honest.clone();
            for _ in 0..3 {
                assert_eq!(thief.refresh(&deployment), Outcome::Rotated);
                past_pause(&deployment);
            }
            assert!(matches!(outcome(&honest.send(&deployment)), Outcome::Superseded { .. }));
            assert_eq!(deployment.authority.revoke(&honest.token), Ok(Outcome::Revoked));
            assert_eq!(thief.refresh(&deployment), REVOKED);
        }
    });
}

/// Scenario 21.
#[test]
fn nothing_is_issued_after_reuse_was_found_not_even_inside_a_window() {
    on_every_store(|bed| {
        for rule in [Replay::Committed, window(60), plain_window(0)] {
            let deployment = bed.deployment();
            let mut client = Client::sign_in(&deployment, rule);
            let mut old = client.token_thief();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            if rule == window(60) {
                deployment.wait(Seconds::new(61));
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                assert_eq!(old.refresh(&deployment), CHALLENGED);
            }
            assert_eq!(old.refresh(&deployment), Outcome::ReuseDetected);
            deployment.clock.fetch_add(200, std::sync::atomic::Ordering::SeqCst);
            for who in [&mut client, &mut old] {
                assert_eq!(who.refresh(&deployment), REVOKED, "{rule:?}");
            }
            assert!(deployment.authority.amend(client.session, Some("more"), None).is_err());
        }
    });
}
