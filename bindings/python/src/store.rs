//! `MemoryStore` and `SqliteStore`, and the one store that an authority is bound to.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{self, Store, StoreError};

use crate::error;

/// A store in memory, for tests: it ends with the process.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct MemoryStore {
    store: Arc<store::MemoryStore>,
}

#[pymethods]
impl MemoryStore {
    #[new]
    fn new() -> Self {
        Self { store: Arc::new(store::MemoryStore::new()) }
    }

    fn __repr__(&self) -> &'static str {
        "<MemoryStore>"
    }
}

/// A store in one SQLite file.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct SqliteStore {
    store: store::SqliteStore,
    path: PathBuf,
}

#[pymethods]
impl SqliteStore {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        match py.detach(|| store::SqliteStore::open(&path)) {
            Ok(store) => Ok(Self { store, path }),
            Err(error) => Err(error::authority(py, &error.into())),
        }
    }

    fn __repr__(&self) -> String {
        format!("<SqliteStore {}>", self.path.display())
    }
}

/// Any store that Python can name.
pub(crate) enum AnyStore {
    Memory(Arc<store::MemoryStore>),
    Sqlite(store::SqliteStore),
}

impl AnyStore {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store.as_ref(),
            Self::Sqlite(store) => store,
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for AnyStore {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.cast::<MemoryStore>() {
            Ok(memory) => Ok(Self::Memory(Arc::clone(&memory.get().store))),
            Err(_) => Ok(Self::Sqlite(value.cast::<SqliteStore>()?.get().store.clone())),
        }
    }
}

impl Store for AnyStore {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.store().get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.store().list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.store().commit(commit)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.store().read_log(read)
    }
}
