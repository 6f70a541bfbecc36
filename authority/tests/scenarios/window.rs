//! Rotation for browsers: what the window forgives, to the millisecond, and what it never does.

use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::state::Replay;

use crate::bed::{CHALLENGED, Deployment, REVOKED, on_every_store, outcome};
use crate::client::{Client, past_pause, plain_window, window};

/// A client that rotated at the start of the test, and a copy of it from before.
fn rotated(deployment: &Deployment, rule: Replay) -> (Client, Client) {
    let mut client = Client::sign_in(deployment, rule);
    let old = client.clone();
    assert_eq!(client.refresh(deployment), Outcome::Rotated);
    (client, old)
}

/// Scenario 10. Within one window there is one rotation: the successor pauses until it has passed.
#[test]
fn a_window_covers_the_immediate_predecessor_only() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, window(1));
        let mut held = vec![client.clone()];
        for step in 1..=3 {
            deployment.set_millis(step * 1000);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            held.push(client.clone());
        }
        deployment.set_millis(3500);
        for old in &held[..2] {
            assert_eq!(outcome(&old.send(&deployment)), CHALLENGED);
        }
        assert_eq!(outcome(&held[2].send(&deployment)), Outcome::Repeated);
        assert_eq!(outcome(&held[3].send(&deployment)), Outcome::Paused);
    });
}

/// Scenario 11.
#[test]
fn a_window_is_anchored_at_the_rotation_and_no_replay_extends_it() {
    on_every_store(|bed| {
        for (rule, late) in [(window(10), CHALLENGED), (plain_window(10), Outcome::ReuseDetected)] {
            let deployment = bed.deployment();
            let (_, old) = rotated(&deployment, rule);
            let mut outcomes = Vec::new();
            for half in 1..=20 {
                deployment.set_millis(half * 5000);
                outcomes.push(outcome(&old.send(&deployment)));
            }
            let after = if late == CHALLENGED { CHALLENGED } else { REVOKED };
            assert_eq!(outcomes[..2], [Outcome::Repeated, late], "{rule:?}");
            assert!(outcomes[2..].iter().all(|outcome| *outcome == after), "{outcomes:?}");
        }
    });
}

/// Scenario 12.
#[test]
fn a_window_is_open_to_its_last_millisecond_and_closed_from_the_next() {
    on_every_store(|bed| {
        for width in [1, 10, 60] {
            let millis = width * 1000;
            for (at, expected) in [
                (0, Outcome::Repeated),
                (millis - 1, Outcome::Repeated),
                (millis, CHALLENGED),
                (millis + 1, CHALLENGED),
            ] {
                let deployment = bed.deployment();
                let (_, old) = rotated(&deployment, window(width));
                deployment.set_millis(at);
                assert_eq!(outcome(&old.send(&deployment)), expected, "{width} s, {at} ms");
            }
        }
    });
}

/// Scenario 12: the pause of the current token has the same edge.
#[test]
fn a_current_token_is_not_replaced_before_its_own_window_has_passed() {
    on_every_store(|bed| {
        for (at, expected) in
            [(0, Outcome::Paused), (9999, Outcome::Paused), (10_000, Outcome::Rotated), (10_001, Outcome::Rotated)]
        {
            let deployment = bed.deployment();
            let (mut client, _) = rotated(&deployment, window(10));
            deployment.set_millis(at);
            let before = client.token.clone();
            assert_eq!(client.refresh(&deployment), expected, "{at} ms");
            assert_eq!(client.token == before, expected == Outcome::Paused);
        }
    });
}

/// Scenario 12: a clock that stepped back further than the window finds it closed, not open for ever.
#[test]
fn a_window_does_not_stay_open_behind_a_clock_that_stepped_back() {
    on_every_store(|bed| {
        for (back, expected) in [(9999, Outcome::Repeated), (10_000, CHALLENGED), (3_600_000, CHALLENGED)] {
            let deployment = bed.deployment();
            deployment.set_millis(7_200_000);
            let (_, old) = rotated(&deployment, window(10));
            deployment.set_millis(7_200_000 - back);
            assert_eq!(outcome(&old.send(&deployment)), expected, "{back} ms");
        }
    });
}

/// Scenario 12: a width of zero is strict.
#[test]
fn without_a_window_whatever_is_not_the_current_token_ends_the_session() {
    on_every_store(|bed| {
        for rule in [window(0), plain_window(0)] {
            for age in 1..=3 {
                let deployment = bed.deployment();
                let mut client = Client::sign_in(&deployment, rule);
                let old = client.clone();
                for _ in 0..age {
                    assert_eq!(client.refresh(&deployment), Outcome::Rotated);
                }
                assert_eq!(outcome(&old.send(&deployment)), Outcome::ReuseDetected);
                assert_eq!(client.refresh(&deployment), REVOKED);
            }
        }
    });
}

/// Scenario 13. The successor can be used only when the window of its own rotation has passed, or when
/// the clock stepped back.
#[test]
fn a_window_closes_when_the_successor_is_used() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        deployment.set_millis(60_000);
        let (mut client, old) = rotated(&deployment, window(10));
        deployment.set_millis(50_000);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        deployment.set_millis(55_000);
        assert_eq!(outcome(&old.send(&deployment)), CHALLENGED);
        past_pause(&deployment);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    });
}

/// Scenario 14.
#[test]
fn two_tabs_whose_answers_are_reordered_hold_one_token_and_go_on() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut jar = Client::sign_in(&deployment, window(10));
        let (first, second) = (jar.send(&deployment).unwrap(), jar.send(&deployment).unwrap());
        jar.receive(&second.grant);
        jar.receive(&first.grant);
        past_pause(&deployment);
        assert_eq!(jar.refresh(&deployment), Outcome::Rotated);
        assert_eq!(jar.generation(), 2);
    });
}

/// Rule 7: the browser resends what its jar holds now, so an honest one never ends its own session.
#[test]
fn a_challenge_followed_with_the_current_token_goes_on_and_with_the_old_one_ends_the_session() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let (mut client, mut old) = rotated(&deployment, window(10));
        past_pause(&deployment);
        assert_eq!(old.refresh(&deployment), CHALLENGED);
        client.challenge.clone_from(&old.challenge);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        past_pause(&deployment);
        // A challenge is for one token, one session and one minute.
        let mut newer = client.clone();
        assert_eq!(newer.refresh(&deployment), Outcome::Rotated);
        past_pause(&deployment);
        client.challenge.clone_from(&old.challenge);
        assert_eq!(outcome(&client.send(&deployment)), CHALLENGED);
        deployment.set_millis(71_000);
        assert_eq!(outcome(&old.send(&deployment)), CHALLENGED);
        assert_eq!(old.refresh(&deployment), CHALLENGED);
        assert_eq!(old.refresh(&deployment), Outcome::ReuseDetected);
    });
}
