//! A deployment to be judged: processes of an issuer that read one file, verifiers that fetch what is published, each
//! by a clock of its own, and a ledger by a clock that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use safeconduct_core::jws::rotation::invariants::{self, AsOf, Broken, Ledger, Phases};
use safeconduct_core::jws::rotation::{self, Command, RotationPolicy, RotationSettings};
use safeconduct_core::jws::{Algorithm, KeyError, KeySet, KeyStatus, KeyTag, Phase, SigningKey, WithdrawalReason};
use safeconduct_core::time::{Seconds, Timestamp};

pub const START: u64 = 1_700_000_000_000;

pub fn policy() -> RotationPolicy {
    settings(40, 100)
}

/// A policy of so many seconds of caching and of a token's life.
pub fn settings(cache_lifetime: u64, max_ttl: u64) -> RotationPolicy {
    RotationPolicy::new(RotationSettings {
        cache_lifetime: Seconds::new(cache_lifetime),
        max_ttl: Seconds::new(max_ttl),
        reload_interval: Seconds::new(15),
        period: None,
    })
    .unwrap()
}

/// What is under test: the product, or a machine that differs from it in one part.
#[derive(Clone, Copy)]
pub struct Machine {
    /// The policy that changes are made by; everything else keeps to [`policy`].
    pub policy: fn() -> RotationPolicy,
    pub statuses: fn(&KeySet, Timestamp) -> Vec<KeyStatus<'_>>,
    pub accepts: fn(&KeySet, &str, Timestamp) -> bool,
    /// Reads the file, by what is known to be withdrawn.
    pub read: fn(&str, &BTreeSet<KeyTag>, Timestamp) -> KeySet,
    pub published: fn(&KeySet, Timestamp) -> Result<String, KeyError>,
}

impl Machine {
    pub const PRODUCT: Self = Self {
        policy,
        statuses: |keys, now| keys.statuses(now).collect(),
        accepts: |keys, kid, now| keys.find(Some(kid), now).is_some(),
        read: |text, withdrawn, now| {
            let keys = KeySet::from_jwks(text).unwrap();
            keys.withhold(withdrawn, now).unwrap_or(keys)
        },
        published: KeySet::public_jwks,
    };
}

/// One thing that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Act {
    Publish { by: usize },
    Promote { by: usize },
    Withdraw { by: usize, which: usize, with_successor: bool },
    Prune { by: usize },
    Restore,
    Reload { by: usize },
    Fetch { by: usize, from: usize },
    Pass { seconds: u64 },
}

struct Process {
    /// How far its clock is ahead.
    ahead: Seconds,
    keys: KeySet,
    as_of: Timestamp,
    phases: Phases,
}

struct Verifier {
    ahead: Seconds,
    /// `None` where the keys are symmetric, so that nothing is published.
    keys: Option<KeySet>,
    fetched: Timestamp,
    as_of: Timestamp,
}

pub struct Deployment {
    machine: Machine,
    algorithm: Algorithm,
    now: Timestamp,
    file: String,
    /// What every process knows to be withdrawn: the revocation log.
    log: BTreeSet<KeyTag>,
    processes: Vec<Process>,
    verifiers: Vec<Verifier>,
    /// When the last token of each key expires; what is accepted of it is accepted of those before it.
    tokens: BTreeMap<String, Timestamp>,
    /// The withdrawn keys as they were.
    withdrawn: Vec<serde_json::Value>,
    ledger: Ledger,
    made: u8,
}

impl Deployment {
    pub fn new(machine: Machine, algorithm: Algorithm, ahead: [u64; 4]) -> Self {
        let now = Timestamp::from_millis(START);
        let ahead = ahead.map(Seconds::new);
        let keys = rotation::first(key(algorithm, 1), now.plus(ahead[0]));
        let mut ledger = Ledger::new(policy().cache_lifetime);
        ledger.published(keys.statuses(now).next().unwrap().kid, now, true);
        let file = keys.private_jwks().to_string();
        let process =
            |ahead| Process { ahead, keys: KeySet::from_jwks(&file).unwrap(), as_of: now, phases: Phases::default() };
        let processes: Vec<Process> = [ahead[0], ahead[1]].map(process).into();
        let verifier = |ahead| Verifier {
            ahead,
            keys: keys.public_jwks(now).ok().map(|jwks| KeySet::from_jwks(&jwks).unwrap()),
            fetched: now,
            as_of: now,
        };
        let verifiers = [ahead[2], ahead[3]].map(verifier).into();
        let (log, tokens, withdrawn) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        Self { machine, algorithm, now, file, log, processes, verifiers, tokens, withdrawn, ledger, made: 1 }
    }

    pub fn act(&mut self, act: &Act) -> Result<(), Broken> {
        // No two things happen at once.
        self.now = Timestamp::from_millis(self.now.as_millis() + 1);
        match *act {
            Act::Publish { by } => self.change(by, |key, _| Some(Command::Publish(key))),
            Act::Promote { by } => self.change(by, |_, kids| kids.last().map(|kid| Command::Promote { kid })),
            Act::Withdraw { by, which, with_successor } => self.change(by, |key, kids| {
                let kid = kids.get(which % kids.len().max(1))?;
                let successor = with_successor.then_some(key);
                Some(Command::Withdraw { kid, reason: WithdrawalReason::Compromised, successor })
            }),
            Act::Prune { by } => self.change(by, |_, _| Some(Command::Prune)),
            Act::Restore => self.restore(),
            Act::Reload { by } => self.reload(by % 2),
            Act::Fetch { by, from } => self.fetch(by % 2, from % 2),
            Act::Pass { seconds } => self.pass(seconds)?,
        }
        self.look_at_what_is_published()?;
        self.look()
    }

    /// Reads the file, changes it and writes it, as under its lock; then the process has what it wrote.
    fn change<'c>(&mut self, by: usize, command: impl FnOnce(SigningKey, &'c [String]) -> Option<Command<'c>>) {
        let (by, machine) = (by % 2, self.machine);
        let local = self.now.plus(self.processes[by].ahead);
        let before = (machine.read)(&self.file, &self.log, local);
        let kids: Vec<String> = before.statuses(local).filter(is_live).map(|status| status.kid.into()).collect();
        self.made += 1;
        // Lives as long as the test: a command borrows the names.
        let kids: &'c [String] = Vec::leak(kids);
        let Some(command) = command(key(self.algorithm, self.made), kids) else { return };
        let Ok(after) = rotation::apply(&before, command, local, &(machine.policy)()) else { return };
        let begun = |keys: &KeySet, kid: &str| {
            keys.statuses(local).any(|status| status.kid == kid && status.phase >= Phase::Signing)
        };
        let is_emergency = after.withdrawn().len() > before.withdrawn().len() || before.signing(local).is_none();
        for status in after.statuses(local) {
            if status.phase == Phase::Withdrawn {
                if before.verifying().any(|key| key.kid() == status.kid) {
                    let file: serde_json::Value = serde_json::from_str(&before.private_jwks()).unwrap();
                    let keys = file["keys"].as_array().unwrap();
                    self.withdrawn.extend(keys.iter().find(|key| key["kid"] == status.kid).cloned());
                }
                self.ledger.withdrawn(status.kid, self.now);
                self.log.insert(KeyTag::of(status.kid));
                continue;
            }
            let is_new = before.statuses(local).all(|other| other.kid != status.kid);
            let is_hurried = is_emergency && begun(&after, status.kid) && !begun(&before, status.kid);
            if is_new {
                self.ledger.published(status.kid, self.now, is_hurried);
            } else if is_hurried {
                self.ledger.hurried(status.kid);
            }
        }
        self.file = after.private_jwks().to_string();
        self.reload(by);
    }

    /// Somebody puts the withdrawn keys back into the file, and takes out that they were.
    fn restore(&mut self) {
        let mut file: serde_json::Value = serde_json::from_str(&self.file).unwrap();
        let keys = file["keys"].as_array_mut().unwrap();
        keys.retain(|key| key["revoked"].is_null());
        let back = self.withdrawn.iter().filter(|old| keys.iter().all(|key| key["kid"] != old["kid"]));
        let back: Vec<serde_json::Value> = back.cloned().collect();
        keys.extend(back);
        self.file = file.to_string();
    }

    fn reload(&mut self, by: usize) {
        let process = &mut self.processes[by];
        process.keys = (self.machine.read)(&self.file, &self.log, self.now.plus(process.ahead));
        process.as_of = self.now;
        process.phases = Phases::default();
    }

    fn fetch(&mut self, by: usize, from: usize) {
        let (process, verifier) = (&self.processes[from], &mut self.verifiers[by]);
        let published = (self.machine.published)(&process.keys, self.now.plus(process.ahead));
        verifier.keys = published.ok().map(|jwks| KeySet::from_jwks(&jwks).unwrap_or_else(|_| nothing()));
        (verifier.fetched, verifier.as_of) = (self.now, process.as_of);
    }

    /// Time passes in steps in which everybody does what is asked of honest processes.
    fn pass(&mut self, seconds: u64) -> Result<(), Broken> {
        for step in (0..seconds).step_by(5) {
            self.now = self.now.plus(Seconds::new(5));
            let turn = usize::try_from(step / 5).unwrap();
            for by in 0..2 {
                if !self.now.is_within(Seconds::new(15), self.processes[by].as_of) {
                    self.reload(by);
                }
                if !self.now.is_within(policy().cache_lifetime, self.verifiers[by].fetched) {
                    self.fetch(by, (turn + by) % 2);
                }
            }
            self.look()?;
        }
        Ok(())
    }

    fn look_at_what_is_published(&self) -> Result<(), Broken> {
        self.processes.iter().try_for_each(|process| {
            let local = self.now.plus(process.ahead);
            let names = (self.machine.published)(&process.keys, local).map(|jwks| names(&jwks));
            let statuses = (self.machine.statuses)(&process.keys, local);
            invariants::published(&statuses, names.as_deref().map_err(|error| *error))
        })
    }

    /// Every process signs, and every verifier judges everything that was signed and has not expired.
    fn look(&mut self) -> Result<(), Broken> {
        let Self { machine, now, processes, verifiers, tokens, ledger, .. } = self;
        for process in processes.iter_mut() {
            let local = now.plus(process.ahead);
            let statuses = (machine.statuses)(&process.keys, local);
            invariants::moment(&statuses)?;
            process.phases.seen(&statuses)?;
            if let Some(signing) = statuses.iter().find(|status| status.phase == Phase::Signing) {
                ledger.signed(signing.kid, *now, AsOf(process.as_of))?;
                let expires_at = local.plus(policy().max_ttl);
                let last = tokens.entry(signing.kid.into()).or_default();
                *last = expires_at.max(*last);
            }
        }
        for (kid, expires_at) in tokens.iter() {
            for process in processes.iter() {
                let local = now.plus(process.ahead);
                if local < *expires_at {
                    let accepted = (machine.accepts)(&process.keys, kid, local);
                    ledger.judged(kid, accepted, AsOf(process.as_of))?;
                }
            }
            for verifier in verifiers.iter() {
                let local = now.plus(verifier.ahead);
                if let Some(keys) = verifier.keys.as_ref().filter(|_| local < *expires_at) {
                    let accepted = (machine.accepts)(keys, kid, local);
                    ledger.judged(kid, accepted, AsOf(verifier.as_of))?;
                }
            }
        }
        Ok(())
    }
}

fn is_live(status: &KeyStatus<'_>) -> bool {
    status.phase != Phase::Withdrawn
}

/// A set in which nothing can be found.
fn nothing() -> KeySet {
    let tombstone = r#"{"keys":[{"kid":"none","revoked":{"revoked_at":0}}]}"#;
    KeySet::from_jwks(tombstone).unwrap()
}

pub fn names(jwks: &str) -> Vec<String> {
    let parsed: serde_json::Value = serde_json::from_str(jwks).unwrap();
    parsed["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().into()).collect()
}

pub fn key(algorithm: Algorithm, number: u8) -> SigningKey {
    let mut random = [number; 64];
    // So that none is blank, as a secret of spaces would be.
    random[0] = 0xa5;
    SigningKey::generate(&random, algorithm).unwrap()
}
