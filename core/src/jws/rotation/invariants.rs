//! What must hold of key rotation, as functions: run by the property tests, also against machines that are wrong.
//!
//! [`moment`] and [`published`] look at one set, [`Ledger`] at everything that happened in a deployment whose
//! processes read the set at different times and by different clocks. Times of a ledger are those of one clock that
//! nobody in the deployment has. Each names the property it found [`Broken`].

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use crate::jws::{KeyError, KeyStatus, Phase};
use crate::time::{Seconds, Timestamp};

/// The properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// At most one key signs at a time.
    OneSigns,
    /// No key signs before everybody who keeps an older set has let go of it: but the first of a set, and one that
    /// takes the place of a withdrawn key.
    KnownBefore,
    /// Whatever an honest process signed is accepted by every verifier until it expires, unless its key was withdrawn.
    Accepted,
    /// A withdrawn key neither signs nor verifies where the withdrawal is known.
    Withdrawn,
    /// Time moves phases forward only.
    Forward,
    /// A symmetric key is never published.
    NoSecretPublished,
    /// Exactly the keys that are pending, signing or retiring are published.
    PublishedWhole,
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

/// One set at one moment.
///
/// # Errors
/// [`Property::OneSigns`].
pub fn moment(keys: &[KeyStatus<'_>]) -> Result<(), Broken> {
    let signing = keys.iter().filter(|key| key.phase == Phase::Signing).count();
    must(signing <= 1, Property::OneSigns, "two keys sign at once")
}

/// What is published of a set at a moment: the names, or why nothing is.
///
/// # Errors
/// [`Property::NoSecretPublished`], [`Property::PublishedWhole`].
pub fn published(keys: &[KeyStatus<'_>], published: Result<&[String], KeyError>) -> Result<(), Broken> {
    let symmetric = |key: &KeyStatus<'_>| {
        key.phase != Phase::Withdrawn && key.algorithm.is_some_and(|algorithm| algorithm.is_symmetric())
    };
    if keys.iter().any(symmetric) {
        let refused = published == Err(KeyError::SymmetricKey);
        return must(refused, Property::NoSecretPublished, "a symmetric key was published");
    }
    let Ok(names) = published else { return must(false, Property::PublishedWhole, "nothing was published") };
    let is_wanted = |key: &&KeyStatus<'_>| matches!(key.phase, Phase::Pending | Phase::Signing | Phase::Retiring);
    let has_all = keys.iter().filter(is_wanted).all(|key| names.iter().any(|name| name == key.kid));
    must(has_all, Property::PublishedWhole, "a key that verifies is not published")?;
    let has_more = names.len() > keys.iter().filter(is_wanted).count();
    must(!has_more, Property::PublishedWhole, "a key that does not verify is published")
}

/// What one process has read: the set as it was at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsOf(pub Timestamp);

/// Everything that happened to the keys of a deployment.
#[derive(Clone, Debug)]
pub struct Ledger {
    known_after: Seconds,
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug)]
struct Key {
    published: Timestamp,
    /// Whether it may sign before everybody can know it.
    is_hurried: bool,
    withdrawn: Option<Timestamp>,
}

impl Ledger {
    /// A deployment in which an older set is kept nowhere for longer than `known_after`.
    pub const fn new(known_after: Seconds) -> Self {
        Self { known_after, keys: BTreeMap::new() }
    }

    /// A key was published; `is_hurried` where it may sign at once.
    pub fn published(&mut self, kid: &str, at: Timestamp, is_hurried: bool) {
        self.keys.entry(kid.into()).or_insert(Key { published: at, is_hurried, withdrawn: None });
    }

    /// A pending key took the place of a withdrawn one.
    pub fn hurried(&mut self, kid: &str) {
        self.keys.entry(kid.into()).and_modify(|key| key.is_hurried = true);
    }

    /// A key was withdrawn.
    pub fn withdrawn(&mut self, kid: &str, at: Timestamp) {
        self.keys.entry(kid.into()).and_modify(|key| key.withdrawn = key.withdrawn.or(Some(at)));
    }

    /// A process that read the set `as_of` signed with a key.
    ///
    /// # Errors
    /// [`Property::Withdrawn`], [`Property::KnownBefore`].
    pub fn signed(&self, kid: &str, at: Timestamp, as_of: AsOf) -> Result<(), Broken> {
        let Some(key) = self.keys.get(kid) else {
            return must(false, Property::KnownBefore, "a key signs that nobody published");
        };
        let knew = key.withdrawn.is_some_and(|withdrawn| as_of.0 >= withdrawn);
        must(!knew, Property::Withdrawn, "a withdrawn key signs")?;
        let is_known = key.is_hurried || at >= key.published.plus(self.known_after);
        must(is_known, Property::KnownBefore, "a key signs before everybody can know it")
    }

    /// A verifier that has the set `as_of` was shown a token of `kid` that has not expired by its clock.
    ///
    /// # Errors
    /// [`Property::Withdrawn`], [`Property::Accepted`].
    pub fn judged(&self, kid: &str, is_accepted: bool, as_of: AsOf) -> Result<(), Broken> {
        let Some(key) = self.keys.get(kid) else { return Ok(()) };
        if let Some(withdrawn) = key.withdrawn {
            let knew = as_of.0 >= withdrawn;
            return must(!(is_accepted && knew), Property::Withdrawn, "a withdrawn key verifies");
        }
        let excused = key.is_hurried && as_of.0 < key.published;
        must(is_accepted || excused, Property::Accepted, "a good token is refused")
    }
}

/// The phases that one clock has seen, which must not go back while the set stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    seen: BTreeMap<String, Phase>,
}

impl Phases {
    /// Takes in the set at a later moment.
    ///
    /// # Errors
    /// [`Property::Forward`].
    pub fn seen(&mut self, keys: &[KeyStatus<'_>]) -> Result<(), Broken> {
        for key in keys {
            let seen = self.seen.entry(key.kid.into()).or_insert(key.phase);
            must(*seen <= key.phase, Property::Forward, "a phase went back")?;
            *seen = key.phase;
        }
        Ok(())
    }
}
