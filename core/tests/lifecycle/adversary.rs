//! What an adversary, an unlucky clock or a broken store tries, one promise a test.

use safeconduct_core::session::event::{Context, Event, Loaded, ViewFacts};
use safeconduct_core::session::outcome::{Outcome, SessionWrite};
use safeconduct_core::session::policy::Policy;
use safeconduct_core::session::state::{Late, Mode, Replay, Session, State};
use safeconduct_core::session::transition;
use safeconduct_core::time::{Seconds, Timestamp};

use crate::sample::{START, SUBJECT, at, context, rotate, session, token, window};

#[test]
fn a_clock_that_was_behind_for_one_refresh_signs_nobody_out() {
    let (policy, before) = (Policy::default(), session(Mode::Hybrid, Replay::Committed, 5));
    let loaded = Loaded { session: Some(&before), subject: Some(&SUBJECT) };
    let behind = Timestamp::from_millis(START).minus(Seconds::days(40));
    let event = Event::Rotate(rotate(Replay::Committed, token(1, 5)));
    let step = transition(&loaded, event, &context(&policy, behind));
    let SessionWrite::Move(state) = step.session else { panic!() };
    assert!(state.idle_deadline >= before.state.idle_deadline, "a deadline moved back");

    let after = Session { state, ..before };
    let loaded = Loaded { session: Some(&after), subject: Some(&SUBJECT) };
    let event = Event::Rotate(rotate(Replay::Committed, token(1, 6)));
    assert_eq!(transition(&loaded, event, &context(&policy, at(1_000_000))).outcome, Outcome::Rotated);
}

#[test]
fn an_amendment_that_the_store_lost_is_not_served_to_an_opaque_session() {
    let policy = Policy::default();
    let before = session(Mode::Opaque, window(10, Late::Challenge), 5);
    let loaded = Loaded { session: Some(&before), subject: Some(&SUBJECT) };
    let view = ViewFacts { min_claims_version: 9, ..ViewFacts::default() };
    let context = Context { view, ..context(&policy, at(700_000)) };
    for generation in [5, 6] {
        let step = transition(&loaded, Event::Authenticate(token(1, generation)), &context);
        assert_ne!(step.outcome, Outcome::Authenticated, "the scope before the amendment is served");
    }
}

#[test]
fn a_session_at_the_end_of_its_epochs_can_still_be_revoked_with_all_others() {
    use safeconduct_core::session::subject::{self, SubjectEvent};
    let policy = Policy::default();
    let last = safeconduct_core::session::state::Subject { epoch: u64::MAX, ..SUBJECT };
    let step = subject::transition(Some(&last), SubjectEvent::RevokeAll { keep: None }, &context(&policy, at(700_000)));
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let after = Session { state: State { epoch: u64::MAX, ..before.state }, ..before };
    let raised = step.subject.unwrap();
    let loaded = Loaded { session: Some(&after), subject: Some(&raised) };
    let event = Event::Rotate(rotate(Replay::Committed, token(1, 5)));
    let outcome = transition(&loaded, event, &context(&policy, at(700_000))).outcome;
    assert!(step.outcome != Outcome::Revoked || !outcome.grants(), "acknowledged, and not in force");
}
