//! A fork must find no connection open.
//!
//! SQLite forbids a child to use or to close a connection of its parent
//! (<https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_>). To open another one
//! is not enough either: SQLite keeps a list of the files that the process has open, with the locks that
//! it holds on them, and the child inherits the list but not the locks. It would hang on a lock that no
//! living thread holds, or believe in one that the system no longer grants, and another process could
//! then damage the file.
//!
//! So this counts the open connections. A child that inherited any is refused; [`SqliteStore::quiesce`]
//! sees to it that there are none.
//!
//! [`SqliteStore::quiesce`]: super::SqliteStore::quiesce

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::StoreError;

/// The process that counts, in the upper half, and how many connections it has open, in the lower.
static OPEN: AtomicU64 = AtomicU64::new(0);

/// A connection that is open, or about to be.
pub(super) struct OpenConnection {
    process: u32,
}

impl OpenConnection {
    /// Counts one more.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] in a child that inherited open connections.
    pub(super) fn count() -> Result<Self, StoreError> {
        let process = std::process::id();
        let counted = OPEN.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| {
            let (counting, connections) = (open >> 32, open & u64::from(u32::MAX));
            let inherited = counting != u64::from(process);
            (!inherited || connections == 0).then(|| (u64::from(process) << 32) | connections.saturating_add(1))
        });
        match counted {
            Ok(_) => Ok(Self { process }),
            Err(_) => Err(StoreError::Unusable(
                "this process was forked while a SQLite store was open; call quiesce() on the store before \
                 the fork, or open the store after it"
                    .into(),
            )),
        }
    }

    /// Whether this process opened it.
    pub(super) fn is_own(&self) -> bool {
        self.process == std::process::id()
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if self.is_own() {
            OPEN.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
