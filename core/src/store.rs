//! What a store is asked and what it answers, as data.
//!
//! A store compares and swaps bytes and decides nothing. One round trip reads, one commits:
//!
//! | operation | what it must do |
//! |---|---|
//! | [`Get`] | all keys as of one moment, from the primary |
//! | [`List`] | the sessions of one subject, in ascending order of [`SessionId`], a page |
//! | [`Commit`] | compare every expected version; if all hold, write every put and append every log entry, atomically and durably; else change nothing and answer [`Committed::Conflict`] |
//! | [`ReadLog`] | the log entries of some partitions after a cursor |
//!
//! What is expected but not written is compared all the same: a check against a snapshot whose rows
//! are not locked is write skew, and loses a revoke-all that races a sign-in.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{Partition, SessionId, SubjectHandle};
use crate::time::Timestamp;

/// The address of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Which deployment the store belongs to; one record, in partition 0.
    Deployment,
    /// From a keyed hash of the subject to its handle.
    Directory(DirectoryId),
    /// The subject's epoch.
    Subject(SubjectHandle),
    /// One sign-in.
    Session(SessionId),
}

impl Key {
    /// The longest form that [`Self::to_bytes`] writes.
    pub const MAX_LEN: usize = 17;

    /// The partition the record is in.
    pub const fn partition(&self) -> Partition {
        match self {
            Self::Deployment => Partition(0),
            Self::Directory(id) => id.partition(),
            Self::Subject(handle) => handle.partition(),
            Self::Session(sid) => sid.partition(),
        }
    }

    /// One byte for the kind (`m d u s`), then the identifier. The sessions of a subject are adjacent
    /// and in order: they share the first nine bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, id): (u8, &[u8]) = match self {
            Self::Deployment => (b'm', &[]),
            Self::Directory(id) => (b'd', &id.0),
            Self::Subject(handle) => (b'u', handle.as_bytes()),
            Self::Session(sid) => (b's', sid.as_bytes()),
        };
        let mut bytes = Vec::with_capacity(Self::MAX_LEN);
        bytes.push(kind);
        bytes.extend_from_slice(id);
        bytes
    }
}

/// A keyed hash of a subject: partition 1 ‖ hash 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryId(pub [u8; 16]);

impl DirectoryId {
    /// The partition that the directory record is in; not that of the subject.
    pub const fn partition(&self) -> Partition {
        let [partition, ..] = self.0;
        Partition(partition)
    }
}

/// What tells one state of a record from every other: 64 random bits, never a counter, so that none
/// returns after a store went back to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

/// The bytes of a record and their version.
#[derive(Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The version that a commit must expect.
    pub version: Version,
    /// The record, opaque to the store.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Versioned {
    /// Not the bytes: a record holds the salt of its session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Versioned({:?}, {} bytes)", self.version, self.bytes.len())
    }
}

/// Read these records, all as of one moment. All keys are in `partition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// Where the keys are.
    pub partition: Partition,
    /// Which records. The answer has one place for each, in this order.
    pub keys: Vec<Key>,
}

/// Read a page of the sessions of `subject` whose identifier is greater than `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// Whose sessions.
    pub subject: SubjectHandle,
    /// The last session of the page before.
    pub after: Option<SessionId>,
    /// At most so many; at least 1.
    pub limit: u32,
}

/// A row of a [`List`] answer.
pub type Listed = (SessionId, Versioned);

/// Compare, and if everything is as expected, write. All keys and entries are in `partition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where everything is.
    pub partition: Partition,
    /// Each key with the version it must have; `None` where it must be absent. No key occurs twice.
    pub expect: Vec<(Key, Option<Version>)>,
    /// What to write, each key being also in `expect`. May be empty: then the commit only compares.
    pub put: Vec<Put>,
    /// What to append to the revocation log.
    pub log: Vec<LogEntry>,
    /// Rows and entries whose `gc_at` is before this moment may be deleted on the way: garbage
    /// collection, which no decision rests on.
    pub now: Timestamp,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The record.
    pub key: Key,
    /// Its new bytes and version, or `None` to delete it.
    pub record: Option<Versioned>,
    /// When it may be garbage-collected; without meaning where it is deleted.
    pub gc_at: Timestamp,
}

/// Bytes for the revocation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The entry, opaque to the store.
    pub bytes: Vec<u8>,
    /// When no access token is left that it could hit.
    pub gc_at: Timestamp,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Everything was as expected and is written.
    Done,
    /// Something was not as expected; nothing is written.
    Conflict,
}

/// Read the log of `partitions` after `cursor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLog {
    /// Whose entries.
    pub partitions: Vec<Partition>,
    /// Where the last read ended, as the store wrote it; `None` for the whole log.
    pub cursor: Option<Vec<u8>>,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRead {
    /// The entries, in no particular order: the log is a set.
    pub entries: Vec<Vec<u8>>,
    /// Where to read on.
    pub cursor: Vec<u8>,
    /// Whether these are surely all entries since the cursor. `false` after a gap (another store, a
    /// log that went backwards): then read again from the start.
    pub complete: bool,
}
