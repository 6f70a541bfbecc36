//! Reads: one moment, in order, nobody else's.

use std::sync::atomic::{AtomicBool, Ordering};

use safeconduct_core::id::{Partition, SessionId, SubjectHandle};
use safeconduct_core::store::{Key, List, Listed};

use super::draft::{Draft, directory, draw_subject, draw_version, read, record, session};
use super::races::joined;
use super::{Failure, require};
use crate::store::Store;

pub(super) fn a_get_answers_in_the_order_of_its_keys(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(8)?;
    let there: Vec<Key> = (0..10).map(|n| session(subject, n)).collect();
    let mut draft = Draft::new(subject.partition());
    for (n, key) in (0_u8..).zip(&there) {
        draft = draft.write(*key, None, record(draw_version()?, [n]));
    }
    draft.done(store)?;
    let absent = Key::Subject(subject);
    let mut keys: Vec<Key> = there.iter().rev().flat_map(|key| [absent, *key]).collect();
    keys.extend(&there);
    let expected = (0..10_u8).rev().flat_map(|n| [None, Some(vec![n])]).chain((0..10).map(|n| Some(vec![n])));
    let found = read(store, &keys)?.into_iter().map(|record| record.map(|record| record.bytes));
    require(found.eq(expected), "the answers are not in the order of the keys")?;
    require(read(store, &[])?.is_empty(), "no keys, but an answer")
}

pub(super) fn a_get_sees_one_moment(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(9)?;
    let keys = [session(subject, 1), Key::Subject(subject), session(subject, u64::MAX)];
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let seen = (0..300).try_for_each(|_| {
                let found = read(store, &keys)?;
                let alike = found.iter().all(|record| Some(record) == found.first());
                require(alike, "records that are always written together were read in different states")
            });
            over.store(true, Ordering::Relaxed);
            seen
        });
        let written: Result<(), Failure> = (|| {
            let mut from = None;
            while !over.load(Ordering::Relaxed) {
                let new = record(draw_version()?, *b"together");
                let mut draft = Draft::new(subject.partition());
                for key in keys {
                    draft = draft.write(key, from, new.clone());
                }
                draft.done(store)?;
                from = Some(new.version);
            }
            Ok(())
        })();
        joined(reader).and(written)
    })
}

pub(super) fn a_list_is_in_order_and_paged(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(10)?;
    // Written in another order than that of their bytes, with both ends among them.
    let mut numbers: Vec<u64> = (0..21_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    numbers.extend([u64::MAX, 1, 0xff, 0x100, 0xff00_0000_0000_0000, 0x00ff_ffff_ffff_ffff]);
    for n in &numbers {
        let new = record(draw_version()?, n.to_be_bytes());
        Draft::new(subject.partition()).write(session(subject, *n), None, new).done(store)?;
    }
    numbers.sort_unstable();
    for limit in [1, 2, 9, 26, 27, 28, 1000, u32::MAX] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = store.list(&List { subject, after, limit })?;
            let size = u32::try_from(page.len()).unwrap_or(u32::MAX);
            require(size <= limit, format!("a page of {size} where at most {limit} were asked for"))?;
            match page.last() {
                Some((last, _)) => after = Some(*last),
                None => break,
            }
            found.extend(page);
            require(found.len() <= numbers.len(), "sessions are listed twice")?;
        }
        let expected = numbers.iter().map(|n| (SessionId::new(subject, n.to_be_bytes()), n.to_be_bytes().to_vec()));
        let found = found.into_iter().map(|(sid, record)| (sid, record.bytes));
        require(found.eq(expected), format!("pages of {limit} do not give all sessions in order"))?;
    }
    Ok(())
}

pub(super) fn a_list_holds_the_sessions_of_one_subject(store: &dyn Store) -> Result<(), Failure> {
    let drawn = draw_subject(11)?;
    let [_, a, b, c, d, e, f, _] = *drawn.as_bytes();
    let near = |partition, last| SubjectHandle::new(Partition(partition), [a, b, c, d, e, f, last]);
    let far = |partition, filled: u8| SubjectHandle::new(Partition(partition), [filled; 7]);
    let subjects = [near(11, 0), near(11, 1), near(11, 0xfe), near(11, 0xff), near(12, 0), near(10, 0xff)];
    for subject in subjects {
        let mut draft =
            Draft::new(subject.partition()).write(Key::Subject(subject), None, record(draw_version()?, *b"subject"));
        draft = draft.write(directory(subject), None, record(draw_version()?, *b"directory"));
        for n in [0, u64::MAX] {
            draft = draft.write(session(subject, n), None, record(draw_version()?, *subject.as_bytes()));
        }
        draft.done(store)?;
    }
    for subject in subjects {
        let found = store.list(&List { subject, after: None, limit: 100 })?;
        let own = |(sid, record): &Listed| sid.subject() == subject && record.bytes == subject.as_bytes();
        require(found.len() == 2 && found.iter().all(own), format!("{subject:?} has two sessions, not {found:?}"))?;
    }
    for subject in [far(11, 0), far(11, 0xff), near(11, 2), near(11, 0xfd)] {
        let found = store.list(&List { subject, after: None, limit: 100 })?;
        require(found.iter().all(|(sid, _)| sid.subject() == subject), format!("{subject:?} has others' sessions"))?;
    }
    Ok(())
}

pub(super) fn a_page_may_follow_a_session_that_is_gone(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(13)?;
    let new = record(draw_version()?, *b"session");
    for n in [10, 20, 30] {
        Draft::new(subject.partition()).write(session(subject, n), None, new.clone()).done(store)?;
    }
    Draft::new(subject.partition()).delete(session(subject, 20), Some(new.version)).done(store)?;
    let sid = |n: u64| SessionId::new(subject, n.to_be_bytes());
    let listed = |after: u64| -> Result<Vec<SessionId>, Failure> {
        let page = store.list(&List { subject, after: Some(sid(after)), limit: 10 })?;
        Ok(page.into_iter().map(|(sid, _)| sid).collect())
    };
    require(listed(0)? == [sid(10), sid(30)], "a deleted session is listed, or another is not")?;
    require(listed(10)? == [sid(30)], "a page holds the session it follows, or not the next")?;
    require(listed(20)? == [sid(30)], "a page cannot follow a session that is gone")?;
    require(listed(30)?.is_empty(), "a page follows the last session")
}
