//! How many bytes a session takes in a store.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Mutex;

use safeconduct::Authority;
use safeconduct::core::jws::Algorithm;
use safeconduct::core::store::{Commit, Committed, Get, Key, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::store::{MemoryStore, Store, StoreError};
use safeconduct_benches::{Chain, issuer, sign_in};

/// Notes the length of every session record that is put.
#[derive(Default)]
struct Weighing {
    store: MemoryStore,
    lengths: Mutex<Vec<usize>>,
}

impl Store for Weighing {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.store.get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.store.list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let sessions = commit.put.iter().filter(|put| matches!(put.key, Key::Session(_)));
        self.lengths.lock().unwrap().extend(sessions.filter_map(|put| Some(put.record.as_ref()?.bytes.len())));
        self.store.commit(commit)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.store.read_log(read)
    }
}

#[test]
fn a_session_record_has_at_most_256_bytes_however_often_it_is_rotated() {
    let request = sign_in();
    assert_eq!((request.subject.len(), request.scope.len(), request.client_id.len()), (24, 16, 16));
    let authority = Authority::open(issuer(Algorithm::Hs256), Weighing::default()).unwrap();
    let mut chain = Chain::begin(&authority);
    for _ in 0..300 {
        chain.rotate();
    }
    authority.revoke(chain.token()).unwrap();
    let lengths = authority.store().lengths.lock().unwrap();
    assert_eq!(lengths.len(), 302);
    let first = lengths[0];
    assert!(lengths.iter().all(|len| *len == first), "{lengths:?}");
    assert!(first <= 256, "{first} bytes");
    println!("a session record has {first} bytes");
}
