//! A commit in the making: whatever is written is expected, by construction.

use alloc::vec::Vec;

use super::{Failure, Need, Scene};
use crate::id::{Partition, SessionId, SubjectHandle};
use crate::revocation::entry::Entry;
use crate::session::record::{self, Directory};
use crate::session::state::{Session, Subject};
use crate::store::{Commit, DirectoryId, Key, LogEntry, Put, Version, Versioned};
use crate::time::Timestamp;

/// What a commit expects, writes and appends so far.
#[derive(Default)]
pub(super) struct Draft {
    expect: Vec<(Key, Option<Version>)>,
    put: Vec<Put>,
    log: Vec<LogEntry>,
}

impl Draft {
    /// A record that is only compared; `None` where it must be absent.
    pub(super) fn compare(&mut self, key: Key, version: Option<Version>) {
        self.expect.push((key, version));
    }

    /// A record that is compared and written.
    pub(super) fn write(
        &mut self,
        key: Key,
        before: Option<Version>,
        bytes: Vec<u8>,
        gc_at: Timestamp,
        scene: &mut Scene<'_>,
    ) {
        self.compare(key, before);
        self.put.push(Put { key, record: Some(Versioned { version: scene.entropy.version(), bytes }), gc_at });
    }

    /// A session's record, under the master key that it was issued with.
    pub(super) fn session(
        &mut self,
        sid: SessionId,
        before: Option<Version>,
        session: &Session,
        scene: &mut Scene<'_>,
    ) -> Result<(), Failure> {
        let keys = scene.issuer.keyring().get(session.terms.key).ok_or(Failure::KeyMissing)?;
        let key = Key::Session(sid);
        self.write(key, before, record::write_session(session, key, keys), session.gc_at(), scene);
        Ok(())
    }

    /// A subject's record, under the newest master key.
    pub(super) fn subject(
        &mut self,
        handle: SubjectHandle,
        before: Option<Version>,
        subject: &Subject,
        scene: &mut Scene<'_>,
    ) {
        let key = Key::Subject(handle);
        let bytes = record::write_subject(subject, key, scene.issuer.keyring().newest());
        self.write(key, before, bytes, subject.gc_at, scene);
    }

    /// A directory record, under the newest master key.
    pub(super) fn directory(
        &mut self,
        id: DirectoryId,
        before: Option<Version>,
        directory: &Directory,
        scene: &mut Scene<'_>,
    ) {
        let key = Key::Directory(id);
        let bytes = record::write_directory(directory, key, scene.issuer.keyring().newest());
        self.write(key, before, bytes, directory.gc_at, scene);
    }

    /// A record that is compared and deleted.
    pub(super) fn delete(&mut self, key: Key, before: Version) {
        self.compare(key, Some(before));
        self.put.push(Put { key, record: None, gc_at: Timestamp::default() });
    }

    /// What verifiers must learn.
    pub(super) fn append(&mut self, entry: Entry, scene: &Scene<'_>) {
        self.log.push(entry.to_log(scene.issuer.keyring().newest()));
    }

    /// The commit.
    pub(super) fn commit(self, partition: Partition, scene: &Scene<'_>) -> Need {
        let Self { expect, put, log } = self;
        Need::Commit(Commit { partition, expect, put, log, now: scene.now })
    }
}
