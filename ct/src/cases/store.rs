//! A store that is a list, and an exchange over it.

use safeconduct_core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct_core::revocation::entry::Entry;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secrets;
use safeconduct_core::session::exchange::{Answer, Decided, Entropy, Exchange, Failure, Need, Reply, Request};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::policy::Policy;
use safeconduct_core::store::{Commit, Committed, Key, Versioned};
use safeconduct_core::time::Timestamp;

use crate::{declassify, memcheck};

/// Records, log, and what was exchanged so far.
pub(super) struct Store {
    records: Vec<(Key, Versioned)>,
    pub(super) log: Vec<Vec<u8>>,
    exchanges: u8,
}

/// When everything begins.
pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// An issuer whose master key memcheck does not know of: it prepares what is to be watched.
pub(super) fn unwatched() -> Issuer {
    issuer([9; 32])
}

/// The same issuer, with its master key marked.
pub(super) fn watched() -> Issuer {
    let mut master = [9; 32];
    memcheck::secret(&mut master);
    issuer(master)
}

fn issuer(master: [u8; 32]) -> Issuer {
    let keys = KeySet::new(SigningKey::hmac(&[0xa5; 32], Algorithm::Hs256).unwrap());
    Issuer::new("https://auth.example", "https://api.example", keys, &Secrets::new(master), Policy::default()).unwrap()
}

impl Store {
    pub(super) fn new() -> Self {
        Self { records: Vec::new(), log: Vec::new(), exchanges: 0 }
    }

    /// Carries a request out, and says how it was decided.
    pub(super) fn carry_out(&mut self, request: Request, now: Timestamp, issuer: &Issuer) -> Decided {
        self.exchange(request, now, issuer).unwrap()
    }

    /// Whether a request cannot be carried out.
    pub(super) fn fails(&mut self, request: Request, now: Timestamp, issuer: &Issuer) -> bool {
        self.exchange(request, now, issuer).is_err()
    }

    fn exchange(&mut self, request: Request, now: Timestamp, issuer: &Issuer) -> Result<Decided, Failure> {
        self.exchanges += 1;
        let mut exchange = Exchange::begin(request, now, Entropy::from_seed([self.exchanges; 32]));
        let mut answer = Answer::Begin;
        loop {
            answer = match exchange.resume(answer, issuer, &View::new())? {
                Need::Get(mut get) => {
                    get.keys.iter_mut().for_each(declassify::address);
                    Answer::Got(get.keys.iter().map(|key| self.find(key).cloned()).collect())
                }
                Need::List(_) => Answer::Listed(Vec::new()),
                Need::Commit(mut commit) => {
                    declassify::stored(&mut commit);
                    self.commit(commit);
                    Answer::Committed(Committed::Done)
                }
                Need::Done(Reply::Decided(decided)) => return Ok(*decided),
                Need::Done(_) => panic!("not a decision"),
            };
        }
    }

    fn find(&self, key: &Key) -> Option<&Versioned> {
        self.records.iter().find(|(other, _)| other == key).map(|(_, record)| record)
    }

    fn commit(&mut self, commit: Commit) {
        for (key, expected) in &commit.expect {
            assert_eq!(self.find(key).map(|record| record.version), *expected);
        }
        for put in commit.put {
            self.records.retain(|(key, _)| *key != put.key);
            self.records.extend(put.record.map(|record| (put.key, record)));
        }
        self.log.extend(commit.log.into_iter().map(|entry| entry.bytes));
    }

    /// Reads the log as a process does that starts.
    pub(super) fn read_log(&self, issuer: &Issuer) -> usize {
        self.log.iter().filter(|bytes| Entry::open(bytes, issuer.keyring()).is_ok()).count()
    }

    /// Changes the last byte of the session's record, which is of its MAC.
    pub(super) fn tamper(&mut self) {
        let sessions = self.records.iter_mut().filter(|(key, _)| matches!(key, Key::Session(_)));
        sessions.for_each(|(_, record)| *record.bytes.last_mut().unwrap() ^= 1);
    }
}
