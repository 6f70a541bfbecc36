//! A cursor tells a log from the same log after its file was restored.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test")]

use safeconduct::core::id::Partition;
use safeconduct::core::store::{Commit, LogEntry, LogRead, ReadLog};
use safeconduct::core::time::Timestamp;
use safeconduct::store::{SqliteStore, Store};

fn append(store: &SqliteStore, n: u8) {
    append_until(store, n, Timestamp::MAX, Timestamp::default());
}

fn append_until(store: &SqliteStore, n: u8, gc_at: Timestamp, now: Timestamp) {
    let log = vec![LogEntry { bytes: vec![n], gc_at }];
    store.commit(&Commit { partition: Partition(1), expect: vec![], put: vec![], log, now }).unwrap();
}

fn read(store: &SqliteStore, cursor: Option<&[u8]>) -> LogRead {
    let partitions = vec![Partition(1)];
    store.read_log(&ReadLog { partitions, cursor: cursor.map(<[u8]>::to_vec) }).unwrap()
}

#[test]
fn a_cursor_survives_the_process_but_not_a_restored_backup() {
    let directory = tempfile::tempdir().unwrap();
    let (path, backup) = (directory.path().join("store"), directory.path().join("backup"));
    let store = SqliteStore::open(&path).unwrap();
    (0..3).for_each(|n| append(&store, n));
    drop(store);
    std::fs::copy(&path, &backup).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let early = read(&store, None).cursor;
    (3..6).for_each(|n| append(&store, n));
    let late = read(&store, Some(&early));
    assert!(late.complete);
    assert_eq!(late.entries, [[3], [4], [5]]);
    drop(store);
    std::fs::copy(&backup, &path).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert!(read(&store, Some(&early)).complete, "nothing is missing since that cursor");
    let behind = read(&store, Some(&late.cursor));
    assert!(!behind.complete);
    assert_eq!(behind.entries.len(), 3, "where the cursor does not fit, all there is is given");
    // The restored log grows past the cursor: the same numbers, other entries.
    (10..20).for_each(|n| append(&store, n));
    assert!(!read(&store, Some(&late.cursor)).complete);
    assert!(read(&store, Some(&early)).complete);
}

#[test]
fn expired_entries_go_a_few_at_a_time_and_the_newest_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("store")).unwrap();
    let (then, now) = (Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(2));
    (0..20).for_each(|n| append_until(&store, n, then, then));
    let cursor = read(&store, None).cursor;
    append_until(&store, 20, then, now);
    let left = read(&store, None).entries.len();
    assert_eq!(left, 13, "8 of 20 are gone, 1 is new");
    assert!(read(&store, Some(&cursor)).complete);
    (21..24).for_each(|n| append_until(&store, n, then, now));
    assert_eq!(read(&store, None).entries.len(), 2, "the newest, and the newest before it");
    assert!(!read(&store, Some(&cursor)).complete, "what the cursor stood on is gone");
}
