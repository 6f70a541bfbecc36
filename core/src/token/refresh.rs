//! Refresh tokens and opaque session tokens: one wire form under different keys.
//!
//! `scr1_` or `sco1_` + base64url( key id 1 ‖ sid 16 ‖ generation u32 BE ‖ secret 32 ‖ tag 16 ‖ seal 16 )
//!
//! `tag` is a MAC over everything but the seal, with SHA-256(secret) in place of the secret. It is
//! checked before any look-up, so garbage never reaches the store. `seal` is a second MAC, under a key
//! that also needs the salt of the record, checked after the record was loaded: whoever has the keys
//! without the database, or the database without the keys, can present nothing.
//!
//! Any generation ever issued authenticates; what it is worth is decided by `session`. Refused:
//! anything that is not this form to the byte, an unknown key id, a wrong tag.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::encoding::base64url;
use crate::id::SessionId;
use crate::secret::{Commitment, KeyId, Keyring, MacKey, PurposeKeys, Secret};
use crate::token::receipt::Receipt;

/// Which of the two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `scr1_`, presented to get an access token.
    Refresh,
    /// `sco1_`, presented on each request.
    Opaque,
}

impl Kind {
    /// What the text form begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "scr1_",
            Self::Opaque => "sco1_",
        }
    }

    pub(crate) const fn tag_key(self, keys: &PurposeKeys) -> &MacKey {
        match self {
            Self::Refresh => &keys.refresh_tag,
            Self::Opaque => &keys.opaque_tag,
        }
    }

    /// The seal key of one session: derived from its salt.
    fn seal_key(self, keys: &PurposeKeys, salt: &[u8; 16]) -> MacKey {
        let key = match self {
            Self::Refresh => &keys.refresh_seal,
            Self::Opaque => &keys.opaque_seal,
        };
        MacKey::new(&Zeroizing::new(key.mac(&[salt])))
    }
}

/// The token was not made here: it is malformed, its key id is unknown, or its tag is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a token of this issuer")
    }
}

impl core::error::Error for NotOurs {}

const BYTES: usize = 85;

/// What tag and seal are computed over: key id 1 ‖ sid 16 ‖ generation 4 ‖ commitment 32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) key: KeyId,
    pub(crate) sid: SessionId,
    pub(crate) generation: u32,
    pub(crate) commitment: Commitment,
}

impl Stamp {
    pub(crate) fn tag(&self, key: &MacKey) -> [u8; 16] {
        key.tag(&[&[self.key.0], self.sid.as_bytes(), &self.generation.to_be_bytes(), &self.commitment.0])
    }

    fn is_tag(&self, key: &MacKey, tag: &[u8; 16]) -> bool {
        key.is_tag(&[&[self.key.0], self.sid.as_bytes(), &self.generation.to_be_bytes(), &self.commitment.0], tag)
    }

    /// Tag and seal for a token or a receipt.
    pub(crate) fn seal(&self, kind: Kind, keys: &PurposeKeys, salt: &[u8; 16]) -> ([u8; 16], [u8; 16]) {
        (self.tag(kind.tag_key(keys)), self.tag(&kind.seal_key(keys, salt)))
    }
}

/// A token as it stands on the wire; nothing about it is believed yet.
pub struct Token {
    pub(crate) kind: Kind,
    pub(crate) key: KeyId,
    pub(crate) sid: SessionId,
    pub(crate) generation: u32,
    pub(crate) secret: Secret,
    pub(crate) tag: [u8; 16],
    pub(crate) seal: [u8; 16],
}

impl Token {
    /// Reads the wire form, the secret in constant time.
    ///
    /// # Errors
    /// [`NotOurs`] for anything but the exact form. Answer `invalid_grant`; do not sign anybody out.
    pub fn parse(text: &str) -> Result<Self, NotOurs> {
        let kind = match text.get(..5) {
            Some("scr1_") => Kind::Refresh,
            Some("sco1_") => Kind::Opaque,
            _ => return Err(NotOurs),
        };
        let encoded = text.get(5..).ok_or(NotOurs)?.as_bytes();
        if encoded.len() != base64url::encoded_len(BYTES) {
            return Err(NotOurs);
        }
        let mut bytes = Zeroizing::new([0; BYTES]);
        base64url::decode_secret(encoded, bytes.as_mut_slice()).map_err(|_| NotOurs)?;
        let mut rest = bytes.as_slice();
        let [key] = take(&mut rest)?;
        let sid = SessionId::from_bytes(take(&mut rest)?);
        let generation = u32::from_be_bytes(take(&mut rest)?);
        let secret = Secret::new(*Zeroizing::new(take(&mut rest)?));
        Ok(Self { kind, key: KeyId(key), sid, generation, secret, tag: take(&mut rest)?, seal: take(&mut rest)? })
    }

    /// The next token, made by the client from the receipt it was sent and the secret it drew.
    pub fn assemble(receipt: &Receipt, secret: Secret) -> Self {
        let &Receipt { key, sid, generation, tag, seal } = receipt;
        Self { kind: Kind::Refresh, key, sid, generation, secret, tag, seal }
    }

    pub(crate) fn make(kind: Kind, keys: &PurposeKeys, salt: &[u8; 16], stamp: &Stamp, secret: Secret) -> Self {
        let (tag, seal) = stamp.seal(kind, keys, salt);
        Self { kind, key: stamp.key, sid: stamp.sid, generation: stamp.generation, secret, tag, seal }
    }

    /// Which session the token says it belongs to.
    pub const fn session_id(&self) -> SessionId {
        self.sid
    }

    /// How often the session was rotated when the token was made, as it says itself.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether it is a refresh token, as it says itself.
    pub const fn is_refresh(&self) -> bool {
        matches!(self.kind, Kind::Refresh)
    }

    /// The wire form: a bearer secret. Send it to its owner and keep no copy.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let generation = self.generation.to_be_bytes();
        let parts: [&[u8]; 6] =
            [&[self.key.0], self.sid.as_bytes(), &generation, self.secret.expose(), &self.tag, &self.seal];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        let encoded = Zeroizing::new(base64url::encode(bytes.as_slice()));
        let mut text = Zeroizing::new(String::with_capacity(encoded.len().saturating_add(5)));
        text.push_str(self.kind.prefix());
        text.push_str(&encoded);
        text
    }

    /// Believes the token where its tag is right; asks no store.
    ///
    /// # Errors
    /// [`NotOurs`] where the key id is unknown or the tag wrong.
    ///
    /// # Security
    /// Without this check whoever knows a session id could make the store work, and could name
    /// generations at will. The comparison is constant-time; the secret is only hashed.
    pub fn authenticate(&self, keyring: &Keyring) -> Result<Authentic, NotOurs> {
        let keys = keyring.get(self.key).ok_or(NotOurs)?;
        let stamp =
            Stamp { key: self.key, sid: self.sid, generation: self.generation, commitment: self.secret.commitment() };
        if !stamp.is_tag(self.kind.tag_key(keys), &self.tag) {
            return Err(NotOurs);
        }
        Ok(Authentic { kind: self.kind, stamp, seal: self.seal })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A token whose tag is right: made under our keys, for the session and generation it names.
#[derive(Clone, Copy)]
pub struct Authentic {
    kind: Kind,
    stamp: Stamp,
    seal: [u8; 16],
}

impl Authentic {
    /// Which of the two tokens.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The session it belongs to.
    pub const fn session_id(&self) -> SessionId {
        self.stamp.sid
    }

    /// How often the session was rotated when the token was made.
    pub const fn generation(&self) -> u32 {
        self.stamp.generation
    }

    /// SHA-256 of the token's secret.
    pub const fn commitment(&self) -> Commitment {
        self.stamp.commitment
    }

    pub(crate) const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether the seal is right under the salt of the session's record, in constant time.
    pub(crate) fn is_sealed(&self, keys: &PurposeKeys, salt: &[u8; 16]) -> bool {
        self.stamp.is_tag(&self.kind.seal_key(keys, salt), &self.seal)
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authentic({:?}, {}, generation {})", self.kind, self.stamp.sid, self.stamp.generation)
    }
}

/// The next `N` bytes.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], NotOurs> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or(NotOurs)?;
    *bytes = rest;
    Ok(*first)
}
