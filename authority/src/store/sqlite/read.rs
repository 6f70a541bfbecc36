//! Reads, each a transaction of its own: all it answers was true at one moment.

use rusqlite::{Connection, Error, OptionalExtension, Row};
use safeconduct_core::id::SessionId;
use safeconduct_core::store::{Get, Key, List, Listed, LogRead, ReadLog, Version, Versioned};

use super::sql;
use crate::store::cursor::{Cursor, PartitionSet};

/// The records of `get`.
pub(super) fn get(connection: &Connection, get: &Get) -> Result<Vec<Option<Versioned>>, Error> {
    at_one_moment(connection, || {
        let mut one = connection.prepare_cached(sql::GET)?;
        get.keys.iter().map(|key| one.query_row([key.to_bytes()], |row| versioned(row, 0)).optional()).collect()
    })
}

/// A page of sessions.
pub(super) fn list(connection: &Connection, list: &List) -> Result<Vec<Listed>, Error> {
    let first = match list.after {
        Some(after) if after.subject() >= list.subject => Key::Session(after).to_bytes(),
        // The prefix alone sorts before every key that begins with it.
        _ => Key::Session(SessionId::new(list.subject, [0; 8])).to_bytes().into_iter().take(9).collect(),
    };
    let last = Key::Session(SessionId::new(list.subject, [0xff; 8])).to_bytes();
    let mut page = connection.prepare_cached(sql::LIST)?;
    let rows = page.query_map((first, last, list.limit), |row| {
        let key: [u8; 17] = row.get(0)?;
        let [_, sid @ ..] = key;
        Ok((SessionId::from_bytes(sid), versioned(row, 1)?))
    })?;
    rows.collect()
}

/// The log after a cursor. Where the cursor does not fit, everything there is.
pub(super) fn read_log(connection: &Connection, read: &ReadLog) -> Result<LogRead, Error> {
    at_one_moment(connection, || {
        let feed: [u8; 16] = connection.prepare_cached(sql::FEED)?.query_row([], |row| row.get(0))?;
        let partitions = PartitionSet::new(&read.partitions);
        let (after, complete) = match &read.cursor {
            None => (0, true),
            Some(bytes) => match Cursor::parse(bytes) {
                Some(cursor) if partitions.is_subset_of(&cursor.partitions) && has(connection, &cursor, feed)? => {
                    (cursor.seq.cast_signed(), true)
                }
                _ => (0, false),
            },
        };
        let tip = connection.prepare_cached(sql::TIP)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
        let (seq, mark): (i64, i64) = tip.optional()?.unwrap_or_default();
        let mut newer = connection.prepare_cached(sql::READ_LOG)?;
        let mut rows = newer.query([after])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            if partitions.contains(row.get(0)?) {
                entries.push(row.get(1)?);
            }
        }
        let cursor = Cursor { feed, seq: seq.cast_unsigned(), mark: mark.cast_unsigned(), partitions };
        Ok(LogRead { entries, cursor: cursor.to_bytes(), complete })
    })
}

/// Whether this is the log that `cursor` was written for and still has its entry.
fn has(connection: &Connection, cursor: &Cursor, feed: [u8; 16]) -> Result<bool, Error> {
    if cursor.feed != feed || cursor.seq == 0 {
        return Ok(cursor.feed == feed);
    }
    let mut mark = connection.prepare_cached(sql::MARK)?;
    let mark: Option<i64> = mark.query_row([cursor.seq.cast_signed()], |row| row.get(0)).optional()?;
    Ok(mark == Some(cursor.mark.cast_signed()))
}

fn at_one_moment<T>(connection: &Connection, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    connection.prepare_cached(sql::BEGIN_READ)?.execute([])?;
    let answer = read();
    let ended = connection.prepare_cached(sql::COMMIT)?.execute([]);
    let answer = answer?;
    ended.map(|_| answer)
}

fn versioned(row: &Row<'_>, column: usize) -> Result<Versioned, Error> {
    let version: i64 = row.get(column)?;
    Ok(Versioned { version: Version(version.cast_unsigned()), bytes: row.get(column.saturating_add(1))? })
}
