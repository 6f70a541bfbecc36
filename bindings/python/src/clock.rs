//! The clock of an authority that was given one from Python.
//!
//! Rust's clocks cannot fail and Python's can, so a callable is asked *before* an operation, where its
//! exception can be raised, and what it said is what the operation reads on its thread.

use std::cell::Cell;

use pyo3::prelude::*;
use safeconduct::core::time::Timestamp;
use safeconduct::system_time;

use crate::time::Instant;

thread_local! {
    static NOW: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// The clock that every authority is opened with: what [`during`] was given, or else the system's time.
pub(crate) fn now() -> Timestamp {
    NOW.get().unwrap_or_else(system_time)
}

/// Asks the callable for the time; `None` where there is none to ask.
pub(crate) fn ask(py: Python<'_>, clock: Option<&Py<PyAny>>) -> PyResult<Option<Timestamp>> {
    let Some(clock) = clock else { return Ok(None) };
    clock.call0(py)?.extract::<Instant>(py).map(|instant| Some(instant.0))
}

/// Runs `operation` at `time`. An audit callable may begin another one within it, at another time.
pub(crate) fn during<T>(time: Option<Timestamp>, operation: impl FnOnce() -> T) -> T {
    let _restore = Restore(NOW.replace(time));
    operation()
}

struct Restore(Option<Timestamp>);

impl Drop for Restore {
    fn drop(&mut self) {
        NOW.set(self.0);
    }
}
