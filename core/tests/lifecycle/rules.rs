//! The rules of rotation one by one, at their edges.

use safeconduct_core::session::event::{Event, Loaded, Proof, Rotate, Successor, ViewFacts};
use safeconduct_core::session::outcome::{Outcome, Refusal, SessionWrite, Step};
use safeconduct_core::session::policy::{Policy, PolicyError, Settings, StoreBehind};
use safeconduct_core::session::state::{Late, Mode, Replay, Session, State, Subject};
use safeconduct_core::session::transition;
use safeconduct_core::time::{Seconds, Timestamp};

use crate::sample::{SUBJECT, at, context, rotate, secret, session, token, window};

fn decide(session: &Session, event: Rotate<'_>, now: Timestamp) -> Step {
    let loaded = Loaded { session: Some(session), subject: Some(&SUBJECT) };
    transition(&loaded, Event::Rotate(event), &context(&Policy::default(), now))
}

const LATER: u64 = 700_000;

#[test]
fn a_wrong_seal_and_a_wrong_holder_change_nothing_even_where_the_token_is_old() {
    for generation in [3, 4, 5, 9] {
        let bound = session(Mode::Hybrid, Replay::Bound, 5);
        let honest = rotate(Replay::Bound, token(1, generation));
        let unsealed = Rotate {
            presented: safeconduct_core::session::event::Presented { sealed: false, ..honest.presented },
            ..honest
        };
        assert_eq!(decide(&bound, unsealed, at(LATER)), Step::refused(Refusal::NotOurs));
        let other_client = Rotate { client_id: Some("app"), ..honest };
        assert_eq!(decide(&bound, other_client, at(LATER)), Step::refused(Refusal::WrongHolder));
        let other_key = Rotate { proof: Some(Proof { thumbprint: [9; 32], carries_nonce: true }), ..honest };
        assert_eq!(decide(&bound, other_key, at(LATER)), Step::refused(Refusal::WrongHolder));
        let no_proof = Rotate { proof: None, ..honest };
        assert_eq!(decide(&bound, no_proof, at(LATER)), Step::refused(Refusal::ProofRequired));
        let old_proof = Rotate { proof: Some(Proof { thumbprint: [8; 32], carries_nonce: false }), ..honest };
        assert_eq!(decide(&bound, old_proof, at(LATER)), Step::refused(Refusal::NonceRequired));
    }
}

#[test]
fn a_key_binds_a_session_under_any_rule() {
    let mut keyed = session(Mode::Hybrid, Replay::Committed, 5);
    keyed.terms.thumbprint = Some([8; 32]);
    let honest = rotate(Replay::Committed, token(1, 5));
    assert_eq!(decide(&keyed, honest, at(LATER)), Step::refused(Refusal::ProofRequired));
    let proof = Some(Proof { thumbprint: [8; 32], carries_nonce: false });
    assert_eq!(decide(&keyed, Rotate { proof, ..honest }, at(LATER)).outcome, Outcome::Rotated);
}

#[test]
fn a_request_that_does_not_fit_the_replay_rule_is_refused() {
    let committed = session(Mode::Hybrid, Replay::Committed, 5);
    let honest = rotate(Replay::Committed, token(1, 5));
    let derived = Rotate { successor: Successor::Derived(secret(1, 6)), ..honest };
    assert_eq!(decide(&committed, derived, at(LATER)), Step::refused(Refusal::CommitmentRequired));
    let reused = Rotate { successor: Successor::Offered(secret(1, 5)), ..honest };
    assert_eq!(decide(&committed, reused, at(LATER)), Step::refused(Refusal::CommitmentReused));
    let browser = session(Mode::Hybrid, window(10, Late::Challenge), 5);
    assert_eq!(decide(&browser, honest, at(LATER)), Step::refused(Refusal::CommitmentUnexpected));
}

#[test]
fn rotation_shifts_the_commitments_and_slides_the_idle_deadline_only() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let step = decide(&before, rotate(Replay::Committed, token(1, 5)), at(LATER));
    let expected = State {
        generation: 6,
        current: secret(1, 6),
        previous: secret(1, 5).half(),
        rotated_at: at(LATER),
        idle_deadline: at(LATER).plus(Seconds::days(30)),
        ..before.state
    };
    assert_eq!(step, Step::moved(Outcome::Rotated, expected));
}

#[test]
fn the_idle_deadline_never_passes_the_absolute_one() {
    let mut before = session(Mode::Hybrid, Replay::Committed, 5);
    let now = at(0).plus(Seconds::days(170));
    before.state.idle_deadline = now.plus(Seconds::new(1));
    let step = decide(&before, rotate(Replay::Committed, token(1, 5)), now);
    let SessionWrite::Move(state) = step.session else { panic!("{step:?}") };
    assert_eq!(state.idle_deadline, before.terms.absolute_deadline);
}

#[test]
fn a_repeat_needs_the_same_next_commitment_and_the_previous_one() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let repeat = rotate(Replay::Committed, token(1, 4));
    assert_eq!(decide(&before, repeat, at(LATER)), Step::unchanged(Outcome::Repeated));
    let other_next = Rotate { successor: Successor::Offered(secret(9, 5)), ..repeat };
    assert_eq!(decide(&before, other_next, at(LATER)).outcome, Outcome::ReuseDetected);
    // A token of another branch, after a store went back: same next commitment, another parent.
    let other_branch = Rotate { presented: token(9, 4), ..repeat };
    assert_eq!(decide(&before, other_branch, at(LATER)).outcome, Outcome::ReuseDetected);
    let other_current = Rotate { presented: token(9, 5), ..rotate(Replay::Committed, token(1, 5)) };
    assert_eq!(decide(&before, other_current, at(LATER)).outcome, Outcome::ReuseDetected);
}

#[test]
fn the_window_is_open_until_the_millisecond_before_its_width() {
    let replay = window(10, Late::Challenge);
    let before = session(Mode::Hybrid, replay, 5);
    let at_age = |millis: u64| decide(&before, rotate(replay, token(1, 4)), at(600_000 + millis)).outcome;
    assert_eq!(at_age(0), Outcome::Repeated);
    assert_eq!(at_age(9_999), Outcome::Repeated);
    assert_eq!(at_age(10_000), Outcome::Superseded { challenge: true });
    // A clock that is behind by less than the width is another node's; by more it is wrong.
    let behind = |millis: u64| decide(&before, rotate(replay, token(1, 4)), at(600_000 - millis)).outcome;
    assert_eq!(behind(9_999), Outcome::Repeated);
    assert_eq!(behind(10_000), Outcome::Superseded { challenge: true });
}

#[test]
fn a_strict_window_is_never_open() {
    let replay = window(0, Late::Challenge);
    let before = session(Mode::Hybrid, replay, 5);
    let step = decide(&before, rotate(replay, token(1, 4)), at(600_000));
    assert_eq!(step.outcome, Outcome::ReuseDetected);
    assert_eq!(decide(&before, rotate(replay, token(1, 5)), at(600_000)).outcome, Outcome::Rotated);
}

#[test]
fn the_current_token_is_not_replaced_within_the_window_of_its_own_rotation() {
    let replay = window(10, Late::Challenge);
    let before = session(Mode::Hybrid, replay, 5);
    let at_age = |millis: u64| decide(&before, rotate(replay, token(1, 5)), at(600_000 + millis)).outcome;
    assert_eq!(at_age(9_999), Outcome::Paused);
    assert_eq!(at_age(10_000), Outcome::Rotated);
    let first = session(Mode::Hybrid, replay, 0);
    assert_eq!(decide(&first, rotate(replay, token(1, 0)), at(600_000)).outcome, Outcome::Rotated);
}

#[test]
fn an_old_token_with_a_challenge_revokes_and_a_current_one_does_not() {
    let replay = window(10, Late::Challenge);
    let before = session(Mode::Hybrid, replay, 5);
    for generation in [3, 4] {
        let challenged = Rotate { challenged: true, ..rotate(replay, token(1, generation)) };
        assert_eq!(decide(&before, challenged, at(LATER)).outcome, Outcome::ReuseDetected);
    }
    let current = Rotate { challenged: true, ..rotate(replay, token(1, 5)) };
    assert_eq!(decide(&before, current, at(LATER)).outcome, Outcome::Rotated);
}

#[test]
fn a_token_ahead_of_the_record_is_adopted_past_the_idle_deadline_but_not_past_the_end() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let ahead = rotate(Replay::Committed, token(1, 8));
    let idle = before.state.idle_deadline;
    let step = decide(&before, ahead, idle);
    let SessionWrite::Move(state) = step.session else { panic!("{step:?}") };
    assert!(step.rolled_back);
    assert_eq!((step.outcome, state.generation, state.current), (Outcome::Rotated, 9, secret(1, 9)));
    assert_eq!(state.previous, secret(1, 8).half());
    let current = rotate(Replay::Committed, token(1, 5));
    assert_eq!(decide(&before, current, idle), Step::refused(Refusal::ExpiredIdle));
    let end = before.terms.absolute_deadline;
    assert_eq!(decide(&before, ahead, end), Step::refused(Refusal::ExpiredAbsolute));
}

#[test]
fn a_policy_may_answer_unavailable_where_the_store_is_behind() {
    let policy = Policy::new(Settings { store_behind: StoreBehind::Unavailable, ..Settings::default() }).unwrap();
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let loaded = Loaded { session: Some(&before), subject: Some(&SUBJECT) };
    let event = Event::Rotate(rotate(Replay::Committed, token(1, 8)));
    let step = transition(&loaded, event, &context(&policy, at(LATER)));
    assert_eq!(step, Step { rolled_back: true, ..Step::refused(Refusal::StoreBehind) });
}

#[test]
fn the_last_generation_is_refused_and_nothing_overflows() {
    let before = session(Mode::Hybrid, Replay::Committed, u32::MAX);
    let presented = token(1, u32::MAX);
    let event =
        Rotate { presented, successor: Successor::Offered(secret(1, 0)), ..rotate(Replay::Committed, token(1, 0)) };
    assert_eq!(decide(&before, event, at(LATER)), Step::refused(Refusal::GenerationExhausted));
    let behind = session(Mode::Hybrid, Replay::Committed, 5);
    let step = decide(&behind, event, at(LATER));
    assert_eq!(step, Step { rolled_back: true, ..Step::refused(Refusal::GenerationExhausted) });
}

#[test]
fn what_the_view_remembers_stands_where_the_store_went_back() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let loaded = Loaded { session: Some(&before), subject: Some(&SUBJECT) };
    let policy = Policy::default();
    let with = |view: ViewFacts| {
        let event = Event::Rotate(rotate(Replay::Committed, token(1, 5)));
        transition(&loaded, event, &safeconduct_core::session::event::Context { view, ..context(&policy, at(LATER)) })
    };
    let none = ViewFacts::default();
    assert_eq!(with(none).outcome, Outcome::Rotated);
    let revoked = Step::refused(Refusal::Revoked);
    assert_eq!(with(ViewFacts { session_revoked: true, ..none }), revoked);
    assert_eq!(with(ViewFacts { min_epoch: 8, ..none }), revoked);
    assert_eq!(with(ViewFacts { min_global_epoch: 1, ..none }), revoked);
    let lost_amend = Step { rolled_back: true, ..Step::refused(Refusal::StoreBehind) };
    assert_eq!(with(ViewFacts { min_claims_version: 1, ..none }), lost_amend);
}

#[test]
fn a_session_above_the_subjects_epoch_raises_it() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let behind = Subject { epoch: 6, ..SUBJECT };
    let decide = |subject| {
        let loaded = Loaded { session: Some(&before), subject };
        let event = Event::Rotate(rotate(Replay::Committed, token(1, 5)));
        transition(&loaded, event, &context(&Policy::default(), at(LATER)))
    };
    assert_eq!(decide(Some(&behind)).subject.unwrap().epoch, 7);
    // Without its subject something was deleted outside: perhaps the epoch that revoked it.
    assert_eq!(decide(None), Step::refused(Refusal::Revoked));
}

#[test]
fn scope_may_shrink_and_never_grows() {
    let before = session(Mode::Hybrid, Replay::Committed, 5);
    let honest = rotate(Replay::Committed, token(1, 5));
    for (scope, outcome) in [
        ("read", Outcome::Rotated),
        ("write read", Outcome::Rotated),
        ("admin", Outcome::Refused(Refusal::ScopeExceeded)),
        ("read  write", Outcome::Refused(Refusal::ScopeExceeded)),
        ("", Outcome::Refused(Refusal::ScopeExceeded)),
    ] {
        assert_eq!(decide(&before, Rotate { scope: Some(scope), ..honest }, at(LATER)).outcome, outcome, "{scope:?}");
    }
}

#[test]
fn a_policy_that_would_be_unsafe_is_refused_with_its_reason() {
    let base = Settings::default;
    let cases = [
        (Settings { access_ttl: Seconds::ZERO, ..base() }, PolicyError::AccessTtl),
        (Settings { access_ttl: Seconds::new(3601), ..base() }, PolicyError::AccessTtl),
        (Settings { idle_ttl: Seconds::new(599), ..base() }, PolicyError::IdleBelowAccess),
        (Settings { absolute_ttl: Seconds::days(29), ..base() }, PolicyError::AbsoluteBelowIdle),
        (Settings { absolute_ttl: Seconds::days(401), ..base() }, PolicyError::AbsoluteTtl),
        (Settings { max_sessions: 0, ..base() }, PolicyError::MaxSessions),
        (Settings { max_claims: 4097, ..base() }, PolicyError::MaxClaims),
        (Settings { partitions: 0, ..base() }, PolicyError::Partitions),
        (Settings { replay: window(61, Late::Challenge), ..base() }, PolicyError::Window),
        (
            Settings { access_ttl: Seconds::new(10), replay: window(10, Late::Challenge), ..base() },
            PolicyError::WindowBeyondAccess,
        ),
    ];
    for (settings, error) in cases {
        assert_eq!(Policy::new(settings), Err(error));
    }
}
