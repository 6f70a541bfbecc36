//! `KeySet`: keys that change while they are used, and the thread that follows their file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDateTime;
use safeconduct::core::jws::rotation::{RotationPolicy, RotationSettings};
use safeconduct::core::jws::{self, WithdrawalReason};
use safeconduct::core::time::Timestamp;
use safeconduct::keys::{self, Keys, KeysError, Watcher};
use safeconduct::system_time;

use crate::keys::named;
use crate::text::Foreign;
use crate::time::{Length, Moment, datetime, timedelta};
use crate::{error, fork};

/// Keys and whoever watches their file: for as long as anything uses the keys.
pub(crate) struct Live {
    pub(crate) keys: Keys,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct Watch {
    interval: Option<Duration>,
    watcher: Option<Watcher>,
}

impl Live {
    pub(crate) fn new(keys: Keys) -> Arc<Self> {
        Arc::new(Self { keys, watch: Mutex::default() })
    }

    /// Starts the thread, or another one where there is one.
    fn watch(&self, interval: Duration) -> Result<(), KeysError> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.watcher = None;
        watch.watcher = Some(self.keys.watch(interval)?);
        watch.interval = Some(interval);
        Ok(())
    }

    fn unwatch(&self) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Watch::default();
    }

    /// Ends the thread before a fork.
    pub(crate) fn pause(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).watcher = None;
    }

    /// Starts it again after a fork, in the parent and in the child. Where the system starts none, the keys stay as they
    /// are and say so.
    pub(crate) fn go_on(&self) -> Result<(), KeysError> {
        let interval = self.watch.lock().unwrap_or_else(PoisonError::into_inner).interval;
        interval.map_or(Ok(()), |interval| self.watch(interval))
    }
}

/// Keys by `kid`: at any moment at most one that signs, and all that verify. Cannot be pickled.
///
/// Whatever was made of a set follows it: an `Authority` signs with a new key and a `Verifier` accepts it without being
/// made anew. Where `now` is left out it is the system's clock; it is Unix seconds or an aware `datetime`.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct KeySet {
    pub(crate) live: Arc<Live>,
}

#[pymethods]
impl KeySet {
    /// A set of one new key, in memory. Raises `KeyRefused` for an unknown algorithm.
    #[staticmethod]
    #[pyo3(signature = (algorithm = "EdDSA"))]
    fn generate(py: Python<'_>, algorithm: &str) -> PyResult<Self> {
        let key = keys::generate(named(py, algorithm)?).map_err(|error| error::keys(py, &error))?;
        Ok(Self::of(jws::KeySet::new(key)))
    }

    /// A set from the JSON text of a JWK set (RFC 7517 section 5), in memory.
    ///
    /// A private or symmetric key signs from its `nbf` on; of those without `nbf` the first does, the others verify.
    /// `exp` ends a key, `revoked` withdraws it. Keys of foreign types are left out; see `skipped`. Raises `KeyRefused`.
    #[staticmethod]
    fn from_jwks(py: Python<'_>, jwks: Foreign<'_>) -> PyResult<Self> {
        jws::KeySet::from_jwks(&jwks.0).map(Self::of).map_err(|error| error::key(py, error))
    }

    /// Makes a file of one new key, with mode 0600. `False` where there is a file already, which stays as it is.
    ///
    /// Raises `KeyRefused`.
    #[staticmethod]
    #[pyo3(signature = (path, algorithm = "EdDSA", *, now = None))]
    fn create(py: Python<'_>, path: PathBuf, algorithm: &str, now: Option<Moment>) -> PyResult<bool> {
        let (algorithm, now) = (named(py, algorithm)?, moment(now));
        py.detach(|| keys::create(&path, algorithm, now)).map_err(|error| error::keys(py, &error))
    }

    /// The keys in a file. Changes are written to it, by any number of processes.
    ///
    /// With `create`, a file that is not there is made with one new key of `algorithm` and mode 0600.
    ///
    /// - `cache_lifetime`: how long others may keep what is published; 5 minutes.
    /// - `max_ttl`: the longest life of a token that the keys sign; an hour, the most an access token may have.
    /// - `reload_interval`: how long it takes until every process has read a change; a minute.
    /// - `period`: how long a key signs before `watch` and `rotate_if_due` publish the next one; for ever.
    ///
    /// Raises `KeyRefused` where the file is missing, malformed, cannot be read or made, or may be read by its group or
    /// others (`chmod 600`), and where the times do not fit together.
    #[staticmethod]
    #[pyo3(signature = (path, *, create = false, algorithm = "EdDSA", cache_lifetime = None, max_ttl = None,
        reload_interval = None, period = None, now = None))]
    #[allow(clippy::too_many_arguments)]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        algorithm: &str,
        cache_lifetime: Option<Length>,
        max_ttl: Option<Length>,
        reload_interval: Option<Length>,
        period: Option<Length>,
        now: Option<Moment>,
    ) -> PyResult<Self> {
        let (algorithm, now) = (named(py, algorithm)?, moment(now));
        let usual = RotationSettings::default();
        let settings = RotationSettings {
            cache_lifetime: cache_lifetime.map_or(usual.cache_lifetime, |length| length.0),
            max_ttl: max_ttl.map_or(usual.max_ttl, |length| length.0),
            reload_interval: reload_interval.map_or(usual.reload_interval, |length| length.0),
            period: period.map(|length| length.0),
        };
        let policy = RotationPolicy::new(settings).map_err(|error| error::keys(py, &error.into()))?;
        let opened = py.detach(|| match create {
            true => Keys::open_or_create(&path, policy, algorithm, now),
            false => Keys::open(&path, policy),
        });
        let keys = opened.map_err(|error| error::keys(py, &error))?;
        Ok(Self { live: fork::follow_keys(Live::new(keys)) })
    }

    /// Reads the file again; whether anything has changed. Without a file nothing has.
    ///
    /// A file that is broken or gone leaves the keys as they were and raises `KeyRefused`. A key that was withdrawn
    /// stays so, whatever the file says.
    fn reload(&self, py: Python<'_>) -> PyResult<bool> {
        self.change(py, Keys::reload)
    }

    /// Has a thread read the file every `interval` (by default `reload_interval`), and rotate when `period` has passed.
    ///
    /// It goes on after a fork, in both processes, and ends with `unwatch` or when nothing uses the keys. What goes wrong
    /// is `trouble`. Raises `KeyRefused` where there is no file.
    #[pyo3(signature = (interval = None))]
    fn watch(&self, py: Python<'_>, interval: Option<Length>) -> PyResult<()> {
        let interval = interval.map_or(self.live.keys.policy().reload_interval, |length| length.0);
        let watched = py.detach(|| self.live.watch(timedelta(interval)));
        watched.map_err(|error| error::keys(py, &error))
    }

    /// Ends what `watch` began.
    fn unwatch(&self, py: Python<'_>) {
        py.detach(|| self.live.unwatch());
    }

    /// Publishes a new key, of the algorithm that signs now unless another is named. Gives its `kid`.
    ///
    /// It signs once everybody can know it; the key before it verifies until the last token that it signed has expired.
    /// Raises `RotationRefused` where a new key waits already.
    #[pyo3(signature = (algorithm = None, *, now = None))]
    fn rotate(&self, py: Python<'_>, algorithm: Option<&str>, now: Option<Moment>) -> PyResult<String> {
        let algorithm = algorithm.map(|algorithm| named(py, algorithm)).transpose()?;
        let now = moment(now);
        self.change(py, |keys| match algorithm {
            Some(algorithm) => keys.rotate_to(algorithm, now),
            None => keys.rotate(now),
        })
    }

    /// Rotates where the key that signs has done so for `period`. Of many processes one does; whether this one did.
    #[pyo3(signature = (*, now = None))]
    fn rotate_if_due(&self, py: Python<'_>, now: Option<Moment>) -> PyResult<bool> {
        let now = moment(now);
        self.change(py, |keys| keys.rotate_if_due(now))
    }

    /// Lets a pending key sign now, where everybody can know it: after the times were made shorter.
    ///
    /// Raises `RotationRefused` where it is too early.
    #[pyo3(signature = (kid, *, now = None))]
    fn promote(&self, py: Python<'_>, kid: &str, now: Option<Moment>) -> PyResult<()> {
        let now = moment(now);
        self.change(py, |keys| keys.promote(kid, now))
    }

    /// Withdraws a key: here its tokens are refused from now on, elsewhere once the file was read.
    ///
    /// `Authority.withdraw_key` tells the revocation log too. A key that signs is replaced at once. Raises
    /// `RotationRefused` for a `kid` that is not there.
    #[pyo3(signature = (kid, reason = "unspecified", *, now = None))]
    fn withdraw(&self, py: Python<'_>, kid: &str, reason: &str, now: Option<Moment>) -> PyResult<()> {
        let (reason, now) = (withdrawal(reason)?, moment(now));
        self.change(py, |keys| keys.withdraw(kid, reason, now))
    }

    /// Takes out keys whose time is over. Names of withdrawn ones stay, so that they cannot come back.
    #[pyo3(signature = (*, now = None))]
    fn prune(&self, py: Python<'_>, now: Option<Moment>) -> PyResult<()> {
        let now = moment(now);
        self.change(py, |keys| keys.prune(now))
    }

    /// Every key as it is at `now`.
    #[pyo3(signature = (*, now = None))]
    fn phases(&self, now: Option<Moment>) -> Vec<KeyStatus> {
        self.live.keys.current().statuses(moment(now)).map(KeyStatus::from).collect()
    }

    /// The public keys as the JSON text of a JWK set, to be published: those that wait, sign or still verify.
    ///
    /// Raises `KeyRefused` where a key is symmetric: it never comes out this way.
    #[pyo3(signature = (*, now = None))]
    fn jwks(&self, py: Python<'_>, now: Option<Moment>) -> PyResult<String> {
        self.live.keys.current().public_jwks(moment(now)).map_err(|error| error::key(py, error))
    }

    /// The keys with their secrets, to be persisted where only the issuer can read them.
    fn private_jwks(&self) -> String {
        self.live.keys.current().private_jwks().to_string()
    }

    /// The `kid` of every key that was not withdrawn.
    #[getter]
    fn kids(&self) -> Vec<String> {
        self.live.keys.current().verifying().map(|key| key.kid().to_owned()).collect()
    }

    /// What `from_jwks` left out: places in `keys`, from zero, and reasons.
    #[getter]
    fn skipped(&self) -> Vec<(usize, &'static str)> {
        let keys = self.live.keys.current();
        keys.skipped().iter().map(|skipped| (skipped.index, skipped.reason.reason())).collect()
    }

    /// How long others may keep what is published.
    #[getter]
    fn cache_lifetime(&self) -> Duration {
        timedelta(self.live.keys.policy().cache_lifetime)
    }

    /// Why the file could not be read or changed by the last `reload` or by `watch`; `None` where it could.
    #[getter]
    fn trouble(&self) -> Option<String> {
        self.live.keys.trouble().map(|trouble| trouble.to_string())
    }

    fn __len__(&self) -> usize {
        self.live.keys.current().verifying().len()
    }

    fn __repr__(&self) -> String {
        format!("<KeySet {:?}>", self.kids())
    }
}

impl KeySet {
    fn of(keys: jws::KeySet) -> Self {
        Self { live: Live::new(Keys::new(keys, RotationPolicy::default())) }
    }

    /// Changes the keys, while other threads run Python and none forks.
    fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&Keys) -> Result<T, KeysError> + Send,
    ) -> PyResult<T> {
        py.detach(|| fork::unforked(|| change(&self.live.keys))).map_err(|error| error::keys(py, &error))
    }
}

/// A key of a set as it is at a moment. Times are aware, in UTC. Immutable.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct KeyStatus {
    /// The name that tokens call it by.
    #[pyo3(get)]
    kid: String,
    /// What it signs with; `None` where a withdrawn key did not say.
    #[pyo3(get)]
    algorithm: Option<&'static str>,
    /// `"pending"`, `"signing"`, `"retiring"`, `"retired"` or `"withdrawn"`.
    #[pyo3(get)]
    phase: &'static str,
    /// Why it was withdrawn: `"compromised"`, `"superseded"` or `"unspecified"`.
    #[pyo3(get)]
    reason: Option<&'static str>,
    schedule: jws::Schedule,
    withdrawn_at: Option<Timestamp>,
}

#[pymethods]
impl KeyStatus {
    /// When it came into the set; `None` where it has always been there.
    #[getter]
    fn published_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        time(py, self.schedule.published_at)
    }

    /// When its turn to sign comes; `None` where it has always been.
    #[getter]
    fn signs_from<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        time(py, self.schedule.signs_from)
    }

    /// Until when it verifies; `None` while nothing succeeds it.
    #[getter]
    fn kept_until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        time(py, self.schedule.kept_until)
    }

    /// When it was withdrawn; `None` where it was not.
    #[getter]
    fn withdrawn_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.withdrawn_at.map_or(Ok(None), |at| time(py, at))
    }

    fn __repr__(&self) -> String {
        format!("<KeyStatus {:?} {}>", self.kid, self.phase)
    }
}

impl From<jws::KeyStatus<'_>> for KeyStatus {
    fn from(status: jws::KeyStatus<'_>) -> Self {
        Self {
            kid: status.kid.to_owned(),
            algorithm: status.algorithm.map(jws::Algorithm::name),
            phase: status.phase.name(),
            reason: status.withdrawn.map(|(_, reason)| reason.name()),
            schedule: status.schedule,
            withdrawn_at: status.withdrawn.map(|(at, _)| at),
        }
    }
}

/// A time that is neither the beginning nor the end of all times.
fn time(py: Python<'_>, time: Timestamp) -> PyResult<Option<Bound<'_, PyDateTime>>> {
    let always = jws::Schedule::ALWAYS;
    (time > always.published_at && time < always.kept_until).then(|| datetime(py, time)).transpose()
}

fn moment(now: Option<Moment>) -> Timestamp {
    now.map_or_else(system_time, |now| now.0)
}

pub(crate) fn withdrawal(reason: &str) -> PyResult<WithdrawalReason> {
    let wrong = || PyValueError::new_err("reason is 'compromised', 'superseded' or 'unspecified'");
    WithdrawalReason::from_name(reason).ok_or_else(wrong)
}
