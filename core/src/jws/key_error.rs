//! Why a key or a set of keys is refused.

use core::fmt;

use crate::encoding::json::JsonError;

/// Why a key or a set of keys is refused. Nothing of the key is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyError {
    /// The text is longer than any key or set that is accepted.
    TooLarge,
    /// The text is not a JWK, a JWK set or a PEM block of the expected kind.
    Malformed,
    /// A type of key that is not supported: another `kty`, `crv` or PEM object.
    UnsupportedType,
    /// `alg` does not fit the key, or is not supported.
    WrongAlgorithm,
    /// `use` or `key_ops` forbids what the key is wanted for.
    WrongUse,
    /// An Ed25519 point of small order, or not in canonical form: signatures by it prove nothing.
    WeakKey,
    /// An HMAC secret shorter than the output of its hash, or blank.
    SecretTooShort,
    /// An HMAC secret longer than is accepted.
    SecretTooLong,
    /// An HMAC secret that is the text of a key pair's half, so that the public could sign.
    SecretIsPublicKey,
    /// The private half does not belong to the public half.
    MismatchedHalves,
    /// Private members where a public key was asked for.
    PrivateMembers,
    /// A public key where a private one was asked for.
    NoPrivateKey,
    /// A `kid` that is not a string, is empty or is too long.
    BadKeyId,
    /// Two keys of a set have the same `kid`.
    DuplicateKeyId,
    /// Symmetric and asymmetric keys in one set.
    MixedSet,
    /// A symmetric key where only public keys may stand.
    SymmetricKey,
    /// A set without a key that can be used.
    NoKeys,
    /// A set of more keys than is accepted.
    TooManyKeys,
    /// `iat`, `nbf`, `exp` or `revoked` is not a time, or the times cannot follow each other.
    BadSchedule,
    /// The `kid` was withdrawn: no key is called so again.
    Withdrawn,
}

impl KeyError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "key_too_large",
            Self::Malformed => "key_malformed",
            Self::UnsupportedType => "key_unsupported_type",
            Self::WrongAlgorithm => "key_wrong_algorithm",
            Self::WrongUse => "key_wrong_use",
            Self::WeakKey => "key_weak",
            Self::SecretTooShort => "key_secret_too_short",
            Self::SecretTooLong => "key_secret_too_long",
            Self::SecretIsPublicKey => "key_secret_is_public_key",
            Self::MismatchedHalves => "key_mismatched_halves",
            Self::PrivateMembers => "key_private_members",
            Self::NoPrivateKey => "key_no_private_key",
            Self::BadKeyId => "key_bad_kid",
            Self::DuplicateKeyId => "key_duplicate_kid",
            Self::MixedSet => "key_mixed_set",
            Self::SymmetricKey => "key_symmetric",
            Self::NoKeys => "key_none",
            Self::TooManyKeys => "key_too_many",
            Self::BadSchedule => "key_bad_schedule",
            Self::Withdrawn => "key_withdrawn",
        }
    }
}

impl From<JsonError> for KeyError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooLarge => Self::TooLarge,
            _ => Self::Malformed,
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the key text is too long",
            Self::Malformed => "the key text is malformed",
            Self::UnsupportedType => "this type of key is not supported",
            Self::WrongAlgorithm => "the key's algorithm does not fit its type or is not supported",
            Self::WrongUse => "the key is marked for another use",
            Self::WeakKey => "the public key is weak: its signatures prove nothing",
            Self::SecretTooShort => "the secret is shorter than the output of its hash",
            Self::SecretTooLong => "the secret is too long",
            Self::SecretIsPublicKey => "the secret is the text of a public or private key",
            Self::MismatchedHalves => "the private and the public half of the key do not belong together",
            Self::PrivateMembers => "the key holds private members, but a public key is expected",
            Self::NoPrivateKey => "the key is public, but a private key is expected",
            Self::BadKeyId => "the key id is empty, too long or not a string",
            Self::DuplicateKeyId => "two keys have the same key id",
            Self::MixedSet => "symmetric and asymmetric keys are mixed in one set",
            Self::SymmetricKey => "the key is symmetric, but a public key is expected",
            Self::NoKeys => "the set has no key that can be used",
            Self::TooManyKeys => "the set has too many keys",
            Self::BadSchedule => "the times of the key are no times, or cannot follow each other",
            Self::Withdrawn => "a key of this key id was withdrawn and cannot come back",
        })
    }
}

impl core::error::Error for KeyError {}
