//! Signing keys that live: [`Keys`] is shared, changes while it is used, and follows a file.
//!
//! The file holds a private JWK set, each key with its times (`safeconduct_core::jws::rotation`). It is changed under
//! a lock, so any number of processes may rotate at once, and replaced whole. A file that is broken or gone leaves the
//! keys as they were. A key that is known to be withdrawn stays withdrawn, whatever the file says.

mod error;
mod watch;

use core::fmt;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use safeconduct_core::jws::rotation::{self, Command, RotationError, RotationPolicy};
use safeconduct_core::jws::{Algorithm, KeySet, KeyTag, SigningKey, WithdrawalReason};
use safeconduct_core::time::Timestamp;
use zeroize::Zeroizing;

pub use self::error::KeysError;
pub use self::watch::Watcher;
use crate::authority::system_time;
use crate::private_file;

/// A set of keys as it is now. A clone is the same set: what one changes, all see.
///
/// Each state is an immutable [`KeySet`]; [`Keys::current`] gives the same `Arc` until something has changed.
#[derive(Clone)]
pub struct Keys {
    shared: Arc<Shared>,
}

struct Shared {
    file: Option<PathBuf>,
    policy: RotationPolicy,
    current: RwLock<Arc<KeySet>>,
    /// Held by whoever changes `current`.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Every key that is known here to be withdrawn.
    withdrawn: BTreeSet<KeyTag>,
    trouble: Option<KeysError>,
}

impl Keys {
    /// Keys that lie in no file: what is changed ends with the process.
    pub fn new(keys: impl Into<Arc<KeySet>>, policy: RotationPolicy) -> Self {
        Self::of(keys.into(), policy, None)
    }

    /// The keys in a file, as they are there from now on: changes are written to it.
    ///
    /// # Errors
    /// A [`KeysError`]: fix the deployment.
    pub fn open(path: &Path, policy: RotationPolicy) -> Result<Self, KeysError> {
        let keys = read(path)?;
        Ok(Self::of(Arc::new(keys), policy, Some(path.into())))
    }

    /// As [`Keys::open`]; a file that is not there is made with one new key, which signs at once.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub fn open_or_create(
        path: &Path,
        policy: RotationPolicy,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        match Self::open(path, policy) {
            Err(KeysError::Missing(_)) => {}
            found => return found,
        }
        create(path, algorithm, now)?;
        Self::open(path, policy)
    }

    fn of(keys: Arc<KeySet>, policy: RotationPolicy, file: Option<PathBuf>) -> Self {
        let withdrawn = keys.withdrawn().iter().map(|tombstone| KeyTag::of(&tombstone.kid)).collect();
        let state = Mutex::new(State { withdrawn, trouble: None });
        Self { shared: Arc::new(Shared { file, policy, current: RwLock::new(keys), state }) }
    }

    /// The set as it is now.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.shared.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The times that keys are rotated by.
    pub fn policy(&self) -> &RotationPolicy {
        &self.shared.policy
    }

    /// The file, where there is one.
    pub fn file(&self) -> Option<&Path> {
        self.shared.file.as_deref()
    }

    /// Reads the file again. Whether anything has changed.
    ///
    /// # Errors
    /// A [`KeysError`]; the keys are then as they were. [`Keys::trouble`] says so until a reload succeeds.
    pub fn reload(&self) -> Result<bool, KeysError> {
        let mut state = self.state();
        let Some(path) = &self.shared.file else { return Ok(false) };
        let read = read(path);
        state.trouble = read.as_ref().err().cloned();
        Ok(self.take(&mut state, read?))
    }

    /// Why the last reload failed; `None` where it did not.
    pub fn trouble(&self) -> Option<KeysError> {
        self.state().trouble.clone()
    }

    /// Publishes a new key of the algorithm that signs now. It signs once everybody can know it; the key before it
    /// is kept until what it signed has expired. Gives its `kid`.
    ///
    /// # Errors
    /// [`RotationError::AlreadyPending`]; others say what is the matter with the file.
    pub fn rotate(&self, now: Timestamp) -> Result<String, KeysError> {
        self.rotate_to(self.algorithm(now), now)
    }

    /// As [`Keys::rotate`], to a key of another algorithm.
    ///
    /// # Errors
    /// As [`Keys::rotate`]; [`KeyError::MixedSet`](safeconduct_core::jws::KeyError::MixedSet) where one of the two is
    /// symmetric.
    pub fn rotate_to(&self, algorithm: Algorithm, now: Timestamp) -> Result<String, KeysError> {
        let key = generate(algorithm)?;
        let kid = key.kid().to_owned();
        self.change(|keys| rotation::apply(keys, Command::Publish(key), now, self.policy()))?;
        Ok(kid)
    }

    /// [Rotates](Keys::rotate) where the policy's period has passed. Of many processes one does.
    ///
    /// # Errors
    /// As [`Keys::rotate`].
    pub fn rotate_if_due(&self, now: Timestamp) -> Result<bool, KeysError> {
        if !rotation::is_due(&self.current(), now, self.policy()) {
            return Ok(false);
        }
        let key = generate(self.algorithm(now))?;
        let mut is_due = false;
        self.change(|keys| {
            is_due = rotation::is_due(keys, now, self.policy());
            let command = if is_due { Command::Publish(key) } else { Command::Prune };
            rotation::apply(keys, command, now, self.policy())
        })?;
        Ok(is_due)
    }

    /// Lets a pending key sign now, where everybody can know it.
    ///
    /// # Errors
    /// [`RotationError::TooEarly`], [`RotationError::NotPending`], [`RotationError::UnknownKey`]; others say what is the
    /// matter with the file.
    pub fn promote(&self, kid: &str, now: Timestamp) -> Result<(), KeysError> {
        self.change(|keys| rotation::apply(keys, Command::Promote { kid }, now, self.policy()))
    }

    /// Withdraws a key: here it neither signs nor verifies from now on, and in every process as soon as that reads the
    /// file. Where it was the one that signs, the pending key takes its place, or else a new one: verifiers that keep
    /// the published set refuse what that signs until they fetch the set again. To withdraw a key once more changes
    /// nothing.
    ///
    /// # Errors
    /// [`RotationError::UnknownKey`]; others say what is the matter with the file.
    pub fn withdraw(&self, kid: &str, reason: WithdrawalReason, now: Timestamp) -> Result<(), KeysError> {
        let successor = generate(self.algorithm(now))?;
        self.change(|keys| {
            let command = Command::Withdraw { kid, reason, successor: Some(successor) };
            rotation::apply(keys, command, now, self.policy())
        })
    }

    /// Takes retired keys out.
    ///
    /// # Errors
    /// What is the matter with the file.
    pub fn prune(&self, now: Timestamp) -> Result<(), KeysError> {
        self.change(|keys| rotation::apply(keys, Command::Prune, now, self.policy()))
    }

    /// Takes in what another process has withdrawn, before the file says so.
    pub fn withhold(&self, tags: &BTreeSet<KeyTag>) {
        let mut state = self.state();
        if tags.is_subset(&state.withdrawn) {
            return;
        }
        state.withdrawn.extend(tags);
        if let Some(without) = self.current().withhold(&state.withdrawn, system_time()) {
            self.set(without);
        }
    }

    /// Changes the set: the file, where there is one, and then what this process has.
    fn change(&self, change: impl FnOnce(&KeySet) -> Result<KeySet, RotationError>) -> Result<(), KeysError> {
        let mut state = self.state();
        let Some(path) = &self.shared.file else {
            let next = change(&self.current())?;
            self.take(&mut state, next);
            return Ok(());
        };
        let _lock = private_file::lock(path).map_err(KeysError::at(path))?;
        let before = read(path)?;
        let before = before.withhold(&state.withdrawn, system_time()).unwrap_or(before);
        let next = change(&before)?;
        let text = Zeroizing::new([next.private_jwks().as_str(), "\n"].concat());
        private_file::replace(path, &text, &mut |_| Ok(())).map_err(KeysError::at(path))?;
        self.take(&mut state, next);
        Ok(())
    }

    /// Makes a set the current one, without the keys that are known to be withdrawn. Whether it differs.
    fn take(&self, state: &mut State, keys: KeySet) -> bool {
        let keys = keys.withhold(&state.withdrawn, system_time()).unwrap_or(keys);
        state.withdrawn.extend(keys.withdrawn().iter().map(|tombstone| KeyTag::of(&tombstone.kid)));
        let is_other = keys.private_jwks().as_str() != self.current().private_jwks().as_str();
        if is_other {
            self.set(keys);
        }
        is_other
    }

    fn set(&self, keys: KeySet) {
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The algorithm of the key that signs, or else of the newest.
    fn algorithm(&self, now: Timestamp) -> Algorithm {
        let keys = self.current();
        let newest = || keys.verifying().last().map(|key| key.algorithm());
        keys.signing(now).map(SigningKey::algorithm).or_else(newest).unwrap_or(Algorithm::EdDsa)
    }

    /// A thread that panicked leaves nothing half done here: the set is replaced last.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Arc<KeySet>> for Keys {
    fn from(keys: Arc<KeySet>) -> Self {
        Self::new(keys, RotationPolicy::default())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("file", &self.shared.file).field("current", &self.current()).finish()
    }
}

/// Makes a file of one new key, which signs at once; `false` where there is a file already, which stays as it is.
///
/// # Errors
/// [`KeysError::Unreadable`], [`KeysError::Entropy`].
pub fn create(path: &Path, algorithm: Algorithm, now: Timestamp) -> Result<bool, KeysError> {
    let keys = rotation::first(generate(algorithm)?, now);
    let text = Zeroizing::new([keys.private_jwks().as_str(), "\n"].concat());
    private_file::create(path, &text).map_err(KeysError::at(path))
}

/// A new key from the operating system's generator.
///
/// # Errors
/// [`KeysError::Entropy`].
pub fn generate(algorithm: Algorithm) -> Result<SigningKey, KeysError> {
    let mut random = Zeroizing::new([0; 64]);
    getrandom::fill(random.as_mut_slice()).map_err(|_| KeysError::Entropy)?;
    Ok(SigningKey::generate(&random, algorithm)?)
}

fn read(path: &Path) -> Result<KeySet, KeysError> {
    let text = private_file::read(path).map_err(KeysError::at(path))?;
    Ok(KeySet::from_jwks(&text)?)
}
