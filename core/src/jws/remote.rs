//! When to fetch the keys that somebody else publishes: a machine without a network.
//!
//! [`step`] takes the [`State`], an [`Event`] and the time, and gives the next state and an [`Advice`]. A token of an
//! unknown key is a reason to fetch, since the issuer may have rotated; a stream of such tokens is none to fetch more
//! than once per cooldown, whether that succeeded or not. Of many that want a fetch one makes it. Keys that were
//! fetched too long ago are not used: whoever withdrew one could not say so.
//!
//! Each token is asked for once. Whoever has fetched or waited for it takes what there is then, by [`Event::Take`]: a
//! fetch that lasts longer than any of these times costs its caller no second one.
//!
//! Times are those of a clock that does not go back, the same for all events; no other clock needs to agree with it.

use core::fmt;

use crate::time::{Seconds, Timestamp};

/// What [`RemotePolicy::new`] is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSettings {
    /// How long after a fetch ended no other one begins, nor beside one under way; 30 s by default. One that lasts
    /// longer is taken for lost, and the next begins.
    pub cooldown: Seconds,
    /// How old the keys may be before they are fetched again; 5 minutes by default.
    pub max_age: Seconds,
    /// How old they may be where fetching fails; an hour by default. A withdrawn key is believed for so long by
    /// whoever is cut off from its issuer.
    pub max_stale: Seconds,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self { cooldown: Seconds::new(30), max_age: Seconds::new(300), max_stale: Seconds::new(3600) }
    }
}

/// When keys are fetched. Made by [`RemotePolicy::new`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemotePolicy {
    settings: RemoteSettings,
}

/// The times do not fit together: each must be a second or more, and `cooldown` ≤ `max_age` ≤ `max_stale` ≤ 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemotePolicyError;

impl RemotePolicyError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        "remote_policy"
    }
}

impl fmt::Display for RemotePolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the times do not fit together: 1 s <= cooldown <= max_age <= max_stale <= 7 days")
    }
}

impl core::error::Error for RemotePolicyError {}

impl RemotePolicy {
    /// Takes the settings where they fit together.
    ///
    /// # Errors
    /// [`RemotePolicyError`].
    pub fn new(settings: RemoteSettings) -> Result<Self, RemotePolicyError> {
        let RemoteSettings { cooldown, max_age, max_stale } = settings;
        let fits = cooldown > Seconds::ZERO && cooldown <= max_age && max_age <= max_stale;
        if fits && max_stale <= Seconds::days(7) { Ok(Self { settings }) } else { Err(RemotePolicyError) }
    }
}

impl core::ops::Deref for RemotePolicy {
    type Target = RemoteSettings;

    fn deref(&self) -> &RemoteSettings {
        &self.settings
    }
}

/// What is known about the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// When the fetch began that brought the keys.
    fetched: Option<Timestamp>,
    /// When a fetch last began or ended: the cooldown counts from here.
    stirred: Option<Timestamp>,
    /// When the last fetch began, where its end is still to come.
    under_way: Option<Timestamp>,
}

impl State {
    /// Whether the keys are those of the fetch that began then.
    pub fn has_keys_of(&self, began: Timestamp) -> bool {
        self.fetched == Some(began)
    }

    /// When the fetch began whose end is still to come.
    pub const fn under_way(&self) -> Option<Timestamp> {
        self.under_way
    }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A token is to be verified.
    Ask {
        /// Whether the keys have the one that it names, as far as that is known.
        is_known: bool,
    },
    /// Whoever was told to fetch or to wait has done so, well or not.
    Take,
    /// The fetch that began then has brought keys.
    Fetched {
        /// The time at which it was advised.
        began: Timestamp,
    },
    /// The fetch that began then has brought none, or none that can be used.
    Failed {
        /// The time at which it was advised.
        began: Timestamp,
    },
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Verify by the keys that are there. After [`Event::Fetched`]: by those that it brought.
    Use,
    /// Fetch, say how it ended, and [`Event::Take`].
    Fetch,
    /// Wait for the fetch that is under way, and [`Event::Take`].
    Wait,
    /// There are no keys to use: neither accept nor refuse the token.
    Unavailable,
}

/// What follows from an event.
pub fn step(state: State, event: Event, now: Timestamp, policy: &RemotePolicy) -> (State, Advice) {
    match event {
        Event::Ask { is_known } => ask(state, is_known, now, policy),
        Event::Take => (state, usable(state, now, policy)),
        // A fetch that lasted longer than the cooldown may be overtaken by a later one.
        Event::Fetched { began } if state.fetched.is_some_and(|fetched| fetched > began) => {
            let state = ended(state, began, now);
            (state, usable(state, now, policy))
        }
        Event::Fetched { began } => (State { fetched: Some(began), ..ended(state, began, now) }, Advice::Use),
        Event::Failed { began } => {
            let state = ended(state, began, now);
            (state, usable(state, now, policy))
        }
    }
}

fn ask(state: State, is_known: bool, now: Timestamp, policy: &RemotePolicy) -> (State, Advice) {
    let is_young = state.fetched.is_some_and(|fetched| now < fetched.plus(policy.max_age));
    if is_known && is_young {
        return (state, Advice::Use);
    }
    let has_cooled = state.stirred.is_none_or(|stirred| now >= stirred.plus(policy.cooldown));
    if has_cooled {
        return (State { stirred: Some(now), under_way: Some(now), ..state }, Advice::Fetch);
    }
    let usable = usable(state, now, policy);
    // Old keys will do for what they know; whoever needs others waits for them.
    let wait = state.under_way.is_some() && !(is_known && usable == Advice::Use);
    (state, if wait { Advice::Wait } else { usable })
}

fn usable(state: State, now: Timestamp, policy: &RemotePolicy) -> Advice {
    let is_usable = state.fetched.is_some_and(|fetched| now < fetched.plus(policy.max_stale));
    if is_usable { Advice::Use } else { Advice::Unavailable }
}

fn ended(state: State, began: Timestamp, now: Timestamp) -> State {
    State { stirred: Some(now), under_way: state.under_way.filter(|last| *last != began), ..state }
}
