//! All SQL that runs on a SQLite store, in one place.
//!
//! `key` is [`Key::to_bytes`](safeconduct_core::store::Key::to_bytes); `version` holds the 64 bits of a
//! version as a signed number; `gc_at` is Unix milliseconds. `record_by_gc_at` and `log_by_gc_at` serve
//! garbage collection only.

/// `application_id` of every SQLite store: "scnd" in ASCII. `file(1)` and this package tell the file
/// of another application by it.
pub const APPLICATION_ID: i32 = 0x7363_6e64;

/// `user_version` of the tables below.
pub const SCHEMA_VERSION: i32 = 1;

/// The tables. The log forgets expired entries but never its newest (see [`COLLECT_LOG`]).
pub const CREATE: &str = "
CREATE TABLE record(
  key     BLOB PRIMARY KEY NOT NULL,
  version INTEGER NOT NULL,
  gc_at   INTEGER NOT NULL,
  bytes   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_gc_at ON record(gc_at);
CREATE TABLE log(
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  partition INTEGER NOT NULL,
  mark      INTEGER NOT NULL,
  gc_at     INTEGER NOT NULL,
  bytes     BLOB NOT NULL
) STRICT;
CREATE INDEX log_by_gc_at ON log(gc_at);
CREATE TABLE feed(id BLOB NOT NULL) STRICT;
";

/// Names the log: 16 random bytes.
pub const CREATE_FEED: &str = "INSERT INTO feed(id) VALUES (?1)";
/// Starts a transaction that only reads: all its statements see one moment.
pub const BEGIN_READ: &str = "BEGIN DEFERRED";
/// Starts a commit. The write lock is taken at once: a read transaction that asks for it later fails,
/// without waiting, where another process committed meanwhile.
pub const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
/// Ends a transaction; at `synchronous=FULL` the changes are on disk when it returns.
pub const COMMIT: &str = "COMMIT";
/// Ends a transaction without a trace.
pub const ROLLBACK: &str = "ROLLBACK";

/// Writes the write-ahead log back and empties it, so that it holds nothing of what was deleted.
pub const FORGET: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// One record.
pub const GET: &str = "SELECT version, bytes FROM record WHERE key = ?1";
/// The records in a range of keys, the first excluded, the last included.
pub const LIST: &str = "SELECT key, version, bytes FROM record WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3";
/// What a commit compares.
pub const COMPARE: &str = "SELECT version, gc_at FROM record WHERE key = ?1";
/// A record that was found absent. Fails where it is not: there is no upsert.
pub const INSERT: &str = "INSERT INTO record(key, version, gc_at, bytes) VALUES (?1, ?2, ?3, ?4)";
/// A record whose `gc_at` stays: the index is not touched.
pub const UPDATE: &str = "UPDATE record SET version = ?2, bytes = ?3 WHERE key = ?1";
/// A record whose `gc_at` moves.
pub const UPDATE_AND_MOVE: &str = "UPDATE record SET version = ?2, gc_at = ?3, bytes = ?4 WHERE key = ?1";
/// A record that is no longer wanted.
pub const DELETE: &str = "DELETE FROM record WHERE key = ?1";
/// A log entry.
pub const APPEND: &str = "INSERT INTO log(partition, mark, gc_at, bytes) VALUES (?1, ?2, ?3, ?4)";
/// A few records that expired before ?1.
pub const COLLECT_RECORDS: &str =
    "DELETE FROM record WHERE key IN (SELECT key FROM record WHERE gc_at < ?1 ORDER BY gc_at LIMIT 8)";
/// A few log entries that expired before ?1, but not the newest: cursors refer to it.
pub const COLLECT_LOG: &str = "DELETE FROM log WHERE seq IN
  (SELECT seq FROM log WHERE gc_at < ?1 AND seq < (SELECT max(seq) FROM log) ORDER BY gc_at LIMIT 8)";
/// The name of the log.
pub const FEED: &str = "SELECT id FROM feed";
/// The mark of one entry.
pub const MARK: &str = "SELECT mark FROM log WHERE seq = ?1";
/// The newest entry.
pub const TIP: &str = "SELECT seq, mark FROM log ORDER BY seq DESC LIMIT 1";
/// The entries after a cursor. Only one process writes at a time, so the order of `seq` is the order
/// of the commits and none can appear later below ?1.
pub const READ_LOG: &str = "SELECT partition, bytes FROM log WHERE seq > ?1 ORDER BY seq";
