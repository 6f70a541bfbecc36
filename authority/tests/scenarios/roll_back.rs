//! Stores that went back: tokens ahead of their records are adopted, reported, and never taken for theft.

use safeconduct::core::audit::Kind;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::{Settings, StoreBehind};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Mode, Replay};
use safeconduct::core::time::Seconds;

use crate::bed::{Bed, CHALLENGED, Deployment, REVOKED, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause};
use crate::rewind::{Backup, Rewinding};

const STORE_BEHIND: Outcome = Outcome::Refused(Refusal::StoreBehind);

/// Refreshes until the client holds generation `generation`.
fn advance(deployment: &Deployment, client: &mut Client, generation: u32) {
    while client.generation() < generation {
        past_pause(deployment);
        assert_eq!(client.refresh(deployment), Outcome::Rotated);
    }
}

/// A client at generation 5 over a store that went back to generation 3.
fn behind(bed: &Bed, rule: Replay, settings: Settings) -> (Deployment, Client, Client) {
    let rewinding = Rewinding::like(bed);
    let deployment = Deployment::over(rewinding.store(), settings);
    let mut client = Client::sign_in(&deployment, rule);
    advance(&deployment, &mut client, 3);
    let (backup, third) = (rewinding.back_up(), client.clone());
    advance(&deployment, &mut client, 5);
    rewinding.restore(&backup);
    past_pause(&deployment);
    (deployment, client, third)
}

/// Scenario 23.
#[test]
fn a_token_ahead_of_the_store_is_adopted_and_reported_and_is_no_theft() {
    on_every_store(|bed| {
        for rule in RULES {
            let (deployment, mut client, _) = behind(bed, rule, Settings::default());
            let before = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(client.generation(), 6);
            assert_eq!(deployment.noted(Kind::StoreRolledBack), 1);
            assert_eq!(deployment.decided(Outcome::ReuseDetected), 0);
            // A repeat of the adoption is a repeat like any other.
            assert_eq!(outcome(&before.send(&deployment)), Outcome::Repeated);
            advance(&deployment, &mut client, 8);
            assert_eq!(deployment.noted(Kind::StoreRolledBack), 1);
        }
    });
}

/// Scenario 23, the other policy.
#[test]
fn a_token_ahead_of_the_store_may_be_answered_with_try_again_and_is_good_once_the_store_is_back() {
    on_every_store(|bed| {
        for rule in RULES {
            let settings = Settings { store_behind: StoreBehind::Unavailable, ..Settings::default() };
            let rewinding = Rewinding::like(bed);
            let deployment = Deployment::over(rewinding.store(), settings);
            let mut client = Client::sign_in(&deployment, rule);
            let old = rewinding.back_up();
            advance(&deployment, &mut client, 2);
            let new = rewinding.back_up();
            past_pause(&deployment);
            rewinding.restore(&old);
            let written = rewinding.written.lock().unwrap().len();
            for _ in 0..3 {
                assert_eq!(outcome(&client.send(&deployment)), STORE_BEHIND);
            }
            assert_eq!(rewinding.written.lock().unwrap().len(), written);
            assert_eq!(deployment.noted(Kind::StoreRolledBack), 3);
            rewinding.restore(&new);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}

/// Scenario 24.
#[test]
fn a_restored_backup_signs_nobody_out_and_raises_no_theft_alarm() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let mut clients: Vec<Client> = (0..12)
            .map(|i| {
                let subject = format!("user-{i}");
                Client::sign_in_as(&deployment, RULES[i % 3], SignInRequest::new(&subject))
            })
            .collect();
        let backup = rewinding.back_up();
        for (i, client) in clients.iter_mut().enumerate() {
            advance(&deployment, client, u32::try_from(i % 4).unwrap());
        }
        rewinding.restore(&backup);
        past_pause(&deployment);
        for client in &mut clients {
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
        assert_eq!(deployment.noted(Kind::StoreRolledBack), 9);
        assert_eq!(deployment.decided(Outcome::ReuseDetected), 0);
        for client in &mut clients {
            past_pause(&deployment);
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
        assert_eq!(deployment.noted(Kind::StoreRolledBack), 9);
    });
}

/// A token ahead of the record is ahead of the record's idle deadline too.
#[test]
fn a_session_that_looks_idle_only_because_the_store_went_back_goes_on() {
    on_every_store(|bed| {
        for rule in RULES {
            let rewinding = Rewinding::like(bed);
            let deployment = Deployment::over(rewinding.store(), Settings::default());
            let mut client = Client::sign_in(&deployment, rule);
            let backup = rewinding.back_up();
            let stale = client.clone();
            deployment.wait(Seconds::days(29));
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            rewinding.restore(&backup);
            deployment.wait(Seconds::days(29));
            assert_eq!(outcome(&stale.send(&deployment)), Outcome::Refused(Refusal::ExpiredIdle));
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}

/// Scenario 24: the thief used a stolen token of generation 3 before the client came back with 5.
#[test]
fn a_thief_who_rotated_first_after_a_roll_back_is_found_or_shut_out_at_the_clients_next_use() {
    on_every_store(|bed| {
        for rule in [RULES[0], RULES[2]] {
            for thefts in 1..=3_u32 {
                let (deployment, mut client, third) = behind(bed, rule, Settings::default());
                let mut thief = third.token_thief();
                for _ in 0..thefts {
                    past_pause(&deployment);
                    assert_eq!(thief.refresh(&deployment), Outcome::Rotated);
                }
                past_pause(&deployment);
                let mut answer = client.refresh(&deployment);
                if answer == CHALLENGED {
                    answer = client.refresh(&deployment);
                }
                match thefts {
                    // The thief holds 4, the client 5: the client is adopted and the thief has nothing.
                    1 => {
                        assert_eq!(answer, Outcome::Rotated);
                        assert!(matches!(thief.refresh(&deployment), Outcome::Superseded { .. }));
                    }
                    // Both hold 5, or the thief holds 6. Under a window the successors of one generation
                    // are one token, so the thief at 5 holds what the client holds.
                    2 if rule == RULES[2] => assert_eq!(answer, Outcome::Rotated),
                    3 if rule == RULES[2] => assert_eq!(answer, Outcome::ReuseDetected),
                    _ => assert_eq!(answer, Outcome::ReuseDetected, "{rule:?} {thefts}"),
                }
                if answer == Outcome::ReuseDetected {
                    assert_eq!(thief.refresh(&deployment), REVOKED);
                }
            }
        }
    });
}

/// An opaque token has no client that could tell: it is adopted the same way.
#[test]
fn an_opaque_token_ahead_of_the_store_is_good_and_reported() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let request = SignInRequest { mode: Mode::Opaque, scope: "read", ..SignInRequest::new("user-1") };
        let grant = deployment.authority.issue(&request).unwrap().grant;
        let backup = rewinding.back_up();
        // Another process amends it, so that the view of this one knows nothing of it.
        let other = Deployment::over(rewinding.store(), Settings::default());
        let amended = other.authority.amend(grant.session, Some("read write"), None).unwrap();
        let token = amended.grant.session_token.unwrap();
        rewinding.restore(&backup);
        assert!(deployment.authority.authenticate(&token).is_ok());
        assert_eq!(deployment.noted(Kind::StoreRolledBack), 1);
    });
}

/// Going back to before the sign-in cannot be told from a session that never was.
#[test]
fn a_store_that_went_back_to_before_the_sign_in_knows_no_session() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let backup: Backup = rewinding.back_up();
        let mut client = Client::sign_in(&deployment, RULES[0]);
        rewinding.restore(&backup);
        assert_eq!(client.refresh(&deployment), Outcome::Refused(Refusal::Unknown));
        let mut client = Client::sign_in(&deployment, RULES[0]);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    });
}
