//! What a key is called: its `kid`, by default a thumbprint ([RFC 7638], [RFC 8037 section 2]).
//!
//! Refuses a `kid` that is empty, holds NUL or is longer than [`MAX_KID_LEN`].
//!
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
//! [RFC 8037 section 2]: https://www.rfc-editor.org/rfc/rfc8037#section-2

use alloc::string::String;

use sha2::{Digest, Sha256};

use super::mac::MacKey;
use super::p256_key::Point;
use super::schedule::KeyTag;
use super::{Algorithm, KeyError, Typ, header};
use crate::encoding::{base64url, json};

/// The longest `kid`, in bytes.
pub const MAX_KID_LEN: usize = 256;

/// What a key is called, and the headers it writes.
pub(super) struct Identity {
    algorithm: Algorithm,
    kid: String,
    tag: KeyTag,
    headers: [String; Typ::ALL.len()],
}

impl Identity {
    pub(super) fn new(algorithm: Algorithm, kid: String) -> Result<Self, KeyError> {
        if kid.is_empty() || kid.len() > MAX_KID_LEN || kid.contains('\0') {
            return Err(KeyError::BadKeyId);
        }
        let headers = Typ::ALL.map(|typ| header::encoded(algorithm, typ, &kid));
        Ok(Self { algorithm, tag: KeyTag::of(&kid), kid, headers })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn tag(&self) -> KeyTag {
        self.tag
    }

    pub(super) fn duplicate(&self) -> Self {
        Self { algorithm: self.algorithm, kid: self.kid.clone(), tag: self.tag, headers: self.headers.clone() }
    }

    /// The header segment that the key writes for a kind of token.
    pub(super) fn header(&self, typ: Typ) -> &str {
        let [access_token, jwt] = &self.headers;
        match typ {
            Typ::AccessToken => access_token,
            Typ::Jwt => jwt,
        }
    }
}

/// What of a key pair is public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PublicHalf<'k> {
    Ed25519(&'k [u8; 32]),
    P256(&'k Point),
}

/// The `kid` of a key pair that names none: its thumbprint.
pub(super) fn pair_kid(public: PublicHalf<'_>) -> String {
    base64url::encode(&thumbprint(public))
}

/// The JWK thumbprint ([RFC 7638], [RFC 8037 section 2]).
///
/// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
/// [RFC 8037 section 2]: https://www.rfc-editor.org/rfc/rfc8037#section-2
pub(super) fn thumbprint(public: PublicHalf<'_>) -> [u8; 32] {
    let mut canonical = json::Writer::with_capacity(160);
    match public {
        PublicHalf::Ed25519(x) => {
            canonical.string("crv", "Ed25519").string("kty", "OKP").string("x", &base64url::encode(x));
        }
        PublicHalf::P256(Point { x, y }) => {
            canonical.string("crv", "P-256").string("kty", "EC");
            canonical.string("x", &base64url::encode(x)).string("y", &base64url::encode(y));
        }
    }
    Sha256::digest(canonical.finish().as_bytes()).into()
}

/// The `kid` of a symmetric key: twelve bytes of its tag over a label that no token can have as input,
/// for it holds no dot.
pub(super) fn mac_kid(mac: &MacKey) -> String {
    let mut tag = [0; 64];
    let tag = mac.tag(b"safeconduct key id", &mut tag);
    base64url::encode(tag.get(..12).unwrap_or(tag))
}
