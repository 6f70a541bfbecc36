//! Ed25519 keys in PEM ([RFC 7468], [RFC 8410]): `PRIVATE KEY` (PKCS#8) and `PUBLIC KEY` (SPKI).
//!
//! The DER inside is compared with the few forms that an Ed25519 key can have. Refused: other labels and
//! algorithms, more than one block, text around it, encrypted keys, and base64 that is not canonical.
//!
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468
//! [RFC 8410]: https://www.rfc-editor.org/rfc/rfc8410

use zeroize::Zeroizing;

use super::KeyError;
use crate::encoding::base64url;

/// The longest PEM text, in bytes.
const MAX_PEM_LEN: usize = 4096;

/// OneAsymmetricKey, version 1 (seed only) and version 2 (seed and public key), RFC 8410 section 7.
const PRIVATE_V1: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PRIVATE_V2: &[u8] = &[0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PRIVATE_V2_PUBLIC: &[u8] = &[0x81, 0x21, 0];
/// SubjectPublicKeyInfo, RFC 8410 section 4.
const PUBLIC: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// The seed of a private key, and its public key where the file holds it.
pub(super) struct PrivatePem {
    pub(super) seed: Zeroizing<[u8; 32]>,
    pub(super) public: Option<[u8; 32]>,
}

pub(super) fn private(pem: &str) -> Result<PrivatePem, KeyError> {
    let mut buffer = Zeroizing::new([0; 96]);
    let der = match block(pem, "PRIVATE KEY", &mut *buffer) {
        Err(KeyError::UnsupportedType) if pem.contains("BEGIN PUBLIC KEY") => return Err(KeyError::NoPrivateKey),
        other => other?,
    };
    let (seed, public) = if let Some(seed) = der.strip_prefix(PRIVATE_V1) {
        (seed, None)
    } else {
        let keys = der.strip_prefix(PRIVATE_V2).ok_or(KeyError::UnsupportedType)?;
        let (seed, rest) = keys.split_at_checked(32).ok_or(KeyError::Malformed)?;
        let public = rest.strip_prefix(PRIVATE_V2_PUBLIC).ok_or(KeyError::Malformed)?;
        (seed, Some(public.try_into().map_err(|_| KeyError::Malformed)?))
    };
    Ok(PrivatePem { seed: Zeroizing::new(seed.try_into().map_err(|_| KeyError::Malformed)?), public })
}

pub(super) fn public(pem: &str) -> Result<[u8; 32], KeyError> {
    let mut buffer = Zeroizing::new([0; 96]);
    let der = match block(pem, "PUBLIC KEY", &mut *buffer) {
        Err(KeyError::UnsupportedType) if pem.contains("PRIVATE KEY") => return Err(KeyError::PrivateMembers),
        other => other?,
    };
    let point = der.strip_prefix(PUBLIC).ok_or(KeyError::UnsupportedType)?;
    point.try_into().map_err(|_| KeyError::Malformed)
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
    let mut text = Zeroizing::new([0u8; 128]);
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
        // Longer than any Ed25519 key: a key of another type under the same label.
        *text.get_mut(len).ok_or(KeyError::UnsupportedType)? = c;
        len = len.saturating_add(1);
    }
    if !len.saturating_add(padding).is_multiple_of(4) || padding > 2 {
        return Err(KeyError::Malformed);
    }
    let text = text.get(..len).ok_or(KeyError::Malformed)?;
    base64url::decode_secret(text, buffer).map_err(|_| KeyError::Malformed)
}
