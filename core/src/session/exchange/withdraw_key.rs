//! Telling every process that a signing key was withdrawn: one entry in the log.
//!
//! The entry goes where the store's mark is, and with the mark compared: a store that another deployment has taken
//! meanwhile is not written to. An entry that this process knows already is not written twice.

use alloc::boxed::Box;

use super::draft::Draft;
use super::{Answer, Decided, Failure, Need, Scene, done, one};
use crate::audit;
use crate::jws::KeyTag;
use crate::revocation::entry::{Entry, Hit};
use crate::session::outcome::Outcome;
use crate::store::{Committed, Get, Key};

pub(super) struct WithdrawKey {
    tag: KeyTag,
    stage: Stage,
}

enum Stage {
    Start,
    Reading,
    Writing(Box<Decided>),
}

impl WithdrawKey {
    pub(super) fn new(kid: &str) -> Self {
        Self { tag: KeyTag::of(kid), stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        match (core::mem::replace(&mut self.stage, Stage::Start), answer) {
            (Stage::Start, Answer::Begin) if scene.view.withdrawn_keys().contains(&self.tag) => {
                Ok(done(Decided::new(Outcome::Revoked, None)))
            }
            (Stage::Start, Answer::Begin) | (Stage::Writing(_), Answer::Committed(Committed::Conflict)) => {
                self.stage = Stage::Reading;
                Ok(Need::Get(Get { partition: Key::Deployment.partition(), keys: [Key::Deployment].into() }))
            }
            (Stage::Reading, Answer::Got(got)) => {
                let mark = one(got)?.ok_or(Failure::ForeignStore)?;
                let entry = Entry::for_good(Hit::Key(self.tag));
                let mut draft = Draft::default();
                draft.compare(Key::Deployment, Some(mark.version));
                draft.append(entry, scene);
                let mut decided = Decided::new(Outcome::Revoked, None);
                let kind = audit::Kind::KeyWithdrawn;
                decided.audit.push(audit::Event { at: scene.now, kind, session: None, generation: None });
                decided.entries.push(entry);
                self.stage = Stage::Writing(Box::new(decided));
                Ok(draft.commit(Key::Deployment.partition(), scene))
            }
            (Stage::Writing(decided), Answer::Committed(Committed::Done)) => Ok(done(decided)),
            _ => Err(Failure::Protocol),
        }
    }
}
