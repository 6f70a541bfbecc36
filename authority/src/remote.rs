//! Keys that somebody else publishes: [`RemoteKeys`] fetches them when they are wanted, and no more often.
//!
//! How they are fetched is the application's: a function that gives the text of a JWK set, over HTTPS from a place that
//! it trusts. When is decided by `safeconduct_core::jws::remote`, on this process's own clock that does not go back. Of
//! many threads one fetches and the others go on with what there is, or wait for it where they need it. To verify a
//! token costs one fetch or one wait at most, however long those last. Refused: a set with a private or symmetric key.

use core::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use safeconduct_core::jws::KeySet;
use safeconduct_core::jws::remote::{Advice, Event, RemotePolicy, State, step};
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::InvalidToken;

type Fetch = Box<dyn Fn() -> Result<String, String> + Send + Sync>;
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// The keys of another issuer, as it publishes them.
pub struct RemoteKeys {
    fetch: Fetch,
    policy: RemotePolicy,
    clock: Clock,
    shared: Mutex<Shared>,
    ended: Condvar,
}

#[derive(Default)]
struct Shared {
    state: State,
    keys: Option<Arc<KeySet>>,
    trouble: Option<String>,
}

impl Shared {
    fn chosen(&self, advice: Advice) -> Result<Arc<KeySet>, RemoteError> {
        match &self.keys {
            Some(keys) if advice == Advice::Use => Ok(Arc::clone(keys)),
            _ => Err(RemoteError::Unavailable(self.trouble.clone().unwrap_or_else(|| "none came in time".into()))),
        }
    }
}

/// A token was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteError {
    /// It is refused: answer 401.
    Token(InvalidToken),
    /// There are no keys that may be used, because. Nothing is known of the token: answer 503.
    Unavailable(String),
}

impl RemoteError {
    /// The stable reason string.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) => error.reason(),
            Self::Unavailable(_) => "keys_unavailable",
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::Unavailable(why) => write!(f, "the issuer's keys cannot be had: {why}"),
        }
    }
}

impl std::error::Error for RemoteError {}

impl RemoteKeys {
    /// Keys that `fetch` gives, as the text of a JWK set, or says why it cannot. Nothing is fetched yet.
    pub fn new(policy: RemotePolicy, fetch: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Self {
        let started = Instant::now();
        let clock = move || Timestamp::from_millis(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        Self::with_clock(policy, fetch, clock)
    }

    /// As [`Self::new`], by a clock of the application's, which must not go back.
    pub fn with_clock(
        policy: RemotePolicy,
        fetch: impl Fn() -> Result<String, String> + Send + Sync + 'static,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let (fetch, clock) = (Box::new(fetch), Box::new(clock));
        Self { fetch, policy, clock, shared: Mutex::default(), ended: Condvar::new() }
    }

    /// Verifies a token by `verify`, which is called with the keys, and once more with newer ones where they do not have
    /// the token's.
    ///
    /// # Errors
    /// A [`RemoteError`].
    pub fn verify<T>(&self, mut verify: impl FnMut(Arc<KeySet>) -> Result<T, InvalidToken>) -> Result<T, RemoteError> {
        let (keys, is_spent) = self.ask(true)?;
        match verify(Arc::clone(&keys)) {
            Err(InvalidToken::UnknownKey) => {}
            done => return done.map_err(RemoteError::Token),
        }
        let newer = if is_spent { self.take(self.shared())? } else { self.ask(false)?.0 };
        if Arc::ptr_eq(&keys, &newer) {
            return Err(RemoteError::Token(InvalidToken::UnknownKey));
        }
        verify(newer).map_err(RemoteError::Token)
    }

    /// The keys that were fetched last, however old.
    pub fn last(&self) -> Option<Arc<KeySet>> {
        self.shared().keys.clone()
    }

    /// Why the last fetch failed; `None` where it did not.
    pub fn trouble(&self) -> Option<String> {
        self.shared().trouble.clone()
    }

    /// Follows the machine's advice once, and gives the keys to use and whether they were fetched or waited for.
    fn ask(&self, is_known: bool) -> Result<(Arc<KeySet>, bool), RemoteError> {
        let mut shared = self.shared();
        let now = (self.clock)();
        let advice = self.step(&mut shared, Event::Ask { is_known }, now);
        let shared = match advice {
            Advice::Use | Advice::Unavailable => return Ok((shared.chosen(advice)?, false)),
            Advice::Fetch => {
                drop(shared);
                self.fetch(now);
                self.shared()
            }
            Advice::Wait => {
                // Not for ever: whoever fetches may be gone, as after a fork.
                let bound = Duration::from_secs(self.policy.cooldown.get());
                let awaited = shared.state.under_way();
                let is_awaited = |shared: &mut Shared| shared.state.under_way() == awaited;
                self.ended.wait_timeout_while(shared, bound, is_awaited).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        Ok((self.take(shared)?, true))
    }

    /// What may be used now, without another fetch.
    fn take(&self, mut shared: MutexGuard<'_, Shared>) -> Result<Arc<KeySet>, RemoteError> {
        let advice = self.step(&mut shared, Event::Take, (self.clock)());
        shared.chosen(advice)
    }

    fn step(&self, shared: &mut Shared, event: Event, now: Timestamp) -> Advice {
        let advice;
        (shared.state, advice) = step(shared.state, event, now, &self.policy);
        advice
    }

    fn fetch(&self, began: Timestamp) {
        let mut flight = Flight { keys: self, began, read: Err("the function that fetches them panicked".into()) };
        let fetched = (self.fetch)();
        flight.read = fetched
            .and_then(|text| KeySet::from_published_jwks(&text).map_err(|error| error.to_string()))
            .map(Arc::new);
    }

    /// Takes in how a fetch ended, and tells those who wait for it.
    fn end(&self, began: Timestamp, read: Result<Arc<KeySet>, String>) {
        let mut shared = self.shared();
        let event = if read.is_ok() { Event::Fetched { began } } else { Event::Failed { began } };
        self.step(&mut shared, event, (self.clock)());
        match read {
            Ok(keys) => {
                // One that was overtaken by a later fetch leaves its keys in place.
                if shared.state.has_keys_of(began) {
                    shared.keys = Some(keys);
                    shared.trouble = None;
                }
            }
            Err(why) => shared.trouble = Some(why),
        }
        self.ended.notify_all();
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fetch under way, which ends when this is dropped: also where it panics.
struct Flight<'k> {
    keys: &'k RemoteKeys,
    began: Timestamp,
    read: Result<Arc<KeySet>, String>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.keys.end(self.began, self.read.clone());
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("last", &self.last()).finish_non_exhaustive()
    }
}
