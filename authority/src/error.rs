//! What can go wrong for an application, sorted by what to do about it.

use core::fmt;

use safeconduct_core::session::exchange::Failure;
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::sign_in::SignInError;
use safeconduct_core::token::{ConfigError, InvalidToken};

use crate::keys::KeysError;
use crate::store::StoreError;

/// An operation of an [`Authority`](crate::Authority) did not give what was asked for. Nothing is lost:
/// unless it says that a session was revoked, everything is as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An access token is refused. Answer 401; the client refreshes or signs in.
    InvalidToken(InvalidToken),
    /// A refresh or session token is refused, or a session cannot be changed.
    Refused(Refused),
    /// The sign-in cannot be carried out as asked. Fix the call.
    SignIn(SignInError),
    /// The parts do not fit together. Fix the configuration.
    Config(ConfigError),
    /// The store cannot be used just now, or not at all. Answer 503; nobody is signed out.
    Store(StoreError),
    /// The store answered, but what it holds cannot be believed or used.
    Exchange(Failure),
    /// The signing keys cannot be changed as asked.
    Keys(KeysError),
    /// The operating system gave no randomness. Answer 503.
    Entropy,
}

/// Why a token is refused, with what its holder may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was decided: [`Outcome::Refused`], [`Outcome::ReuseDetected`] or [`Outcome::Superseded`].
    pub outcome: Outcome,
    /// Under [`Outcome::Superseded`]: what the browser sends back with whatever token it holds now.
    pub challenge: Option<String>,
    /// Under `nonce_required`: what the next DPoP proof must carry.
    pub nonce: Option<String>,
}

impl Error {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::InvalidToken(error) => error.reason(),
            Self::Refused(refused) => refused.outcome.reason(),
            Self::SignIn(error) => error.reason(),
            Self::Config(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Exchange(failure) => failure.reason(),
            Self::Keys(error) => error.reason(),
            Self::Entropy => "entropy_unavailable",
        }
    }

    pub(crate) const fn refused(refusal: Refusal) -> Self {
        Self::Refused(Refused { outcome: Outcome::Refused(refusal), challenge: None, nonce: None })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidToken(error) => error.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
            Self::SignIn(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Exchange(failure) => failure.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Entropy => f.write_str("the operating system gave no randomness"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::ReuseDetected => f.write_str("a replaced token was used again: the session is revoked"),
            Outcome::Superseded { .. } => f.write_str("the token was replaced; use the one that replaced it"),
            Outcome::Refused(refusal) => refusal.fmt(f),
            outcome => f.write_str(outcome.reason()),
        }
    }
}

impl std::error::Error for Error {}

impl From<InvalidToken> for Error {
    fn from(error: InvalidToken) -> Self {
        Self::InvalidToken(error)
    }
}

impl From<SignInError> for Error {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeysError> for Error {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Exchange(failure)
    }
}
