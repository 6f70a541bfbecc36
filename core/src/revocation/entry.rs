//! Entries of the revocation log: an order-free, grow-only set with expiry.
//!
//! Bytes: format 1 ‖ kind 1 ‖ `until` u64 BE ‖ `kept_until` u64 BE ‖ identifier ‖ minimum u64 BE ‖ key id 1 ‖
//! mac 16. An entry holds handles, never anything of a person. Refused when read: another format, another
//! length, a wrong MAC: whoever can write the log must not be able to choose epochs.

use alloc::vec::Vec;

use crate::id::{SessionId, SubjectHandle};
use crate::jws::KeyTag;
use crate::secret::{KeyId, Keyring, PurposeKeys};
use crate::session::policy::MAX_ACCESS_TTL;
use crate::session::record::RecordError;
use crate::store::LogEntry;
use crate::time::Timestamp;
use crate::token::MAX_LEEWAY;

/// One revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What it stops.
    pub hit: Hit,
    /// When the last access token that it can hit is dead: verifiers forget it then.
    pub until: Timestamp,
    /// When the last session that it can hit has ended: issuers forget it then. Until that moment it is
    /// what stands where a store went back.
    pub kept_until: Timestamp,
}

/// What an entry stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hit {
    /// A session.
    Session(SessionId),
    /// Access tokens of a session whose claims version (`scv`) is lower.
    Claims(SessionId, u64),
    /// Sessions and access tokens of a subject whose epoch (`sep`) is lower.
    Subject(SubjectHandle, u64),
    /// Sessions and access tokens whose global epoch (`gep`) is lower.
    Global(u64),
    /// Access tokens that this key signed.
    Key(KeyTag),
}

const FORMAT: u8 = 1;

/// What the MAC covers before the entry: no store key begins like this, so no record passes for an entry.
const DOMAIN: &[u8] = b"log";

impl Entry {
    /// An entry made at `now` for what ends for good at `kept_until`. The longest-lived access token that
    /// any verifier believes is dead a [`MAX_ACCESS_TTL`] and a [`MAX_LEEWAY`] later.
    pub const fn at(hit: Hit, now: Timestamp, kept_until: Timestamp) -> Self {
        Self { hit, until: now.plus(MAX_ACCESS_TTL).plus(MAX_LEEWAY), kept_until }
    }

    /// An entry that is never forgotten: the kid of a withdrawn key can be configured again at any time.
    pub const fn for_good(hit: Hit) -> Self {
        Self { hit, until: Timestamp::MAX, kept_until: Timestamp::MAX }
    }

    /// The entry for a commit.
    pub(crate) fn to_log(self, keys: &PurposeKeys) -> LogEntry {
        let (kind, id, minimum): (u8, &[u8], u64) = match &self.hit {
            Hit::Session(sid) => (b's', sid.as_bytes(), 0),
            Hit::Claims(sid, version) => (b'c', sid.as_bytes(), *version),
            Hit::Subject(handle, epoch) => (b'u', handle.as_bytes(), *epoch),
            Hit::Global(epoch) => (b'g', &[], *epoch),
            Hit::Key(tag) => (b'k', tag.as_bytes(), 0),
        };
        let mut bytes = Vec::with_capacity(59);
        bytes.extend_from_slice(&[FORMAT, kind]);
        bytes.extend_from_slice(&self.until.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.kept_until.as_millis().to_be_bytes());
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(&minimum.to_be_bytes());
        bytes.push(keys.id.0);
        let mac = keys.record.tag(&[DOMAIN, &bytes]);
        bytes.extend_from_slice(&mac);
        LogEntry { bytes, gc_at: self.until }
    }

    /// Reads an entry of the log and believes it where its MAC is right.
    ///
    /// # Errors
    /// [`RecordError`]: the process must not go on as if nothing were revoked.
    pub fn open(bytes: &[u8], ring: &Keyring) -> Result<Self, RecordError> {
        let (signed, mac) = bytes.split_last_chunk::<16>().ok_or(RecordError::Tampered)?;
        let (body, &[key]) = signed.split_last_chunk::<1>().ok_or(RecordError::Tampered)?;
        if body.first().is_some_and(|format| *format > FORMAT) {
            return Err(RecordError::Newer);
        }
        let keys = ring.get(KeyId(key)).ok_or(RecordError::UnknownKey)?;
        if !keys.record.is_tag(&[DOMAIN, signed], mac) {
            return Err(RecordError::Tampered);
        }
        Self::parse(body).ok_or(RecordError::Malformed)
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let (&[format, kind], rest) = body.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (kept_until, rest) = rest.split_first_chunk()?;
        let (id, minimum) = rest.split_last_chunk()?;
        let minimum = u64::from_be_bytes(*minimum);
        let sid = || id.try_into().ok().map(SessionId::from_bytes);
        let hit = match kind {
            b's' if minimum == 0 => Hit::Session(sid()?),
            b'c' => Hit::Claims(sid()?, minimum),
            b'u' => Hit::Subject(SubjectHandle::from_bytes(id.try_into().ok()?), minimum),
            b'g' if id.is_empty() => Hit::Global(minimum),
            b'k' if minimum == 0 => Hit::Key(KeyTag::from_bytes(id.try_into().ok()?)),
            _ => return None,
        };
        let at = |bytes: &[u8; 8]| Timestamp::from_millis(u64::from_be_bytes(*bytes));
        (format == FORMAT).then_some(Self { hit, until: at(until), kept_until: at(kept_until) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Partition;
    use crate::secret::Secrets;
    use crate::session::invariants::is_bound_to_its_bytes;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_nothing_else_is() {
        let ring = Keyring::derive(&Secrets::new([1; 32]), "issuer");
        let handle = SubjectHandle::new(Partition(3), [7; 7]);
        let sid = SessionId::new(handle, [9; 8]);
        for hit in
            [Hit::Session(sid), Hit::Claims(sid, 4), Hit::Subject(handle, 5), Hit::Global(6), Hit::Key(KeyTag::of("k"))]
        {
            let entry = Entry { hit, until: Timestamp::from_millis(1), kept_until: Timestamp::from_millis(2) };
            let bytes = entry.to_log(ring.newest()).bytes;
            assert_eq!(Entry::open(&bytes, &ring), Ok(entry));
            assert_eq!(is_bound_to_its_bytes(&bytes, |bytes| Entry::open(bytes, &ring).is_ok()), Ok(()));
            for len in 0..bytes.len() {
                assert!(Entry::open(&bytes[..len], &ring).is_err());
            }
            assert_eq!(Entry::open(&[&[2], &bytes[1..]].concat(), &ring), Err(RecordError::Newer));
        }
    }
}
