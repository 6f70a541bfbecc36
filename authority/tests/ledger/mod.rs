//! Commits that can be checked afterwards: each writes three records and a log entry that must agree.

use std::collections::BTreeSet;

use safeconduct::core::id::{Partition, SessionId, SubjectHandle};
use safeconduct::core::store::{
    Commit, Committed, DirectoryId, Get, Key, List, LogEntry, Put, ReadLog, Version, Versioned,
};
use safeconduct::core::time::Timestamp;
use safeconduct::store::{Store, StoreError};

/// A series of commits number 1, 2, 3… about one subject.
#[derive(Clone, Copy)]
pub(crate) struct Ledger {
    subject: SubjectHandle,
}

impl Ledger {
    pub(crate) fn new(number: u8) -> Self {
        Self { subject: SubjectHandle::new(Partition(number), [number; 7]) }
    }

    /// Commit number `n`, which must follow commit number `n - 1`.
    pub(crate) fn write(&self, store: &dyn Store, n: u64) -> Result<(), StoreError> {
        let from = (n > 1).then(|| version(n - 1));
        let record = Versioned { version: version(n), bytes: body(n) };
        let keys = self.keys(n);
        let commit = Commit {
            partition: self.subject.partition(),
            expect: vec![(keys[0], from), (keys[1], from), (keys[2], None)],
            put: keys.map(|key| Put { key, record: Some(record.clone()), gc_at: Timestamp::MAX }).to_vec(),
            log: vec![LogEntry { bytes: self.entry(n), gc_at: Timestamp::MAX }],
            now: Timestamp::from_unix_seconds(1),
        };
        match store.commit(&commit)? {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(StoreError::Unusable(format!("commit {n} conflicts"))),
        }
    }

    /// The number of the last commit that is there, once it is sure that all up to it are there whole
    /// and nothing is there of any later one.
    pub(crate) fn last(&self, store: &dyn Store) -> Result<u64, String> {
        let [subject, directory, _] = self.keys(0);
        let get = Get { partition: self.subject.partition(), keys: vec![subject, directory] };
        let found = store.get(&get).map_err(|error| error.to_string())?;
        if found[0] != found[1] {
            return Err(format!("two records written together differ: {found:?}"));
        }
        let last = found[0].as_ref().map_or(0, |record| u64::from_be_bytes(record.bytes[..8].try_into().unwrap()));
        if found[0] != (last > 0).then(|| Versioned { version: version(last), bytes: body(last) }) {
            return Err(format!("record {last} is damaged"));
        }
        let list = List { subject: self.subject, after: None, limit: u32::MAX };
        let sessions = store.list(&list).map_err(|error| error.to_string())?;
        let expected = (1..=last).map(|n| {
            // The third of the three keys is always a session.
            let Key::Session(sid) = self.keys(n)[2] else { unreachable!() };
            (sid, Versioned { version: version(n), bytes: body(n) })
        });
        if !sessions.iter().cloned().eq(expected) {
            return Err(format!("after commit {last} there are {} sessions, or others than committed", sessions.len()));
        }
        let read = ReadLog { partitions: vec![self.subject.partition()], cursor: None };
        let log = store.read_log(&read).map_err(|error| error.to_string())?;
        let entries: BTreeSet<Vec<u8>> = log.entries.iter().cloned().collect();
        let expected: BTreeSet<Vec<u8>> = (1..=last).map(|n| self.entry(n)).collect();
        if entries != expected || log.entries.len() != expected.len() {
            return Err(format!("after commit {last} the log has {} entries, or others", log.entries.len()));
        }
        Ok(last)
    }

    fn keys(&self, n: u64) -> [Key; 3] {
        let directory = DirectoryId([*self.subject.as_bytes(), [0; 8]].concat().try_into().unwrap());
        let session = SessionId::new(self.subject, n.to_be_bytes());
        [Key::Subject(self.subject), Key::Directory(directory), Key::Session(session)]
    }

    fn entry(&self, n: u64) -> Vec<u8> {
        [*self.subject.as_bytes(), n.to_be_bytes()].concat()
    }
}

fn version(n: u64) -> Version {
    Version(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The number, then as many bytes again and again that it takes a page or two at times.
fn body(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(if n.is_multiple_of(7) { 700 } else { 30 })
}
