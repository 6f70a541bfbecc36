//! Sign-ins of one subject at once: one handle, and never more sessions than the policy allows.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::{SessionLimit, Settings};
use safeconduct::core::session::sign_in::SignInRequest;

use crate::bed::{Bed, REVOKED, on_every_store, outcome};
use crate::client::{Client, past_pause, window};
use crate::flawed::{Flaw, Flawed};

const MOST: u32 = 5;

fn settings(session_limit: SessionLimit) -> Settings {
    Settings { max_sessions: MOST, session_limit, ..Settings::default() }
}

/// Says how often the limit was exceeded while 64 threads signed one subject in. They are
/// fewer than a page of the list, which therefore shows one moment.
fn limit_holds(bed: &Bed, limit: SessionLimit) -> Result<(), String> {
    let deployment = bed.deployment_with(settings(limit));
    let (gate, over) = (Barrier::new(65), AtomicBool::new(false));
    let live = || deployment.authority.sessions("user-1", None, 1000).unwrap().len();
    let (issued, most) = std::thread::scope(|threads| {
        let sign_in = || {
            gate.wait();
            usize::from(deployment.authority.issue(&SignInRequest::new("user-1")).is_ok())
        };
        let signing_in: Vec<_> = (0..64).map(|_| threads.spawn(sign_in)).collect();
        let watching = threads.spawn(|| {
            let mut most = 0;
            gate.wait();
            while !over.load(Ordering::SeqCst) {
                most = most.max(live());
            }
            most
        });
        let issued: usize = signing_in.into_iter().map(|thread| thread.join().unwrap()).sum();
        over.store(true, Ordering::SeqCst);
        (issued, watching.join().unwrap())
    });
    let expected = if limit == SessionLimit::Refuse { MOST as usize } else { 64 };
    match (issued == expected, most.max(live()) <= MOST as usize, live()) {
        (true, true, 5) => Ok(()),
        _ => Err(format!("{issued} issued, at most {most} at once, {} at the end", live())),
    }
}

/// Both limits.
#[test]
fn the_limit_of_sessions_holds_while_sixty_four_threads_sign_in() {
    on_every_store(|bed| limit_holds(bed, SessionLimit::EndOldest).unwrap());
    on_every_store(|bed| limit_holds(bed, SessionLimit::Refuse).unwrap());
    assert!(limit_holds(&Flawed::memory(Flaw::LosesSubjects), SessionLimit::Refuse).is_err());
}

/// The same limits, one sign-in after the other.
#[test]
fn the_session_unused_longest_gives_way_or_the_sign_in_is_refused() {
    on_every_store(|bed| {
        let deployment = bed.deployment_with(settings(SessionLimit::EndOldest));
        let mut clients: Vec<Client> = (0..MOST).map(|_| Client::sign_in(&deployment, window(10))).collect();
        past_pause(&deployment);
        assert_eq!(clients[0].refresh(&deployment), Outcome::Rotated);
        past_pause(&deployment);
        Client::sign_in(&deployment, window(10));
        let ended = clients.iter_mut().filter(|client| outcome(&client.send(&deployment)) == REVOKED).count();
        assert_eq!(ended, 1);
        assert_ne!(outcome(&clients[0].send(&deployment)), REVOKED);
        deployment.authority.erase_subject("user-1").unwrap();

        let deployment = bed.deployment_with(settings(SessionLimit::Refuse));
        let first = Client::sign_in(&deployment, window(10));
        (1..MOST).for_each(|_| drop(Client::sign_in(&deployment, window(10))));
        let refused = deployment.authority.issue(&SignInRequest::new("user-1"));
        assert_eq!(outcome(&refused), Outcome::Refused(Refusal::TooManySessions));
        deployment.authority.revoke(&first.token).unwrap();
        assert!(deployment.authority.issue(&SignInRequest::new("user-1")).is_ok());
    });
}

/// Says how many handles a new subject has after 64 sign-ins at once.
fn one_handle(bed: &Bed) -> Result<(), String> {
    let deployment = bed.deployment();
    let gate = Barrier::new(64);
    let handles: BTreeSet<_> = std::thread::scope(|threads| {
        let sign_in = || {
            gate.wait();
            Client::sign_in(&deployment, window(10)).session.subject()
        };
        let signing_in: Vec<_> = (0..64).map(|_| threads.spawn(sign_in)).collect();
        signing_in.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let listed = deployment.authority.sessions("user-1", None, 1000).unwrap().len();
    deployment.authority.erase_subject("user-1").unwrap();
    if (handles.len(), listed) == (1, 64) {
        return Ok(());
    }
    Err(format!("{} handles, {listed} of 64 sessions can be found", handles.len()))
}

#[test]
fn sixty_four_first_sign_ins_of_one_subject_end_with_one_handle() {
    on_every_store(|bed| (0..3).for_each(|_| one_handle(bed).unwrap()));
    let wrong = Flawed::memory(Flaw::ComparesNothing);
    assert!((0..200).any(|_| one_handle(&wrong).is_err()));
}
