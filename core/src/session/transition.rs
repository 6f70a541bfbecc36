//! The whole machine on one page: every phase against every event.
//!
//! The phase is computed from the records, the time and the issuer's own view; expiry is never written.
//! The order of [`phase`] is the order of rule 3: unknown, revoked, below the epoch, named by the view,
//! past the absolute deadline, past the idle deadline; and all of it comes before any replay rule.

use alloc::boxed::Box;

use crate::secret::Commitment;
use crate::session::event::{Amendment, Context, Event, Issue, Loaded};
use crate::session::outcome::{Notice, Outcome, Refusal as R, SessionWrite, Step};
use crate::session::rotation::{authenticate, lost_amendment, rotate};
use crate::session::state::{Entitlement, Mode, Reason, Replay, Session, State, Subject, Terms};
use crate::time::{Seconds, Timestamp};

/// How long after its absolute deadline a record is kept: a clock may be wrong by that much.
pub const GC_GRACE: Seconds = Seconds::days(1);

/// What a session is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No record.
    Absent,
    /// No record, and the subject was erased.
    Erased,
    /// It is good.
    Active,
    /// It was not used in time.
    Idle,
    /// It has reached its end.
    Expired,
    /// It was revoked: by its record, by the subject's epoch or by the issuer's own view.
    Revoked,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 6] = [Self::Absent, Self::Erased, Self::Active, Self::Idle, Self::Expired, Self::Revoked];
}

/// The phase of what was loaded.
pub fn phase(loaded: &Loaded<'_>, context: &Context<'_>) -> Phase {
    let Some(session) = loaded.session else {
        return if loaded.subject.is_some_and(|subject| subject.erased) { Phase::Erased } else { Phase::Absent };
    };
    let (terms, state, view) = (&session.terms, &session.state, &context.view);
    // A session is committed together with its subject, which outlives it: without one, something was deleted.
    // The last epoch there is has no session, so that a revoke-all which reaches it is in force too.
    let below = |subject: &Subject| subject.erased || state.epoch < subject.epoch || subject.epoch == u64::MAX;
    let below_epoch = loaded.subject.is_none_or(below);
    let in_view = view.session_revoked || state.epoch < view.min_epoch || terms.global_epoch < view.min_global_epoch;
    if state.revoked.is_some() || below_epoch || in_view {
        Phase::Revoked
    } else if context.now >= terms.absolute_deadline {
        Phase::Expired
    } else if context.now >= state.idle_deadline {
        Phase::Idle
    } else {
        Phase::Active
    }
}

/// Decides what `event` does to what was loaded. Pure and total: no I/O, clock, randomness or panic.
///
/// # Security
/// Everything else in this library carries its answer out. It must be applied by a commit that expects
/// the very records it was given; an [`Outcome`] that [grants](Outcome::grants) anything must be
/// committed even where it writes nothing.
pub fn transition(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
    use Event as E;
    use Phase as P;

    let phase = phase(loaded, context);
    let Some(session) = loaded.session else {
        return match (phase, event) {
            // From Erased.
            (P::Erased, E::Issue(_) | E::Rotate(_) | E::Authenticate(_) | E::Amend { .. }) => refused(R::Revoked),
            (P::Erased, E::Revoke { .. }) => Step::unchanged(Outcome::Revoked),

            // From Absent.
            (_, E::Issue(new)) => issue(new, loaded.subject, context),
            (_, E::Rotate(_) | E::Authenticate(_) | E::Amend { .. } | E::Revoke { .. }) => refused(R::Unknown),
            (_, E::Erase) => Step::unchanged(Outcome::Erased),
        };
    };
    if let Some(refusal) = stranger(session, &event) {
        return refused(refusal);
    }
    match (phase, event) {
        // From every phase with a record.
        (_, E::Issue(_)) => refused(R::Exists),
        (_, E::Revoke { reason, .. }) => revoke(session, reason),
        (_, E::Erase) => Step { session: SessionWrite::Delete, ..Step::unchanged(Outcome::Erased) },

        // From Active.
        (P::Active, E::Rotate(event)) => raised(rotate(session, &event, context), session, loaded.subject),
        (P::Active, E::Authenticate(token)) => authenticate(session, token, context),
        (P::Active, E::Amend { amendment, successor }) => {
            raised(amend(session, amendment, successor, context), session, loaded.subject)
        }

        // From Idle: a token that is ahead of the record is ahead of its idle deadline too.
        (P::Idle, E::Rotate(event)) if event.presented.generation > session.state.generation => {
            raised(rotate(session, &event, context), session, loaded.subject)
        }
        (P::Idle, E::Authenticate(token)) if token.generation > session.state.generation => {
            authenticate(session, token, context)
        }
        (P::Idle, E::Rotate(_) | E::Authenticate(_) | E::Amend { .. }) => refused(R::ExpiredIdle),

        // From Expired.
        (P::Expired, E::Rotate(_) | E::Authenticate(_) | E::Amend { .. }) => refused(R::ExpiredAbsolute),

        // From Revoked.
        (P::Revoked, E::Rotate(_) | E::Authenticate(_) | E::Amend { .. }) => refused(R::Revoked),

        // Without a record, so answered above.
        (P::Absent | P::Erased, E::Rotate(_) | E::Authenticate(_) | E::Amend { .. }) => refused(R::Unknown),
    }
}

/// Rules 1b and 2: a seal that is wrong, a token of another mode, another client or another key. Comes
/// before the phase, so that a stranger learns nothing of it, and never counts as reuse.
fn stranger(session: &Session, event: &Event<'_>) -> Option<R> {
    let terms = &session.terms;
    let (presented, mode) = match event {
        Event::Rotate(rotate) => (&rotate.presented, Some(Mode::Hybrid)),
        Event::Authenticate(presented) => (presented, Some(Mode::Opaque)),
        Event::Revoke { presented: Some(presented), .. } => (presented, None),
        Event::Issue(_) | Event::Amend { .. } | Event::Revoke { presented: None, .. } | Event::Erase => return None,
    };
    if !presented.sealed || mode.is_some_and(|mode| mode != terms.mode) {
        return Some(R::NotOurs);
    }
    let Event::Rotate(rotate) = event else { return None };
    if rotate.client_id.is_some_and(|client_id| client_id != terms.client_id) {
        return Some(R::WrongHolder);
    }
    match (terms.thumbprint, rotate.proof) {
        (Some(_), None) => Some(R::ProofRequired),
        (Some(key), Some(proof)) if key != proof.thumbprint => Some(R::WrongHolder),
        (_, Some(proof)) if terms.replay == Replay::Bound && !proof.carries_nonce => Some(R::NonceRequired),
        (None, None) if terms.replay == Replay::Bound => Some(R::ProofRequired),
        _ => None,
    }
}

fn issue(new: Issue, subject: Option<&Subject>, context: &Context<'_>) -> Step {
    if new.replay == Replay::Bound && new.thumbprint.is_none() {
        return refused(R::ProofRequired);
    }
    let (policy, now) = (context.policy, context.now);
    let stored = subject.map_or(now.as_unix_seconds(), |subject| subject.epoch);
    let length = if new.mode == Mode::Jwt { policy.access_ttl } else { policy.absolute_ttl };
    let absolute_deadline = now.plus(length);
    let state = State {
        revoked: None,
        epoch: stored.max(context.view.min_epoch),
        claims_version: 0,
        generation: 0,
        current: new.first,
        previous: [0; 16],
        rotated_at: now,
        idle_deadline: now.plus(policy.idle_ttl).min(absolute_deadline),
    };
    let terms = Terms {
        key: new.key,
        mode: new.mode,
        replay: new.replay,
        salt: new.salt,
        subject: new.subject,
        client_id: new.client_id,
        device: new.device,
        ip: new.ip,
        thumbprint: new.thumbprint,
        issued_at: now,
        absolute_deadline,
        global_epoch: context.view.min_global_epoch,
    };
    let (issued, gc_at) = subject.map_or((0, Timestamp::default()), |subject| (subject.issued, subject.gc_at));
    let gc_at = gc_at.max(absolute_deadline.plus(GC_GRACE));
    let session = Session { terms, entitlement: new.entitlement, state };
    Step {
        session: SessionWrite::Create(Box::new(session)),
        subject: Some(Subject { epoch: state.epoch, erased: false, issued: issued.saturating_add(1), gc_at }),
        ..Step::unchanged(Outcome::Issued)
    }
}

/// Replaces scope and claims; an opaque session also moves on to its next token, as on every change of
/// privilege. Where the store lost an earlier one, only an amendment that leaves nothing of the record's
/// entitlement is taken.
fn amend(session: &Session, amendment: &Amendment, successor: Commitment, context: &Context<'_>) -> Step {
    if lost_amendment(&session.state, context) && (amendment.scope.is_none() || amendment.claims.is_none()) {
        // What would stay as it is may be what the lost amendment took away.
        return Step { rolled_back: true, ..refused(R::StoreBehind) };
    }
    let now = context.now;
    let last = session.state.claims_version.max(context.view.min_claims_version).max(now.as_unix_seconds());
    let mut state = State { claims_version: last.saturating_add(1), ..session.state };
    if session.terms.mode == Mode::Opaque {
        let Some(generation) = state.generation.checked_add(1) else { return refused(R::GenerationExhausted) };
        state = State { generation, previous: state.current.half(), current: successor, rotated_at: now, ..state };
    }
    let before = &session.entitlement;
    let entitlement = Entitlement {
        scope: amendment.scope.as_ref().unwrap_or(&before.scope).clone(),
        claims: amendment.claims.as_ref().unwrap_or(&before.claims).clone(),
    };
    Step {
        session: SessionWrite::Amend(state, entitlement),
        notice: Some(Notice::ClaimsBelow(state.claims_version)),
        ..Step::unchanged(Outcome::Amended)
    }
}

/// Writes the revocation down even where the session is past a deadline or below an epoch: a clock that
/// was wrong, or a store that went back, must not bring it to life again.
fn revoke(session: &Session, reason: Reason) -> Step {
    if session.state.revoked.is_some() {
        return Step::unchanged(Outcome::Revoked);
    }
    let state = State { revoked: Some(reason), ..session.state };
    Step { notice: Some(Notice::Revoked), ..Step::moved(Outcome::Revoked, state) }
}

/// A session that is served with an epoch above the stored one raises it in the same commit: the store
/// lost a revoke-all that the session outlived.
fn raised(step: Step, session: &Session, subject: Option<&Subject>) -> Step {
    match subject {
        Some(subject) if step.outcome.grants() && subject.epoch < session.state.epoch => {
            Step { subject: Some(Subject { epoch: session.state.epoch, ..*subject }), ..step }
        }
        _ => step,
    }
}

const fn refused(refusal: R) -> Step {
    Step::refused(refusal)
}
