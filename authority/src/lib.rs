//! Sign-in sessions, refresh tokens and access tokens that cannot go wrong.
//!
//! [`store::Store`] is what an engine implements, [`conformance`] what shows that it does.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod store;

pub use safeconduct_core as core;
