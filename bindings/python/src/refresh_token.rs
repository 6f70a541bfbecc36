//! `RefreshToken`: what a client written in Python does with refresh tokens.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use safeconduct::core::encoding::base64url;
use safeconduct::core::secret::Secret;
use safeconduct::core::session::outcome::Refusal;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use zeroize::Zeroizing;

use crate::error::{self, Family};
use crate::text::Foreign;

/// What a client written in Python does under `Replay.committed()`.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct RefreshToken;

#[pymethods]
impl RefreshToken {
    /// A new secret: 43 characters of base64url. Keep it durably before the token is first used.
    #[staticmethod]
    fn new_secret(py: Python<'_>) -> PyResult<String> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice())
            .map_err(|error| error::raised(py, Family::Entropy, "entropy_unavailable", &error.to_string(), None))?;
        Ok(base64url::encode(secret.as_slice()))
    }

    /// What is sent of a secret: its SHA-256, 43 characters of base64url. Raises `ValueError`.
    #[staticmethod]
    fn commitment(secret: Foreign<'_>) -> PyResult<String> {
        Ok(base64url::encode(&parsed(&secret)?.commitment().0))
    }

    /// The refresh token that a receipt and the secret it was made for are together.
    ///
    /// Raises `NotOurs` for a malformed receipt, `ValueError` for a malformed secret.
    #[staticmethod]
    fn assemble(py: Python<'_>, receipt: Foreign<'_>, secret: Foreign<'_>) -> PyResult<String> {
        let receipt = Receipt::parse(&receipt.0).map_err(|_| error::refusal(py, Refusal::NotOurs))?;
        Ok(Token::assemble(&receipt, parsed(&secret)?).to_text().to_string())
    }
}

fn parsed(secret: &Foreign<'_>) -> PyResult<Secret> {
    Secret::parse(&secret.0).ok_or_else(|| PyValueError::new_err("a secret is 43 characters of base64url"))
}
