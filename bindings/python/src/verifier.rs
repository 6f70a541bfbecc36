//! `Verifier`, and the buffer that each thread decodes payloads in.

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use safeconduct::core::jws;
use safeconduct::core::token::{self, InvalidToken, Profile, Scratch, TokenCache, VerifierConfig};
use safeconduct::system_time;

use crate::claims::Claims;
use crate::error;
use crate::key_set::{KeySet, Live};
use crate::keys::VerifyingKey;
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

/// The keys that a verifier trusts.
pub(crate) enum Trusted<'py> {
    Set(Bound<'py, KeySet>),
    Keys(Vec<Bound<'py, VerifyingKey>>),
}

impl<'py> FromPyObject<'_, 'py> for Trusted<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.cast::<KeySet>() {
            Ok(set) => Ok(Self::Set(set.to_owned())),
            Err(_) => match value.extract() {
                Ok(keys) => Ok(Self::Keys(keys)),
                Err(_) => Err(error::wrong_type(value, "a KeySet or a sequence of VerifyingKey")),
            },
        }
    }
}

/// Accepts the tokens of one issuer for one audience, locally. For many threads at once.
///
/// Trusts `keys`, and follows a `KeySet` that changes.
///
/// - `profile`: `"access_token"` (RFC 9068, needs issuer and audience) or `"jwt"` (RFC 7519; with no
///   audience, a token that has one is refused).
/// - `leeway`: how far clocks may be apart, 0 to 60 s; 5 s.
/// - `max_ttl`: how far away `exp` may be, for access tokens; 1 h.
/// - `cache`: how many verified tokens to remember, so that their signatures are not checked again; all else is.
///   About twice a token's length of memory each. None for HMAC keys, which gain nothing.
///
/// Raises `ConfigError`.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Verifier {
    verifier: token::Verifier,
    live: Option<Arc<Live>>,
    cache: Option<TokenCache>,
    is_slow: bool,
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
            "jwt" => (Profile::Jwt, None),
            _ => return Err(PyValueError::new_err("profile is 'access_token' or 'jwt'")),
        };
        let (keys, live) = match keys {
            Trusted::Set(set) => {
                let live = Arc::clone(&set.get().live);
                (live.keys.current(), Some(live))
            }
            Trusted::Keys(keys) => {
                let keys = keys.iter().map(|key| key.get().key.duplicate()).collect();
                (Arc::new(jws::KeySet::verify_only(keys).map_err(|error| error::key(py, error))?), None)
            }
        };
        let is_slow = is_slow(&keys);
        let leeway = leeway.map_or(token::DEFAULT_LEEWAY, |length| length.0);
        let config = VerifierConfig { profile, issuer, audience, leeway, max_ttl };
        let verifier = token::Verifier::new(keys, config).map_err(|error| error::config(py, error))?;
        let cache = (cache > 0).then(|| TokenCache::new(cache));
        Ok(Self { verifier, live, cache, is_slow })
    }

    /// What a token says, where it is to be believed.
    ///
    /// `now` is Unix seconds or an aware `datetime`; the system's clock where it is not given. Revocation
    /// is not asked: a token is good until it expires. Raises `InvalidToken`.
    #[pyo3(signature = (token, now = None))]
    fn verify(&self, py: Python<'_>, token: Foreign<'_>, now: Option<Moment>) -> PyResult<Claims> {
        let now = now.map_or_else(system_time, |moment| moment.0);
        let verify = || -> Result<String, InvalidToken> {
            let keys = self.live.as_ref().map_or_else(|| Arc::clone(self.verifier.keys()), |live| live.keys.current());
            with_scratch(|scratch| {
                let claims = match &self.cache {
                    Some(cache) => cache.verify_by(&self.verifier, keys, &token.0, now, scratch, |_| Ok(())),
                    None => self.verifier.verify_by(keys, &token.0, now, scratch),
                };
                Ok(claims?.payload().into())
            })
        };
        let payload = if self.is_slow { py.detach(verify) } else { verify() };
        payload.map(Claims::new).map_err(|error| error::invalid_token(py, error))
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
