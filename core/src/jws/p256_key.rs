//! P-256 keys and ES256 signatures ([RFC 7518 section 3.4], [RFC 6979], [FIPS 186-5]).
//!
//! A signature is r ‖ s, 64 bytes (P1363). Refused: another length, so also DER; r or s that is zero or not
//! below the order; points that are not on the curve, coordinates not below the prime, secret scalars out of
//! range. A high s is accepted, because RFC 7518 does not forbid it and other signers write it; ours writes
//! the s that RFC 6979 gives, high or low. So a signature has a twin, and nothing here may take signed tokens for
//! unique: they are told apart by their `jti`.
//!
//! [RFC 7518 section 3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
//! [RFC 6979]: https://www.rfc-editor.org/rfc/rfc6979
//! [FIPS 186-5]: https://doi.org/10.6028/NIST.FIPS.186-5

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{self, Signature};
use zeroize::Zeroizing;

use super::KeyError;

/// x and y of a point, big-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: [u8; 32],
    pub(super) y: [u8; 32],
}

/// A secret scalar, and the point that belongs to it. Zeroized when dropped.
pub(super) struct SecretScalar {
    bytes: Zeroizing<[u8; 32]>,
    key: ecdsa::SigningKey,
    public: PublicPoint,
}

impl SecretScalar {
    /// From a big-endian scalar.
    pub(super) fn new(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ecdsa::SigningKey::from_slice(bytes).map_err(|_| KeyError::Malformed)?;
        let public = PublicPoint::of(*key.verifying_key())?;
        Ok(Self { bytes: Zeroizing::new(*bytes), key, public })
    }

    /// The scalar, to be written into a private JWK.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn public(&self) -> &PublicPoint {
        &self.public
    }

    /// r ‖ s, with the nonce of RFC 6979. Zeros, which nobody accepts, in the case that no one has ever seen
    /// and in which there is no signature.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signed: Result<Signature, _> = self.key.try_sign(message);
        signed.map_or([0; 64], |signature| signature.to_bytes().into())
    }
}

/// A point that is on the curve and not at infinity.
#[derive(Clone)]
pub(super) struct PublicPoint {
    point: Point,
    key: ecdsa::VerifyingKey,
}

impl PublicPoint {
    pub(super) fn new(point: Point) -> Result<Self, KeyError> {
        let mut uncompressed = [4; 65];
        let (x, y) = uncompressed.split_at_mut_checked(33).ok_or(KeyError::Malformed)?;
        x.get_mut(1..).ok_or(KeyError::Malformed)?.copy_from_slice(&point.x);
        y.copy_from_slice(&point.y);
        let key = ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed).map_err(|_| KeyError::Malformed)?;
        Ok(Self { point, key })
    }

    fn of(key: ecdsa::VerifyingKey) -> Result<Self, KeyError> {
        let uncompressed = key.to_sec1_point(false);
        let point = uncompressed.as_bytes().split_first().and_then(|(_, both)| Point::from_bytes(both));
        Ok(Self { point: point.ok_or(KeyError::Malformed)?, key })
    }

    pub(super) fn point(&self) -> &Point {
        &self.point
    }

    /// Whether `signature` is r ‖ s of `message`.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

impl Point {
    /// From x ‖ y.
    pub(super) fn from_bytes(both: &[u8]) -> Option<Self> {
        let (x, y) = both.split_first_chunk()?;
        Some(Self { x: *x, y: y.try_into().ok()? })
    }
}
