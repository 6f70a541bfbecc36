//! A deployment to test: a store, an issuer over it, a clock that the test moves and the audit trail.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use safeconduct::core::audit;
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::secret::Secrets;
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::{Policy, Settings};
use safeconduct::core::store::{Commit, Committed, Get, List, Listed, LogRead, ReadLog, Versioned};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{MemoryStore, Store, StoreError};
use safeconduct::{Authority, Error, Granted};
use tempfile::TempDir;

/// When every test begins, in Unix milliseconds.
pub const START: u64 = 1_700_000_000_000;
pub const ISSUER: &str = "https://issuer.example";
pub const MASTER: [u8; 32] = [9; 32];
pub const SIGNING_KEY: [u8; 32] = [7; 32];

/// Any store, shared.
#[derive(Clone)]
pub struct AnyStore(pub Arc<dyn Store>);

impl Store for AnyStore {
    fn get(&self, get: &Get) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.0.get(get)
    }

    fn list(&self, list: &List) -> Result<Vec<Listed>, StoreError> {
        self.0.list(list)
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.0.commit(commit)
    }

    fn read_log(&self, read: &ReadLog) -> Result<LogRead, StoreError> {
        self.0.read_log(read)
    }
}

/// A fresh store and, for SQLite, where its file is.
pub struct Bed {
    pub store: AnyStore,
    pub file: Option<(TempDir, PathBuf)>,
}

impl Bed {
    pub fn memory() -> Self {
        Self { store: AnyStore(Arc::new(MemoryStore::new())), file: None }
    }

    /// Durability is shown elsewhere, so these tests do not wait for the disk.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.db");
        let store = SqliteOptions::new().synchronous(Synchronous::Off).open(&path).unwrap();
        Self { store: AnyStore(Arc::new(store)), file: Some((directory, path)) }
    }

    /// An empty store of the same engine.
    pub fn fresh(&self) -> Self {
        if self.file.is_some() { Self::sqlite() } else { Self::memory() }
    }

    pub fn deployment(&self) -> Deployment {
        Deployment::over(self.store.clone(), Settings::default())
    }

    pub fn deployment_with(&self, settings: Settings) -> Deployment {
        Deployment::over(self.store.clone(), settings)
    }
}

/// Runs a scenario on each engine.
pub fn on_every_store(scenario: impl Fn(&Bed)) {
    scenario(&Bed::memory());
    scenario(&Bed::sqlite());
}

/// An authority, its clock and what it noted.
pub struct Deployment {
    pub authority: Authority<AnyStore>,
    pub clock: Arc<AtomicU64>,
    pub trail: Arc<Mutex<Vec<audit::Event>>>,
}

impl Deployment {
    pub fn over(store: AnyStore, settings: Settings) -> Self {
        Self::try_over(store, issuer(settings)).unwrap()
    }

    pub fn try_over(store: AnyStore, issuer: Issuer) -> Result<Self, Error> {
        let clock = Arc::new(AtomicU64::new(START));
        let trail = Arc::new(Mutex::new(Vec::new()));
        let (now, noted) = (Arc::clone(&clock), Arc::clone(&trail));
        let read = move || Timestamp::from_millis(now.load(Ordering::SeqCst));
        let authority = Authority::open_with_clock(issuer, store, read)?;
        let authority = authority.with_audit(move |event| noted.lock().unwrap().push(*event));
        Ok(Self { authority, clock, trail })
    }

    pub fn wait(&self, length: Seconds) {
        self.clock.fetch_add(length.as_millis(), Ordering::SeqCst);
    }

    pub fn set_millis(&self, since_start: u64) {
        self.clock.store(START + since_start, Ordering::SeqCst);
    }

    /// How often something was noted.
    pub fn noted(&self, kind: audit::Kind) -> usize {
        self.trail.lock().unwrap().iter().filter(|event| event.kind == kind).count()
    }

    pub fn decided(&self, outcome: Outcome) -> usize {
        self.noted(audit::Kind::Decided(outcome))
    }
}

pub fn issuer(settings: Settings) -> Issuer {
    issuer_with(&Secrets::new(MASTER), settings)
}

pub fn issuer_with(secrets: &Secrets, settings: Settings) -> Issuer {
    // HS256 because thousands of tokens are signed by code that is not optimised.
    let keys = KeySet::new(SigningKey::hmac(&SIGNING_KEY, Algorithm::Hs256).unwrap());
    Issuer::new(ISSUER, "api", keys, secrets, Policy::new(settings).unwrap()).unwrap()
}

/// What was decided, whether something was handed out on it or not.
pub fn outcome(result: &Result<Granted, Error>) -> Outcome {
    match result {
        Ok(granted) => granted.outcome,
        Err(Error::Refused(refused)) => refused.outcome,
        Err(error) => panic!("no decision: {error}"),
    }
}

pub const REVOKED: Outcome = Outcome::Refused(Refusal::Revoked);
pub const NOT_OURS: Outcome = Outcome::Refused(Refusal::NotOurs);
pub const SUPERSEDED: Outcome = Outcome::Superseded { challenge: false };
pub const CHALLENGED: Outcome = Outcome::Superseded { challenge: true };
