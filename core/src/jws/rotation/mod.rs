//! Key rotation as a machine: [`apply`] takes a set and a [`Command`] and gives the set that follows.
//!
//! ```text
//! Publish ─► Pending ── signs_from ──► Signing ── the next one's signs_from ──► Retiring ── kept_until ──► Retired ─► Prune
//!               └────────────────────────┴───────────── Withdraw ────────────────┴──────────────────────────┘─► Withdrawn
//! ```
//!
//! Only what leaves the line needs somebody to act; the rest are times. A key is published long enough before it
//! signs that everybody knows it, and kept until the last token that it signed has expired, by clocks that are up to
//! [`MAX_LEEWAY`] apart. Refused: a second pending key, a key that would sign too early, a `kid` that was withdrawn, and
//! to withdraw the only key that signs without another in its place.

pub mod invariants;
mod policy;

use alloc::sync::Arc;
use core::fmt;

pub use policy::{RotationPolicy, RotationSettings};

use super::key_set::Entry;
use super::schedule::{Phase, Schedule, WithdrawalReason};
use super::{KeyError, KeySet, SigningKey};
use crate::time::{Seconds, Timestamp};
use crate::token::MAX_LEEWAY;

/// What is to become of a set.
#[derive(Debug)]
pub enum Command<'a> {
    /// A new key comes in. It signs as soon as everybody can know it; at once where no key signs.
    Publish(SigningKey),
    /// A pending key signs now, where it was published long enough before its time, as after the policy's
    /// times were made shorter.
    Promote {
        /// The pending key.
        kid: &'a str,
    },
    /// A key neither signs nor verifies from now on, and is never believed again.
    Withdraw {
        /// The key.
        kid: &'a str,
        /// Why.
        reason: WithdrawalReason,
        /// The key that signs from now on, where the withdrawn one signs and none is pending.
        successor: Option<SigningKey>,
    },
    /// Retired keys go.
    Prune,
}

/// Why a set stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RotationError {
    /// No key of the set is called so.
    UnknownKey,
    /// A key is pending already. Let it sign, or withdraw it.
    AlreadyPending,
    /// The key is not pending.
    NotPending,
    /// The key was not published long enough that everybody knows it. Wait.
    TooEarly,
    /// The key that signs cannot be withdrawn: no other could sign. Bring one.
    NoSuccessor,
    /// The policy's times do not fit together. Mend it.
    Policy,
    /// The set would not be one.
    Key(KeyError),
}

impl RotationError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnknownKey => "rotation_unknown_key",
            Self::AlreadyPending => "rotation_already_pending",
            Self::NotPending => "rotation_not_pending",
            Self::TooEarly => "rotation_too_early",
            Self::NoSuccessor => "rotation_no_successor",
            Self::Policy => "rotation_policy",
            Self::Key(error) => error.reason(),
        }
    }
}

impl From<KeyError> for RotationError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKey => "the set has no key of this key id",
            Self::AlreadyPending => "a key is pending already: let it sign first, or withdraw it",
            Self::NotPending => "the key is not pending",
            Self::TooEarly => {
                "the key was published too recently: verifiers that keep the old set would refuse its tokens"
            }
            Self::NoSuccessor => "the key that signs cannot be withdrawn without another that signs in its place",
            Self::Policy => {
                "the times of the rotation policy do not fit together: tokens must live, no longer than it says, and the \
                 period must be longer than a new key is pending"
            }
            Self::Key(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for RotationError {}

/// A set of one new key, which signs at once.
pub fn first(key: SigningKey, now: Timestamp) -> KeySet {
    let mut set = KeySet::empty();
    let at_once = at_once(&set, now);
    set.entries.push(Entry::new(key, begins(at_once, at_once)));
    set.settled()
}

/// The set that follows from `keys` by `command` at `now`.
///
/// # Errors
/// A [`RotationError`]; `keys` is then as good as before.
pub fn apply(
    keys: &KeySet,
    command: Command<'_>,
    now: Timestamp,
    policy: &RotationPolicy,
) -> Result<KeySet, RotationError> {
    let mut next = keys.same();
    forget_private_halves(&mut next, now, policy);
    match command {
        Command::Publish(key) => publish(&mut next, keys, key, now, policy)?,
        Command::Promote { kid } => promote(&mut next, kid, now, policy)?,
        Command::Withdraw { kid, reason, successor } => withdraw(&mut next, kid, reason, successor, now)?,
        Command::Prune => prune(&mut next, now),
    }
    Ok(next.settled())
}

/// Whether the policy's period has passed since the key that signs began to, and no key is pending.
pub fn is_due(keys: &KeySet, now: Timestamp, policy: &RotationPolicy) -> bool {
    let Some(period) = policy.period else { return false };
    let is_old = |entry: &Entry| entry.phase(now) == Phase::Signing && now >= entry.schedule.signs_from.plus(period);
    keys.entries.iter().any(is_old) && !has(keys, Phase::Pending, now)
}

fn publish(
    next: &mut KeySet,
    keys: &KeySet,
    key: SigningKey,
    now: Timestamp,
    policy: &RotationPolicy,
) -> Result<(), RotationError> {
    if has(keys, Phase::Pending, now) {
        return Err(RotationError::AlreadyPending);
    }
    prune(next, now);
    if keys.signing(now).is_none() {
        let at_once = at_once(keys, now);
        next.push(Entry::new(key, begins(at_once, at_once)))?;
        return Ok(());
    }
    let signs_from = ceil(now.plus(policy.lead()));
    succeed(next, signs_from, now, policy);
    next.push(Entry::new(key, begins(floor(now), signs_from)))?;
    Ok(())
}

fn promote(next: &mut KeySet, kid: &str, now: Timestamp, policy: &RotationPolicy) -> Result<(), RotationError> {
    let entry = next.entries.iter_mut().find(|entry| entry.kid() == kid).ok_or(RotationError::UnknownKey)?;
    if entry.phase(now) != Phase::Pending || entry.signing.is_none() {
        return Err(RotationError::NotPending);
    }
    if now < entry.schedule.published_at.plus(policy.lead()) {
        return Err(RotationError::TooEarly);
    }
    entry.schedule.signs_from = floor(now).max(entry.schedule.published_at);
    Ok(())
}

fn withdraw(
    next: &mut KeySet,
    kid: &str,
    reason: WithdrawalReason,
    successor: Option<SigningKey>,
    now: Timestamp,
) -> Result<(), RotationError> {
    if next.is_withdrawn(kid) {
        // It may have been learnt from elsewhere, and nothing put in its place.
        let replaced = has(next, Phase::Signing, now) || successor.is_none();
        return if replaced { Ok(()) } else { replace(next, successor, now) };
    }
    let entry = next.entries.iter().find(|entry| entry.kid() == kid).ok_or(RotationError::UnknownKey)?;
    let phase = entry.phase(now);
    next.withdraw(kid, now, reason)?;
    if phase == Phase::Signing { replace(next, successor, now) } else { Ok(()) }
}

/// Lets the pending key sign at once; where there is none, the one that was brought.
fn replace(next: &mut KeySet, successor: Option<SigningKey>, now: Timestamp) -> Result<(), RotationError> {
    let at_once = at_once(next, now);
    let pending = |entry: &&mut Entry| entry.phase(now) == Phase::Pending && entry.signing.is_some();
    let pending = next.entries.iter_mut().filter(pending).min_by_key(|entry| entry.schedule.signs_from);
    match (pending, successor) {
        (Some(pending), _) => {
            // Its end stays: by a clock that is ahead it may have begun already, and be succeeded by another.
            let Schedule { published_at, kept_until, .. } = pending.schedule;
            pending.schedule = Schedule { kept_until, ..begins(published_at.min(at_once), at_once) };
        }
        (None, Some(successor)) => next.push(Entry::new(successor, begins(at_once, at_once)))?,
        (None, None) => return Err(RotationError::NoSuccessor),
    }
    Ok(())
}

fn prune(next: &mut KeySet, now: Timestamp) {
    next.entries.retain(|entry| entry.phase(now) != Phase::Retired);
}

/// Gives every key that has signed and has no end yet its end: when what it signs until `signs_from` has expired. The
/// key that signs does not end before that, whatever end it had.
fn succeed(next: &mut KeySet, signs_from: Timestamp, now: Timestamp, policy: &RotationPolicy) {
    let end = signs_from.plus(policy.retention());
    for entry in next.entries.iter_mut().filter(|entry| entry.signing.is_some()) {
        let is_signing = entry.phase(now) == Phase::Signing;
        let kept_until = &mut entry.schedule.kept_until;
        if *kept_until == Timestamp::MAX || (is_signing && *kept_until < end) {
            *kept_until = end;
        }
    }
}

/// What has signed by every clock, and in every process that reads the set in time, needs no private half any more.
fn forget_private_halves(next: &mut KeySet, now: Timestamp, policy: &RotationPolicy) {
    let lag = Seconds::new(policy.reload_interval.get().saturating_add(MAX_LEEWAY.get()));
    for entry in &mut next.entries {
        let is_over = entry.schedule.signs_from <= now && entry.signs_until().plus(lag) <= now;
        if is_over && entry.schedule.kept_until < Timestamp::MAX {
            entry.signing = None::<Arc<SigningKey>>;
        }
    }
}

fn has(keys: &KeySet, phase: Phase, now: Timestamp) -> bool {
    keys.entries.iter().any(|entry| entry.signing.is_some() && entry.phase(now) == phase)
}

/// The time of a key that signs at once by every clock, also by one that is behind: a [`MAX_LEEWAY`] ago, but not
/// before the turn of any key that has begun.
fn at_once(keys: &KeySet, now: Timestamp) -> Timestamp {
    let live = keys.entries.iter().filter(|entry| entry.signing.is_some()).map(|entry| entry.schedule.signs_from);
    let begun = live.chain(keys.withdrawn.iter().map(|tombstone| tombstone.schedule.signs_from));
    begun.filter(|turn| *turn <= now).fold(floor(now.minus(MAX_LEEWAY)), Timestamp::max)
}

const fn begins(published_at: Timestamp, signs_from: Timestamp) -> Schedule {
    Schedule { published_at, signs_from, kept_until: Timestamp::MAX }
}

const fn floor(now: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(now.as_unix_seconds())
}

const fn ceil(now: Timestamp) -> Timestamp {
    floor(Timestamp::from_millis(now.as_millis().saturating_add(999)))
}
