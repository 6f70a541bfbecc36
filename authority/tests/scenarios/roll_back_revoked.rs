//! What an authority acknowledged stays in force when its store goes back.

use std::collections::BTreeSet;

use safeconduct::core::revocation::entry::{Entry, Hit};
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::{SessionLimit, Settings};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Mode, Replay};
use safeconduct::core::token::Scratch;

use crate::bed::{Bed, Deployment, REVOKED, issuer, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause};
use crate::rewind::Rewinding;

const STORE_BEHIND: Outcome = Outcome::Refused(Refusal::StoreBehind);

/// How a session ends.
const ENDS: [fn(&Deployment, &Client); 6] = [
    |deployment, client| assert_eq!(deployment.authority.revoke(&client.token), Ok(Outcome::Revoked)),
    |deployment, client| assert_eq!(deployment.authority.revoke_session(client.session), Ok(Outcome::Revoked)),
    |deployment, _| deployment.authority.revoke_subject("user-1", None).unwrap(),
    |deployment, _| deployment.authority.erase_subject("user-1").unwrap(),
    // Displaced: the limit of this test is one session.
    |deployment, _| drop(Client::sign_in(deployment, RULES[0])),
    |deployment, _| {
        let kept = Client::sign_in(deployment, RULES[0]);
        deployment.authority.revoke_subject("user-1", Some(kept.session)).unwrap();
    },
];

/// Says what a session gives after its end was acknowledged and the store went back to before it.
fn ended_and_restored(bed: &Bed, rule: Replay, end: usize, forget: bool) -> Result<(), String> {
    let rewinding = Rewinding::like(bed);
    let limit = Settings { max_sessions: 1, session_limit: SessionLimit::EndOldest, ..Settings::default() };
    let settings = if end == 4 { limit } else { Settings::default() };
    let deployment = Deployment::over(rewinding.store(), settings.clone());
    let mut client = Client::sign_in(&deployment, rule);
    let backup = rewinding.back_up();
    ENDS[end](&deployment, &client);
    rewinding.restore(&backup);
    let deployment = if forget { Deployment::over(rewinding.store(), settings) } else { deployment };
    for _ in 0..2 {
        let told = client.refresh(&deployment);
        if told != REVOKED {
            return Err(format!("{rule:?}, end {end}: {told:?}"));
        }
        if deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_ok() {
            return Err(format!("{rule:?}, end {end}: the access token is good"));
        }
        past_pause(&deployment);
    }
    deployment.authority.erase_subject("user-1").map_err(|error| error.to_string())
}

/// P3 across a roll-back.
#[test]
fn an_end_that_was_acknowledged_stays_in_force_after_the_store_went_back_to_before_it() {
    on_every_store(|bed| {
        for rule in RULES {
            (0..ENDS.len()).for_each(|end| ended_and_restored(bed, rule, end, false).unwrap());
        }
    });
    // It is the view that holds it: a process that starts afterwards knows nothing, as documented.
    let bed = Bed::memory();
    assert!((0..ENDS.len()).all(|end| ended_and_restored(&bed, RULES[0], end, true).is_err()));
}

/// P3 across a roll-back, for theft.
#[test]
fn reuse_that_was_found_stays_found_after_the_store_went_back() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let mut client = Client::sign_in(&deployment, RULES[0]);
        let mut thief = client.token_thief();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        let backup = rewinding.back_up();
        assert_eq!(thief.refresh(&deployment), Outcome::ReuseDetected);
        rewinding.restore(&backup);
        assert_eq!(client.refresh(&deployment), REVOKED);
        assert_eq!(thief.refresh(&deployment), REVOKED);
    });
}

/// A process that only learned of the end from the record knows it after a roll-back too.
#[test]
fn an_end_that_was_acknowledged_a_second_time_stays_in_force_where_it_was() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let (first, second) = (
            Deployment::over(rewinding.store(), Settings::default()),
            Deployment::over(rewinding.store(), Settings::default()),
        );
        let client = Client::sign_in(&first, RULES[0]);
        let backup = rewinding.back_up();
        assert_eq!(first.authority.revoke_session(client.session), Ok(Outcome::Revoked));
        assert_eq!(second.authority.revoke_session(client.session), Ok(Outcome::Revoked));
        let judged = second.authority.verify(&client.access, &mut Scratch::boxed()).map(|_| ());
        assert!(judged.is_err(), "an acknowledged revocation is not in the view of who acknowledged it");
        rewinding.restore(&backup);
        assert_eq!(outcome(&client.send(&second)), REVOKED);
    });
}

/// Amended scope and claims do not come back.
#[test]
fn what_an_amendment_took_away_does_not_come_back_with_the_store() {
    on_every_store(|bed| {
        for rule in RULES {
            let rewinding = Rewinding::like(bed);
            let deployment = Deployment::over(rewinding.store(), Settings::default());
            let request = SignInRequest { scope: "read write", ..SignInRequest::new("user-1") };
            let mut client = Client::sign_in_as(&deployment, rule, request);
            let backup = rewinding.back_up();
            deployment.authority.amend(client.session, Some("read"), None).unwrap();
            rewinding.restore(&backup);
            assert_eq!(client.refresh(&deployment), STORE_BEHIND);
            assert!(deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_err());
            deployment.authority.amend(client.session, Some("read"), Some("{}")).unwrap();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            let mut scratch = Scratch::boxed();
            let claims = deployment.authority.verify(&client.access, &mut scratch).unwrap();
            assert!(claims.payload().contains("\"scope\":\"read\""));
        }
    });
}

/// The same for a session that is looked up on each request.
#[test]
fn what_an_amendment_took_from_an_opaque_session_does_not_come_back_with_the_store() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let request = SignInRequest { mode: Mode::Opaque, scope: "read write", ..SignInRequest::new("user-1") };
        let grant = deployment.authority.issue(&request).unwrap().grant;
        let old = grant.session_token.unwrap();
        let backup = rewinding.back_up();
        let amended = deployment.authority.amend(grant.session, Some("read"), None).unwrap();
        let new = amended.grant.session_token.unwrap();
        rewinding.restore(&backup);
        for token in [&old, &new] {
            let claims = deployment.authority.authenticate(token);
            assert!(!claims.is_ok_and(|claims| claims.contains("write")), "the scope came back");
        }
    });
}

/// An amendment of one half must not confirm the other half as the store went back to it.
#[test]
fn an_amendment_of_scope_alone_does_not_bring_back_the_claims_that_another_one_took_away() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let request = SignInRequest { claims: Some(r#"{"role":"admin"}"#), ..SignInRequest::new("user-1") };
        let mut client = Client::sign_in_as(&deployment, RULES[0], request);
        let backup = rewinding.back_up();
        deployment.authority.amend(client.session, None, Some(r#"{"role":"guest"}"#)).unwrap();
        rewinding.restore(&backup);
        // Whether this is refused or not, the role must not be what was taken away.
        let _ = deployment.authority.amend(client.session, Some("read"), None);
        client.refresh(&deployment);
        let mut scratch = Scratch::boxed();
        let claims = deployment.authority.verify(&client.access, &mut scratch);
        assert!(!claims.is_ok_and(|claims| claims.payload().contains("admin")), "the claims came back");
    });
}

/// P10: epochs never repeat, and P15: versions never repeat, over any number of roll-backs.
#[test]
fn neither_an_epoch_nor_a_version_is_ever_used_twice() {
    on_every_store(|bed| {
        let rewinding = Rewinding::like(bed);
        let deployment = Deployment::over(rewinding.store(), Settings::default());
        let mut client = Client::sign_in(&deployment, RULES[0]);
        for _ in 0..5 {
            let backup = rewinding.back_up();
            for _ in 0..3 {
                deployment.authority.revoke_subject("user-1", None).unwrap();
                assert!(matches!(client.refresh(&deployment), Outcome::Refused(_)));
                client = Client::sign_in(&deployment, RULES[0]);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            }
            rewinding.restore(&backup);
        }
        let written = rewinding.written.lock().unwrap();
        let versions: Vec<u64> = written
            .iter()
            .flat_map(|commit| &commit.put)
            .filter_map(|put| put.record.as_ref())
            .map(|record| record.version.0)
            .collect();
        assert!(versions.len() > 50);
        assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), versions.len());
        let entries = written.iter().flat_map(|commit| &commit.log);
        let ours = issuer(Settings::default());
        let epochs: Vec<u64> = entries
            .filter_map(|entry| match Entry::open(&entry.bytes, ours.keyring()).unwrap().hit {
                Hit::Subject(_, epoch) => Some(epoch),
                _ => None,
            })
            .collect();
        assert_eq!(epochs.len(), 15);
        assert!(epochs.is_sorted_by(|a, b| a < b), "{epochs:?}");
    });
}
