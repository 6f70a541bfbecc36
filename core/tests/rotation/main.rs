//! Key rotation: the machine command by command, what is read and written of schedules, and random histories of
//! deployments whose clocks are apart.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    reason = "a test may panic"
)]

mod deployment;
mod histories;
mod machine;
mod text;
