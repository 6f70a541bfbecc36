//! `SigningKey` and `VerifyingKey`.

use std::sync::Arc;

use pyo3::prelude::*;
use safeconduct::core::jws::{self, Algorithm, KeyError};

use crate::error;
use crate::text::{Foreign, Jwk};

/// A key that signs access tokens. Immutable; cannot be pickled.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct SigningKey {
    /// A set of this one key: what both an issuer and a verifier take.
    pub(crate) keys: Arc<jws::KeySet>,
    key: jws::VerifyingKey,
}

#[pymethods]
impl SigningKey {
    /// A key from a private or symmetric JWK, as `dict` or JSON text (RFC 7517, RFC 8037).
    ///
    /// Without `alg`, an `OKP` key is `EdDSA` and an `oct` key `HS256`; without `kid`, it is derived.
    /// Raises `KeyRefused`.
    #[staticmethod]
    fn from_jwk(py: Python<'_>, jwk: Jwk) -> PyResult<Self> {
        Self::new(py, jws::SigningKey::from_jwk(&jwk.0), None)
    }

    /// An Ed25519 key from PEM, a PKCS#8 `PRIVATE KEY`. The `kid` is its thumbprint (RFC 7638).
    ///
    /// Raises `KeyRefused`.
    #[staticmethod]
    #[pyo3(signature = (pem, *, kid = None))]
    fn from_pem(py: Python<'_>, pem: Foreign<'_>, kid: Option<&str>) -> PyResult<Self> {
        Self::new(py, jws::SigningKey::from_pem(&pem.0), kid)
    }

    /// An HMAC key. The secret has at least as many bytes as its hash (32, 48, 64), at most 1024.
    ///
    /// Raises `KeyRefused`.
    #[staticmethod]
    #[pyo3(signature = (secret, algorithm = "HS256", *, kid = None))]
    fn hmac(py: Python<'_>, secret: &[u8], algorithm: &str, kid: Option<&str>) -> PyResult<Self> {
        Self::new(py, jws::SigningKey::hmac(secret, named(py, algorithm)?), kid)
    }

    /// The key that verifies what this one signs; for HMAC, the same secret once more.
    fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { key: self.key.duplicate() }
    }

    /// The name that tokens call this key by.
    #[getter]
    fn kid(&self) -> &str {
        self.key.kid()
    }

    /// The `alg` that it signs with.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.key.algorithm().name()
    }

    fn __repr__(&self) -> String {
        format!("<SigningKey {} {:?}>", self.algorithm(), self.kid())
    }
}

impl SigningKey {
    fn new(py: Python<'_>, key: Result<jws::SigningKey, KeyError>, kid: Option<&str>) -> PyResult<Self> {
        let named = key.and_then(|key| match kid {
            Some(kid) => key.with_kid(kid),
            None => Ok(key),
        });
        let key = named.map_err(|error| error::key(py, error))?;
        Ok(Self { key: key.verifying_key(), keys: Arc::new(jws::KeySet::new(key)) })
    }
}

/// A key that verifies. For HMAC as secret as the one that signs. Immutable; cannot be pickled.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct VerifyingKey {
    pub(crate) key: jws::VerifyingKey,
}

#[pymethods]
impl VerifyingKey {
    /// A key from a public JWK, as `dict` or JSON text. Raises `KeyRefused`, also for private members.
    #[staticmethod]
    fn from_jwk(py: Python<'_>, jwk: Jwk) -> PyResult<Self> {
        Self::new(py, jws::VerifyingKey::from_jwk(&jwk.0), None)
    }

    /// An Ed25519 key from PEM, an SPKI `PUBLIC KEY`. Raises `KeyRefused`.
    #[staticmethod]
    #[pyo3(signature = (pem, *, kid = None))]
    fn from_pem(py: Python<'_>, pem: Foreign<'_>, kid: Option<&str>) -> PyResult<Self> {
        Self::new(py, jws::VerifyingKey::from_pem(&pem.0), kid)
    }

    /// An HMAC key; see `SigningKey.hmac`.
    #[staticmethod]
    #[pyo3(signature = (secret, algorithm = "HS256", *, kid = None))]
    fn hmac(py: Python<'_>, secret: &[u8], algorithm: &str, kid: Option<&str>) -> PyResult<Self> {
        Self::new(py, jws::VerifyingKey::hmac(secret, named(py, algorithm)?), kid)
    }

    /// The public JWK as JSON text. Raises `KeyRefused` for a symmetric key.
    fn jwk(&self, py: Python<'_>) -> PyResult<String> {
        self.key.public_jwk().map_err(|error| error::key(py, error))
    }

    /// The name that tokens call this key by.
    #[getter]
    fn kid(&self) -> &str {
        self.key.kid()
    }

    /// The `alg` that it verifies.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.key.algorithm().name()
    }

    fn __repr__(&self) -> String {
        format!("<VerifyingKey {} {:?}>", self.algorithm(), self.kid())
    }
}

impl VerifyingKey {
    fn new(py: Python<'_>, key: Result<jws::VerifyingKey, KeyError>, kid: Option<&str>) -> PyResult<Self> {
        let named = key.and_then(|key| match kid {
            Some(kid) => key.with_kid(kid),
            None => Ok(key),
        });
        named.map(|key| Self { key }).map_err(|error| error::key(py, error))
    }
}

pub(crate) fn named(py: Python<'_>, algorithm: &str) -> PyResult<Algorithm> {
    Algorithm::from_name(algorithm).ok_or_else(|| error::key(py, KeyError::WrongAlgorithm))
}
