//! What a client holds, and where it is.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::client::event::Fault;
use crate::client::policy::Policy;
use crate::client::record::Version;
use crate::id::SessionId;
use crate::secret::Secret;
use crate::time::{Seconds, Timestamp};
use crate::token::refresh::Token;

/// How many revokes may wait for their acknowledgement; the oldest gives way.
pub const MAX_OWED: usize = 4;

/// The longest access token that is kept, in bytes: the longest there is.
pub const MAX_ACCESS_LEN: usize = 16 * 1024;

/// The longest nonce that is kept, in bytes.
pub const MAX_NONCE_LEN: usize = 128;

/// A client between two events. Neither shown nor stored: what outlives the process is the record.
pub struct State {
    pub(super) stage: Stage,
    pub(super) pending: Pending,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// What storage holds is not known: not read yet, locked, failing, damaged or of a newer version.
    Unavailable,
    /// Storage holds no session.
    SignedOut,
    /// A new session is being written.
    SigningIn,
    /// Token and next secret are durable, and nothing is outstanding.
    Active,
    /// Storage is read once more, to send what it holds.
    Looking,
    /// A refresh was sent.
    Refreshing,
    /// A refresh was sent, and whether it was decided is not known. The same is sent again.
    Ambiguous,
    /// The next token is being written; until it is durable it is not used.
    Storing,
    /// The end of the session is being written.
    Ending,
    /// The session ended otherwise than by signing out here.
    Reauthenticate,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 10] = [
        Self::Unavailable,
        Self::SignedOut,
        Self::SigningIn,
        Self::Active,
        Self::Looking,
        Self::Refreshing,
        Self::Ambiguous,
        Self::Storing,
        Self::Ending,
        Self::Reauthenticate,
    ];
}

/// A phase with what belongs to it.
pub(super) enum Stage {
    Unavailable { fault: Option<Fault>, tries: u32 },
    SignedOut,
    SigningIn { held: Held, tries: u32 },
    Active { held: Held },
    Looking { held: Held, tries: u32, challenge: Option<String> },
    Refreshing(Sent),
    Ambiguous(Sent),
    Storing { held: Held, tries: u32 },
    Ending { held: Held, why: Why, acknowledged: bool, tries: u32 },
    Reauthenticate { why: Why },
}

/// A refresh that was sent.
pub(super) struct Sent {
    pub(super) held: Held,
    /// When it was sent last.
    pub(super) at: Timestamp,
    /// How often it was not answered.
    pub(super) tries: u32,
    /// Whether it carried what the server asked for: a challenge or a nonce.
    pub(super) asked_again: bool,
}

/// What is outstanding beside the phase.
pub(super) struct Pending {
    /// Somebody waits for an access token.
    pub(super) asked: bool,
    /// What storage held when it was last read or written.
    pub(super) stored: Version,
    /// A read is not answered yet.
    pub(super) reading: bool,
    /// What the unanswered write writes.
    pub(super) writing: Option<Version>,
    /// Revokes that were not acknowledged yet.
    pub(super) owed: Vec<Owed>,
}

impl State {
    /// Of a process that has just begun.
    pub const fn new() -> Self {
        let pending =
            Pending { asked: false, stored: Version::ABSENT, reading: false, writing: None, owed: Vec::new() };
        Self { stage: Stage::Unavailable { fault: None, tries: 0 }, pending }
    }

    /// Where the client is.
    pub const fn phase(&self) -> Phase {
        match self.stage {
            Stage::Unavailable { .. } => Phase::Unavailable,
            Stage::SignedOut => Phase::SignedOut,
            Stage::SigningIn { .. } => Phase::SigningIn,
            Stage::Active { .. } => Phase::Active,
            Stage::Looking { .. } => Phase::Looking,
            Stage::Refreshing(_) => Phase::Refreshing,
            Stage::Ambiguous(_) => Phase::Ambiguous,
            Stage::Storing { .. } => Phase::Storing,
            Stage::Ending { .. } => Phase::Ending,
            Stage::Reauthenticate { .. } => Phase::Reauthenticate,
        }
    }

    /// What the client holds, where it holds a session.
    pub const fn held(&self) -> Option<&Held> {
        match &self.stage {
            Stage::Unavailable { .. } | Stage::SignedOut | Stage::Reauthenticate { .. } => None,
            Stage::SigningIn { held, .. }
            | Stage::Active { held }
            | Stage::Looking { held, .. }
            | Stage::Refreshing(Sent { held, .. })
            | Stage::Ambiguous(Sent { held, .. })
            | Stage::Storing { held, .. }
            | Stage::Ending { held, .. } => Some(held),
        }
    }

    /// Why the session ended, where the user has to sign in again because of it.
    pub const fn why(&self) -> Option<Why> {
        match self.stage {
            Stage::Reauthenticate { why } => Some(why),
            _ => None,
        }
    }

    /// Why storage could not be used, where that is why nothing is known.
    pub const fn fault(&self) -> Option<Fault> {
        match self.stage {
            Stage::Unavailable { fault, .. } => fault,
            _ => None,
        }
    }

    /// Revokes that were not acknowledged yet.
    pub fn owed(&self) -> &[Owed] {
        &self.pending.owed
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({:?})", self.phase())
    }
}

/// One session as a client holds it: token and what its successor needs, in one record.
pub struct Held {
    /// The refresh token.
    pub token: Token,
    /// What belongs to the token by the session's replay rule.
    pub rule: Rule,
    /// The access token that came last, where it is kept.
    pub access: Option<Access>,
}

/// The replay rule of the session, with what the client keeps for it.
pub enum Rule {
    /// The secret of the next token, drawn with this one.
    Committed {
        /// Sent as its commitment only.
        next: Secret,
    },
    /// Nothing: the server derives the next token. A repeat is good within the window only.
    Window,
    /// The nonce that the next DPoP proof carries, where one was handed out.
    Bound {
        /// At most [`MAX_NONCE_LEN`] bytes.
        nonce: Option<String>,
    },
}

impl Held {
    /// Which refresh it is that is sent with this token.
    pub const fn attempt(&self) -> Attempt {
        Attempt { session: self.token.session_id(), generation: self.token.generation() }
    }

    /// Whether there is an access token that has not expired.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.access.as_ref().is_some_and(|access| access.is_alive(now))
    }

    /// Whether there is an access token that is not due to be replaced.
    pub fn is_fresh(&self, now: Timestamp, policy: &Policy) -> bool {
        self.access.as_ref().is_some_and(|access| access.is_fresh(now, policy))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held(generation {})", self.token.generation())
    }
}

/// An access token, and when it was asked for.
pub struct Access {
    /// At most [`MAX_ACCESS_LEN`] bytes.
    pub token: Zeroizing<String>,
    /// When the request that it answers was sent, by this device's clock: it was not made before.
    pub since: Timestamp,
    /// How long it lives (`expires_in`).
    pub lifetime: Seconds,
}

impl Access {
    /// Whether it has not expired. Only what passed since the request counts, so it does not matter what
    /// the clock shows; a clock that stepped back says nothing, and the token is not used.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.since.plus(self.lifetime)
    }

    /// Whether it is not due to be replaced: the margin is at most a quarter of its life.
    pub fn is_fresh(&self, now: Timestamp, policy: &Policy) -> bool {
        let margin = policy.margin.min(Seconds::new(self.lifetime.get() / 4));
        self.since <= now && now < self.since.plus(self.lifetime).minus(margin)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

/// Which request an answer belongs to. Requests of one session and generation are equal, so an answer to
/// any of them answers all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// The session.
    pub session: SessionId,
    /// The generation of the token that was sent.
    pub generation: u32,
}

/// A refresh token whose session has to be revoked.
pub struct Owed {
    /// Its session and generation.
    pub attempt: Attempt,
    /// Its wire form.
    pub token: Zeroizing<String>,
}

impl Owed {
    pub(super) fn of(token: &Token) -> Self {
        let attempt = Attempt { session: token.session_id(), generation: token.generation() };
        Self { attempt, token: token.to_text() }
    }

    /// A second copy, for a record beside the state.
    pub(super) fn copy(&self) -> Self {
        Self { attempt: self.attempt, token: self.token.clone() }
    }

    /// Whether both are of one session, so that revoking either is enough.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.attempt.session == other.attempt.session
    }
}

impl fmt::Debug for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owed({:?})", self.attempt)
    }
}

macro_rules! whys {
    ($($(#[doc = $doc:literal])+ $name:ident = $reason:literal,)+) => {
        /// Why a session ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Why {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Why {
            /// Every reason, in the order of their numbers in a record, from 0.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable reason string, listed in `spec/vectors/reasons.json`.
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $reason,)+
                }
            }
        }
    };
}

whys! {
    /// The user signed out here.
    SignedOut = "signed_out",
    /// Somebody else moved the session on; it is being revoked. Tell the user that it was used in two places.
    UsedElsewhere = "superseded",
    /// The server saw a replaced token again. Tell the user that the session was used in two places.
    ReuseDetected = "reuse_detected",
    /// The server did not issue the token, or its keys were changed.
    NotOurs = "not_ours",
    /// The client or its key is not the session's.
    WrongHolder = "wrong_holder",
    /// The server has no such session.
    Unknown = "session_unknown",
    /// The session was revoked.
    Revoked = "session_revoked",
    /// The session was not used in time.
    ExpiredIdle = "session_expired_idle",
    /// The session has reached its end.
    ExpiredAbsolute = "session_expired_absolute",
    /// The token was replaced as often as a token can be.
    GenerationExhausted = "generation_exhausted",
    /// The grant is refused for a reason that this version does not know.
    InvalidGrant = "invalid_grant",
}

impl Why {
    /// Whether the server may still believe in the session, so that it has to be told.
    pub(super) const fn owes_a_revoke(self) -> bool {
        matches!(self, Self::SignedOut | Self::UsedElsewhere)
    }

    /// What a server's reason for `invalid_grant` means here.
    pub fn from_reason(reason: &str) -> Self {
        let known = Self::ALL.iter().copied().find(|why| why.reason() == reason);
        // These two are the client's own words; a server that says them says nothing that is known.
        known.filter(|why| !why.owes_a_revoke()).unwrap_or(Self::InvalidGrant)
    }
}
