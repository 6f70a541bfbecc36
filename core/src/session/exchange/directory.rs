//! Finding a subject's handle: the directory record under a keyed hash of the subject.
//!
//! Each master key has its own hash, so the newest is looked under first and the older ones after it.

use alloc::vec::Vec;

use super::{Failure, Need, Scene, one};
use crate::id::Partition;
use crate::secret::PurposeKeys;
use crate::session::issuer::Issuer;
use crate::session::record::{self, Directory};
use crate::store::{DirectoryId, Get, Key, Version, Versioned};

/// A directory record that was found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) id: DirectoryId,
    pub(super) version: Version,
    pub(super) directory: Directory,
}

/// The search for one subject, place after place.
pub(super) struct Search {
    ids: Vec<DirectoryId>,
    /// Under the newest master key: where a subject is kept, so that the older ones can be retired.
    pub(super) newest: DirectoryId,
    /// Under the master key with the lowest id: where a subject is claimed that is nowhere yet. Processes
    /// that use different keys for new sessions still claim it at the same place, and all but one fail.
    pub(super) claimed: DirectoryId,
    asked: usize,
}

impl Search {
    pub(super) fn new(subject: &str, issuer: &Issuer) -> Self {
        let id = |keys: &PurposeKeys| directory_id(subject, keys, issuer.policy().partitions);
        let ring = issuer.keyring();
        let lowest = ring.newest_first().min_by_key(|keys| keys.id).unwrap_or_else(|| ring.newest());
        let (newest, claimed) = (id(ring.newest()), id(lowest));
        Self { ids: ring.newest_first().map(id).collect(), newest, claimed, asked: 0 }
    }

    /// The next place to look; `None` when all were looked at.
    pub(super) fn next(&mut self) -> Option<Need> {
        let id = *self.ids.get(self.asked)?;
        self.asked = self.asked.saturating_add(1);
        Some(Need::Get(Get { partition: id.partition(), keys: [Key::Directory(id)].into() }))
    }

    /// What was found at the place that was asked for last.
    pub(super) fn found(&self, answer: Vec<Option<Versioned>>, scene: &Scene<'_>) -> Result<Option<Found>, Failure> {
        let asked = self.asked.checked_sub(1).and_then(|last| self.ids.get(last));
        let id = *asked.ok_or(Failure::Protocol)?;
        let Some(record) = one(answer)? else { return Ok(None) };
        let directory = record::read_directory(&record.bytes, Key::Directory(id), scene.issuer.keyring())?;
        Ok(Some(Found { id, version: record.version, directory }))
    }
}

fn directory_id(subject: &str, keys: &PurposeKeys, partitions: u8) -> DirectoryId {
    let mut id = keys.directory.tag(&[subject.as_bytes()]);
    let [first, ..] = &mut id;
    *first = place(*first, partitions).0;
    DirectoryId(id)
}

/// A partition from a random byte.
pub(super) fn place(random: u8, partitions: u8) -> Partition {
    Partition(random.checked_rem(partitions).unwrap_or(0))
}
