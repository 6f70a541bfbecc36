//! Why an access token is refused: one closed list for every language ([RFC 6750 section 3.1]).
//!
//! [RFC 6750 section 3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1

use core::fmt;

use crate::jws::JwsError;

/// Why a token is refused. Nothing of the token is in it, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidToken {
    /// Not three segments of canonical base64url.
    Malformed,
    /// Longer than any token that is accepted.
    TooLarge,
    /// The header is not strict JSON, or has a parameter that is never accepted.
    HeaderRefused,
    /// `alg` is missing, not supported, or not the algorithm of the key.
    WrongAlgorithm,
    /// `typ` names another kind of token.
    WrongType,
    /// No key of the verifier is meant.
    UnknownKey,
    /// The signature is wrong.
    BadSignature,
    /// The payload is not one object of strict JSON.
    NotJson,
    /// A claim is of a wrong type or out of range.
    ClaimsMalformed,
    /// A claim that the profile requires is missing.
    MissingClaim,
    /// `iss` is not the verifier's issuer.
    WrongIssuer,
    /// `aud` does not name the verifier's audience, or names one where none is configured.
    WrongAudience,
    /// `exp` is past. The client should refresh.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// `iat` is still to come.
    IssuedInFuture,
    /// `exp` is further away than the verifier's `max_ttl`.
    LifetimeTooLong,
    /// The session's claims were amended since. The client should refresh, not sign in.
    StaleClaims,
    /// The session, its subject, the key or everything before an epoch was revoked.
    Revoked,
    /// The token lacks the claims by which it could be revoked, and the verifier requires them.
    NotRevocable,
}

impl InvalidToken {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::Malformed,
        Self::TooLarge,
        Self::HeaderRefused,
        Self::WrongAlgorithm,
        Self::WrongType,
        Self::UnknownKey,
        Self::BadSignature,
        Self::NotJson,
        Self::ClaimsMalformed,
        Self::MissingClaim,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::LifetimeTooLong,
        Self::StaleClaims,
        Self::Revoked,
        Self::NotRevocable,
    ];

    /// The stable name of this reason, the same in every language.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::HeaderRefused => "header_refused",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongType => "wrong_type",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::NotJson => "not_json",
            Self::ClaimsMalformed => "claims_malformed",
            Self::MissingClaim => "missing_claim",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::StaleClaims => "stale_claims",
            Self::Revoked => "revoked",
            Self::NotRevocable => "not_revocable",
        }
    }
}

impl From<JwsError> for InvalidToken {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed => Self::Malformed,
            JwsError::TooLarge => Self::TooLarge,
            JwsError::HeaderRefused => Self::HeaderRefused,
            JwsError::WrongAlgorithm => Self::WrongAlgorithm,
            JwsError::WrongType => Self::WrongType,
            JwsError::UnknownKey => Self::UnknownKey,
            JwsError::KeyWithdrawn => Self::Revoked,
            JwsError::BadSignature => Self::BadSignature,
        }
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::TooLarge => "the token is too long",
            Self::HeaderRefused => "the token's header is not acceptable",
            Self::WrongAlgorithm => "the token names an algorithm that is not its key's",
            Self::WrongType => "the token is of another kind",
            Self::UnknownKey => "the token names no key that is known here",
            Self::BadSignature => "the token's signature is wrong",
            Self::NotJson => "the token's claims are not strict JSON",
            Self::ClaimsMalformed => "a claim of the token is of a wrong type or out of range",
            Self::MissingClaim => "the token lacks a claim that is required here",
            Self::WrongIssuer => "the token is from another issuer",
            Self::WrongAudience => "the token is for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::IssuedInFuture => "the token says it was issued in the future",
            Self::LifetimeTooLong => "the token lives longer than is accepted here",
            Self::StaleClaims => "the token's claims were replaced since: refresh it",
            Self::Revoked => "the token was revoked",
            Self::NotRevocable => "the token could not be revoked, which is required here",
        })
    }
}

impl core::error::Error for InvalidToken {}
