//! The decisions of safeconduct.
//!
//! Sessions, refresh tokens and access tokens as pure functions: no I/O, no clock, no randomness of its
//! own, and no panic that input can reach. Stores, clocks and entropy belong to the caller; the package
//! `safeconduct` brings them for Rust applications.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod audit;
pub mod client;
pub mod encoding;
pub mod id;
pub mod jws;
pub mod revocation;
pub mod secret;
pub mod session;
pub mod store;
pub mod time;
pub mod token;
