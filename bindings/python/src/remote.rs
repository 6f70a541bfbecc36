//! `RemoteKeys`: the keys of another issuer, fetched by a callable.

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use safeconduct::core::jws::remote::{RemotePolicy, RemoteSettings};

use crate::error::{self, Family};
use crate::time::Length;

thread_local! {
    /// What a fetch of this thread raised that is no failure of it, as a `KeyboardInterrupt`.
    static INTERRUPT: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// The keys that another issuer publishes, fetched when they are wanted and no more often. For a `Verifier`.
///
/// `fetch` gives the text of a JWK set, as `safeconduct.jwks.fetch` does; an `Exception` that it raises is a fetch that
/// failed, of which the name of the class alone is told. What else it raises, as `KeyboardInterrupt`, comes out of
/// `Verifier.verify`. It must not verify by these keys itself.
///
/// - `cooldown`: how long after the end of a fetch no other one begins, whether it went well or not; 30 s.
/// - `max_age`: how old keys may be before they are fetched again; 5 minutes.
/// - `max_stale`: how old they may be where that fails; 1 h. For so long a withdrawn key may still be believed.
///
/// A token of an unknown key is a reason to fetch. A set with a private or symmetric key is refused whole. Where there
/// are no keys to use, verifying raises `KeysUnavailable`. Raises `ConfigError` where the times do not fit together.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct RemoteKeys {
    pub(crate) keys: safeconduct::RemoteKeys,
    /// What `keys` calls, in one reference with it: the garbage collector counts.
    fetch: Arc<Py<PyAny>>,
}

#[pymethods]
impl RemoteKeys {
    #[new]
    #[pyo3(signature = (fetch, *, cooldown = None, max_age = None, max_stale = None))]
    fn new(
        py: Python<'_>,
        fetch: Py<PyAny>,
        cooldown: Option<Length>,
        max_age: Option<Length>,
        max_stale: Option<Length>,
    ) -> PyResult<Self> {
        if !fetch.bind(py).is_callable() {
            return Err(PyTypeError::new_err("fetch must be callable"));
        }
        let usual = RemoteSettings::default();
        let policy = RemotePolicy::new(RemoteSettings {
            cooldown: cooldown.map_or(usual.cooldown, |length| length.0),
            max_age: max_age.map_or(usual.max_age, |length| length.0),
            max_stale: max_stale.map_or(usual.max_stale, |length| length.0),
        });
        let policy =
            policy.map_err(|error| error::raised(py, Family::Config, error.reason(), &error.to_string(), None))?;
        let fetch = Arc::new(fetch);
        let called = Arc::clone(&fetch);
        Ok(Self { keys: safeconduct::RemoteKeys::new(policy, move || call(&called)), fetch })
    }

    /// The `kid` of every key that was fetched last.
    #[getter]
    fn kids(&self) -> Vec<String> {
        let keys = self.keys.last();
        keys.iter().flat_map(|keys| keys.verifying().map(|key| key.kid().to_owned())).collect()
    }

    /// Why the last fetch failed; `None` where it did not.
    #[getter]
    fn trouble(&self) -> Option<String> {
        self.keys.trouble()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.fetch.as_ref())
    }

    fn __repr__(&self) -> String {
        format!("<RemoteKeys {:?}>", self.kids())
    }
}

/// What is to be raised from whatever this thread's last fetch was for, once.
pub(crate) fn interrupt() -> Option<PyErr> {
    INTERRUPT.take()
}

fn call(fetch: &Py<PyAny>) -> Result<String, String> {
    Python::attach(|py| {
        let fetched = fetch.call0(py).and_then(|text| text.extract::<String>(py));
        fetched.map_err(|error| {
            // The text may hold a URL with a password in it.
            let name = error.get_type(py).name().map_or_else(|_| "an exception".into(), |name| name.to_string());
            if !error.is_instance_of::<PyException>(py) {
                INTERRUPT.set(Some(error));
            }
            name
        })
    })
}
