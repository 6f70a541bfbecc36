//! The bodies of the fuzz targets, as functions: the fuzzer calls them, and plain `cargo test` replays
//! their corpora through them.
//!
//! Each takes the input and the part that is under test. The targets pass the real one; the tests also
//! pass wrong ones and see that the corpus catches them.

pub mod deployment;
pub mod edit;
pub mod json;
pub mod jws_verify;
pub mod ledger;
pub mod record;
pub mod refresh_token;
pub mod session_events;
pub mod transition;

/// What an input showed to be broken.
#[derive(Debug)]
pub struct Broken(pub String);

/// The end of a check: fine, or what is broken.
pub type Judged = Result<(), Broken>;

/// Broken, unless.
pub fn hold(condition: bool, what: impl FnOnce() -> String) -> Judged {
    if condition { Ok(()) } else { Err(Broken(what())) }
}
