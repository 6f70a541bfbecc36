//! One decision in the making: what is outstanding, what the host is to do.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::client::action::{Action, Notice, Outcome, Request, Step};
use crate::client::event::{Context, NewAccess};
use crate::client::record::{self, Version};
use crate::client::state::{Access, Held, MAX_ACCESS_LEN, MAX_OWED, Owed, Pending, Rule, Sent, Stage, State, Why};
use crate::secret::Secret;
use crate::time::{Seconds, Timestamp};

pub(super) struct Turn<'t, 'c> {
    pub(super) pending: Pending,
    pub(super) actions: Vec<Action>,
    pub(super) context: &'t mut Context<'c>,
}

impl Turn<'_, '_> {
    pub(super) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// The client goes to `stage`.
    pub(super) fn to(self, stage: Stage, outcome: Outcome) -> Step {
        Step { state: State { stage, pending: self.pending }, actions: self.actions, outcome }
    }

    /// Reads storage, unless that is under way.
    pub(super) fn read(&mut self) {
        if !self.pending.reading {
            self.pending.reading = true;
            self.actions.push(Action::Read);
        }
    }

    /// Writes the session, where storage still holds what it held.
    pub(super) fn persist_held(&mut self, held: &Held) {
        self.persist(Some(record::write_held(held, &self.pending.owed)));
    }

    /// Writes that there is no session, where storage still holds what it held. `also` is owed with it.
    pub(super) fn persist_ended(&mut self, why: Why, also: Option<&Held>) {
        let owed = self.pending.owed.iter().map(Owed::copy);
        let also = also.map(|held| Owed::of(&held.token));
        let owed: Vec<Owed> = owed.filter(|owed| also.as_ref().is_none_or(|also| !also.is_of(owed))).collect();
        let owed: Vec<Owed> = owed.into_iter().chain(also).collect();
        self.persist(record::write_ended(why, &owed));
    }

    fn persist(&mut self, record: Option<Zeroizing<Vec<u8>>>) {
        self.pending.writing = Some(Version::of(record.as_ref().map(|bytes| bytes.as_slice())));
        self.actions.push(Action::Persist { expected: self.pending.stored, record });
    }

    /// Sends a refresh with what is held, which is durable.
    pub(super) fn send(&mut self, held: Held, tries: u32, challenge: Option<String>) -> Stage {
        let (next_commitment, nonce) = match &held.rule {
            Rule::Committed { next } => (Some(next.commitment()), None),
            Rule::Window => (None, None),
            Rule::Bound { nonce } => (None, nonce.clone()),
        };
        let asked_again = challenge.is_some();
        let (attempt, token) = (held.attempt(), held.token.to_text());
        self.actions.push(Action::Send(Request::Refresh { attempt, token, next_commitment, challenge, nonce }));
        Stage::Refreshing(Sent { held, at: self.now(), tries, asked_again })
    }

    /// Sends every revoke that is owed.
    pub(super) fn send_owed(&mut self) {
        for owed in &self.pending.owed {
            self.actions.push(revoke(owed));
        }
    }

    pub(super) fn owe(&mut self, owed: Owed) {
        if self.pending.owed.iter().any(|other| other.is_of(&owed)) {
            return;
        }
        if self.pending.owed.len() >= MAX_OWED {
            self.pending.owed.remove(0);
        }
        self.pending.owed.push(owed);
    }

    /// Waits after `tries` tries that failed.
    pub(super) fn wait(&mut self, tries: u32, at_least: Seconds) {
        let dice = u16::from_be_bytes(self.context.entropy.draw());
        let length = self.context.policy.wait(tries, at_least, dice);
        self.actions.push(Action::Wait(length));
    }

    /// Tells the application, which answers whoever waits for an access token.
    pub(super) fn notify(&mut self, notice: Notice) {
        if notice != Notice::SignedIn {
            self.pending.asked = false;
        }
        self.actions.push(Action::Notify(notice));
    }

    /// As [`Self::notify`], where somebody waits.
    pub(super) fn answer(&mut self, notice: Notice) {
        if self.pending.asked {
            self.notify(notice);
        }
    }

    /// Delivers the access token at hand, whatever the clock says, where somebody waits for one.
    pub(super) fn deliver(&mut self, held: &Held) {
        if let Some(access) = held.access.as_ref().filter(|_| self.pending.asked) {
            self.pending.asked = false;
            self.actions.push(Action::Deliver(access.token.clone()));
        }
    }

    pub(super) fn draw(&mut self) -> Secret {
        Secret::new(*Zeroizing::new(self.context.entropy.draw()))
    }
}

/// An access token, anchored at the time when its request was sent.
pub(super) fn anchored(access: Option<NewAccess>, since: Timestamp) -> Option<Access> {
    let NewAccess { token, expires_in } = access?;
    (token.len() <= MAX_ACCESS_LEN).then_some(Access { token, since, lifetime: expires_in })
}

pub(super) fn revoke(owed: &Owed) -> Action {
    Action::Send(Request::Revoke { attempt: owed.attempt, token: owed.token.clone() })
}
