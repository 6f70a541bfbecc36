//! A store does not grow by being used: rewriting a record leaves the file as large as it was.
//!
//! A million rewrites: `SAFECONDUCT_REWRITES=1000000 cargo test --release -p safeconduct --test sqlite_size`

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use safeconduct::core::id::{Partition, SessionId, SubjectHandle};
use safeconduct::core::store::{Commit, Committed, Get, Key, Put, Version, Versioned};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{SqliteStore, Store};

const SUBJECT: SubjectHandle = SubjectHandle::from_bytes([1; 8]);
const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

fn open(path: &Path) -> SqliteStore {
    SqliteOptions::new().synchronous(Synchronous::Off).open(path).unwrap()
}

fn session(n: u64) -> Key {
    Key::Session(SessionId::new(SUBJECT, n.to_be_bytes()))
}

fn write(store: &SqliteStore, n: u64, from: Option<u64>, to: u64, now: Timestamp) {
    let record = Some(Versioned { version: Version(to), bytes: vec![7; 400] });
    let put = vec![Put { key: session(n), record, gc_at: now.plus(Seconds::new(1000)) }];
    let expect = vec![(session(n), from.map(Version))];
    let commit = Commit { partition: Partition(1), expect, put, log: vec![], now };
    assert_eq!(store.commit(&commit), Ok(Committed::Done));
}

fn size(path: &Path, suffix: &str) -> u64 {
    std::fs::metadata(format!("{}{suffix}", path.display())).map_or(0, |file| file.len())
}

#[test]
fn rewrites_leave_the_file_as_large_as_it_was() {
    let rewrites = std::env::var("SAFECONDUCT_REWRITES").map_or(100_000, |number| number.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = open(&path);
    (0..100).for_each(|n| write(&store, n, None, 0, START));
    drop(store);
    let before = size(&path, "");
    let store = open(&path);
    let mut most = 0;
    for version in 1..=rewrites {
        write(&store, 50, Some(version - 1), version, START);
        if version % 100 == 0 {
            most = most.max(size(&path, "-wal"));
        }
    }
    drop(store);
    assert_eq!(size(&path, ""), before);
    assert!(most < 5 << 20, "the write-ahead log reached {most} bytes");
}

/// A log that is never at rest cannot be started over by SQLite alone.
#[test]
fn the_write_ahead_log_stays_bounded_while_others_read_without_pause() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = open(&path);
    write(&store, 0, None, 0, START);
    let over = AtomicBool::new(false);
    let mut most = 0;
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let get = Get { partition: Partition(1), keys: vec![session(0), session(1)] };
                while !over.load(Ordering::Relaxed) {
                    store.get(&get).unwrap();
                }
            });
        }
        for version in 1..=6000 {
            write(&store, 0, Some(version - 1), version, START);
            most = most.max(size(&path, "-wal"));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(most < 24 << 20, "the write-ahead log reached {most} bytes");
}

#[test]
fn sessions_that_come_and_go_leave_the_file_as_large_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = open(&path);
    let come_and_go = |from: u64, to: u64| {
        (from..to).for_each(|n| write(&store, n, None, n, START.plus(Seconds::new(n))));
    };
    come_and_go(0, 3000);
    let after = size(&path, "") + size(&path, "-wal");
    come_and_go(3000, 10_000);
    assert!(size(&path, "") <= after + (1 << 19), "from {after} to {} bytes", size(&path, ""));
}
