//! What one process knows to be revoked.
//!
//! An issuer enters its own revocations before it acknowledges them and asks the view inside every
//! decision, so that a store that went back cannot bring a session to life again.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::id::{SessionId, SubjectHandle};
use crate::jws::KeyTag;
use crate::revocation::entry::{Entry, Hit};
use crate::session::event::ViewFacts;
use crate::time::Timestamp;
use crate::token::{AccessClaims, InvalidToken};

/// A set of [`Entry`]s. Entering one twice, or in another order, changes nothing.
#[derive(Clone, Debug, Default)]
pub struct View {
    sessions: BTreeMap<SessionId, Timestamp>,
    claims: BTreeMap<SessionId, (u64, Timestamp)>,
    subjects: BTreeMap<SubjectHandle, (u64, Timestamp)>,
    global: u64,
    keys: BTreeSet<KeyTag>,
}

impl View {
    /// Nothing is revoked.
    pub const fn new() -> Self {
        Self {
            sessions: BTreeMap::new(),
            claims: BTreeMap::new(),
            subjects: BTreeMap::new(),
            global: 0,
            keys: BTreeSet::new(),
        }
    }

    /// Takes an entry in; of two for the same thing the further-reaching and the longer-lasting hold.
    pub fn enter(&mut self, entry: &Entry) {
        let kept_until = entry.kept_until;
        let raise = |known: &mut (u64, Timestamp), minimum: u64| {
            *known = (known.0.max(minimum), known.1.max(kept_until));
        };
        match entry.hit {
            Hit::Session(sid) => {
                let known = self.sessions.entry(sid).or_default();
                *known = kept_until.max(*known);
            }
            Hit::Claims(sid, version) => raise(self.claims.entry(sid).or_default(), version),
            Hit::Subject(handle, epoch) => raise(self.subjects.entry(handle).or_default(), epoch),
            Hit::Global(epoch) => self.global = self.global.max(epoch),
            Hit::Key(tag) => {
                self.keys.insert(tag);
            }
        }
    }

    /// What is known of one session.
    pub fn facts(&self, sid: SessionId) -> ViewFacts {
        ViewFacts {
            session_revoked: self.sessions.contains_key(&sid),
            min_claims_version: self.claims.get(&sid).map_or(0, |known| known.0),
            ..self.subject_facts(sid.subject())
        }
    }

    /// What is known of one subject.
    pub fn subject_facts(&self, subject: SubjectHandle) -> ViewFacts {
        ViewFacts {
            min_epoch: self.subjects.get(&subject).map_or(0, |known| known.0),
            min_global_epoch: self.global,
            ..ViewFacts::default()
        }
    }

    /// The signing keys that were withdrawn.
    pub const fn withdrawn_keys(&self) -> &BTreeSet<KeyTag> {
        &self.keys
    }

    /// Whether an access token is still good, as far as is known here.
    ///
    /// # Errors
    /// [`InvalidToken::Revoked`], [`InvalidToken::StaleClaims`] (the client refreshes), and
    /// [`InvalidToken::NotRevocable`] for a token that carries none of what a revocation names.
    pub fn judge(&self, claims: &AccessClaims<'_>) -> Result<(), InvalidToken> {
        if !self.keys.is_empty() && self.keys.contains(&claims.key().tag()) {
            return Err(InvalidToken::Revoked);
        }
        let (Some(sid), Some(epoch), Some(version), Some(global)) =
            (claims.sid(), claims.sep(), claims.scv(), claims.gep())
        else {
            return Err(InvalidToken::NotRevocable);
        };
        let facts = self.facts(sid);
        if facts.session_revoked || epoch < facts.min_epoch || global < facts.min_global_epoch {
            return Err(InvalidToken::Revoked);
        }
        if version < facts.min_claims_version { Err(InvalidToken::StaleClaims) } else { Ok(()) }
    }

    /// Forgets entries that can hit no session any more.
    pub fn expire(&mut self, now: Timestamp) {
        self.sessions.retain(|_, kept_until| now < *kept_until);
        self.claims.retain(|_, known| now < known.1);
        self.subjects.retain(|_, known| now < known.1);
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        let lengths = [self.sessions.len(), self.claims.len(), self.subjects.len(), self.keys.len()];
        lengths.into_iter().fold(0, usize::saturating_add)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.global == 0
    }
}
