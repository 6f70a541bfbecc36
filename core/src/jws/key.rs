//! Keys that sign and keys that verify ([RFC 7517], [RFC 8037], [RFC 7638]).
//!
//! A key is judged when it is made: points of small order, in non-canonical form or off the curve, HMAC secrets
//! shorter than their hash, and secrets that are the text of a public key are refused. A key knows its
//! algorithm and its `kid`; nothing in a token can change either.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use ed25519_dalek::{Signature, Signer};

use super::identity::{Identity, PublicHalf, mac_kid, pair_kid, thumbprint};
use super::mac::MacKey;
use super::p256_key::{Point, PublicPoint, SecretScalar};
use super::pem::{PrivatePem, PublicPem};
use super::schedule::{KeyTag, Schedule};
use super::{Algorithm, KeyError, Typ, jwk, pem};
use crate::encoding::json;

/// The longest HMAC secret, in bytes.
pub const MAX_SECRET_LEN: usize = 1024;

/// A key that signs. Zeroized when dropped; `Debug` prints its algorithm and `kid` only.
pub struct SigningKey {
    identity: Identity,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<SecretScalar>),
    Hmac(MacKey),
}

impl SigningKey {
    /// An Ed25519 key from its 32 secret bytes; the `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyError::WrongAlgorithm`] where `algorithm` is not `EdDsa` or `Ed25519`.
    pub fn ed25519(seed: &[u8; 32], algorithm: Algorithm) -> Result<Self, KeyError> {
        if !algorithm.is_ed25519() {
            return Err(KeyError::WrongAlgorithm);
        }
        let secret = Box::new(ed25519_dalek::SigningKey::from_bytes(seed));
        let kid = pair_kid(PublicHalf::Ed25519(secret.verifying_key().as_bytes()));
        Ok(Self { identity: Identity::new(algorithm, kid)?, secret: Secret::Ed25519(secret) })
    }

    /// A P-256 key for ES256 from its secret scalar, big-endian; the `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the scalar is zero or not below the order of the curve.
    pub fn p256(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = Box::new(SecretScalar::new(scalar)?);
        let kid = pair_kid(PublicHalf::P256(secret.public().point()));
        Ok(Self { identity: Identity::new(Algorithm::Es256, kid)?, secret: Secret::P256(secret) })
    }

    /// An HMAC key from its secret, whole bytes as they come from a random generator.
    ///
    /// The `kid` is the first 12 bytes of a tag that this key computes over a fixed label. The label
    /// holds no dot, so it is never what a token signs; for guessing a weak secret the `kid` gives no
    /// more than any token of the key does.
    ///
    /// # Errors
    /// [`KeyError::SecretTooShort`], [`KeyError::SecretTooLong`], [`KeyError::SecretIsPublicKey`];
    /// [`KeyError::WrongAlgorithm`] where `algorithm` is not one of `HS*`.
    pub fn hmac(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let mac = MacKey::new(secret, algorithm)?;
        Ok(Self { identity: Identity::new(algorithm, mac_kid(&mac))?, secret: Secret::Hmac(mac) })
    }

    /// A new key of any algorithm, from 64 bytes of a cryptographic random generator; the caller wipes
    /// them.
    ///
    /// # Errors
    /// None for random bytes; as [`Self::ed25519`] and [`Self::hmac`] for others.
    pub fn generate(random: &[u8; 64], algorithm: Algorithm) -> Result<Self, KeyError> {
        if algorithm.is_symmetric() {
            return Self::hmac(random.get(..algorithm.signature_len()).unwrap_or(random), algorithm);
        }
        let (Some(first), Some(second)) = (random.first_chunk(), random.last_chunk()) else {
            return Err(KeyError::Malformed);
        };
        match algorithm {
            // One scalar in 2^32 is out of range.
            Algorithm::Es256 => Self::p256(first).or_else(|_| Self::p256(second)),
            _ => Self::ed25519(first, algorithm),
        }
    }

    /// A key from a private or symmetric JWK. Without `alg`, an `OKP` key is `EdDSA`, an `EC` key
    /// `ES256` and an `oct` key `HS256`; without `kid`, the `kid` is that of [`SigningKey::ed25519`] or [`SigningKey::hmac`].
    ///
    /// # Errors
    /// A [`KeyError`] that says what does not fit.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        jwk::signing_key(json::object(json.as_bytes())?)
    }

    /// A key from PEM, a PKCS#8 `PRIVATE KEY`: Ed25519 with algorithm `EdDSA`, or P-256.
    ///
    /// # Errors
    /// A [`KeyError`] that says what does not fit.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem::private(pem)?;
        let (key, public) = match &pem {
            PrivatePem::Ed25519 { seed, public } => {
                (Self::ed25519(seed, Algorithm::EdDsa)?, public.as_ref().map(PublicHalf::Ed25519))
            }
            PrivatePem::P256 { scalar, public } => (Self::p256(scalar)?, public.as_ref().map(PublicHalf::P256)),
        };
        if public.is_some() && public != key.public_half() { Err(KeyError::MismatchedHalves) } else { Ok(key) }
    }

    /// This key under another `kid`.
    ///
    /// # Errors
    /// [`KeyError::BadKeyId`] where `kid` is empty, holds NUL or is longer than [`super::MAX_KID_LEN`].
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeyError> {
        self.identity = Identity::new(self.identity.algorithm(), kid.into())?;
        Ok(self)
    }

    /// The name that tokens call this key by.
    pub fn kid(&self) -> &str {
        self.identity.kid()
    }

    /// What the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.identity.algorithm()
    }

    /// The key that verifies what this one signs. For HMAC that is the same secret once more.
    pub fn verifying_key(&self) -> VerifyingKey {
        let public = match &self.secret {
            Secret::Ed25519(key) => Public::Ed25519(Box::new(key.verifying_key())),
            Secret::P256(key) => Public::P256(Box::new(key.public().clone())),
            Secret::Hmac(mac) => Public::Hmac(mac.duplicate()),
        };
        VerifyingKey { identity: self.identity.duplicate(), public }
    }

    /// The signature of `message` in the front of `out`. Deterministic for every algorithm.
    pub fn signature<'o>(&self, message: &[u8], out: &'o mut [u8; 64]) -> &'o [u8] {
        match &self.secret {
            Secret::Ed25519(key) => {
                *out = key.sign(message).to_bytes();
                out
            }
            Secret::P256(key) => {
                *out = key.sign(message);
                out
            }
            Secret::Hmac(mac) => mac.tag(message, out),
        }
    }

    pub(super) fn header(&self, typ: Typ) -> &str {
        self.identity.header(typ)
    }

    pub(super) fn public_half(&self) -> Option<PublicHalf<'_>> {
        match &self.secret {
            Secret::Ed25519(key) => Some(PublicHalf::Ed25519(key.as_ref().as_ref().as_bytes())),
            Secret::P256(key) => Some(PublicHalf::P256(key.public().point())),
            Secret::Hmac(_) => None,
        }
    }

    /// The secret bytes, to be written into a private JWK.
    pub(super) fn secret_bytes(&self) -> &[u8] {
        match &self.secret {
            Secret::Ed25519(key) => key.as_bytes(),
            Secret::P256(key) => key.bytes(),
            Secret::Hmac(mac) => mac.secret(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {:?})", self.algorithm(), self.kid())
    }
}

/// A key that verifies. For HMAC it is as secret as the signing key, so it has no `Clone`, and `Debug`
/// prints its algorithm and `kid` only.
pub struct VerifyingKey {
    identity: Identity,
    public: Public,
}

enum Public {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    P256(Box<PublicPoint>),
    Hmac(MacKey),
}

impl VerifyingKey {
    /// An Ed25519 key from its 32 public bytes; the `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where the bytes are no point of the curve, [`KeyError::WeakKey`] where the
    /// point is of small order or not canonical, [`KeyError::WrongAlgorithm`] for another algorithm.
    pub fn ed25519(public: &[u8; 32], algorithm: Algorithm) -> Result<Self, KeyError> {
        if !algorithm.is_ed25519() {
            return Err(KeyError::WrongAlgorithm);
        }
        if !is_canonical(public) {
            return Err(KeyError::WeakKey);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| KeyError::Malformed)?;
        if key.is_weak() {
            return Err(KeyError::WeakKey);
        }
        let identity = Identity::new(algorithm, pair_kid(PublicHalf::Ed25519(public)))?;
        Ok(Self { identity, public: Public::Ed25519(Box::new(key)) })
    }

    /// A P-256 key for ES256 from its coordinates, big-endian; the `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] where they are no point of the curve.
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, KeyError> {
        let public = Box::new(PublicPoint::new(Point { x: *x, y: *y })?);
        let identity = Identity::new(Algorithm::Es256, pair_kid(PublicHalf::P256(public.point())))?;
        Ok(Self { identity, public: Public::P256(public) })
    }

    /// An HMAC key that only verifies; see [`SigningKey::hmac`].
    ///
    /// # Errors
    /// As [`SigningKey::hmac`].
    pub fn hmac(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let mac = MacKey::new(secret, algorithm)?;
        Ok(Self { identity: Identity::new(algorithm, mac_kid(&mac))?, public: Public::Hmac(mac) })
    }

    /// A key from a public JWK.
    ///
    /// # Errors
    /// [`KeyError::PrivateMembers`] where the JWK holds a private half, [`KeyError::SymmetricKey`] where
    /// it is symmetric, and others that say what does not fit.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        jwk::public_key(json::object(json.as_bytes())?)
    }

    /// A key from PEM, an SPKI `PUBLIC KEY`: Ed25519 with algorithm `EdDSA`, or P-256.
    ///
    /// # Errors
    /// A [`KeyError`] that says what does not fit.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        match pem::public(pem)? {
            PublicPem::Ed25519(point) => Self::ed25519(&point, Algorithm::EdDsa),
            PublicPem::P256(Point { x, y }) => Self::p256(&x, &y),
        }
    }

    /// This key under another `kid`.
    ///
    /// # Errors
    /// [`KeyError::BadKeyId`], as [`SigningKey::with_kid`].
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeyError> {
        self.identity = Identity::new(self.identity.algorithm(), kid.into())?;
        Ok(self)
    }

    /// The same key once more, to be put into another set. For HMAC that is one more place where the
    /// secret lies in memory.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let public = match &self.public {
            Public::Ed25519(key) => Public::Ed25519(key.clone()),
            Public::P256(key) => Public::P256(key.clone()),
            Public::Hmac(mac) => Public::Hmac(mac.duplicate()),
        };
        Self { identity: self.identity.duplicate(), public }
    }

    /// The name that tokens call this key by.
    pub fn kid(&self) -> &str {
        self.identity.kid()
    }

    /// The `kid` in 16 bytes, by which revocation knows the key.
    pub fn tag(&self) -> KeyTag {
        self.identity.tag()
    }

    /// What the key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.identity.algorithm()
    }

    /// Whether `signature` is this key's signature of `message`: full length, strict Ed25519 ([RFC 8032
    /// section 5.1.7] with canonical `S` and `R` and no point of small order), P-256 as r ‖ s
    /// with high s accepted ([RFC 7518 section 3.4]), constant-time for HMAC.
    ///
    /// [RFC 7518 section 3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
    /// [RFC 8032 section 5.1.7]: https://www.rfc-editor.org/rfc/rfc8032#section-5.1.7
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Ed25519(key) => match <&[u8; 64]>::try_from(signature) {
                Ok(bytes) => key.verify_strict(message, &Signature::from_bytes(bytes)).is_ok(),
                Err(_) => false,
            },
            Public::P256(key) => key.accepts(message, signature),
            Public::Hmac(mac) => mac.accepts(message, signature),
        }
    }

    /// The public JWK ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
    ///
    /// # Errors
    /// [`KeyError::SymmetricKey`] where there is no public half.
    pub fn public_jwk(&self) -> Result<String, KeyError> {
        let public = self.public_half().ok_or(KeyError::SymmetricKey)?;
        Ok(jwk::write_public(self, public, &Schedule::ALWAYS))
    }

    /// The JWK thumbprint, SHA-256 ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)); a symmetric key
    /// has none, because it would help to guess the secret.
    pub fn thumbprint(&self) -> Option<[u8; 32]> {
        self.public_half().map(thumbprint)
    }

    pub(super) fn header(&self, typ: Typ) -> &str {
        self.identity.header(typ)
    }

    pub(super) fn public_half(&self) -> Option<PublicHalf<'_>> {
        match &self.public {
            Public::Ed25519(key) => Some(PublicHalf::Ed25519(key.as_bytes())),
            Public::P256(key) => Some(PublicHalf::P256(key.point())),
            Public::Hmac(_) => None,
        }
    }

    /// The secret of a symmetric key, to be written into a private JWK.
    pub(super) fn secret_bytes(&self) -> Option<&[u8]> {
        match &self.public {
            Public::Ed25519(_) | Public::P256(_) => None,
            Public::Hmac(mac) => Some(mac.secret()),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({} {:?})", self.algorithm(), self.kid())
    }
}

/// Whether y < 2^255 − 19. The other non-canonical forms, x = 0 with a sign, are points of small order.
fn is_canonical(point: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = point;
    *first < 0xed || last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}
