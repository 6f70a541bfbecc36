//! `Verifier`, and the buffer that each thread decodes payloads in.

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use safeconduct::core::jws;
use safeconduct::core::token::{self, InvalidToken, MAX_CAPACITY, Profile, Scratch, TokenCache, VerifierConfig};
use safeconduct::{RemoteError, system_time};

use crate::claims::Claims;
use crate::error;
use crate::key_set::{KeySet, Live};
use crate::keys::VerifyingKey;
use crate::remote::{self, RemoteKeys};
use crate::text::Foreign;
use crate::time::{Length, Moment};

thread_local! {
    static SCRATCH: RefCell<Box<Scratch>> = RefCell::new(Scratch::boxed());
}

/// Lends this thread's buffer to `verify`, which must not call Python.
pub(crate) fn with_scratch<T>(verify: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| verify(scratch))
}

/// Whether verifying by these keys takes so long that others should run meanwhile: letting go of the
/// interpreter costs a fiftieth of an HMAC and a thousandth of an Ed25519 signature.
pub(crate) fn is_slow(keys: &jws::KeySet) -> bool {
    keys.verifying().any(|key| !key.algorithm().is_symmetric())
}

/// A cache of so many tokens; none where there are none.
pub(crate) fn token_cache(capacity: usize) -> PyResult<Option<TokenCache>> {
    if capacity > MAX_CAPACITY {
        return Err(PyValueError::new_err(format!("cache is at most {MAX_CAPACITY} tokens")));
    }
    Ok((capacity > 0).then(|| TokenCache::new(capacity)))
}

/// The keys that a verifier trusts.
pub(crate) enum Trusted<'py> {
    Set(Bound<'py, KeySet>),
    Remote(Bound<'py, RemoteKeys>),
    Keys(Vec<Bound<'py, VerifyingKey>>),
}

impl<'py> FromPyObject<'_, 'py> for Trusted<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(set) = value.cast::<KeySet>() {
            return Ok(Self::Set(set.to_owned()));
        }
        if let Ok(remote) = value.cast::<RemoteKeys>() {
            return Ok(Self::Remote(remote.to_owned()));
        }
        let wrong = |_| error::wrong_type(value, "a KeySet, RemoteKeys or a sequence of VerifyingKey");
        value.extract().map(Self::Keys).map_err(wrong)
    }
}

/// Accepts the tokens of one issuer for one audience, locally. For many threads at once.
///
/// Trusts `keys`, and follows a `KeySet` that changes and `RemoteKeys`.
///
/// - `profile`: `"access_token"` (RFC 9068, needs issuer and audience) or `"jwt"` (RFC 7519; with no
///   audience, a token that has one is refused).
/// - `leeway`: how far clocks may be apart, 0 to 60 s; 5 s.
/// - `max_ttl`: how far away `exp` may be; 1 h for access tokens, any distance for `"jwt"`.
/// - `cache`: how many verified tokens to remember, so that their signatures are not checked again; all else is.
///   About twice a token's length and 200 bytes of memory each; at most 1,048,576. None for HMAC keys, which gain nothing.
///
/// Raises `ConfigError`.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Verifier {
    verifier: token::Verifier,
    source: Source,
    cache: Option<TokenCache>,
    is_slow: bool,
}

/// Where the keys are that count when a token is verified.
enum Source {
    Own,
    Live(Arc<Live>),
    Remote(Py<RemoteKeys>),
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (keys, issuer = None, audience = None, profile = "access_token", leeway = None, max_ttl = None, cache = 0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        keys: Trusted<'_>,
        issuer: Option<String>,
        audience: Option<String>,
        profile: &str,
        leeway: Option<Length>,
        max_ttl: Option<Length>,
        cache: usize,
    ) -> PyResult<Self> {
        let (profile, max_ttl) = match profile {
            "access_token" => (Profile::AccessToken, Some(max_ttl.map_or(token::DEFAULT_MAX_TTL, |length| length.0))),
            "jwt" => (Profile::Jwt, max_ttl.map(|length| length.0)),
            _ => return Err(PyValueError::new_err("profile is 'access_token' or 'jwt'")),
        };
        let (keys, source) = match keys {
            Trusted::Set(set) => {
                let live = Arc::clone(&set.get().live);
                (Some(live.keys.current()), Source::Live(live))
            }
            Trusted::Remote(remote) => (None, Source::Remote(remote.unbind())),
            Trusted::Keys(keys) => {
                let keys = keys.iter().map(|key| key.get().key.duplicate()).collect();
                let keys = jws::KeySet::verify_only(keys).map_err(|error| error::key(py, error))?;
                (Some(Arc::new(keys)), Source::Own)
            }
        };
        let is_slow = keys.as_deref().is_none_or(is_slow);
        let leeway = leeway.map_or(token::DEFAULT_LEEWAY, |length| length.0);
        let config = VerifierConfig { profile, issuer, audience, leeway, max_ttl };
        let verifier = match keys {
            Some(keys) => token::Verifier::new(keys, config),
            None => token::Verifier::without_keys(config),
        };
        let verifier = verifier.map_err(|error| error::config(py, error))?;
        let cache = token_cache(cache)?;
        Ok(Self { verifier, source, cache, is_slow })
    }

    /// What a token says, where it is to be believed.
    ///
    /// `now` is Unix seconds or an aware `datetime`; the system's clock where it is not given. Revocation
    /// is not asked: a token is good until it expires. Raises `InvalidToken`; `KeysUnavailable` where `RemoteKeys` has
    /// none to use: then nothing is known of the token.
    #[pyo3(signature = (token, now = None))]
    fn verify(&self, py: Python<'_>, token: Foreign<'_>, now: Option<Moment>) -> PyResult<Claims> {
        let now = now.map_or_else(system_time, |moment| moment.0);
        let verify_by = |keys: Arc<jws::KeySet>| -> Result<String, InvalidToken> {
            with_scratch(|scratch| {
                let claims = match &self.cache {
                    Some(cache) => cache.verify_by(&self.verifier, keys, &token.0, now, scratch, |_| Ok(())),
                    None => self.verifier.verify_by(keys, &token.0, now, scratch),
                };
                Ok(claims?.payload().into())
            })
        };
        let verify = || match &self.source {
            Source::Own => verify_by(Arc::clone(self.verifier.keys())).map_err(RemoteError::Token),
            Source::Live(live) => verify_by(live.keys.current()).map_err(RemoteError::Token),
            Source::Remote(remote) => remote.get().keys.verify(verify_by),
        };
        let payload = if self.is_slow { py.detach(verify) } else { verify() };
        if let Some(interrupt) = remote::interrupt() {
            return Err(interrupt);
        }
        payload.map(Claims::new).map_err(|error| error::remote(py, &error))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.source {
            Source::Remote(remote) => visit.call(remote),
            Source::Own | Source::Live(_) => Ok(()),
        }
    }

    fn __repr__(&self) -> String {
        let config = self.verifier.config();
        let profile = match config.profile {
            Profile::AccessToken => "access_token",
            Profile::Jwt => "jwt",
        };
        let shown = |name: &Option<String>| name.as_ref().map_or("None".into(), |name| format!("{name:?}"));
        format!("<Verifier {profile} issuer={} audience={}>", shown(&config.issuer), shown(&config.audience))
    }
}
