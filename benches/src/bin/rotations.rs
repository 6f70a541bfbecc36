//! Rotates one session so many times on SQLite and shows that the file does not grow.
//!
//! `cargo run --release -p safeconduct-benches --bin rotations -- 1000000 [FILE]`
//!
//! `synchronous=OFF`, since what is shown is size and not durability. Ends non-zero where the file is of
//! another size afterwards, its write-ahead log is over 16 MiB, or there is another number of rows.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program for people to read")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use rusqlite::Connection;
use safeconduct::Authority;
use safeconduct::core::jws::Algorithm;
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct_benches::{Chain, issuer};

/// SQLite checkpoints after 1000 pages of 4 KiB; a reader may hold it up for a while.
const MAX_LOG: u64 = 16 << 20;

/// Before the first measurement: the file then has every page that it needs.
const WARM_UP: u64 = 10_000;

#[derive(Debug, PartialEq, Eq)]
struct Size {
    file: u64,
    rows: Vec<(String, u64)>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(1_000_000), |text| text.parse());
    let Ok(count) = count.map(|count: u64| count.max(1)) else {
        println!("usage: rotations [COUNT] [FILE]");
        return ExitCode::FAILURE;
    };
    let directory = tempfile::tempdir().expect("a directory for the file");
    let path = arguments.next().map_or_else(|| directory.path().join("rotations.sqlite"), PathBuf::from);
    let store = SqliteOptions::new().synchronous(Synchronous::Off).open(&path).expect("a store");
    let authority = Authority::open(issuer(Algorithm::Hs256), store).expect("an authority");
    let mut chain = Chain::begin(&authority);
    let warm_up = WARM_UP.min(count / 10);
    for _ in 0..warm_up {
        chain.rotate();
    }
    let before = size(&path);
    println!("after {warm_up} rotations: {}, log {} bytes", describe(&before), len(&log_of(&path)));
    let (begin, mut longest) = (Instant::now(), 0);
    for number in warm_up..count {
        chain.rotate();
        if number % 1000 == 0 {
            longest = longest.max(len(&log_of(&path)));
        }
    }
    let each = begin.elapsed().as_secs_f64() * 1e6 / (count - warm_up).max(1) as f64;
    let log = len(&log_of(&path)).max(longest);
    let after = size(&path);
    println!("after {count} rotations: {}, log at most {log} bytes, {each:.1} µs each", describe(&after));
    if before == after && log <= MAX_LOG { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn len(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Everything written back from the log, and how much there is.
fn size(path: &Path) -> Size {
    let connection = Connection::open(path).expect("the same file");
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).expect("a checkpoint");
    let count = |table: &str| {
        let rows: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("a count");
        (table.to_owned(), rows.unsigned_abs())
    };
    Size { rows: ["record", "log"].map(count).into(), file: len(path) }
}

fn describe(size: &Size) -> String {
    let rows: Vec<String> = size.rows.iter().map(|(table, rows)| format!("{rows} in {table}")).collect();
    format!("file {} bytes, rows {}", size.file, rows.join(", "))
}
