//! Sign-in sessions, refresh tokens and access tokens that cannot go wrong.
//!
//! [`store::Store`] is what an engine implements.
#![forbid(unsafe_code)]

pub mod store;

pub use safeconduct_core as core;
