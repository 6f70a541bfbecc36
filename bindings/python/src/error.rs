//! Raises the exceptions of `safeconduct.errors`. Which class belongs to which reason is written there,
//! and nowhere else; here each error of Rust only says its family, its reason and its text.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use safeconduct::core::jws::KeyError;
use safeconduct::core::session::exchange::Failure;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::PolicyError;
use safeconduct::core::token::{ConfigError, InvalidToken};
use safeconduct::secrets::SourceError;
use safeconduct::{Error, KeysError, Refused, RemoteError};

/// Which table of `safeconduct.errors` a reason is looked up in: one reason can stand in two of them.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    InvalidToken,
    Refused,
    SignIn,
    Store,
    Config,
    Policy,
    Secrets,
    Key,
    Remote,
    Signing,
    Entropy,
}

impl Family {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::Refused => "refused",
            Self::SignIn => "sign_in",
            Self::Store => "store",
            Self::Config => "config",
            Self::Policy => "policy",
            Self::Secrets => "secrets",
            Self::Key => "key",
            Self::Remote => "remote",
            Self::Signing => "signing",
            Self::Entropy => "entropy",
        }
    }
}

/// An exception of `family`.
pub(crate) fn raised(py: Python<'_>, family: Family, reason: &str, text: &str, challenge: Option<&str>) -> PyErr {
    static RAISED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = RAISED
        .import(py, "safeconduct.errors", "raised")
        .and_then(|raised| raised.call1((family.name(), reason, text, challenge)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// What an authority refused, or could not do.
pub(crate) fn authority(py: Python<'_>, error: &Error) -> PyErr {
    let (family, challenge) = match error {
        Error::InvalidToken(_) => (Family::InvalidToken, None),
        Error::Refused(refused) => (Family::Refused, refused.challenge.as_deref()),
        Error::SignIn(_) => (Family::SignIn, None),
        Error::Config(_) => (Family::Config, None),
        Error::Exchange(Failure::SigningFault) => (Family::Signing, None),
        Error::Store(_) | Error::Exchange(_) => (Family::Store, None),
        Error::Keys(error) => return keys(py, error),
        Error::Entropy => (Family::Entropy, None),
    };
    raised(py, family, error.reason(), &error.to_string(), challenge)
}

/// A token or a session that is refused before an authority was asked.
pub(crate) fn refusal(py: Python<'_>, refusal: Refusal) -> PyErr {
    authority(py, &Error::Refused(Refused { outcome: Outcome::Refused(refusal), challenge: None, nonce: None }))
}

/// An access token that is refused.
pub(crate) fn invalid_token(py: Python<'_>, error: InvalidToken) -> PyErr {
    raised(py, Family::InvalidToken, error.reason(), &error.to_string(), None)
}

/// A token that is refused by keys of another issuer, or keys that cannot be had.
pub(crate) fn remote(py: Python<'_>, error: &RemoteError) -> PyErr {
    match error {
        RemoteError::Token(error) => invalid_token(py, *error),
        RemoteError::Unavailable(_) => raised(py, Family::Remote, error.reason(), &error.to_string(), None),
    }
}

/// Parts that do not fit together.
pub(crate) fn config(py: Python<'_>, error: ConfigError) -> PyErr {
    raised(py, Family::Config, error.reason(), &error.to_string(), None)
}

/// A policy that would be unsafe.
pub(crate) fn policy(py: Python<'_>, error: PolicyError) -> PyErr {
    raised(py, Family::Policy, "policy_refused", &error.to_string(), None)
}

/// A key, a set of keys or the name of an algorithm that is refused.
pub(crate) fn key(py: Python<'_>, error: KeyError) -> PyErr {
    raised(py, Family::Key, error.reason(), &error.to_string(), None)
}

/// Keys that cannot be had, or stay as they are.
pub(crate) fn keys(py: Python<'_>, error: &KeysError) -> PyErr {
    let family = if let KeysError::Entropy = error { Family::Entropy } else { Family::Key };
    raised(py, family, error.reason(), &error.to_string(), None)
}

/// Secrets that cannot be had.
pub(crate) fn secrets(py: Python<'_>, error: &SourceError) -> PyErr {
    raised(py, Family::Secrets, error.reason(), &error.to_string(), None)
}

/// An argument of another type than `wanted`, which names more than one.
pub(crate) fn wrong_type(value: Borrowed<'_, '_, PyAny>, wanted: &str) -> PyErr {
    match value.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("'{name}' object is not {wanted}")),
        Err(error) => error,
    }
}

/// The reasons that core enumerates, by family, so that a test can see a class for each.
#[pyfunction]
pub(crate) fn _reasons() -> Vec<(&'static str, Vec<&'static str>)> {
    let refusals = Refusal::ALL.iter().map(|refusal| refusal.reason());
    let outcomes = [Outcome::ReuseDetected, Outcome::Superseded { challenge: true }].map(Outcome::reason);
    vec![
        (Family::InvalidToken.name(), InvalidToken::ALL.iter().map(|invalid| invalid.reason()).collect()),
        (Family::Refused.name(), refusals.chain(outcomes).collect()),
    ]
}
