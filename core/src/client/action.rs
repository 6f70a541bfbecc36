//! What a client has its host do: data, to be carried out in order.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use crate::client::event::Fault;
use crate::client::record::Version;
use crate::client::state::{Attempt, State, Why};
use crate::secret::Commitment;

/// One thing for the host to do.
pub enum Action {
    /// Read storage. Answer once: `Loaded` or `Unreadable`.
    Read,
    /// In one step that no other process can come between: where [`Version::of`] what storage holds is
    /// `expected`, replace it by `record` (delete it where there is none) and make that durable. Answer
    /// once, with the version of `record`: `Written`, `Conflict` or `Unwritten`.
    Persist {
        /// What storage holds if nobody changed it.
        expected: Version,
        /// What it holds from then on.
        record: Option<Zeroizing<Vec<u8>>>,
    },
    /// Send a request. Answer once, with its attempt: `Replied` or `Lost` a refresh, `Revoked` or
    /// `Unrevoked` a revoke. Answers of an earlier process may be passed on or not.
    Send(Request),
    /// Come back with `Wake` when so long has passed on a clock that nobody sets. Replaces the wait before.
    Wait(Duration),
    /// Hand this access token to everybody who waits for one.
    Deliver(Zeroizing<String>),
    /// Tell the application.
    Notify(Notice),
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.write_str("Read"),
            Self::Persist { .. } => f.write_str("Persist"),
            Self::Send(request) => write!(f, "Send({request:?})"),
            Self::Wait(length) => write!(f, "Wait({length:?})"),
            Self::Deliver(_) => f.write_str("Deliver"),
            Self::Notify(notice) => write!(f, "Notify({notice:?})"),
        }
    }
}

/// A request, as `spec/http.md` has it.
pub enum Request {
    /// `POST /refresh`.
    Refresh {
        /// What the answer is passed on with.
        attempt: Attempt,
        /// `refresh_token`.
        token: Zeroizing<String>,
        /// `next_commitment`, under `Committed`.
        next_commitment: Option<Commitment>,
        /// `challenge`, where the server gave one.
        challenge: Option<String>,
        /// Under `Bound`, what the host's DPoP proof carries, where the server gave one.
        nonce: Option<String>,
    },
    /// `POST /revoke`.
    Revoke {
        /// What the answer is passed on with.
        attempt: Attempt,
        /// `token`.
        token: Zeroizing<String>,
    },
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, attempt) = match self {
            Self::Refresh { attempt, .. } => ("Refresh", attempt),
            Self::Revoke { attempt, .. } => ("Revoke", attempt),
        };
        write!(f, "{name} of generation {}", attempt.generation)
    }
}

/// What an application is told. All but [`Notice::SignedIn`] also answer whoever waits for an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The session is durable.
    SignedIn,
    /// There is no session. [`Why::SignedOut`] where none ended otherwise; sign in.
    SignIn(Why),
    /// No access token could be had so far. Later; the client goes on trying.
    Unreachable,
    /// The server says that this client sends wrong requests. Report it; the tokens are kept.
    Mend,
    /// Storage does not do what it should. Nothing is lost; the client goes on trying where that helps.
    Storage(Fault),
}

impl Notice {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignIn(why) => why.reason(),
            Self::Unreachable => "unreachable",
            Self::Mend => "client_mistaken",
            Self::Storage(fault) => fault.reason(),
        }
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The event means nothing here; nothing changed.
    Dropped,
    /// The access token at hand was delivered.
    Delivered,
    /// Whoever asked waits for what is under way.
    Queued,
    /// Storage is read.
    Read,
    /// A refresh was sent.
    Sent,
    /// A record is written.
    Persisted,
    /// What another process stored, or this one before, is used.
    Adopted,
    /// It is tried again after a wait.
    Waiting,
    /// The session is durable.
    SignedIn,
    /// There is no session any more, or there was none.
    SignedOut,
    /// The revoke of a session was acknowledged.
    Revoked,
    /// Not possible before storage can be read: the call changed nothing.
    Refused,
}

/// One decision.
#[derive(Debug)]
pub struct Step {
    /// The client from now on.
    pub state: State,
    /// What the host does, in this order.
    pub actions: Vec<Action>,
    /// What was decided.
    pub outcome: Outcome,
}
