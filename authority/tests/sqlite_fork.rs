//! A fork with a store open: with `quiesce` both sides go on; without it the child is refused, at once,
//! and the parent takes no harm.

#![cfg(all(unix, feature = "sqlite"))]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test, and fork is a C function"
)]

mod ledger;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::Ledger;
use safeconduct::store::sqlite::SqliteOptions;
use safeconduct::store::{SqliteStore, StoreError};

/// Tests of this file fork one at a time.
static FORKING: Mutex<()> = Mutex::new(());

/// Runs `child` in a forked child, which ends with success where it returns `true`.
fn fork(child: impl FnOnce() -> bool) -> libc::pid_t {
    // SAFETY: the child calls nothing of the test harness and ends without unwinding.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::alarm(30);
            libc::_exit(i32::from(!child()));
        }
        pid
    }
}

fn wait(pid: libc::pid_t) -> Result<(), i32> {
    let mut status = 0;
    // SAFETY: `pid` is a child of this process that nobody else waits for.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid);
    if status == 0 { Ok(()) } else { Err(status) }
}

fn series(store: &SqliteStore, number: u8, commits: u64) -> bool {
    let ledger = Ledger::new(number);
    (1..=commits).all(|n| ledger.write(store, n).is_ok()) && ledger.last(store) == Ok(commits)
}

fn integrity(path: &std::path::Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[test]
fn parent_and_children_go_on_side_by_side() {
    let _one = FORKING.lock();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = SqliteStore::open(&path).unwrap();
    assert!(series(&store, 0, 5));
    let quiet = store.quiesce().unwrap();
    let children: Vec<_> = (1..=4)
        .map(|number| {
            fork(|| {
                let done = series(&store, number, 40);
                let quiet = store.quiesce();
                let grandchild = fork(|| series(&store, number + 10, 10));
                drop(quiet);
                drop(store.clone());
                done && wait(grandchild).is_ok() && series(&store, number + 20, 5)
            })
        })
        .collect();
    drop(quiet);
    assert!(series(&store, 9, 40));
    for child in children {
        wait(child).unwrap();
    }
    for (number, commits) in [(0, 5), (1, 40), (2, 40), (3, 40), (4, 40), (9, 40), (11, 10), (14, 10), (21, 5)] {
        assert_eq!(Ledger::new(number).last(&store), Ok(commits));
    }
    drop(store);
    assert_eq!(integrity(&path), "ok");
}

/// Forks twenty times while three threads commit, and gives how each child ended.
fn fork_while_busy(
    path: &std::path::Path,
    child: impl Fn(&SqliteStore, u8) -> bool,
    quiet: bool,
) -> Vec<Result<(), i32>> {
    let store = SqliteOptions::new().busy_timeout(Duration::from_secs(10)).open(path).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for number in 100..103 {
            let (store, over) = (&store, &over);
            threads.spawn(move || {
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    Ledger::new(number).write(store, n).unwrap();
                }
                assert_eq!(Ledger::new(number).last(store), Ok(n));
            });
        }
        let ends = (0..20).map(|number| {
            std::thread::sleep(Duration::from_millis(3));
            let quiet = quiet.then(|| store.quiesce().unwrap());
            let pid = fork(|| child(&store, number));
            drop(quiet);
            wait(pid)
        });
        let ends = ends.collect();
        over.store(true, Ordering::Relaxed);
        ends
    })
}

#[test]
fn a_fork_between_the_commits_of_others_leaves_the_child_working() {
    let _one = FORKING.lock();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let ends = fork_while_busy(&path, |store, number| series(store, number, 5), true);
    assert_eq!(ends, [Ok(()); 20]);
    assert_eq!(integrity(&path), "ok");
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..20 {
        assert_eq!(Ledger::new(number).last(&store), Ok(5));
    }
}

#[test]
fn a_child_that_inherited_open_connections_is_refused_at_once() {
    let _one = FORKING.lock();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let refused = |store: &SqliteStore, number: u8| {
        let inherited = Ledger::new(number).write(store, 1);
        let new = SqliteStore::open(&path).map(drop);
        drop(store.clone());
        [inherited, new].iter().all(|end| matches!(end, Err(StoreError::Unusable(why)) if why.contains("quiesce")))
    };
    assert_eq!(fork_while_busy(&path, refused, false), [Ok(()); 20]);
    assert_eq!(integrity(&path), "ok");
}
