//! Rules 4 to 8: what a token of generation k means to a session at generation g.
//!
//! Comes after the seal, the holder and the phase. A request that does not fit the session's replay
//! rule is refused and changes nothing.

use crate::secret::Commitment;
use crate::session::event::{Context, Presented, Rotate, Successor};
use crate::session::outcome::{Notice, Outcome, Refusal, Step};
use crate::session::policy::StoreBehind;
use crate::session::state::{Late, Reason, Replay, Session, State, Window};
use crate::time::{Seconds, Timestamp};

/// A refresh token is presented.
pub(super) fn rotate(session: &Session, event: &Rotate<'_>, context: &Context<'_>) -> Step {
    let (stored, replay) = (&session.state, session.terms.replay);
    let token = event.presented;
    let successor = match successor(replay, event) {
        Ok(successor) => successor,
        Err(refusal) => return Step::refused(refusal),
    };
    if event.scope.is_some_and(|asked| !is_within_scope(asked, &session.entitlement.scope)) {
        return Step::refused(Refusal::ScopeExceeded);
    }
    if lost_amendment(stored, context) {
        return Step { rolled_back: true, ..Step::refused(Refusal::StoreBehind) };
    }
    if token.generation > stored.generation {
        return adopt(stored, token, context, |adopted| advance(&adopted, token, successor, session, context));
    }
    if token.generation == stored.generation {
        if token.commitment != stored.current {
            return reuse(stored);
        }
        return if is_paused(replay, stored, context) {
            Step::unchanged(Outcome::Paused)
        } else {
            advance(stored, token, successor, session, context)
        };
    }
    let is_predecessor = token.generation.checked_add(1) == Some(stored.generation);
    let is_parent = is_predecessor && token.commitment.has_half(&stored.previous);
    match replay {
        Replay::Committed if is_parent && successor == stored.current => Step::unchanged(Outcome::Repeated),
        Replay::Bound if is_parent => Step::unchanged(Outcome::Repeated),
        Replay::Window(window) if is_parent && window.is_open(stored.rotated_at, context.now) => {
            Step::unchanged(Outcome::Repeated)
        }
        Replay::Committed | Replay::Bound if is_predecessor => reuse(stored),
        Replay::Committed | Replay::Bound => Step::unchanged(Outcome::Superseded { challenge: false }),
        Replay::Window(window) => late(window, event.challenged, stored),
    }
}

/// An opaque session token is presented: the current one is good, and so is its predecessor for a while.
pub(super) fn authenticate(session: &Session, token: Presented, context: &Context<'_>) -> Step {
    let (stored, replay) = (&session.state, session.terms.replay);
    if lost_amendment(stored, context) {
        return Step { rolled_back: true, ..Step::refused(Refusal::StoreBehind) };
    }
    if token.generation > stored.generation {
        return adopt(stored, token, context, |adopted| {
            Step::moved(Outcome::Authenticated, State { idle_deadline: idle_deadline(session, context), ..adopted })
        });
    }
    let is_current = token.generation == stored.generation && token.commitment == stored.current;
    let is_parent = token.generation.checked_add(1) == Some(stored.generation)
        && token.commitment.has_half(&stored.previous)
        && matches!(replay, Replay::Window(window) if window.is_open(stored.rotated_at, context.now));
    if !is_current && !is_parent {
        return Step::unchanged(Outcome::Superseded { challenge: false });
    }
    let idle_deadline = idle_deadline(session, context);
    if idle_deadline >= stored.idle_deadline.plus(context.policy.idle_grain()) {
        return Step::moved(Outcome::Authenticated, State { idle_deadline, ..*stored });
    }
    Step::unchanged(Outcome::Authenticated)
}

/// Whether the store lost an Amend: what it holds may be more than the session is still entitled to.
pub(super) const fn lost_amendment(stored: &State, context: &Context<'_>) -> bool {
    context.view.min_claims_version > stored.claims_version
}

/// The commitment of the next token, where the request fits the session's rule. A client that offers the
/// secret it presents would hand its next token to whoever saw the request.
fn successor(replay: Replay, event: &Rotate<'_>) -> Result<Commitment, Refusal> {
    match (replay, event.successor) {
        (Replay::Committed, Successor::Offered(next)) if next == event.presented.commitment => {
            Err(Refusal::CommitmentReused)
        }
        (Replay::Committed, Successor::Offered(next)) => Ok(next),
        (Replay::Committed, Successor::Derived(_)) => Err(Refusal::CommitmentRequired),
        (Replay::Bound | Replay::Window(_), Successor::Derived(next)) => Ok(next),
        (Replay::Bound | Replay::Window(_), Successor::Offered(_)) => Err(Refusal::CommitmentUnexpected),
    }
}

/// Rule 4.
fn advance(stored: &State, token: Presented, next: Commitment, session: &Session, context: &Context<'_>) -> Step {
    let Some(generation) = token.generation.checked_add(1) else {
        return Step::refused(Refusal::GenerationExhausted);
    };
    let state = State {
        generation,
        current: next,
        previous: token.commitment.half(),
        rotated_at: context.now,
        idle_deadline: idle_deadline(session, context),
        ..*stored
    };
    Step::moved(Outcome::Rotated, state)
}

/// Rule 8: the record is behind an authentic, sealed token, so the store went back.
fn adopt(stored: &State, token: Presented, context: &Context<'_>, go_on: impl Fn(State) -> Step) -> Step {
    let step = match context.policy.store_behind {
        StoreBehind::Unavailable => Step::refused(Refusal::StoreBehind),
        StoreBehind::Adopt => go_on(State { generation: token.generation, current: token.commitment, ..*stored }),
    };
    Step { rolled_back: true, ..step }
}

/// Rule 6.
fn reuse(stored: &State) -> Step {
    let state = State { revoked: Some(Reason::ReuseDetected), ..*stored };
    Step { notice: Some(Notice::Revoked), ..Step::moved(Outcome::ReuseDetected, state) }
}

/// Rule 7 under Window, and its late predecessor.
fn late(window: Window, challenged: bool, stored: &State) -> Step {
    match window.late {
        Late::Challenge if window.width > Seconds::ZERO && !challenged => {
            Step::unchanged(Outcome::Superseded { challenge: true })
        }
        Late::Challenge | Late::Revoke => reuse(stored),
    }
}

/// The current token shown within the window of its own rotation: tabs that refresh at every chance would
/// otherwise outrun each other.
fn is_paused(replay: Replay, stored: &State, context: &Context<'_>) -> bool {
    match replay {
        Replay::Window(window) => stored.generation > 0 && window.is_open(stored.rotated_at, context.now),
        Replay::Committed | Replay::Bound => false,
    }
}

/// The idle deadline never falls, so that a clock which is behind for one refresh signs nobody out.
fn idle_deadline(session: &Session, context: &Context<'_>) -> Timestamp {
    let slid = context.now.plus(context.policy.idle_ttl).max(session.state.idle_deadline);
    slid.min(session.terms.absolute_deadline)
}

/// Whether every scope token asked for was granted, and none is asked for over and over.
fn is_within_scope(asked: &str, granted: &str) -> bool {
    asked.len() <= granted.len() && asked.split(' ').all(|token| granted.split(' ').any(|other| other == token))
}
