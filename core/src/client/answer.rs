//! What the server says: an answer that is none to what was sent is as good as lost.

use alloc::boxed::Box;
use alloc::string::String;

use crate::client::action::{Notice, Outcome, Step};
use crate::client::end::end;
use crate::client::event::{Given, Granted, Reply};
use crate::client::state::{Attempt, Held, MAX_ACCESS_LEN, MAX_NONCE_LEN, Rule, Sent, Stage, Why};
use crate::client::transition::{again_later, look};
use crate::client::turn::{Turn, anchored};
use crate::id::SessionId;
use crate::secret::Secret;
use crate::time::{Seconds, Timestamp};
use crate::token::refresh::Token;

/// The server answered the refresh that is outstanding.
pub(super) fn answered(mut turn: Turn<'_, '_>, sent: Sent, reply: Reply) -> Step {
    match reply {
        Reply::Granted(granted) => {
            // A receipt alone is a repeat; many of them in a row are a server that repeats itself.
            let tries = if granted.access.is_some() { 0 } else { sent.tries.saturating_add(1) };
            let Sent { held, at, asked_again, tries: before } = sent;
            match successor(&mut turn, held, granted, at) {
                Ok(held) => {
                    turn.persist_held(&held);
                    turn.to(Stage::Storing { held, tries }, Outcome::Persisted)
                }
                Err(held) => again_later(turn, Sent { held: *held, at, asked_again, tries: before }, Seconds::ZERO),
            }
        }
        Reply::Superseded(Some(challenge)) if !sent.asked_again => look(turn, sent.held, sent.tries, Some(challenge)),
        Reply::Superseded(Some(_)) => again_later(turn, sent, Seconds::ZERO),
        Reply::Superseded(None) => end(turn, sent.held, Why::UsedElsewhere),
        Reply::Ended(why) => end(turn, sent.held, why),
        Reply::NonceRequired(nonce) => with_nonce(turn, sent, nonce),
        Reply::Later(at_least) => again_later(turn, sent, at_least),
        Reply::Mend => {
            turn.notify(Notice::Mend);
            let longest = turn.context.policy.longest_wait;
            again_later(turn, sent, longest)
        }
    }
}

/// The proof is made anew with the nonce that was asked for, once.
fn with_nonce(mut turn: Turn<'_, '_>, sent: Sent, nonce: String) -> Step {
    if sent.asked_again || nonce.len() > MAX_NONCE_LEN || !matches!(sent.held.rule, Rule::Bound { .. }) {
        return again_later(turn, sent, Seconds::ZERO);
    }
    let held = Held { rule: Rule::Bound { nonce: Some(nonce) }, ..sent.held };
    let stage = match turn.send(held, sent.tries, None) {
        Stage::Refreshing(sent) => Stage::Refreshing(Sent { asked_again: true, ..sent }),
        other => other,
    };
    turn.to(stage, Outcome::Sent)
}

/// What is held from now on, with the next secret born together with its token; what was held, where the
/// answer is not one to what was sent.
fn successor(turn: &mut Turn<'_, '_>, held: Held, granted: Granted, at: Timestamp) -> Result<Held, Box<Held>> {
    let Attempt { session, generation } = held.attempt();
    let is_next = |other: SessionId, then: u32| other == session && generation.checked_add(1) == Some(then);
    let is_readable = granted.access.as_ref().is_none_or(|access| access.token.len() <= MAX_ACCESS_LEN);
    let has_access = granted.access.is_some();
    match (&held.rule, granted.token) {
        (Rule::Committed { next }, Given::Receipt(receipt))
            if is_readable && is_next(receipt.session_id(), receipt.generation()) =>
        {
            let token = Token::assemble(&receipt, Secret::new(*next.expose()));
            let rule = Rule::Committed { next: turn.draw() };
            Ok(Held { token, rule, access: anchored(granted.access, at) })
        }
        (Rule::Window | Rule::Bound { .. }, Given::Token(token))
            if is_readable
                && has_access
                && token.is_refresh()
                && (is_next(token.session_id(), token.generation())
                    || (token.session_id(), token.generation()) == (session, generation)) =>
        {
            let nonce = granted.nonce.filter(|nonce| nonce.len() <= MAX_NONCE_LEN);
            let rule = if let Rule::Bound { .. } = held.rule { Rule::Bound { nonce } } else { Rule::Window };
            Ok(Held { token, rule, access: anchored(granted.access, at) })
        }
        (Rule::Committed { .. } | Rule::Window | Rule::Bound { .. }, Given::Receipt(_) | Given::Token(_)) => {
            Err(Box::new(held))
        }
    }
}
