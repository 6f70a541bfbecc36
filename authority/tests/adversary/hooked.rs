//! A store in memory in which something happens at one call.

use std::sync::{Arc, Mutex};

use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{MemoryStore, Store, StoreError};

/// What the store was asked, or has done.
pub enum Call<'a> {
    Got(&'a Get),
    List,
    Commit(&'a Commit),
    Committed,
}

type Hook = (Box<dyn Fn(&Call<'_>) -> bool + Send>, Box<dyn FnOnce() -> Result<(), StoreError> + Send>);

/// A store in memory in which something happens at one call.
#[derive(Clone, Default)]
pub struct Hooked {
    pub store: MemoryStore,
    pub hook: Arc<Mutex<Option<Hook>>>,
}

impl Hooked {
    pub fn once(
        &self,
        at: impl Fn(&Call<'_>) -> bool + Send + 'static,
        then: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some((Box::new(at), Box::new(then)));
    }

    fn call(&self, call: &Call<'_>) -> Result<(), StoreError> {
        let mut hook = self.hook.lock().unwrap();
        match hook.take() {
            Some((at, then)) if at(call) => {
                drop(hook);
                then()
            }
            other => {
                *hook = other;
                Ok(())
            }
        }
    }
}

impl Store for Hooked {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        let got = self.store.get(get);
        self.call(&Call::Got(get))?;
        got
    }
    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.call(&Call::List)?;
        self.store.list(list)
    }
    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.call(&Call::Commit(commit))?;
        let done = self.store.commit(commit)?;
        self.call(&Call::Committed)?;
        Ok(done)
    }
    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.store.read_log(read)
    }
}
