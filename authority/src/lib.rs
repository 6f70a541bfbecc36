//! Sign-in sessions, refresh tokens and access tokens that cannot go wrong.
//!
//! An [`Authority`] issues, refreshes, verifies and revokes. It is made of an
//! [`Issuer`](core::session::issuer::Issuer) (keys and policy) and a [`store::Store`] (where the records
//! are); [`conformance`] shows that a store does what it must. Every decision is made in [`core`].
#![forbid(unsafe_code)]

mod authority;
pub mod conformance;
mod drive;
mod error;
pub mod keys;
mod private_file;
mod remote;
pub mod secrets;
pub mod store;

pub use safeconduct_core as core;

pub use crate::authority::{Authority, Granted, RefreshRequest, system_time};
pub use crate::drive::drive;
pub use crate::error::{Error, Refused};
pub use crate::keys::{Keys, KeysError};
pub use crate::remote::{RemoteError, RemoteKeys};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
