//! Making room for a sign-in where the subject has as many sessions as it may.
//!
//! The subject record counts what was issued; only when that reaches the limit are the sessions looked
//! at. Of the live ones the longest unused give way, or the sign-in is refused. Of the dead ones, which
//! nothing can bring to life, the oldest are deleted where they have become many: a client that signs in
//! every minute would otherwise leave more records than anybody can read.

use alloc::vec::Vec;

use super::list::PAGE;
use super::{Failure, Scene};
use crate::id::{SessionId, SubjectHandle};
use crate::session::event::{Context, Loaded};
use crate::session::outcome::Refusal;
use crate::session::policy::{Policy, SessionLimit};
use crate::session::record::{self, RecordError};
use crate::session::state::{Session, Subject};
use crate::session::transition::{Phase, phase};
use crate::store::{Key, Listed, Version};
use crate::time::Timestamp;

/// How many dead sessions one sign-in deletes.
const DELETED_AT_ONCE: usize = 128;

/// The sessions of a subject, counted so far.
pub(super) struct Count {
    pub(super) handle: SubjectHandle,
    version: Version,
    subject: Subject,
    live: Vec<(SessionId, Version, Session)>,
    dead: Vec<(Timestamp, SessionId, Version)>,
}

/// What a sign-in has to do beside creating its session.
pub(super) struct Room {
    /// The subject as it was read, its count made right.
    pub(super) subject: Option<(Version, Subject)>,
    /// Live sessions to be revoked.
    pub(super) displaced: Vec<(SessionId, Version, Session)>,
    /// Dead sessions to be deleted.
    pub(super) forgotten: Vec<(SessionId, Version)>,
}

impl Room {
    /// There is room enough.
    pub(super) const fn enough(subject: Option<(Version, Subject)>) -> Self {
        Self { subject, displaced: Vec::new(), forgotten: Vec::new() }
    }
}

impl Count {
    pub(super) const fn new(handle: SubjectHandle, version: Version, subject: Subject) -> Self {
        Self { handle, version, subject, live: Vec::new(), dead: Vec::new() }
    }

    /// Takes a page in; where another follows, gives the session it begins after.
    pub(super) fn add(&mut self, page: Vec<Listed>, scene: &Scene<'_>) -> Result<Option<SessionId>, Failure> {
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let after = page.last().map(|(sid, _)| *sid);
        for (sid, found) in page {
            let session = match record::read_session(&found.bytes, Key::Session(sid), scene.issuer.keyring()) {
                // Its master key is retired, so no token of it is good.
                Err(RecordError::UnknownKey) => {
                    self.dead.push((Timestamp::default(), sid, found.version));
                    continue;
                }
                read => read?,
            };
            let context = Context { now: scene.now, policy: scene.issuer.policy(), view: scene.view.facts(sid) };
            let loaded = Loaded { session: Some(&session), subject: Some(&self.subject) };
            match phase(&loaded, &context) {
                Phase::Active => self.live.push((sid, found.version, session)),
                Phase::Revoked | Phase::Expired => {
                    self.dead.push((session.state.rotated_at, sid, found.version));
                }
                // A store that went back may bring it to life again: it is collected when its time comes.
                Phase::Idle | Phase::Absent | Phase::Erased => {}
            }
        }
        Ok(after.filter(|_| !is_last))
    }

    /// What to do so that one more session is within the limit.
    pub(super) fn room(mut self, policy: &Policy) -> Result<Room, Refusal> {
        let limit = usize::try_from(policy.max_sessions).unwrap_or(usize::MAX);
        let excess = self.live.len().saturating_sub(limit.saturating_sub(1));
        if excess > 0 && policy.session_limit == SessionLimit::Refuse {
            return Err(Refusal::TooManySessions);
        }
        self.live.sort_by_key(|(_, _, session)| session.state.idle_deadline);
        self.subject.issued = u32::try_from(self.live.len().saturating_sub(excess)).unwrap_or(u32::MAX);
        self.live.truncate(excess);
        let mut forgotten = Vec::new();
        if self.dead.len() > limit.saturating_mul(2) {
            self.dead.sort_unstable_by_key(|(rotated_at, sid, _)| (*rotated_at, *sid));
            let many = self.dead.len().saturating_sub(limit).min(DELETED_AT_ONCE);
            forgotten.extend(self.dead.iter().take(many).map(|(_, sid, version)| (*sid, *version)));
        }
        Ok(Room { subject: Some((self.version, self.subject)), displaced: self.live, forgotten })
    }
}
