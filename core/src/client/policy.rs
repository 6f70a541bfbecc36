//! When a client refreshes, and how long it waits between tries.

use core::time::Duration;

use crate::time::Seconds;

/// The rules of a client. None of them can sign anybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long before its end an access token is replaced, at most a quarter of its life; 60 s by default.
    pub margin: Seconds,
    /// The first wait after a try that failed; each further one is twice as long. 1 s by default.
    pub first_wait: Seconds,
    /// The longest such wait; 5 minutes by default.
    pub longest_wait: Seconds,
    /// After so many tries whoever waits for an access token is told that there is none yet; 3 by default.
    pub patience: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { margin: Seconds::new(60), first_wait: Seconds::new(1), longest_wait: Seconds::new(300), patience: 3 }
    }
}

impl Policy {
    /// The wait after `tries` tries that failed: from half of it to all of it, by `dice`, so that clients
    /// which lost the server at once do not come back at once.
    pub(super) fn wait(&self, tries: u32, at_least: Seconds, dice: u16) -> Duration {
        let doubled = self.first_wait.as_millis().saturating_mul(1_u64.checked_shl(tries.min(32)).unwrap_or(u64::MAX));
        let whole = doubled.min(self.longest_wait.as_millis());
        let half = whole / 2;
        let jitter = whole.saturating_sub(half).saturating_mul(u64::from(dice)) / 65_536;
        Duration::from_millis(half.saturating_add(jitter).max(at_least.as_millis()))
    }
}
