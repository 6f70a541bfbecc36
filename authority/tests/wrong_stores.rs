//! Stores with one mistake each, and the case of the conformance suite that finds it. A case that no
//! mistake can fail would be worth nothing, so each has at least one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use safeconduct::conformance::CASES;
use safeconduct::core::id::{Partition, SessionId};
use safeconduct::core::store::{Commit, Committed, Get, Key, List, Listed, LogRead, Put, ReadLog, Version, Versioned};
use safeconduct::core::time::Timestamp;
use safeconduct::store::{MemoryStore, Store, StoreError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Upserts,
    ComparesPresenceOnly,
    Compares32Bits,
    ComparesOnlyWhatItWrites,
    ComparesTheRestInASnapshot,
    ComparesNothingWhereNothingIsWritten,
    ComparesBeforeItLocks,
    ConflictsWhileBusy,
    WritesPutByPut,
    WritesBlindly,
    LogsDespiteAConflict,
    CutsLongRecords,
    MixesUpKinds,
    ForgetsTheDeployment,
    BlanksInsteadOfDeleting,
    SortsItsAnswers,
    ReadsKeyByKey,
    ListsBackwards,
    ListsWithoutLimit,
    ListsThePartition,
    PagesByPosition,
    LosesTheLog,
    RereadsTheLog,
    CutsEntriesAtZero,
    LogsEverythingTogether,
    ForgetsWhoseCursorItIs,
    ReadsPastLateEntries,
    BelievesAnyCursor,
    CollectsTheLiving,
    CollectsByTheFirstDate,
    CollectsLiveEntries,
}

const CAUGHT: &[(Flaw, &str)] = &[
    (Flaw::Upserts, "a_create_never_overwrites"),
    (Flaw::ComparesPresenceOnly, "a_stale_version_conflicts"),
    (Flaw::Compares32Bits, "a_version_is_compared_in_all_its_bits"),
    (Flaw::ComparesOnlyWhatItWrites, "what_is_expected_but_not_written_is_compared"),
    (Flaw::ComparesOnlyWhatItWrites, "write_skew_is_a_conflict"),
    (Flaw::ComparesTheRestInASnapshot, "write_skew_is_a_conflict"),
    (Flaw::ComparesNothingWhereNothingIsWritten, "a_commit_that_writes_nothing_compares"),
    (Flaw::ComparesBeforeItLocks, "one_of_many_creates_wins"),
    (Flaw::ComparesBeforeItLocks, "each_version_is_replaced_once"),
    (Flaw::ConflictsWhileBusy, "commits_with_nothing_in_common_do_not_conflict"),
    (Flaw::WritesPutByPut, "a_conflict_writes_nothing"),
    (Flaw::LogsDespiteAConflict, "a_conflict_writes_nothing"),
    (Flaw::CutsLongRecords, "a_record_is_read_back_as_it_was_written"),
    (Flaw::MixesUpKinds, "kinds_of_key_are_kept_apart"),
    (Flaw::ForgetsTheDeployment, "the_deployment_record_is_a_record"),
    (Flaw::WritesBlindly, "a_blind_write_overwrites_nothing"),
    (Flaw::BlanksInsteadOfDeleting, "a_deleted_record_is_absent"),
    (Flaw::SortsItsAnswers, "a_get_answers_in_the_order_of_its_keys"),
    (Flaw::ReadsKeyByKey, "a_get_sees_one_moment"),
    (Flaw::ListsBackwards, "a_list_is_in_order_and_paged"),
    (Flaw::ListsWithoutLimit, "a_list_is_in_order_and_paged"),
    (Flaw::ListsThePartition, "a_list_holds_the_sessions_of_one_subject"),
    (Flaw::PagesByPosition, "a_page_may_follow_a_session_that_is_gone"),
    (Flaw::LosesTheLog, "the_log_is_read_on_from_a_cursor"),
    (Flaw::RereadsTheLog, "the_log_is_read_on_from_a_cursor"),
    (Flaw::CutsEntriesAtZero, "the_log_takes_any_bytes"),
    (Flaw::LogsEverythingTogether, "the_log_is_told_apart_by_partition"),
    (Flaw::ForgetsWhoseCursorItIs, "a_cursor_for_fewer_partitions_hides_nothing"),
    (Flaw::ReadsPastLateEntries, "reads_of_a_busy_log_miss_nothing"),
    (Flaw::BelievesAnyCursor, "a_foreign_cursor_is_not_complete"),
    (Flaw::CollectsTheLiving, "live_records_are_not_collected"),
    (Flaw::CollectsByTheFirstDate, "a_prolonged_record_is_not_collected"),
    (Flaw::CollectsLiveEntries, "live_log_entries_are_not_collected"),
];

#[test]
fn each_mistake_is_found_by_the_case_that_is_meant_to() {
    for (flaw, name) in CAUGHT {
        let case = CASES.iter().find(|case| case.name == *name).unwrap();
        // A mistake that shows only between threads needs its moment, which a busy machine may not give at once.
        let found = (0..50).any(|_| case.run(&Wrong::new(*flaw)).is_err());
        assert!(found, "{flaw:?} passes {name}");
    }
}

#[test]
fn no_case_is_without_a_mistake_that_it_finds() {
    for case in CASES {
        assert!(CAUGHT.iter().any(|(_, name)| *name == case.name), "nothing shows that {} can fail", case.name);
    }
}

/// A store in memory that does one thing wrong.
struct Wrong {
    right: MemoryStore,
    flaw: Flaw,
    busy: Mutex<()>,
    first_dates: Mutex<BTreeMap<Key, Timestamp>>,
}

impl Wrong {
    fn new(flaw: Flaw) -> Self {
        Self { right: MemoryStore::new(), flaw, busy: Mutex::default(), first_dates: Mutex::default() }
    }

    fn current(&self, key: Key) -> Option<Version> {
        let answer = self.right.get(&Get { partition: key.partition(), keys: vec![key] });
        answer.ok().and_then(|answer| answer.into_iter().next().flatten()).map(|record| record.version)
    }

    /// Whether all of `expect` hold at this moment, and perhaps no longer at the next.
    fn hold<'a>(&self, mut expect: impl Iterator<Item = &'a (Key, Option<Version>)>) -> bool {
        expect.all(|(key, version)| self.current(*key) == *version)
    }

    /// Expects whatever is there of the keys for which `which` says so.
    fn accept(&self, mut commit: Commit, which: impl Fn(&Key, Option<Version>) -> bool) -> Commit {
        for (key, version) in &mut commit.expect {
            if which(key, *version) {
                *version = self.current(*key);
            }
        }
        commit
    }

    /// Writes whatever is there.
    fn force(&self, commit: &Commit) -> Result<Committed, StoreError> {
        while self.right.commit(&self.accept(commit.clone(), |_, _| true))? == Committed::Conflict {}
        Ok(Committed::Done)
    }
}

fn writes(commit: &Commit, key: &Key) -> bool {
    commit.put.iter().any(|put| put.key == *key)
}

fn merge_kinds(key: &mut Key) {
    if let Key::Subject(handle) = *key {
        *key = Key::Session(SessionId::new(handle, [0; 8]));
    }
}

impl Store for Wrong {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        let mut get = get.clone();
        match self.flaw {
            Flaw::MixesUpKinds => get.keys.iter_mut().for_each(merge_kinds),
            Flaw::SortsItsAnswers => get.keys.sort(),
            Flaw::ReadsKeyByKey => {
                let one = |key: &Key| {
                    std::thread::sleep(std::time::Duration::from_micros(50));
                    self.right.get(&Get { partition: get.partition, keys: vec![*key] })
                };
                return Ok(get.keys.iter().map(one).collect::<Result<Vec<_>, _>>()?.concat());
            }
            _ => {}
        }
        self.right.get(&get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        match self.flaw {
            Flaw::ListsBackwards => Ok(self.right.list(list)?.into_iter().rev().collect()),
            Flaw::ListsWithoutLimit => self.right.list(&List { limit: u32::MAX, ..*list }),
            Flaw::ListsThePartition => {
                // One bit of the prefix is not compared.
                let mut near = *list.subject.as_bytes();
                near[7] ^= 1;
                let near = List { subject: safeconduct::core::id::SubjectHandle::from_bytes(near), ..*list };
                Ok([self.right.list(list)?, self.right.list(&near)?].concat())
            }
            Flaw::PagesByPosition => {
                let all = self.right.list(&List { after: None, limit: u32::MAX, ..*list })?;
                let place = |after| all.iter().position(|(sid, _)| *sid == after).map_or(all.len(), |place| place + 1);
                Ok(all[list.after.map_or(0, place)..].to_vec())
            }
            _ => self.right.list(list),
        }
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let mut commit = commit.clone();
        match self.flaw {
            Flaw::Upserts => commit = self.accept(commit, |_, version| version.is_none()),
            Flaw::ComparesPresenceOnly => {
                commit = self.accept(commit, |key, version| version.is_some() == self.current(*key).is_some());
            }
            Flaw::Compares32Bits => {
                let low = |version: Option<Version>| version.map(|version| version.0 as u32);
                commit = self.accept(commit, |key, version| low(version) == low(self.current(*key)));
            }
            Flaw::ComparesOnlyWhatItWrites => {
                let whole = commit.clone();
                commit = self.accept(commit, |key, _| !writes(&whole, key));
            }
            Flaw::ComparesTheRestInASnapshot => {
                if !self.hold(commit.expect.iter()) {
                    return Ok(Committed::Conflict);
                }
                std::thread::sleep(std::time::Duration::from_micros(200));
                let put = &commit.put;
                commit.expect.retain(|(key, _)| put.iter().any(|put| put.key == *key));
            }
            Flaw::ComparesNothingWhereNothingIsWritten if commit.put.is_empty() => commit.expect.clear(),
            Flaw::ComparesBeforeItLocks => {
                if !self.hold(commit.expect.iter()) {
                    return Ok(Committed::Conflict);
                }
                std::thread::sleep(std::time::Duration::from_micros(500));
                return self.force(&commit);
            }
            Flaw::ConflictsWhileBusy => {
                let Ok(_busy) = self.busy.try_lock() else { return Ok(Committed::Conflict) };
                std::thread::sleep(std::time::Duration::from_micros(50));
                return self.right.commit(&commit);
            }
            Flaw::WritesBlindly => {
                for put in commit.put.clone() {
                    if commit.expect.iter().all(|(key, _)| *key != put.key) {
                        commit.expect.push((put.key, self.current(put.key)));
                    }
                }
            }
            Flaw::WritesPutByPut => {
                for put in std::mem::take(&mut commit.put) {
                    let expect = commit.expect.iter().filter(|(key, _)| *key == put.key).copied().collect();
                    self.right.commit(&Commit { expect, put: vec![put.clone()], log: vec![], ..commit })?;
                    commit.expect.retain(|(key, version)| *key != put.key || self.current(*key) == *version);
                }
            }
            Flaw::LogsDespiteAConflict => {
                let log = std::mem::take(&mut commit.log);
                self.right.commit(&Commit { expect: vec![], put: vec![], log, ..commit })?;
            }
            Flaw::CutsLongRecords => {
                for record in commit.put.iter_mut().filter_map(|put| put.record.as_mut()) {
                    record.bytes.truncate(65_535);
                }
            }
            Flaw::MixesUpKinds => {
                commit.expect.iter_mut().for_each(|(key, _)| merge_kinds(key));
                commit.put.iter_mut().for_each(|put| merge_kinds(&mut put.key));
            }
            Flaw::ForgetsTheDeployment => commit.put.retain(|put| put.key != Key::Deployment),
            Flaw::BlanksInsteadOfDeleting => {
                for put in &mut commit.put {
                    put.record.get_or_insert(Versioned { version: Version(0), bytes: vec![] });
                }
            }
            Flaw::LosesTheLog => commit.log.clear(),
            Flaw::CutsEntriesAtZero => {
                for entry in &mut commit.log {
                    let end = entry.bytes.iter().position(|byte| *byte == 0).unwrap_or(entry.bytes.len());
                    entry.bytes.truncate(end);
                }
            }
            Flaw::CollectsTheLiving => commit.now = Timestamp::MAX,
            Flaw::CollectsByTheFirstDate => {
                let mut dates = self.first_dates.lock().unwrap();
                for Put { key, gc_at, .. } in &mut commit.put {
                    *gc_at = *dates.entry(*key).or_insert(*gc_at);
                }
            }
            Flaw::CollectsLiveEntries => commit.log.iter_mut().for_each(|entry| entry.gc_at = Timestamp::default()),
            _ => {}
        }
        self.right.commit(&commit)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        let all: Vec<Partition> = (0..=255).map(Partition).collect();
        let mut read = read.clone();
        match self.flaw {
            Flaw::RereadsTheLog => read.cursor = None,
            Flaw::LogsEverythingTogether => read.partitions = all,
            Flaw::ForgetsWhoseCursorItIs => {
                let everybody = self.right.read_log(&ReadLog { partitions: all, cursor: None })?;
                return Ok(LogRead { cursor: everybody.cursor, ..self.right.read_log(&read)? });
            }
            Flaw::ReadsPastLateEntries => {
                let answer = self.right.read_log(&read)?;
                std::thread::sleep(std::time::Duration::from_micros(100));
                return Ok(LogRead { cursor: self.right.read_log(&read)?.cursor, ..answer });
            }
            Flaw::BelievesAnyCursor => return Ok(LogRead { complete: true, ..self.right.read_log(&read)? }),
            _ => {}
        }
        self.right.read_log(&read)
    }
}
