//! Compare and, if all is as expected, write: one transaction.

use rusqlite::{Connection, Error, OptionalExtension};
use safeconduct_core::store::{Commit, Committed, Key, Put, Version, Versioned};
use safeconduct_core::time::Timestamp;

use super::{millis, sql};

/// What a commit found of a record that exists.
type Current = (i64, i64);

/// Runs `commit` on `connection`. `marks` are random, one for each log entry.
pub(super) fn commit(connection: &Connection, commit: &Commit, marks: &[i64]) -> Result<Committed, Error> {
    execute(connection, sql::BEGIN_WRITE)?;
    match compare_and_write(connection, commit, marks) {
        Ok(Committed::Done) => execute(connection, sql::COMMIT).map(|()| Committed::Done),
        Ok(Committed::Conflict) => execute(connection, sql::ROLLBACK).map(|()| Committed::Conflict),
        Err(error) => {
            // SQLite may have rolled back already. Where it has not and this fails too, the pool
            // closes the connection, which does.
            let _ = execute(connection, sql::ROLLBACK);
            Err(error)
        }
    }
}

fn compare_and_write(connection: &Connection, commit: &Commit, marks: &[i64]) -> Result<Committed, Error> {
    let mut found = Vec::with_capacity(commit.expect.len());
    let mut compare = connection.prepare_cached(sql::COMPARE)?;
    for (key, expected) in &commit.expect {
        let current: Option<Current> =
            compare.query_row([key.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if current.map(|(version, _)| Version(version.cast_unsigned())) != *expected {
            return Ok(Committed::Conflict);
        }
        found.push((key, current));
    }
    for put in &commit.put {
        write(connection, put, current_of(&found, &put.key))?;
    }
    collect(connection, commit.now)?;
    let mut append = connection.prepare_cached(sql::APPEND)?;
    for (entry, mark) in commit.log.iter().zip(marks) {
        append.execute((commit.partition.0, mark, millis(entry.gc_at), &entry.bytes))?;
    }
    Ok(Committed::Done)
}

/// Two or three keys: a walk is the fastest look-up.
fn current_of(found: &[(&Key, Option<Current>)], key: &Key) -> Option<Current> {
    found.iter().find(|(other, _)| *other == key).and_then(|(_, current)| *current)
}

fn write(connection: &Connection, put: &Put, current: Option<Current>) -> Result<(), Error> {
    let key = put.key.to_bytes();
    let gc_at = millis(put.gc_at);
    match (&put.record, current) {
        (None, None) => Ok(()),
        (None, Some(_)) => connection.prepare_cached(sql::DELETE)?.execute([key]).map(drop),
        (Some(Versioned { version, bytes }), current) => {
            let version = version.0.cast_signed();
            match current {
                None => connection.prepare_cached(sql::INSERT)?.execute((key, version, gc_at, bytes)),
                Some((_, until)) if until == gc_at => {
                    connection.prepare_cached(sql::UPDATE)?.execute((key, version, bytes))
                }
                Some(_) => connection.prepare_cached(sql::UPDATE_AND_MOVE)?.execute((key, version, gc_at, bytes)),
            }
            .map(drop)
        }
    }
}

/// Deletes a few expired rows, so that no file grows for want of a cron job.
fn collect(connection: &Connection, now: Timestamp) -> Result<(), Error> {
    connection.prepare_cached(sql::COLLECT_RECORDS)?.execute([millis(now)])?;
    connection.prepare_cached(sql::COLLECT_LOG)?.execute([millis(now)]).map(drop)
}

fn execute(connection: &Connection, text: &str) -> Result<(), Error> {
    connection.prepare_cached(text)?.execute([]).map(drop)
}
