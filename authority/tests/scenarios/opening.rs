//! What an authority says of a store that it cannot use, and that nothing is lost by it.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use safeconduct::core::secret::Secrets;
use safeconduct::core::session::exchange::Failure;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::store::sqlite::SqliteOptions;
use safeconduct::store::{SqliteStore, StoreError};
use safeconduct::{Authority, Error};

use crate::bed::{AnyStore, Deployment, MASTER, issuer, issuer_with, on_every_store, outcome};
use crate::client::{Client, RULES};

#[test]
fn a_store_of_another_deployment_is_refused_and_stays_as_it_was() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, RULES[0]);
        let open = |issuer| Authority::open(issuer, bed.store.clone()).map(|_| ());
        let other = issuer_with(&Secrets::new([8; 32]), Settings::default());
        let refused = open(other).unwrap_err();
        assert_eq!(refused, Error::Exchange(Failure::ForeignStore));
        assert!(refused.to_string().contains("use the secrets it was made with"), "{refused}");
        let other_number = issuer(Settings { partitions: 4, ..Settings::default() });
        let refused = open(other_number).unwrap_err();
        assert_eq!(refused, Error::Exchange(Failure::Partitions));
        assert!(refused.to_string().contains("partitions"), "{refused}");
        assert_eq!(open(issuer(Settings::default())), Ok(()));
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    });
}

/// A new master key opens the store of the old one, and sessions of both go on.
#[test]
fn a_store_made_with_the_old_master_key_is_opened_with_the_new_one_beside_it() {
    on_every_store(|bed| {
        let mut old = Client::sign_in(&bed.deployment(), RULES[0]);
        let mut secrets = Secrets::new(MASTER);
        secrets.add([5; 32]).unwrap();
        let both = Deployment::try_over(bed.store.clone(), issuer_with(&secrets, Settings::default())).unwrap();
        assert_eq!(old.refresh(&both), Outcome::Rotated);
        let new = Client::sign_in(&both, RULES[0]);
        assert_eq!(new.session.subject(), old.session.subject());
        both.authority.revoke_subject("user-1", None).unwrap();
        for client in [&old, &new] {
            assert_eq!(outcome(&client.send(&both)), crate::bed::REVOKED);
        }
    });
}

/// A process that was left without the new master key says so, and loses nothing.
#[test]
fn a_process_without_the_new_master_key_names_it_as_missing() {
    on_every_store(|bed| {
        let mut secrets = Secrets::new(MASTER);
        secrets.add([5; 32]).unwrap();
        let old = bed.deployment();
        let both = Deployment::try_over(bed.store.clone(), issuer_with(&secrets, Settings::default())).unwrap();
        let mut client = Client::sign_in(&both, RULES[0]);
        let refused = old.authority.issue(&SignInRequest::new("user-1")).unwrap_err();
        assert_eq!(refused.reason(), "record_unknown_key");
        assert_eq!(client.refresh(&both), Outcome::Rotated);
    });
}

fn open_file(path: &Path) -> Result<(), Error> {
    let store = SqliteOptions::new().busy_timeout(Duration::from_millis(50)).open(path)?;
    Authority::open(issuer(Settings::default()), store).map(|_| ())
}

/// The error says `text` and names the path.
fn says(result: Result<(), Error>, reason: &str, path: &Path, text: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.reason(), reason, "{error}");
    let told = error.to_string();
    assert!(told.contains(text) && told.contains(path.to_str().unwrap()), "{told}");
}

#[test]
fn a_file_that_cannot_be_a_store_is_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = path("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be looked at".repeat(40)).unwrap();
    says(open_file(&text), "store_unusable", &text, "not a SQLite database");
    assert_eq!(std::fs::read(&text).unwrap().len(), 47 * 40);
    let other = path("other.db");
    Connection::open(&other).unwrap().execute("CREATE TABLE theirs(x)", []).unwrap();
    says(open_file(&other), "store_unusable", &other, "another application");
    says(open_file(directory.path()), "store_unusable", directory.path(), "directory");
    let missing = path("no/such/sessions.db");
    says(open_file(&missing), "store_unusable", missing.parent().unwrap(), "there is no directory");
    let below_a_file = text.join("sessions.db");
    says(open_file(&below_a_file), "store_unusable", &text, "there is no directory");
    let unwritable = Path::new("/proc/sessions.db");
    if cfg!(target_os = "linux") {
        says(open_file(unwritable), "store_unusable", unwritable, "cannot be opened or made");
    }
    for odd in ["", ":memory:"] {
        assert_eq!(open_file(Path::new(odd)).unwrap_err().reason(), "store_unusable");
    }
}

#[test]
fn a_locked_file_is_an_error_for_a_while_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.db");
    let store = SqliteOptions::new().busy_timeout(Duration::from_millis(50)).open(&path).unwrap();
    let deployment = Deployment::over(AnyStore(std::sync::Arc::new(store)), Settings::default());
    let mut client = Client::sign_in(&deployment, RULES[0]);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = client.send(&deployment).map(|_| ());
    says(told, "store_unavailable", &path, "locked by another connection");
    // Reading goes on, so a store that is this deployment's opens.
    assert_eq!(open_file(&path), Ok(()));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    assert_eq!(deployment.decided(Outcome::Rotated), 1);

    let fresh = directory.path().join("fresh.db");
    let other = Connection::open(&fresh).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    says(open_file(&fresh), "store_unavailable", &fresh, "locked by another connection");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(open_file(&fresh), Ok(()));
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.db");
    open_file(&path).unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    says(open_file(&path), "store_unusable", &path, "upgrade");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    assert!(SqliteStore::open(&path).is_ok());
}

/// A damaged file is an error, not a panic and not an empty store.
#[test]
fn a_file_cut_in_half_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.db");
    open_file(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for len in [whole.len() / 2, 4096, 100, 17] {
        std::fs::write(&path, &whole[..len]).unwrap();
        let told = open_file(&path).unwrap_err();
        assert!(matches!(&told, Error::Store(StoreError::Unusable(_) | StoreError::Unavailable(_))), "{told:?}");
    }
}
