//! Subjects: all sessions of a person end by one compare-and-swap on the epoch.

use crate::session::event::Context;
use crate::session::event::Loaded;
use crate::session::outcome::{Outcome, Refusal};
use crate::session::state::{Session, State, Subject};
use crate::session::transition::{GC_GRACE, Phase, phase};

/// What can happen to a subject.
#[derive(Clone, Copy, Debug)]
pub enum SubjectEvent<'a> {
    /// Every session ends; the one named here goes on, raised to the new epoch.
    RevokeAll {
        /// The session to keep, as loaded with the subject.
        keep: Option<&'a Session>,
    },
    /// Every session ends and nothing is issued under the handle again.
    Erase,
}

/// What was decided about a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectStep {
    /// What was decided.
    pub outcome: Outcome,
    /// The subject's record; its epoch is what verifiers must learn.
    pub subject: Option<Subject>,
    /// The state of the session that is kept.
    pub kept: Option<State>,
}

/// Decides what `event` does to a subject. `context.view` is what the issuer's view says of the handle.
///
/// A subject without a record gets one: a sign-in that expects none then fails and is decided again.
pub fn transition(subject: Option<&Subject>, event: SubjectEvent<'_>, context: &Context<'_>) -> SubjectStep {
    let last = subject.map_or(0, |subject| subject.epoch).max(context.view.min_epoch);
    let epoch = last.max(context.now.as_unix_seconds()).saturating_add(1);
    let gc_at = context.now.plus(context.policy.absolute_ttl).plus(GC_GRACE);
    let gc_at = subject.map_or(gc_at, |subject| subject.gc_at.max(gc_at));
    let erased = subject.is_some_and(|subject| subject.erased);
    match event {
        SubjectEvent::Erase => SubjectStep {
            outcome: Outcome::Erased,
            subject: Some(Subject { epoch, erased: true, issued: 0, gc_at }),
            kept: None,
        },
        SubjectEvent::RevokeAll { keep: None } => SubjectStep {
            outcome: Outcome::Revoked,
            subject: Some(Subject { epoch, erased, issued: 0, gc_at }),
            kept: None,
        },
        SubjectEvent::RevokeAll { keep: Some(session) } => {
            let refused = |refusal| SubjectStep { outcome: Outcome::Refused(refusal), subject: None, kept: None };
            match phase(&Loaded { session: Some(session), subject }, context) {
                Phase::Active => SubjectStep {
                    outcome: Outcome::Revoked,
                    subject: Some(Subject { epoch, erased, issued: 1, gc_at }),
                    kept: Some(State { epoch, ..session.state }),
                },
                Phase::Idle => refused(Refusal::ExpiredIdle),
                Phase::Expired => refused(Refusal::ExpiredAbsolute),
                Phase::Revoked => refused(Refusal::Revoked),
                Phase::Absent | Phase::Erased => refused(Refusal::Unknown),
            }
        }
    }
}
