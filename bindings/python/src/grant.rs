//! `Grant`, what is handed out, and `Session`, what is listed.

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTuple, PyType};
use safeconduct::Granted;
use safeconduct::core::session::exchange::Listing;
use safeconduct::core::session::issuer;
use safeconduct::core::session::state::Mode;

use crate::time::datetime;

/// What an operation hands out. Immutable; shows no token in `repr`, and cannot be pickled.
///
/// | from | access_token | refresh_token | receipt | session_token |
/// |---|---|---|---|---|
/// | `issue`, hybrid | yes | yes | | |
/// | `issue`, hybrid with a commitment | yes | | yes | |
/// | `issue`, jwt | yes | | | |
/// | `issue`, opaque | | | | yes |
/// | `refresh` | yes | yes | | |
/// | `refresh` with a commitment | unless `"repeated"` | | yes | |
/// | `amend` | hybrid, jwt | | | opaque |
///
/// Type checkers see which: `Grant[str, None, str, None]` has an access token and a receipt.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Grant {
    grant: issuer::Grant,
    outcome: &'static str,
}

impl From<Granted> for Grant {
    fn from(granted: Granted) -> Self {
        Self { grant: granted.grant, outcome: granted.outcome.reason() }
    }
}

#[pymethods]
impl Grant {
    /// A JWT for resource servers; verified locally.
    #[getter]
    fn access_token(&self) -> Option<&str> {
        self.grant.access_token.as_ref().map(|token| token.as_str())
    }

    /// The refresh token that is current now: a bearer secret.
    #[getter]
    fn refresh_token(&self) -> Option<&str> {
        self.grant.refresh_token.as_ref().map(|token| token.as_str())
    }

    /// The server's half of the refresh token, where the client drew the other: `RefreshToken.assemble`.
    #[getter]
    fn receipt(&self) -> Option<&str> {
        self.grant.receipt.as_deref()
    }

    /// The opaque session token that is current now: a bearer secret.
    #[getter]
    fn session_token(&self) -> Option<&str> {
        self.grant.session_token.as_ref().map(|token| token.as_str())
    }

    /// The session (`sid`), 22 characters: an address, not a secret.
    #[getter]
    fn session_id(&self) -> String {
        self.grant.session.to_string()
    }

    /// For how many seconds the access token is good; in mode opaque, the session if it is not used.
    #[getter]
    fn expires_in(&self) -> u64 {
        self.grant.expires_in.get()
    }

    /// What was decided.
    #[getter]
    fn outcome(&self) -> &'static str {
        self.outcome
    }

    /// `Grant` is generic in which of its tokens are there, for type checkers only.
    #[classmethod]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        py.import("types")?.getattr("GenericAlias")?.call1(PyTuple::new(py, [class.as_any(), item])?)
    }

    fn __repr__(&self) -> String {
        format!("<Grant {} session_id={}>", self.outcome, self.grant.session)
    }
}

/// A live session as its subject may see it. Times are aware, in UTC. Immutable.
#[pyclass(frozen, module = "safeconduct")]
pub(crate) struct Session {
    listing: Listing,
}

impl From<Listing> for Session {
    fn from(listing: Listing) -> Self {
        Self { listing }
    }
}

#[pymethods]
impl Session {
    /// Its identifier.
    #[getter]
    fn session_id(&self) -> String {
        self.listing.session.to_string()
    }

    /// What its bearer is given.
    #[getter]
    fn mode(&self) -> &'static str {
        match self.listing.mode {
            Mode::Hybrid => "hybrid",
            Mode::Jwt => "jwt",
            Mode::Opaque => "opaque",
        }
    }

    /// For which client it was issued.
    #[getter]
    fn client_id(&self) -> &str {
        &self.listing.client_id
    }

    /// What its bearer may do.
    #[getter]
    fn scope(&self) -> &str {
        &self.listing.scope
    }

    /// What the application noted of the device.
    #[getter]
    fn device(&self) -> Option<&str> {
        self.listing.device.as_deref()
    }

    /// Where the sign-in came from.
    #[getter]
    fn ip(&self) -> Option<&str> {
        self.listing.ip.as_deref()
    }

    /// When it was issued.
    #[getter]
    fn issued_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.listing.issued_at)
    }

    /// When its token was last replaced.
    #[getter]
    fn rotated_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.listing.rotated_at)
    }

    /// When it ends unless it is used before.
    #[getter]
    fn idle_deadline<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.listing.idle_deadline)
    }

    /// When it ends whatever happens.
    #[getter]
    fn absolute_deadline<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.listing.absolute_deadline)
    }

    fn __repr__(&self) -> String {
        format!("<Session {} {}>", self.mode(), self.listing.session)
    }
}
