//! What must hold of a client, as functions: run over random histories against the real server half, and
//! over clients that are wrong on purpose.
//!
//! [`Before::step`] looks at one decision; [`Ledger`] at one storage and everything that was ever sent
//! from it, by however many processes. Each names the property it found [`Broken`].

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use crate::client::action::{Action, Notice, Request, Step};
use crate::client::event::{Event, Fault, Reply};
use crate::client::record::{self, Content};
use crate::client::state::{Attempt, Held, Phase, Rule, State, Why};
use crate::id::SessionId;
use crate::secret::Commitment;

/// The properties of a client. With those of `session::invariants` they make P5 and P6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// A token is durable together with its next secret before it is sent.
    Durable,
    /// Of one token only one next commitment is ever sent.
    Steady,
    /// A newer generation only ever replaces an older one.
    NewerOnly,
    /// What says nothing of the session leaves it as it is: no answer, trouble of a server or a proxy, and
    /// storage that cannot be read or written.
    Keeps,
    /// Storage that could not be read is not overwritten, but damaged bytes by a new sign-in.
    LeavesAlone,
    /// Once a session is left, nothing of it is delivered.
    Silent,
    /// A session is revoked only where its user left it, or where storage said that somebody else moved it on;
    /// and where the user was told that it is over, it is.
    Proven,
    /// P5: an honest client is never signed out.
    P5,
    /// P6: of a client and a thief who both used the session, one is found out.
    P6,
}

/// A property that does not hold, and how it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken(pub Property, pub &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is broken: {}", self.0, self.1)
    }
}

impl core::error::Error for Broken {}

const fn must(holds: bool, property: Property, seen: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(property, seen)) }
}

/// A client before a decision, and what the decision is about.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    phase: Phase,
    fault: Option<Fault>,
    held: Option<Attempt>,
    says: Says,
}

/// What an event says of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Nothing.
    Nothing,
    /// Something: what storage holds, that it was written, what the server decided, what the user wants.
    Something,
    /// That there is a new one, or that the user leaves it.
    Ours,
}

impl Before {
    /// Looks at a client that `event` is about to happen to.
    pub fn of(state: &State, event: &Event) -> Self {
        let says = match event {
            Event::Wake
            | Event::Reconnect
            | Event::Ask
            | Event::Reject(_)
            | Event::Unreadable(_)
            | Event::Conflict(_)
            | Event::Unwritten(..)
            | Event::Lost(_)
            | Event::Unrevoked(_) => Says::Nothing,
            Event::Replied(_, reply) => match **reply {
                Reply::Granted(_) | Reply::Superseded(_) | Reply::Ended(_) => Says::Something,
                Reply::NonceRequired(_) | Reply::Later(_) | Reply::Mend => Says::Nothing,
            },
            Event::Loaded(_) | Event::Written(_) | Event::Revoked(_) => Says::Something,
            Event::SignIn(_) | Event::SignOut => Says::Ours,
        };
        Self { phase: state.phase(), fault: state.fault(), held: state.held().map(Held::attempt), says }
    }

    /// [`Property::Keeps`], [`Property::NewerOnly`], [`Property::LeavesAlone`] and [`Property::Silent`] for
    /// one decision of [`transition`](crate::client::transition).
    ///
    /// # Errors
    /// The first property that does not hold.
    pub fn step(&self, step: &Step) -> Result<(), Broken> {
        use Property as P;
        let after = step.state.phase();
        let is_over = |phase| matches!(phase, Phase::SignedOut | Phase::Ending | Phase::Reauthenticate);
        let kept = self.says != Says::Nothing || is_over(self.phase);
        must(kept || !is_over(after), P::Keeps, "a session was given up on nothing")?;
        for action in &step.actions {
            match action {
                Action::Persist { record, .. } => {
                    let refused = self.phase == Phase::Unavailable && self.fault != Some(Fault::Damaged);
                    let writes = !refused || step.state.fault().is_none() && self.says == Says::Something;
                    must(writes, P::LeavesAlone, "what could not be read was overwritten")?;
                    let written = record.as_ref().map(|bytes| record::read(bytes));
                    match written {
                        None => must(kept, P::Keeps, "the record was deleted on nothing")?,
                        Some(Err(_)) => return Err(Broken(P::LeavesAlone, "what was written cannot be read")),
                        Some(Ok(record)) => self.content(&record.content, kept)?,
                    }
                }
                Action::Deliver(_) => must(!is_over(after), P::Silent, "delivered after the session was left")?,
                Action::Notify(Notice::SignIn(_)) => must(kept, P::Keeps, "told to sign in on nothing")?,
                Action::Read | Action::Send(_) | Action::Wait(_) | Action::Notify(_) => {}
            }
        }
        Ok(())
    }

    fn content(&self, content: &Content, kept: bool) -> Result<(), Broken> {
        match content {
            Content::Ended(_) => must(kept, Property::Keeps, "the end was written down on nothing"),
            Content::Held(written) => {
                let written = written.attempt();
                let is_older = |held: Attempt| held.session == written.session && held.generation > written.generation;
                must(!self.held.is_some_and(is_older), Property::NewerOnly, "an older generation is written")
            }
        }
    }
}

/// One storage, and everything that was sent from it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The generation that is stored.
    stored: Option<Attempt>,
    /// Whether it cannot be read by this version.
    is_newer: bool,
    /// What was ever durable: of each token the next commitment, where there is one.
    durable: BTreeSet<(Attempt, Option<[u8; 32]>)>,
    /// The next commitment that was sent with each token.
    sent: BTreeMap<Attempt, Option<Commitment>>,
    /// Sessions that may be revoked.
    revocable: BTreeSet<SessionId>,
}

impl Ledger {
    /// Notes that storage holds these bytes durably.
    ///
    /// # Errors
    /// [`Property::NewerOnly`], [`Property::LeavesAlone`].
    pub fn stored(&mut self, bytes: Option<&[u8]>) -> Result<(), Broken> {
        must(!self.is_newer, Property::LeavesAlone, "the record of a newer version was overwritten")?;
        let record = bytes.map(record::read);
        self.is_newer = matches!(record, Some(Err(Fault::Newer)));
        let Some(Ok(record)) = record else {
            self.stored = None;
            return Ok(());
        };
        self.revocable.extend(record.owed.iter().map(|owed| owed.attempt.session));
        let Content::Held(held) = &record.content else {
            self.stored = None;
            return Ok(());
        };
        let attempt = held.attempt();
        let before = self.stored.replace(attempt);
        let fell = before.is_some_and(|b| b.session == attempt.session && b.generation > attempt.generation);
        self.durable.insert((attempt, next(held).map(|commitment| commitment.0)));
        must(!fell, Property::NewerOnly, "an older generation replaced a newer one")
    }

    /// Notes that the user left this session, by signing out or by signing in anew.
    pub fn left(&mut self, session: SessionId) {
        self.revocable.insert(session);
    }

    /// Notes what is sent.
    ///
    /// # Errors
    /// [`Property::Durable`], [`Property::Steady`], [`Property::Proven`].
    pub fn sent(&mut self, request: &Request) -> Result<(), Broken> {
        match request {
            Request::Refresh { attempt, next_commitment, .. } => {
                let before = *self.sent.entry(*attempt).or_insert(*next_commitment);
                must(before == *next_commitment, Property::Steady, "two next commitments of one token")?;
                let is_durable = self.durable.contains(&(*attempt, next_commitment.map(|commitment| commitment.0)));
                must(is_durable, Property::Durable, "sent before it was durable")
            }
            Request::Revoke { attempt, .. } => {
                must(self.revocable.contains(&attempt.session), Property::Proven, "a session is revoked for nothing")
            }
        }
    }
}

fn next(held: &Held) -> Option<Commitment> {
    match &held.rule {
        Rule::Committed { next } => Some(next.commitment()),
        Rule::Window | Rule::Bound { .. } => None,
    }
}

/// P5: whoever is told to sign in again had signed out, or was not alone, or was away for too long.
///
/// # Errors
/// [`Property::P5`].
pub const fn honest_stays_signed_in(notice: Notice) -> Result<(), Broken> {
    let is_honest = matches!(notice, Notice::SignIn(Why::SignedOut));
    must(is_honest || !matches!(notice, Notice::SignIn(_)), Property::P5, "an honest client was signed out")
}

/// P6: where a thief has rotated the client's token and the client has used the session since, the thief
/// no longer has it.
///
/// # Errors
/// [`Property::P6`].
pub const fn one_is_found_out(thief_rotated: bool, thief_is_served: bool) -> Result<(), Broken> {
    must(!thief_rotated || !thief_is_served, Property::P6, "a thief and the client go on side by side")
}
