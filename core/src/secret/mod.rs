//! Secrets: the master keys of a deployment and what is derived from them.
//!
//! [`Secrets`] is a set of 32-byte master keys with one-byte ids. It never lives in the store and is
//! never a JWS key. [`Keyring::derive`] binds it to an issuer and gives one key per purpose by
//! HKDF-SHA256 ([RFC 5869]), so no two purposes and no two issuers share a key.
//!
//! Every type here is zeroized on drop, compares in constant time, prints its name only, and can
//! neither be cloned nor serialized by accident.
//!
//! [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869

mod equal;
mod keyring;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) use self::equal::equal;
pub use self::keyring::Keyring;
pub(crate) use self::keyring::{MacKey, PurposeKeys};
use crate::encoding::base64url;

/// 32 secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes over `bytes`; the caller wipes its own copy.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64url text of exactly 32 bytes in constant time.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let whole = base64url::decode_secret(text.as_bytes(), bytes.as_mut_slice()).ok()?.len() == 32;
        whole.then_some(Self(*bytes))
    }

    /// The bytes, to be written where the secret belongs and nowhere else.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What may be shown of the secret: its SHA-256.
    pub fn commitment(&self) -> Commitment {
        Commitment(Sha256::digest(self.0).into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// SHA-256 of the secret of a token: proves nothing by itself and may be stored. Compared in constant time all
/// the same, so that nobody can find one byte after byte.
#[derive(Clone, Copy, Eq, Hash)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "equal is what has the same bytes")]
pub struct Commitment(pub [u8; 32]);

impl PartialEq for Commitment {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Commitment {
    /// Reads base64url text of exactly 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let whole = base64url::decode(text.as_bytes(), &mut bytes).ok()?.len() == 32;
        whole.then_some(Self(bytes))
    }

    /// The sixteen bytes of it that a record keeps of the generation before.
    pub const fn half(&self) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = self.0;
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Whether a record kept `half` of it, in constant time.
    pub(crate) fn has_half(&self, half: &[u8; 16]) -> bool {
        equal(&self.half(), half)
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commitment(")?;
        base64url::write_to(f, &self.0)?;
        f.write_str(")")
    }
}

/// Which master key: stands in each token and record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u8);

/// The master keys of a deployment. The last is used for new sessions; the others are kept until no
/// session needs them: for the longest that a session may last and a day after they were the last one.
/// Retired sooner, a key takes its sessions with it.
pub struct Secrets {
    newest: MasterKey,
    /// In the order in which they were used.
    older: Vec<MasterKey>,
}

/// Where keys are moved, as in a vector that grows, their place is and not their bytes: what was moved is not wiped.
type MasterKey = Box<(KeyId, Secret)>;

/// The prefix of a master key in its text form.
const MASTER_PREFIX: &str = "sck1_";

impl Secrets {
    /// One key, id 1, made of 32 bytes from a cryptographic random generator.
    pub fn new(random: [u8; 32]) -> Self {
        Self { newest: Box::new((KeyId(1), Secret::new(random))), older: Vec::new() }
    }

    /// Adds a key made of 32 random bytes, to be used for new sessions from now on.
    ///
    /// # Errors
    /// [`SecretsError::TooManyKeys`] where id 255 is taken.
    pub fn add(&mut self, random: [u8; 32]) -> Result<KeyId, SecretsError> {
        let highest = self.keys().map(|(id, _)| id.0).fold(0, u8::max);
        let id = KeyId(highest.checked_add(1).ok_or(SecretsError::TooManyKeys)?);
        self.older.push(core::mem::replace(&mut self.newest, Box::new((id, Secret::new(random)))));
        Ok(id)
    }

    /// Drops a key. Its sessions are refused from now on, as tokens that are not ours.
    ///
    /// # Errors
    /// [`SecretsError::UnknownKey`], and [`SecretsError::Empty`] where it is the only one.
    pub fn retire(&mut self, id: KeyId) -> Result<(), SecretsError> {
        if self.newest.0 == id {
            self.newest = self.older.pop().ok_or(SecretsError::Empty)?;
            return Ok(());
        }
        let place = self.older.iter().position(|key| key.0 == id).ok_or(SecretsError::UnknownKey)?;
        self.older.remove(place);
        Ok(())
    }

    /// Reads the text form: keys `sck1_` + base64url(id 1 ‖ key 32), separated by white space or
    /// commas; lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`SecretsError`]; nothing of the text is in it.
    pub fn parse(text: &str) -> Result<Self, SecretsError> {
        let mut keys: Vec<MasterKey> = Vec::new();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for word in lines.flat_map(|line| line.split([' ', '\t', ','])).filter(|word| !word.is_empty()) {
            let encoded = word.strip_prefix(MASTER_PREFIX).ok_or(SecretsError::Malformed)?;
            let mut bytes = Zeroizing::new([0; 33]);
            let whole = base64url::decode_secret(encoded.as_bytes(), bytes.as_mut_slice()).map(<[u8]>::len);
            let (&[id], key) = bytes.split_at(1) else { return Err(SecretsError::Malformed) };
            let (Ok(33), Ok(key)) = (whole, <[u8; 32]>::try_from(key)) else { return Err(SecretsError::Malformed) };
            if key == [0; 32] {
                return Err(SecretsError::Malformed);
            }
            if keys.iter().any(|key| key.0 == KeyId(id)) {
                return Err(SecretsError::RepeatedKey);
            }
            keys.push(Box::new((KeyId(id), Secret::new(key))));
        }
        let newest = keys.pop().ok_or(SecretsError::Empty)?;
        Ok(Self { newest, older: keys })
    }

    /// All keys, that for new sessions last.
    fn keys(&self) -> impl Iterator<Item = &(KeyId, Secret)> {
        self.older.iter().chain(core::iter::once(&self.newest)).map(Box::as_ref)
    }

    /// The text form, a key a line, to be written where only the application can read it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.keys().count().saturating_mul(50)));
        for (id, key) in self.keys() {
            let mut bytes = Zeroizing::new([0; 33]);
            if let Some((first, rest)) = bytes.split_first_mut() {
                *first = id.0;
                rest.copy_from_slice(key.expose());
            }
            text.push_str(MASTER_PREFIX);
            text.push_str(&Zeroizing::new(base64url::encode(bytes.as_slice())));
            text.push('\n');
        }
        text
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.keys().count()).finish()
    }
}

/// A set of master keys could not be read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsError {
    /// A word is not a key. Make keys with `Secrets::generate` and copy them whole.
    Malformed,
    /// Two keys have one id.
    RepeatedKey,
    /// No key is there, or none would be left.
    Empty,
    /// No key has this id.
    UnknownKey,
    /// All 255 ids are taken. Retire the old keys.
    TooManyKeys,
}

impl SecretsError {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "secrets_malformed",
            Self::RepeatedKey => "secrets_repeated_key",
            Self::Empty => "secrets_empty",
            Self::UnknownKey => "secrets_unknown_key",
            Self::TooManyKeys => "secrets_too_many_keys",
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the secrets hold something that is not a key of the form sck1_…",
            Self::RepeatedKey => "two of the secrets have the same key id",
            Self::Empty => "the secrets hold no key",
            Self::UnknownKey => "no key of the secrets has this id",
            Self::TooManyKeys => "the secrets hold 255 keys; retire old ones first",
        })
    }
}

impl core::error::Error for SecretsError {}
