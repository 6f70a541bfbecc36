//! The scenarios of a session's life, each on a store in memory and on a SQLite file.
//!
//! A test is a sentence about behaviour; its comment names the number of the scenario. A property that
//! holds of every store is a function that says what it found wrong, so that a store with one mistake
//! can be shown to fail it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod bed;
mod chain;
mod client;
mod derived;
mod erasure;
mod failure;
mod faulty;
mod flawed;
mod forgery;
mod holder;
mod interposed;
mod key_rotation;
mod lifetime;
mod opening;
mod races;
mod records;
mod remains;
mod revoke_races;
mod rewind;
mod roll_back;
mod roll_back_revoked;
mod secrecy;
mod sign_in_races;
mod sign_out;
mod storage;
mod theft;
mod token_bits;
mod watched;
mod window;
