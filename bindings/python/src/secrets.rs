//! `Secrets`.

use std::path::PathBuf;

use pyo3::prelude::*;
use safeconduct::core;
use safeconduct::secrets::{self, SourceError};

use crate::error;

/// The master keys of a deployment: what refresh tokens, records and the directory are made with.
///
/// Never kept in the store, never the keys that sign access tokens. Without them every session is lost;
/// with them and the database anybody can make sessions. Immutable; shows nothing of itself and cannot be
/// pickled.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Secrets {
    pub(crate) secrets: core::secret::Secrets,
}

#[pymethods]
impl Secrets {
    /// New secrets, which end with the process unless `to_text` is kept. For tests.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        Self::new(py, secrets::generate())
    }

    /// The secrets in a file: keys `sck1_…`, a line each; lines that begin with `#` are passed over.
    ///
    /// With `create`, a file that is not there is made with new secrets and mode 0600. It is made whole or
    /// not at all and never overwritten, so several processes may start at once.
    ///
    /// Raises `SecretsRefused` where the file is missing, malformed, cannot be read or made, or may be
    /// read by its group or others (`chmod 600`).
    #[staticmethod]
    #[pyo3(signature = (path, create = false))]
    fn from_file(py: Python<'_>, path: PathBuf, create: bool) -> PyResult<Self> {
        let read = || if create { secrets::from_file_or_create(&path) } else { secrets::from_file(&path) };
        Self::new(py, py.detach(read))
    }

    /// The secrets in an environment variable: keys separated by white space or commas.
    ///
    /// Raises `SecretsRefused` where it is not set or malformed.
    #[staticmethod]
    fn from_env(py: Python<'_>, name: &str) -> PyResult<Self> {
        Self::new(py, secrets::from_env(name))
    }

    /// What `from_file` and `from_env` read, to be written where only the application can read it.
    fn to_text(&self) -> String {
        self.secrets.to_text().to_string()
    }

    fn __repr__(&self) -> &'static str {
        "<Secrets>"
    }
}

impl Secrets {
    fn new(py: Python<'_>, secrets: Result<core::secret::Secrets, SourceError>) -> PyResult<Self> {
        secrets.map(|secrets| Self { secrets }).map_err(|error| error::secrets(py, &error))
    }
}
