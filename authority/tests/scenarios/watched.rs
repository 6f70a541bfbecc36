//! A store that keeps count of its calls and a copy of every byte it was ever given.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{Store, StoreError};

use crate::bed::AnyStore;

pub struct Watched {
    right: AnyStore,
    pub calls: AtomicUsize,
    /// Commits that changed something, in order.
    pub written: Mutex<Vec<Commit>>,
}

impl Watched {
    pub fn over(right: AnyStore) -> Arc<Self> {
        Arc::new(Self { right, calls: AtomicUsize::new(0), written: Mutex::default() })
    }

    pub fn store(self: &Arc<Self>) -> AnyStore {
        AnyStore(Arc::<Self>::clone(self))
    }

    /// Calls and writes since the last time this was asked.
    pub fn since(&self) -> (usize, usize) {
        (self.calls.swap(0, Ordering::SeqCst), std::mem::take(&mut *self.written.lock().unwrap()).len())
    }
}

impl Store for Watched {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.right.get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.right.list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        // Held meanwhile, so that the order is that of the commits.
        let mut written = self.written.lock().unwrap();
        let answer = self.right.commit(commit)?;
        if answer == Committed::Done && !(commit.put.is_empty() && commit.log.is_empty()) {
            written.push(commit.clone());
        }
        Ok(answer)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.right.read_log(read)
    }
}
