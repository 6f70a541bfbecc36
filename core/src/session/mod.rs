//! The machine: sessions and the refresh tokens of a session.
//!
//! [`transition`] decides, and nothing else does. What it is given is data ([`state`], [`event`]), what
//! it says is data ([`outcome`]). [`exchange`] puts it between a token and a store, [`record`] keeps its
//! states as bytes, [`issuer`] mints what it grants, [`invariants`] says what must hold of it.

pub mod event;
pub mod exchange;
pub mod invariants;
pub mod issuer;
pub mod outcome;
pub mod policy;
pub mod record;
mod rotation;
pub mod sign_in;
pub mod state;
pub mod subject;
mod transition;

pub use transition::{GC_GRACE, Phase, phase, transition};
