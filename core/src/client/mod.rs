//! The client half: what holds a refresh token and never signs an honest person out.
//!
//! [`transition`] decides, and nothing else does. Storage, transport, clock and entropy are the host's, as
//! data: a [`State`] and an [`Event`](event::Event) go in, a [`Step`](action::Step) comes out with the next
//! state and the [`Action`](action::Action)s to carry out, in order. How the host answers each of them is
//! written there. A process begins with [`State::new`] and [`Event::Wake`](event::Event::Wake), also after
//! a crash: nothing but the stored record outlives a process.
//!
//! Five rules carry the protocol, each kept by [`invariants`] and each with a client in the tests that
//! breaks it and is found:
//!
//! 1. The next secret is born with its token, in one record, and is never drawn per try.
//! 2. That record is durable before the token is first sent.
//! 3. A record is replaced only where it is still the one that was read, and by a newer generation only.
//! 4. An answer that belongs to no outstanding request is dropped.
//! 5. Told `superseded`, the client replaces its record by the debt of a revoke, which succeeds only where
//!    storage still holds that token: then somebody else moved the session on, and it is revoked until
//!    that is acknowledged.
//!
//! Storage that cannot be read is [`Phase::Unavailable`], never signed out; nothing is overwritten that
//! could not be read, but damaged bytes by a new sign-in.

pub mod action;
mod answer;
mod end;
pub mod event;
pub mod invariants;
pub mod policy;
pub mod record;
mod state;
mod storage;
mod transition;
mod turn;
pub mod verdict;

pub use state::{Access, Attempt, Held, MAX_ACCESS_LEN, MAX_NONCE_LEN, MAX_OWED, Owed, Phase, Rule, State, Why};
pub use transition::transition;
