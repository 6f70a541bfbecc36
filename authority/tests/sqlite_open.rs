//! What a SQLite store says about a path that cannot be one, and what it makes of odd ones.

#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use safeconduct::conformance::CASES;
use safeconduct::core::id::Partition;
use safeconduct::core::store::{Commit, Committed, Get, Key, LogEntry};
use safeconduct::core::time::Timestamp;
use safeconduct::store::sqlite::{SqliteOptions, sql};
use safeconduct::store::{SqliteStore, Store, StoreError};

fn unusable(path: impl AsRef<Path>, hint: &str) {
    match SqliteStore::open(&path).map(drop) {
        Err(StoreError::Unusable(why)) if why.contains(hint) => {}
        other => panic!("{} should be unusable with “{hint}”: {other:?}", path.as_ref().display()),
    }
}

fn nothing() -> Commit {
    Commit { partition: Partition(0), expect: vec![], put: vec![], log: vec![], now: Timestamp::default() }
}

fn entry() -> Commit {
    Commit { log: vec![LogEntry { bytes: vec![1], gc_at: Timestamp::MAX }], ..nothing() }
}

#[test]
fn a_path_that_cannot_be_a_store_is_unusable_and_the_reason_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    unusable("", "MemoryStore");
    unusable(":memory:", "MemoryStore");
    unusable(at("no/store"), "there is no directory");
    unusable(directory.path(), "is a directory");
    unusable(at("a\0b"), "nul");
    unusable("/proc/store", "cannot be opened");
    std::fs::write(at("text"), "not a database at all, but long enough to look at".repeat(40)).unwrap();
    unusable(at("text"), "is not a SQLite database");
    std::fs::write(at("short"), "xy").unwrap();
    unusable(at("short"), "is not a SQLite database");
}

#[test]
fn a_file_that_is_not_a_store_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("text"), "a letter to my aunt. ".repeat(100)).unwrap();
    Connection::open(at("other")).unwrap().execute_batch("CREATE TABLE song(name); PRAGMA user_version=7;").unwrap();
    Connection::open(at("claimed")).unwrap().execute_batch("PRAGMA application_id=99;").unwrap();
    for (name, hint) in [("text", "not a SQLite"), ("other", "another application"), ("claimed", "another application")]
    {
        let before = std::fs::read(at(name)).unwrap();
        unusable(at(name), hint);
        assert_eq!(std::fs::read(at(name)).unwrap(), before, "{name}");
    }
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_store_of_a_newer_version_is_unusable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    drop(SqliteStore::open(&path).unwrap());
    let set = |version: i32| Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
    set(sql::SCHEMA_VERSION + 1);
    unusable(&path, "upgrade");
    set(0);
    unusable(&path, "unknown format");
    set(sql::SCHEMA_VERSION);
    SqliteStore::open(&path).unwrap();
}

/// Root may write everything, so the test runs once more as somebody else.
#[test]
fn what_may_not_be_written_is_unusable() {
    const AGAIN: &str = "SAFECONDUCT_NOT_ROOT";
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let allow = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    if std::fs::write("/proc/self/oom_score_adj", "0").is_ok() && std::env::var_os(AGAIN).is_none() {
        let binary = directory.path().join("test");
        std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
        allow(directory.path(), 0o755);
        allow(&binary, 0o755);
        let mut command = Command::new(&binary);
        command.args(["--exact", "what_may_not_be_written_is_unusable"]).env(AGAIN, "1").current_dir("/tmp");
        if command.uid(65_534).status().is_ok_and(|status| status.success()) {
            return;
        }
    }
    let path = directory.path().join("store");
    drop(SqliteStore::open(&path).unwrap());
    allow(&path, 0o444);
    unusable(&path, "read-only");
    allow(&path, 0o000);
    unusable(&path, "must be writable");
    allow(&path, 0o644);
    allow(directory.path(), 0o555);
    unusable(directory.path().join("new"), "must be writable");
    let read_only_directory = SqliteStore::open(&path).map(drop);
    allow(directory.path(), 0o755);
    assert!(matches!(read_only_directory, Err(StoreError::Unusable(_))), "{read_only_directory:?}");
}

#[test]
fn a_path_is_a_path_and_never_a_uri() {
    let directory = tempfile::tempdir().unwrap();
    let names =
        ["a b", "a?mode=memory", "a#b", "file:a?mode=ro", "a%20b", "ä→🔑", "'; DROP TABLE record; --", "-", "a\nb"];
    for name in names {
        let path = directory.path().join(name);
        SqliteStore::open(&path).unwrap().commit(&entry()).unwrap();
        assert!(path.is_file(), "{name:?}");
    }
    let made = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(made, names.len(), "each store is one file when it is closed");
}

#[test]
fn many_may_open_a_new_store_at_once() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| SqliteStore::open(&path).unwrap().commit(&entry()).unwrap());
            }
        });
        let feeds = Connection::open(&path).unwrap().query_row("SELECT count(*) FROM feed", [], |row| row.get(0));
        assert_eq!(feeds, Ok(1));
    }
}

#[test]
fn a_store_locked_for_too_long_is_unavailable_and_then_available_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = SqliteOptions::new().busy_timeout(Duration::from_millis(100)).open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    assert!(matches!(store.commit(&entry()), Err(StoreError::Unavailable(why)) if why.contains("locked")));
    assert!(started.elapsed() >= Duration::from_millis(100));
    let read = store.get(&Get { partition: Partition(0), keys: vec![Key::Deployment] });
    assert_eq!(read, Ok(vec![None]), "a reader does not wait for a writer");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.commit(&entry()), Ok(Committed::Done));
    // A writer in this process that takes too long is no different.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|threads| {
        let waiting: Vec<_> = (0..8).map(|_| threads.spawn(|| store.commit(&entry()))).collect();
        for thread in waiting {
            assert!(matches!(thread.join().unwrap(), Err(StoreError::Unavailable(_))));
        }
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.commit(&entry()), Ok(Committed::Done));
}

#[test]
fn a_full_disk_is_unavailable_and_leaves_nothing_half_done() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let full = SqliteOptions::new().most_pages(12).open(&path).unwrap();
    let big = |n: u8| LogEntry { bytes: vec![n; 3000], gc_at: Timestamp::MAX };
    let mut done = 0;
    let why = loop {
        match full.commit(&Commit { log: vec![big(done), big(done)], ..nothing() }) {
            Ok(_) => done += 1,
            Err(why) => break why,
        }
    };
    assert!(matches!(&why, StoreError::Unavailable(why) if why.contains("full")), "{why:?}");
    assert!(done > 0);
    drop(full);
    let read = safeconduct::core::store::ReadLog { partitions: vec![Partition(0)], cursor: None };
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.read_log(&read).unwrap().entries.len(), usize::from(done) * 2);
    for case in CASES {
        case.run(&store).unwrap();
    }
}

#[test]
fn a_store_removed_while_open_is_not_quietly_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(&entry()).unwrap();
    std::fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        let end = store.commit(&entry());
        assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    }
    assert!(!path.exists());
}

#[test]
fn a_store_replaced_while_open_is_used_in_place_of_the_old() {
    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("store"), directory.path().join("other"));
    let read = safeconduct::core::store::ReadLog { partitions: vec![Partition(0)], cursor: None };
    let store = SqliteStore::open(&path).unwrap();
    (0..5).for_each(|_| assert_eq!(store.commit(&entry()), Ok(Committed::Done)));
    let cursor = store.read_log(&read).unwrap().cursor;
    SqliteStore::open(&other).unwrap().commit(&entry()).unwrap();
    for leftover in ["store-wal", "store-shm"] {
        std::fs::remove_file(directory.path().join(leftover)).unwrap();
    }
    std::fs::rename(&other, &path).unwrap();
    let on = store.read_log(&safeconduct::core::store::ReadLog { cursor: Some(cursor), ..read.clone() }).unwrap();
    assert!(!on.complete, "a cursor of the replaced file");
    store.commit(&entry()).unwrap();
    drop(store);
    assert_eq!(SqliteStore::open(&path).unwrap().read_log(&read).unwrap().entries.len(), 2);
}

#[cfg(unix)]
#[test]
fn a_new_file_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("sessions.db")).unwrap();
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
    drop(store);
}
