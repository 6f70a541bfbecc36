//! Scenario 33: the store fails at any one call, before it or after it took effect; nothing is half done
//! and doing the same again is right.

use safeconduct::Error;
use safeconduct::core::id::SessionId;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::token::Scratch;

use crate::bed::{Bed, Deployment, REVOKED, issuer, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause, window};
use crate::faulty::{Fault, Faulty};
use crate::flawed::{Flaw, Flawed};

/// Runs `operation` again and again, failing at its first call, its second, and so on, until it has no
/// further call; after each failure `again` says whether all is as it must be.
fn at_each_call(
    bed: &Bed,
    fault: Fault,
    prepare: impl Fn(&Deployment) -> Client,
    operation: impl Fn(&Deployment, &mut Client) -> Result<(), Error>,
    again: impl Fn(&Deployment, Client) -> Result<(), String>,
) -> Result<(), String> {
    for call in 0.. {
        let faulty = Faulty::over(bed.store.clone());
        let deployment = Deployment::over(faulty.store(), Settings::default());
        let mut client = prepare(&deployment);
        faulty.arm(call, fault);
        let result = operation(&deployment, &mut client);
        if faulty.disarm() {
            assert!(call > 0 && result.is_ok(), "the operation asked the store nothing: {result:?}");
            return Ok(());
        }
        match result {
            Err(Error::Store(_)) => again(&deployment, client).map_err(|what| format!("call {call}: {what}"))?,
            other => return Err(format!("call {call}: {other:?}")),
        }
        deployment.authority.erase_subject("user-1").map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn on_every_store_and_fault(scenario: impl Fn(&Bed, Fault)) {
    on_every_store(|bed| [Fault::Before, Fault::AnswerLost].into_iter().for_each(|fault| scenario(bed, fault)));
}

fn refresh_again(bed: &Bed, fault: Fault) -> Result<(), String> {
    for rule in RULES {
        let again = |deployment: &Deployment, mut client: Client| {
            let told = client.refresh(deployment);
            if !matches!(told, Outcome::Rotated | Outcome::Repeated) || client.generation() != 1 {
                return Err(format!("{rule:?}: {told:?}, generation {}", client.generation()));
            }
            past_pause(deployment);
            match client.refresh(deployment) {
                Outcome::Rotated => Ok(()),
                told => Err(format!("{rule:?}: then {told:?}")),
            }
        };
        let prepare = |deployment: &Deployment| Client::sign_in(deployment, rule);
        at_each_call(bed, fault, prepare, |deployment, client| client.send(deployment).map(|_| ()), again)?;
    }
    Ok(())
}

#[test]
fn a_refresh_that_failed_at_any_call_succeeds_when_it_is_sent_again() {
    on_every_store_and_fault(|bed, fault| refresh_again(bed, fault).unwrap());
}

#[test]
fn a_sign_in_that_failed_at_any_call_leaves_nothing_half_made() {
    on_every_store_and_fault(|bed, fault| {
        for subject in ["user-1", "new"] {
            let request = SignInRequest::new(subject);
            let issue = |deployment: &Deployment, _: &mut Client| deployment.authority.issue(&request).map(|_| ());
            let again = |deployment: &Deployment, mut client: Client| {
                let before = deployment.authority.sessions(subject, None, 100).unwrap().len();
                let granted = deployment.authority.issue(&request).map_err(|error| error.to_string())?;
                let after = deployment.authority.sessions(subject, None, 100).unwrap();
                let known = after.iter().any(|listed| listed.session == granted.grant.session);
                let untouched = client.refresh(deployment) == Outcome::Rotated;
                deployment.authority.erase_subject(subject).map_err(|error| error.to_string())?;
                if known && untouched && after.len() == before + 1 { Ok(()) } else { Err(format!("{before}")) }
            };
            at_each_call(bed, fault, |deployment| Client::sign_in(deployment, window(10)), issue, again).unwrap();
        }
    });
}

/// What ends a session, by the name of the operation.
type Ending = (&'static str, fn(&Deployment, &Client) -> Result<(), Error>);

const ENDINGS: [Ending; 4] = [
    ("revoke", |deployment, client| deployment.authority.revoke(&client.token).map(|_| ())),
    ("revoke_session", |deployment, client| deployment.authority.revoke_session(client.session).map(|_| ())),
    ("revoke_subject", |deployment, _| deployment.authority.revoke_subject("user-1", None)),
    ("erase_subject", |deployment, _| deployment.authority.erase_subject("user-1")),
];

fn ended(deployment: &Deployment, client: &Client) -> Result<(), String> {
    let told = outcome(&client.send(deployment));
    let access = deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_ok();
    if told == REVOKED && !access { Ok(()) } else { Err(format!("{told:?}, access token still good: {access}")) }
}

#[test]
fn an_ending_that_failed_at_any_call_ends_the_session_when_it_is_asked_for_again() {
    on_every_store_and_fault(|bed, fault| {
        for (name, end) in ENDINGS {
            let again = |deployment: &Deployment, client: Client| {
                end(deployment, &client).map_err(|error| error.to_string())?;
                ended(deployment, &client)
            };
            let prepare = |deployment: &Deployment| Client::sign_in(deployment, window(10));
            let operation = |deployment: &Deployment, client: &mut Client| end(deployment, client);
            if let Err(what) = at_each_call(bed, fault, prepare, operation, again) {
                panic!("{name}, {fault:?}: {what}");
            }
        }
    });
}

#[test]
fn an_amendment_that_failed_at_any_call_takes_effect_when_it_is_made_again() {
    on_every_store_and_fault(|bed, fault| {
        let amend = |deployment: &Deployment, session: SessionId| {
            deployment.authority.amend(session, Some("less"), Some(r#"{"role":"guest"}"#)).map(|_| ())
        };
        let again = |deployment: &Deployment, mut client: Client| {
            amend(deployment, client.session).map_err(|error| error.to_string())?;
            let stale = deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_err();
            if client.refresh(deployment) != Outcome::Rotated || !stale {
                return Err(format!("old access tokens stale: {stale}"));
            }
            let mut scratch = Scratch::boxed();
            let claims =
                deployment.authority.verify(&client.access, &mut scratch).map_err(|error| error.to_string())?;
            if claims.payload().contains("guest") { Ok(()) } else { Err("the claims are the old ones".into()) }
        };
        let prepare = |deployment: &Deployment| Client::sign_in(deployment, window(10));
        let operation = |deployment: &Deployment, client: &mut Client| amend(deployment, client.session);
        at_each_call(bed, fault, prepare, operation, again).unwrap();
    });
}

#[test]
fn an_opaque_token_whose_look_up_failed_at_any_call_is_good_the_next_time() {
    on_every_store_and_fault(|bed, fault| {
        let prepare = |deployment: &Deployment| {
            let mut client = Client::sign_in(deployment, window(10));
            let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") };
            let grant = deployment.authority.issue(&request).unwrap().grant;
            client.token = grant.session_token.unwrap().to_string();
            // Far enough that the idle deadline is written back.
            deployment.set_millis(120_000);
            client
        };
        let look_up = |deployment: &Deployment, client: &Client| deployment.authority.authenticate(&client.token);
        let operation = |deployment: &Deployment, client: &mut Client| look_up(deployment, client).map(|_| ());
        let again = |deployment: &Deployment, client: Client| {
            look_up(deployment, &client).map(|_| ()).map_err(|error| error.to_string())
        };
        at_each_call(bed, fault, prepare, operation, again).unwrap();
    });
}

#[test]
fn a_list_and_an_opening_that_failed_at_any_call_succeed_the_next_time() {
    on_every_store_and_fault(|bed, fault| {
        let list = |deployment: &Deployment| deployment.authority.sessions("user-1", None, 10);
        let prepare = |deployment: &Deployment| Client::sign_in(deployment, window(10));
        let operation = |deployment: &Deployment, _: &mut Client| list(deployment).map(|_| ());
        let again = |deployment: &Deployment, client: Client| match list(deployment) {
            Ok(listed) if listed.iter().any(|listed| listed.session == client.session) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        at_each_call(bed, fault, prepare, operation, again).unwrap();
        for call in 0..3 {
            let fresh = Faulty::over(Bed::memory().store);
            fresh.arm(call, fault);
            let opened = Deployment::try_over(fresh.store(), issuer(Settings::default()));
            assert_eq!(opened.err().map(|error| error.reason()), Some("store_unavailable"));
            Deployment::over(fresh.store(), Settings::default());
        }
    });
}

/// The check can fail: a store that keeps a commit whose answer it lost only in half.
#[test]
fn a_store_that_writes_only_the_first_half_of_a_commit_is_caught() {
    let wrong = Flawed::memory(Flaw::WritesHalf);
    let again = |deployment: &Deployment, client: Client| ended(deployment, &client);
    let prepare = |deployment: &Deployment| Client::sign_in(deployment, window(10));
    let operation = |deployment: &Deployment, client: &mut Client| client.send(deployment).map(|_| ());
    assert!(at_each_call(&wrong, Fault::AnswerLost, prepare, operation, again).is_err());
}
