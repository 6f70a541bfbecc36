//! Commits and reads, written shortly.

use std::time::SystemTime;

use safeconduct_core::id::{Partition, SessionId, SubjectHandle};
use safeconduct_core::store::{
    Commit, Committed, DirectoryId, Get, Key, LogEntry, LogRead, Put, ReadLog, Version, Versioned,
};
use safeconduct_core::time::{Seconds, Timestamp};

use super::{Failure, require};
use crate::store::Store;

/// The time of day. Engines that expire by themselves go by it.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_seconds(since.as_secs())
}

/// When what must stay may go.
pub(super) fn later() -> Timestamp {
    now().plus(Seconds::new(3600))
}

/// A moment that is past.
pub(super) fn earlier() -> Timestamp {
    now().minus(Seconds::new(3600))
}

/// Random bytes.
pub(super) fn draw<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// A version that was never used.
pub(super) fn draw_version() -> Result<Version, Failure> {
    draw().map(u64::from_be_bytes).map(Version)
}

/// A subject that was never used, in `partition`.
pub(super) fn draw_subject(partition: u8) -> Result<SubjectHandle, Failure> {
    Ok(SubjectHandle::new(Partition(partition), draw()?))
}

/// The session number `n` of `subject`.
pub(super) fn session(subject: SubjectHandle, n: u64) -> Key {
    Key::Session(SessionId::new(subject, n.to_be_bytes()))
}

/// A directory record with the bytes of `subject` in its key.
pub(super) fn directory(subject: SubjectHandle) -> Key {
    let [a, b, c, d, e, f, g, h] = *subject.as_bytes();
    Key::Directory(DirectoryId([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]))
}

/// A record.
pub(super) fn record(version: Version, bytes: impl Into<Vec<u8>>) -> Versioned {
    Versioned { version, bytes: bytes.into() }
}

/// A commit under construction.
#[must_use]
pub(super) struct Draft(Commit);

impl Draft {
    pub(super) fn new(partition: Partition) -> Self {
        Self(Commit { partition, expect: Vec::new(), put: Vec::new(), log: Vec::new(), now: now() })
    }

    /// Expects `key` at `version` and does not write it.
    pub(super) fn expect(mut self, key: Key, version: Option<Version>) -> Self {
        self.0.expect.push((key, version));
        self
    }

    /// Expects `key` at `from` and writes `record`.
    pub(super) fn write(self, key: Key, from: Option<Version>, record: Versioned) -> Self {
        self.write_until(key, from, record, later())
    }

    /// Expects `key` at `from` and writes `record`, which may be collected from `gc_at` on.
    pub(super) fn write_until(mut self, key: Key, from: Option<Version>, record: Versioned, gc_at: Timestamp) -> Self {
        self.0.put.push(Put { key, record: Some(record), gc_at });
        self.expect(key, from)
    }

    /// Writes `record` and expects nothing: a mistake of the caller.
    pub(super) fn write_blindly(mut self, key: Key, record: Versioned) -> Self {
        self.0.put.push(Put { key, record: Some(record), gc_at: later() });
        self
    }

    /// Expects `key` at `from` and deletes it.
    pub(super) fn delete(mut self, key: Key, from: Option<Version>) -> Self {
        self.0.put.push(Put { key, record: None, gc_at: later() });
        self.expect(key, from)
    }

    pub(super) fn log(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.log_until(bytes, later())
    }

    pub(super) fn log_until(mut self, bytes: impl Into<Vec<u8>>, gc_at: Timestamp) -> Self {
        self.0.log.push(LogEntry { bytes: bytes.into(), gc_at });
        self
    }

    /// Commits, whatever comes of it.
    pub(super) fn send(&self, store: &dyn Store) -> Result<Committed, Failure> {
        Ok(store.commit(&self.0)?)
    }

    /// Commits what must go through.
    pub(super) fn done(self, store: &dyn Store) -> Result<(), Failure> {
        let done = self.send(store)? == Committed::Done;
        require(done, format!("all was as expected, but the store answered conflict: {:?}", self.0.expect))
    }

    /// Commits what must not go through.
    pub(super) fn conflict(self, store: &dyn Store, because: &str) -> Result<(), Failure> {
        let conflict = self.send(store)? == Committed::Conflict;
        require(conflict, format!("{because}, but the store committed"))
    }
}

/// Reads several records.
pub(super) fn read(store: &dyn Store, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Failure> {
    let partition = keys.first().map_or(Partition(0), Key::partition);
    let answer = store.get(&Get { partition, keys: keys.to_vec() })?;
    require(answer.len() == keys.len(), format!("{} keys, but {} answers", keys.len(), answer.len()))?;
    Ok(answer)
}

/// Reads one record.
pub(super) fn read_one(store: &dyn Store, key: Key) -> Result<Option<Versioned>, Failure> {
    Ok(read(store, &[key])?.into_iter().next().flatten())
}

/// Requires that `key` holds `expected`.
pub(super) fn holds(store: &dyn Store, key: Key, expected: Option<&Versioned>) -> Result<(), Failure> {
    let found = read_one(store, key)?;
    require(
        found.as_ref() == expected,
        format!("{key:?} must hold {}, holds {}", brief(expected), brief(found.as_ref())),
    )
}

fn brief(record: Option<&Versioned>) -> String {
    record.map_or("nothing".into(), |record| {
        let start: Vec<u8> = record.bytes.iter().take(8).copied().collect();
        format!("{:016x} with {} bytes {start:02x?}…", record.version.0, record.bytes.len())
    })
}

/// Reads the log of `partitions`.
pub(super) fn read_log(store: &dyn Store, partitions: &[u8], cursor: Option<&[u8]>) -> Result<LogRead, Failure> {
    let partitions = partitions.iter().copied().map(Partition).collect();
    Ok(store.read_log(&ReadLog { partitions, cursor: cursor.map(<[u8]>::to_vec) })?)
}
