//! What storage says: the newest generation wins, and another process's session or sign-out is taken over.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::client::action::{Notice, Outcome, Step};
use crate::client::end::{end, ended};
use crate::client::event::Fault;
use crate::client::record::{self, Content, Version};
use crate::client::state::{Held, Owed, Stage, Why};
use crate::client::transition::rotate_or_rest;
use crate::client::turn::{Turn, revoke};
use crate::time::Seconds;

type Bytes = Option<Zeroizing<Vec<u8>>>;

/// Reads what storage holds. What it owes is owed from now on.
fn open(turn: &mut Turn<'_, '_>, bytes: Bytes) -> Result<Content, Fault> {
    turn.pending.stored = version(&bytes);
    let Some(bytes) = bytes else { return Ok(Content::Ended(Why::SignedOut)) };
    let record = record::read(&bytes)?;
    for owed in record.owed {
        turn.owe(owed);
    }
    Ok(record.content)
}

fn version(bytes: &Bytes) -> Version {
    Version::of(bytes.as_ref().map(|bytes| bytes.as_slice()))
}

/// A process that knows nothing of a session takes over what storage holds.
pub(super) fn loaded_anew(mut turn: Turn<'_, '_>, bytes: Bytes) -> Step {
    match open(&mut turn, bytes) {
        Ok(Content::Held(held)) => {
            turn.send_owed();
            if turn.pending.asked {
                return serve(turn, held, 0, None);
            }
            turn.to(Stage::Active { held }, Outcome::Adopted)
        }
        Ok(Content::Ended(why)) => {
            turn.send_owed();
            turn.answer(Notice::SignIn(why));
            turn.to(over(why), Outcome::SignedOut)
        }
        Err(fault) => unreadable(turn, fault, 0),
    }
}

/// What storage holds is not known. Nobody is signed out.
pub(super) fn unreadable(mut turn: Turn<'_, '_>, fault: Fault, tries: u32) -> Step {
    turn.answer(Notice::Storage(fault));
    if matches!(fault, Fault::Locked | Fault::Failed) {
        turn.wait(tries, Seconds::ZERO);
    }
    turn.to(Stage::Unavailable { fault: Some(fault), tries: tries.saturating_add(1) }, Outcome::Waiting)
}

/// Another process changed storage while this one rested.
pub(super) fn loaded_active(mut turn: Turn<'_, '_>, held: Held, bytes: Bytes) -> Step {
    if version(&bytes) == turn.pending.stored {
        return turn.to(Stage::Active { held }, Outcome::Dropped);
    }
    match open(&mut turn, bytes) {
        Ok(found) if is_behind(&found, &held) => rewrite(turn, held, 0),
        Ok(Content::Held(held)) => turn.to(Stage::Active { held }, Outcome::Adopted),
        Ok(Content::Ended(why)) => left(turn, why),
        Err(Fault::Damaged) => rewrite(turn, held, 0),
        Err(fault) => unreadable(turn, fault, 0),
    }
}

/// Storage was read so that what it holds is sent.
pub(super) fn loaded_looking(
    mut turn: Turn<'_, '_>,
    held: Held,
    tries: u32,
    challenge: Option<String>,
    bytes: Bytes,
) -> Step {
    if version(&bytes) == turn.pending.stored {
        let stage = turn.send(held, tries, challenge);
        return turn.to(stage, Outcome::Sent);
    }
    match open(&mut turn, bytes) {
        Ok(found) if is_behind(&found, &held) => rewrite(turn, held, tries),
        Ok(Content::Held(found)) => {
            let challenge = challenge.filter(|_| found.attempt() == held.attempt());
            serve(turn, found, tries, challenge)
        }
        Ok(Content::Ended(why)) => left(turn, why),
        Err(Fault::Damaged) => rewrite(turn, held, tries),
        Err(fault) => unreadable(turn, fault, tries),
    }
}

/// Storage was read because the next token was not written, or nobody knows.
pub(super) fn loaded_storing(mut turn: Turn<'_, '_>, held: Held, tries: u32, bytes: Bytes) -> Step {
    if version(&bytes) == turn.pending.stored {
        return rewrite(turn, held, tries);
    }
    match open(&mut turn, bytes) {
        Ok(found) if is_behind(&found, &held) => rewrite(turn, held, tries),
        // Also where it is the very record that was to be written: only what is stored is ever sent.
        Ok(Content::Held(found)) if found.access.is_none() => rotate_or_rest(turn, found, tries),
        Ok(Content::Held(found)) => serve(turn, found, tries, None),
        Ok(Content::Ended(why)) => left(turn, why),
        Err(Fault::Damaged) => rewrite(turn, held, tries),
        Err(fault) => unreadable(turn, fault, tries),
    }
}

/// Storage was read because a new session was not written, or nobody knows. It replaces any other.
pub(super) fn loaded_signing_in(mut turn: Turn<'_, '_>, held: Held, tries: u32, bytes: Bytes) -> Step {
    match open(&mut turn, bytes) {
        Ok(Content::Held(found)) if found.attempt().session == held.attempt().session => {
            turn.notify(Notice::SignedIn);
            serve_if_asked(turn, found)
        }
        Ok(Content::Held(found)) => {
            turn.owe(Owed::of(&found.token));
            sign_in_again(turn, held, tries)
        }
        Ok(Content::Ended(_)) if turn.pending.owed.iter().any(|owed| owed.is_of(&Owed::of(&held.token))) => {
            left(turn, Why::SignedOut)
        }
        Ok(Content::Ended(_)) | Err(Fault::Damaged) => sign_in_again(turn, held, tries),
        Err(fault) => {
            turn.owe(Owed::of(&held.token));
            turn.send_owed();
            unreadable(turn, fault, tries)
        }
    }
}

/// Storage was read because the end of a session was not written, or nobody knows.
pub(super) fn loaded_ending(
    mut turn: Turn<'_, '_>,
    held: Held,
    why: Why,
    acknowledged: bool,
    tries: u32,
    bytes: Bytes,
) -> Step {
    let (attempt, owes) = (held.attempt(), why.owes_a_revoke() && !acknowledged);
    match open(&mut turn, bytes) {
        Ok(Content::Held(found)) if found.attempt().session == attempt.session => {
            if why != Why::SignedOut && found.attempt().generation > attempt.generation {
                return serve(turn, found, 0, None);
            }
            let newest = if found.attempt().generation > attempt.generation { found } else { held };
            turn.persist_ended(why, owes.then_some(&newest));
            turn.to(Stage::Ending { held: newest, why, acknowledged, tries }, Outcome::Persisted)
        }
        Ok(Content::Held(found)) => {
            if why == Why::SignedOut && owes {
                turn.owe(Owed::of(&held.token));
            }
            turn.send_owed();
            serve_if_asked(turn, found)
        }
        Ok(Content::Ended(_)) if why == Why::SignedOut => ended(turn, &held, why, acknowledged),
        Ok(Content::Ended(found)) => left(turn, found),
        Err(Fault::Damaged) => end(turn, held, why),
        Err(fault) => {
            if why == Why::SignedOut && owes {
                turn.owe(Owed::of(&held.token));
                turn.send_owed();
            }
            unreadable(turn, fault, tries)
        }
    }
}

/// Whether a write took effect is not known, or what storage holds now.
pub(super) fn unwritten(mut turn: Turn<'_, '_>, stage: Stage, fault: Fault) -> Step {
    let (stage, tries) = match stage {
        Stage::SigningIn { held, tries } => {
            turn.deliver(&held);
            turn.notify(Notice::Storage(fault));
            (Stage::SigningIn { held, tries: tries.saturating_add(1) }, tries)
        }
        Stage::Storing { held, tries } => {
            // It is good whether or not the next refresh token is durable.
            turn.deliver(&held);
            turn.answer(Notice::Storage(fault));
            (Stage::Storing { held, tries: tries.saturating_add(1) }, tries)
        }
        Stage::Ending { held, why: Why::SignedOut, acknowledged, tries } => {
            // The user wants to be gone, so whatever generation is stored, the session is revoked.
            if !acknowledged {
                turn.actions.push(revoke(&Owed::of(&held.token)));
            }
            (Stage::Ending { held, why: Why::SignedOut, acknowledged, tries: tries.saturating_add(1) }, tries)
        }
        // Storage may hold a newer token, so that nothing was lost: without reading it nobody knows.
        Stage::Ending { tries, .. } => return unreadable(turn, fault, tries),
        other => (other, 0),
    };
    turn.wait(tries, Seconds::ZERO);
    turn.to(stage, Outcome::Waiting)
}

/// Whether storage holds an older generation of the same session: a newer one only ever replaces it.
fn is_behind(found: &Content, held: &Held) -> bool {
    let Content::Held(found) = found else { return false };
    let (found, held) = (found.attempt(), held.attempt());
    found.session == held.session && found.generation < held.generation
}

fn rewrite(mut turn: Turn<'_, '_>, held: Held, tries: u32) -> Step {
    turn.persist_held(&held);
    turn.to(Stage::Storing { held, tries }, Outcome::Persisted)
}

fn sign_in_again(mut turn: Turn<'_, '_>, held: Held, tries: u32) -> Step {
    turn.persist_held(&held);
    turn.to(Stage::SigningIn { held, tries }, Outcome::Persisted)
}

fn serve_if_asked(turn: Turn<'_, '_>, held: Held) -> Step {
    if turn.pending.asked {
        return serve(turn, held, 0, None);
    }
    turn.to(Stage::Active { held }, Outcome::Adopted)
}

/// What was just read is used: its access token where that is fresh, else its refresh token.
fn serve(mut turn: Turn<'_, '_>, held: Held, tries: u32, challenge: Option<String>) -> Step {
    let (now, policy) = (turn.now(), turn.context.policy);
    if challenge.is_none() && held.is_alive(now) {
        turn.deliver(&held);
    }
    if challenge.is_none() && held.is_fresh(now, policy) {
        return turn.to(Stage::Active { held }, Outcome::Adopted);
    }
    let stage = turn.send(held, tries, challenge);
    turn.to(stage, Outcome::Sent)
}

/// Another process ended the session.
fn left(mut turn: Turn<'_, '_>, why: Why) -> Step {
    turn.send_owed();
    turn.notify(Notice::SignIn(why));
    turn.to(over(why), Outcome::SignedOut)
}

const fn over(why: Why) -> Stage {
    match why {
        Why::SignedOut => Stage::SignedOut,
        _ => Stage::Reauthenticate { why },
    }
}
