//! Every engine of this package passes every case.

#![cfg(feature = "sqlite")]
#![expect(clippy::print_stdout, reason = "the names and times of the cases are the output")]
#![allow(clippy::unwrap_used, reason = "a test")]

use safeconduct::conformance::CASES;
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{MemoryStore, SqliteStore, Store};

fn run(store: &dyn Store) {
    let mut failures = Vec::new();
    for case in CASES {
        let started = std::time::Instant::now();
        match case.run(store) {
            Ok(()) => println!("{:5} ms  {}", started.elapsed().as_millis(), case.name),
            Err(failure) => failures.push(format!("{}: {failure}", case.name)),
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn the_memory_store_conforms() {
    run(&MemoryStore::new());
}

#[test]
fn the_sqlite_store_conforms() {
    let directory = tempfile::tempdir().unwrap();
    run(&SqliteStore::open(directory.path().join("store")).unwrap());
}

#[test]
fn the_sqlite_store_conforms_with_one_reader_and_without_waiting_for_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new().readers(1).synchronous(Synchronous::Off);
    run(&options.open(directory.path().join("store")).unwrap());
}

#[test]
fn a_store_that_conformed_conforms_again() {
    let store = MemoryStore::new();
    run(&store);
    run(&store);
}
