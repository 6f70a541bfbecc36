//! The times of a rotation, refused where they do not fit together.

use super::RotationError;
use crate::session::policy::MAX_ACCESS_TTL;
use crate::time::Seconds;
use crate::token::MAX_LEEWAY;

/// How long others may keep what was published, where nothing else is said.
const DEFAULT_CACHE_LIFETIME: Seconds = Seconds::new(300);

/// How often a set is read again, where nothing else is said.
const DEFAULT_RELOAD_INTERVAL: Seconds = Seconds::new(60);

/// The longest of each: a year, as a bound that keeps dates in range.
const LONGEST: Seconds = Seconds::days(366);

/// What [`RotationPolicy::new`] is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSettings {
    /// How long others may keep the published set, `Cache-Control: max-age`; 5 minutes by default.
    pub cache_lifetime: Seconds,
    /// The longest life of a token that the keys sign; an hour by default, the most an access token may live.
    pub max_ttl: Seconds,
    /// How long it may take until every process of the issuer has read a change; a minute by default.
    pub reload_interval: Seconds,
    /// How long a key signs before the next one is published, where that is to happen by itself.
    pub period: Option<Seconds>,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self {
            cache_lifetime: DEFAULT_CACHE_LIFETIME,
            max_ttl: MAX_ACCESS_TTL,
            reload_interval: DEFAULT_RELOAD_INTERVAL,
            period: None,
        }
    }
}

/// The times of a rotation. Made by [`RotationPolicy::new`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotationPolicy {
    settings: RotationSettings,
}

impl RotationPolicy {
    /// Takes the settings where they fit together.
    ///
    /// # Errors
    /// [`RotationError::Policy`] where tokens would not live, a time is over 366 days, or the period is not longer
    /// than a key is pending.
    pub fn new(settings: RotationSettings) -> Result<Self, RotationError> {
        let policy = Self { settings };
        let RotationSettings { cache_lifetime, max_ttl, reload_interval, period } = settings;
        let longest = cache_lifetime.max(max_ttl).max(reload_interval).max(period.unwrap_or(Seconds::ZERO));
        let fits = max_ttl > Seconds::ZERO && longest <= LONGEST && period.is_none_or(|period| period > policy.lead());
        if fits { Ok(policy) } else { Err(RotationError::Policy) }
    }

    /// How long a key is pending: until every process has read it, whoever keeps the published set has fetched it
    /// again, and the fastest clock may say so.
    pub fn lead(&self) -> Seconds {
        sum([self.reload_interval, self.cache_lifetime, MAX_LEEWAY])
    }

    /// How long a key is kept after its successor began to sign: until the last token of a process that was late to
    /// hear of it has expired by the slowest clock.
    pub fn retention(&self) -> Seconds {
        sum([self.max_ttl, self.reload_interval, MAX_LEEWAY])
    }
}

impl core::ops::Deref for RotationPolicy {
    type Target = RotationSettings;

    fn deref(&self) -> &RotationSettings {
        &self.settings
    }
}

fn sum(lengths: [Seconds; 3]) -> Seconds {
    Seconds::new(lengths.iter().fold(0, |sum, length| sum.saturating_add(length.get())))
}
