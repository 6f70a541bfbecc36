//! Verified tokens kept for a while, so that a signature need not be checked twice.
//!
//! A signature that was right stays right; nothing else about a token does. So a hit asks again for
//! everything but the signature: that the keys are still the very same set and the key's time is not over, the
//! profile, issuer, audience, expiry and all other dates ([`Verifier::accept`]), and revocation. What is kept is the whole token, and a
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
pub const MAX_CAPACITY: usize = 1 << 20;

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
    places: [Option<Box<Entry>>; WAYS],
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

/// A token, and by what it is to be verified.
struct Question<'t, 'k> {
    token: &'t str,
    keys: &'k Arc<KeySet>,
    profile: Profile,
    /// Where it may be kept; none where it may not.
    hash: Option<u64>,
}

/// What was found of a token, besides its payload.
struct Found<'k> {
    len: usize,
    index: Index,
    key: &'k VerifyingKey,
}

impl<'k> Found<'k> {
    /// The claims, with the payload that lies in the front of `bytes`.
    fn claims(self, bytes: &'k [u8]) -> AccessClaims<'k> {
        AccessClaims::remembered(bytes.get(..self.len).unwrap_or_default(), self.index, self.key)
    }
}

impl Entry {
    /// Whether this is what was found of that very token by those very keys and rules.
    fn answers(&self, question: &Question<'_, '_>) -> bool {
        Some(self.hash) == question.hash
            && self.profile == question.profile
            && core::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(question.keys))
            && *self.token == *question.token
    }
}

impl TokenCache {
    /// A cache of at most `capacity` tokens, rounded up to a power of two; at least four, at most
    /// [`MAX_CAPACITY`]. A place takes some 15 bytes, and a token in it twice its length and 200 bytes.
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
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        self.verify_in(verifier, verifier.keys(), token, now, &mut scratch.bytes, judge)
    }

    /// As [`TokenCache::verify`], by other keys than the verifier's, as [`Verifier::verify_by`].
    ///
    /// # Errors
    /// As [`TokenCache::verify`].
    pub fn verify_by<'s>(
        &self,
        verifier: &Verifier,
        keys: Arc<KeySet>,
        token: &str,
        now: Timestamp,
        scratch: &'s mut Scratch,
        judge: impl FnOnce(&AccessClaims<'_>) -> Result<(), InvalidToken>,
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        let Scratch { bytes, keys: held } = scratch;
        self.verify_in(verifier, held.insert(keys), token, now, bytes, judge)
    }

    fn verify_in<'s>(
        &self,
        verifier: &Verifier,
        keys: &'s Arc<KeySet>,
        token: &str,
        now: Timestamp,
        bytes: &'s mut [u8],
        judge: impl FnOnce(&AccessClaims<'_>) -> Result<(), InvalidToken>,
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        let question = Question { token, keys, profile: verifier.config().profile, hash: self.hash(token, keys) };
        let claims = match self.find(&question, now, bytes) {
            Some(found) => {
                let claims = found.claims(bytes);
                verifier.accept(&claims, now)?;
                claims
            }
            None => {
                let claims = verifier.verify_in(keys, token, now, bytes)?;
                self.enter(&question, &claims, now);
                claims
            }
        };
        judge(&claims)?;
        Ok(claims)
    }

    /// Whether the signature of `token` would not be checked again, for a metric or a test.
    pub fn contains(&self, verifier: &Verifier, token: &str, now: Timestamp) -> bool {
        let (keys, profile) = (verifier.keys(), verifier.config().profile);
        let question = Question { token, keys, profile, hash: self.hash(token, keys) };
        self.find(&question, now, &mut [0; MAX_CACHED_LEN]).is_some()
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
    fn hash(&self, token: &str, keys: &KeySet) -> Option<u64> {
        let symmetric = keys.verifying().next()?.algorithm().is_symmetric();
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

    /// What is known of a token, with its payload in the front of `bytes`.
    fn find<'s>(&self, question: &Question<'_, 's>, now: Timestamp, bytes: &mut [u8]) -> Option<Found<'s>> {
        let row = self.row(question.hash?)?.read().unwrap_or_else(PoisonError::into_inner);
        let entry = row.places.iter().flatten().find(|entry| entry.answers(question))?;
        let key = question.keys.at(entry.key, now)?;
        bytes.get_mut(..entry.payload.len())?.copy_from_slice(&entry.payload);
        Some(Found { len: entry.payload.len(), index: entry.index, key })
    }

    fn enter(&self, question: &Question<'_, '_>, claims: &AccessClaims<'_>, now: Timestamp) {
        let Question { token, keys, profile, hash: Some(hash) } = *question else { return };
        let Some(key) = keys.verifying().position(|key| core::ptr::eq(key, claims.key())) else { return };
        let Some(row) = self.row(hash) else { return };
        let payload = claims.payload_bytes().into();
        let entry = Entry {
            hash,
            token: token.into(),
            payload,
            index: claims.index(),
            profile,
            keys: Arc::downgrade(keys),
            key,
        };
        let is_dead = |entry: &Entry| entry.keys.strong_count() == 0 || entry.index.is_past(now);
        let mut row = row.write().unwrap_or_else(PoisonError::into_inner);
        let Row { places, next } = &mut *row;
        let same = places.iter().position(|place| place.as_ref().is_some_and(|other| other.answers(question)));
        let free = || places.iter().position(|place| place.as_deref().is_none_or(is_dead));
        let place = same.or_else(free).unwrap_or_else(|| {
            *next = next.wrapping_add(1);
            *next % WAYS
        });
        if let Some(place) = places.get_mut(place) {
            *place = Some(Box::new(entry));
        }
    }
}

impl<S> fmt::Debug for TokenCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCache({} places)", self.rows.len().saturating_mul(WAYS))
    }
}
