//! Verified tokens kept for a while, so that a signature need not be checked twice.
//!
//! A signature that was right stays right; nothing else about a token does. So a hit asks again for
//! everything but the signature: that the keys are still the very same set, the profile, issuer, audience,
//! expiry and all other dates ([`Verifier::accept`]), and revocation. What is kept is the whole token, and a
//! hit compares all of it. Refusals are never kept.
//!
//! Memory is bounded: a number of places, none for more than [`MAX_CACHED_LEN`] characters. Of many readers
//! none waits for another; who enters a token stops only those that look at the same four places.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::{PoisonError, RwLock};

use super::index::Index;
use super::{AccessClaims, InvalidToken, Profile, Scratch, Verifier};
use crate::jws::{KeySet, VerifyingKey};
use crate::time::Timestamp;

/// The longest token that is kept, in characters. Longer ones are verified each time.
pub const MAX_CACHED_LEN: usize = 2048;

/// The most places that a cache can have.
pub const MAX_CAPACITY: usize = 1 << 24;

/// How many places a token can be in: as many as are looked at for each.
const WAYS: usize = 4;

/// How much of the end of a token is hashed, in characters: all of every signature.
const HASHED_LEN: usize = 86;

/// A bounded cache of verified tokens, for many threads at once.
///
/// Worth its memory for Ed25519 and ES256, where a hit costs a hundredth of a verification. For HMAC it is
/// off unless asked for: there a hit saves less than the whole token costs in memory.
pub struct TokenCache<S = RandomState> {
    rows: Box<[RwLock<Row>]>,
    hasher: S,
    symmetric: bool,
}

/// Four places, and which of them is given up next.
#[derive(Default)]
struct Row {
    places: [Option<Arc<Entry>>; WAYS],
    next: usize,
}

/// A token whose signature was right under a key of a set.
struct Entry {
    hash: u64,
    token: Box<str>,
    payload: Box<[u8]>,
    index: Index,
    profile: Profile,
    /// The set that was asked. Not kept alive by this, but nothing else can come to lie in its place: that
    /// the place is the same is proof that the set is.
    keys: Weak<KeySet>,
    /// Which key of the set it was.
    key: usize,
}

impl Entry {
    /// Whether this is what `verifier` found of `token` before.
    fn is(&self, hash: u64, token: &str, verifier: &Verifier) -> bool {
        self.hash == hash
            && self.profile == verifier.config().profile
            && core::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(verifier.keys()))
            && *self.token == *token
    }
}

impl TokenCache {
    /// A cache of at most `capacity` tokens, rounded up to a power of two; at least four, at most
    /// [`MAX_CAPACITY`]. A token takes about twice its length.
    pub fn new(capacity: usize) -> Self {
        Self::with_hasher(capacity, RandomState::new())
    }
}

impl<S: BuildHasher> TokenCache<S> {
    /// As [`TokenCache::new`], with a hash of the application's.
    ///
    /// # Security
    /// It must be keyed at random, or clients can make each other's tokens displace one another. Whether a token
    /// is accepted does not depend on it.
    pub fn with_hasher(capacity: usize, hasher: S) -> Self {
        let rows = capacity.min(MAX_CAPACITY).div_ceil(WAYS).next_power_of_two();
        let rows = core::iter::repeat_with(RwLock::default).take(rows).collect::<Vec<_>>();
        Self { rows: rows.into_boxed_slice(), hasher, symmetric: false }
    }

    /// Keeps tokens of HMAC keys too.
    #[must_use]
    pub fn for_symmetric_keys(self) -> Self {
        Self { symmetric: true, ..self }
    }

    /// As [`Verifier::verify`], without checking a signature that is known to be right. `judge` is asked about
    /// revocation each time, after all else; say `|_| Ok(())` where there is none to ask.
    ///
    /// Allocates nothing but where it enters a token.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and what `judge` says.
    pub fn verify<'s>(
        &self,
        verifier: &'s Verifier,
        token: &str,
        now: Timestamp,
        scratch: &'s mut Scratch,
        judge: impl FnOnce(&AccessClaims<'_>) -> Result<(), InvalidToken>,
    ) -> Result<Accepted<'s>, InvalidToken> {
        let hash = self.hash(token, verifier);
        if let Some(hash) = hash
            && let Some(remembered) = self.find(hash, token, verifier)
        {
            let claims = remembered.claims();
            verifier.accept(&claims, now)?;
            judge(&claims)?;
            return Ok(Accepted(Origin::Remembered(remembered)));
        }
        let claims = verifier.verify(token, now, scratch)?;
        if let Some(hash) = hash {
            self.enter(hash, token, verifier, &claims, now);
        }
        judge(&claims)?;
        Ok(Accepted(Origin::Fresh(claims)))
    }

    /// Forgets everything, as after a change of keys. Entries under keys that are gone are never hit; this
    /// gives their memory back, and with it what they say about people.
    pub fn clear(&self) {
        for row in &self.rows {
            *row.write().unwrap_or_else(PoisonError::into_inner) = Row::default();
        }
    }

    /// How many tokens are kept.
    pub fn len(&self) -> usize {
        let kept =
            |row: &RwLock<Row>| row.read().unwrap_or_else(PoisonError::into_inner).places.iter().flatten().count();
        self.rows.iter().map(kept).fold(0, usize::saturating_add)
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tokens can be kept.
    pub fn capacity(&self) -> usize {
        self.rows.len().saturating_mul(WAYS)
    }

    /// The hash of a token that may be kept. Of its end only: what has the signature of another token but is
    /// not that token is found unequal, and never entered.
    fn hash(&self, token: &str, verifier: &Verifier) -> Option<u64> {
        let symmetric = verifier.keys().verifying().first()?.algorithm().is_symmetric();
        if symmetric && !self.symmetric || token.len() > MAX_CACHED_LEN {
            return None;
        }
        let end = token.as_bytes().get(token.len().saturating_sub(HASHED_LEN)..)?;
        Some(self.hasher.hash_one(end))
    }

    fn row(&self, hash: u64) -> Option<&RwLock<Row>> {
        // A power of two, so that the remainder is a mask.
        let row = usize::try_from(hash & (self.rows.len().saturating_sub(1) as u64)).ok()?;
        self.rows.get(row)
    }

    fn find<'s>(&self, hash: u64, token: &str, verifier: &'s Verifier) -> Option<Remembered<'s>> {
        let row = self.row(hash)?.read().unwrap_or_else(PoisonError::into_inner);
        let entry = row.places.iter().flatten().find(|entry| entry.is(hash, token, verifier))?;
        let key = verifier.keys().verifying().get(entry.key)?;
        Some(Remembered { entry: Arc::clone(entry), key })
    }

    fn enter(&self, hash: u64, token: &str, verifier: &Verifier, claims: &AccessClaims<'_>, now: Timestamp) {
        let keys = verifier.keys();
        let Some(key) = keys.verifying().iter().position(|key| core::ptr::eq(key, claims.key())) else { return };
        let Some(row) = self.row(hash) else { return };
        let entry = Arc::new(Entry {
            hash,
            token: token.into(),
            payload: claims.payload_bytes().into(),
            index: claims.index(),
            profile: verifier.config().profile,
            keys: Arc::downgrade(keys),
            key,
        });
        let is_dead = |entry: &Entry| entry.keys.strong_count() == 0 || entry.index.is_past(now);
        let mut row = row.write().unwrap_or_else(PoisonError::into_inner);
        let Row { places, next } = &mut *row;
        let same = places.iter().position(|place| place.as_ref().is_some_and(|other| other.is(hash, token, verifier)));
        let free = || places.iter().position(|place| place.as_ref().is_none_or(|other| is_dead(other)));
        let place = same.or_else(free).unwrap_or_else(|| {
            *next = next.wrapping_add(1);
            *next % WAYS
        });
        if let Some(place) = places.get_mut(place) {
            *place = Some(entry);
        }
    }
}

impl<S> fmt::Debug for TokenCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCache({} places)", self.rows.len().saturating_mul(WAYS))
    }
}

/// A token that was accepted, from a cache or afresh.
pub struct Accepted<'s>(Origin<'s>);

enum Origin<'s> {
    Fresh(AccessClaims<'s>),
    Remembered(Remembered<'s>),
}

struct Remembered<'s> {
    entry: Arc<Entry>,
    key: &'s VerifyingKey,
}

impl Remembered<'_> {
    fn claims(&self) -> AccessClaims<'_> {
        AccessClaims::remembered(&self.entry.payload, self.entry.index, self.key)
    }
}

impl Accepted<'_> {
    /// What it says.
    pub fn claims(&self) -> AccessClaims<'_> {
        match &self.0 {
            Origin::Fresh(claims) => *claims,
            Origin::Remembered(remembered) => remembered.claims(),
        }
    }

    /// Whether it was found in the cache, for a metric.
    pub fn was_remembered(&self) -> bool {
        matches!(self.0, Origin::Remembered(_))
    }
}

impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accepted({:?})", self.claims())
    }
}
