//! The keys that are derived from the master keys: one per purpose and issuer, by HKDF-SHA256 ([RFC 5869]).
//!
//! [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Commitment, KeyId, Secret, Secrets, equal};

/// A key for HMAC-SHA256, already taken in: each use costs two fewer hash blocks.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Takes in a key of 32 bytes. HMAC fills a key up to its block with zeros ([RFC 2104 section 2]),
    /// which is done here because a whole block cannot be refused.
    ///
    /// [RFC 2104 section 2]: https://www.rfc-editor.org/rfc/rfc2104#section-2
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(Hmac::new((&*block).into()))
    }

    /// HMAC-SHA256 over the parts, one after the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first sixteen bytes of [`Self::mac`].
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 16] {
        Commitment(self.mac(parts)).half()
    }

    /// Whether `tag` is [`Self::tag`] of the parts, in constant time.
    pub(crate) fn is_tag(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        equal(&self.tag(parts), tag)
    }
}

/// The keys derived from one master key for one issuer, a key a purpose.
pub(crate) struct PurposeKeys {
    pub(crate) id: KeyId,
    pub(crate) refresh_tag: MacKey,
    pub(crate) refresh_seal: MacKey,
    pub(crate) opaque_tag: MacKey,
    pub(crate) opaque_seal: MacKey,
    pub(crate) successor: MacKey,
    pub(crate) nonce: MacKey,
    pub(crate) challenge: MacKey,
    pub(crate) record: MacKey,
    pub(crate) directory: MacKey,
}

/// The derived keys of every master key, bound to one issuer.
pub struct Keyring {
    newest: PurposeKeys,
    older: Vec<PurposeKeys>,
}

impl Keyring {
    /// Derives every purpose key for `issuer`.
    pub fn derive(secrets: &Secrets, issuer: &str) -> Self {
        // HKDF with output of one block: extract is HMAC(salt, master), expand is HMAC(that, info ‖ 1).
        let mut salt = [0; 32];
        for (to, from) in salt.iter_mut().zip(b"safeconduct 1") {
            *to = *from;
        }
        let derive = |(id, master): &(KeyId, Secret)| {
            let extracted = MacKey::new(&Zeroizing::new(MacKey::new(&salt).mac(&[master.expose()])));
            let key = |purpose: &str| {
                let expanded = Zeroizing::new(extracted.mac(&[purpose.as_bytes(), &[0], issuer.as_bytes(), &[1]]));
                MacKey::new(&expanded)
            };
            PurposeKeys {
                id: *id,
                refresh_tag: key("refresh tag"),
                refresh_seal: key("refresh seal"),
                opaque_tag: key("opaque tag"),
                opaque_seal: key("opaque seal"),
                successor: key("successor"),
                nonce: key("nonce"),
                challenge: key("challenge"),
                record: key("record"),
                directory: key("directory"),
            }
        };
        Self { newest: derive(&secrets.newest), older: secrets.older.iter().map(|key| derive(key)).collect() }
    }

    /// The keys of one master key.
    pub(crate) fn get(&self, id: KeyId) -> Option<&PurposeKeys> {
        self.newest_first().find(|keys| keys.id == id)
    }

    /// The keys for new sessions.
    pub(crate) const fn newest(&self) -> &PurposeKeys {
        &self.newest
    }

    /// All keys, those for new sessions first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &PurposeKeys> {
        core::iter::once(&self.newest).chain(self.older.iter().rev())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}
