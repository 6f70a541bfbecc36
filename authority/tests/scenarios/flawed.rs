//! A store with one mistake: a property that does not fail on it would be worth nothing.

use std::sync::Arc;

use safeconduct::core::store::{Commit, Committed, Get, Key, List, Listed, LogEntry, LogRead, ReadLog, Versioned};
use safeconduct::core::time::Timestamp;
use safeconduct::store::{Store, StoreError};

use crate::bed::{AnyStore, Bed};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// What is expected but not written is not compared.
    ComparesOnlyWhatItWrites,
    /// A commit that writes nothing is not compared.
    ComparesNoEmptyCommit,
    /// The last write wins.
    ComparesNothing,
    /// A subject's record is created, but never written again.
    LosesSubjects,
    /// Of several writes the first is carried out.
    WritesHalf,
    /// What is deleted is kept in the log.
    Archives,
}

pub struct Flawed {
    pub right: AnyStore,
    pub flaw: Flaw,
}

impl Flawed {
    pub fn memory(flaw: Flaw) -> Bed {
        Self::over(Bed::memory(), flaw)
    }

    pub fn over(Bed { store: right, file }: Bed, flaw: Flaw) -> Bed {
        Bed { store: AnyStore(Arc::new(Self { right, flaw })), file }
    }

    fn mended(&self, commit: &Commit) -> Result<Commit, StoreError> {
        let mut commit = commit.clone();
        let written = |key: &Key, commit: &Commit| commit.put.iter().any(|put| put.key == *key);
        match self.flaw {
            Flaw::ComparesOnlyWhatItWrites => {
                let all = commit.clone();
                commit.expect.retain(|(key, _)| written(key, &all));
            }
            Flaw::ComparesNoEmptyCommit => {
                if commit.put.is_empty() {
                    commit.expect.clear();
                }
            }
            Flaw::ComparesNothing => {
                for (key, version) in &mut commit.expect {
                    let get = Get { partition: commit.partition, keys: vec![*key] };
                    *version = self.right.get(&get)?.into_iter().next().flatten().map(|record| record.version);
                }
            }
            Flaw::LosesSubjects => {
                let exists = |key: Key| commit.expect.iter().any(|(other, version)| *other == key && version.is_some());
                commit.put.retain(|put| !matches!(put.key, Key::Subject(_)) || !exists(put.key));
            }
            Flaw::WritesHalf => commit.put.truncate(1),
            Flaw::Archives => {
                for put in commit.put.iter().filter(|put| put.record.is_none()) {
                    let get = Get { partition: commit.partition, keys: vec![put.key] };
                    let kept = self.right.get(&get)?.into_iter().flatten();
                    commit.log.extend(kept.map(|record| LogEntry { bytes: record.bytes, gc_at: Timestamp::MAX }));
                }
            }
        }
        Ok(commit)
    }
}

impl Store for Flawed {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.right.get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.right.list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.right.commit(&self.mended(commit)?)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.right.read_log(read)
    }
}
