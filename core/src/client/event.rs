//! What can happen to a client, and what its host knows of it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::client::policy::Policy;
use crate::client::record::Version;
use crate::client::state::{Attempt, Why};
use crate::session::exchange::Entropy;
use crate::time::{Seconds, Timestamp};
use crate::token::receipt::Receipt;
use crate::token::refresh::Token;

/// What is known beside the state.
pub struct Context<'a> {
    /// This device's clock. It may be wrong: only differences of it count.
    pub now: Timestamp,
    /// The client's rules.
    pub policy: &'a Policy,
    /// Where secrets are drawn from; of a fresh random seed in each process.
    pub entropy: &'a mut Entropy,
}

/// What can happen to a client.
pub enum Event {
    /// The process begins, or a [`Wait`](crate::client::action::Action::Wait) is over.
    Wake,
    /// The network came back.
    Reconnect,
    /// The application asks for an access token.
    Ask,
    /// A resource refused this access token as `invalid_token`. Ask once for each request: if the next
    /// token is refused too, the resource is at fault.
    Reject(Zeroizing<String>),
    /// The server issued a session.
    SignIn(Box<SignedIn>),
    /// The user signs out.
    SignOut,
    /// What storage holds: the answer to a read, or because another process changed it.
    Loaded(Option<Zeroizing<Vec<u8>>>),
    /// Storage was not read.
    Unreadable(Fault),
    /// The record of this version is durable.
    Written(Version),
    /// Storage did not hold what was expected; the record of this version was not written.
    Conflict(Version),
    /// Whether the record of this version was written is not known.
    Unwritten(Version, Fault),
    /// A refresh was answered.
    Replied(Attempt, Box<Reply>),
    /// A refresh was not answered: no network, a time-out, or nothing that could be read.
    Lost(Attempt),
    /// A revoke was acknowledged with 200.
    Revoked(Attempt),
    /// A revoke was not acknowledged.
    Unrevoked(Attempt),
}

impl fmt::Debug for Event {
    /// The name only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wake => "Wake",
            Self::Reconnect => "Reconnect",
            Self::Ask => "Ask",
            Self::Reject(_) => "Reject",
            Self::SignIn(_) => "SignIn",
            Self::SignOut => "SignOut",
            Self::Loaded(_) => "Loaded",
            Self::Unreadable(_) => "Unreadable",
            Self::Written(_) => "Written",
            Self::Conflict(_) => "Conflict",
            Self::Unwritten(..) => "Unwritten",
            Self::Replied(..) => "Replied",
            Self::Lost(_) => "Lost",
            Self::Revoked(_) => "Revoked",
            Self::Unrevoked(_) => "Unrevoked",
        })
    }
}

/// A session that was issued, with its first refresh token.
pub struct SignedIn {
    /// The token. Under `Committed` it was assembled from the receipt and the secret that the host drew.
    pub token: Token,
    /// The rule that the session was issued under.
    pub rule: Issued,
    /// The first access token.
    pub access: Option<NewAccess>,
    /// When the sign-in was sent, by this device's clock.
    pub sent_at: Timestamp,
}

/// Under which rule a session was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issued {
    /// The client draws every next secret.
    Committed,
    /// The server derives it.
    Window,
    /// The server derives it, and tokens are bound to a DPoP key. The nonce for the next proof.
    Bound(Option<String>),
}

/// Why storage did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is locked: the device was not unlocked since it started. Later.
    Locked,
    /// It failed. Later.
    Failed,
    /// It holds a record of a newer version of this library. Upgrade; nothing is lost.
    Newer,
    /// It holds bytes that are no record. Sign in again.
    Damaged,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::Locked, Self::Failed, Self::Newer, Self::Damaged];

    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Locked => "storage_locked",
            Self::Failed => "storage_failed",
            Self::Newer => "wallet_newer",
            Self::Damaged => "wallet_damaged",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the storage of the session is locked; try again when the device is unlocked",
            Self::Failed => "the storage of the session cannot be used; try again later",
            Self::Newer => "the session was stored by a newer version; upgrade this application",
            Self::Damaged => "the stored session is damaged; sign in again",
        })
    }
}

impl core::error::Error for Fault {}

/// What a refresh was answered with. [`verdict`](crate::client::verdict) makes it of an HTTP answer that
/// grants nothing.
pub enum Reply {
    /// 200: the next token, or the same one again.
    Granted(Granted),
    /// The token is older than a repeat can be. With a challenge, for a browser that shows it again.
    Superseded(Option<String>),
    /// The session is over.
    Ended(Why),
    /// The DPoP proof has to carry this nonce.
    NonceRequired(String),
    /// Not now; not before so long.
    Later(Seconds),
    /// The request was wrong: a defect of this client. Nothing is lost.
    Mend,
}

/// What came with a 200.
pub struct Granted {
    /// The next refresh token or the server's half of it.
    pub token: Given,
    /// The access token; none where a repeat is answered under `Committed`.
    pub access: Option<NewAccess>,
    /// The nonce for the next DPoP proof.
    pub nonce: Option<String>,
}

/// The next refresh token, as it came.
pub enum Given {
    /// Whole: under `Window` and `Bound`.
    Token(Token),
    /// The server's half of it: under `Committed`.
    Receipt(Receipt),
}

/// An access token as it came.
pub struct NewAccess {
    /// Its text.
    pub token: Zeroizing<String>,
    /// How long it lives.
    pub expires_in: Seconds,
}
