//! A deployment in memory: issuers, a map for a store, and exchanges that are driven step by step.

use std::collections::BTreeMap;

use safeconduct_core::id::SessionId;
use safeconduct_core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct_core::revocation::entry::Entry;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secrets;
use safeconduct_core::session::exchange::{Answer, Entropy, Exchange, Failure, Need, Reply, Request};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::policy::{Policy, Settings};
use safeconduct_core::store::{Commit, Committed, Get, Key, List, Listed, Versioned};
use safeconduct_core::time::Timestamp;

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "https://api.example";
pub const MASTER: [u8; 32] = [9; 32];
/// When every script begins.
pub const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// An issuer that signs with HMAC, which is the fastest.
pub fn issuer(settings: Settings) -> Issuer {
    let key = SigningKey::hmac(&[5; 32], Algorithm::Hs256).expect("a good key");
    let policy = Policy::new(settings).expect("a good policy");
    Issuer::new(ISSUER, AUDIENCE, KeySet::new(key), &Secrets::new(MASTER), policy).expect("a good issuer")
}

/// How a store may be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreFault {
    #[default]
    None,
    /// Writes whatever it is told, whatever it was told to expect.
    IgnoresVersions,
    /// Acknowledges commits that revoke something, and does nothing.
    LosesRevocations,
}

/// Records in a map. A clone is a backup.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pub records: BTreeMap<Key, Versioned>,
    pub log: Vec<Vec<u8>>,
    pub fault: StoreFault,
}

impl Store {
    pub fn get(&self, get: &Get) -> Vec<Option<Versioned>> {
        get.keys.iter().map(|key| self.records.get(key).cloned()).collect()
    }

    pub fn list(&self, list: &List) -> Vec<Listed> {
        let first = Key::Session(SessionId::new(list.subject, [0; 8]));
        let last = Key::Session(SessionId::new(list.subject, [0xff; 8]));
        let sessions = self.records.range(first..=last).filter_map(|(key, record)| match key {
            Key::Session(sid) => Some((*sid, record.clone())),
            Key::Deployment | Key::Directory(_) | Key::Subject(_) => None,
        });
        sessions.filter(|(sid, _)| list.after.is_none_or(|after| *sid > after)).take(list.limit as usize).collect()
    }

    pub fn commit(&mut self, commit: &Commit) -> Committed {
        let is_current = |(key, version): &(Key, _)| self.records.get(key).map(|record| record.version) == *version;
        if self.fault != StoreFault::IgnoresVersions && !commit.expect.iter().all(is_current) {
            return Committed::Conflict;
        }
        if self.fault == StoreFault::LosesRevocations && !commit.log.is_empty() {
            return Committed::Done;
        }
        for put in &commit.put {
            match &put.record {
                Some(record) => drop(self.records.insert(put.key, record.clone())),
                None => drop(self.records.remove(&put.key)),
            }
        }
        self.log.extend(commit.log.iter().map(|entry| entry.bytes.clone()));
        Committed::Done
    }
}

/// One exchange under way, with what it has asked of the store so far.
pub struct Conversation {
    exchange: Exchange,
    need: Option<Need>,
    /// How often the store was asked.
    pub asked: usize,
    /// Every commit that was carried out.
    pub commits: Vec<Commit>,
    /// Whether what it commits is not entered in the view: a fault.
    pub forgets: bool,
}

impl Conversation {
    pub fn begin(request: Request, now: Timestamp, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let exchange = Exchange::begin(request, now, Entropy::from_seed(bytes));
        Self { exchange, need: None, asked: 0, commits: Vec::new(), forgets: false }
    }

    /// One step: what is needed is asked of the store, and the exchange hears the answer at once. So
    /// what is acknowledged is acknowledged in the order of the commits.
    pub fn step(&mut self, store: &mut Store, issuer: &Issuer, view: &mut View) -> Result<Option<Reply>, Failure> {
        let answer = match self.need.take() {
            None => Answer::Begin,
            Some(need) => {
                self.asked += 1;
                match need {
                    Need::Get(get) => Answer::Got(store.get(&get)),
                    Need::List(list) => Answer::Listed(store.list(&list)),
                    Need::Commit(commit) => {
                        let committed = store.commit(&commit);
                        if committed == Committed::Done {
                            // As the loop of an authority does: a later step may fail, and this one stands.
                            for logged in commit.log.iter().filter(|_| !self.forgets) {
                                view.enter(&Entry::open(&logged.bytes, issuer.keyring())?);
                            }
                            self.commits.push(commit);
                        }
                        Answer::Committed(committed)
                    }
                    Need::Done(_) => return Err(Failure::Protocol),
                }
            }
        };
        match self.exchange.resume(answer, issuer, view)? {
            Need::Done(reply) => Ok(Some(reply)),
            need => {
                self.need = Some(need);
                Ok(None)
            }
        }
    }

    /// All steps to the end.
    pub fn finish(&mut self, store: &mut Store, issuer: &Issuer, view: &mut View) -> Result<Reply, Failure> {
        loop {
            if let Some(reply) = self.step(store, issuer, view)? {
                return Ok(reply);
            }
        }
    }
}
