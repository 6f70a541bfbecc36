//! `Claims`: what a verified token says.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyIterator, PyList, PyString};
use safeconduct::core::encoding::json::{self, Number, Object, Text, Value};

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

    /// The payload was read strictly before, so this cannot fail.
    fn object(&self) -> PyResult<Object<'_>> {
        json::object(self.payload.as_bytes()).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn members<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        self.members.get_or_try_init(py, || self.to_dict(py).map(Bound::unbind)).map(|members| members.bind(py))
    }

    /// One claim, without a look at the others where they were not asked for yet.
    fn claim<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.members.get(py) {
            Some(members) => members.bind(py).get_item(name),
            None => self.object()?.get(name).map(|value| value_of(py, value)).transpose(),
        }
    }

    /// A `NumericDate`, without its fraction.
    fn date(&self, name: &str) -> PyResult<Option<u64>> {
        Ok(self.object()?.get(name).and_then(Value::as_number).and_then(Number::floor_u64))
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
    fn exp(&self) -> PyResult<Option<u64>> {
        self.date("exp")
    }

    /// When it was issued, in Unix seconds.
    #[getter]
    fn iat(&self) -> PyResult<Option<u64>> {
        self.date("iat")
    }

    /// From when on it is valid, in Unix seconds.
    #[getter]
    fn nbf(&self) -> PyResult<Option<u64>> {
        self.date("nbf")
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
    fn auth_time(&self) -> PyResult<Option<u64>> {
        self.date("auth_time")
    }

    /// All claims as a new `dict`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, self.object()?)
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
            self.date("exp")?.unwrap_or(0)
        ))
    }
}

fn dict_of<'py>(py: Python<'py>, object: Object<'_>) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(py);
    for member in object.members() {
        members.set_item(string_of(py, member.name), value_of(py, member.value)?)?;
    }
    Ok(members)
}

/// A value as Python's own `json` module has it.
fn value_of<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => number_of(py, number)?,
        Value::String(text) => string_of(py, text).into_any(),
        Value::Array(list) => {
            let elements = PyList::empty(py);
            for element in list.elements() {
                elements.append(value_of(py, element)?)?;
            }
            elements.into_any()
        }
        Value::Object(object) => dict_of(py, object)?.into_any(),
    })
}

fn string_of<'py>(py: Python<'py>, text: Text<'_>) -> Bound<'py, PyString> {
    match text.as_str() {
        Some(plain) => PyString::new(py, plain),
        None => PyString::new(py, &text.to_string()),
    }
}

/// An `int` where it is written as one, else a `float`. Integers have at most 64 bits.
fn number_of<'py>(py: Python<'py>, number: Number<'_>) -> PyResult<Bound<'py, PyAny>> {
    let text = number.as_str();
    if let Ok(integer) = text.parse::<u64>() {
        return Ok(integer.into_pyobject(py)?.into_any());
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(integer.into_pyobject(py)?.into_any());
    }
    let float = text.parse().map_err(|_| PyValueError::new_err("not a number"))?;
    Ok(PyFloat::new(py, float).into_any())
}
