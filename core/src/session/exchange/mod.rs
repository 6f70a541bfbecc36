//! One operation as a conversation with a store: ask, be answered, decide, commit, or begin again.
//!
//! An [`Exchange`] does no I/O. It says what it [`Need`]s and is [resumed](Exchange::resume) with the
//! [`Answer`], until it is [`Need::Done`]. So one file serves SQLite, Redis, PostgreSQL, a host language
//! with its own connections, and a model checker. A commit that lost a race is decided again from
//! fresh bytes; nothing of the lost decision is kept.

mod directory;
mod draft;
mod entropy;
mod erase;
mod issue;
mod limit;
mod list;
mod on_session;
mod open;
mod present;
mod revoke_all;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test")]
mod signing_tests;
mod withdraw_key;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use self::entropy::Entropy;
pub use self::list::Listing;
pub use self::present::{Present, Shown};
use crate::audit;
use crate::id::SessionId;
use crate::revocation::entry::Entry;
use crate::revocation::view::View;
use crate::session::event::Amendment;
use crate::session::issuer::{Grant, Issuer};
use crate::session::outcome::Outcome;
use crate::session::record::RecordError;
use crate::session::sign_in::SignIn;
use crate::session::state::Reason;
use crate::store::{Commit, Committed, Get, List, Listed, Versioned};
use crate::time::Timestamp;

/// How often a lost race is decided again before the operation gives up. Each loss is somebody else's
/// success on the same session or subject.
const MAX_ATTEMPTS: u32 = 1000;

/// What is to be done.
#[derive(Debug)]
pub enum Request {
    /// Claim the store for this deployment, or see that it is its own. Once, before anything else.
    Open,
    /// A subject signs in.
    Issue(SignIn),
    /// A token, authenticated by its tag, is presented.
    Present(Box<Present>),
    /// Scope or claims of a session are replaced.
    Amend(SessionId, Amendment),
    /// The application ends a session.
    Revoke(SessionId, Reason),
    /// Every session of a subject ends, but the one named.
    RevokeAll {
        /// The subject, as it was named at sign-in.
        subject: String,
        /// The session that goes on.
        keep: Option<SessionId>,
    },
    /// Everything of a subject is deleted.
    Erase {
        /// The subject, as it was named at sign-in.
        subject: String,
    },
    /// A signing key, by its `kid`, is never believed again, here or in any process that reads the log.
    WithdrawKey {
        /// What tokens call the key by.
        kid: String,
    },
    /// The live sessions of a subject, in order of their identifiers.
    List {
        /// The subject, as it was named at sign-in.
        subject: String,
        /// The last session of the page before.
        after: Option<SessionId>,
        /// At most so many.
        limit: u32,
    },
}

/// What the exchange needs next.
#[derive(Debug)]
pub enum Need {
    /// Read records.
    Get(Get),
    /// Read a page of sessions.
    List(List),
    /// Compare and write.
    Commit(Commit),
    /// Nothing more.
    Done(Reply),
}

/// What the store answered; [`Answer::Begin`] at first.
#[derive(Debug)]
pub enum Answer {
    /// Nothing was asked yet.
    Begin,
    /// To [`Need::Get`].
    Got(Vec<Option<Versioned>>),
    /// To [`Need::List`].
    Listed(Vec<Listed>),
    /// To [`Need::Commit`].
    Committed(Committed),
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Reply {
    /// The store is this deployment's.
    Opened,
    /// A decision, carried out.
    Decided(Box<Decided>),
    /// A page of sessions.
    Sessions(Vec<Listing>),
}

/// A decision that was carried out.
pub struct Decided {
    /// What was decided.
    pub outcome: Outcome,
    /// The session it concerns.
    pub session: Option<SessionId>,
    /// What is handed out.
    pub grant: Option<Grant>,
    /// The claims of an authenticated session token, as the JSON of an access token's payload.
    pub claims: Option<String>,
    /// The challenge of a superseded token.
    pub challenge: Option<String>,
    /// The nonce that the next proof must carry, where one was refused for want of it.
    pub nonce: Option<String>,
    /// What is to be noted.
    pub audit: Vec<audit::Event>,
    /// What this process must enter in its view before it answers anybody.
    pub entries: Vec<Entry>,
}

impl Decided {
    pub(super) fn new(outcome: Outcome, session: Option<SessionId>) -> Self {
        let (audit, entries) = (Vec::new(), Vec::new());
        Self { outcome, session, grant: None, claims: None, challenge: None, nonce: None, audit, entries }
    }
}

impl fmt::Debug for Decided {
    /// Neither tokens nor claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decided")
            .field("outcome", &self.outcome)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Why an exchange cannot go on. Nothing was changed by the step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A record is not believed.
    Record(RecordError),
    /// The store belongs to another deployment: other secrets or another issuer name.
    ForeignStore,
    /// The store was made with another number of partitions.
    Partitions,
    /// A session's master key, or the key that signs, is gone.
    KeyMissing,
    /// Three signatures in a row were wrong: the machine or its memory is broken. Take it out of service.
    SigningFault,
    /// The race was lost over and over. Try again later.
    Contended,
    /// The answer does not fit the question: a defect of the caller.
    Protocol,
}

impl Failure {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Record(error) => error.reason(),
            Self::ForeignStore => "store_foreign",
            Self::Partitions => "store_partitions",
            Self::KeyMissing => "key_missing",
            Self::SigningFault => "signing_fault",
            Self::Contended => "store_contended",
            Self::Protocol => "exchange_protocol",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::ForeignStore => f.write_str(
                "the store belongs to another deployment: it was made with other secrets or another issuer; use the \
                 secrets it was made with, or an empty store",
            ),
            Self::Partitions => f.write_str(
                "the store was made with another number of partitions; set the policy's `partitions` to that number",
            ),
            Self::KeyMissing => f.write_str("a key that is needed is not among the secrets or the keys any more"),
            Self::SigningFault => f.write_str("signatures come out wrong: this machine or its memory is broken"),
            Self::Contended => f.write_str("too many others were changing the same session; try again"),
            Self::Protocol => f.write_str("an exchange was resumed with an answer that does not fit"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// What every step of an exchange can see.
pub(super) struct Scene<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
    pub(super) entropy: &'a mut Entropy,
}

/// One operation under way.
pub struct Exchange {
    now: Timestamp,
    entropy: Entropy,
    attempts: u32,
    operation: Operation,
}

enum Operation {
    Open(open::Open),
    Issue(issue::Issue),
    OnSession(on_session::OnSession),
    RevokeAll(revoke_all::RevokeAll),
    Erase(erase::Erase),
    List(list::ListSessions),
    WithdrawKey(withdraw_key::WithdrawKey),
}

impl Exchange {
    /// Begins an operation at `now`. Everything random in it is drawn from `entropy`, which must be
    /// fresh for each exchange.
    pub fn begin(request: Request, now: Timestamp, entropy: Entropy) -> Self {
        let operation = match request {
            Request::Open => Operation::Open(open::Open::new()),
            Request::Issue(sign_in) => Operation::Issue(issue::Issue::new(sign_in)),
            Request::Present(present) => Operation::OnSession(on_session::OnSession::present(present)),
            Request::Amend(sid, amendment) => Operation::OnSession(on_session::OnSession::amend(sid, amendment)),
            Request::Revoke(sid, reason) => Operation::OnSession(on_session::OnSession::revoke(sid, reason)),
            Request::RevokeAll { subject, keep } => Operation::RevokeAll(revoke_all::RevokeAll::new(subject, keep)),
            Request::Erase { subject } => Operation::Erase(erase::Erase::new(subject)),
            Request::WithdrawKey { kid } => Operation::WithdrawKey(withdraw_key::WithdrawKey::new(&kid)),
            Request::List { subject, after, limit } => Operation::List(list::ListSessions::new(subject, after, limit)),
        };
        Self { now, entropy, attempts: 0, operation }
    }

    /// Takes the answer to what was needed last ([`Answer::Begin`] at first) and says what is needed next.
    ///
    /// # Errors
    /// [`Failure`]; the exchange is over and must not be resumed.
    pub fn resume(&mut self, answer: Answer, issuer: &Issuer, view: &View) -> Result<Need, Failure> {
        if matches!(answer, Answer::Committed(Committed::Conflict)) {
            self.attempts = self.attempts.saturating_add(1);
            if self.attempts > MAX_ATTEMPTS {
                return Err(Failure::Contended);
            }
        }
        let scene = &mut Scene { issuer, view, now: self.now, entropy: &mut self.entropy };
        match &mut self.operation {
            Operation::Open(open) => open.resume(answer, scene),
            Operation::Issue(issue) => issue.resume(answer, scene),
            Operation::OnSession(session) => session.resume(answer, scene),
            Operation::RevokeAll(revoke) => revoke.resume(answer, scene),
            Operation::Erase(erase) => erase.resume(answer, scene),
            Operation::List(list) => list.resume(answer, scene),
            Operation::WithdrawKey(withdraw) => withdraw.resume(answer, scene),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("now", &self.now).finish_non_exhaustive()
    }
}

/// The one record of an answer to a [`Get`] with one key.
pub(super) fn one(got: Vec<Option<Versioned>>) -> Result<Option<Versioned>, Failure> {
    <[Option<Versioned>; 1]>::try_from(got).map(|[found]| found).map_err(|_| Failure::Protocol)
}

/// Ends an exchange with a decision.
pub(super) fn done(decided: impl Into<Box<Decided>>) -> Need {
    Need::Done(Reply::Decided(decided.into()))
}
