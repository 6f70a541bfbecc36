//! Garbage collection takes what has expired and nothing else. When it does so is the engine's affair.

use safeconduct_core::id::Partition;
use safeconduct_core::store::Key;

use super::draft::{
    Draft, draw, draw_subject, draw_version, earlier, holds, later, read_log, read_one, record, session,
};
use super::{Failure, require};
use crate::store::Store;

/// Commits so often that every engine finds something to collect.
fn pass_time(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(10)?;
    let mut from = None;
    for _ in 0..24 {
        let new = record(draw_version()?, *b"passing");
        Draft::new(subject.partition())
            .write(Key::Subject(subject), from, new.clone())
            .log(draw::<16>()?)
            .done(store)?;
        from = Some(new.version);
    }
    Ok(())
}

pub(super) fn live_records_are_not_collected(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(10)?;
    let new = record(draw_version()?, *b"record");
    for n in 0..40 {
        let gc_at = if n % 2 == 0 { earlier() } else { later() };
        Draft::new(subject.partition()).write_until(session(subject, n), None, new.clone(), gc_at).done(store)?;
    }
    pass_time(store)?;
    for n in 0..40 {
        let key = session(subject, n);
        if n % 2 == 1 {
            holds(store, key, Some(&new))?;
            continue;
        }
        let found = read_one(store, key)?;
        require(found.is_none() || found.as_ref() == Some(&new), "an expired record was changed")?;
        let version = found.map(|found| found.version);
        let again = record(draw_version()?, *b"again");
        Draft::new(subject.partition()).write(key, version, again.clone()).done(store)?;
        holds(store, key, Some(&again))?;
    }
    Ok(())
}

pub(super) fn a_prolonged_record_is_not_collected(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(10)?;
    let first = record(draw_version()?, *b"first");
    let second = record(draw_version()?, *b"second");
    let mut prolonged = Vec::new();
    for n in 0..20 {
        let key = session(subject, n);
        Draft::new(subject.partition()).write_until(key, None, first.clone(), earlier()).done(store)?;
        // It may be gone already, or go in the commit that looked; then there is nothing to prolong.
        let from = read_one(store, key)?.map(|found| found.version);
        Draft::new(subject.partition()).write_until(key, from, second.clone(), later()).done(store)?;
        prolonged.push(key);
    }
    pass_time(store)?;
    prolonged.into_iter().try_for_each(|key| holds(store, key, Some(&second)))
}

pub(super) fn live_log_entries_are_not_collected(store: &dyn Store) -> Result<(), Failure> {
    let start = read_log(store, &[10], None)?;
    let mut live = Vec::new();
    for n in 0..40 {
        let entry = draw::<24>()?.to_vec();
        let gc_at = if n % 2 == 0 { earlier() } else { later() };
        Draft::new(Partition(10)).log_until(entry.clone(), gc_at).done(store)?;
        if n % 2 == 1 {
            live.push(entry);
        }
    }
    pass_time(store)?;
    let whole = read_log(store, &[10], None)?;
    require(whole.complete && live.iter().all(|entry| whole.entries.contains(entry)), "a live log entry is gone")?;
    let since = read_log(store, &[10], Some(&start.cursor))?;
    require(
        !since.complete || live.iter().all(|entry| since.entries.contains(entry)),
        "a read after a cursor is called complete, but misses a live entry",
    )
}
