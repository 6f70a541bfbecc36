//! What must hold, as functions: run by the property tests, the fuzz targets and the model alike.
//!
//! [`step`] looks at one decision, [`Ledger`] at everything that was ever handed out, the functions below
//! them at stored bytes. Each names the property it found [`Broken`].

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use crate::encoding::base64url;
use crate::id::{SessionId, SubjectHandle};
use crate::secret::Commitment;
use crate::session::event::{Context, Event, Loaded, Presented};
use crate::session::outcome::{Outcome, SessionWrite, Step};
use crate::session::state::{Replay, Session, State};
use crate::session::transition::{Phase, phase};

/// The properties, by their numbers in `spec/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// The generation never decreases; a revoked session stays revoked.
    P1,
    /// At most one refresh token of a session is live.
    P2,
    /// After a revoke was acknowledged nothing is issued for the session.
    P3,
    /// No refresh token reaches both the honest client and a thief, but as the replay rule allows.
    P4,
    /// A forged token changes nothing.
    P7,
    /// Nothing outlives the absolute deadline; a repeat moves no deadline.
    P8,
    /// Scope grows by `Amend` only.
    P9,
    /// After a revoke-all every session that existed is refused; epochs never repeat.
    P10,
    /// No secret occurs in anything stored, printed or noted.
    P12,
    /// The storage of a session is constant.
    P13,
    /// After an erasure nothing derived from the subject is stored.
    P14,
    /// A record that was changed outside is refused.
    P15,
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

/// P1, P3, P7, P8, P9, P10 and P13 for one decision of [`transition`](crate::session::transition).
///
/// # Errors
/// The first property that does not hold.
pub fn step(loaded: &Loaded<'_>, event: &Event<'_>, context: &Context<'_>, step: &Step) -> Result<(), Broken> {
    use Property as P;
    let phase = phase(loaded, context);
    let grants = step.outcome.grants() || step.outcome == Outcome::Authenticated;
    if let Some(raised) = &step.subject {
        let before = loaded.subject.map_or(0, |subject| subject.epoch);
        must(raised.epoch >= before.max(context.view.min_epoch), P::P10, "an epoch fell")?;
        must(loaded.subject.is_none_or(|subject| !subject.erased), P::P14, "an erased subject came back")?;
    }
    let Some(before) = loaded.session else {
        must(!grants || step.outcome == Outcome::Issued, P::P7, "something was granted without a session")?;
        must(!grants || phase == Phase::Absent, P::P14, "a session was issued to an erased subject")?;
        return match &step.session {
            SessionWrite::Create(session) => deadlines(session, context),
            SessionWrite::Keep => Ok(()),
            _ => Err(Broken(P::P7, "a record that is not there was written")),
        };
    };
    let (after, amended) = match &step.session {
        SessionWrite::Create(_) => return Err(Broken(P::P1, "a session was created over another")),
        SessionWrite::Keep => (before.state, None),
        SessionWrite::Move(state) => (*state, None),
        SessionWrite::Amend(state, entitlement) => (*state, Some(entitlement)),
        SessionWrite::Delete => return must(matches!(event, Event::Erase), P::P1, "a record was deleted"),
    };
    must(after.generation >= before.state.generation, P::P1, "the generation fell")?;
    let stays = before.state.revoked.is_none() || after.revoked == before.state.revoked;
    must(stays, P::P1, "a revoked session came back")?;
    must(!grants || phase != Phase::Revoked, P::P3, "something was granted for a revoked session")?;
    let is_ahead = presented_of(event).is_some_and(|token| token.generation > before.state.generation);
    must(!grants || phase != Phase::Idle || is_ahead, P::P8, "something was granted past the idle deadline")?;
    must(!grants || phase != Phase::Expired, P::P8, "something was granted past the absolute deadline")?;
    must(after.epoch >= before.state.epoch, P::P10, "the epoch of a session fell")?;
    must(after.claims_version >= before.state.claims_version, P::P9, "the claims version fell")?;
    must(after.idle_deadline >= before.state.idle_deadline, P::P8, "the idle deadline fell")?;
    must(after.idle_deadline <= before.terms.absolute_deadline, P::P8, "the idle deadline is past the absolute one")?;
    if matches!(step.outcome, Outcome::Repeated | Outcome::Paused | Outcome::Superseded { .. } | Outcome::Refused(_)) {
        must(after == before.state && amended.is_none(), P::P8, "an answer that changes nothing changed something")?;
    }
    must(amended.is_none() || matches!(event, Event::Amend { .. }), P::P9, "the entitlement changed")?;
    match event {
        Event::Rotate(rotate) => {
            let within =
                |asked: &str| asked.split(' ').all(|one| before.entitlement.scope.split(' ').any(|s| s == one));
            must(!grants || rotate.scope.is_none_or(within), P::P9, "a token has more scope than was granted")?;
            forged(rotate.presented, before.state, after, grants)
        }
        Event::Authenticate(presented) | Event::Revoke { presented: Some(presented), .. } => {
            forged(*presented, before.state, after, grants)
        }
        Event::Issue(_) | Event::Amend { .. } | Event::Revoke { presented: None, .. } | Event::Erase => Ok(()),
    }
}

const fn presented_of<'e>(event: &'e Event<'_>) -> Option<&'e Presented> {
    match event {
        Event::Rotate(rotate) => Some(&rotate.presented),
        Event::Authenticate(presented) | Event::Revoke { presented: Some(presented), .. } => Some(presented),
        Event::Issue(_) | Event::Amend { .. } | Event::Revoke { presented: None, .. } | Event::Erase => None,
    }
}

fn forged(presented: Presented, before: State, after: State, grants: bool) -> Result<(), Broken> {
    must(presented.sealed || (before == after && !grants), Property::P7, "a token with a wrong seal did something")
}

fn deadlines(session: &Session, context: &Context<'_>) -> Result<(), Broken> {
    let (terms, state) = (&session.terms, &session.state);
    let latest = context.now.plus(context.policy.absolute_ttl);
    let holds = state.idle_deadline <= terms.absolute_deadline && terms.absolute_deadline <= latest;
    must(holds, Property::P8, "a new session has a deadline past the absolute one")
}

/// P2: of all tokens ever made for a session, at most one is the current one.
///
/// # Errors
/// [`Property::P2`].
pub fn at_most_one_is_live(session: &Session, tokens: &[Presented]) -> Result<(), Broken> {
    let is_live =
        |token: &&Presented| token.generation == session.state.generation && token.commitment == session.state.current;
    let live: BTreeSet<_> = tokens.iter().filter(is_live).map(|token| (token.generation, token.commitment.0)).collect();
    must(live.len() <= 1, Property::P2, "two tokens are live")
}

/// What a thief had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theft {
    /// A copy of the token.
    Token,
    /// Of the token and the next secret, or of the token and one proof.
    TokenAndNext,
    /// Of a request or a response, after it was delivered.
    Message,
}

/// P4: how many refresh tokens, handed out after the theft, both sides hold.
///
/// # Errors
/// [`Property::P4`].
pub fn no_stealth_sharing(
    replay: Replay,
    theft: Theft,
    honest: &[Commitment],
    thief: &[Commitment],
) -> Result<(), Broken> {
    let shared = honest.iter().filter(|token| thief.contains(token)).count();
    let allowed = match (replay, theft) {
        (Replay::Window(window), _) if window.width.get() > 0 => return Ok(()),
        (Replay::Committed | Replay::Bound, Theft::TokenAndNext) => 1,
        (Replay::Committed | Replay::Bound | Replay::Window(_), _) => 0,
    };
    must(shared <= allowed, Property::P4, "a thief and the client hold the same token")
}

/// P1, P3 and P10 over everything that was decided, whatever the store forgot meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    revoked: BTreeSet<SessionId>,
    generations: BTreeMap<SessionId, u32>,
    epochs: BTreeMap<SubjectHandle, u64>,
}

impl Ledger {
    /// Notes what was handed out for a session at this generation and epoch.
    ///
    /// # Errors
    /// [`Property::P3`] after its revoke was noted, [`Property::P10`] below a noted epoch.
    pub fn issued(&mut self, session: SessionId, generation: u32, epoch: u64) -> Result<(), Broken> {
        must(!self.revoked.contains(&session), Property::P3, "something was issued after the revoke")?;
        let minimum = self.epochs.get(&session.subject()).copied().unwrap_or(0);
        must(epoch >= minimum, Property::P10, "something was issued below the epoch")?;
        let highest = self.generations.entry(session).or_default();
        let rose = generation >= *highest;
        *highest = generation.max(*highest);
        must(rose, Property::P1, "an older generation was handed out")
    }

    /// Notes that a revoke of the session was acknowledged.
    pub fn revoked(&mut self, session: SessionId) {
        self.revoked.insert(session);
    }

    /// Notes that a revoke-all or an erasure was acknowledged with this epoch.
    ///
    /// # Errors
    /// [`Property::P10`] where the epoch was there before.
    pub fn raised(&mut self, subject: SubjectHandle, epoch: u64) -> Result<(), Broken> {
        let before = self.epochs.insert(subject, epoch);
        must(before.is_none_or(|before| before < epoch), Property::P10, "an epoch came twice")
    }
}

/// P12: none of the secrets occurs in `bytes`, neither raw nor as base64url or hexadecimal text.
///
/// # Errors
/// [`Property::P12`].
pub fn holds_no_secret(bytes: &[u8], secrets: &[&[u8]]) -> Result<(), Broken> {
    let occurs = |needle: &[u8]| !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle);
    let hex = |secret: &[u8]| secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<Vec<u8>>();
    let seen = secrets.iter().any(|secret| {
        // Within a longer text the groups of base64 may begin at any of three places.
        let shifted = |skip: usize| secret.get(skip..).unwrap_or_default();
        let inner = |text: &[u8]| text.split_last().map_or(Vec::new(), |(_, inner)| inner.to_vec());
        occurs(secret)
            || occurs(&hex(secret))
            || (0..3).any(|skip| occurs(&inner(base64url::encode(shifted(skip)).as_bytes())))
    });
    must(!seen, Property::P12, "a secret is in the bytes")
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_sub(10).wrapping_add(nibble) }
}

/// P13: a record is as long after a rotation as before.
///
/// # Errors
/// [`Property::P13`].
pub fn storage_is_constant(before: &[u8], after: &[u8]) -> Result<(), Broken> {
    must(before.len() == after.len(), Property::P13, "a record changed its length")
}

/// P14: nothing the application said of the person occurs in `bytes`.
///
/// # Errors
/// [`Property::P14`].
pub fn leads_to_nobody(bytes: &[u8], said: &[&str]) -> Result<(), Broken> {
    let occurs = |text: &&str| !text.is_empty() && bytes.windows(text.len()).any(|window| window == text.as_bytes());
    must(!said.iter().any(occurs), Property::P14, "something of the person is in the bytes")
}

/// P15: with any one bit changed, `is_believed` refuses the record that it believes as it is.
///
/// # Errors
/// [`Property::P15`].
pub fn is_bound_to_its_bytes(record: &[u8], is_believed: impl Fn(&[u8]) -> bool) -> Result<(), Broken> {
    must(is_believed(record), Property::P15, "a good record is refused")?;
    let mut changed = record.to_vec();
    for at in 0..changed.len() {
        for bit in 0..8 {
            let flip = |changed: &mut [u8]| changed.get_mut(at).map(|byte| *byte ^= 1 << bit);
            flip(&mut changed);
            must(!is_believed(&changed), Property::P15, "a changed record is believed")?;
            flip(&mut changed);
        }
    }
    Ok(())
}
