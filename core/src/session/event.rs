//! What can happen to a session, and the facts that are established before it is decided.
//!
//! Everything cryptographic is a fact here: whether a seal matched, what a derived commitment is. So
//! [`transition`](crate::session::transition) neither hashes nor keys anything.

use alloc::string::String;
use core::fmt;

use crate::secret::{Commitment, KeyId};
use crate::session::policy::Policy;
use crate::session::state::{Entitlement, Mode, Reason, Replay, Session, Subject};
use crate::time::Timestamp;
use crate::token::CustomClaims;

/// What the store holds, as of one moment.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// The session's record, if there is one.
    pub session: Option<&'a Session>,
    /// The subject's record, if there is one.
    pub subject: Option<&'a Subject>,
}

/// What is known beside the records.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time. Decides expiry and windows, never order.
    pub now: Timestamp,
    /// The deployment's rules.
    pub policy: &'a Policy,
    /// What the issuer's own revocation view says of this session.
    pub view: ViewFacts,
}

/// What a revocation view says of one session. It remembers what a store that went back has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewFacts {
    /// The session is named as revoked.
    pub session_revoked: bool,
    /// Access tokens with a lower claims version are stale.
    pub min_claims_version: u64,
    /// Sessions of the subject with a lower epoch are revoked.
    pub min_epoch: u64,
    /// Sessions with a lower global epoch are revoked.
    pub min_global_epoch: u64,
}

/// What can happen to a session.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A subject signs in.
    Issue(Issue),
    /// A refresh token is presented.
    Rotate(Rotate<'a>),
    /// An opaque session token is presented.
    Authenticate(Presented),
    /// The application replaces scope, claims or both.
    Amend {
        /// What holds from now on.
        amendment: &'a Amendment,
        /// The commitment of the derived next token, which an opaque session moves on to.
        successor: Commitment,
    },
    /// The session is ended, by its bearer or by the application.
    Revoke {
        /// Why.
        reason: Reason,
        /// The token that was shown for it; `None` where the application ends the session.
        presented: Option<Presented>,
    },
    /// The session's record is deleted, because its subject is erased.
    Erase,
}

/// A sign-in. What each field means is written at [`Terms`](crate::session::state::Terms); when the
/// session ends follows from the policy.
#[derive(Clone)]
pub struct Issue {
    /// The newest master key.
    pub key: KeyId,
    /// What the bearer is given.
    pub mode: Mode,
    /// When a refresh token shown again is a repeat.
    pub replay: Replay,
    /// Sixteen random bytes.
    pub salt: [u8; 16],
    /// Whose session it is.
    pub subject: String,
    /// For which client.
    pub client_id: String,
    /// A note of the device.
    pub device: Option<String>,
    /// Where the sign-in came from.
    pub ip: Option<String>,
    /// The DPoP key that tokens are bound to.
    pub thumbprint: Option<[u8; 32]>,
    /// What the bearer may do.
    pub entitlement: Entitlement,
    /// The commitment of the first token's secret: drawn by the client, or derived.
    pub first: Commitment,
}

impl fmt::Debug for Issue {
    /// Neither salt nor anything of the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issue").field("mode", &self.mode).field("replay", &self.replay).finish_non_exhaustive()
    }
}

/// What an application changes, where the policy allows it; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// The scope from now on.
    pub(super) scope: Option<String>,
    /// The further claims from now on.
    pub(super) claims: Option<CustomClaims>,
}

/// A token, authenticated by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// How often the session was rotated when the token was made.
    pub generation: u32,
    /// SHA-256 of its secret.
    pub commitment: Commitment,
    /// Whether its seal is right under the salt of the record.
    pub sealed: bool,
}

/// A refresh token, and what came with it.
#[derive(Clone, Copy, Debug)]
pub struct Rotate<'a> {
    /// The token.
    pub presented: Presented,
    /// The commitment of the next token.
    pub successor: Successor,
    /// The client that presents it, where it is known.
    pub client_id: Option<&'a str>,
    /// The DPoP proof that came with it, already verified.
    pub proof: Option<Proof>,
    /// The scope that is asked for; `None` for all that was granted.
    pub scope: Option<&'a str>,
    /// Whether a good challenge for this session and generation came with it.
    pub challenged: bool,
}

/// Where the next token's secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    /// The client drew it and sent its commitment.
    Offered(Commitment),
    /// It is derived from the salt and the next generation.
    Derived(Commitment),
}

/// A verified DPoP proof, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The RFC 7638 thumbprint of its key.
    pub thumbprint: [u8; 32],
    /// Whether it carries the nonce that was handed out with the token it came with.
    pub carries_nonce: bool,
}
