//! A token that is presented, and the facts about it that need keys.

use alloc::string::String;

use subtle::ConstantTimeEq;

use super::Scene;
use crate::id::SessionId;
use crate::secret::{Commitment, PurposeKeys};
use crate::session::event::{Event, Presented, Proof, Rotate, Successor};
use crate::session::issuer::{self, Issuer};
use crate::session::state::{Reason, Session};
use crate::token::refresh::{Authentic, Kind, NotOurs, Token};

/// A token that is presented, and what for. Made from a token whose tag is right, so that a forged one
/// cannot cost a look-up.
#[derive(Debug)]
pub struct Present {
    /// The token.
    pub token: Authentic,
    /// What for.
    pub shown: Shown,
}

impl Present {
    /// Reads a token and believes it where its tag is right; asks no store.
    ///
    /// # Errors
    /// [`NotOurs`], also for a refresh token where a session token belongs, and the reverse.
    pub fn parse(token: &str, shown: Shown, issuer: &Issuer) -> Result<Self, NotOurs> {
        let token = Token::parse(token)?.authenticate(issuer.keyring())?;
        match (&shown, token.kind()) {
            (Shown::Rotate { .. }, Kind::Refresh) | (Shown::Authenticate, Kind::Opaque) | (Shown::Revoke, _) => {
                Ok(Self { token, shown })
            }
            (Shown::Rotate { .. }, Kind::Opaque) | (Shown::Authenticate, Kind::Refresh) => Err(NotOurs),
        }
    }
}

/// What a token is presented for.
#[derive(Debug)]
pub enum Shown {
    /// A refresh token, to be replaced.
    Rotate {
        /// The commitment of the next secret, under [`Replay::Committed`](crate::session::state::Replay::Committed).
        next: Option<Commitment>,
        /// The client that presents it, where it is known.
        client_id: Option<String>,
        /// The thumbprint of a verified DPoP proof's key, and the nonce that the proof carries.
        proof: Option<([u8; 32], Option<String>)>,
        /// The scope asked for; `None` for all that was granted.
        scope: Option<String>,
        /// The challenge that a superseded token was answered with.
        challenge: Option<String>,
    },
    /// An opaque session token, to be authenticated.
    Authenticate,
    /// Either, to end its session.
    Revoke,
}

/// The session that was loaded, and its keys.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) session: &'a Session,
    pub(super) keys: &'a PurposeKeys,
}

impl Known<'_> {
    /// The commitment of the derived secret of a generation.
    pub(super) fn derived(&self, sid: SessionId, generation: u32) -> Commitment {
        issuer::derived_secret(self.keys, &self.session.terms.salt, sid, generation).commitment()
    }
}

impl Present {
    /// The event, with whether the seal fits the record. Without a record there is nothing it could fit.
    pub(super) fn event<'e>(&'e self, known: Option<Known<'_>>, scene: &Scene<'_>) -> Event<'e> {
        let token = &self.token;
        let sealed = known.is_some_and(|known| token.is_sealed(known.keys, &known.session.terms.salt));
        let presented = Presented { generation: token.generation(), commitment: token.commitment(), sealed };
        match &self.shown {
            Shown::Authenticate => Event::Authenticate(presented),
            Shown::Revoke => Event::Revoke { reason: Reason::SignedOut, presented: Some(presented) },
            Shown::Rotate { next, client_id, proof, scope, challenge } => {
                let (sid, generation) = (token.session_id(), token.generation());
                let derived = |known: Known<'_>| known.derived(sid, generation.saturating_add(1));
                let is_challenge = |text| scene.issuer.is_challenge(text, sid, generation, scene.now);
                Event::Rotate(Rotate {
                    presented,
                    successor: match next {
                        Some(next) => Successor::Offered(*next),
                        None => Successor::Derived(known.map_or(Commitment([0; 32]), derived)),
                    },
                    client_id: client_id.as_deref(),
                    proof: proof.as_ref().map(|(thumbprint, nonce)| Proof {
                        thumbprint: *thumbprint,
                        carries_nonce: nonce.as_deref().zip(known).is_some_and(|(nonce, known)| {
                            issuer::nonce(token, known.keys).as_bytes().ct_eq(nonce.as_bytes()).into()
                        }),
                    }),
                    scope: scope.as_deref(),
                    challenged: challenge.as_deref().is_some_and(is_challenge),
                })
            }
        }
    }
}
