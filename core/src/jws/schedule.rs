//! When a key signs and for how long it verifies: times that are stored, and the phase that follows from them.
//!
//! Nobody writes a phase down. What is stored of a key is its [`Schedule`], so every process that holds the set
//! agrees on the phase at any moment, also at moments that were still to come when it read the set. In a JWK the
//! times are `iat`, `nbf` and `exp` in whole seconds, and `revoked`, as sets of historical keys have them
//! ([OpenID Federation 1.0]).
//!
//! [OpenID Federation 1.0]: https://openid.net/specs/openid-federation-1_0.html

use alloc::string::String;
use core::fmt;

use sha2::{Digest, Sha256};

use super::Algorithm;
use crate::time::Timestamp;

/// The times of a key, each a whole second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When it came into the set, `iat`.
    pub published_at: Timestamp,
    /// From when on it signs, `nbf`: until the next key's turn comes.
    pub signs_from: Timestamp,
    /// Until when it verifies, `exp`; [`Timestamp::MAX`] while nothing succeeds it.
    pub kept_until: Timestamp,
}

impl Schedule {
    /// A key without times: it has been there always and has no end.
    pub const ALWAYS: Self = Self {
        published_at: Timestamp::from_millis(0),
        signs_from: Timestamp::from_millis(0),
        kept_until: Timestamp::MAX,
    };

    /// Whether the times can follow each other.
    pub(super) fn is_in_order(&self) -> bool {
        self.published_at <= self.signs_from && self.signs_from < self.kept_until
    }
}

/// Where a key is in its life. Time moves it forward only, down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Published, so that every verifier knows it before it signs.
    Pending,
    /// The one key that signs.
    Signing,
    /// Verifies what it signed, until the last of it has expired.
    Retiring,
    /// Neither signs nor verifies.
    Retired,
    /// Neither signs nor verifies, nor ever will again under this `kid`.
    Withdrawn,
}

impl Phase {
    /// The name of the phase, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Signing => "signing",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why a key was withdrawn, `revoked.reason`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WithdrawalReason {
    /// Nobody said why.
    #[default]
    Unspecified,
    /// Somebody else has it, or may have.
    Compromised,
    /// Another key took its place.
    Superseded,
}

impl WithdrawalReason {
    /// The value in a JWK.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Compromised => "compromised",
            Self::Superseded => "superseded",
        }
    }

    /// The reason of a value in a JWK.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "unspecified" => Some(Self::Unspecified),
            "compromised" => Some(Self::Compromised),
            "superseded" => Some(Self::Superseded),
            _ => None,
        }
    }
}

/// What stays of a withdrawn key: its name, so that it cannot come back, and nothing that could sign or verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The name that tokens called the key by.
    pub kid: String,
    /// What the key signed with, where that is known.
    pub algorithm: Option<Algorithm>,
    /// The times that it had.
    pub schedule: Schedule,
    /// When it was withdrawn, `revoked.revoked_at`; a whole second.
    pub withdrawn_at: Timestamp,
    /// Why.
    pub reason: WithdrawalReason,
}

impl Tombstone {
    /// Whether the key's turn to sign had come when it was withdrawn. If so, the keys before it do not sign again.
    pub(super) fn had_begun(&self) -> bool {
        self.withdrawn_at >= self.schedule.signs_from
    }
}

/// A key of a set as it is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus<'k> {
    /// The name that tokens call it by.
    pub kid: &'k str,
    /// What it signs with, where that is known.
    pub algorithm: Option<Algorithm>,
    /// Where it is in its life.
    pub phase: Phase,
    /// Its times.
    pub schedule: Schedule,
    /// When it was withdrawn and why.
    pub withdrawn: Option<(Timestamp, WithdrawalReason)>,
}

/// A `kid` in 16 bytes, for sets of names of any length: the beginning of its SHA-256 under a label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyTag([u8; Self::LEN]);

impl KeyTag {
    /// The length, in bytes.
    pub const LEN: usize = 16;

    /// The tag of a name.
    pub fn of(kid: &str) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(b"safeconduct kid\0").chain_update(kid).finalize().into();
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    /// From the bytes of [`Self::as_bytes`].
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for KeyTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "KeyTag({first:02x}{second:02x}…)")
    }
}
