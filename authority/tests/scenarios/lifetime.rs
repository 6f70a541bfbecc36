//! Deadlines, to the millisecond.

use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::time::Seconds;
use safeconduct::core::token::Scratch;

use crate::bed::{Bed, Deployment, on_every_store, outcome};
use crate::client::{Client, RULES, window};

const IDLE: Outcome = Outcome::Refused(Refusal::ExpiredIdle);
const ABSOLUTE: Outcome = Outcome::Refused(Refusal::ExpiredAbsolute);

/// Idle after 1000 s, over after 3000 s.
fn short(bed: &Bed) -> Deployment {
    let (idle_ttl, absolute_ttl) = (Seconds::new(1000), Seconds::new(3000));
    bed.deployment_with(Settings { idle_ttl, absolute_ttl, access_ttl: Seconds::new(100), ..Settings::default() })
}

/// Scenario 28.
#[test]
fn an_expired_session_is_refused_inside_a_window_too() {
    on_every_store(|bed| {
        let deployment = short(bed);
        let mut client = Client::sign_in(&deployment, window(60));
        let old = client.clone();
        for at in [999_000, 1_998_000, 2_980_000] {
            deployment.set_millis(at);
            let old = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(outcome(&old.send(&deployment)), Outcome::Repeated);
        }
        let predecessor = Client { token: old.token, ..client.clone() };
        deployment.set_millis(2_999_999);
        assert_eq!(outcome(&client.send(&deployment)), Outcome::Paused);
        deployment.set_millis(3_000_000);
        assert_eq!(outcome(&client.send(&deployment)), ABSOLUTE);
        assert_eq!(outcome(&predecessor.send(&deployment)), ABSOLUTE);
    });
}

/// Scenario 29.
#[test]
fn the_idle_deadline_is_reached_at_its_millisecond_and_not_before() {
    on_every_store(|bed| {
        for rule in RULES {
            for (at, expected) in [
                (999_000, Outcome::Rotated),
                (999_999, Outcome::Rotated),
                (1_000_000, IDLE),
                (1_000_001, IDLE),
                (1_001_000, IDLE),
            ] {
                let deployment = short(bed);
                let client = Client::sign_in(&deployment, rule);
                deployment.set_millis(at);
                assert_eq!(outcome(&client.send(&deployment)), expected, "{at} ms");
            }
        }
    });
}

/// Scenario 29: active every minute, and over all the same.
#[test]
fn the_absolute_deadline_is_reached_however_active_the_session_is() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = short(bed);
            let mut client = Client::sign_in(&deployment, rule);
            for minute in 1..50 {
                deployment.set_millis(minute * 60_000);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            }
            deployment.set_millis(2_999_999);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            deployment.set_millis(3_000_000);
            assert_eq!(client.refresh(&deployment), ABSOLUTE);
            // A clock that was wrong hurts only while it is wrong.
            deployment.set_millis(2_999_999);
            assert_ne!(outcome(&client.send(&deployment)), ABSOLUTE);
        }
    });
}

/// Scenario 29, P8.
#[test]
fn a_repeat_moves_no_deadline() {
    on_every_store(|bed| {
        for rule in [RULES[0], RULES[1], window(60)] {
            let deployment = short(bed);
            let mut client = Client::sign_in(&deployment, rule);
            let old = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            deployment.set_millis(59_000);
            let deadlines = |deployment: &Deployment| {
                let listed = deployment.authority.sessions("user-1", None, 10).unwrap();
                let session = listed.into_iter().find(|listed| listed.session == client.session).unwrap();
                (session.idle_deadline, session.absolute_deadline, session.rotated_at)
            };
            let before = deadlines(&deployment);
            for _ in 0..3 {
                assert_eq!(outcome(&old.send(&deployment)), Outcome::Repeated);
            }
            assert_eq!(deadlines(&deployment), before);
            deployment.set_millis(1_000_000);
            assert_eq!(outcome(&client.send(&deployment)), IDLE);
        }
    });
}

/// Scenario 29: nothing that is handed out outlives the session.
#[test]
fn deadlines_and_access_tokens_are_capped_at_the_absolute_deadline() {
    on_every_store(|bed| {
        let deployment = short(bed);
        let mut client = Client::sign_in(&deployment, RULES[0]);
        for at in [900_000, 1_800_000, 2_700_000, 2_950_000] {
            deployment.set_millis(at);
            let granted = client.send(&deployment).unwrap();
            client.receive(&granted.grant);
            let listed = deployment.authority.sessions("user-1", None, 1).unwrap();
            assert!(listed[0].idle_deadline <= listed[0].absolute_deadline);
            let left = (3_000_000 - at) / 1000;
            assert_eq!(granted.grant.expires_in, Seconds::new(left.min(100)));
        }
        deployment.set_millis(2_999_000);
        let mut scratch = Scratch::boxed();
        deployment.authority.verify(&client.access, &mut scratch).unwrap();
    });
}

/// Deadlines of the other two modes.
#[test]
fn a_jwt_session_ends_with_its_token_and_an_opaque_one_like_any_other() {
    on_every_store(|bed| {
        let deployment = short(bed);
        let request = SignInRequest { mode: Mode::Jwt, ..SignInRequest::new("user-1") };
        let jwt = deployment.authority.issue(&request).unwrap().grant;
        assert!(jwt.refresh_token.is_none() && jwt.receipt.is_none() && jwt.session_token.is_none());
        let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") };
        let opaque = deployment.authority.issue(&request).unwrap().grant;
        assert!(opaque.access_token.is_none() && opaque.refresh_token.is_none());
        let token = opaque.session_token.unwrap();
        assert_eq!(deployment.authority.sessions("user-1", None, 10).unwrap().len(), 2);
        deployment.set_millis(100_000);
        assert_eq!(deployment.authority.sessions("user-1", None, 10).unwrap().len(), 1);
        for at in [999_999, 1_999_998, 2_999_997] {
            deployment.set_millis(at);
            deployment.authority.authenticate(&token).unwrap();
        }
        deployment.set_millis(3_000_000);
        assert_eq!(deployment.authority.authenticate(&token).unwrap_err().reason(), "session_expired_absolute");
        let token = deployment.authority.issue(&request).unwrap().grant.session_token.unwrap();
        deployment.set_millis(4_000_000);
        assert_eq!(deployment.authority.authenticate(&token).unwrap_err().reason(), "session_expired_idle");
    });
}
