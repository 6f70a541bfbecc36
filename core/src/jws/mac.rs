//! HMAC keys, with the keyed hash state held ready ([RFC 7518 section 3.2], [RFC 2104]).
//!
//! Refuses secrets shorter than the output of the hash, blank ones, overlong ones and such as are the
//! text of a public or private key.
//!
//! [RFC 7518 section 3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
//! [RFC 2104]: https://www.rfc-editor.org/rfc/rfc2104

use alloc::boxed::Box;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, MAX_SECRET_LEN, key_text};
use crate::secret::equal;

/// A secret and the state that its two pads leave behind.
pub(super) struct MacKey {
    secret: Zeroizing<Vec<u8>>,
    state: State,
}

enum State {
    Hs256(Box<Hmac<Sha256>>),
    Hs384(Box<Hmac<Sha384>>),
    Hs512(Box<Hmac<Sha512>>),
}

impl MacKey {
    /// The key of a secret that is fit for `algorithm`.
    pub(super) fn new(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        if !algorithm.is_symmetric() {
            return Err(KeyError::WrongAlgorithm);
        }
        if secret.len() > MAX_SECRET_LEN {
            return Err(KeyError::SecretTooLong);
        }
        if key_text::is_key_text(secret) {
            return Err(KeyError::SecretIsPublicKey);
        }
        if secret.len() < algorithm.signature_len() || key_text::is_blank(secret) {
            return Err(KeyError::SecretTooShort);
        }
        let state = match algorithm {
            Algorithm::Hs256 => State::Hs256(Box::new(keyed(secret)?)),
            Algorithm::Hs384 => State::Hs384(Box::new(keyed(secret)?)),
            Algorithm::Hs512 => State::Hs512(Box::new(keyed(secret)?)),
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Ed25519 => return Err(KeyError::WrongAlgorithm),
        };
        Ok(Self { secret: Zeroizing::new(secret.to_vec()), state })
    }

    /// The same key once more, for the verifying half.
    pub(super) fn duplicate(&self) -> Self {
        let state = match &self.state {
            State::Hs256(mac) => State::Hs256(mac.clone()),
            State::Hs384(mac) => State::Hs384(mac.clone()),
            State::Hs512(mac) => State::Hs512(mac.clone()),
        };
        Self { secret: self.secret.clone(), state }
    }

    /// The secret, to be written into a private JWK.
    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The tag of `input` in the front of `out`, and its length.
    pub(super) fn tag<'o>(&self, input: &[u8], out: &'o mut [u8; 64]) -> &'o [u8] {
        match &self.state {
            State::Hs256(mac) => finish(Hmac::clone(mac), input, out),
            State::Hs384(mac) => finish(Hmac::clone(mac), input, out),
            State::Hs512(mac) => finish(Hmac::clone(mac), input, out),
        }
    }

    /// Whether `tag` is the whole tag of `input`. Constant-time in the content of both.
    pub(super) fn accepts(&self, input: &[u8], tag: &[u8]) -> bool {
        match &self.state {
            State::Hs256(mac) => is_tag(Hmac::clone(mac).chain_update(input).finalize().into_bytes(), tag),
            State::Hs384(mac) => is_tag(Hmac::clone(mac).chain_update(input).finalize().into_bytes(), tag),
            State::Hs512(mac) => is_tag(Hmac::clone(mac).chain_update(input).finalize().into_bytes(), tag),
        }
    }
}

/// Whether two tags are the same; wipes the first, which is what a forger would want to know.
fn is_tag<const N: usize>(expected: impl Into<[u8; N]>, tag: &[u8]) -> bool {
    let mut expected: [u8; N] = expected.into();
    let is_tag = equal(&expected, tag);
    zeroize::zeroize_bytes(&mut expected);
    is_tag
}

fn keyed<M: KeyInit>(secret: &[u8]) -> Result<M, KeyError> {
    M::new_from_slice(secret).map_err(|_| KeyError::SecretTooShort)
}

fn finish<'o, M: Mac>(mut mac: M, input: &[u8], out: &'o mut [u8; 64]) -> &'o [u8] {
    mac.update(input);
    let tag = mac.finalize().into_bytes();
    let out = out.get_mut(..tag.len()).unwrap_or_default();
    out.copy_from_slice(&tag);
    out
}
