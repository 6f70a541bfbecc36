//! A store in one SQLite file: the default, with nothing to install and nothing to run.
//!
//! Write-ahead log, `synchronous=FULL`, every commit `BEGIN IMMEDIATE`. Several processes may share the
//! file; it must be on a local disk, since network file systems do not lock reliably
//! (<https://sqlite.org/wal.html>). One connection writes, a few read, and readers do not wait for a
//! commit. Each commit deletes a few expired rows, so no clean-up job is needed.
//!
//! A process that forks while a store is open calls [`SqliteStore::quiesce`] before; otherwise the child
//! is refused.

mod commit;
mod connection;
mod error;
mod fork;
mod options;
mod pool;
mod read;
pub mod sql;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use safeconduct_core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct_core::time::Timestamp;

use self::connection::Missing;
use self::options::Place;
pub use self::options::{SqliteOptions, Synchronous};
use self::pool::Pool;
use super::{Store, StoreError, draw, refuse_blind_writes};

/// Records and log in a SQLite file. A clone is the same store with the same connections.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    place: Place,
    pools: Pools,
}

/// The connections of one process, and those of the child that was forked from it.
struct Pools {
    process: u32,
    writer: Pool,
    readers: Pool,
    of_child: OnceLock<Box<Pools>>,
}

impl SqliteStore {
    /// Opens the store in the file `path`, making the file where there is none; `synchronous=FULL`.
    ///
    /// # Errors
    /// As [`SqliteOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        SqliteOptions::new().open(path)
    }

    /// Closes all connections, waiting for the operations under way, and lets none begin until the answer
    /// is dropped. A fork meanwhile finds nothing open, and parent and child both go on with the store,
    /// each with connections of its own. In Python the package does this by itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where operations take longer than the busy timeout. Nothing is then
    /// held back.
    pub fn quiesce(&self) -> Result<Quiesced, StoreError> {
        let pools = self.pools();
        pools.writer.pause(self.place())?;
        if let Err(error) = pools.readers.pause(self.place()) {
            pools.writer.resume();
            return Err(error);
        }
        Ok(Quiesced { store: self.clone(), process: std::process::id() })
    }

    fn open_with(place: Place) -> Result<Self, StoreError> {
        let pools = Pools::new(&place);
        pools.writer.stock(place.connect(Missing::Create)?);
        Ok(Self { shared: Arc::new(Shared { place, pools }) })
    }

    fn read<T>(&self, read: impl Fn(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        self.pools().readers.lend(self.place(), |connection| self.place().patiently(|| read(connection)))
    }

    fn place(&self) -> &Place {
        &self.shared.place
    }

    /// The pools of this process. A child never touches those of its parent, not even their locks: the
    /// thread that held one may not exist in the child.
    fn pools(&self) -> &Pools {
        let process = std::process::id();
        let mut pools = &self.shared.pools;
        while pools.process != process {
            pools = pools.of_child.get_or_init(|| Box::new(Pools::new(self.place())));
        }
        pools
    }
}

/// A store without open connections, until this is dropped.
#[must_use]
pub struct Quiesced {
    store: SqliteStore,
    process: u32,
}

impl Drop for Quiesced {
    /// In a child there is nothing to do: it has pools of its own.
    fn drop(&mut self) {
        if self.process == std::process::id() {
            let pools = self.store.pools();
            pools.writer.resume();
            pools.readers.resume();
        }
    }
}

impl Pools {
    fn new(place: &Place) -> Self {
        Self {
            process: std::process::id(),
            writer: Pool::new(1),
            readers: Pool::new(place.options.readers),
            of_child: OnceLock::new(),
        }
    }
}

impl Store for SqliteStore {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.read(|connection| read::get(connection, get))
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.read(|connection| read::list(connection, list))
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        refuse_blind_writes(commit)?;
        let marks = commit.log.iter().map(|_| draw().map(i64::from_be_bytes)).collect::<Result<Vec<_>, _>>()?;
        self.pools().writer.lend(self.place(), |connection| {
            let answer = self.place().patiently(|| commit::commit(connection, commit, &marks))?;
            if answer == Committed::Done && commit.put.iter().any(|put| put.record.is_none()) {
                // What was deleted goes from the write-ahead log too; where a reader is in the way, with a
                // later checkpoint. The commit stands either way.
                let _ = connection.query_row(sql::FORGET, [], |_| Ok(()));
            }
            Ok(answer)
        })
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.read(|connection| read::read_log(connection, read))
    }
}

/// SQLite has no unsigned numbers; what lies beyond is as good as never.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
