//! Texts as Python writes them: tokens from outside, commitments, session ids, claims.

use std::borrow::Cow;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString};
use safeconduct::core::id::SessionId;
use safeconduct::core::secret::Commitment;
use safeconduct::core::session::outcome::Refusal;
use zeroize::Zeroizing;

use crate::error;

/// A `str` that came from outside. What is no Unicode (lone surrogates) becomes U+FFFD, which stands in no
/// token: so it is refused like any other malformed one, and no exception carries the text.
pub(crate) struct Foreign<'a>(pub(crate) Cow<'a, str>);

impl<'a, 'py> FromPyObject<'a, 'py> for Foreign<'a> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match value.extract::<&'a str>() {
            Ok(text) => Ok(Self(Cow::Borrowed(text))),
            Err(_) => Ok(Self(Cow::Owned(value.cast::<PyString>()?.to_string_lossy().into_owned()))),
        }
    }
}

/// A commitment: 32 `bytes`, or their 43 characters of base64url.
pub(crate) struct Committed(pub(crate) Commitment);

impl<'py> FromPyObject<'_, 'py> for Committed {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let commitment = match value.cast::<PyBytes>() {
            Ok(bytes) => bytes.as_bytes().try_into().ok().map(Commitment),
            Err(_) => Commitment::parse(&value.cast::<PyString>()?.to_string_lossy()),
        };
        let wrong = || PyValueError::new_err("a commitment is 32 bytes, or 43 characters of base64url");
        commitment.map(Self).ok_or_else(wrong)
    }
}

/// A session id. One that is malformed is one that no session has.
pub(crate) fn session_id(py: Python<'_>, text: &Foreign<'_>) -> PyResult<SessionId> {
    SessionId::parse(&text.0).ok_or_else(|| error::refusal(py, Refusal::Unknown))
}

/// A `dict` as JSON text, by `json.dumps`; what JSON cannot say is its `TypeError` or `ValueError`.
pub(crate) fn json<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyString>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = dict.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    options.set_item("ensure_ascii", false)?;
    options.set_item("separators", (",", ":"))?;
    Ok(DUMPS.import(py, "json", "dumps")?.call((dict,), Some(&options))?.cast_into()?)
}

/// A JWK: a `dict`, or JSON text.
pub(crate) struct Jwk(pub(crate) Zeroizing<String>);

impl<'py> FromPyObject<'_, 'py> for Jwk {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = match value.cast::<PyDict>() {
            Ok(dict) => json(&dict)?,
            Err(_) => value.cast::<PyString>()?.to_owned(),
        };
        Ok(Self(Zeroizing::new(text.to_string_lossy().into_owned())))
    }
}
