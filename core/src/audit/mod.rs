//! What is to be noted of each decision: who did nothing stands here, only what happened to which
//! session. No secret, no token and nothing of a person is in an audit event, so a log of them needs no
//! erasure.

use alloc::string::String;
use core::fmt::Write;

use crate::id::SessionId;
use crate::session::outcome::Outcome;
use crate::session::state::Reason;
use crate::time::Timestamp;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// To which session; `None` where it concerns none.
    pub session: Option<SessionId>,
    /// The generation of the token that was presented or issued, where there was one.
    pub generation: Option<u32>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A decision about a session.
    Decided(Outcome),
    /// Why a session was revoked; follows the decision.
    Because(Reason),
    /// The store is behind a token that was issued from it: it was restored, or a failover lost writes.
    /// Tell whoever runs it.
    StoreRolledBack,
    /// Every session of a subject ended.
    SubjectRevoked,
    /// A subject was erased.
    SubjectErased,
    /// A signing key was withdrawn.
    KeyWithdrawn,
}

impl Kind {
    /// The stable name, listed in `spec/vectors/reasons.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decided(outcome) => outcome.reason(),
            Self::Because(reason) => reason.reason(),
            Self::StoreRolledBack => "store_rolled_back",
            Self::SubjectRevoked => "subject_revoked",
            Self::SubjectErased => "subject_erased",
            Self::KeyWithdrawn => "key_withdrawn",
        }
    }
}

impl Event {
    /// One line of JSON: `at` in Unix milliseconds, `kind`, and `sid` and `generation` where known.
    pub fn to_json(&self) -> String {
        let mut line = String::with_capacity(96);
        // Writing to a string does not fail.
        let _ = write!(line, "{{\"at\":{},\"kind\":\"{}\"", self.at.as_millis(), self.kind.name());
        if let Some(sid) = self.session {
            let _ = write!(line, ",\"sid\":\"{sid}\"");
        }
        if let Some(generation) = self.generation {
            let _ = write!(line, ",\"generation\":{generation}");
        }
        line.push('}');
        line
    }
}
