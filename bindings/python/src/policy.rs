//! `Policy` and `Replay`.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use safeconduct::core::session::policy::{self, SessionLimit, Settings, StoreBehind};
use safeconduct::core::session::sign_in::SignInError;
use safeconduct::core::session::state::{self, Late, Window};

use crate::error::{self, Family};
use crate::time::{Length, timedelta};

/// When a refresh token shown again is a repeat and not a theft; fixed when a session is issued.
///
/// Each rule has its own theft gap, which is written there. Immutable, comparable, hashable.
#[pyclass(frozen, eq, hash, module = "safeconduct")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Replay {
    rule: state::Replay,
}

#[pymethods]
impl Replay {
    /// The client draws each next secret itself and sends its commitment: for apps and services.
    ///
    /// The same commitment is a repeat at any delay. A thief with the token gets nothing that the client
    /// gets; one with token and next secret shares one successor until either side uses it.
    #[staticmethod]
    fn committed() -> Self {
        Self { rule: state::Replay::Committed }
    }

    /// Bound to a DPoP key. Not to be had yet: `issue` and `Policy` raise `ConfigError`.
    #[staticmethod]
    fn bound() -> Self {
        Self { rule: state::Replay::Bound }
    }

    /// The immediate predecessor is answered with the same successor for so long: for browsers.
    ///
    /// 0 to 60 whole seconds; 0 is strict. It must cover a request and its reply. What comes later meets a
    /// challenge, or revokes. Within the window a thief and a second tab are the same event.
    #[staticmethod]
    #[pyo3(signature = (seconds, late = "challenge"))]
    fn window(seconds: Length, late: &str) -> PyResult<Self> {
        let late = match late {
            "challenge" => Late::Challenge,
            "revoke" => Late::Revoke,
            _ => return Err(PyValueError::new_err("late is 'challenge' or 'revoke'")),
        };
        Ok(Self { rule: state::Replay::Window(Window { width: seconds.0, late }) })
    }

    fn __repr__(&self) -> String {
        match self.rule {
            state::Replay::Committed => "Replay.committed()".into(),
            state::Replay::Bound => "Replay.bound()".into(),
            state::Replay::Window(Window { width, late: Late::Challenge }) => {
                format!("Replay.window({}, late='challenge')", width.get())
            }
            state::Replay::Window(Window { width, late: Late::Revoke }) => {
                format!("Replay.window({}, late='revoke')", width.get())
            }
        }
    }
}

impl Replay {
    /// The rule, as far as Python can follow it: DPoP proofs cannot be given yet.
    pub(crate) fn rule(&self, py: Python<'_>) -> PyResult<state::Replay> {
        if self.rule == state::Replay::Bound {
            let text = "Replay.bound() needs DPoP proofs, which this version cannot take yet; use Replay.committed()";
            return Err(error::raised(py, Family::Config, SignInError::ProofRequired.reason(), text, None));
        }
        Ok(self.rule)
    }
}

/// The rules of a deployment. Lengths are `timedelta` or whole seconds. Immutable, comparable.
///
/// What is not given is as most want it.
///
/// - `access_ttl`: the life of an access token, 1 s to 1 h; 10 minutes.
/// - `idle_ttl`: how long a session may lie unused; 30 days.
/// - `absolute_ttl`: how long it may last in all, at most 400 days; 180 days.
/// - `max_sessions`: live sessions of a subject, 1 to 1000; 100.
/// - `session_limit`: whether one more ends the oldest or is refused; `"end_oldest"`.
/// - `replay`: the rule of sessions that ask for none and bring no commitment; `Replay.window(10)`.
/// - `store_behind`: whether a token ahead of the store is adopted, or answered `StoreBehind`; `"adopt"`.
/// - `max_claims`: bytes of a session's own claims as JSON, at most 4096; 1024.
/// - `personal_claims`: claims that look like personal data and are allowed all the same; none. `"sub"`
///   stands for a subject that looks like an e-mail address or a telephone number.
/// - `partitions`: over how many partitions subjects are spread, 1 to 255, for the life of a store; 16.
/// - `check_signatures`: whether each signature is verified before it leaves, against attacks by faults; no.
///   What is wrong three times raises `SigningFault`, and nothing is committed.
///
/// Raises `PolicyRefused` for an unsafe combination and says why.
#[pyclass(frozen, eq, module = "safeconduct")]
#[derive(PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) policy: policy::Policy,
}

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (*, access_ttl = None, idle_ttl = None, absolute_ttl = None, max_sessions = None,
        session_limit = None, replay = None, store_behind = None, max_claims = None, personal_claims = None,
        partitions = None, check_signatures = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        access_ttl: Option<Length>,
        idle_ttl: Option<Length>,
        absolute_ttl: Option<Length>,
        max_sessions: Option<u32>,
        session_limit: Option<&str>,
        replay: Option<&Bound<'_, Replay>>,
        store_behind: Option<&str>,
        max_claims: Option<usize>,
        personal_claims: Option<Vec<String>>,
        partitions: Option<u8>,
        check_signatures: Option<bool>,
    ) -> PyResult<Self> {
        let usual = Settings::default();
        let settings = Settings {
            access_ttl: access_ttl.map_or(usual.access_ttl, |length| length.0),
            idle_ttl: idle_ttl.map_or(usual.idle_ttl, |length| length.0),
            absolute_ttl: absolute_ttl.map_or(usual.absolute_ttl, |length| length.0),
            max_sessions: max_sessions.unwrap_or(usual.max_sessions),
            session_limit: match session_limit {
                None => usual.session_limit,
                Some("end_oldest") => SessionLimit::EndOldest,
                Some("refuse") => SessionLimit::Refuse,
                Some(_) => return Err(PyValueError::new_err("session_limit is 'end_oldest' or 'refuse'")),
            },
            replay: replay.map(|replay| replay.get().rule(py)).transpose()?.unwrap_or(usual.replay),
            store_behind: match store_behind {
                None => usual.store_behind,
                Some("adopt") => StoreBehind::Adopt,
                Some("unavailable") => StoreBehind::Unavailable,
                Some(_) => return Err(PyValueError::new_err("store_behind is 'adopt' or 'unavailable'")),
            },
            max_claims: max_claims.unwrap_or(usual.max_claims),
            personal_claims: personal_claims.unwrap_or(usual.personal_claims),
            partitions: partitions.unwrap_or(usual.partitions),
            check_signatures: check_signatures.unwrap_or(usual.check_signatures),
        };
        policy::Policy::new(settings).map(|policy| Self { policy }).map_err(|error| error::policy(py, error))
    }

    /// The life of an access token.
    #[getter]
    fn access_ttl(&self) -> Duration {
        timedelta(self.policy.access_ttl)
    }

    /// How long a session may lie unused.
    #[getter]
    fn idle_ttl(&self) -> Duration {
        timedelta(self.policy.idle_ttl)
    }

    /// How long a session may last in all.
    #[getter]
    fn absolute_ttl(&self) -> Duration {
        timedelta(self.policy.absolute_ttl)
    }

    /// How many live sessions a subject may have.
    #[getter]
    fn max_sessions(&self) -> u32 {
        self.policy.max_sessions
    }

    /// What a sign-in meets when there are as many.
    #[getter]
    fn session_limit(&self) -> &'static str {
        match self.policy.session_limit {
            SessionLimit::EndOldest => "end_oldest",
            SessionLimit::Refuse => "refuse",
        }
    }

    /// The replay rule of sessions that ask for none and bring no commitment.
    #[getter]
    fn replay(&self) -> Replay {
        Replay { rule: self.policy.replay }
    }

    /// What a token meets that is ahead of the store.
    #[getter]
    fn store_behind(&self) -> &'static str {
        match self.policy.store_behind {
            StoreBehind::Adopt => "adopt",
            StoreBehind::Unavailable => "unavailable",
        }
    }

    /// The size limit of a session's own claims as JSON, in bytes.
    #[getter]
    fn max_claims(&self) -> usize {
        self.policy.max_claims
    }

    /// Claims that look like personal data and may be in access tokens all the same.
    #[getter]
    fn personal_claims(&self) -> Vec<String> {
        self.policy.personal_claims.clone()
    }

    /// Over how many partitions subjects are spread.
    #[getter]
    fn partitions(&self) -> u8 {
        self.policy.partitions
    }

    /// Whether each signature is verified before it leaves.
    #[getter]
    fn check_signatures(&self) -> bool {
        self.policy.check_signatures
    }

    fn __repr__(&self) -> String {
        let [access, idle, absolute] =
            [self.policy.access_ttl, self.policy.idle_ttl, self.policy.absolute_ttl].map(|ttl| ttl.get());
        format!("Policy(access_ttl={access}, idle_ttl={idle}, absolute_ttl={absolute}, …)")
    }
}
