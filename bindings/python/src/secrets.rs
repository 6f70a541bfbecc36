//! `Secrets`.

use std::path::PathBuf;

use pyo3::prelude::*;
use safeconduct::core;
use safeconduct::secrets::{self, SourceError};

use crate::error;

/// The master keys of a deployment. Immutable; cannot be pickled, and shows nothing of itself.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Secrets {
    pub(crate) secrets: core::secret::Secrets,
}

#[pymethods]
impl Secrets {
    /// New secrets.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        Self::new(py, secrets::generate())
    }

    /// The secrets in a file.
    #[staticmethod]
    #[pyo3(signature = (path, create = false))]
    fn from_file(py: Python<'_>, path: PathBuf, create: bool) -> PyResult<Self> {
        let read = || if create { secrets::from_file_or_create(&path) } else { secrets::from_file(&path) };
        Self::new(py, py.detach(read))
    }

    /// The secrets in an environment variable.
    #[staticmethod]
    fn from_env(py: Python<'_>, name: &str) -> PyResult<Self> {
        Self::new(py, secrets::from_env(name))
    }

    /// The text form, a key a line: what `from_file` and `from_env` read.
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
