//! One connection to the file: opened, recognised as a store, set up, and closed by the process that
//! opened it.

use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use super::fork::OpenConnection;
use super::options::{Place, Synchronous};
use super::sql;
use crate::store::{StoreError, draw};

/// Whether a connection may make the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Refuse,
}

/// A connection that only the process that opened it uses or closes. A child that inherits it leaks it.
pub(super) struct Handle {
    file: Option<FileId>,
    connection: Option<Connection>,
    /// Dropped after the connection was closed.
    counted: OpenConnection,
}

impl Handle {
    pub(super) fn get(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Whether the path still leads to the file that was opened. SQLite would go on writing to a file
    /// that was removed or replaced, and acknowledge it.
    pub(super) fn is_at(&self, place: &Place) -> bool {
        self.file == place.file()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.counted.is_own() {
            let _leaked = self.connection.take().map(ManuallyDrop::new);
        }
    }
}

impl Place {
    /// Opens a connection. A file that is not yet a store becomes one only where it is empty.
    pub(super) fn connect(&self, missing: Missing) -> Result<Handle, StoreError> {
        let counted = OpenConnection::count()?;
        self.look_before_opening()?;
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if missing == Missing::Create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        if missing == Missing::Create {
            self.make_private();
        }
        let connection = match &self.options.vfs {
            None => Connection::open_with_flags(&self.path, flags),
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
        };
        let connection = match connection {
            Err(Error::SqliteFailure(failure, _))
                if failure.code == ErrorCode::CannotOpen && missing == Missing::Refuse =>
            {
                return Err(self.gone());
            }
            other => other.map_err(|error| self.explain(&error))?,
        };
        self.set_up(&connection, missing)?;
        Ok(Handle { file: self.file(), connection: Some(connection), counted })
    }

    /// Makes a file that is not there yet, for its owner alone: it will hold names, devices and addresses.
    /// SQLite gives its log the same mode. Where this fails, opening says why.
    fn make_private(&self) {
        #[cfg(unix)]
        if self.options.vfs.is_none() {
            use std::os::unix::fs::OpenOptionsExt;
            let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        }
    }

    /// Which file is at the path now; `None` where there is none that the system knows.
    #[cfg(unix)]
    fn file(&self) -> Option<FileId> {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(&self.path).ok().map(|file| (file.dev(), file.ino()))
    }

    /// An open file cannot be removed here.
    #[cfg(not(unix))]
    fn file(&self) -> Option<FileId> {
        None
    }

    fn gone(&self) -> StoreError {
        StoreError::Unavailable(format!("{} is gone, empty or cannot be opened any more", self.path.display()))
    }

    /// Finds the mistakes for which SQLite has only one word.
    fn look_before_opening(&self) -> Result<(), StoreError> {
        let path = self.path.display();
        if self.path.is_dir() {
            return Err(StoreError::Unusable(format!("{path} is a directory; name a file in it")));
        }
        match self.path.parent() {
            Some(directory) if !directory.is_dir() => {
                Err(StoreError::Unusable(format!("there is no directory {}; make it first", directory.display())))
            }
            _ => Ok(()),
        }
    }

    fn set_up(&self, connection: &Connection, missing: Missing) -> Result<(), StoreError> {
        let explain = |error: Error| self.explain(&error);
        connection.busy_timeout(self.options.busy_timeout).map_err(explain)?;
        if connection.is_readonly("main").map_err(explain)? {
            return Err(self.read_only());
        }
        connection.execute_batch(sql::BEGIN_READ).map_err(explain)?;
        let found = self.recognise(connection)?;
        connection.execute_batch(sql::COMMIT).map_err(explain)?;
        if found == Found::Empty && missing == Missing::Refuse {
            return Err(self.gone());
        }
        self.switch_to_wal(connection)?;
        if found == Found::Empty {
            self.create(connection)?;
        }
        let synchronous = self.options.synchronous;
        connection.pragma_update(None, "synchronous", synchronous.pragma()).map_err(explain)?;
        if synchronous == Synchronous::Full {
            // On Apple systems an ordinary fsync does not reach the disk; elsewhere this does nothing.
            connection.pragma_update(None, "fullfsync", true).map_err(explain)?;
            connection.pragma_update(None, "checkpoint_fullfsync", true).map_err(explain)?;
        }
        connection.pragma_update(None, "wal_autocheckpoint", self.options.checkpoint_after).map_err(explain)?;
        if let Some(pages) = self.options.most_pages {
            connection.pragma_update(None, "max_page_count", pages).map_err(explain)?;
        }
        connection.pragma_update(None, "trusted_schema", false).map_err(explain)?;
        // What is deleted is overwritten with zeros, not only forgotten: an erasure is one.
        connection.pragma_update(None, "secure_delete", true).map_err(explain)?;
        connection.set_prepared_statement_cache_capacity(32);
        // From here on operations wait by `patiently`.
        connection.busy_timeout(Duration::ZERO).map_err(explain)?;
        Ok(())
    }

    /// Must run inside a transaction: somebody else may be making the tables.
    fn recognise(&self, connection: &Connection) -> Result<Found, StoreError> {
        let path = self.path.display();
        let number = |text: &str| connection.query_row(text, [], |row| row.get::<_, i64>(0));
        let explain = |error: Error| self.explain(&error);
        let application = number("PRAGMA application_id").map_err(explain)?;
        let version = number("PRAGMA user_version").map_err(explain)?;
        if application == i64::from(sql::APPLICATION_ID) {
            return match version.cmp(&i64::from(sql::SCHEMA_VERSION)) {
                std::cmp::Ordering::Equal => Ok(Found::Store),
                std::cmp::Ordering::Greater => Err(StoreError::Unusable(format!(
                    "{path} was written by a newer version of safeconduct (its format is {version}, this version knows {}); upgrade",
                    sql::SCHEMA_VERSION
                ))),
                std::cmp::Ordering::Less => {
                    Err(StoreError::Unusable(format!("{path} has the unknown format {version}; choose another path")))
                }
            };
        }
        let tables = number("SELECT count(*) FROM sqlite_schema").map_err(explain)?;
        if application == 0 && version == 0 && tables == 0 {
            return Ok(Found::Empty);
        }
        Err(StoreError::Unusable(format!("{path} is the SQLite database of another application; choose another path")))
    }

    fn switch_to_wal(&self, connection: &Connection) -> Result<(), StoreError> {
        // SQLite does not always wait for its lock here.
        let switch = || connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0));
        match self.patiently(switch)?.as_str() {
            "wal" => Ok(()),
            mode => Err(StoreError::Unusable(format!(
                "{}: the file system allows no write-ahead log (journal mode {mode}); use a local disk",
                self.path.display()
            ))),
        }
    }

    /// Tries again, up to the busy timeout, while another connection is in the way. SQLite's own waiting
    /// sleeps up to 100 ms at a time, by which a process starves beside one that commits all the time.
    pub(super) fn patiently<T>(&self, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, StoreError> {
        let started = Instant::now();
        loop {
            match attempt() {
                Err(error) if is_busy(&error) && started.elapsed() < self.options.busy_timeout => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                result => return result.map_err(|error| self.explain(&error)),
            }
        }
    }

    /// Makes the tables, unless somebody else just did.
    fn create(&self, connection: &Connection) -> Result<(), StoreError> {
        let explain = |error: Error| self.explain(&error);
        let feed = draw::<16>()?;
        connection.execute_batch(sql::BEGIN_WRITE).map_err(explain)?;
        if self.recognise(connection)? == Found::Store {
            return connection.execute_batch(sql::ROLLBACK).map_err(explain);
        }
        connection.execute_batch(sql::CREATE).map_err(explain)?;
        connection.execute(sql::CREATE_FEED, [feed.as_slice()]).map_err(explain)?;
        connection.pragma_update(None, "application_id", sql::APPLICATION_ID).map_err(explain)?;
        connection.pragma_update(None, "user_version", sql::SCHEMA_VERSION).map_err(explain)?;
        connection.execute_batch(sql::COMMIT).map_err(explain)
    }
}

/// Device and inode.
type FileId = (u64, u64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Store,
    Empty,
}

fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
