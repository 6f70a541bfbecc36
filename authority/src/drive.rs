//! The blocking loop that drives an [`Exchange`]: carries bytes, decides nothing.

use std::sync::{PoisonError, RwLock};

use safeconduct_core::revocation::entry::Entry;
use safeconduct_core::revocation::view::View;
use safeconduct_core::session::exchange::{Answer, Exchange, Need, Reply};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::store::Committed;

use crate::error::Error;
use crate::store::Store;

/// Drives `exchange` to its end over `store`.
///
/// # Errors
/// [`Error::Store`] and [`Error::Exchange`]. Where a commit ended in a [`Error::Store`], whether it took
/// effect is unknown; doing the same again is safe.
pub fn drive(mut exchange: Exchange, store: &dyn Store, issuer: &Issuer, view: &RwLock<View>) -> Result<Reply, Error> {
    let mut answer = Answer::Begin;
    loop {
        let need = exchange.resume(answer, issuer, &view.read().unwrap_or_else(PoisonError::into_inner))?;
        answer = match need {
            Need::Get(get) => Answer::Got(store.get(&get)?),
            Need::List(list) => Answer::Listed(store.list(&list)?),
            Need::Commit(commit) => {
                let committed = store.commit(&commit)?;
                if committed == Committed::Done && !commit.log.is_empty() {
                    // Not only at the end: a later call may fail, and this revocation stands.
                    let mut view = view.write().unwrap_or_else(PoisonError::into_inner);
                    commit
                        .log
                        .iter()
                        .filter_map(|logged| Entry::from_bytes(&logged.bytes))
                        .for_each(|e| view.enter(&e));
                }
                Answer::Committed(committed)
            }
            Need::Done(reply) => return Ok(reply),
        };
    }
}
