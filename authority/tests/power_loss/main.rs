//! The power is cut at any moment: what was acknowledged is there afterwards, and nothing is half there.
//!
//! SIGKILL does not show this, because the operating system keeps what was written. Here the disk is
//! simulated: it forgets what was not synced, sector by sector and in any order.

#![cfg(feature = "sqlite")]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test, and SQLite's VFS is a C interface"
)]

#[path = "../ledger/dice.rs"]
mod dice;
mod disk;
#[path = "../ledger/mod.rs"]
mod ledger;
mod locks;
mod vfs;

use dice::Dice;
use disk::{Disk, Files, Op};
use ledger::Ledger;
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{SqliteStore, StoreError};

/// How many commits were found missing or damaged after how many cuts.
#[derive(Debug, Default)]
struct Tally {
    cuts: u64,
    commits: u64,
    lost: u64,
    damaged: Vec<String>,
}

fn open(number: u64, synchronous: Synchronous) -> Result<SqliteStore, StoreError> {
    let options = SqliteOptions::new().synchronous(synchronous).vfs(vfs::NAME).checkpoint_after(12);
    options.open(format!("/tmp/{number}.store"))
}

/// Opens a store on `files` and finds its last commit.
fn look(files: Files) -> Result<u64, String> {
    let (number, _machine) = vfs::boot(Disk::new(files));
    let last = open(number, Synchronous::Full)
        .map_err(|error| error.to_string())
        .and_then(|store| Ledger::new(1).last(&store));
    vfs::scrap(number);
    last
}

/// Lives of a store: each opens what the last power cut left, commits, and is cut in many ways, of which
/// one is what the next life finds.
fn lives(seed: u64, synchronous: Synchronous, lives: u64, cuts: u64) -> Tally {
    lives_on(false, seed, synchronous, lives, cuts)
}

fn lives_on(forgets_names: bool, seed: u64, synchronous: Synchronous, lives: u64, cuts: u64) -> Tally {
    let mut dice = Dice(seed);
    let mut tally = Tally::default();
    let mut files = Files::new();
    for life in 0..lives {
        let mut disk = Disk::new(files.clone());
        disk.forgets_names = forgets_names;
        let (number, machine) = vfs::boot(disk);
        let store = open(number, synchronous).unwrap();
        let ledger = Ledger::new(1);
        let found = ledger.last(&store).unwrap();
        machine.lock().unwrap().disk.ops.push(Op::Acknowledged(found));
        let commits = 1 + dice.below(40);
        for n in found + 1..=found + commits {
            ledger.write(&store, n).unwrap();
            machine.lock().unwrap().disk.ops.push(Op::Acknowledged(n));
            if dice.below(5) == 0 {
                ledger.last(&store).unwrap();
            }
        }
        if dice.below(3) > 0 {
            drop(store); // With what closing writes; otherwise the store is cut while open.
        }
        tally.commits += commits;
        vfs::scrap(number);
        let machine = machine.lock().unwrap();
        let operations = machine.disk.ops.len() as u64;
        for cut in 0..cuts {
            // The first life is cut at its beginning more often: that is where the file is made.
            let range = if life == 0 && cut % 2 == 0 { operations.min(40) } else { operations };
            let at = dice.below(range + 1) as usize;
            let (left, acknowledged) = machine.disk.cut(at, &mut dice);
            tally.cuts += 1;
            let acknowledged = if at == 0 { 0 } else { acknowledged };
            match look(left.clone()) {
                Ok(last) if last >= acknowledged && last <= (acknowledged.max(found) + 1) => files = left,
                Ok(last) if last < acknowledged => tally.lost += acknowledged - last,
                Ok(last) => tally.damaged.push(format!("{last} is more than ever was, {acknowledged}")),
                Err(why) => {
                    let place = format!("life {life}, cut at {at} of {operations}, acknowledged {acknowledged}");
                    tally.damaged.push(format!("{place}: {why} {:?}", disk::summary(&left)));
                }
            }
        }
    }
    tally
}

#[test]
fn at_full_nothing_that_was_acknowledged_is_lost_or_half_there() {
    for seed in 1..=5 {
        let tally = lives(0x5eed_0000 + seed, Synchronous::Full, 12, 40);
        assert!(tally.lost == 0 && tally.damaged.is_empty(), "seed {seed}: {tally:#?}");
        assert!(tally.commits > 100 && tally.cuts == 480, "too little was tried: {tally:?}");
    }
}

#[test]
fn at_normal_the_last_commits_may_be_lost_but_none_is_half_there() {
    let mut lost = 0;
    for seed in 1..=4 {
        let tally = lives(0x5eed_1000 + seed, Synchronous::Normal, 8, 40);
        assert!(tally.damaged.is_empty(), "seed {seed}: {tally:#?}");
        lost += tally.lost;
    }
    assert!(lost > 0, "a simulation in which NORMAL loses nothing shows nothing about FULL");
}

#[test]
fn at_off_commits_are_lost_and_files_damaged() {
    let tallies: Vec<Tally> = (1..=4).map(|seed| lives(0x5eed_2000 + seed, Synchronous::Off, 4, 40)).collect();
    let lost: u64 = tallies.iter().map(|tally| tally.lost).sum();
    let damaged: usize = tallies.iter().map(|tally| tally.damaged.len()).sum();
    assert!(lost > 0 && damaged > 0, "a simulation in which OFF is safe shows nothing about FULL: {tallies:#?}");
}

#[test]
fn on_a_disk_that_forgets_names_commits_are_lost() {
    let lost: u64 = (1..=4).map(|seed| lives_on(true, 0x5eed_3000 + seed, Synchronous::Full, 4, 40).lost).sum();
    assert!(lost > 0, "a simulation that needs no directory sync shows nothing about it");
}
