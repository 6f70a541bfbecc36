//! What a session is: the state that a record holds.

use alloc::string::String;
use core::fmt;

use crate::secret::{Commitment, KeyId};
use crate::session::transition::GC_GRACE;
use crate::time::{Seconds, Timestamp};
use crate::token::CustomClaims;

/// One sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Fixed when the session was issued.
    pub terms: Terms,
    /// What the bearer may do; only `Amend` replaces it.
    pub entitlement: Entitlement,
    /// What moves.
    pub state: State,
}

impl Session {
    /// When its record may be garbage-collected: never while a clock that is wrong by less than
    /// [`GC_GRACE`](crate::session::GC_GRACE) could find it good.
    pub const fn gc_at(&self) -> Timestamp {
        self.terms.absolute_deadline.plus(GC_GRACE)
    }
}

/// What is fixed when a session is issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Terms {
    /// The master key that its tokens and its record are made with.
    pub key: KeyId,
    /// What its bearer is given.
    pub mode: Mode,
    /// When a refresh token shown again is a repeat and not a theft.
    pub replay: Replay,
    /// Drawn at random; needed for every seal and every derived secret of the session.
    pub salt: [u8; 16],
    /// Whose session it is, as the application names the subject (`sub`).
    pub subject: String,
    /// For which client (`client_id`).
    pub client_id: String,
    /// What the application notes of the device, to show it to the subject.
    pub device: Option<String>,
    /// The address the sign-in came from, to show it to the subject.
    pub ip: Option<String>,
    /// The RFC 7638 thumbprint of the DPoP key that its tokens are bound to (`cnf.jkt`).
    pub thumbprint: Option<[u8; 32]>,
    /// When it was issued (`auth_time`).
    pub issued_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_deadline: Timestamp,
    /// The global epoch it was issued in (`gep`).
    pub global_epoch: u64,
}

impl fmt::Debug for Terms {
    /// Neither salt nor anything of the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("mode", &self.mode)
            .field("replay", &self.replay)
            .field("issued_at", &self.issued_at)
            .field("absolute_deadline", &self.absolute_deadline)
            .finish_non_exhaustive()
    }
}

/// What the bearer may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entitlement {
    /// Scope tokens separated by single spaces ([RFC 6749 section 3.3]).
    ///
    /// [RFC 6749 section 3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
    pub scope: String,
    /// Further claims.
    pub claims: CustomClaims,
}

/// What moves while a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// `None` while it is good; why and that it was revoked afterwards, for ever.
    pub revoked: Option<Reason>,
    /// The subject's epoch it was issued in, or kept in by a revoke-all (`sep`).
    pub epoch: u64,
    /// Rises with each `Amend` (`scv`).
    pub claims_version: u64,
    /// How often the token was replaced.
    pub generation: u32,
    /// SHA-256 of the secret of the current token.
    pub current: Commitment,
    /// The first half of the commitment of the generation before; zero in generation 0.
    pub previous: [u8; 16],
    /// When the current token was made.
    pub rotated_at: Timestamp,
    /// When the session ends unless it is used before.
    pub idle_deadline: Timestamp,
}

/// What the bearer of a session is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A short access token and a rotating refresh token.
    Hybrid,
    /// One access token; the session ends with it.
    Jwt,
    /// A session token, looked up on each request.
    Opaque,
}

/// When a refresh token shown again is a repeat and not a theft. Fixed when the session is issued; each
/// has its own theft gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replay {
    /// The client draws the next secret itself and sends its commitment: the same commitment is a
    /// repeat, at any delay. For apps and services with storage.
    ///
    /// # Security
    /// A thief with a copy of the token gets nothing that the client gets; a thief with token and next
    /// secret shares one successor until either side uses it. Nothing leaked after its delivery helps.
    Committed,
    /// The successor is derived; a repeat needs a fresh DPoP proof that carries the nonce handed out
    /// with this very token.
    ///
    /// # Security
    /// Token and one made-up proof share one successor. Whoever can use the key can do anything.
    Bound,
    /// The successor is derived; the immediate predecessor is answered with it for a while. For
    /// browsers, which keep no private state.
    ///
    /// # Security
    /// Within the window a thief and a second tab are the same event: such a thief shares the session.
    Window(Window),
}

/// How [`Replay::Window`] answers a token that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// How long after its rotation the predecessor is a repeat; must cover a request and its reply.
    /// Zero is strict: whatever is not the current token revokes.
    pub width: Seconds,
    /// What an older token meets.
    pub late: Late,
}

impl Window {
    /// Whether it is open at `now` for a rotation at `rotated_at`. A clock that is off by more than the
    /// width, in either direction, finds it closed.
    pub const fn is_open(&self, rotated_at: Timestamp, now: Timestamp) -> bool {
        now.is_within(self.width, rotated_at) && rotated_at.is_within(self.width, now)
    }
}

/// What a token meets that was replaced longer than the window ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// A challenge: the browser sends again whatever its jar holds now; the same old token with the
    /// challenge revokes.
    Challenge,
    /// It revokes at once: for clients that cannot follow a challenge.
    Revoke,
}

/// Why a session was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its bearer signed out.
    SignedOut,
    /// A replaced token was shown as no honest client shows it.
    ReuseDetected,
    /// The application ended it.
    Administrative,
    /// The subject signed in so often that the oldest session gave way.
    Displaced,
}

impl Reason {
    /// Every reason, in the order of their numbers in a record, from 1.
    pub const ALL: [Self; 4] = [Self::SignedOut, Self::ReuseDetected, Self::Administrative, Self::Displaced];

    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::ReuseDetected => "reuse_detected",
            Self::Administrative => "administrative",
            Self::Displaced => "displaced",
        }
    }
}

/// What a subject is to the machine: an epoch under a random handle, and nothing of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Sessions below it are refused. Never repeats, not even after the store went back.
    pub epoch: u64,
    /// Whether the subject was erased: nothing is issued under this handle again.
    pub erased: bool,
    /// Not less than the number of its live sessions: how many were issued since they were counted last.
    pub issued: u32,
    /// When the last of its sessions may be garbage-collected.
    pub gc_at: Timestamp,
}
