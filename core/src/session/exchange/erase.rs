//! Deleting everything of a subject.
//!
//! Order matters, because any step can be the last one before a crash: first the epoch rises and the
//! handle is marked, so that nothing is issued under it again; then the sessions go, page by page; the
//! directory record goes last, so that an erasure that was cut short is found and finished, by the next
//! call or by the subject's next sign-in. What stays is a handle and an epoch, which lead to nobody.

use alloc::string::String;
use alloc::vec::Vec;

use super::directory::{Found, Search};
use super::draft::Draft;
use super::list::PAGE;
use super::{Answer, Decided, Failure, Need, Scene, done, one};
use crate::audit;
use crate::id::SubjectHandle;
use crate::revocation::entry::{Entry, Hit};
use crate::session::event::Context;
use crate::session::outcome::Outcome;
use crate::session::record;
use crate::session::subject::{self, SubjectEvent};
use crate::store::{Committed, Get, Key, List, Listed, Versioned};

pub(super) struct Erase {
    subject: String,
    decided: Decided,
    /// The handles that the first search found. Others that turn up belong to sign-ins after the erasure.
    handles: Vec<SubjectHandle>,
    is_first_search: bool,
    /// Whether a directory record was deleted, or changed under our hands, since the search began.
    is_to_search_again: bool,
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
    pub(super) fn new(subject: String) -> Self {
        let decided = Decided::new(Outcome::Erased, None);
        Self {
            subject,
            decided,
            handles: Vec::new(),
            is_first_search: true,
            is_to_search_again: false,
            stage: Stage::Start,
        }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        use Stage as S;
        match (core::mem::replace(&mut self.stage, S::Start), answer) {
            (S::Start, Answer::Begin) => Ok(self.search(Search::new(&self.subject, scene.issuer), scene)),
            (S::Searching(search), Answer::Got(got)) => match search.found(got, scene)? {
                None => Ok(self.search(search, scene)),
                Some(found) if self.handles.contains(&found.directory.handle) => Ok(self.list(search, found)),
                Some(_) if !self.is_first_search => Ok(self.search(search, scene)),
                Some(found) => Ok(self.read_subject(search, found)),
            },
            (S::ReadingSubject(search, found), Answer::Got(got)) => self.mark(search, found, one(got)?, scene),
            (S::Marking(search, found, _), Answer::Committed(Committed::Conflict)) => {
                Ok(self.read_subject(search, found))
            }
            (S::Marking(search, found, entry), Answer::Committed(Committed::Done)) => {
                self.note(entry, scene);
                Ok(self.list(search, found))
            }
            (S::Listing(search, found), Answer::Listed(page)) => Ok(self.delete(search, found, page, scene)),
            (S::DeletingSessions(search, found), Answer::Committed(_)) => Ok(self.list(search, found)),
            // Deleted, or written anew by a sign-in that was under way: looked at again in the next search.
            (S::DeletingDirectory(search), Answer::Committed(_)) => {
                self.is_to_search_again = true;
                Ok(self.search(search, scene))
            }
            _ => Err(Failure::Protocol),
        }
    }

    fn note(&mut self, entry: Entry, scene: &Scene<'_>) {
        self.decided.entries.push(entry);
        let kind = audit::Kind::SubjectErased;
        self.decided.audit.push(audit::Event { at: scene.now, kind, session: None, generation: None });
    }

    /// A search that ends without any deletion shows that nothing leads to the handles any more.
    fn search(&mut self, mut search: Search, scene: &Scene<'_>) -> Need {
        loop {
            if let Some(need) = search.next() {
                self.stage = Stage::Searching(search);
                return need;
            }
            if !self.is_to_search_again {
                return done(core::mem::replace(&mut self.decided, Decided::new(Outcome::Erased, None)));
            }
            (self.is_first_search, self.is_to_search_again) = (false, false);
            search = Search::new(&self.subject, scene.issuer);
        }
    }

    fn read_subject(&mut self, search: Search, found: Found) -> Need {
        let handle = found.directory.handle;
        self.handles.push(handle);
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
            // Cut short: the mark stands in the log already, but perhaps in nobody's view or trail.
            self.note(Entry::at(Hit::Subject(handle, marked.epoch), scene.now, marked.gc_at), scene);
            return Ok(self.list(search, found));
        }
        let (policy, view) = (scene.issuer.policy(), scene.view.subject_facts(handle));
        let context = Context { now: scene.now, policy, view };
        let step = subject::transition(before.as_ref(), SubjectEvent::Erase, &context);
        let Some(marked) = step.subject else { return Err(Failure::Protocol) };
        let entry = Entry::at(Hit::Subject(handle, marked.epoch), scene.now, marked.gc_at);
        let mut draft = Draft::default();
        draft.subject(handle, stored.map(|stored| stored.version), &marked, scene);
        draft.append(entry, scene);
        self.stage = Stage::Marking(search, found, entry);
        Ok(draft.commit(handle.partition(), scene))
    }

    fn list(&mut self, search: Search, found: Found) -> Need {
        self.stage = Stage::Listing(search, found);
        Need::List(List { subject: found.directory.handle, after: None, limit: PAGE })
    }

    /// Deletes a page of sessions; where none is left, the directory record. Each record is expected as it
    /// was listed: one that somebody else deleted or wrote meanwhile is listed again.
    fn delete(&mut self, search: Search, found: Found, page: Vec<Listed>, scene: &Scene<'_>) -> Need {
        let mut draft = Draft::default();
        if page.is_empty() {
            draft.delete(Key::Directory(found.id), found.version);
            self.stage = Stage::DeletingDirectory(search);
            return draft.commit(found.id.partition(), scene);
        }
        for (sid, record) in page {
            draft.delete(Key::Session(sid), record.version);
        }
        self.stage = Stage::DeletingSessions(search, found);
        draft.commit(found.directory.handle.partition(), scene)
    }
}
