//! A fork finds no SQLite connection open: `os.register_at_fork` closes them before and lets them be opened
//! again after, in the parent and in the child. Programs that fork without Python's knowledge get the
//! store's own refusal in the child. Threads that watch files of keys end before, and begin again after.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, Weak};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use safeconduct::store::SqliteStore;
use safeconduct::store::sqlite::Quiesced;

use crate::error;
use crate::key_set::Live;

/// Every store of this process that is still in use.
static STORES: Mutex<Vec<Weak<SqliteStore>>> = Mutex::new(Vec::new());

/// Those that a fork under way has brought to rest.
static AT_REST: Mutex<Vec<Quiesced>> = Mutex::new(Vec::new());

/// Every set of keys of this process that lies in a file and is still in use.
static KEYS: Mutex<Vec<Weak<Live>>> = Mutex::new(Vec::new());

/// Read by whoever changes keys, written by whoever forks: a child has no thread that would let go of a lock.
static CHANGES: RwLock<()> = RwLock::new(());

thread_local! {
    static NO_CHANGES: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Takes keys in, for as long as anybody has them.
pub(crate) fn follow_keys(live: Arc<Live>) -> Arc<Live> {
    let mut keys = locked(&KEYS);
    keys.retain(|keys| keys.strong_count() > 0);
    keys.push(Arc::downgrade(&live));
    live
}

/// Does what must not be cut in two by a fork.
pub(crate) fn unforked<T>(change: impl FnOnce() -> T) -> T {
    let _changes = CHANGES.read().unwrap_or_else(PoisonError::into_inner);
    change()
}

/// Takes a store in, for as long as anybody has it.
pub(crate) fn follow(store: SqliteStore) -> Arc<SqliteStore> {
    let store = Arc::new(store);
    let mut stores = locked(&STORES);
    stores.retain(|store| store.strong_count() > 0);
    stores.push(Arc::downgrade(&store));
    store
}

/// Tells Python what to call around a fork.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    // There is none where there is no fork.
    let Ok(register) = os.getattr("register_at_fork") else { return Ok(()) };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before, py)?)?;
    hooks.set_item("after_in_parent", wrap_pyfunction!(after, py)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(after, py)?)?;
    register.call((), Some(&hooks)).map(|_| ())
}

/// Keeps the interpreter, so that no other thread begins a fork. What it waits for does not need Python.
#[pyfunction]
fn before(py: Python<'_>) -> PyResult<()> {
    NO_CHANGES.set(Some(CHANGES.write().unwrap_or_else(PoisonError::into_inner)));
    watched().iter().for_each(|live| live.pause());
    let stores: Vec<_> = locked(&STORES).iter().filter_map(Weak::upgrade).collect();
    for store in stores {
        let at_rest = store.quiesce().map_err(|error| error::authority(py, &error.into()))?;
        locked(&AT_REST).push(at_rest);
    }
    Ok(())
}

/// What it raises Python shows, and goes on.
#[pyfunction]
fn after(py: Python<'_>) -> PyResult<()> {
    locked(&AT_REST).clear();
    NO_CHANGES.set(None);
    watched().iter().try_for_each(|live| live.go_on()).map_err(|error| error::keys(py, &error))
}

fn watched() -> Vec<Arc<Live>> {
    locked(&KEYS).iter().filter_map(Weak::upgrade).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
