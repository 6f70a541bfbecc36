//! Many callers at once.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread::ScopedJoinHandle;

use safeconduct_core::store::{Committed, Key};

use super::draft::{Draft, draw_subject, draw_version, read_one, record, session};
use super::{Failure, require};
use crate::store::Store;

const THREADS: usize = 64;

/// The result of a thread; a panic in it is a failure.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Failure>>) -> Result<T, Failure> {
    thread.join().unwrap_or_else(|_| Err(Failure("the store panicked".into())))
}

/// Runs `body` on as many threads as `count`, all starting together.
fn together<T: Send>(count: usize, body: impl Fn(usize) -> Result<T, Failure> + Sync) -> Result<Vec<T>, Failure> {
    let start = Barrier::new(count);
    std::thread::scope(|threads| {
        let body = &body;
        let start = &start;
        let all: Vec<_> = (0..count)
            .map(|n| {
                threads.spawn(move || {
                    start.wait();
                    body(n)
                })
            })
            .collect();
        all.into_iter().map(joined).collect()
    })
}

pub(super) fn one_of_many_creates_wins(store: &dyn Store) -> Result<(), Failure> {
    for _ in 0..4 {
        let subject = draw_subject(14)?;
        let key = Key::Subject(subject);
        let ends = together(THREADS, |_| {
            let new = record(draw_version()?, *b"created");
            let end = Draft::new(subject.partition()).write(key, None, new.clone()).send(store)?;
            Ok((end, new))
        })?;
        let winners: Vec<_> = ends.iter().filter(|(end, _)| *end == Committed::Done).collect();
        require(winners.len() == 1, format!("{} threads created the same record", winners.len()))?;
        let found = read_one(store, key)?;
        require(
            winners.first().is_some_and(|(_, new)| found.as_ref() == Some(new)),
            "the record is not the one of the thread that was told it created it",
        )?;
    }
    Ok(())
}

pub(super) fn each_version_is_replaced_once(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(15)?;
    let key = session(subject, 1);
    let first = record(draw_version()?, 0_u64.to_be_bytes());
    Draft::new(subject.partition()).write(key, None, first).done(store)?;
    let replaced = together(THREADS, |_| {
        let mut replaced = Vec::new();
        for _ in 0..4 {
            let Some(current) = read_one(store, key)? else {
                return Err(Failure("the record is gone".into()));
            };
            let count = current.bytes.as_slice().try_into().map_or(u64::MAX, u64::from_be_bytes);
            let next = record(draw_version()?, count.wrapping_add(1).to_be_bytes());
            if Draft::new(subject.partition()).write(key, Some(current.version), next).send(store)? == Committed::Done {
                replaced.push(current.version.0);
            }
        }
        Ok(replaced)
    })?;
    let replaced = replaced.concat();
    let distinct: BTreeSet<u64> = replaced.iter().copied().collect();
    require(distinct.len() == replaced.len(), "two commits replaced the same version")?;
    let count = u64::try_from(replaced.len()).unwrap_or(u64::MAX);
    let last = read_one(store, key)?.map(|record| record.bytes);
    require(
        last == Some(count.to_be_bytes().to_vec()),
        format!("{count} commits went through, the record counts {last:?}"),
    )?;
    require(count > 0, "nobody won")
}

/// Each of two commits expects what the other writes. One of them came second and must see it.
pub(super) fn write_skew_is_a_conflict(store: &dyn Store) -> Result<(), Failure> {
    for _ in 0..100 {
        let subject = draw_subject(0)?;
        let keys = (Key::Subject(subject), session(subject, 1));
        let old = record(draw_version()?, *b"old");
        Draft::new(subject.partition()).write(keys.0, None, old.clone()).done(store)?;
        let ends = together(2, |n| {
            let new = record(draw_version()?, *b"new");
            let draft = Draft::new(subject.partition());
            let draft = match n {
                0 => draft.expect(keys.0, Some(old.version)).write(keys.1, None, new),
                _ => draft.expect(keys.1, None).write(keys.0, Some(old.version), new),
            };
            draft.send(store)
        })?;
        let done = ends.iter().filter(|end| **end == Committed::Done).count();
        require(done < 2, "two commits went through although each wrote what the other expected unchanged")?;
        require(done > 0, "two commits each conflicted with the other: nobody gets anywhere")?;
    }
    Ok(())
}

pub(super) fn commits_with_nothing_in_common_do_not_conflict(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(1)?;
    let watched = record(draw_version()?, *b"watched");
    Draft::new(subject.partition()).write(Key::Subject(subject), None, watched.clone()).done(store)?;
    together(16, |n| {
        let key = session(subject, u64::try_from(n).unwrap_or_default());
        let mut from = None;
        for _ in 0..8 {
            let new = record(draw_version()?, *b"mine alone");
            let draft = Draft::new(subject.partition()).expect(Key::Subject(subject), Some(watched.version));
            draft.write(key, from, new.clone()).done(store)?;
            from = Some(new.version);
        }
        Ok(())
    })
    .map(drop)
}
