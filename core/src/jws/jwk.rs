//! JSON Web Keys, read strictly ([RFC 7517], [RFC 7518 sections 6.2 and 6.4], [RFC 8037]).
//!
//! Refuses: members of a wrong type, key bytes of a wrong length or not in canonical base64url, halves
//! that do not belong together, an `alg`, `use` or `key_ops` that does not fit, and private members
//! where a public key is expected. Other members are ignored, as the RFC asks; no URL is ever followed.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518 sections 6.2 and 6.4]: https://www.rfc-editor.org/rfc/rfc7518#section-6.2
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037

use alloc::string::String;
use alloc::vec;

use zeroize::Zeroizing;

use super::identity::PublicHalf;
use super::jwk_times::write_schedule;
use super::p256_key::Point;
use super::schedule::Schedule;
use super::{Algorithm, KeyError, MAX_SECRET_LEN, SigningKey, VerifyingKey};
use crate::encoding::base64url;
use crate::encoding::json::{Object, Text, Writer};

/// Members that no public key has ([RFC 7518 section 6](https://www.rfc-editor.org/rfc/rfc7518#section-6)).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// What a key is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Sign,
    Verify,
}

/// The half of a set's element that can be used.
pub(super) enum Element {
    Signing(SigningKey),
    Verifying(VerifyingKey),
}

/// Whether the JWK says that it is symmetric.
pub(super) fn is_symmetric(jwk: Object<'_>) -> Result<bool, KeyError> {
    Ok(text(jwk, "kty")?.ok_or(KeyError::Malformed)?.eq_str("oct"))
}

/// Whether the JWK holds anything private, symmetric keys included.
pub(super) fn is_private(jwk: Object<'_>) -> bool {
    PRIVATE.iter().any(|name| jwk.get(name).is_some())
}

/// A key of a set: with its private half where it is there and may sign.
pub(super) fn element(jwk: Object<'_>) -> Result<Element, KeyError> {
    if !is_private(jwk) {
        return public_key(jwk).map(Element::Verifying);
    }
    match signing_key(jwk) {
        Err(KeyError::WrongUse) if is_symmetric(jwk)? => symmetric_verifying_key(jwk).map(Element::Verifying),
        other => other.map(Element::Signing),
    }
}

/// A private or symmetric key.
pub(super) fn signing_key(jwk: Object<'_>) -> Result<SigningKey, KeyError> {
    let key = if is_symmetric(jwk)? {
        fits(jwk, Purpose::Sign)?;
        SigningKey::hmac(&secret(jwk)?, mac_algorithm(jwk)?)?
    } else {
        let algorithm = pair_algorithm(jwk)?;
        let x = coordinate(jwk, "x")?;
        let y = if algorithm == Algorithm::Es256 { coordinate(jwk, "y")? } else { [0; 32] };
        let secret = text(jwk, "d")?.ok_or(KeyError::NoPrivateKey)?;
        fits(jwk, Purpose::Sign)?;
        let secret = secret_bytes(secret)?;
        let (key, point) = match algorithm {
            Algorithm::Es256 => (SigningKey::p256(&secret)?, Point { x, y }),
            _ => (SigningKey::ed25519(&secret, algorithm)?, Point { x, y }),
        };
        let public = match algorithm {
            Algorithm::Es256 => PublicHalf::P256(&point),
            _ => PublicHalf::Ed25519(&point.x),
        };
        if key.public_half() != Some(public) {
            return Err(KeyError::MismatchedHalves);
        }
        key
    };
    match kid(jwk)? {
        Some(kid) => key.with_kid(&kid),
        None => Ok(key),
    }
}

/// A public key, from a JWK that holds nothing private.
pub(super) fn public_key(jwk: Object<'_>) -> Result<VerifyingKey, KeyError> {
    if is_symmetric(jwk)? {
        return Err(KeyError::SymmetricKey);
    }
    if is_private(jwk) {
        return Err(KeyError::PrivateMembers);
    }
    let algorithm = pair_algorithm(jwk)?;
    fits(jwk, Purpose::Verify)?;
    let x = coordinate(jwk, "x")?;
    let key = match algorithm {
        Algorithm::Es256 => VerifyingKey::p256(&x, &coordinate(jwk, "y")?)?,
        _ => VerifyingKey::ed25519(&x, algorithm)?,
    };
    named(key, jwk)
}

fn symmetric_verifying_key(jwk: Object<'_>) -> Result<VerifyingKey, KeyError> {
    fits(jwk, Purpose::Verify)?;
    named(VerifyingKey::hmac(&secret(jwk)?, mac_algorithm(jwk)?)?, jwk)
}

fn named(key: VerifyingKey, jwk: Object<'_>) -> Result<VerifyingKey, KeyError> {
    match kid(jwk)? {
        Some(kid) => key.with_kid(&kid),
        None => Ok(key),
    }
}

/// `kty`, `crv` and `alg` of an Ed25519 or P-256 key.
fn pair_algorithm(jwk: Object<'_>) -> Result<Algorithm, KeyError> {
    let kty = text(jwk, "kty")?.ok_or(KeyError::Malformed)?;
    let (curve, default) = match (kty.eq_str("OKP"), kty.eq_str("EC")) {
        (true, _) => ("Ed25519", Algorithm::EdDsa),
        (_, true) => ("P-256", Algorithm::Es256),
        (false, false) => return Err(KeyError::UnsupportedType),
    };
    if !text(jwk, "crv")?.ok_or(KeyError::Malformed)?.eq_str(curve) {
        return Err(KeyError::UnsupportedType);
    }
    match algorithm(jwk)? {
        None => Ok(default),
        Some(algorithm) if default.accepts(algorithm) => Ok(algorithm),
        Some(_) => Err(KeyError::WrongAlgorithm),
    }
}

fn mac_algorithm(jwk: Object<'_>) -> Result<Algorithm, KeyError> {
    match algorithm(jwk)? {
        None => Ok(Algorithm::Hs256),
        Some(algorithm) if algorithm.is_symmetric() => Ok(algorithm),
        Some(_) => Err(KeyError::WrongAlgorithm),
    }
}

pub(super) fn algorithm(jwk: Object<'_>) -> Result<Option<Algorithm>, KeyError> {
    let Some(value) = jwk.get("alg") else { return Ok(None) };
    let mut buffer = [0; 16];
    let name = value.as_text().and_then(|name| name.decoded(&mut buffer)).ok_or(KeyError::WrongAlgorithm)?;
    Algorithm::from_name(name).map(Some).ok_or(KeyError::WrongAlgorithm)
}

/// `use` and `key_ops` ([RFC 7517 section 4.2](https://www.rfc-editor.org/rfc/rfc7517#section-4.2)).
fn fits(jwk: Object<'_>, purpose: Purpose) -> Result<(), KeyError> {
    if let Some(value) = jwk.get("use") {
        let usage = value.as_text().ok_or(KeyError::Malformed)?;
        if !usage.eq_str("sig") {
            return Err(KeyError::WrongUse);
        }
    }
    let Some(value) = jwk.get("key_ops") else { return Ok(()) };
    let (mut sign, mut verify) = (false, false);
    for operation in value.as_array().ok_or(KeyError::Malformed)?.elements() {
        let operation = operation.as_text().ok_or(KeyError::Malformed)?;
        let seen = match (operation.eq_str("sign"), operation.eq_str("verify")) {
            (true, _) => core::mem::replace(&mut sign, true),
            (_, true) => core::mem::replace(&mut verify, true),
            (false, false) => return Err(KeyError::WrongUse),
        };
        if seen {
            return Err(KeyError::Malformed);
        }
    }
    let allowed = match purpose {
        Purpose::Sign => sign,
        Purpose::Verify => verify,
    };
    if allowed { Ok(()) } else { Err(KeyError::WrongUse) }
}

fn text<'a>(jwk: Object<'a>, name: &str) -> Result<Option<Text<'a>>, KeyError> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_text().map(Some).ok_or(KeyError::Malformed),
    }
}

pub(super) fn kid(jwk: Object<'_>) -> Result<Option<String>, KeyError> {
    match jwk.get("kid") {
        None => Ok(None),
        Some(value) => {
            let mut buffer = [0; super::MAX_KID_LEN];
            let kid = value.as_text().and_then(|kid| kid.decoded(&mut buffer)).ok_or(KeyError::BadKeyId)?;
            Ok(Some(kid.into()))
        }
    }
}

/// A public member of 32 bytes.
fn coordinate(jwk: Object<'_>, name: &str) -> Result<[u8; 32], KeyError> {
    secret_bytes(text(jwk, name)?.ok_or(KeyError::Malformed)?).map(|bytes| *bytes)
}

fn secret_bytes(text: Text<'_>) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = text.as_str().ok_or(KeyError::Malformed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match base64url::decode_secret(text.as_bytes(), &mut *bytes) {
        Ok(decoded) if decoded.len() == 32 => Ok(bytes),
        _ => Err(KeyError::Malformed),
    }
}

/// The bytes of `k`.
fn secret(jwk: Object<'_>) -> Result<Zeroizing<vec::Vec<u8>>, KeyError> {
    let text = text(jwk, "k")?.and_then(Text::as_str).ok_or(KeyError::Malformed)?;
    let len = base64url::decoded_len(text.len());
    if len > MAX_SECRET_LEN {
        return Err(KeyError::SecretTooLong);
    }
    let mut bytes = Zeroizing::new(vec![0; len]);
    base64url::decode_secret(text.as_bytes(), &mut bytes).map_err(|_| KeyError::Malformed)?;
    Ok(bytes)
}

/// How a private key is to be used, once read back.
pub(super) struct Written<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) verifies_only: bool,
}

/// A public JWK.
pub(super) fn write_public(key: &VerifyingKey, public: PublicHalf<'_>, schedule: &Schedule) -> String {
    let mut jwk = Writer::with_capacity(256);
    write_point(&mut jwk, public);
    jwk.string("kid", key.kid()).string("use", "sig").string("alg", key.algorithm().name());
    write_schedule(&mut jwk, schedule);
    jwk.finish()
}

fn write_point(jwk: &mut Writer, public: PublicHalf<'_>) {
    match public {
        PublicHalf::Ed25519(x) => {
            jwk.string("kty", "OKP").string("crv", "Ed25519").string("x", &base64url::encode(x));
        }
        PublicHalf::P256(Point { x, y }) => {
            jwk.string("kty", "EC").string("crv", "P-256");
            jwk.string("x", &base64url::encode(x)).string("y", &base64url::encode(y));
        }
    }
}

/// A private JWK with its public half, or a symmetric one.
pub(super) fn write_private(
    key: &VerifyingKey,
    public: Option<PublicHalf<'_>>,
    secret: &[u8],
    written: &Written<'_>,
) -> Zeroizing<String> {
    let secret = Zeroizing::new(base64url::encode(secret));
    // Room for everything, so that no copy of the secret is left behind by growing.
    let kid = key.kid();
    let mut jwk = Writer::with_capacity(secret.len().saturating_add(kid.len().saturating_mul(6)).saturating_add(384));
    match public {
        Some(public) => {
            write_point(&mut jwk, public);
            jwk.string("d", &secret);
        }
        None => {
            jwk.string("kty", "oct").string("k", &secret);
        }
    }
    jwk.string("kid", kid).string("use", "sig").string("alg", key.algorithm().name());
    if written.verifies_only {
        jwk.strings("key_ops", &["verify"]);
    }
    write_schedule(&mut jwk, written.schedule);
    Zeroizing::new(jwk.finish())
}
