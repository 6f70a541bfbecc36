//! What is promised, file by file.

mod encoding;
mod exchange;
mod keys;
mod store;
mod tokens;

use crate::case::Case;

/// Every promised case.
pub(crate) const ALL: [&[Case]; 4] = [encoding::ALL, keys::ALL, tokens::ALL, exchange::ALL];
