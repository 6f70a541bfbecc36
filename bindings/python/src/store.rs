//! `MemoryStore` and `SqliteStore`, and the one store that an authority is bound to.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{self, Store, StoreError};

use crate::{error, fork};

/// A store in memory, for tests: it ends with the process. Do not fork while another thread uses it: the
/// child could wait for that thread for ever.
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

/// A store in one SQLite file on a local disk; several processes may share it.
///
/// Around `os.fork` its connections are closed, so parent and child both go on with it; a fork waits for
/// operations under way.
///
/// Every commit waits for the disk. An operation that is in another's way for 5 seconds raises
/// `StoreUnavailable`.
///
/// Never open the file with `sqlite3` in a process that has it open here: that is a second copy of SQLite, and
/// two copies in one process do not see each other's locks. From another process it does no harm.
///
/// Opens the store, making the file (not its directory) where there is none.
///
/// Raises `StoreUnusable` where `path` cannot be a store, `StoreUnavailable` where it may be one later.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct SqliteStore {
    store: Arc<store::SqliteStore>,
    path: PathBuf,
}

#[pymethods]
impl SqliteStore {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        match py.detach(|| store::SqliteStore::open(&path)) {
            Ok(store) => Ok(Self { store: fork::follow(store), path }),
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
    Sqlite(Arc<store::SqliteStore>),
}

impl AnyStore {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store.as_ref(),
            Self::Sqlite(store) => store.as_ref(),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for AnyStore {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(memory) = value.cast::<MemoryStore>() {
            return Ok(Self::Memory(Arc::clone(&memory.get().store)));
        }
        match value.cast::<SqliteStore>() {
            Ok(sqlite) => Ok(Self::Sqlite(Arc::clone(&sqlite.get().store))),
            Err(_) => Err(error::wrong_type(value, "a MemoryStore or a SqliteStore")),
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
