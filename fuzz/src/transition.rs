//! Single decisions: any record that can be stored, any event, any time, against what one step must
//! hold. The invariants live in [`step`] alone.

use arbitrary::{Arbitrary, Unstructured};
use safeconduct_core::secret::{Commitment, KeyId};
use safeconduct_core::session::event::{
    Amendment, Context, Event, Issue, Loaded, Presented, Proof, Rotate, Successor, ViewFacts,
};
use safeconduct_core::session::invariants;
use safeconduct_core::session::outcome::{Notice, Outcome, SessionWrite, Step};
use safeconduct_core::session::policy::{Policy, Settings, StoreBehind};
use safeconduct_core::session::state::{
    Entitlement, Late, Mode, Reason, Replay, Session, State, Subject, Terms, Window,
};
use safeconduct_core::time::{Seconds, Timestamp};

use crate::{Broken, Judged, hold};

/// What is under test.
pub type Machine = fn(&Loaded<'_>, Event<'_>, &Context<'_>) -> Step;

/// A case in small numbers, so that equal ones meet.
#[derive(Arbitrary, Debug)]
struct Case {
    session: Option<Record>,
    subject: Option<(u8, bool)>,
    now: u8,
    view: (bool, u8, u8, u8),
    adopts: bool,
    event: Asked,
}

#[derive(Arbitrary, Debug)]
struct Record {
    mode: u8,
    replay: u8,
    width: u8,
    thumbprint: Option<u8>,
    revoked: Option<u8>,
    epoch: u8,
    claims_version: u8,
    generation: u8,
    /// Counts from the last generation instead.
    is_last: bool,
    current: u8,
    previous: u8,
    rotated_at: u8,
    idle: u8,
    absolute: u8,
}

#[derive(Arbitrary, Debug)]
enum Asked {
    Issue {
        mode: u8,
        replay: u8,
        thumbprint: Option<u8>,
    },
    Rotate {
        token: Token,
        offered: bool,
        next: u8,
        stranger: bool,
        proof: Option<(u8, bool)>,
        scope: u8,
        challenged: bool,
    },
    Authenticate(Token),
    Amend {
        scope: bool,
        claims: bool,
    },
    Revoke {
        reason: u8,
        token: Option<Token>,
    },
    Erase,
}

#[derive(Arbitrary, Debug)]
struct Token {
    /// From the record's generation, see [`presented`].
    distance: u8,
    secret: u8,
    unsealed: bool,
}

/// The target.
pub fn run(data: &[u8], machine: Machine) -> Judged {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return Ok(()) };
    let at = |tens: u8| Timestamp::from_unix_seconds(u64::from(tens) * 10);
    let session = case.session.as_ref().map(|record| session(record, at));
    let subject = case.subject.map(|(epoch, erased)| Subject {
        epoch: epoch.saturating_sub(128).into(),
        erased,
        issued: 1,
        gc_at: Timestamp::default(),
    });
    let store_behind = if case.adopts { StoreBehind::Adopt } else { StoreBehind::Unavailable };
    let policy = Settings { store_behind, idle_ttl: Seconds::new(600), ..Settings::default() };
    let policy = Policy::new(policy).expect("a good policy");
    let (session_revoked, min_claims_version, min_epoch, min_global_epoch) = case.view;
    let view = ViewFacts {
        session_revoked: session_revoked && min_claims_version % 4 == 0,
        min_claims_version: min_claims_version.saturating_sub(128).into(),
        min_epoch: min_epoch.saturating_sub(128).into(),
        min_global_epoch: (min_global_epoch / 200).into(),
    };
    let context = Context { now: at(case.now), policy: &policy, view };
    let amendment;
    let generation = session.as_ref().map_or(0, |session| session.state.generation);
    let event = match &case.event {
        Asked::Issue { mode: m, replay: r, thumbprint } => Event::Issue(Issue {
            key: KeyId(1),
            mode: mode(*m),
            replay: replay(*r, 1),
            salt: [1; 16],
            subject: "s".into(),
            client_id: "c".into(),
            device: None,
            ip: None,
            thumbprint: thumbprint.map(|byte| [byte; 32]),
            entitlement: Entitlement::default(),
            first: Commitment([1; 32]),
        }),
        Asked::Rotate { token, offered, next, stranger, proof, scope, challenged } => Event::Rotate(Rotate {
            presented: presented(token, generation),
            successor: if *offered {
                Successor::Offered(commitment(*next))
            } else {
                Successor::Derived(commitment(*next))
            },
            client_id: Some(if *stranger { "other" } else { "c" }),
            proof: proof.map(|(key, carries_nonce)| Proof { thumbprint: [key % 2; 32], carries_nonce }),
            scope: [None, Some("read"), Some("write")][usize::from(scope % 3)],
            challenged: *challenged,
        }),
        Asked::Authenticate(token) => Event::Authenticate(presented(token, generation)),
        Asked::Amend { scope, claims } => {
            amendment = Amendment::new(scope.then_some("write"), claims.then_some("{}"), &policy).unwrap_or_default();
            Event::Amend { amendment: &amendment, successor: Commitment([9; 32]) }
        }
        Asked::Revoke { reason, token } => Event::Revoke {
            reason: Reason::ALL[usize::from(reason % 4)],
            presented: token.as_ref().map(|token| presented(token, generation)),
        },
        Asked::Erase => Event::Erase,
    };
    let loaded = Loaded { session: session.as_ref(), subject: subject.as_ref() };
    let decided = machine(&loaded, event.clone(), &context);
    step(session.as_ref(), subject.as_ref(), &event, &context, &decided)
        .map_err(|crate::Broken(why)| crate::Broken(format!("{why}\n{loaded:?}\n{event:?}\n{context:?}\n{decided:?}")))
}

fn mode(byte: u8) -> Mode {
    [Mode::Hybrid, Mode::Hybrid, Mode::Opaque, Mode::Jwt][usize::from(byte % 4)]
}

fn replay(byte: u8, width: u8) -> Replay {
    let width = Seconds::new(u64::from(width % 61));
    match byte % 4 {
        0 => Replay::Committed,
        1 => Replay::Bound,
        2 => Replay::Window(Window { width, late: Late::Challenge }),
        _ => Replay::Window(Window { width, late: Late::Revoke }),
    }
}

fn presented(token: &Token, generation: u32) -> Presented {
    let generation = match token.distance % 8 {
        0..=3 => generation,
        4 | 5 => generation.saturating_sub(1),
        6 => generation.saturating_sub(u32::from(token.distance / 8)),
        _ => generation.saturating_add(u32::from(token.distance / 8)),
    };
    Presented { generation, commitment: commitment(token.secret), sealed: !token.unsealed }
}

/// One of four, so that equal ones meet often.
fn commitment(byte: u8) -> Commitment {
    Commitment([byte % 4; 32])
}

fn session(record: &Record, at: impl Fn(u8) -> Timestamp) -> Session {
    let from = if record.is_last { u32::MAX } else { u32::from(record.generation) };
    Session {
        terms: Terms {
            key: KeyId(1),
            mode: mode(record.mode),
            replay: replay(record.replay, record.width),
            salt: [1; 16],
            subject: "s".into(),
            client_id: "c".into(),
            device: None,
            ip: None,
            thumbprint: record.thumbprint.map(|byte| [byte % 2; 32]),
            issued_at: Timestamp::default(),
            absolute_deadline: at(record.absolute),
            global_epoch: 1,
        },
        entitlement: Entitlement { scope: "read".into(), ..Entitlement::default() },
        state: State {
            revoked: record.revoked.and_then(|reason| Reason::ALL.get(usize::from(reason)).copied()),
            epoch: record.epoch.into(),
            claims_version: record.claims_version.into(),
            generation: from,
            current: commitment(record.current),
            previous: commitment(record.previous).half(),
            rotated_at: at(record.rotated_at),
            idle_deadline: at(record.idle).min(at(record.absolute)),
        },
    }
}

/// What one step must hold: the invariants that everybody runs, and what follows from them for a single step.
///
/// # Errors
/// [`Broken`](crate::Broken) names the invariant.
pub fn step(
    before: Option<&Session>,
    subject: Option<&Subject>,
    event: &Event<'_>,
    context: &Context<'_>,
    step: &Step,
) -> Judged {
    invariants::step(&Loaded { session: before, subject }, event, context, step).map_err(|b| Broken(b.to_string()))?;
    let serves = step.outcome.grants() || step.outcome == Outcome::Authenticated;
    let rule = |condition: bool, what: &str| hold(condition, || what.to_owned());
    if matches!(step.outcome, Outcome::Refused(_) | Outcome::Superseded { .. }) {
        rule(!step.writes(), "a refusal writes")?;
    }
    let presented = match event {
        Event::Rotate(rotate) => Some(rotate.presented),
        Event::Authenticate(presented) | Event::Revoke { presented: Some(presented), .. } => Some(*presented),
        _ => None,
    };
    if presented.is_some_and(|token| !token.sealed) {
        rule(matches!(step.outcome, Outcome::Refused(_)) || before.is_none(), "P7: an unsealed token does something")?;
    }
    let Some(session) = before else {
        let is_born = matches!(step.session, SessionWrite::Create(_));
        rule(is_born == (step.outcome == Outcome::Issued), "a session from nothing")?;
        rule(!is_born || subject.is_none_or(|subject| !subject.erased), "P14: issued under an erased handle")?;
        return rule(!serves || is_born, "P3: served without a record");
    };
    let (state, view) = (&session.state, &context.view);
    let is_revoked = state.revoked.is_some()
        || view.session_revoked
        || state.epoch < view.min_epoch
        || session.terms.global_epoch < view.min_global_epoch
        || subject.is_none_or(|subject| subject.erased || state.epoch < subject.epoch);
    let is_ahead = presented.is_some_and(|token| token.generation > state.generation);
    rule(!serves || !is_revoked, "P3: a revoked session is served")?;
    rule(!serves || context.now < session.terms.absolute_deadline, "P8: served past the absolute deadline")?;
    rule(!serves || is_ahead || context.now < state.idle_deadline, "P8: served past the idle deadline")?;
    rule(!matches!(step.session, SessionWrite::Create(_)), "a session twice")?;
    let raised = step.subject.as_ref().zip(subject);
    rule(raised.is_none_or(|(after, before)| after.epoch >= before.epoch), "P10: an epoch goes back")?;

    let after = match &step.session {
        SessionWrite::Move(after) | SessionWrite::Amend(after, _) => after,
        SessionWrite::Keep | SessionWrite::Create(_) | SessionWrite::Delete => {
            let may_delete = matches!(event, Event::Erase) || !matches!(step.session, SessionWrite::Delete);
            rule(may_delete, "a session is deleted")?;
            return rule(!matches!(step.outcome, Outcome::Rotated | Outcome::Amended), "nothing is written");
        }
    };
    rule(after.generation >= state.generation, "P1: the generation goes back")?;
    rule(state.revoked.is_none() || after.revoked == state.revoked, "P1: revoked is not absorbing")?;
    rule(after.claims_version >= state.claims_version && after.epoch >= state.epoch, "P10: a version goes back")?;
    rule(after.idle_deadline <= session.terms.absolute_deadline, "P8: the idle deadline passes the absolute one")?;
    let only_by_amend = matches!(event, Event::Amend { .. }) == matches!(step.session, SessionWrite::Amend(..));
    rule(only_by_amend, "P9: an entitlement changes without Amend")?;
    match step.outcome {
        Outcome::Repeated | Outcome::Paused => rule(false, "P8: a repeat writes"),
        Outcome::Rotated => rotated(session, event, after),
        Outcome::Authenticated => rule(after.revoked.is_none(), "revoked by being used"),
        Outcome::Revoked | Outcome::ReuseDetected => {
            let only_revoked = State { revoked: state.revoked, ..*after } == *state;
            rule(after.revoked.is_some() && only_revoked, "a revocation changes something else")?;
            rule(step.notice == Some(Notice::Revoked), "P11: verifiers are not told")
        }
        Outcome::Amended => {
            rule(after.claims_version > view.min_claims_version, "P11: an amended session is stale")?;
            rule(step.notice == Some(Notice::ClaimsBelow(after.claims_version)), "P11: verifiers are not told")
        }
        Outcome::Issued | Outcome::Erased | Outcome::Superseded { .. } | Outcome::Refused(_) => {
            rule(false, "such an outcome moves nothing")
        }
    }
}

fn rotated(session: &Session, event: &Event<'_>, after: &State) -> Judged {
    let rule = |condition: bool, what: &str| hold(condition, || what.to_owned());
    let Event::Rotate(rotate) = event else { return rule(false, "rotated by another event") };
    let (state, token) = (&session.state, rotate.presented);
    let is_current = token.generation == state.generation && token.commitment == state.current;
    rule(is_current || token.generation > state.generation, "P2: a token that is not current is rotated")?;
    let next = match rotate.successor {
        Successor::Offered(next) | Successor::Derived(next) => next,
    };
    let follows = Some(after.generation) == token.generation.checked_add(1)
        && after.current == next
        && after.previous == token.commitment.half();
    rule(follows, "P2: the successor is another")?;
    rule(after.revoked.is_none(), "revoked by a rotation")?;
    let key = session.terms.thumbprint;
    rule(key.is_none() || key == rotate.proof.map(|proof| proof.thumbprint), "P4: rotated for another key")?;
    let refusals = [rotate.client_id != Some("c"), rotate.scope == Some("write")];
    rule(!refusals.contains(&true), "P4, P9: rotated for another client or for more scope")
}
