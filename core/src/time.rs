//! Points in time and lengths of time, as types.
//!
//! A [`Timestamp`] is Unix milliseconds, a [`Seconds`] is a length. Nothing here reads a clock: `now`
//! is an argument wherever it matters. All arithmetic saturates, so no deadline can wrap round.

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The end of time: no deadline lies beyond it.
    pub const MAX: Self = Self(u64::MAX);

    /// From Unix milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From Unix seconds, as a JWT `NumericDate` counts them ([RFC 7519 section 2]).
    ///
    /// [RFC 7519 section 2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Unix milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Unix seconds, rounded down.
    pub const fn as_unix_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This point, `length` later.
    #[must_use]
    pub const fn plus(self, length: Seconds) -> Self {
        Self(self.0.saturating_add(length.as_millis()))
    }

    /// This point, `length` earlier; never before 1970.
    #[must_use]
    pub const fn minus(self, length: Seconds) -> Self {
        Self(self.0.saturating_sub(length.as_millis()))
    }

    /// Whether less than `length` has passed since `earlier`. A clock that stepped back counts as no
    /// time passed, and a `length` of zero is never "less than": the answer is then always `false`.
    pub const fn is_within(self, length: Seconds, earlier: Self) -> bool {
        self.0.saturating_sub(earlier.0) < length.as_millis()
    }

    /// Whole seconds from this point until `later`, rounded down; zero where `later` is past.
    pub const fn seconds_until(self, later: Self) -> Seconds {
        Seconds(later.0.saturating_sub(self.0) / 1000)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u64);

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many seconds.
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self(days.saturating_mul(86_400))
    }

    /// The number of seconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0.saturating_mul(1000)
    }
}
