//! Claiming a store: the first deployment to open it writes its mark, every other is turned away.

use super::draft::Draft;
use super::{Answer, Failure, Need, Reply, Scene, one};
use crate::session::record::{self, RecordError};
use crate::store::{Committed, Get, Key, Versioned};
use crate::time::Timestamp;

pub(super) struct Open(Stage);

enum Stage {
    Start,
    Reading,
    Writing,
}

impl Open {
    pub(super) const fn new() -> Self {
        Self(Stage::Start)
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        match (&self.0, answer) {
            (Stage::Start, Answer::Begin) | (Stage::Writing, Answer::Committed(Committed::Conflict)) => {
                self.0 = Stage::Reading;
                let keys = [Key::Deployment].into();
                Ok(Need::Get(Get { partition: Key::Deployment.partition(), keys }))
            }
            (Stage::Reading, Answer::Got(found)) => self.read(one(found)?, scene),
            (Stage::Writing, Answer::Committed(Committed::Done)) => Ok(Need::Done(Reply::Opened)),
            _ => Err(Failure::Protocol),
        }
    }

    /// The mark is renewed where it was made with an older master key, so that the key can be retired.
    fn read(&mut self, found: Option<Versioned>, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        let ring = scene.issuer.keyring();
        let partitions = scene.issuer.policy().partitions;
        let keys = ring.newest();
        if let Some(found) = &found {
            match record::read_deployment(&found.bytes, ring) {
                Ok((_, stored)) if stored != partitions => return Err(Failure::Partitions),
                Ok((key, _)) if key == keys.id => return Ok(Need::Done(Reply::Opened)),
                Ok(_) => {}
                Err(RecordError::Newer) => return Err(RecordError::Newer.into()),
                Err(_) => return Err(Failure::ForeignStore),
            }
        }
        let bytes = record::write_deployment(partitions, keys);
        let mut draft = Draft::default();
        draft.write(Key::Deployment, found.map(|found| found.version), bytes, Timestamp::MAX, scene);
        self.0 = Stage::Writing;
        Ok(draft.commit(Key::Deployment.partition(), scene))
    }
}
