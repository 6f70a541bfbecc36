//! A store that fails at one chosen call: before it did anything, or after a commit took effect.

use std::sync::{Arc, Mutex};

use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{Store, StoreError};

use crate::bed::AnyStore;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not carried out.
    Before,
    /// The call is carried out, its answer is lost.
    AnswerLost,
}

pub struct Faulty {
    right: AnyStore,
    /// Calls that still go well, and what happens at the next.
    armed: Mutex<Option<(usize, Fault)>>,
}

impl Faulty {
    pub fn over(right: AnyStore) -> Arc<Self> {
        Arc::new(Self { right, armed: Mutex::default() })
    }

    pub fn store(self: &Arc<Self>) -> AnyStore {
        AnyStore(Arc::<Self>::clone(self))
    }

    pub fn arm(&self, after: usize, fault: Fault) {
        *self.armed.lock().unwrap() = Some((after, fault));
    }

    /// Whether the call to fail at never came.
    pub fn disarm(&self) -> bool {
        self.armed.lock().unwrap().take().is_some()
    }

    fn call<T>(&self, carry_out: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut armed = self.armed.lock().unwrap();
        let fault = match armed.take() {
            Some((0, fault)) => Some(fault),
            Some((left, fault)) => {
                *armed = Some((left - 1, fault));
                None
            }
            None => None,
        };
        drop(armed);
        match fault {
            None => carry_out(),
            Some(Fault::Before) => Err(StoreError::Unavailable("the store is away".into())),
            Some(Fault::AnswerLost) => {
                carry_out()?;
                Err(StoreError::Unavailable("the answer is lost".into()))
            }
        }
    }
}

impl Store for Faulty {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.call(|| self.right.get(get))
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.call(|| self.right.list(list))
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.call(|| self.right.commit(commit))
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.call(|| self.right.read_log(read))
    }
}
