//! JWK sets as text: read strictly, written for the public and for the issuer ([RFC 7517 section 5]).
//!
//! Refuses what [`KeySet`] refuses, times that are not whole seconds or cannot follow each other, and a withdrawn key
//! that has no name. A symmetric key never comes out in a public set; of a withdrawn key nothing comes out but its
//! name and times.
//!
//! [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::KeyError;
use super::jwk::{self, Element};
use super::jwk_times;
use super::key_set::{Entry, KeySet, MAX_KEYS, MAX_WITHDRAWN, SkippedKey};
use super::schedule::{Phase, Schedule};
use crate::encoding::json;
use crate::time::Timestamp;

impl KeySet {
    /// A set from JSON.
    ///
    /// A private or symmetric key signs from its `nbf` on; of those without `nbf` the first does, the others only
    /// verify, as public keys do. `exp` ends a key. One with `revoked` is withdrawn, whatever else stands there.
    /// Keys of a foreign type or use, and public keys that are malformed, are left out and reported by
    /// [`KeySet::skipped`], so that one bad key of a published set does not stop the rest.
    ///
    /// # Errors
    /// [`KeyError::DuplicateKeyId`], [`KeyError::MixedSet`], [`KeyError::TooManyKeys`]; what is wrong
    /// with a malformed private, symmetric or withdrawn key; where no key is left, why the first was skipped.
    pub fn from_jwks(json: &str) -> Result<Self, KeyError> {
        let keys = json::object(json.as_bytes())?.get("keys").and_then(|keys| keys.as_array());
        let keys = keys.ok_or(KeyError::Malformed)?;
        let (mut set, mut symmetric, mut first) = (Self::empty(), None, true);
        for (index, key) in keys.elements().enumerate() {
            if index >= MAX_KEYS.saturating_add(MAX_WITHDRAWN) {
                return Err(KeyError::TooManyKeys);
            }
            let jwk = key.as_object();
            if let Some(tombstone) = jwk.and_then(jwk_times::tombstone) {
                set.bury(tombstone?)?;
                continue;
            }
            let read = jwk.ok_or(KeyError::Malformed);
            let (jwk, kind) = match read.and_then(|jwk| Ok((jwk, jwk::is_symmetric(jwk)?))) {
                Ok(read) => read,
                Err(reason) => {
                    set.skipped.push(SkippedKey { index, reason });
                    continue;
                }
            };
            if *symmetric.get_or_insert(kind) != kind {
                return Err(KeyError::MixedSet);
            }
            let read = jwk::element(jwk).and_then(|element| Ok((element, jwk_times::schedule(jwk)?)));
            match read {
                Ok((Element::Signing(key), schedule)) => {
                    let signs = schedule.signs_from > Schedule::ALWAYS.signs_from || core::mem::take(&mut first);
                    set.push(if signs {
                        Entry::new(key, schedule)
                    } else {
                        Entry::verify_only(key.verifying_key(), schedule)
                    })?;
                }
                Ok((Element::Verifying(key), schedule)) => set.push(Entry::verify_only(key, schedule))?,
                Err(reason) if is_foreign(reason) || !jwk::is_private(jwk) => {
                    set.skipped.push(SkippedKey { index, reason });
                }
                Err(reason) => return Err(reason),
            }
        }
        match set.skipped.first() {
            Some(skipped) if set.is_empty() => Err(skipped.reason),
            None if set.is_empty() && set.withdrawn().is_empty() => Err(KeyError::NoKeys),
            _ => Ok(set.settled()),
        }
    }

    /// A set that somebody publishes, from JSON: as [`KeySet::from_jwks`], and nothing in it may be secret.
    ///
    /// # Errors
    /// [`KeyError::SymmetricKey`] and [`KeyError::PrivateMembers`], also for a key that would be left out: an issuer that
    /// published one has given it away. Others as [`KeySet::from_jwks`].
    pub fn from_published_jwks(json: &str) -> Result<Self, KeyError> {
        let keys = json::object(json.as_bytes())?.get("keys").and_then(|keys| keys.as_array());
        for jwk in keys.ok_or(KeyError::Malformed)?.elements().filter_map(|key| key.as_object()) {
            if jwk::is_symmetric(jwk) == Ok(true) {
                return Err(KeyError::SymmetricKey);
            }
            if jwk::is_private(jwk) {
                return Err(KeyError::PrivateMembers);
            }
        }
        Self::from_jwks(json)
    }

    /// The set as it may be published at `now`: public members of the keys that are pending, signing or retiring.
    ///
    /// # Errors
    /// [`KeyError::SymmetricKey`] where any key is symmetric.
    pub fn public_jwks(&self, now: Timestamp) -> Result<String, KeyError> {
        let mut keys = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            match entry.phase(now) {
                Phase::Pending | Phase::Signing | Phase::Retiring => keys.push(entry.verifying.public_jwk()?),
                Phase::Retired | Phase::Withdrawn if entry.verifying.algorithm().is_symmetric() => {
                    return Err(KeyError::SymmetricKey);
                }
                Phase::Retired | Phase::Withdrawn => {}
            }
        }
        let mut set = json::Writer::with_capacity(256);
        set.raw("keys", &alloc::format!("[{}]", keys.join(",")));
        Ok(set.finish())
    }

    /// The set with the secrets of the keys that sign, now or at another time, and of symmetric keys, to be
    /// persisted where only the issuer can read it. [`KeySet::from_jwks`] reads it back.
    pub fn private_jwks(&self) -> Zeroizing<String> {
        let mut keys: Vec<Zeroizing<String>> = Vec::new();
        for Entry { verifying, signing, schedule, .. } in &self.entries {
            let secret = signing.as_ref().map(|key| key.secret_bytes()).or_else(|| verifying.secret_bytes());
            // A symmetric key that does not sign has its secret all the same, and says that it only verifies.
            let verifies_only = signing.is_none() && verifying.algorithm().is_symmetric();
            let written = jwk::Written { schedule, verifies_only };
            keys.push(match (secret, verifying.public_half()) {
                (Some(secret), public) => jwk::write_private(verifying, public, secret, &written),
                (None, Some(public)) => Zeroizing::new(jwk::write_public(verifying, public, schedule)),
                (None, None) => continue,
            });
        }
        keys.extend(self.withdrawn.iter().map(|tombstone| Zeroizing::new(jwk_times::write_tombstone(tombstone))));
        let len = keys.iter().map(|key| key.len()).fold(16usize, |sum, len| sum.saturating_add(len).saturating_add(1));
        let mut set = Zeroizing::new(String::with_capacity(len));
        set.push_str("{\"keys\":[");
        for (i, key) in keys.iter().enumerate() {
            if i > 0 {
                set.push(',');
            }
            set.push_str(key);
        }
        set.push_str("]}");
        set
    }
}

/// Whether a key is not wrong but meant for others: another type, algorithm or use.
fn is_foreign(reason: KeyError) -> bool {
    matches!(reason, KeyError::UnsupportedType | KeyError::WrongAlgorithm | KeyError::WrongUse)
}
