//! The rules of a deployment, refused where they would be unsafe.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::session::state::{Late, Replay, Window};
use crate::time::Seconds;

/// The longest life of an access token. Verifiers refuse a longer one, so that revocation entries need
/// not be kept longer.
pub const MAX_ACCESS_TTL: Seconds = Seconds::new(3600);

/// The widest window of [`Replay::Window`]: what it lets through is theft that nobody sees.
pub const MAX_WINDOW: Seconds = Seconds::new(60);

/// The longest that a session may last in all.
pub const MAX_ABSOLUTE_TTL: Seconds = Seconds::days(400);

/// What is written back of the idle deadline of an opaque session: at most one change in so long.
pub const IDLE_GRAIN: Seconds = Seconds::new(60);

/// The rules of a deployment. Made by [`Policy::new`], which refuses what would be unsafe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    settings: Settings,
}

/// What [`Policy::new`] is given; [`Settings::default`] is what most want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The life of an access token. 1 s to 1 h; 10 minutes by default.
    pub access_ttl: Seconds,
    /// How long a session may lie unused. At least the life of an access token; 30 days by default.
    pub idle_ttl: Seconds,
    /// How long a session may last in all. At least `idle_ttl`, at most 400 days; 180 days by default.
    pub absolute_ttl: Seconds,
    /// How many live sessions a subject may have. 1 to 1000; 100 by default.
    pub max_sessions: u32,
    /// What a sign-in meets when there are as many.
    pub session_limit: SessionLimit,
    /// The replay rule of sessions that ask for none and bring no commitment.
    pub replay: Replay,
    /// What a token meets that is ahead of the store.
    pub store_behind: StoreBehind,
    /// The size limit of a session's own claims as JSON, in bytes. At most 4096; 1024 by default.
    pub max_claims: usize,
    /// Claims that look like personal data and may be in access tokens all the same; `sub` stands for
    /// a subject that looks like an e-mail address or a telephone number.
    pub personal_claims: Vec<String>,
    /// Whether each signature is verified before it leaves ([`sign_checked`](crate::jws::sign_checked)), against
    /// attacks by faults; not by default: it costs a verification.
    pub check_signatures: bool,
    /// Over how many partitions subjects are spread. 1 to 255; fixed for the life of a store; 16 by default.
    pub partitions: u8,
}

/// What a sign-in meets when the subject has as many sessions as the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionLimit {
    /// The session that was used longest ago is revoked.
    EndOldest,
    /// The sign-in is refused.
    Refuse,
}

/// What a token meets that is ahead of the store, which must then have gone back to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreBehind {
    /// The token's generation is adopted and the session goes on.
    Adopt,
    /// The answer is `store_behind` (503): try again later. Nobody is signed out.
    Unavailable,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_ttl: Seconds::new(600),
            idle_ttl: Seconds::days(30),
            absolute_ttl: Seconds::days(180),
            max_sessions: 100,
            session_limit: SessionLimit::EndOldest,
            replay: Replay::Window(Window { width: Seconds::new(10), late: Late::Challenge }),
            store_behind: StoreBehind::Adopt,
            max_claims: 1024,
            personal_claims: Vec::new(),
            check_signatures: false,
            partitions: 16,
        }
    }
}

impl Policy {
    /// Takes the settings where they are safe together.
    ///
    /// # Errors
    /// [`PolicyError`] says which combination is refused and why.
    pub fn new(settings: Settings) -> Result<Self, PolicyError> {
        if settings.access_ttl == Seconds::ZERO || settings.access_ttl > MAX_ACCESS_TTL {
            return Err(PolicyError::AccessTtl);
        }
        if settings.idle_ttl < settings.access_ttl {
            return Err(PolicyError::IdleBelowAccess);
        }
        if settings.absolute_ttl < settings.idle_ttl {
            return Err(PolicyError::AbsoluteBelowIdle);
        }
        if settings.absolute_ttl > MAX_ABSOLUTE_TTL {
            return Err(PolicyError::AbsoluteTtl);
        }
        if settings.max_sessions == 0 || settings.max_sessions > 1000 {
            return Err(PolicyError::MaxSessions);
        }
        if settings.max_claims > 4096 {
            return Err(PolicyError::MaxClaims);
        }
        if settings.partitions == 0 {
            return Err(PolicyError::Partitions);
        }
        let policy = Self { settings };
        policy.allows(policy.replay)?;
        Ok(policy)
    }

    /// Whether a session may be issued under `replay`.
    ///
    /// # Errors
    /// [`PolicyError::Window`], [`PolicyError::WindowBeyondAccess`].
    pub fn allows(&self, replay: Replay) -> Result<(), PolicyError> {
        match replay {
            Replay::Committed | Replay::Bound => Ok(()),
            Replay::Window(window) if window.width > MAX_WINDOW => Err(PolicyError::Window),
            Replay::Window(window) if window.width >= self.access_ttl => Err(PolicyError::WindowBeyondAccess),
            Replay::Window(_) => Ok(()),
        }
    }

    /// How far an idle deadline must move before it is written for an opaque session.
    pub fn idle_grain(&self) -> Seconds {
        IDLE_GRAIN.min(Seconds::new(self.idle_ttl.get() / 4))
    }
}

impl core::ops::Deref for Policy {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// Why a policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The life of an access token is not from one second to one hour.
    AccessTtl,
    /// A session would end before its access token.
    IdleBelowAccess,
    /// A session would end before it could lie idle so long.
    AbsoluteBelowIdle,
    /// A session would last longer than 400 days.
    AbsoluteTtl,
    /// The number of sessions is not from 1 to 1000.
    MaxSessions,
    /// Claims would be larger than a token may be.
    MaxClaims,
    /// There would be nowhere to put a record.
    Partitions,
    /// The window is wider than 60 seconds.
    Window,
    /// The window is not shorter than the life of an access token.
    WindowBeyondAccess,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessTtl => {
                "access_ttl must be from 1 second to 1 hour: revocation entries are kept only so long as an access \
                 token can live"
            }
            Self::IdleBelowAccess => {
                "idle_ttl must be at least access_ttl: a session would expire while its access token is still good"
            }
            Self::AbsoluteBelowIdle => {
                "absolute_ttl must be at least idle_ttl: the idle deadline could never be reached"
            }
            Self::AbsoluteTtl => {
                "absolute_ttl must be at most 400 days: a session that never ends cannot be recovered \
                                  from theft"
            }
            Self::MaxSessions => "max_sessions must be from 1 to 1000",
            Self::MaxClaims => "max_claims must be at most 4096 bytes: access tokens travel with every request",
            Self::Partitions => "partitions must be from 1 to 255",
            Self::Window => "a replay window must be at most 60 seconds: within it a thief goes unseen",
            Self::WindowBeyondAccess => {
                "a replay window must be shorter than access_ttl: otherwise every refresh falls into it and nothing is \
                 ever rotated"
            }
        })
    }
}

impl core::error::Error for PolicyError {}
