//! What was decided, and what to write.

use core::fmt;

use crate::session::state::{Entitlement, Session, State, Subject};

/// What was decided about an event. Fieldless but for what the caller must act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The session exists now.
    Issued,
    /// The token was replaced.
    Rotated,
    /// The token had been replaced already and is answered with the same successor.
    Repeated,
    /// The token is so new that it is not replaced; an access token is given.
    Paused,
    /// The session token is good.
    Authenticated,
    /// Scope and claims were replaced.
    Amended,
    /// The session is revoked, now or already before.
    Revoked,
    /// The record is gone.
    Erased,
    /// A replaced token was shown as no honest client shows it: the session is revoked.
    ReuseDetected,
    /// The token is older than a repeat can be; nothing changed. The client reads its storage again and,
    /// if it still holds this token, revokes the session.
    Superseded {
        /// Whether to hand out a challenge, with which the client sends again what it holds now.
        challenge: bool,
    },
    /// Nothing changed.
    Refused(Refusal),
}

impl Outcome {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Rotated => "rotated",
            Self::Repeated => "repeated",
            Self::Paused => "paused",
            Self::Authenticated => "authenticated",
            Self::Amended => "amended",
            Self::Revoked => "revoked",
            Self::Erased => "erased",
            Self::ReuseDetected => "reuse_detected",
            Self::Superseded { .. } => "superseded",
            Self::Refused(refusal) => refusal.reason(),
        }
    }

    /// Whether anything is handed out on it. Such an outcome is always committed, even with nothing to
    /// write: an answer from a plain read could follow an acknowledged revoke.
    pub const fn grants(self) -> bool {
        match self {
            Self::Issued | Self::Rotated | Self::Repeated | Self::Paused | Self::Amended => true,
            Self::Authenticated
            | Self::Revoked
            | Self::Erased
            | Self::ReuseDetected
            | Self::Superseded { .. }
            | Self::Refused(_) => false,
        }
    }
}

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident = $reason:literal, $text:literal,)+) => {
        /// Why nothing changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable reason string, listed in `spec/vectors/reasons.json`.
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $reason,)+
                }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)+
                })
            }
        }
    };
}

refusals! {
    /// Not a token of this issuer: malformed, unknown key, wrong tag or seal. Sign in again.
    NotOurs = "not_ours", "the token was not issued here, or under other keys; sign in again",
    /// The client or the DPoP key is not the session's. Never counts as reuse.
    WrongHolder = "wrong_holder", "the token belongs to another client or to another key",
    /// No session has this identifier. Sign in again.
    Unknown = "session_unknown", "no session has this identifier; sign in again",
    /// The session is revoked. Sign in again.
    Revoked = "session_revoked", "the session was revoked; sign in again",
    /// The session was not used in time. Sign in again.
    ExpiredIdle = "session_expired_idle", "the session was not used in time; sign in again",
    /// The session has reached its end. Sign in again.
    ExpiredAbsolute = "session_expired_absolute", "the session has reached its end; sign in again",
    /// The session's replay rule needs the commitment of the next secret. Mend the client.
    CommitmentRequired = "commitment_required", "this session needs the commitment of the next secret",
    /// The session's replay rule takes no commitment. Mend the client.
    CommitmentUnexpected = "commitment_unexpected", "this session takes no commitment of a next secret",
    /// The commitment is of a secret that was used already. Draw a new one for each token.
    CommitmentReused = "commitment_reused", "the commitment is of the secret that is presented; draw a new secret for each token",
    /// The session is bound to a key and no proof came. Mend the client.
    ProofRequired = "proof_required", "the session is bound to a key, and no DPoP proof came",
    /// The proof does not carry the nonce handed out with this token. Make a new one that does.
    NonceRequired = "nonce_required", "the DPoP proof does not carry the nonce that was handed out with this token",
    /// More scope was asked for than was granted.
    ScopeExceeded = "scope_exceeded", "more scope was asked for than was granted",
    /// The token was replaced 2^32 - 1 times. Sign in again.
    GenerationExhausted = "generation_exhausted", "the token was replaced as often as a token can be; sign in again",
    /// The store is behind what was issued from it. Try again later; nobody is signed out.
    StoreBehind = "store_behind", "the store is behind what was issued from it; try again later",
    /// A session with this identifier exists. Draw another one.
    Exists = "session_exists", "a session with this identifier exists; try again",
    /// The subject has as many sessions as the policy allows.
    TooManySessions = "too_many_sessions", "the subject has as many sessions as the policy allows",
}

/// One decision: what it is and what it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was decided.
    pub outcome: Outcome,
    /// What becomes of the session's record.
    pub session: SessionWrite,
    /// The subject's record, where it changes.
    pub subject: Option<Subject>,
    /// What verifiers must learn.
    pub notice: Option<Notice>,
    /// Whether the record was behind the token, so that the store must have gone back.
    pub rolled_back: bool,
}

impl Step {
    /// Nothing changes.
    pub const fn unchanged(outcome: Outcome) -> Self {
        Self { outcome, session: SessionWrite::Keep, subject: None, notice: None, rolled_back: false }
    }

    /// Nothing changes, because.
    pub const fn refused(refusal: Refusal) -> Self {
        Self::unchanged(Outcome::Refused(refusal))
    }

    /// The session moves to `state`.
    pub const fn moved(outcome: Outcome, state: State) -> Self {
        Self { outcome, session: SessionWrite::Move(state), subject: None, notice: None, rolled_back: false }
    }

    /// Whether anything is written.
    pub const fn writes(&self) -> bool {
        !matches!(self.session, SessionWrite::Keep) || self.subject.is_some() || self.notice.is_some()
    }
}

/// What verifiers must learn of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is revoked.
    Revoked,
    /// Access tokens with a lower claims version are stale.
    ClaimsBelow(u64),
}

/// What becomes of a session's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionWrite {
    /// It stays as it is.
    Keep,
    /// It is created.
    Create(alloc::boxed::Box<Session>),
    /// Its state moves.
    Move(State),
    /// Its state moves and its entitlement is replaced.
    Amend(State, Entitlement),
    /// It is deleted.
    Delete,
}
