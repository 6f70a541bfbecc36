//! SIGKILL at any moment: what was acknowledged is there afterwards, and nothing is half there.
//!
//! The test starts itself again as a child that commits from three threads and acknowledges each commit
//! on a pipe, kills it, opens the file and looks.

#![cfg(all(unix, feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

#[path = "ledger/dice.rs"]
mod dice;
mod ledger;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use dice::Dice;
use ledger::Ledger;
use safeconduct::store::SqliteStore;

const FILE: &str = "SAFECONDUCT_CRASH_KILL_FILE";
const THREADS: usize = 3;

/// Not a test: the child, which does nothing unless the parent named a file.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let store = SqliteStore::open(path).unwrap();
    std::thread::scope(|threads| {
        for number in 0..THREADS {
            let store = &store;
            threads.spawn(move || {
                let ledger = Ledger::new(u8::try_from(number).unwrap());
                // What took effect without an acknowledgement is acknowledged now.
                let mut n = ledger.last(store).unwrap();
                loop {
                    let line = format!("acknowledged {number} {n}\n");
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                    n += 1;
                    ledger.write(store, n).unwrap();
                }
            });
        }
    });
}

/// Starts a child, kills it after `life` and adds what it acknowledged to `acknowledged`.
fn live_and_die(path: &Path, life: Duration, acknowledged: &mut [u64; THREADS]) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || acknowledgements(pipe));
    std::thread::sleep(life);
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself: {:?}", reader.join());
    kill(&mut child);
    for (number, n) in reader.join().unwrap() {
        acknowledged[number] = acknowledged[number].max(n);
    }
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Whole lines only: the last may have been cut off by the kill.
fn acknowledgements(pipe: ChildStderr) -> Vec<(usize, u64)> {
    let mut pipe = BufReader::new(pipe);
    let mut all = Vec::new();
    let mut line = String::new();
    while pipe.read_line(&mut line).unwrap() > 0 {
        if let Some(rest) = line.strip_prefix("acknowledged ").and_then(|rest| rest.strip_suffix('\n')) {
            let (number, n) = rest.split_once(' ').unwrap();
            all.push((number.parse().unwrap(), n.parse().unwrap()));
        } else {
            assert!(!line.ends_with('\n'), "the child says: {line}");
        }
        line.clear();
    }
    all
}

/// Opens the file and compares. Each thread has at most one commit that was under way.
fn look(path: &Path, acknowledged: &[u64; THREADS]) -> Result<u64, String> {
    let store = SqliteStore::open(path).map_err(|error| error.to_string())?;
    let mut commits = 0;
    for (number, acknowledged) in acknowledged.iter().enumerate() {
        let last = Ledger::new(u8::try_from(number).unwrap()).last(&store)?;
        if last < *acknowledged || last > acknowledged + 1 {
            return Err(format!("commit {acknowledged} was acknowledged, but the last is {last}"));
        }
        commits += last;
    }
    Ok(commits)
}

#[test]
fn an_acknowledged_commit_survives_the_death_of_its_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut dice = Dice(0x5eed_0001);
    let mut acknowledged = [0; THREADS];
    let started = Instant::now();
    let (mut rounds, mut commits) = (0, 0);
    while rounds < 30 || (commits < 3000 && started.elapsed() < Duration::from_secs(12)) {
        live_and_die(&path, Duration::from_millis(20 + dice.below(60)), &mut acknowledged);
        rounds += 1;
        // Now and then the next child is the first to open what the last left behind.
        if rounds % 3 != 0 {
            commits = look(&path, &acknowledged).unwrap();
        }
    }
    commits = look(&path, &acknowledged).unwrap();
    assert!(commits > 200, "{commits} commits in {rounds} lives are too few to show anything");
}

#[test]
fn a_store_whose_first_process_was_killed_can_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x5eed_0002);
    for round in 0..40 {
        let path = directory.path().join(format!("store {round}"));
        let mut acknowledged = [0; THREADS];
        live_and_die(&path, Duration::from_micros(dice.below(12_000)), &mut acknowledged);
        look(&path, &acknowledged).unwrap();
    }
}

/// The check itself can fail: each of these is a loss or half a commit.
#[test]
fn what_is_missing_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    for (n, damage) in [
        "DELETE FROM record WHERE key = (SELECT key FROM record WHERE substr(key, 1, 1) = x'73' LIMIT 1)",
        "DELETE FROM record WHERE substr(key, 1, 1) = x'75'",
        "DELETE FROM record WHERE substr(key, 1, 1) = x'64'",
        "DELETE FROM log WHERE seq = 2",
        "UPDATE record SET bytes = zeroblob(240) WHERE substr(key, 1, 1) = x'73'",
        "DELETE FROM record; DELETE FROM log;",
    ]
    .iter()
    .enumerate()
    {
        let path = directory.path().join(n.to_string());
        let store = SqliteStore::open(&path).unwrap();
        for n in 1..=5 {
            Ledger::new(0).write(&store, n).unwrap();
        }
        drop(store);
        assert_eq!(look(&path, &[5, 0, 0]), Ok(5));
        rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        look(&path, &[5, 0, 0]).expect_err(damage);
    }
}
