//! Random histories of one session against [`invariants`]: honest and other tokens of every generation,
//! right and wrong seals, time in both directions, a store that goes back. Each property is also run
//! against a machine that breaks it.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use safeconduct_core::secret::KeyId;
use safeconduct_core::session::event::{Amendment, Context, Event, Issue, Loaded, Presented, Rotate, Successor};
use safeconduct_core::session::invariants::{self, Broken, Property, Theft};
use safeconduct_core::session::outcome::{Outcome, SessionWrite, Step};
use safeconduct_core::session::policy::Policy;
use safeconduct_core::session::state::{Entitlement, Late, Mode, Reason, Replay, Session, Subject};
use safeconduct_core::session::subject::{self, SubjectEvent};
use safeconduct_core::session::transition;
use safeconduct_core::time::Timestamp;

use crate::sample::{START, context, rotate, secret, window};

/// One thing that happens, in terms that make sense at any moment.
#[derive(Clone, Debug)]
enum Act {
    /// The token this many generations below the newest is shown; a negative number is ahead of it.
    Rotate {
        back: i8,
        branch: u8,
        next: u8,
        sealed: bool,
        challenged: bool,
        scope: Option<&'static str>,
    },
    Authenticate {
        back: i8,
        sealed: bool,
    },
    Amend,
    Revoke {
        sealed: Option<bool>,
    },
    RevokeAll {
        keep: bool,
    },
    Pass {
        millis: i64,
    },
    Backup,
    Restore,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let scope = prop_oneof![Just(None), Just(Some("read")), Just(Some("admin"))];
    let rotate = (-2i8..5, 1u8..3, 1u8..3, prop::bool::weighted(0.9), any::<bool>(), scope).prop_map(
        |(back, branch, next, sealed, challenged, scope)| Act::Rotate { back, branch, next, sealed, challenged, scope },
    );
    let act = prop_oneof![
        12 => rotate,
        3 => (-1i8..3, prop::bool::weighted(0.9)).prop_map(|(back, sealed)| Act::Authenticate { back, sealed }),
        1 => Just(Act::Amend),
        1 => prop::option::of(any::<bool>()).prop_map(|sealed| Act::Revoke { sealed }),
        1 => any::<bool>().prop_map(|keep| Act::RevokeAll { keep }),
        4 => prop_oneof![0i64..20_000, 0i64..2_500_000_000, 0i64..20_000_000_000, -4_000_000i64..0].prop_map(|millis| Act::Pass { millis }),
        1 => Just(Act::Backup),
        1 => Just(Act::Restore),
    ];
    prop::collection::vec(act, 1..60)
}

fn replays() -> impl Strategy<Value = Replay> {
    prop_oneof![
        Just(Replay::Committed),
        Just(Replay::Bound),
        (0u64..60).prop_map(|width| window(width, Late::Challenge)),
        (0u64..60).prop_map(|width| window(width, Late::Revoke)),
    ]
}

type Machine = fn(&Loaded<'_>, Event<'_>, &Context<'_>) -> Step;

/// How often each outcome came up: a property that was never in danger shows nothing.
#[derive(Default)]
struct Seen(std::collections::BTreeMap<&'static str, u32>);

fn history(replay: Replay, mode: Mode, acts: &[Act], machine: Machine, seen: &mut Seen) -> Result<(), Broken> {
    let policy = Policy::default();
    let amendment = Amendment::new(Some("read"), None, &policy).unwrap();
    let mut now = START;
    let issue = Issue {
        key: KeyId(1),
        mode,
        replay,
        salt: [5; 16],
        subject: "user-1".into(),
        client_id: "web".into(),
        device: None,
        ip: None,
        thumbprint: (replay == Replay::Bound).then_some([8; 32]),
        entitlement: Entitlement { scope: "read write".into(), ..Entitlement::default() },
        first: secret(1, 0),
    };
    let nothing = Loaded { session: None, subject: None };
    let step = machine(&nothing, Event::Issue(issue), &context(&policy, Timestamp::from_millis(now)));
    let SessionWrite::Create(session) = step.session else { panic!("{step:?}") };
    let (mut session, mut subject): (Session, Subject) = (*session, step.subject.unwrap());
    let mut backup: Option<(Session, Subject)> = None;
    let mut tokens = Vec::new();
    for act in acts {
        let at = Timestamp::from_millis(now);
        let back_to = |back: i8| session.state.generation.saturating_add_signed(-i32::from(back));
        let event = match act {
            Act::Rotate { back, branch, next, sealed, challenged, scope } => {
                let generation = back_to(*back);
                let presented = Presented { generation, commitment: secret(*branch, generation), sealed: *sealed };
                let next = secret(*next, generation.saturating_add(1));
                let successor = if replay == Replay::Committed {
                    Successor::Offered(next)
                } else {
                    Successor::Derived(secret(1, generation.saturating_add(1)))
                };
                tokens.push(presented);
                Event::Rotate(Rotate { successor, challenged: *challenged, scope: *scope, ..rotate(replay, presented) })
            }
            Act::Authenticate { back, sealed } => {
                let generation = back_to(*back);
                Event::Authenticate(Presented { generation, commitment: secret(1, generation), sealed: *sealed })
            }
            Act::Amend => {
                let successor = secret(1, session.state.generation.saturating_add(1));
                Event::Amend { amendment: &amendment, successor }
            }
            Act::Revoke { sealed } => {
                let generation = session.state.generation;
                let shown = |sealed| Presented { generation, commitment: secret(1, generation), sealed };
                Event::Revoke { reason: Reason::SignedOut, presented: sealed.map(shown) }
            }
            Act::RevokeAll { keep } => {
                let event = SubjectEvent::RevokeAll { keep: keep.then_some(&session) };
                let step = subject::transition(Some(&subject), event, &context(&policy, at));
                if let Some(raised) = step.subject {
                    assert!(raised.epoch > subject.epoch);
                    subject = raised;
                }
                session.state = step.kept.unwrap_or(session.state);
                continue;
            }
            Act::Pass { millis } => {
                now = now.saturating_add_signed(*millis);
                continue;
            }
            Act::Backup => {
                backup = Some((session.clone(), subject));
                continue;
            }
            Act::Restore => {
                if let Some((old, of)) = backup.clone() {
                    (session, subject) = (old, of);
                }
                continue;
            }
        };
        let (loaded, context) = (Loaded { session: Some(&session), subject: Some(&subject) }, context(&policy, at));
        let step = machine(&loaded, event.clone(), &context);
        *seen.0.entry(step.outcome.reason()).or_default() += 1;
        invariants::step(&loaded, &event, &context, &step)?;
        match step.session {
            SessionWrite::Move(state) => session.state = state,
            SessionWrite::Amend(state, entitlement) => (session.state, session.entitlement) = (state, entitlement),
            SessionWrite::Keep | SessionWrite::Create(_) | SessionWrite::Delete => {}
        }
        subject = step.subject.unwrap_or(subject);
        invariants::at_most_one_is_live(&session, &tokens)?;
    }
    Ok(())
}

fn shipped(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
    transition(loaded, event, context)
}

#[test]
fn every_history_keeps_the_invariants() {
    let mut seen = Seen::default();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1_000));
    let seen_cell = std::cell::RefCell::new(&mut seen);
    let modes = prop_oneof![4 => Just(Mode::Hybrid), 1 => Just(Mode::Opaque)];
    runner
        .run(&(replays(), modes, acts()), |(replay, mode, acts)| {
            history(replay, mode, &acts, shipped, &mut seen_cell.borrow_mut())
                .map_err(|broken| TestCaseError::fail(broken.to_string()))
        })
        .unwrap();
    for outcome in [
        "rotated",
        "repeated",
        "paused",
        "superseded",
        "reuse_detected",
        "session_revoked",
        "session_expired_idle",
        "session_expired_absolute",
        "not_ours",
        "scope_exceeded",
        "amended",
        "authenticated",
        "revoked",
    ] {
        assert!(seen.0.contains_key(outcome), "no history came to {outcome}: the properties were not in danger");
    }
}

/// Wrong machines, each with the property that must find it.
const WRONG: &[(&str, Property, Machine)] = &[
    ("the generation falls", Property::P1, |loaded, event, context| {
        wrong_move(transition(loaded, event, context), |state| state.generation %= 2)
    }),
    ("a revoked session comes back", Property::P1, |loaded, event, context| {
        let step = transition(loaded, event, context);
        match loaded.session {
            Some(session) if session.state.revoked.is_some() => Step::moved(
                Outcome::Revoked,
                safeconduct_core::session::state::State { revoked: None, ..session.state },
            ),
            _ => step,
        }
    }),
    ("a repeat is answered before the phase is looked at", Property::P3, |loaded, event, context| {
        let step = transition(loaded, event.clone(), context);
        let is_refused = step.outcome == Outcome::Refused(safeconduct_core::session::outcome::Refusal::Revoked);
        if is_refused && matches!(event, Event::Rotate(_)) { Step::unchanged(Outcome::Repeated) } else { step }
    }),
    ("the seal is not looked at", Property::P7, |loaded, event, context| match event {
        Event::Rotate(mut rotate) => {
            rotate.presented.sealed = true;
            transition(loaded, Event::Rotate(rotate), context)
        }
        event => transition(loaded, event, context),
    }),
    ("the idle deadline passes the absolute one", Property::P8, |loaded, event, context| {
        wrong_move(transition(loaded, event, context), |state| state.idle_deadline = Timestamp::MAX)
    }),
    ("a repeat moves the idle deadline", Property::P8, |loaded, event, context| {
        let step = transition(loaded, event, context);
        match (step.outcome, loaded.session) {
            (Outcome::Repeated, Some(session)) => Step::moved(
                Outcome::Repeated,
                safeconduct_core::session::state::State {
                    idle_deadline: Timestamp::from_millis(session.state.idle_deadline.as_millis() - 1),
                    ..session.state
                },
            ),
            _ => step,
        }
    }),
    ("scope grows at a refresh", Property::P9, |loaded, event, context| match event {
        Event::Rotate(rotate) if rotate.scope == Some("admin") => {
            transition(loaded, Event::Rotate(Rotate { scope: None, ..rotate }), context)
        }
        event => transition(loaded, event, context),
    }),
    ("the epoch of a session falls", Property::P10, |loaded, event, context| {
        wrong_move(transition(loaded, event, context), |state| state.epoch = 0)
    }),
];

fn wrong_move(mut step: Step, change: impl Fn(&mut safeconduct_core::session::state::State)) -> Step {
    if let (Outcome::Rotated, SessionWrite::Move(state)) = (step.outcome, &mut step.session) {
        change(state);
    }
    step
}

#[test]
fn every_wrong_machine_is_found_by_the_property_that_is_named_for_it() {
    for (name, property, machine) in WRONG {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let strategy = (replays(), acts());
        let found = (0..3_000).any(|_| {
            let (replay, acts) = strategy.new_tree(&mut runner).unwrap().current();
            let ended = history(replay, Mode::Hybrid, &acts, *machine, &mut Seen::default());
            ended.is_err_and(|Broken(broken, _)| broken == *property)
        });
        assert!(found, "{name}: {property:?} did not find it");
    }
}

#[test]
fn the_properties_over_a_whole_life_can_fail() {
    let (a, b) = (secret(1, 1), secret(1, 2));
    let strict = window(0, Late::Challenge);
    assert!(invariants::no_stealth_sharing(Replay::Committed, Theft::Token, &[a], &[b]).is_ok());
    assert!(invariants::no_stealth_sharing(Replay::Committed, Theft::TokenAndNext, &[a], &[a]).is_ok());
    for (replay, theft, both) in [
        (Replay::Committed, Theft::Token, &[a][..]),
        (Replay::Committed, Theft::Message, &[a][..]),
        (Replay::Bound, Theft::TokenAndNext, &[a, b][..]),
        (strict, Theft::TokenAndNext, &[a][..]),
    ] {
        let broken = invariants::no_stealth_sharing(replay, theft, both, both).unwrap_err();
        assert_eq!(broken.0, Property::P4);
    }

    let handle = safeconduct_core::id::SubjectHandle::new(safeconduct_core::id::Partition(0), [1; 7]);
    let sid = safeconduct_core::id::SessionId::new(handle, [2; 8]);
    let mut ledger = invariants::Ledger::default();
    assert!(ledger.issued(sid, 1, 5).is_ok());
    assert_eq!(ledger.issued(sid, 0, 5).unwrap_err().0, Property::P1);
    assert!(ledger.raised(handle, 6).is_ok());
    assert_eq!(ledger.raised(handle, 6).unwrap_err().0, Property::P10);
    assert_eq!(ledger.issued(sid, 2, 5).unwrap_err().0, Property::P10);
    ledger.revoked(sid);
    assert_eq!(ledger.issued(sid, 3, 6).unwrap_err().0, Property::P3);

    let secret = [0x5a; 32];
    let encoded = safeconduct_core::encoding::base64url::encode(&[&[1], &secret[..]].concat());
    for bytes in [&secret[..], encoded.as_bytes(), "5a".repeat(32).as_bytes()] {
        assert_eq!(invariants::holds_no_secret(bytes, &[&secret]).unwrap_err().0, Property::P12);
    }
    assert!(invariants::holds_no_secret(&[0x5b; 64], &[&secret]).is_ok());
    assert_eq!(invariants::storage_is_constant(&[0; 4], &[0; 5]).unwrap_err().0, Property::P13);
    assert_eq!(invariants::leads_to_nobody(b"..alice..", &["alice"]).unwrap_err().0, Property::P14);
    assert_eq!(invariants::is_bound_to_its_bytes(b"abc", |_| true).unwrap_err().0, Property::P15);
}
