//! How a SQLite store is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SqliteStore;
use crate::store::StoreError;

/// What a commit that returned `Ok` survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Everything, power loss included: each commit waits for the disk. The default.
    #[default]
    Full,
    /// The end of the process, however violent. A power loss or a crash of the operating system may
    /// undo the last commits, never tear one: to the sessions it looks like a store that went back.
    Normal,
    /// The end of the process. A power loss may leave a damaged file. For measurements and throw-away
    /// data.
    Off,
}

impl Synchronous {
    pub(super) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// Settings with which to open a [`SqliteStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {
    pub(super) synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
    pub(super) readers: usize,
    pub(super) vfs: Option<String>,
    pub(super) checkpoint_after: u32,
    pub(super) most_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            vfs: None,
            checkpoint_after: 1000,
            most_pages: None,
        }
    }
}

impl SqliteOptions {
    /// `synchronous=FULL`, 5 seconds, 4 readers.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a commit survives.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long an operation waits for another that is in its way, in this process or in another. After
    /// that it is [`StoreError::Unavailable`].
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many threads may read at the same moment, at least 1; each takes a connection. The others
    /// wait their turn.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// The SQLite VFS to use instead of the default one. For tests that inject faults.
    #[doc(hidden)]
    pub fn vfs(mut self, name: impl Into<String>) -> Self {
        self.vfs = Some(name.into());
        self
    }

    /// After how many pages of 4 KiB the write-ahead log is copied back. For tests.
    #[doc(hidden)]
    pub fn checkpoint_after(mut self, pages: u32) -> Self {
        self.checkpoint_after = pages;
        self
    }

    /// At how many pages of 4 KiB the disk counts as full. For tests.
    #[doc(hidden)]
    pub fn most_pages(mut self, pages: u32) -> Self {
        self.most_pages = Some(pages);
        self
    }

    /// Opens the store in the file `path`, making the file (not its directory) where there is none.
    ///
    /// `path` is a path and nothing else: `?`, `#` and `file:` have no meaning in it. `:memory:` is
    /// refused; that is [`MemoryStore`](crate::store::MemoryStore).
    ///
    /// # Errors
    /// [`StoreError::Unusable`] where `path` cannot be a store: no such directory, no permission, a
    /// read-only file, a file that is not a SQLite database, that belongs to another application or
    /// was written by a newer version. [`StoreError::Unavailable`] where it may be one later.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
            return Err(StoreError::Unusable(
                "a SQLite store needs the path of a file; for a store in memory use MemoryStore".into(),
            ));
        }
        // Absolute, so that it never begins with "file:", which SQLite would read as a URI, and so
        // that a later change of the working directory does not move the store.
        match std::path::absolute(path) {
            Ok(path) => SqliteStore::open_with(Place { path, options: self }),
            Err(error) => Err(StoreError::Unusable(format!("{}: {error}", path.display()))),
        }
    }
}

/// Which file, and how to open it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) options: SqliteOptions,
}
