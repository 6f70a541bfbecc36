//! The whole client on one page: every phase against every event.
//!
//! What storage says is taken in by `storage`, what the server says by `answer`; everything else is here.

use alloc::string::String;
use alloc::vec::Vec;

use crate::client::action::{Notice, Outcome, Step};
use crate::client::answer::answered;
use crate::client::end::{end, ended};
use crate::client::event::{Context, Event, Fault, Issued, SignedIn};
use crate::client::state::{Held, Owed, Pending, Rule, Sent, Stage, State, Why};
use crate::client::storage;
use crate::client::turn::{Turn, anchored};
use crate::time::Seconds;

/// Decides what `event` does to a client. Pure and total: no I/O, clock, randomness or panic.
///
/// # Security
/// Carry the actions out in their order. A host that sends before the write before it was acknowledged
/// can be taken for a thief by the server after its next crash.
pub fn transition(state: State, event: Event, context: &mut Context<'_>) -> Step {
    use Event as E;
    use Outcome as O;
    use Stage as S;

    let State { stage, pending } = state;
    let mut turn = Turn { pending, actions: Vec::new(), context };
    let debts = turn.pending.owed.len();
    if !is_awaited(&mut turn.pending, &event) {
        return turn.to(stage, O::Dropped);
    }
    match (stage, event) {
        // From Unavailable.
        (stage @ S::Unavailable { .. }, E::Wake | E::Reconnect) => {
            turn.read();
            turn.to(stage, O::Read)
        }
        (stage @ S::Unavailable { .. }, E::Ask | E::Reject(_)) => {
            turn.pending.asked = true;
            turn.read();
            turn.to(stage, O::Read)
        }
        (S::Unavailable { fault: Some(Fault::Damaged), .. }, E::SignIn(new)) => sign_in(turn, *new),
        (S::Unavailable { fault: Some(Fault::Damaged), .. }, E::SignOut) => {
            turn.persist_ended(Why::SignedOut, None);
            turn.notify(Notice::SignIn(Why::SignedOut));
            turn.to(S::SignedOut, O::SignedOut)
        }
        (stage @ S::Unavailable { fault, .. }, E::SignIn(_) | E::SignOut) => {
            turn.notify(Notice::Storage(fault.unwrap_or(Fault::Failed)));
            turn.to(stage, O::Refused)
        }
        (S::Unavailable { .. }, E::Loaded(bytes)) => storage::loaded_anew(turn, bytes),
        (S::Unavailable { tries, .. }, E::Unreadable(fault)) => storage::unreadable(turn, fault, tries),

        // From SignedOut and Reauthenticate.
        (stage @ (S::SignedOut | S::Reauthenticate { .. }), E::Ask | E::Reject(_)) => {
            // Another process may have signed in since.
            turn.pending.asked = true;
            turn.read();
            turn.to(stage, O::Read)
        }
        (S::SignedOut | S::Reauthenticate { .. }, E::SignIn(new)) => sign_in(turn, *new),
        (S::Reauthenticate { .. }, E::SignOut) => {
            turn.persist_ended(Why::SignedOut, None);
            turn.to(S::SignedOut, O::SignedOut)
        }
        (S::SignedOut, E::SignOut) => turn.to(S::SignedOut, O::SignedOut),
        (S::SignedOut | S::Reauthenticate { .. }, E::Loaded(bytes)) => storage::loaded_anew(turn, bytes),
        (S::SignedOut | S::Reauthenticate { .. }, E::Unreadable(fault)) => storage::unreadable(turn, fault, 0),
        (stage @ (S::SignedOut | S::Reauthenticate { .. }), E::Revoked(_)) if turn.pending.owed.len() < debts => {
            // The record is rid of the debt too; where that fails, the revoke is sent once more some day.
            let why = if let S::Reauthenticate { why } = stage { why } else { Why::SignedOut };
            turn.persist_ended(why, None);
            turn.to(stage, O::Revoked)
        }
        (stage @ (S::SignedOut | S::Reauthenticate { .. }), E::Conflict(_)) => {
            turn.read();
            turn.to(stage, O::Read)
        }

        // From SigningIn.
        (S::SigningIn { held, .. }, E::Written(_)) => {
            turn.notify(Notice::SignedIn);
            turn.send_owed();
            turn.deliver(&held);
            turn.to(S::Active { held }, O::SignedIn)
        }
        (S::SigningIn { held, .. }, E::SignOut) => end(turn, held, Why::SignedOut),
        (S::SigningIn { held, tries }, E::Loaded(bytes)) => storage::loaded_signing_in(turn, held, tries, bytes),

        // From Active.
        (S::Active { held }, E::Ask) => ask(turn, held),
        (S::Active { held }, E::Reject(refused)) => {
            let held = without(held, &refused);
            ask(turn, held)
        }
        (S::Active { held }, E::Loaded(bytes)) => storage::loaded_active(turn, held, bytes),

        // From Looking: nothing is sent before storage was read.
        (S::Looking { held, tries, challenge }, E::Loaded(bytes)) => {
            storage::loaded_looking(turn, held, tries, challenge, bytes)
        }
        (S::Looking { tries, .. }, E::Unreadable(fault)) => storage::unreadable(turn, fault, tries),

        // From Refreshing and Ambiguous: an answer may come late.
        (S::Refreshing(sent) | S::Ambiguous(sent), E::Replied(attempt, reply))
            if attempt == sent.held.attempt() =>
        {
            answered(turn, sent, *reply)
        }
        (S::Refreshing(sent), E::Lost(attempt)) if attempt == sent.held.attempt() => {
            again_later(turn, sent, Seconds::ZERO)
        }
        (S::Ambiguous(sent), E::Wake | E::Reconnect) => look(turn, sent.held, sent.tries, None),

        // From Storing.
        (S::Storing { held, tries }, E::Written(_)) => {
            turn.deliver(&held);
            rotate_or_rest(turn, held, tries)
        }
        (S::Storing { held, tries }, E::Loaded(bytes)) => storage::loaded_storing(turn, held, tries, bytes),

        // From Ending.
        (S::Ending { held, why, acknowledged, .. }, E::Written(_)) => ended(turn, &held, why, acknowledged),
        (S::Ending { held, why, acknowledged, tries }, E::Loaded(bytes)) => {
            storage::loaded_ending(turn, held, why, acknowledged, tries, bytes)
        }
        (S::Ending { held, why, tries, .. }, E::Revoked(attempt)) if attempt.session == held.attempt().session => {
            turn.to(S::Ending { held, why, acknowledged: true, tries }, O::Revoked)
        }
        (S::Ending { held, acknowledged, tries, .. }, E::SignOut) => {
            turn.notify(Notice::SignIn(Why::SignedOut));
            turn.to(S::Ending { held, why: Why::SignedOut, acknowledged, tries }, O::SignedOut)
        }
        (stage @ S::Ending { why: Why::SignedOut, .. }, E::Ask | E::Reject(_)) => {
            turn.notify(Notice::SignIn(Why::SignedOut));
            turn.to(stage, O::SignedOut)
        }
        (stage @ S::Ending { .. }, E::Ask | E::Reject(_)) => {
            turn.pending.asked = true;
            turn.to(stage, O::Queued)
        }

        // Whatever is written: somebody else wrote meanwhile, or nobody knows.
        (stage @ (S::SigningIn { .. } | S::Storing { .. } | S::Ending { .. }), E::Conflict(_)) => {
            turn.read();
            turn.to(stage, O::Read)
        }
        (stage @ (S::SigningIn { .. } | S::Storing { .. } | S::Ending { .. }), E::Wake | E::Reconnect) => {
            if turn.pending.writing.is_none() {
                turn.read();
            }
            turn.to(stage, O::Read)
        }
        (
            stage @ (S::SigningIn { .. } | S::Storing { .. } | S::Ending { .. }),
            E::Unwritten(_, fault) | E::Unreadable(fault),
        ) => storage::unwritten(turn, stage, fault),

        // Whatever is under way: an access token that has not expired is good until the next one comes.
        (S::SigningIn { held, tries }, E::Ask) => queued(turn, held, |held| S::SigningIn { held, tries }),
        (S::Looking { held, tries, challenge }, E::Ask) => {
            queued(turn, held, |held| S::Looking { held, tries, challenge })
        }
        (S::Refreshing(sent), E::Ask) => {
            queued(turn, sent.held, |held| S::Refreshing(Sent { held, ..sent }))
        }
        (S::Ambiguous(sent), E::Ask) => waited(turn, sent),
        (S::Storing { held, tries }, E::Ask) => queued(turn, held, |held| S::Storing { held, tries }),
        (S::SigningIn { held, tries }, E::Reject(refused)) => {
            queued(turn, without(held, &refused), |held| S::SigningIn { held, tries })
        }
        (S::Looking { held, tries, challenge }, E::Reject(refused)) => {
            queued(turn, without(held, &refused), |held| S::Looking { held, tries, challenge })
        }
        (S::Refreshing(sent), E::Reject(refused)) => {
            queued(turn, without(sent.held, &refused), |held| S::Refreshing(Sent { held, ..sent }))
        }
        (S::Ambiguous(sent), E::Reject(refused)) => {
            let held = without(sent.held, &refused);
            waited(turn, Sent { held, ..sent })
        }
        (S::Storing { held, tries }, E::Reject(refused)) => {
            queued(turn, without(held, &refused), |held| S::Storing { held, tries })
        }

        // Whatever is under way: the user goes, or comes anew.
        (
            S::Active { held }
            | S::Looking { held, .. }
            | S::Refreshing(Sent { held, .. })
            | S::Ambiguous(Sent { held, .. })
            | S::Storing { held, .. },
            E::SignOut,
        ) => end(turn, held, Why::SignedOut),
        (
            S::SigningIn { held, .. }
            | S::Active { held }
            | S::Looking { held, .. }
            | S::Refreshing(Sent { held, .. })
            | S::Ambiguous(Sent { held, .. })
            | S::Storing { held, .. }
            | S::Ending { held, .. },
            E::SignIn(new),
        ) => {
            turn.owe(Owed::of(&held.token));
            sign_in(turn, *new)
        }

        // Revokes that are owed, in phases where nothing has to come before them.
        (stage @ (S::SignedOut | S::Active { .. } | S::Reauthenticate { .. }), E::Wake | E::Reconnect) => {
            turn.send_owed();
            let outcome = if turn.actions.is_empty() { O::Dropped } else { O::Sent };
            turn.to(stage, outcome)
        }
        (
            stage @ (S::Unavailable { .. }
            | S::SigningIn { .. }
            | S::Active { .. }
            | S::Looking { .. }
            | S::Refreshing(_)
            | S::Ambiguous(_)
            | S::Storing { .. }
            | S::Ending { .. }),
            E::Revoked(_),
        ) => turn.to(stage, O::Revoked),
        (
            stage @ (S::SignedOut
            | S::Active { .. }
            | S::Looking { .. }
            | S::Refreshing(_)
            | S::Reauthenticate { .. }),
            E::Unrevoked(_),
        ) => {
            turn.wait(u32::MAX, Seconds::ZERO);
            turn.to(stage, O::Waiting)
        }

        // The record is as it should be, or will be written with the next change.
        (stage @ (S::SignedOut | S::Reauthenticate { .. }), E::Written(_) | E::Unwritten(..)) => {
            turn.to(stage, O::Persisted)
        }

        // What means nothing here.
        (
            stage @ (S::Unavailable { .. }
            | S::Active { .. }
            | S::Looking { .. }
            | S::Refreshing(_)
            | S::Ambiguous(_)),
            E::Written(_) | E::Conflict(_) | E::Unwritten(..),
        )
        | (stage @ (S::SignedOut | S::Reauthenticate { .. }), E::Revoked(_))
        | (stage @ (S::Looking { .. } | S::Refreshing(_)), E::Wake | E::Reconnect)
        | (stage @ (S::Refreshing(_) | S::Ambiguous(_)), E::Loaded(_))
        | (stage @ (S::Active { .. } | S::Refreshing(_) | S::Ambiguous(_)), E::Unreadable(_))
        // These wait for something of their own, after which what is owed is sent again.
        | (
            stage @ (S::Unavailable { .. }
            | S::SigningIn { .. }
            | S::Ambiguous(_)
            | S::Storing { .. }
            | S::Ending { .. }),
            E::Unrevoked(_),
        )
        | (stage, E::Replied(..) | E::Lost(_)) => turn.to(stage, O::Dropped),
    }
}

/// Takes note of what an event answers; answers to nothing outstanding are dropped.
fn is_awaited(pending: &mut Pending, event: &Event) -> bool {
    match event {
        Event::Loaded(_) | Event::Unreadable(_) => {
            pending.reading = false;
            true
        }
        Event::Written(version) | Event::Conflict(version) | Event::Unwritten(version, _) => {
            if pending.writing != Some(*version) {
                return false;
            }
            pending.writing = None;
            if matches!(event, Event::Written(_)) {
                pending.stored = *version;
            }
            true
        }
        Event::Revoked(attempt) => {
            pending.owed.retain(|owed| owed.attempt.session != attempt.session);
            true
        }
        Event::Wake
        | Event::Reconnect
        | Event::Ask
        | Event::Reject(_)
        | Event::SignIn(_)
        | Event::SignOut
        | Event::Replied(..)
        | Event::Lost(_)
        | Event::Unrevoked(_) => true,
    }
}

/// A session that was issued is written before it is used, over whatever was there.
fn sign_in(mut turn: Turn<'_, '_>, new: SignedIn) -> Step {
    let rule = match new.rule {
        Issued::Committed => Rule::Committed { next: turn.draw() },
        Issued::Window => Rule::Window,
        Issued::Bound(nonce) => Rule::Bound { nonce },
    };
    let held = Held { token: new.token, rule, access: anchored(new.access, new.sent_at) };
    turn.persist_held(&held);
    turn.to(Stage::SigningIn { held, tries: 0 }, Outcome::Persisted)
}

/// An access token is asked for while nothing is outstanding.
fn ask(mut turn: Turn<'_, '_>, held: Held) -> Step {
    turn.pending.asked = true;
    let (now, policy) = (turn.now(), turn.context.policy);
    if held.is_alive(now) {
        turn.deliver(&held);
    }
    if held.is_fresh(now, policy) {
        return turn.to(Stage::Active { held }, Outcome::Delivered);
    }
    look(turn, held, 0, None)
}

/// An access token is asked for while something is under way, but while a write is, which decides it.
fn queued(mut turn: Turn<'_, '_>, held: Held, stage: impl FnOnce(Held) -> Stage) -> Step {
    turn.pending.asked = true;
    if turn.pending.writing.is_some() || !held.is_alive(turn.now()) {
        return turn.to(stage(held), Outcome::Queued);
    }
    turn.deliver(&held);
    turn.to(stage(held), Outcome::Delivered)
}

/// An access token is asked for while the server does not answer.
fn waited(mut turn: Turn<'_, '_>, sent: Sent) -> Step {
    let is_patient = sent.tries < turn.context.policy.patience;
    if !is_patient && !sent.held.is_alive(turn.now()) {
        turn.notify(Notice::Unreachable);
        return turn.to(Stage::Ambiguous(sent), Outcome::Queued);
    }
    let (at, tries, asked_again) = (sent.at, sent.tries, sent.asked_again);
    queued(turn, sent.held, |held| Stage::Ambiguous(Sent { held, at, tries, asked_again }))
}

/// Without the access token that was refused; a newer one stays.
fn without(held: Held, refused: &str) -> Held {
    let access = held.access.filter(|access| *access.token != *refused);
    Held { access, ..held }
}

/// Storage is read before anything is sent: another process may have moved on, or signed out.
pub(super) fn look(mut turn: Turn<'_, '_>, held: Held, tries: u32, challenge: Option<String>) -> Step {
    turn.read();
    turn.to(Stage::Looking { held, tries, challenge }, Outcome::Read)
}

/// What was sent is sent again, later and unchanged.
pub(super) fn again_later(mut turn: Turn<'_, '_>, sent: Sent, at_least: Seconds) -> Step {
    turn.wait(sent.tries, at_least);
    let tries = sent.tries.saturating_add(1);
    if tries >= turn.context.policy.patience {
        turn.answer(Notice::Unreachable);
    }
    turn.to(Stage::Ambiguous(Sent { tries, ..sent }), Outcome::Waiting)
}

/// What is held is durable. A repeat brought no access token, so the token is rotated at once.
pub(super) fn rotate_or_rest(mut turn: Turn<'_, '_>, held: Held, tries: u32) -> Step {
    if held.access.is_some() {
        turn.send_owed();
        return turn.to(Stage::Active { held }, Outcome::Adopted);
    }
    if tries > turn.context.policy.patience {
        let at = turn.now();
        return again_later(turn, Sent { held, at, tries, asked_again: false }, Seconds::ZERO);
    }
    let stage = turn.send(held, tries, None);
    turn.to(stage, Outcome::Sent)
}
