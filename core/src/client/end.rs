//! How a session ends: by one write, which succeeds only where storage still holds it.

use crate::client::action::{Notice, Outcome, Step};
use crate::client::state::{Held, Owed, Stage, Why};
use crate::client::turn::Turn;

/// The session ends here where storage still holds this token. Somebody else's newer one is not ended.
pub(super) fn end(mut turn: Turn<'_, '_>, held: Held, why: Why) -> Step {
    turn.persist_ended(why, why.owes_a_revoke().then_some(&held));
    if why == Why::SignedOut {
        turn.answer(Notice::SignIn(why));
    }
    turn.to(Stage::Ending { held, why, acknowledged: false, tries: 0 }, Outcome::Persisted)
}

/// The end is durable: only now is a session revoked that was used elsewhere, and the user told.
pub(super) fn ended(mut turn: Turn<'_, '_>, held: &Held, why: Why, acknowledged: bool) -> Step {
    if why.owes_a_revoke() && !acknowledged {
        turn.owe(Owed::of(&held.token));
    }
    turn.send_owed();
    turn.notify(Notice::SignIn(why));
    let stage = if why == Why::SignedOut { Stage::SignedOut } else { Stage::Reauthenticate { why } };
    turn.to(stage, Outcome::SignedOut)
}
