//! A store at which somebody else acts at one chosen moment: every interleaving, without luck.

use std::sync::{Arc, Mutex};

use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{Store, StoreError};

use crate::bed::AnyStore;

type Act = Box<dyn FnOnce() + Send>;

/// When the other acts, counted from where it was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Just before the n-th call of the store, counted from 0.
    Before(usize),
    /// After the n-th call was carried out, before its answer arrives.
    After(usize),
}

pub struct Interposed {
    right: AnyStore,
    armed: Mutex<Option<(Moment, Act)>>,
    calls: Mutex<usize>,
}

impl Interposed {
    pub fn over(right: AnyStore) -> Arc<Self> {
        Arc::new(Self { right, armed: Mutex::default(), calls: Mutex::default() })
    }

    pub fn store(self: &Arc<Self>) -> AnyStore {
        AnyStore(Arc::<Self>::clone(self))
    }

    /// `act` runs once, at `moment`.
    pub fn arm(&self, moment: Moment, act: impl FnOnce() + Send + 'static) {
        *self.calls.lock().unwrap() = 0;
        *self.armed.lock().unwrap() = Some((moment, Box::new(act)));
    }

    /// Whether the moment never came; it is forgotten then.
    pub fn disarm(&self) -> bool {
        self.armed.lock().unwrap().take().is_some()
    }

    fn fire(&self, now: Moment) {
        let mut armed = self.armed.lock().unwrap();
        if armed.as_ref().is_some_and(|(moment, _)| *moment == now) {
            let act = armed.take().map(|(_, act)| act);
            drop(armed);
            if let Some(act) = act {
                act();
            }
        }
    }

    fn call<T>(&self, carry_out: impl FnOnce() -> T) -> T {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        self.fire(Moment::Before(call));
        let answer = carry_out();
        self.fire(Moment::After(call));
        answer
    }
}

impl Store for Interposed {
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
        self.right.read_log(read)
    }
}
