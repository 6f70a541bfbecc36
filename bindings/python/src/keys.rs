//! `SigningKey`, `VerifyingKey` and `KeySet`.

use std::sync::Arc;

use pyo3::prelude::*;
use safeconduct::core::jws::{self, Algorithm, KeyError};
use safeconduct::system_time;
use zeroize::Zeroizing;

use crate::error::{self, Family};
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

/// Keys by `kid`: at most one that signs, and all that verify. Immutable; cannot be pickled.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct KeySet {
    pub(crate) keys: Arc<jws::KeySet>,
}

#[pymethods]
impl KeySet {
    /// A set of one new key. Persist `private_jwks()`. Raises `KeyRefused` for an unknown algorithm.
    #[staticmethod]
    #[pyo3(signature = (algorithm = "EdDSA"))]
    fn generate(py: Python<'_>, algorithm: &str) -> PyResult<Self> {
        let algorithm = named(py, algorithm)?;
        let mut random = Zeroizing::new([0; 64]);
        getrandom::fill(random.as_mut_slice())
            .map_err(|error| error::raised(py, Family::Entropy, "entropy_unavailable", &error.to_string(), None))?;
        let key = jws::SigningKey::generate(&random, algorithm).map_err(|error| error::key(py, error))?;
        Ok(Self { keys: Arc::new(jws::KeySet::new(key)) })
    }

    /// A set from the JSON text of a JWK set (RFC 7517 section 5).
    ///
    /// The first private or symmetric key signs, the others verify. Keys of foreign types are left out;
    /// see `skipped`. Raises `KeyRefused`.
    #[staticmethod]
    fn from_jwks(py: Python<'_>, jwks: Foreign<'_>) -> PyResult<Self> {
        let keys = jws::KeySet::from_jwks(&jwks.0).map_err(|error| error::key(py, error))?;
        Ok(Self { keys: Arc::new(keys) })
    }

    /// The public keys as the JSON text of a JWK set, to be published.
    ///
    /// Raises `KeyRefused` where a key is symmetric: it never comes out this way.
    fn jwks(&self, py: Python<'_>) -> PyResult<String> {
        self.keys.public_jwks(system_time()).map_err(|error| error::key(py, error))
    }

    /// The keys with their secrets, to be persisted where only the issuer can read them.
    fn private_jwks(&self) -> String {
        self.keys.private_jwks().to_string()
    }

    /// The `kid` of every key.
    #[getter]
    fn kids(&self) -> Vec<&str> {
        self.keys.verifying().map(jws::VerifyingKey::kid).collect()
    }

    /// What `from_jwks` left out: places in `keys`, from zero, and reasons.
    #[getter]
    fn skipped(&self) -> Vec<(usize, &'static str)> {
        self.keys.skipped().iter().map(|skipped| (skipped.index, skipped.reason.reason())).collect()
    }

    fn __len__(&self) -> usize {
        self.keys.verifying().len()
    }

    fn __repr__(&self) -> String {
        format!("<KeySet {:?}>", self.kids())
    }
}

fn named(py: Python<'_>, algorithm: &str) -> PyResult<Algorithm> {
    Algorithm::from_name(algorithm).ok_or_else(|| error::key(py, KeyError::WrongAlgorithm))
}
