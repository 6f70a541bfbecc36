//! A store that can be set back, as by a backup that is restored or a failover that loses writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

use rusqlite::Connection;
use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{MemoryStore, Store, StoreError};

use crate::bed::{AnyStore, Bed};

pub struct Rewinding {
    /// Holds the first file's directory.
    _bed: Bed,
    now: RwLock<AnyStore>,
    /// All that was ever written, over all restores.
    pub written: Mutex<Vec<Commit>>,
    /// What leads to the present state, in memory.
    lineage: Mutex<Vec<Commit>>,
    /// Where the present file is, for SQLite.
    file: Mutex<Option<PathBuf>>,
}

/// A state to return to, as often as one likes.
#[derive(Clone, Debug)]
pub enum Backup {
    Commits(Vec<Commit>),
    File(PathBuf),
}

impl Rewinding {
    /// Over an empty store of the same engine as `bed`.
    pub fn like(bed: &Bed) -> Arc<Self> {
        let bed = bed.fresh();
        Arc::new(Self {
            now: RwLock::new(bed.store.clone()),
            written: Mutex::default(),
            lineage: Mutex::default(),
            file: Mutex::new(bed.file.as_ref().map(|(_, path)| path.clone())),
            _bed: bed,
        })
    }

    pub fn store(self: &Arc<Self>) -> AnyStore {
        AnyStore(Arc::<Self>::clone(self))
    }

    pub fn back_up(&self) -> Backup {
        let Some(path) = self.file.lock().unwrap().clone() else {
            return Backup::Commits(self.lineage.lock().unwrap().clone());
        };
        let number = self.written.lock().unwrap().len();
        let backup = path.with_extension(format!("{number}.backup"));
        if !backup.exists() {
            let connection = Connection::open(path).unwrap();
            connection.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
        }
        Backup::File(backup)
    }

    pub fn restore(&self, backup: &Backup) {
        let mut now = self.now.write().unwrap();
        *now = match backup {
            Backup::Commits(commits) => {
                let store = MemoryStore::new();
                commits.iter().for_each(|commit| assert_eq!(store.commit(commit), Ok(Committed::Done)));
                (*self.lineage.lock().unwrap()).clone_from(commits);
                AnyStore(Arc::new(store))
            }
            Backup::File(backup) => {
                let number = self.written.lock().unwrap().len();
                let restored = backup.with_extension(format!("{number}.restored"));
                std::fs::copy(backup, &restored).unwrap();
                let store = SqliteOptions::new().synchronous(Synchronous::Off).open(&restored).unwrap();
                *self.file.lock().unwrap() = Some(restored);
                AnyStore(Arc::new(store))
            }
        };
    }
}

impl Store for Rewinding {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.now.read().unwrap().get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.now.read().unwrap().list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let answer = self.now.read().unwrap().commit(commit)?;
        if answer == Committed::Done {
            self.written.lock().unwrap().push(commit.clone());
            self.lineage.lock().unwrap().push(commit.clone());
        }
        Ok(answer)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.now.read().unwrap().read_log(read)
    }
}
