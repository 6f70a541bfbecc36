//! Ending every session of a subject: one compare-and-swap on its epoch, never an enumeration.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::directory::Search;
use super::draft::Draft;
use super::{Answer, Decided, Failure, Need, Scene, done};
use crate::audit;
use crate::id::{SessionId, SubjectHandle};
use crate::revocation::entry::{Entry, Hit};
use crate::session::event::{Context, ViewFacts};
use crate::session::outcome::{Outcome, Refusal};
use crate::session::record;
use crate::session::state::Session;
use crate::session::subject::{self, SubjectEvent};
use crate::store::{Committed, Get, Key, Versioned};

pub(super) struct RevokeAll {
    subject: String,
    keep: Option<SessionId>,
    stage: Stage,
}

enum Stage {
    Start,
    Searching(Search),
    Reading(SubjectHandle),
    Committing(SubjectHandle, Box<Decided>),
}

impl RevokeAll {
    pub(super) const fn new(subject: String, keep: Option<SessionId>) -> Self {
        Self { subject, keep, stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        match (core::mem::replace(&mut self.stage, Stage::Start), answer) {
            (Stage::Start, Answer::Begin) => Ok(self.search(Search::new(&self.subject, scene.issuer))),
            (Stage::Searching(search), Answer::Got(got)) => match search.found(got, scene)? {
                Some(found) if self.keep.is_none_or(|keep| keep.subject() == found.directory.handle) => {
                    Ok(self.read(found.directory.handle))
                }
                Some(_) => Ok(done(Decided::new(Outcome::Refused(Refusal::Unknown), self.keep))),
                None => Ok(self.search(search)),
            },
            (Stage::Reading(handle), Answer::Got(got)) => self.decide(handle, got, scene),
            (Stage::Committing(handle, _), Answer::Committed(Committed::Conflict)) => Ok(self.read(handle)),
            (Stage::Committing(_, decided), Answer::Committed(Committed::Done)) => Ok(done(decided)),
            _ => Err(Failure::Protocol),
        }
    }

    /// A subject without a directory record has no session that could end.
    fn search(&mut self, mut search: Search) -> Need {
        match (search.next(), self.keep) {
            (Some(need), _) => {
                self.stage = Stage::Searching(search);
                need
            }
            (None, None) => done(Decided::new(Outcome::Revoked, None)),
            (None, Some(_)) => done(Decided::new(Outcome::Refused(Refusal::Unknown), self.keep)),
        }
    }

    fn read(&mut self, handle: SubjectHandle) -> Need {
        self.stage = Stage::Reading(handle);
        let keys = core::iter::once(Key::Subject(handle)).chain(self.keep.map(Key::Session)).collect();
        Need::Get(Get { partition: handle.partition(), keys })
    }

    fn decide(
        &mut self,
        handle: SubjectHandle,
        got: Vec<Option<Versioned>>,
        scene: &mut Scene<'_>,
    ) -> Result<Need, Failure> {
        let ring = scene.issuer.keyring();
        if got.len() != 1_usize.saturating_add(usize::from(self.keep.is_some())) {
            return Err(Failure::Protocol);
        }
        let mut got = got.into_iter();
        let (found, kept) = (got.next().flatten(), got.next().flatten());
        let at = Key::Subject(handle);
        let subject = found.as_ref().map(|found| record::read_subject(&found.bytes, at, ring)).transpose()?;
        let keep = self.keep.zip(kept);
        let keep = match &keep {
            None if self.keep.is_some() => {
                return Ok(done(Decided::new(Outcome::Refused(Refusal::Unknown), self.keep)));
            }
            None => None,
            Some((sid, found)) => {
                Some((*sid, found.version, record::read_session(&found.bytes, Key::Session(*sid), ring)?))
            }
        };
        let context = Context { now: scene.now, policy: scene.issuer.policy(), view: self.facts(handle, scene) };
        let event = SubjectEvent::RevokeAll { keep: keep.as_ref().map(|(_, _, session)| session) };
        let step = subject::transition(subject.as_ref(), event, &context);
        let Some(raised) = step.subject else { return Ok(done(Decided::new(step.outcome, self.keep))) };
        let mut draft = Draft::default();
        draft.subject(handle, found.as_ref().map(|found| found.version), &raised, scene);
        if let (Some((sid, version, session)), Some(state)) = (keep, step.kept) {
            draft.session(sid, Some(version), &Session { state, ..session }, scene)?;
        }
        let entry = Entry::at(Hit::Subject(handle, raised.epoch), scene.now, raised.gc_at);
        draft.append(entry, scene);
        let mut decided = Decided::new(step.outcome, self.keep);
        let kind = audit::Kind::SubjectRevoked;
        decided.audit.push(audit::Event { at: scene.now, kind, session: self.keep, generation: None });
        decided.entries.push(entry);
        self.stage = Stage::Committing(handle, Box::new(decided));
        Ok(draft.commit(handle.partition(), scene))
    }

    fn facts(&self, handle: SubjectHandle, scene: &Scene<'_>) -> ViewFacts {
        self.keep.map_or_else(|| scene.view.subject_facts(handle), |keep| scene.view.facts(keep))
    }
}
