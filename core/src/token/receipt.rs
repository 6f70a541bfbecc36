//! Receipts: what the server answers where the client drew the next secret itself.
//!
//! `scs1_` + base64url( key id 1 ‖ sid 16 ‖ generation u32 BE ‖ tag 16 ‖ seal 16 )
//!
//! Receipt and secret together are the next token ([`Token::assemble`]); the receipt alone opens
//! nothing, so neither a leaked response nor a leaked log gives a token away.
//!
//! [`Token::assemble`]: crate::token::refresh::Token::assemble

use alloc::string::String;

use crate::encoding::base64url;
use crate::id::SessionId;
use crate::secret::{KeyId, PurposeKeys};
use crate::token::refresh::{Kind, NotOurs, Stamp, take};

const PREFIX: &str = "scs1_";
const BYTES: usize = 53;

/// The half of the next token that the server makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) key: KeyId,
    pub(crate) sid: SessionId,
    pub(crate) generation: u32,
    pub(crate) tag: [u8; 16],
    pub(crate) seal: [u8; 16],
}

impl Receipt {
    pub(crate) fn make(keys: &PurposeKeys, salt: &[u8; 16], stamp: &Stamp) -> Self {
        let (tag, seal) = stamp.seal(Kind::Refresh, keys, salt);
        Self { key: stamp.key, sid: stamp.sid, generation: stamp.generation, tag, seal }
    }

    /// Which session the receipt says it belongs to.
    pub const fn session_id(&self) -> SessionId {
        self.sid
    }

    /// The generation of the token that it completes.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// [`NotOurs`] for anything but the exact form. The client drops the answer and asks again.
    pub fn parse(text: &str) -> Result<Self, NotOurs> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotOurs)?.as_bytes();
        if encoded.len() != base64url::encoded_len(BYTES) {
            return Err(NotOurs);
        }
        let mut bytes = [0; BYTES];
        base64url::decode(encoded, &mut bytes).map_err(|_| NotOurs)?;
        let mut rest = bytes.as_slice();
        let [key] = take(&mut rest)?;
        let sid = SessionId::from_bytes(take(&mut rest)?);
        let generation = u32::from_be_bytes(take(&mut rest)?);
        Ok(Self { key: KeyId(key), sid, generation, tag: take(&mut rest)?, seal: take(&mut rest)? })
    }

    /// The wire form.
    pub fn to_text(&self) -> String {
        let mut bytes = [0; BYTES];
        let generation = self.generation.to_be_bytes();
        let parts: [&[u8]; 5] = [&[self.key.0], self.sid.as_bytes(), &generation, &self.tag, &self.seal];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        let mut text = String::from(PREFIX);
        text.push_str(&base64url::encode(&bytes));
        text
    }
}
