//! Scenario 38, P13: what is stored does not grow with use, and what has expired goes away by itself.

use std::path::Path;

use rusqlite::Connection;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::store::{Get, Key};
use safeconduct::core::time::Seconds;
use safeconduct::store::Store;

use crate::bed::{Bed, on_every_store};
use crate::client::{Client, RULES, past_pause};
use crate::watched::Watched;

/// A tenth of it in a build without optimisation, where the store makes up little of the time.
const ROTATIONS: u32 = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Pages of the file, rows, and whether the write-ahead log is within what SQLite lets it grow to.
fn size(path: &Path) -> (i64, i64, i64, bool) {
    let wal = std::fs::metadata(format!("{}-wal", path.display())).unwrap().len();
    let rows = |table: &str| number(path, &format!("SELECT count(*) FROM {table}"));
    (number(path, "PRAGMA page_count"), rows("record"), rows("log"), wal < 5 << 20)
}

#[test]
fn a_session_takes_as_much_room_after_very_many_rotations_as_at_first() {
    let bed = Bed::sqlite();
    let path = &bed.file.as_ref().unwrap().1;
    let deployment = bed.deployment();
    let mut client = Client::sign_in(&deployment, RULES[0]);
    assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    let before = size(path);
    for _ in 1..ROTATIONS {
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    }
    assert_eq!(client.generation(), ROTATIONS);
    assert_eq!(size(path), before);
    // Deployment, directory, subject, session.
    assert_eq!((before.1, before.2, before.3), (4, 0, true));
}

#[test]
fn the_record_of_a_session_is_as_long_in_every_generation_and_within_256_bytes() {
    on_every_store(|bed| {
        for rule in RULES {
            let watched = Watched::over(bed.store.clone());
            let deployment = crate::bed::Deployment::over(watched.store(), Settings::default());
            let (subject, client_id, scope) = ("a-subject-of-24-bytes-ok", "client-of-16-byt", "read write admin");
            assert_eq!((subject.len(), client_id.len(), scope.len()), (24, 16, 16));
            let request = SignInRequest { client_id, scope, ..SignInRequest::new(subject) };
            let mut client = Client::sign_in_as(&deployment, rule, request);
            let key = Key::Session(client.session);
            let read =
                || bed.store.get(&Get { partition: key.partition(), keys: vec![key] }).unwrap().remove(0).unwrap();
            let before = read().bytes.len();
            // A key to which the session is bound takes 32 bytes more.
            let most = if rule == RULES[1] { 256 + 32 } else { 256 };
            assert!(before <= most, "{before}");
            for _ in 0..50 {
                past_pause(&deployment);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            }
            assert_eq!(read().bytes.len(), before);
        }
    });
}

/// Clean-up is part of each commit, a few rows at a time, and hurts no live session.
#[test]
fn expired_sessions_go_away_a_few_with_each_commit_and_live_ones_stay() {
    let bed = Bed::sqlite();
    let path = &bed.file.as_ref().unwrap().1;
    let day = Seconds::days(1);
    let settings = Settings { idle_ttl: day, absolute_ttl: day, ..Settings::default() };
    let deployment = bed.deployment_with(settings);
    for number in 0..500 {
        let subject = format!("user-{number}");
        let client = Client::sign_in_as(&deployment, RULES[0], SignInRequest::new(&subject));
        if number % 5 == 0 {
            deployment.authority.revoke(&client.token).unwrap();
        }
    }
    let rows = || number(path, "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM log)");
    let full = rows();
    assert_eq!(full, 1 + 3 * 500 + 100);
    // A day past the absolute deadline of all, sessions and subjects go; the directory a day later.
    deployment.wait(Seconds::days(4));
    let mut live = Client::sign_in_as(&deployment, RULES[0], SignInRequest::new("user-live"));
    let (mut left, mut commits) = (rows(), 0);
    while left > 10 {
        assert_eq!(live.refresh(&deployment), Outcome::Rotated);
        commits += 1;
        let now = rows();
        // At most eight records and eight entries of the log with one commit.
        assert!(left - now <= 16, "{left} to {now}");
        assert!(commits < 300, "{left} rows stay");
        left = now;
    }
    // Deployment, and of the live one directory, subject and session; the log keeps its newest entry.
    for _ in 0..5 {
        assert_eq!(live.refresh(&deployment), Outcome::Rotated);
    }
    assert_eq!(rows(), 5);
    assert!(deployment.authority.issue(&SignInRequest::new("user-1")).is_ok());
}

/// The same in memory, as far as it can be seen from outside.
#[test]
fn expired_sessions_go_away_in_memory_too() {
    let bed = Bed::memory();
    let day = Seconds::days(1);
    let deployment = bed.deployment_with(Settings { idle_ttl: day, absolute_ttl: day, ..Settings::default() });
    let clients: Vec<Client> = (0..200).map(|_| Client::sign_in(&deployment, RULES[0])).collect();
    let present = || {
        let key = |client: &Client| Key::Session(client.session);
        let get = |key: Key| bed.store.get(&Get { partition: key.partition(), keys: vec![key] }).unwrap().remove(0);
        clients.iter().filter(|client| get(key(client)).is_some()).count()
    };
    assert_eq!(present(), 200);
    deployment.wait(Seconds::days(2));
    Client::sign_in(&deployment, RULES[0]);
    assert_eq!(present(), 200, "not before a day past the deadline");
    deployment.wait(Seconds::new(1));
    let mut live = Client::sign_in(&deployment, RULES[0]);
    for _ in 0..30 {
        assert_eq!(live.refresh(&deployment), Outcome::Rotated);
    }
    assert_eq!(present(), 0);
}
