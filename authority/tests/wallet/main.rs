//! The client half against the real server half: an [`Authority`](safeconduct::Authority) over a store in
//! memory, a network that loses, repeats and reorders, storage that is locked or fails, processes that
//! crash, a second process on the same storage, and a thief.

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

mod device;
mod histories;
mod network;
mod rules;
mod scenarios;
mod thief;
mod world;
mod wrong;
