//! Clients and hosts that are wrong on purpose, each with the property that must find it.

use std::collections::BTreeSet;

use safeconduct::core::client::action::{Action, Outcome, Request, Step};
use safeconduct::core::client::event::{Context, Event, Fault, Reply};
use safeconduct::core::client::invariants::Property;
use safeconduct::core::client::record::{self, Content, Version};
use safeconduct::core::client::{Held, Phase, Rule, State, Why, transition};
use safeconduct::core::secret::Secret;
use safeconduct::core::session::state::Replay;

use crate::histories::search;
use crate::world::{Machine, World};

/// Who takes part: the user who signs out and in, the thief.
type With = (bool, bool);
const ALONE: With = (false, false);
const USER: With = (true, false);
const THIEF: With = (false, true);

const WRONG: &[(&str, With, &[Property], Machine)] = &[
    ("the next token is sent before it is stored", ALONE, &[Property::Durable], |state, event, context| {
        let mut step = transition(state, event, context);
        if step.state.phase() == Phase::Storing
            && let Some(held) = step.state.held()
        {
            step.actions.insert(0, Action::Send(refresh(held)));
        }
        step
    }),
    ("each try draws another secret", ALONE, &[Property::Durable], |state, event, context| {
        let mut step = transition(state, event, context);
        for action in &mut step.actions {
            if let Action::Send(Request::Refresh { token, next_commitment, .. }) = action {
                let drawn = Version::of(Some(format!("{:?}{}", context.now, **token).as_bytes()));
                let text = format!("{drawn:?}");
                let mut bytes = [0; 32];
                bytes.copy_from_slice(&text.as_bytes()[8..40]);
                *next_commitment = Some(Secret::new(bytes).commitment());
            }
        }
        step
    }),
    ("another secret is drawn and stored after each loss", ALONE, &[Property::Steady], |state, event, context| {
        let drawn = match (&event, state.held()) {
            (Event::Lost(_), Some(held)) => Some((record::write_held(held, state.owed()), context.now)),
            _ => None,
        };
        let mut step = transition(state, event, context);
        if let Some((bytes, now)) = drawn
            && let Ok(Content::Held(mut held)) = record::read(&bytes).map(|record| record.content)
        {
            let commitment = Secret::new([now.as_millis() as u8; 32]).commitment();
            held.rule = Rule::Committed { next: Secret::new(commitment.0) };
            let record = Some(record::write_held(&held, &[]));
            step.actions.push(Action::Persist { expected: Version::of(Some(&bytes)), record });
        }
        step
    }),
    ("the old record is dropped before the next is there", ALONE, &[Property::Keeps], |state, event, context| {
        let mut step = transition(state, event, context);
        if step.state.phase() == Phase::Refreshing {
            let expected = Version::of(None);
            step.actions.insert(0, Action::Persist { expected, record: None });
        }
        step
    }),
    ("locked storage is taken for signed out", ALONE, &[Property::Keeps], |state, event, context| {
        let nothing = |event| if matches!(event, Event::Unreadable(_)) { Event::Loaded(None) } else { event };
        transition(state, nothing(event), context)
    }),
    ("a 503 is taken for the end", ALONE, &[Property::Keeps], |state, event, context| {
        let event = match event {
            Event::Replied(attempt, reply) if matches!(*reply, Reply::Later(_)) => {
                Event::Replied(attempt, Box::new(Reply::Ended(Why::Revoked)))
            }
            event => event,
        };
        transition(state, event, context)
    }),
    ("no answer is taken for the end", ALONE, &[Property::Keeps], |state, event, context| {
        let event = match event {
            Event::Lost(attempt) => Event::Replied(attempt, Box::new(Reply::Ended(Why::Unknown))),
            event => event,
        };
        transition(state, event, context)
    }),
    ("what was lost is not tried again", ALONE, &[Property::P5], |state, event, context| {
        let is_retry = matches!(event, Event::Wake | Event::Reconnect) && state.phase() == Phase::Ambiguous;
        let lost = state.held().map(|held| Event::Unrevoked(held.attempt()));
        transition(state, lost.filter(|_| is_retry).unwrap_or(event), context)
    }),
    ("a conflict is taken for a write", ALONE, &[Property::P5, Property::Durable], |state, event, context| {
        let event = match event {
            Event::Conflict(version) => Event::Written(version),
            event => event,
        };
        transition(state, event, context)
    }),
    ("superseded is escalated without a look at storage", ALONE, &[Property::Proven], |state, event, context| {
        let shown = match &event {
            Event::Replied(attempt, reply) if matches!(**reply, Reply::Superseded(None)) => {
                state.held().filter(|held| held.attempt() == *attempt).map(revoke)
            }
            _ => None,
        };
        let mut step = transition(state, event, context);
        step.actions.extend(shown.map(Action::Send));
        step
    }),
    ("superseded is not escalated", THIEF, &[Property::P6], |state, event, context| {
        let mut step = transition(state, event, context);
        step.actions.retain(|action| !matches!(action, Action::Send(Request::Revoke { .. })));
        step
    }),
    ("a refused record is not compared", ALONE, &[Property::NewerOnly], blind),
    ("what was left is still delivered", USER, &[Property::Silent], |state, event, context| {
        let late = match (&event, state.phase()) {
            (Event::Replied(_, reply), Phase::Ending | Phase::SignedOut) => match &**reply {
                Reply::Granted(granted) => granted.access.as_ref().map(|access| access.token.clone()),
                _ => None,
            },
            _ => None,
        };
        let mut step = transition(state, event, context);
        step.actions.extend(late.map(Action::Deliver));
        step
    }),
    ("a sign-out is not told to the server", USER, &[Property::Proven], |state, event, context| {
        let mut step = transition(state, event, context);
        step.actions.retain(|action| !matches!(action, Action::Send(Request::Revoke { .. })));
        step
    }),
    ("an unknown outcome of a write is success", ALONE, &[Property::Durable], |state, event, context| {
        let event = match event {
            Event::Unwritten(version, _) => Event::Written(version),
            event => event,
        };
        transition(state, event, context)
    }),
    ("the end is written down when storage is locked", ALONE, &[Property::Keeps], |state, event, context| {
        let is_locked = matches!(event, Event::Unreadable(Fault::Locked));
        let mut step = transition(state, event, context);
        if is_locked {
            let record = record::write_ended(Why::Unknown, &[]);
            step.actions.push(Action::Persist { expected: Version::ABSENT, record });
        }
        step
    }),
];

/// Storage's newer record is overwritten: what is read is taken for what was expected.
fn blind(state: State, event: Event, context: &mut Context<'_>) -> Step {
    let event = match (event, state.held()) {
        (Event::Loaded(Some(bytes)), Some(held)) if state.phase() == Phase::Looking => {
            let Ok(Content::Held(found)) = record::read(&bytes).map(|record| record.content) else {
                return transition(state, Event::Loaded(Some(bytes)), context);
            };
            if found.attempt().generation > held.attempt().generation {
                let mine = record::write_held(held, &[]);
                let expected = Version::of(Some(&bytes));
                let mut step = transition(state, Event::Loaded(Some(bytes)), context);
                step.actions.push(Action::Persist { expected, record: Some(mine) });
                return step;
            }
            Event::Loaded(Some(bytes))
        }
        (event, _) => event,
    };
    transition(state, event, context)
}

fn refresh(held: &Held) -> Request {
    let next_commitment = match &held.rule {
        Rule::Committed { next } => Some(next.commitment()),
        Rule::Window | Rule::Bound { .. } => None,
    };
    Request::Refresh {
        attempt: held.attempt(),
        token: held.token.to_text(),
        next_commitment,
        challenge: None,
        nonce: None,
    }
}

fn revoke(held: &Held) -> Request {
    Request::Revoke { attempt: held.attempt(), token: held.token.to_text() }
}

#[test]
fn every_wrong_client_is_found() {
    let (mut missed, mut found) = (Vec::new(), BTreeSet::new());
    for (name, with, properties, machine) in WRONG {
        match search(*machine, Replay::Committed, *with, 3_000).1 {
            Some((broken, _)) if properties.contains(&broken.0) => drop(found.insert(broken.0)),
            other => missed.push(format!("{name}: {other:?}")),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    // All but LeavesAlone, which needs a record of a newer version.
    let every = [
        Property::Durable,
        Property::Steady,
        Property::NewerOnly,
        Property::Keeps,
        Property::Silent,
        Property::Proven,
        Property::P5,
        Property::P6,
    ];
    assert_eq!(found, BTreeSet::from(every));
}

/// A record of a newer version is taken for nothing, and a session signed in over it.
fn forgets_the_newer(state: State, event: Event, context: &mut Context<'_>) -> Step {
    let is_newer = |bytes: &[u8]| record::read(bytes).is_err_and(|fault| fault == Fault::Newer);
    match event {
        Event::Loaded(Some(bytes)) if is_newer(&bytes) => {
            let step = transition(state, Event::Loaded(None), context);
            Step { outcome: Outcome::SignedOut, ..step }
        }
        event => transition(state, event, context),
    }
}

#[test]
fn who_overwrites_the_record_of_a_newer_version_is_found() {
    for (machine, found) in [(transition as Machine, None), (forgets_the_newer, Some(Property::LeavesAlone))] {
        let mut world = World::with(machine, 1, Replay::Committed);
        world.storage.is_blind = found.is_some();
        world.store(Some(vec![record::FORMAT + 1, 7, 7, 7]));
        world.settle();
        world.sign_in(0);
        world.settle();
        assert_eq!(world.broken.map(|broken| broken.0), found);
    }
}
