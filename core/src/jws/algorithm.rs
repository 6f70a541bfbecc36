//! The signature algorithms by their registered names ([RFC 7518 section 3.1], [RFC 9864]).
//!
//! `none` is not among them, so it cannot be named by any key.
//!
//! [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
//! [RFC 9864]: https://www.rfc-editor.org/rfc/rfc9864

use core::fmt;

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256; the secret has at least 32 bytes.
    Hs256,
    /// HMAC with SHA-384; the secret has at least 48 bytes.
    Hs384,
    /// HMAC with SHA-512; the secret has at least 64 bytes.
    Hs512,
    /// ECDSA over P-256 with SHA-256 ([RFC 7518 section 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4)).
    Es256,
    /// Ed25519 under the name that every client knows, `EdDSA` ([RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)).
    EdDsa,
    /// Ed25519 under its fully specified name, `Ed25519` ([RFC 9864](https://www.rfc-editor.org/rfc/rfc9864)).
    Ed25519,
}

impl Algorithm {
    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of an `alg` value; case matters.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "HS384" => Some(Self::Hs384),
            "HS512" => Some(Self::Hs512),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            "Ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Whether whoever can verify can also sign.
    pub const fn is_symmetric(self) -> bool {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => true,
            Self::Es256 | Self::EdDsa | Self::Ed25519 => false,
        }
    }

    /// The length of a signature, in bytes.
    pub const fn signature_len(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 | Self::Es256 | Self::EdDsa | Self::Ed25519 => 64,
        }
    }

    /// Whether a key of this algorithm accepts a header that says `name`: its own name, and for
    /// Ed25519 both of its names.
    pub(super) fn accepts(self, name: Self) -> bool {
        self == name || self.is_ed25519() && name.is_ed25519()
    }

    /// Whether this is one of the two names of Ed25519.
    pub(super) const fn is_ed25519(self) -> bool {
        matches!(self, Self::EdDsa | Self::Ed25519)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
