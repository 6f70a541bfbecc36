//! Where records are kept. A store compares and swaps bytes; every decision is made in `core`.

mod cursor;
mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use core::fmt;

use safeconduct_core::store::{Commit, Committed, Get, List, Listed, LogRead, Put, ReadLog, Versioned};

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// An engine that keeps records. What each operation must do is written at [`safeconduct_core::store`];
/// that an engine does it is shown by running `conformance` over it.
///
/// All methods may be called from many threads at once.
pub trait Store: Send + Sync {
    /// Reads the records of `get`, all as of one moment.
    ///
    /// # Errors
    /// [`StoreError`] where the engine could not answer.
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError>;

    /// Reads a page of a subject's sessions.
    ///
    /// # Errors
    /// [`StoreError`] where the engine could not answer.
    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError>;

    /// Compares and, if all is as expected, writes. `Ok` means durable.
    ///
    /// # Errors
    /// [`StoreError`] where the engine could not answer; whether the commit took effect is then unknown.
    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;

    /// Reads the revocation log.
    ///
    /// # Errors
    /// [`StoreError`] where the engine could not answer.
    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError>;
}

/// A store could not do what it was asked. No variant carries a token, a secret or a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The engine cannot be reached or written just now. Try again later; nobody is signed out.
    Unavailable(String),
    /// What is there is not a store of this kind, or of a newer version. Mend the configuration.
    Unusable(String),
}

impl StoreError {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::Unusable(_) => "store_unusable",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Unusable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreError {}

/// Random bytes from the operating system.
fn draw<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(StoreError::Unavailable(format!("the operating system gives no random bytes: {error}"))),
    }
}

/// What is written must also be expected, since no engine upserts. The core never asks otherwise.
fn refuse_blind_writes(commit: &Commit) -> Result<(), StoreError> {
    let blind = |put: &Put| commit.expect.iter().all(|(key, _)| *key != put.key);
    if commit.put.iter().any(blind) {
        return Err(StoreError::Unusable("a commit writes a record for which it expects nothing".into()));
    }
    Ok(())
}
