//! Compare and swap, one caller at a time.

use safeconduct_core::id::Partition;
use safeconduct_core::store::{Committed, Key, Version, Versioned};

use super::draft::{
    Draft, directory, draw, draw_subject, draw_version, holds, later, read_log, read_one, record, session,
};
use super::{Failure, require};
use crate::store::Store;

pub(super) fn a_record_is_read_back_as_it_was_written(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(1)?;
    let all_bytes: Vec<u8> = (0..=255).collect();
    let bodies = [vec![], vec![0], vec![0xff; 408], all_bytes, vec![0x5a; 70_000], vec![0; 1 << 20]];
    let versions = [0, 1, u64::MAX, 1 << 63, u64::MAX >> 1, 0x0102_0304_0506_0708];
    for (n, (bytes, version)) in (0..).zip(bodies.into_iter().zip(versions)) {
        let key = session(subject, n);
        holds(store, key, None)?;
        let written = record(Version(version), bytes);
        Draft::new(subject.partition()).write(key, None, written.clone()).done(store)?;
        holds(store, key, Some(&written))?;
        let again = record(Version(!version), written.bytes.iter().rev().copied().chain([7]).collect::<Vec<u8>>());
        Draft::new(subject.partition()).write(key, Some(Version(version)), again.clone()).done(store)?;
        holds(store, key, Some(&again))?;
    }
    Ok(())
}

pub(super) fn kinds_of_key_are_kept_apart(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(2)?;
    let keys = [Key::Subject(subject), session(subject, 0), directory(subject), session(subject, u64::MAX)];
    let mut expected: Vec<(Key, Option<Versioned>)> = keys.iter().map(|key| (*key, None)).collect();
    for n in 0..keys.len() {
        if let Some((key, place)) = expected.get_mut(n) {
            let written = record(draw_version()?, draw::<4>()?);
            Draft::new(subject.partition()).write(*key, None, written.clone()).done(store)?;
            *place = Some(written);
        }
        for (key, place) in &expected {
            holds(store, *key, place.as_ref())?;
        }
    }
    Ok(())
}

/// There is one per store, so what was there is put back.
pub(super) fn the_deployment_record_is_a_record(store: &dyn Store) -> Result<(), Failure> {
    let found = read_one(store, Key::Deployment)?;
    let written = record(draw_version()?, draw::<16>()?);
    let from = found.as_ref().map(|found| found.version);
    Draft::new(Partition(0)).write(Key::Deployment, from, written.clone()).done(store)?;
    holds(store, Key::Deployment, Some(&written))?;
    let back = Draft::new(Partition(0));
    match found {
        None => back.delete(Key::Deployment, Some(written.version)).done(store),
        Some(found) => {
            let found = record(draw_version()?, found.bytes);
            back.write(Key::Deployment, Some(written.version), found).done(store)
        }
    }
}

pub(super) fn a_create_never_overwrites(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(3)?;
    let key = Key::Subject(subject);
    let first = record(draw_version()?, *b"first");
    Draft::new(subject.partition()).write(key, None, first.clone()).done(store)?;
    let second = record(draw_version()?, *b"second");
    Draft::new(subject.partition()).write(key, None, second).conflict(store, "the record was there")?;
    Draft::new(subject.partition()).write(key, None, first.clone()).conflict(store, "the very same was there")?;
    Draft::new(subject.partition()).delete(key, None).conflict(store, "the record was there")?;
    holds(store, key, Some(&first))
}

pub(super) fn a_stale_version_conflicts(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(3)?;
    let key = session(subject, 1);
    let first = record(draw_version()?, *b"first");
    let second = record(draw_version()?, *b"second");
    let third = record(draw_version()?, *b"third");
    let draft = || Draft::new(subject.partition());
    draft().write(key, Some(first.version), second.clone()).conflict(store, "the record was absent")?;
    holds(store, key, None)?;
    draft().write(key, None, first.clone()).done(store)?;
    draft().write(key, Some(first.version), second.clone()).done(store)?;
    draft().write(key, Some(first.version), third.clone()).conflict(store, "the version was stale")?;
    draft().delete(key, Some(first.version)).conflict(store, "the version was stale")?;
    holds(store, key, Some(&second))?;
    draft().delete(key, Some(second.version)).done(store)?;
    draft().write(key, Some(second.version), third).conflict(store, "the record was deleted")?;
    holds(store, key, None)
}

pub(super) fn a_version_is_compared_in_all_its_bits(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(4)?;
    let key = session(subject, 1);
    let written = record(draw_version()?, *b"record");
    Draft::new(subject.partition()).write(key, None, written.clone()).done(store)?;
    for bit in 0..64 {
        let close = Version(written.version.0 ^ 1_u64.rotate_left(bit));
        let other = record(draw_version()?, *b"other");
        Draft::new(subject.partition())
            .write(key, Some(close), other)
            .conflict(store, &format!("the version differed in bit {bit}"))?;
    }
    holds(store, key, Some(&written))
}

pub(super) fn what_is_expected_but_not_written_is_compared(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(5)?;
    let (watched, written) = (Key::Subject(subject), session(subject, 1));
    let there = record(draw_version()?, *b"there");
    let new = record(draw_version()?, *b"new");
    let draft = || Draft::new(subject.partition());
    draft()
        .expect(watched, Some(there.version))
        .write(written, None, new.clone())
        .conflict(store, "a record that was expected but not written was absent")?;
    draft().write(watched, None, there.clone()).done(store)?;
    draft()
        .expect(watched, None)
        .write(written, None, new.clone())
        .conflict(store, "a record that was expected to be absent was there")?;
    draft()
        .write(written, None, new.clone())
        .expect(watched, Some(draw_version()?))
        .conflict(store, "a record that was expected but not written had another version")?;
    holds(store, written, None)?;
    draft().expect(watched, Some(there.version)).write(written, None, new.clone()).done(store)?;
    holds(store, written, Some(&new))?;
    holds(store, watched, Some(&there))
}

pub(super) fn a_commit_that_writes_nothing_compares(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(5)?;
    let (first, second) = (Key::Subject(subject), session(subject, 1));
    let there = record(draw_version()?, *b"there");
    let draft = || Draft::new(subject.partition());
    draft().write(first, None, there.clone()).done(store)?;
    draft().done(store)?;
    draft().expect(first, Some(there.version)).expect(second, None).done(store)?;
    draft().expect(first, None).conflict(store, "the record was there")?;
    draft().expect(first, Some(draw_version()?)).conflict(store, "the version was another")?;
    draft().expect(first, Some(there.version)).expect(second, Some(there.version)).conflict(store, "one was absent")?;
    holds(store, first, Some(&there))
}

pub(super) fn a_conflict_writes_nothing(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(6)?;
    let (a, b, c, d) = (session(subject, 1), session(subject, 2), session(subject, 3), session(subject, 4));
    let old = record(draw_version()?, *b"old");
    let new = record(draw_version()?, *b"new");
    let entry = draw::<16>()?;
    let draft = || Draft::new(subject.partition());
    draft().write(a, None, old.clone()).write(b, None, old.clone()).write(d, None, old.clone()).done(store)?;
    let before = read_log(store, &[6], None)?;
    let wrong = Some(draw_version()?);
    for place in 0..3 {
        let version = |here: u8| if place == here { wrong } else { Some(old.version) };
        draft()
            .write(c, None, new.clone())
            .write(a, version(0), new.clone())
            .delete(b, version(1))
            .write_until(d, version(2), new.clone(), later())
            .log(entry)
            .conflict(store, "one of four versions was wrong")?;
        holds(store, a, Some(&old))?;
        holds(store, b, Some(&old))?;
        holds(store, c, None)?;
        holds(store, d, Some(&old))?;
    }
    for cursor in [None, Some(before.cursor.as_slice())] {
        let read = read_log(store, &[6], cursor)?;
        require(!read.entries.contains(&entry.to_vec()), "the log holds the entry of a commit that conflicted")?;
    }
    Ok(())
}

/// No caller may ask for it. An engine answers with an error, or else at least does no harm.
pub(super) fn a_blind_write_overwrites_nothing(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(6)?;
    let key = session(subject, 1);
    let first = record(draw_version()?, *b"first");
    Draft::new(subject.partition()).write(key, None, first.clone()).done(store)?;
    let second = record(draw_version()?, *b"second");
    let end = Draft::new(subject.partition()).write_blindly(key, second).send(store);
    require(end != Ok(Committed::Done), "a write of a record for which nothing was expected went through")?;
    holds(store, key, Some(&first))
}

pub(super) fn a_deleted_record_is_absent(store: &dyn Store) -> Result<(), Failure> {
    let subject = draw_subject(7)?;
    let (key, other) = (session(subject, 1), session(subject, 2));
    let first = record(draw_version()?, *b"first");
    let second = record(draw_version()?, *b"second");
    let draft = || Draft::new(subject.partition());
    draft().write(key, None, first.clone()).write(other, None, first.clone()).done(store)?;
    draft().delete(key, Some(first.version)).done(store)?;
    holds(store, key, None)?;
    holds(store, other, Some(&first))?;
    draft().delete(key, Some(first.version)).conflict(store, "the record was gone")?;
    draft().delete(key, None).done(store)?;
    draft().write(key, None, second.clone()).done(store)?;
    holds(store, key, Some(&second))
}
