//! The keys that an issuer signs with or a verifier trusts ([RFC 7517 section 5]).
//!
//! Refuses: two keys of one `kid`, symmetric beside asymmetric keys, more than [`MAX_KEYS`]. A symmetric
//! key never comes out in a public set. No key is ever chosen for a `kid` that does not name it.
//!
//! [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::jwk::{self, Element};
use super::{KeyError, SigningKey, Typ, VerifyingKey};
use crate::encoding::json::{self, Text};

/// The most keys that a set may have.
pub const MAX_KEYS: usize = 64;

/// A key of a set that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from zero.
    pub index: usize,
    /// Why it cannot be used.
    pub reason: KeyError,
}

/// Keys by `kid`: at most one that signs, and all that verify.
pub struct KeySet {
    signing: Option<SigningKey>,
    verifying: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
}

impl KeySet {
    /// A set of one key, which signs and verifies.
    pub fn new(key: SigningKey) -> Self {
        let verifying = alloc::vec![key.verifying_key()];
        Self { signing: Some(key), verifying, skipped: Vec::new() }
    }

    /// A set that only verifies.
    ///
    /// # Errors
    /// [`KeyError::NoKeys`], [`KeyError::TooManyKeys`], [`KeyError::DuplicateKeyId`] or
    /// [`KeyError::MixedSet`].
    pub fn verify_only(keys: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        let empty = Self { signing: None, verifying: Vec::new(), skipped: Vec::new() };
        let set = keys.into_iter().try_fold(empty, Self::with_verifying)?;
        if set.verifying.is_empty() { Err(KeyError::NoKeys) } else { Ok(set) }
    }

    /// This set and one more key that verifies.
    ///
    /// # Errors
    /// [`KeyError::TooManyKeys`], [`KeyError::DuplicateKeyId`] or [`KeyError::MixedSet`].
    pub fn with_verifying(mut self, key: VerifyingKey) -> Result<Self, KeyError> {
        if self.verifying.len() >= MAX_KEYS {
            return Err(KeyError::TooManyKeys);
        }
        if self.verifying.iter().any(|other| other.kid() == key.kid()) {
            return Err(KeyError::DuplicateKeyId);
        }
        let symmetric = key.algorithm().is_symmetric();
        if self.verifying.iter().any(|other| other.algorithm().is_symmetric() != symmetric) {
            return Err(KeyError::MixedSet);
        }
        self.verifying.push(key);
        Ok(self)
    }

    /// A set from JSON. The first private or symmetric key that may sign does; every other key
    /// verifies. Keys of a foreign type or use, and public keys that are malformed, are left out and
    /// reported by [`KeySet::skipped`], so that one bad key of a published set does not stop the rest.
    ///
    /// # Errors
    /// [`KeyError::DuplicateKeyId`], [`KeyError::MixedSet`], [`KeyError::TooManyKeys`]; what is wrong
    /// with a malformed private or symmetric key; where no key is left, why the first was skipped.
    pub fn from_jwks(json: &str) -> Result<Self, KeyError> {
        let keys = json::object(json.as_bytes())?.get("keys").and_then(|keys| keys.as_array());
        let keys = keys.ok_or(KeyError::Malformed)?;
        let mut set = Self { signing: None, verifying: Vec::new(), skipped: Vec::new() };
        let mut symmetric = None;
        for (index, key) in keys.elements().enumerate() {
            if index >= MAX_KEYS {
                return Err(KeyError::TooManyKeys);
            }
            let read = key.as_object().ok_or(KeyError::Malformed);
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
            match jwk::element(jwk) {
                Ok(Element::Signing(key)) => {
                    set = set.with_verifying(key.verifying_key())?;
                    set.signing.get_or_insert(key);
                }
                Ok(Element::Verifying(key)) => set = set.with_verifying(key)?,
                Err(reason) if is_foreign(reason) || !jwk::is_private(jwk) => {
                    set.skipped.push(SkippedKey { index, reason });
                }
                Err(reason) => return Err(reason),
            }
        }
        match set.skipped.first() {
            Some(skipped) if set.verifying.is_empty() => Err(skipped.reason),
            None if set.verifying.is_empty() => Err(KeyError::NoKeys),
            _ => Ok(set),
        }
    }

    /// The key that signs.
    pub fn signing(&self) -> Option<&SigningKey> {
        self.signing.as_ref()
    }

    /// All keys that verify.
    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }

    /// What [`KeySet::from_jwks`] left out.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The key called `kid`; without a `kid`, the only key, where there is only one.
    pub fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (kid, self.verifying.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid() == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// As [`KeySet::find`], by a header's `kid`.
    pub(super) fn find_text(&self, kid: Option<Text<'_>>) -> Option<&VerifyingKey> {
        match kid {
            Some(kid) => self.verifying.iter().find(|key| kid.eq_str(key.kid())),
            None => self.find(None),
        }
    }

    /// The key whose constant header for `typ` is `segment`.
    pub(super) fn find_header(&self, segment: &str, typ: Typ) -> Option<&VerifyingKey> {
        self.verifying.iter().find(|key| key.header(typ) == segment)
    }

    /// The set as it may be published: public members only.
    ///
    /// # Errors
    /// [`KeyError::SymmetricKey`] where any key is symmetric.
    pub fn public_jwks(&self) -> Result<String, KeyError> {
        let keys: Result<Vec<String>, KeyError> = self.verifying.iter().map(VerifyingKey::public_jwk).collect();
        let mut set = json::Writer::with_capacity(256);
        set.raw("keys", &alloc::format!("[{}]", keys?.join(",")));
        Ok(set.finish())
    }

    /// The set with the secrets of the key that signs and of symmetric keys, to be persisted where only
    /// the issuer can read it. [`KeySet::from_jwks`] reads it back. Private halves of other keys are not
    /// kept: they only verify.
    pub fn private_jwks(&self) -> Zeroizing<String> {
        let mut keys: Vec<Zeroizing<String>> = Vec::new();
        for key in &self.verifying {
            let signing = self.signing.as_ref().filter(|signing| signing.kid() == key.kid());
            let secret = signing.map(SigningKey::secret_bytes).or_else(|| key.secret_bytes());
            keys.push(match (secret, key.public_half()) {
                (Some(secret), public) => jwk::write_private(key.algorithm(), key.kid(), public, secret),
                (None, Some(public)) => Zeroizing::new(jwk::write_public(key.algorithm(), key.kid(), public)),
                (None, None) => continue,
            });
        }
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

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("signing", &self.signing).field("verifying", &self.verifying).finish()
    }
}
