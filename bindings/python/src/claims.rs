//! `Claims`: what a verified token says.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator};

/// What a verified token says: a read-only mapping, parsed when it is first looked at.
///
/// The attributes are the registered claims (RFC 7519, RFC 9068), `None` where the token lacks one. Those
/// of an access token are always there, but for `scope`, `nbf` and `auth_time`.
#[pyclass(frozen, mapping, module = "safeconduct")]
pub(crate) struct Claims {
    payload: String,
    members: PyOnceLock<Py<PyDict>>,
}

impl Claims {
    /// Of a payload that was read strictly before.
    pub(crate) const fn new(payload: String) -> Self {
        Self { payload, members: PyOnceLock::new() }
    }

    fn members<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        self.members.get_or_try_init(py, || self.to_dict(py).map(Bound::unbind)).map(|members| members.bind(py))
    }

    fn claim<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.members(py)?.get_item(name)
    }

    /// A `NumericDate`, without its fraction.
    fn date(&self, py: Python<'_>, name: &str) -> PyResult<Option<u64>> {
        let Some(date) = self.claim(py, name)? else { return Ok(None) };
        date.call_method0("__int__")?.extract().map(Some)
    }
}

#[pymethods]
impl Claims {
    /// Who issued it.
    #[getter]
    fn iss<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "iss")
    }

    /// Whom it is about.
    #[getter]
    fn sub<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "sub")
    }

    /// Whom it is for.
    #[getter]
    fn aud<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "aud")
    }

    /// The client it was issued to.
    #[getter]
    fn client_id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "client_id")
    }

    /// When it expires, in Unix seconds.
    #[getter]
    fn exp(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.date(py, "exp")
    }

    /// When it was issued, in Unix seconds.
    #[getter]
    fn iat(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.date(py, "iat")
    }

    /// From when on it is valid, in Unix seconds.
    #[getter]
    fn nbf(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.date(py, "nbf")
    }

    /// What tells it from other tokens.
    #[getter]
    fn jti<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "jti")
    }

    /// Its session.
    #[getter]
    fn sid<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "sid")
    }

    /// Space-separated scopes.
    #[getter]
    fn scope<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.claim(py, "scope")
    }

    /// When the person signed in, in Unix seconds.
    #[getter]
    fn auth_time(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.date(py, "auth_time")
    }

    /// All claims as a new `dict`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        Ok(LOADS.import(py, "json", "loads")?.call1((&self.payload,))?.cast_into()?)
    }

    /// Whether `scope` lists this scope.
    fn has_scope(&self, py: Python<'_>, scope: &str) -> PyResult<bool> {
        let Some(scopes) = self.claim(py, "scope")? else { return Ok(false) };
        Ok(!scope.is_empty() && scopes.extract::<&str>()?.split(' ').any(|listed| listed == scope))
    }

    /// The value of a claim, or `default`.
    #[pyo3(signature = (key, default = None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.members(py)?.get_item(key)?.or(default))
    }

    /// The names.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.members(py)?.call_method0("keys")
    }

    /// The values.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.members(py)?.call_method0("values")
    }

    /// Names and values.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.members(py)?.call_method0("items")
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.members(key.py())?.as_any().get_item(key)
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.members(key.py())?.contains(key)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.members(py)?.try_iter()
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.members(py).map(|members| members.len())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = other.py();
        match other.cast::<Self>() {
            Ok(claims) => self.members(py)?.eq(claims.get().members(py)?),
            Err(_) => self.members(py)?.eq(other),
        }
    }

    /// Only what names no person.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let sid = self.claim(py, "sid")?;
        Ok(format!(
            "<Claims sid={} exp={}>",
            sid.map_or("-".into(), |sid| sid.to_string()),
            self.date(py, "exp")?.unwrap_or(0)
        ))
    }
}
