//! Ed25519 and P-256 keys in PEM ([RFC 7468], [RFC 8410], [RFC 5480], [RFC 5915]): `PRIVATE KEY` (PKCS#8) and
//! `PUBLIC KEY` (SPKI).
//!
//! The DER inside is compared with the few forms that such a key can have. Refused: other labels and
//! algorithms, compressed points, curve parameters inside the private key, more than one block, text around it, encrypted keys, and base64 that is not canonical.
//!
//! [RFC 5480]: https://www.rfc-editor.org/rfc/rfc5480
//! [RFC 5915]: https://www.rfc-editor.org/rfc/rfc5915
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468
//! [RFC 8410]: https://www.rfc-editor.org/rfc/rfc8410

use zeroize::Zeroizing;

use super::KeyError;
use super::p256_key::Point;
use crate::encoding::base64url;

/// The longest PEM text, in bytes.
const MAX_PEM_LEN: usize = 4096;

/// OneAsymmetricKey, version 1 (seed only) and version 2 (seed and public key), RFC 8410 section 7.
const PRIVATE_V1: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PRIVATE_V2: &[u8] = &[0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PRIVATE_V2_PUBLIC: &[u8] = &[0x81, 0x21, 0];
/// SubjectPublicKeyInfo, RFC 8410 section 4.
const PUBLIC: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// PKCS#8 of a P-256 key (RFC 5915 inside RFC 5958), with and without its point, which may be in `[1]`.
const PRIVATE_P256: &[u8] = &[
    0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3,
    1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20,
];
const PRIVATE_P256_PAIR: &[u8] = &[
    0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 4, 0x6d, 0x30, 0x6b, 2, 1, 1, 4, 0x20,
];
const PRIVATE_P256_PUBLIC: &[u8] = &[0xa1, 0x44, 3, 0x42, 0, 4];
/// SubjectPublicKeyInfo with an uncompressed point, RFC 5480 section 2.
const PUBLIC_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3,
    0x42, 0, 4,
];
/// The length of the longest of these forms.
const MAX_DER_LEN: usize = 138;

/// A private key, and its public half where the file holds it.
pub(super) enum PrivatePem {
    Ed25519 { seed: Zeroizing<[u8; 32]>, public: Option<[u8; 32]> },
    P256 { scalar: Zeroizing<[u8; 32]>, public: Option<Point> },
}

pub(super) enum PublicPem {
    Ed25519([u8; 32]),
    P256(Point),
}

pub(super) fn private(pem: &str) -> Result<PrivatePem, KeyError> {
    let mut buffer = Zeroizing::new([0; MAX_DER_LEN]);
    let der = match block(pem, "PRIVATE KEY", &mut *buffer) {
        Err(KeyError::UnsupportedType) if pem.contains("BEGIN PUBLIC KEY") => return Err(KeyError::NoPrivateKey),
        other => other?,
    };
    if let Some(scalar) = der.strip_prefix(PRIVATE_P256) {
        return Ok(PrivatePem::P256 { scalar: secret(scalar)?, public: None });
    }
    if let Some(keys) = der.strip_prefix(PRIVATE_P256_PAIR) {
        let (scalar, rest) = keys.split_at_checked(32).ok_or(KeyError::Malformed)?;
        let public = rest.strip_prefix(PRIVATE_P256_PUBLIC).and_then(Point::from_bytes);
        return Ok(PrivatePem::P256 { scalar: secret(scalar)?, public: Some(public.ok_or(KeyError::Malformed)?) });
    }
    let (seed, public) = if let Some(seed) = der.strip_prefix(PRIVATE_V1) {
        (seed, None)
    } else {
        let keys = der.strip_prefix(PRIVATE_V2).ok_or(KeyError::UnsupportedType)?;
        let (seed, rest) = keys.split_at_checked(32).ok_or(KeyError::Malformed)?;
        let public = rest.strip_prefix(PRIVATE_V2_PUBLIC).ok_or(KeyError::Malformed)?;
        (seed, Some(public.try_into().map_err(|_| KeyError::Malformed)?))
    };
    Ok(PrivatePem::Ed25519 { seed: secret(seed)?, public })
}

fn secret(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    Ok(Zeroizing::new(bytes.try_into().map_err(|_| KeyError::Malformed)?))
}

pub(super) fn public(pem: &str) -> Result<PublicPem, KeyError> {
    let mut buffer = Zeroizing::new([0; MAX_DER_LEN]);
    let der = match block(pem, "PUBLIC KEY", &mut *buffer) {
        Err(KeyError::UnsupportedType) if pem.contains("PRIVATE KEY") => return Err(KeyError::PrivateMembers),
        other => other?,
    };
    if let Some(point) = der.strip_prefix(PUBLIC_P256) {
        return Point::from_bytes(point).map(PublicPem::P256).ok_or(KeyError::Malformed);
    }
    let point = der.strip_prefix(PUBLIC).ok_or(KeyError::UnsupportedType)?;
    point.try_into().map(PublicPem::Ed25519).map_err(|_| KeyError::Malformed)
}

/// The bytes of the one block that `pem` consists of.
fn block<'b>(pem: &str, label: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], KeyError> {
    if pem.len() > MAX_PEM_LEN {
        return Err(KeyError::TooLarge);
    }
    let after_begin = pem.trim_ascii().strip_prefix("-----BEGIN ").ok_or(KeyError::Malformed)?;
    let after_label = after_begin.strip_prefix(label).and_then(|rest| rest.strip_prefix("-----"));
    let rest = after_label.ok_or(KeyError::UnsupportedType)?;
    let rest = rest.strip_suffix("-----").and_then(|rest| rest.strip_suffix(label)).ok_or(KeyError::Malformed)?;
    let body = rest.strip_suffix("-----END ").ok_or(KeyError::Malformed)?;

    // Base64 becomes base64url without padding; the decoder then refuses what is not canonical.
    let mut text = Zeroizing::new([0u8; base64url::encoded_len(MAX_DER_LEN)]);
    let mut len = 0usize;
    let mut padding = 0usize;
    for c in body.bytes().filter(|c| !matches!(c, b'\r' | b'\n')) {
        let c = match c {
            b'=' => {
                padding = padding.saturating_add(1);
                continue;
            }
            _ if padding > 0 => return Err(KeyError::Malformed),
            b'+' => b'-',
            b'/' => b'_',
            b'-' | b'_' => return Err(KeyError::Malformed),
            c => c,
        };
        // Longer than any of these keys: a key of another type under the same label.
        *text.get_mut(len).ok_or(KeyError::UnsupportedType)? = c;
        len = len.saturating_add(1);
    }
    if !len.saturating_add(padding).is_multiple_of(4) || padding > 2 {
        return Err(KeyError::Malformed);
    }
    let text = text.get(..len).ok_or(KeyError::Malformed)?;
    base64url::decode_secret(text, buffer).map_err(|_| KeyError::Malformed)
}
