//! The keys that an issuer signs with or a verifier trusts, each with its [`Schedule`].
//!
//! Which key signs and which verify follows from the schedules and `now`, so a set that was read once does the
//! right thing when its times come. A set never changes: `rotation` makes another one, and whoever holds sets
//! tells them apart by their `Arc`. Refuses: two keys of one `kid`, symmetric beside asymmetric keys, more than
//! [`MAX_KEYS`]. No key is ever chosen for a `kid` that does not name it, and none of a withdrawn `kid` at all.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::schedule::{KeyStatus, KeyTag, Phase, Schedule, Tombstone, WithdrawalReason};
use super::{JwsError, KeyError, SigningKey, Typ, VerifyingKey};
use crate::encoding::json::Text;
use crate::time::Timestamp;

/// The most keys that a set may have, besides those that were withdrawn.
pub const MAX_KEYS: usize = 64;

/// The most withdrawn keys that a set remembers.
pub const MAX_WITHDRAWN: usize = 128;

/// A key of a set that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from zero.
    pub index: usize,
    /// Why it cannot be used.
    pub reason: KeyError,
}

/// Keys by `kid`: at any moment at most one that signs, and all that verify.
pub struct KeySet {
    pub(super) entries: Vec<Entry>,
    pub(super) withdrawn: Vec<Tombstone>,
    pub(super) skipped: Vec<SkippedKey>,
}

/// A key that was not withdrawn. Sets share the key itself, so a secret lies in memory once.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) verifying: Arc<VerifyingKey>,
    /// The private half, where it is there and may sign.
    pub(super) signing: Option<Arc<SigningKey>>,
    pub(super) schedule: Schedule,
    /// When the next key's turn to sign comes; settled by [`KeySet::settled`].
    signs_until: Timestamp,
}

impl Entry {
    pub(super) fn new(key: SigningKey, schedule: Schedule) -> Self {
        let verifying = Arc::new(key.verifying_key());
        Self { verifying, signing: Some(Arc::new(key)), schedule, signs_until: Timestamp::MAX }
    }

    pub(super) fn verify_only(key: VerifyingKey, schedule: Schedule) -> Self {
        Self { verifying: Arc::new(key), signing: None, schedule, signs_until: Timestamp::MAX }
    }

    pub(super) fn kid(&self) -> &str {
        self.verifying.kid()
    }

    pub(super) fn phase(&self, now: Timestamp) -> Phase {
        if !self.verifies(now) {
            return Phase::Retired;
        }
        if now < self.schedule.signs_from {
            return Phase::Pending;
        }
        let is_its_turn = now < self.signs_until || self.signs_until == Timestamp::MAX;
        if is_its_turn && self.signing.is_some() { Phase::Signing } else { Phase::Retiring }
    }

    /// When this key's turn to sign was over for good.
    pub(super) fn signs_until(&self) -> Timestamp {
        self.signs_until
    }

    /// A pending key already verifies: a signer whose clock is ahead may use it by now.
    fn verifies(&self, now: Timestamp) -> bool {
        now < self.schedule.kept_until || self.schedule.kept_until == Timestamp::MAX
    }
}

impl KeySet {
    /// A set of one key, which signs and verifies without end.
    pub fn new(key: SigningKey) -> Self {
        let entries = alloc::vec![Entry::new(key, Schedule::ALWAYS)];
        Self { entries, withdrawn: Vec::new(), skipped: Vec::new() }
    }

    /// A set that only verifies.
    ///
    /// # Errors
    /// [`KeyError::NoKeys`], [`KeyError::TooManyKeys`], [`KeyError::DuplicateKeyId`] or
    /// [`KeyError::MixedSet`].
    pub fn verify_only(keys: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        let set = keys.into_iter().try_fold(Self::empty(), Self::with_verifying)?;
        if set.is_empty() { Err(KeyError::NoKeys) } else { Ok(set) }
    }

    /// This set and one more key that verifies without end.
    ///
    /// # Errors
    /// [`KeyError::TooManyKeys`], [`KeyError::DuplicateKeyId`], [`KeyError::Withdrawn`] or
    /// [`KeyError::MixedSet`].
    pub fn with_verifying(mut self, key: VerifyingKey) -> Result<Self, KeyError> {
        self.push(Entry::verify_only(key, Schedule::ALWAYS))?;
        Ok(self.settled())
    }

    pub(crate) const fn empty() -> Self {
        Self { entries: Vec::new(), withdrawn: Vec::new(), skipped: Vec::new() }
    }

    /// Adds a key. The set must be [settled](Self::settled) before it is used.
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), KeyError> {
        if self.entries.len() >= MAX_KEYS {
            return Err(KeyError::TooManyKeys);
        }
        if self.entries.iter().any(|other| other.kid() == entry.kid()) {
            return Err(KeyError::DuplicateKeyId);
        }
        if self.is_withdrawn(entry.kid()) {
            return Err(KeyError::Withdrawn);
        }
        let symmetric = entry.verifying.algorithm().is_symmetric();
        if self.entries.iter().any(|other| other.verifying.algorithm().is_symmetric() != symmetric) {
            return Err(KeyError::MixedSet);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Remembers a withdrawn key. The set must be [settled](Self::settled) before it is used.
    pub(super) fn bury(&mut self, tombstone: Tombstone) -> Result<(), KeyError> {
        if self.withdrawn.len() >= MAX_WITHDRAWN {
            return Err(KeyError::TooManyKeys);
        }
        if self.is_withdrawn(&tombstone.kid) || self.entries.iter().any(|entry| entry.kid() == tombstone.kid) {
            return Err(KeyError::DuplicateKeyId);
        }
        self.withdrawn.push(tombstone);
        Ok(())
    }

    /// Settles whose turn to sign is when: a key's ends where the next one's begins, so two never sign at once.
    /// Of two that begin in the same second the later in the set signs. A withdrawn key whose turn had come
    /// still ends that of the keys before it: they may be forgotten elsewhere already.
    pub(super) fn settled(mut self) -> Self {
        let signs = |entry: &Entry| entry.signing.as_ref().map(|_| entry.schedule.signs_from);
        let turns: Vec<Option<Timestamp>> = self.entries.iter().map(signs).collect();
        for (place, entry) in self.entries.iter_mut().enumerate() {
            let from = entry.schedule.signs_from;
            let later = |(other, turn): (usize, &Option<Timestamp>)| {
                turn.filter(|turn| *turn > from || (*turn == from && other > place))
            };
            let next = turns.iter().enumerate().filter_map(later).min();
            let ended = self.withdrawn.iter().filter(|tombstone| tombstone.had_begun());
            let ended = ended.map(|tombstone| tombstone.schedule.signs_from).filter(|turn| *turn > from).min();
            let ends = [next, ended].into_iter().flatten().min().unwrap_or(Timestamp::MAX);
            entry.signs_until = ends.min(entry.schedule.kept_until);
        }
        self
    }

    /// The key that signs at `now`.
    pub fn signing(&self, now: Timestamp) -> Option<&SigningKey> {
        let entry = self.entries.iter().find(|entry| entry.phase(now) == Phase::Signing)?;
        entry.signing.as_deref()
    }

    /// Whether the set has a key that signs, now or at another time.
    pub fn can_sign(&self) -> bool {
        self.entries.iter().any(|entry| entry.signing.is_some())
    }

    /// All keys that verify, now or at another time.
    pub fn verifying(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.entries.iter().map(|entry| entry.verifying.as_ref())
    }

    /// The keys that verify at `now`.
    pub(super) fn verifying_at(&self, now: Timestamp) -> impl Iterator<Item = &VerifyingKey> {
        self.entries.iter().filter(move |entry| entry.verifies(now)).map(|entry| entry.verifying.as_ref())
    }

    /// The key in a place of [`KeySet::verifying`], where it verifies at `now`.
    #[cfg(feature = "std")]
    pub(crate) fn at(&self, place: usize, now: Timestamp) -> Option<&VerifyingKey> {
        self.entries.get(place).filter(|entry| entry.verifies(now)).map(|entry| entry.verifying.as_ref())
    }

    /// Whether no key of the set verifies, ever.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What [`KeySet::from_jwks`] left out.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// What is remembered of withdrawn keys.
    pub fn withdrawn(&self) -> &[Tombstone] {
        &self.withdrawn
    }

    /// Every key as it is at `now`, withdrawn ones last.
    pub fn statuses(&self, now: Timestamp) -> impl Iterator<Item = KeyStatus<'_>> {
        let live = self.entries.iter().map(move |entry| KeyStatus {
            kid: entry.kid(),
            algorithm: Some(entry.verifying.algorithm()),
            phase: entry.phase(now),
            schedule: entry.schedule,
            withdrawn: None,
        });
        live.chain(self.withdrawn.iter().map(|tombstone| KeyStatus {
            kid: &tombstone.kid,
            algorithm: tombstone.algorithm,
            phase: Phase::Withdrawn,
            schedule: tombstone.schedule,
            withdrawn: Some((tombstone.withdrawn_at, tombstone.reason)),
        }))
    }

    /// The key called `kid` that verifies at `now`; without a `kid`, the only key, where there is only one.
    pub fn find(&self, kid: Option<&str>, now: Timestamp) -> Option<&VerifyingKey> {
        let mut verifying = self.entries.iter().filter(|entry| entry.verifies(now));
        let found = match kid {
            Some(kid) => verifying.find(|entry| entry.kid() == kid),
            None => verifying.next().filter(|_| verifying.next().is_none()),
        };
        found.map(|entry| entry.verifying.as_ref())
    }

    /// As [`KeySet::find`], by a header's `kid`.
    pub(super) fn find_text(&self, kid: Option<Text<'_>>, now: Timestamp) -> Result<&VerifyingKey, JwsError> {
        let Some(kid) = kid else { return self.find(None, now).ok_or(JwsError::UnknownKey) };
        let found = self.entries.iter().find(|entry| kid.eq_str(entry.kid())).filter(|entry| entry.verifies(now));
        match found {
            Some(entry) => Ok(&entry.verifying),
            None if self.withdrawn.iter().any(|tombstone| kid.eq_str(&tombstone.kid)) => Err(JwsError::KeyWithdrawn),
            None => Err(JwsError::UnknownKey),
        }
    }

    /// The key whose constant header for `typ` is `segment`, and which verifies at `now`.
    pub(super) fn find_header(&self, segment: &str, typ: Typ, now: Timestamp) -> Option<&VerifyingKey> {
        let entry = self.entries.iter().find(|entry| entry.verifying.header(typ) == segment)?;
        if entry.verifies(now) { Some(&entry.verifying) } else { None }
    }

    /// This set without the keys of these names, where it has any: what another process withdrew is withdrawn
    /// here too, before the file says so.
    #[must_use]
    pub fn withhold(&self, tags: &BTreeSet<KeyTag>, now: Timestamp) -> Option<Self> {
        let is_hit = |entry: &&Entry| tags.contains(&entry.verifying.tag());
        let mut set = self.same();
        for entry in self.entries.iter().filter(is_hit) {
            // One more than is remembered is not remembered, but gone all the same.
            let _ = set.withdraw(entry.kid(), now, WithdrawalReason::Unspecified);
        }
        (set.entries.len() < self.entries.len()).then(|| set.settled())
    }

    /// Takes a key out and remembers its name. Where it was pending, the key before it goes on.
    /// The set must be [settled](Self::settled) before it is used.
    pub(super) fn withdraw(&mut self, kid: &str, now: Timestamp, reason: WithdrawalReason) -> Result<(), KeyError> {
        let Some(place) = self.entries.iter().position(|entry| entry.kid() == kid) else { return Ok(()) };
        let entry = self.entries.remove(place);
        if entry.phase(now) == Phase::Pending {
            self.pass_over(&entry.schedule);
        }
        // The one withdrawn longest ago makes room: its tokens are long dead, and the revocation log keeps its name.
        let oldest = self.withdrawn.iter().enumerate().min_by_key(|(_, tombstone)| tombstone.withdrawn_at);
        if let (true, Some((oldest, _))) = (self.withdrawn.len() >= MAX_WITHDRAWN, oldest) {
            self.withdrawn.remove(oldest);
        }
        let Entry { verifying, schedule, .. } = entry;
        self.bury(Tombstone {
            kid: verifying.kid().into(),
            algorithm: Some(verifying.algorithm()),
            schedule,
            withdrawn_at: Timestamp::from_unix_seconds(now.as_unix_seconds()),
            reason,
        })
    }

    /// Lets the key before one that will not sign go on until the end of that one's turn: it inherits its end too. That
    /// is seldom an end at all: only where a clock that is ahead has published another key behind it already.
    fn pass_over(&mut self, withdrawn: &Schedule) {
        let is_before =
            |entry: &&mut Entry| entry.signing.is_some() && entry.schedule.signs_from < withdrawn.signs_from;
        if let Some(before) = self.entries.iter_mut().filter(is_before).max_by_key(|entry| entry.schedule.signs_from) {
            before.schedule.kept_until = before.schedule.kept_until.max(withdrawn.kept_until);
        }
    }

    /// Whether the `kid` was withdrawn.
    pub fn is_withdrawn(&self, kid: &str) -> bool {
        self.withdrawn.iter().any(|tombstone| tombstone.kid == kid)
    }

    /// The same keys once more, in a set that is to become another one.
    pub(super) fn same(&self) -> Self {
        Self { entries: self.entries.clone(), withdrawn: self.withdrawn.clone(), skipped: self.skipped.clone() }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live: Vec<&VerifyingKey> = self.verifying().collect();
        f.debug_struct("KeySet").field("keys", &live).field("withdrawn", &self.withdrawn).finish()
    }
}
