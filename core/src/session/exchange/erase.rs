//! Deleting everything of a subject.
//!
//! Order matters, because any step can be the last one before a crash: first the epoch rises and the
//! handle is marked, so that nothing is issued under it again; then the sessions go, page by page; the
//! directory record goes last, so that an erasure that was cut short is found and finished, by the next
//! call or by the subject's next sign-in. What stays is a handle and an epoch, which lead to nobody.

use alloc::string::String;
use alloc::vec::Vec;

use super::directory::{Found, Search};
use super::list::PAGE;
use super::{Answer, Decided, Failure, Need, Scene, done};
use crate::audit;
use crate::revocation::entry::{Entry, Hit};
use crate::session::event::Context;
use crate::session::outcome::Outcome;
use crate::session::record;
use crate::session::subject::{self, SubjectEvent};
use crate::store::{Commit, Committed, Get, Key, List, Listed, Put, Versioned};

pub(super) struct Erase {
    subject: String,
    decided: Decided,
    stage: Stage,
}

enum Stage {
    Start,
    Searching(Search),
    ReadingSubject(Search, Found),
    Marking(Search, Found, Entry),
    Listing(Search, Found),
    DeletingSessions(Search, Found),
    DeletingDirectory(Search),
}

impl Erase {
    pub(super) const fn new(subject: String) -> Self {
        Self { subject, decided: Decided::new(Outcome::Erased, None), stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        use Stage as S;
        match (core::mem::replace(&mut self.stage, S::Start), answer) {
            (S::Start, Answer::Begin) => Ok(self.search(Search::new(&self.subject, scene.issuer))),
            (S::Searching(search), Answer::Got(got)) => match search.found(got, scene)? {
                None => Ok(self.search(search)),
                Some(found) => Ok(self.read_subject(search, found)),
            },
            (S::ReadingSubject(search, found), Answer::Got(got)) => {
                self.mark(search, found, got.into_iter().next().flatten(), scene)
            }
            (S::Marking(search, found, _), Answer::Committed(Committed::Conflict)) => {
                Ok(self.read_subject(search, found))
            }
            (S::Marking(search, found, entry), Answer::Committed(Committed::Done)) => {
                self.decided.entries.push(entry);
                let kind = audit::Kind::SubjectErased;
                self.decided.audit.push(audit::Event { at: scene.now, kind, session: None, generation: None });
                Ok(self.list(search, found))
            }
            (S::Listing(search, found), Answer::Listed(page)) => Ok(self.delete(search, found, page, scene)),
            (S::DeletingSessions(search, found), Answer::Committed(_)) => Ok(self.list(search, found)),
            // A conflict means that the record now leads to another handle: to a sign-in after the erasure.
            (S::DeletingDirectory(search), Answer::Committed(_)) => Ok(self.search(search)),
            _ => Err(Failure::Protocol),
        }
    }

    fn search(&mut self, mut search: Search) -> Need {
        match search.next() {
            Some(need) => {
                self.stage = Stage::Searching(search);
                need
            }
            None => done(core::mem::replace(&mut self.decided, Decided::new(Outcome::Erased, None))),
        }
    }

    fn read_subject(&mut self, search: Search, found: Found) -> Need {
        let handle = found.directory.handle;
        self.stage = Stage::ReadingSubject(search, found);
        Need::Get(Get { partition: handle.partition(), keys: [Key::Subject(handle)].into() })
    }

    fn mark(
        &mut self,
        search: Search,
        found: Found,
        stored: Option<Versioned>,
        scene: &mut Scene<'_>,
    ) -> Result<Need, Failure> {
        let handle = found.directory.handle;
        let (at, ring) = (Key::Subject(handle), scene.issuer.keyring());
        let read = |record: &Versioned| record::read_subject(&record.bytes, at, ring);
        let before = stored.as_ref().map(read).transpose()?;
        if let Some(marked) = before.filter(|subject| subject.erased) {
            // By a call that was cut short or is still under way: this process may not have heard.
            let entry = Entry::at(Hit::Subject(handle, marked.epoch), scene.now, marked.gc_at);
            self.decided.entries.push(entry);
            return Ok(self.list(search, found));
        }
        let (policy, view) = (scene.issuer.policy(), scene.view.subject_facts(handle));
        let context = Context { now: scene.now, policy, view };
        let step = subject::transition(before.as_ref(), SubjectEvent::Erase, &context);
        let (Some(marked), Some(keys)) = (step.subject, ring.newest()) else { return Err(Failure::Protocol) };
        let entry = Entry::at(Hit::Subject(handle, marked.epoch), scene.now, marked.gc_at);
        let bytes = record::write_subject(&marked, at, keys);
        let record = Some(Versioned { version: scene.entropy.version(), bytes });
        self.stage = Stage::Marking(search, found, entry);
        Ok(Need::Commit(Commit {
            partition: handle.partition(),
            expect: [(at, stored.map(|stored| stored.version))].into(),
            put: [Put { key: at, record, gc_at: marked.gc_at }].into(),
            log: [entry.to_log()].into(),
            now: scene.now,
        }))
    }

    fn list(&mut self, search: Search, found: Found) -> Need {
        self.stage = Stage::Listing(search, found);
        Need::List(List { subject: found.directory.handle, after: None, limit: PAGE })
    }

    /// Deletes a page of sessions; where none is left, the directory record. Each record is expected as it
    /// was listed: one that somebody else deleted or wrote meanwhile is listed again.
    fn delete(&mut self, search: Search, found: Found, page: Vec<Listed>, scene: &Scene<'_>) -> Need {
        let delete = |key| Put { key, record: None, gc_at: scene.now };
        let (partition, expect) = if page.is_empty() {
            let key = Key::Directory(found.id);
            self.stage = Stage::DeletingDirectory(search);
            (found.id.partition(), Vec::from([(key, Some(found.version))]))
        } else {
            let keys = page.into_iter().map(|(sid, record)| (Key::Session(sid), Some(record.version)));
            self.stage = Stage::DeletingSessions(search, found);
            (found.directory.handle.partition(), keys.collect())
        };
        let put = expect.iter().map(|(key, _)| delete(*key)).collect();
        Need::Commit(Commit { partition, expect, put, log: Vec::new(), now: scene.now })
    }
}
