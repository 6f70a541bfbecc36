//! The machine as a table: every phase against every event, compared with `spec/lifecycle.md`, and random
//! histories against the invariants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::arithmetic_side_effects, unreachable_pub)]

mod adversary;
mod client;
mod properties;
mod rules;
mod sample;
mod table;
