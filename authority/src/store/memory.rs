//! A store in memory: for tests, examples and single-process services whose sessions may end with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use safeconduct_core::id::SessionId;
use safeconduct_core::store::{Commit, Committed, Get, Key, List, Listed, LogRead, Put, ReadLog, Version, Versioned};
use safeconduct_core::time::Timestamp;

use super::cursor::{Cursor, PartitionSet};
use super::{Store, StoreError, draw, refuse_blind_writes};

/// How many expired rows, and how many expired log entries, a commit deletes on the way.
const COLLECTED_PER_COMMIT: usize = 8;

/// Records and log in the memory of this process. A clone is the same store.
///
/// Nothing is durable, and a forked child has a copy of its own from then on.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A thread that panicked elsewhere leaves no half-done change here: all changes follow the compare
    /// and none of them can fail.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        let state = self.state();
        Ok(get.keys.iter().map(|key| state.records.get(key).map(|row| row.record.clone())).collect())
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        let first = Key::Session(SessionId::new(list.subject, [0; 8]));
        let last = Key::Session(SessionId::new(list.subject, [0xff; 8]));
        let state = self.state();
        let sessions = state.records.range(first..=last).filter_map(|(key, row)| match key {
            Key::Session(sid) => Some((*sid, row.record.clone())),
            Key::Deployment | Key::Directory(_) | Key::Subject(_) => None,
        });
        let limit = usize::try_from(list.limit).unwrap_or(usize::MAX);
        Ok(sessions.filter(|(sid, _)| list.after.is_none_or(|after| *sid > after)).take(limit).collect())
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        refuse_blind_writes(commit)?;
        let marks = commit.log.iter().map(|_| draw::<8>().map(u64::from_be_bytes)).collect::<Result<Vec<_>, _>>()?;
        let mut state = self.state();
        if commit.expect.iter().any(|(key, expected)| state.version(key) != *expected) {
            return Ok(Committed::Conflict);
        }
        for put in &commit.put {
            state.write(put);
        }
        state.collect(commit.now);
        for (entry, mark) in commit.log.iter().zip(marks) {
            let seq = state.tip().0.saturating_add(1);
            state.log.insert(seq, LogRow { partition: commit.partition.0, mark, bytes: entry.bytes.clone() });
            state.log_by_gc_at.insert((entry.gc_at, seq));
        }
        Ok(Committed::Done)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        let mut state = self.state();
        let feed = match state.feed {
            Some(feed) => feed,
            None => *state.feed.insert(draw()?),
        };
        let partitions = PartitionSet::new(&read.partitions);
        let (after, complete) = match &read.cursor {
            None => (0, true),
            Some(bytes) => match Cursor::parse(bytes) {
                Some(cursor) if state.has(&cursor, feed) && partitions.is_subset_of(&cursor.partitions) => {
                    (cursor.seq, true)
                }
                _ => (0, false),
            },
        };
        let (seq, mark) = state.tip();
        let newer = state.log.range(after.saturating_add(1)..);
        let entries = newer.filter(|(_, row)| partitions.contains(row.partition)).map(|(_, row)| row.bytes.clone());
        Ok(LogRead { entries: entries.collect(), cursor: Cursor { feed, seq, mark, partitions }.to_bytes(), complete })
    }
}

#[derive(Default)]
struct State {
    records: BTreeMap<Key, Row>,
    by_gc_at: BTreeSet<(Timestamp, Key)>,
    log: BTreeMap<u64, LogRow>,
    log_by_gc_at: BTreeSet<(Timestamp, u64)>,
    /// Drawn at the first read of the log.
    feed: Option<[u8; 16]>,
}

struct Row {
    record: Versioned,
    gc_at: Timestamp,
}

struct LogRow {
    partition: u8,
    mark: u64,
    bytes: Vec<u8>,
}

impl State {
    fn version(&self, key: &Key) -> Option<Version> {
        self.records.get(key).map(|row| row.record.version)
    }

    fn write(&mut self, put: &Put) {
        self.remove(&put.key);
        if let Some(record) = &put.record {
            self.records.insert(put.key, Row { record: record.clone(), gc_at: put.gc_at });
            self.by_gc_at.insert((put.gc_at, put.key));
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(row) = self.records.remove(key) {
            self.by_gc_at.remove(&(row.gc_at, *key));
        }
    }

    fn collect(&mut self, now: Timestamp) {
        let expired: Vec<(Timestamp, Key)> =
            self.by_gc_at.iter().take_while(|(gc_at, _)| *gc_at < now).take(COLLECTED_PER_COMMIT).copied().collect();
        for (_, key) in expired {
            self.remove(&key);
        }
        let tip = self.tip().0;
        // The newest stays: cursors refer to it.
        let old = self.log_by_gc_at.iter().take_while(|(gc_at, _)| *gc_at < now).filter(|(_, seq)| *seq != tip);
        let old: Vec<(Timestamp, u64)> = old.take(COLLECTED_PER_COMMIT).copied().collect();
        for entry in old {
            self.log_by_gc_at.remove(&entry);
            self.log.remove(&entry.1);
        }
    }

    /// The newest entry and its mark.
    fn tip(&self) -> (u64, u64) {
        self.log.last_key_value().map_or((0, 0), |(seq, row)| (*seq, row.mark))
    }

    /// Whether this is the log that `cursor` was written for and still has its entry.
    fn has(&self, cursor: &Cursor, feed: [u8; 16]) -> bool {
        cursor.feed == feed && (cursor.seq == 0 || self.log.get(&cursor.seq).is_some_and(|row| row.mark == cursor.mark))
    }
}
