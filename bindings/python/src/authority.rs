//! `Authority`: what applications hold.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use safeconduct::core::audit;
use safeconduct::core::id::SessionId;
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::outcome::Refusal;
use safeconduct::core::session::policy;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::{Error, RefreshRequest};

use crate::claims::Claims;
use crate::grant::{Grant, Session};
use crate::key_set::{KeySet, Live, withdrawal};
use crate::keys::SigningKey;
use crate::policy::{Policy, Replay};
use crate::secrets::Secrets;
use crate::store::AnyStore;
use crate::text::{Committed, Foreign, json, session_id};
use crate::verifier::{is_slow, token_cache, with_scratch};
use crate::{clock, error, fork};

/// The keys that an authority signs with.
enum Signing<'py> {
    Set(Bound<'py, KeySet>),
    Key(Bound<'py, SigningKey>),
}

impl<'py> FromPyObject<'_, 'py> for Signing<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(set) = value.cast::<KeySet>() {
            return Ok(Self::Set(set.to_owned()));
        }
        match value.cast::<SigningKey>() {
            Ok(key) => Ok(Self::Key(key.to_owned())),
            Err(_) => Err(error::wrong_type(value, "a KeySet or a SigningKey")),
        }
    }
}

/// Issues, refreshes, verifies and revokes. Share one between threads.
///
/// Every method raises `TypeError` for arguments of wrong types, and whatever `clock` raises.
///
/// Binds keys, secrets and policy to a store, marking an empty one as this deployment's.
///
/// - `clock` gives Unix seconds, to the millisecond; it is asked once for each operation.
/// - `audit` is called with each event after it was committed, before the operation returns: `at` (Unix
///   milliseconds), `kind`, and `sid` and `generation` where known. No token, secret or person is in
///   it. What it raises goes to `sys.unraisablehook`; the operation is done already.
/// - `cache`: how many verified tokens to remember, so that their signatures are not checked again; all else is,
///   revocation included. About twice a token's length and 200 bytes of memory each; at most 1,048,576. None for HMAC keys, which gain nothing.
///
/// Raises `ConfigError`; `StoreMismatch` where the store was made with other secrets or another issuer;
/// `StoreError` where it cannot be used.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Authority {
    authority: safeconduct::Authority<AnyStore>,
    clock: Option<Py<PyAny>>,
    /// What `authority` calls, in one reference with it: the garbage collector counts.
    audit: Option<Arc<Py<PyAny>>>,
    is_slow: bool,
    /// Keeps the thread that watches the keys' file.
    _live: Option<Arc<Live>>,
}

#[pymethods]
impl Authority {
    #[new]
    #[pyo3(signature = (*, issuer, audience, keys, secrets, store, policy = None, clock = None, audit = None, cache = 0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        issuer: &str,
        audience: &str,
        keys: Signing<'_>,
        secrets: &Bound<'_, Secrets>,
        store: AnyStore,
        policy: Option<&Bound<'_, Policy>>,
        clock: Option<Py<PyAny>>,
        audit: Option<Py<PyAny>>,
        cache: usize,
    ) -> PyResult<Self> {
        let (keys, live) = match keys {
            Signing::Set(set) => {
                let live = Arc::clone(&set.get().live);
                (live.keys.current(), Some(live))
            }
            Signing::Key(key) => (Arc::clone(&key.get().keys), None),
        };
        let cache = token_cache(cache)?;
        if audit.as_ref().is_some_and(|audit| !audit.bind(py).is_callable()) {
            return Err(PyTypeError::new_err("audit must be callable"));
        }
        let is_slow = is_slow(&keys);
        let policy = policy.map_or_else(policy::Policy::default, |policy| policy.get().policy.clone());
        let issuer = Issuer::new(issuer, audience, keys, &secrets.get().secrets, policy)
            .map_err(|error| error::config(py, error))?;
        let time = clock::ask(py, clock.as_ref())?;
        let open = || {
            clock::during(time, || {
                let authority = safeconduct::Authority::open_with_clock(issuer, store, clock::now)?;
                match &live {
                    Some(live) => authority.with_keys(live.keys.clone()),
                    None => Ok(authority),
                }
            })
        };
        let mut authority = py.detach(open).map_err(|error| error::authority(py, &error))?;
        if let Some(cache) = cache {
            authority = authority.with_cache(cache);
        }
        let audit = audit.map(Arc::new);
        if let Some(sink) = audit.clone() {
            authority = authority.with_audit(move |event| note(&sink, event));
        }
        Ok(Self { authority, clock, audit, is_slow, _live: live })
    }

    /// Signs a subject in. The application has authenticated it.
    ///
    /// - `subject` (`sub`), `client_id`, `device`, `ip`: at most 512 bytes each. The subject is an opaque
    ///   identifier; `device` and `ip` are notes for the list of sessions and in no token.
    /// - `scope`: tokens separated by single spaces.
    /// - `claims`: further claims of the access tokens, as `json.dumps` writes them.
    /// - `mode`: `"hybrid"` (access and refresh token), `"jwt"` (one access token; the session ends with
    ///   it), `"opaque"` (a session token, looked up on each request).
    /// - `commitment`: of the first secret, which the client drew: 32 bytes, or base64url.
    /// - `replay`: `Replay.committed()` where a commitment is given, else the policy's.
    ///
    /// Raises `SignInRefused` (fix the call), `TooManySessions`, `StoreError`; `TypeError` or `ValueError`
    /// for claims that JSON cannot say.
    #[pyo3(signature = (subject, *, scope = "", client_id = "default", claims = None, device = None, ip = None,
        replay = None, mode = "hybrid", commitment = None))]
    #[allow(clippy::too_many_arguments)]
    fn issue(
        &self,
        py: Python<'_>,
        subject: &str,
        scope: &str,
        client_id: &str,
        claims: Option<&Bound<'_, PyDict>>,
        device: Option<&str>,
        ip: Option<&str>,
        replay: Option<&Bound<'_, Replay>>,
        mode: &str,
        commitment: Option<Committed>,
    ) -> PyResult<Grant> {
        let claims = claims.map(json).transpose()?;
        let request = SignInRequest {
            subject,
            client_id,
            scope,
            claims: claims.as_ref().map(|claims| claims.to_str()).transpose()?,
            device,
            ip,
            mode: match mode {
                "hybrid" => Mode::Hybrid,
                "jwt" => Mode::Jwt,
                "opaque" => Mode::Opaque,
                _ => return Err(PyValueError::new_err("mode is 'hybrid', 'jwt' or 'opaque'")),
            },
            replay: replay.map(|replay| replay.get().rule(py)).transpose()?,
            commitment: commitment.map(|commitment| commitment.0),
            thumbprint: None,
        };
        self.run(py, |authority| authority.issue(&request)).map(Grant::from)
    }

    /// Replaces a refresh token.
    ///
    /// - `client_id`: the client that presents it, where it was authenticated or named.
    /// - `next_commitment`: of the next secret, under `Replay.committed()`.
    /// - `scope`: less than was granted; the next refresh may ask for all of it again.
    /// - `challenge`: what `Superseded` carried.
    ///
    /// Raises `RefreshRefused`: sign in again, but for `Superseded` (read the storage again) and those that
    /// say to mend the client. `StoreError`: try again. `ValueError` for a malformed commitment.
    #[pyo3(signature = (refresh_token, *, client_id = None, next_commitment = None, scope = None, challenge = None))]
    fn refresh(
        &self,
        py: Python<'_>,
        refresh_token: Foreign<'_>,
        client_id: Option<Foreign<'_>>,
        next_commitment: Option<Committed>,
        scope: Option<Foreign<'_>>,
        challenge: Option<Foreign<'_>>,
    ) -> PyResult<Grant> {
        let request = RefreshRequest {
            client_id: client_id.as_ref().map(|text| text.0.as_ref()),
            next_commitment: next_commitment.map(|commitment| commitment.0),
            scope: scope.as_ref().map(|text| text.0.as_ref()),
            challenge: challenge.as_ref().map(|text| text.0.as_ref()),
            proof: None,
        };
        self.run(py, |authority| authority.refresh(&refresh_token.0, &request)).map(Grant::from)
    }

    /// Verifies an access token locally, revocations known to this process included. Asks no store.
    ///
    /// Raises `InvalidToken`.
    fn verify(&self, py: Python<'_>, access_token: Foreign<'_>) -> PyResult<Claims> {
        let time = clock::ask(py, self.clock.as_ref())?;
        let verify = || -> Result<String, Error> {
            clock::during(time, || {
                with_scratch(|scratch| Ok(self.authority.verify(&access_token.0, scratch)?.payload().into()))
            })
        };
        let payload = if self.is_slow { py.detach(verify) } else { verify() };
        payload.map(Claims::new).map_err(|error| error::authority(py, &error))
    }

    /// The claims of the session of an opaque token, looked up in the store.
    ///
    /// Raises `RefreshRefused` (sign in again), `StoreError`.
    fn authenticate(&self, py: Python<'_>, session_token: Foreign<'_>) -> PyResult<Claims> {
        self.run(py, |authority| authority.authenticate(&session_token.0)).map(Claims::new)
    }

    /// Replaces scope, claims or both; what is not given stays. Older access tokens become stale.
    ///
    /// Raises `SignInRefused` (fix the call), `RefreshRefused` where the session is not live, `StoreError`.
    #[pyo3(signature = (session_id, *, scope = None, claims = None))]
    fn amend(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = sid)] session_id: SessionId,
        scope: Option<&str>,
        claims: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Grant> {
        let claims = claims.map(json).transpose()?;
        let claims = claims.as_ref().map(|claims| claims.to_str()).transpose()?;
        self.run(py, |authority| authority.amend(session_id, scope, claims)).map(Grant::from)
    }

    /// Ends the session of a refresh token, a session token or an access token (RFC 7009).
    ///
    /// Gives `"revoked"`, or why there was nothing to revoke: `"not_ours"`, `"session_unknown"`. Raises
    /// `StoreError`: the session may still be good; try again.
    fn revoke(&self, py: Python<'_>, token: Foreign<'_>) -> PyResult<&'static str> {
        self.run(py, |authority| authority.revoke(&token.0)).map(|outcome| outcome.reason())
    }

    /// Ends a session. Gives and raises as `revoke`.
    fn revoke_session(&self, py: Python<'_>, session_id: Foreign<'_>) -> PyResult<&'static str> {
        // A malformed one is one that no session has.
        let Some(session_id) = SessionId::parse(&session_id.0) else { return Ok(Refusal::Unknown.reason()) };
        self.run(py, |authority| authority.revoke_session(session_id)).map(|outcome| outcome.reason())
    }

    /// Ends every session of a subject, but for the session id `keep`, in one write.
    ///
    /// Access tokens of the session that is kept become invalid too; its next refresh gives a good one.
    /// Raises `RefreshRefused` where `keep` is not a live session of the subject: then nothing is revoked.
    #[pyo3(signature = (subject, *, keep = None))]
    fn revoke_subject(&self, py: Python<'_>, subject: &str, keep: Option<Foreign<'_>>) -> PyResult<()> {
        let keep = keep.as_ref().map(|keep| session_id(py, keep)).transpose()?;
        self.run(py, |authority| authority.revoke_subject(subject, keep))
    }

    /// Deletes everything of a subject; its tokens stay refused. Raises `StoreError`: call again.
    fn erase_subject(&self, py: Python<'_>, subject: &str) -> PyResult<()> {
        self.run(py, |authority| authority.erase_subject(subject))
    }

    /// The live sessions of a subject in order of their ids as bytes (not as text): at most `limit` after the
    /// session id `after`.
    ///
    /// Raises `SessionUnknown` where `after` is no session id, `StoreError`.
    #[pyo3(signature = (subject, *, after = None, limit = 100))]
    fn sessions(
        &self,
        py: Python<'_>,
        subject: &str,
        after: Option<Foreign<'_>>,
        limit: u32,
    ) -> PyResult<Vec<Session>> {
        let after = after.as_ref().map(|after| session_id(py, after)).transpose()?;
        let sessions = self.run(py, |authority| authority.sessions(subject, after, limit))?;
        Ok(sessions.into_iter().map(Session::from).collect())
    }

    /// Withdraws a signing key, as `KeySet.withdraw` does, and writes it to the revocation log.
    ///
    /// Every process that reads the log refuses the key's tokens, whatever its file says. Raises `RotationRefused` for a
    /// `kid` that is not there; `StoreError`: the file has it, the log perhaps not; call again.
    #[pyo3(signature = (kid, reason = "unspecified"))]
    fn withdraw_key(&self, py: Python<'_>, kid: &str, reason: &str) -> PyResult<()> {
        let reason = withdrawal(reason)?;
        self.run(py, |authority| authority.withdraw_key(kid, reason))
    }

    /// Reads what other processes have added to the revocation log, and refuses it from now on.
    ///
    /// Raises `StoreError`: what was known is still known; call again.
    fn catch_up(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |authority| fork::unforked(|| authority.catch_up()))
    }

    /// The claim `iss`.
    #[getter]
    fn issuer(&self) -> &str {
        self.authority.issuer().name()
    }

    /// The claim `aud`.
    #[getter]
    fn audience(&self) -> &str {
        self.authority.issuer().audience()
    }

    /// Clock and audit are often methods of what holds the authority. Such a ring is broken elsewhere in it.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.clock.as_ref())?;
        visit.call(self.audit.as_deref())
    }

    fn __repr__(&self) -> String {
        format!("<Authority issuer={:?} audience={:?}>", self.issuer(), self.audience())
    }
}

impl Authority {
    /// Runs an operation that asks the store, while other threads run Python.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        operation: impl FnOnce(&safeconduct::Authority<AnyStore>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let time = clock::ask(py, self.clock.as_ref())?;
        let done = py.detach(|| clock::during(time, || operation(&self.authority)));
        done.map_err(|error| error::authority(py, &error))
    }
}

fn sid(text: &Bound<'_, PyAny>) -> PyResult<SessionId> {
    session_id(text.py(), &text.extract()?)
}

/// Calls an audit callable. It was decided already, so what it raises cannot stop anything: it goes to
/// `sys.unraisablehook`.
fn note(sink: &Py<PyAny>, event: &audit::Event) {
    Python::attach(|py| {
        let noted = || -> PyResult<()> {
            let line = PyDict::new(py);
            line.set_item("at", event.at.as_millis())?;
            line.set_item("kind", event.kind.name())?;
            if let Some(sid) = event.session {
                line.set_item("sid", sid.to_string())?;
            }
            if let Some(generation) = event.generation {
                line.set_item("generation", generation)?;
            }
            sink.call1(py, (line,)).map(|_| ())
        };
        if let Err(error) = noted() {
            error.write_unraisable(py, Some(sink.bind(py)));
        }
    });
}
