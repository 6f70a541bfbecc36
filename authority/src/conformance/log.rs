//! The revocation log: a set that only grows, read from where one was.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use safeconduct_core::id::Partition;
use safeconduct_core::store::Key;

use super::draft::{Draft, draw, draw_subject, draw_version, read_log, record, session};
use super::races::joined;
use super::{Failure, require};
use crate::store::{MemoryStore, Store};

/// Appends one entry to the log of `partition`.
fn append(store: &dyn Store, partition: u8) -> Result<Vec<u8>, Failure> {
    let entry = draw::<24>()?.to_vec();
    Draft::new(Partition(partition)).log(entry.clone()).done(store)?;
    Ok(entry)
}

pub(super) fn the_log_is_read_on_from_a_cursor(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(2)?;
    let start = read_log(store, &[2], None)?;
    require(start.complete, "a read of the whole log is not complete")?;
    let (first, second) = (draw::<24>()?.to_vec(), draw::<24>()?.to_vec());
    let new = record(draw_version()?, *b"revoked");
    Draft::new(subject.partition())
        .write(session(subject, 1), None, new)
        .log(first.clone())
        .log(second.clone())
        .done(store)?;
    let third = append(store, 2)?;
    let has = |entries: &[Vec<u8>], wanted: &[&Vec<u8>]| wanted.iter().all(|entry| entries.contains(entry));
    for cursor in [None, Some(start.cursor.as_slice())] {
        let read = read_log(store, &[2], cursor)?;
        require(read.complete, "a read after the store's own cursor is not complete")?;
        require(has(&read.entries, &[&first, &second, &third]), "entries are missing from the log")?;
        let fourth = append(store, 2)?;
        let on = read_log(store, &[2], Some(&read.cursor))?;
        require(on.complete && has(&on.entries, &[&fourth]), "an entry is missing after a cursor")?;
        let idle = read_log(store, &[2], Some(&on.cursor))?;
        require(idle.complete, "a read of a log at rest is not complete")?;
        require(!has(&idle.entries, &[&first]), "a read after a cursor gives the log from the start")?;
        // A cursor is not used up by reading.
        let again = read_log(store, &[2], Some(&read.cursor))?;
        require(again.complete && has(&again.entries, &[&fourth]), "a cursor works only once")?;
    }
    Ok(())
}

pub(super) fn the_log_takes_any_bytes(store: &dyn Store) -> Result<(), Failure> {
    let mark = draw::<8>()?;
    let mut entries: Vec<Vec<u8>> = vec![vec![0], vec![0xff; 3], (0..=255).collect(), vec![0x41; 5000]];
    for entry in &mut entries {
        entry.extend(mark);
    }
    let start = read_log(store, &[3], None)?;
    let mut draft = Draft::new(Partition(3));
    for entry in &entries {
        draft = draft.log(entry.clone());
    }
    draft.done(store)?;
    let read = read_log(store, &[3], Some(&start.cursor))?;
    require(entries.iter().all(|entry| read.entries.contains(entry)), "an entry came back changed or not at all")
}

pub(super) fn the_log_is_told_apart_by_partition(store: &dyn Store) -> Result<(), Failure> {
    let start = read_log(store, &[4, 15, 9], None)?;
    let (four, five, fifteen) = (append(store, 4)?, append(store, 5)?, append(store, 15)?);
    for cursor in [None, Some(start.cursor.as_slice())] {
        let read = read_log(store, &[4, 15, 9], cursor)?;
        require(read.complete, "a read of three partitions is not complete")?;
        require(read.entries.contains(&four) && read.entries.contains(&fifteen), "a partition is missing")?;
        require(!read.entries.contains(&five), "a partition was read that was not asked for")?;
    }
    Ok(())
}

pub(super) fn a_cursor_for_fewer_partitions_hides_nothing(store: &dyn Store) -> Result<(), Failure> {
    let (one, other) = (append(store, 6)?, append(store, 7)?);
    let fewer = read_log(store, &[6], None)?;
    require(fewer.entries.contains(&one), "an entry is missing")?;
    let more = read_log(store, &[6, 7], Some(&fewer.cursor))?;
    require(
        !more.complete || more.entries.contains(&other),
        "a read is called complete, but misses a partition that its cursor did not cover",
    )?;
    let both = read_log(store, &[6, 7], None)?;
    let third = append(store, 6)?;
    let less = read_log(store, &[6], Some(&both.cursor))?;
    require(!less.complete || less.entries.contains(&third), "a read for fewer partitions misses an entry")
}

pub(super) fn reads_of_a_busy_log_miss_nothing(store: &dyn Store) -> Result<(), Failure> {
    const WRITERS: usize = 8;
    let subjects = (0..WRITERS).map(|_| draw_subject(8)).collect::<Result<Vec<_>, _>>()?;
    let start = read_log(store, &[8], None)?;
    let busy = AtomicUsize::new(WRITERS);
    std::thread::scope(|threads| {
        let writers: Vec<_> = subjects
            .iter()
            .map(|subject| {
                threads.spawn(|| {
                    let appended = (0..20).map(|_| {
                        let (key, entry) = (session(*subject, u64::from_be_bytes(draw()?)), draw::<24>()?.to_vec());
                        let new = record(draw_version()?, *b"revoked");
                        let draft = Draft::new(subject.partition()).expect(Key::Subject(*subject), None);
                        draft.write(key, None, new).log(entry.clone()).done(store)?;
                        Ok(entry)
                    });
                    let appended = appended.collect::<Result<Vec<_>, Failure>>();
                    busy.fetch_sub(1, Ordering::SeqCst);
                    appended
                })
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut cursor = start.cursor;
        let read: Result<(), Failure> = (|| {
            loop {
                // The last read begins after the last commit was acknowledged.
                let last = busy.load(Ordering::SeqCst) == 0;
                let read = read_log(store, &[8], Some(&cursor))?;
                require(read.complete, "a read of a busy log is not complete")?;
                seen.extend(read.entries);
                cursor = read.cursor;
                if last {
                    return Ok(());
                }
            }
        })();
        let appended = writers.into_iter().map(joined).collect::<Result<Vec<_>, _>>()?.concat();
        read?;
        let missed = appended.iter().filter(|entry| !seen.contains(*entry)).count();
        require(missed == 0, format!("{missed} of {} acknowledged entries were never read", appended.len()))
    })
}

pub(super) fn a_foreign_cursor_is_not_complete(store: &dyn Store) -> Result<(), Failure> {
    let other = MemoryStore::new();
    let empty = read_log(&other, &[9], None)?.cursor;
    for _ in 0..3 {
        append(&other, 9)?;
        append(store, 9)?;
    }
    let full = read_log(&other, &[9], None)?.cursor;
    let own = read_log(store, &[9], None)?.cursor;
    let mut longer = own.clone();
    longer.push(0);
    for (what, cursor) in [
        ("an empty cursor", vec![]),
        ("a cursor of zeros", vec![0; own.len()]),
        ("a cursor of ones", vec![0xff; own.len()]),
        ("a cursor with a byte too many", longer),
        ("a cursor of another, empty store", empty),
        ("a cursor of another store", full),
    ] {
        let read = read_log(store, &[9], Some(&cursor))?;
        require(!read.complete, format!("{what} gives a read that is called complete"))?;
        let again = read_log(store, &[9], None)?;
        require(again.complete, "a read from the start is not complete")?;
    }
    Ok(())
}
