//! A sign-in: find or make the subject's handle, make room, create the session.
//!
//! Three records take part. The directory leads from the subject to a handle and lies in a partition of
//! its own, so it is written first and by itself; a crash after it leaves a handle without a session,
//! which the next sign-in uses. Session and subject lie in the handle's partition and are created in one
//! commit that expects the subject as it was read: a revoke-all, an erasure or another sign-in in
//! between makes it a conflict, and the sign-in is decided again.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::directory::{self, Found, Search};
use super::draft::Draft;
use super::erase::Erase;
use super::limit::{Count, Room};
use super::list::PAGE;
use super::{Answer, Decided, Failure, Need, Reply, Scene, done, one};
use crate::audit;
use crate::id::{SessionId, SubjectHandle};
use crate::revocation::entry::{Entry, Hit};
use crate::secret::PurposeKeys;
use crate::session::event::{self, Context, Event, Loaded};
use crate::session::issuer::{Minted, derived_secret};
use crate::session::outcome::{Outcome, SessionWrite};
use crate::session::record::{self, Directory};
use crate::session::sign_in::SignIn;
use crate::session::state::{Reason, Session, Subject};
use crate::session::transition::{GC_GRACE, transition};
use crate::store::{Committed, DirectoryId, Get, Key, List, Listed, Version, Versioned};
use crate::time::Timestamp;

pub(super) struct Issue {
    sign_in: SignIn,
    /// Of erasures that were finished on the way.
    erased: Vec<Decided>,
    stage: Stage,
}

enum Stage {
    Start,
    Searching(Search),
    ClaimingHandle(SubjectHandle, Search),
    WritingDirectory,
    ReadingSubject(SubjectHandle),
    Counting(Count),
    Erasing(Box<Erase>),
    Committing(Box<Decided>),
}

impl Issue {
    pub(super) const fn new(sign_in: SignIn) -> Self {
        Self { sign_in, erased: Vec::new(), stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        use Stage as S;
        match (core::mem::replace(&mut self.stage, S::Start), answer) {
            (S::Start, Answer::Begin) => Ok(self.begin(scene)),
            (S::Searching(search), Answer::Got(got)) => match search.found(got, scene)? {
                None => Ok(self.search(search, scene)),
                Some(found) => Ok(self.found(&search, found, scene)),
            },
            // Somebody has the handle already: draw another. Or somebody signed the subject in: begin again.
            (S::ClaimingHandle(_, search), Answer::Committed(Committed::Conflict)) => Ok(self.claim(search, scene)),
            (S::ClaimingHandle(handle, search), Answer::Committed(Committed::Done)) => {
                let gc_at = Timestamp::default();
                Ok(self.write_directory(search.claimed, None, Directory { handle, gc_at }, scene))
            }
            (S::WritingDirectory | S::Committing(_), Answer::Committed(Committed::Conflict)) => Ok(self.begin(scene)),
            // Claimed, copied to the newest place or prolonged: the search finds out whether that is all.
            (S::WritingDirectory, Answer::Committed(Committed::Done)) => Ok(self.begin(scene)),
            (S::ReadingSubject(handle), Answer::Got(got)) => self.with_subject(handle, one(got)?, scene),
            (S::Counting(count), Answer::Listed(page)) => self.count(count, page, scene),
            (S::Erasing(mut erase), answer) => match erase.resume(answer, scene)? {
                Need::Done(Reply::Decided(decided)) => {
                    self.erased.push(*decided);
                    Ok(self.begin(scene))
                }
                need => {
                    self.stage = S::Erasing(erase);
                    Ok(need)
                }
            },
            (S::Committing(mut decided), Answer::Committed(Committed::Done)) => {
                for erased in self.erased.drain(..) {
                    decided.entries.extend(erased.entries);
                    decided.audit.extend(erased.audit);
                }
                Ok(done(decided))
            }
            _ => Err(Failure::Protocol),
        }
    }

    fn begin(&mut self, scene: &mut Scene<'_>) -> Need {
        self.search(Search::new(&self.sign_in.subject, scene.issuer), scene)
    }

    fn search(&mut self, mut search: Search, scene: &mut Scene<'_>) -> Need {
        match search.next() {
            Some(need) => {
                self.stage = Stage::Searching(search);
                need
            }
            None => self.claim(search, scene),
        }
    }

    /// Makes sure that the subject can be found under the newest key for as long as the new session can
    /// live, and for a whole session longer, so that this is seldom to be written.
    fn found(&mut self, search: &Search, found: Found, scene: &mut Scene<'_>) -> Need {
        let newest = search.newest;
        let policy = scene.issuer.policy();
        if found.id == newest && found.directory.gc_at >= scene.now.plus(policy.absolute_ttl).plus(GC_GRACE) {
            return self.read_subject(found.directory.handle);
        }
        let expected = (found.id == newest).then_some(found.version);
        self.write_directory(newest, expected, found.directory, scene)
    }

    /// Draws a handle and creates its subject record, which must not exist: so no two subjects share one.
    fn claim(&mut self, search: Search, scene: &mut Scene<'_>) -> Need {
        let [random, handle @ ..] = scene.entropy.draw::<8>();
        let partition = directory::place(random, scene.issuer.policy().partitions);
        let handle = SubjectHandle::new(partition, handle);
        let epoch = scene.now.as_unix_seconds().max(scene.view.subject_facts(handle).min_epoch);
        let gc_at = scene.now.plus(scene.issuer.policy().absolute_ttl).plus(GC_GRACE);
        let subject = Subject { epoch, erased: false, issued: 0, gc_at };
        let mut draft = Draft::default();
        draft.subject(handle, None, &subject, scene);
        self.stage = Stage::ClaimingHandle(handle, search);
        draft.commit(partition, scene)
    }

    fn write_directory(
        &mut self,
        id: DirectoryId,
        expected: Option<Version>,
        before: Directory,
        scene: &mut Scene<'_>,
    ) -> Need {
        let ttl = scene.issuer.policy().absolute_ttl;
        let gc_at = scene.now.plus(ttl).plus(ttl).plus(GC_GRACE).max(before.gc_at);
        let directory = Directory { gc_at, ..before };
        let mut draft = Draft::default();
        draft.directory(id, expected, &directory, scene);
        self.stage = Stage::WritingDirectory;
        draft.commit(id.partition(), scene)
    }

    fn read_subject(&mut self, handle: SubjectHandle) -> Need {
        self.stage = Stage::ReadingSubject(handle);
        Need::Get(Get { partition: handle.partition(), keys: [Key::Subject(handle)].into() })
    }

    fn with_subject(
        &mut self,
        handle: SubjectHandle,
        stored: Option<Versioned>,
        scene: &mut Scene<'_>,
    ) -> Result<Need, Failure> {
        let Some(stored) = stored else { return self.create(handle, Room::enough(None), scene) };
        let subject = record::read_subject(&stored.bytes, Key::Subject(handle), scene.issuer.keyring())?;
        if subject.erased {
            // An erasure was cut short: it is finished first, and the subject then gets another handle.
            let mut erase = Box::new(Erase::new(self.sign_in.subject.clone()));
            let need = erase.resume(Answer::Begin, scene)?;
            self.stage = Stage::Erasing(erase);
            return Ok(need);
        }
        if subject.issued < scene.issuer.policy().max_sessions {
            return self.create(handle, Room::enough(Some((stored.version, subject))), scene);
        }
        Ok(self.list(Count::new(handle, stored.version, subject), None))
    }

    fn list(&mut self, count: Count, after: Option<SessionId>) -> Need {
        let subject = count.handle;
        self.stage = Stage::Counting(count);
        Need::List(List { subject, after, limit: PAGE })
    }

    fn count(&mut self, mut count: Count, page: Vec<Listed>, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        if let Some(after) = count.add(page, scene)? {
            return Ok(self.list(count, Some(after)));
        }
        let handle = count.handle;
        match count.room(scene.issuer.policy()) {
            Ok(room) => self.create(handle, room, scene),
            Err(refusal) => Ok(done(Decided::new(Outcome::Refused(refusal), None))),
        }
    }

    /// Decides and commits: the session, its subject, the sessions that give way and those that are deleted.
    fn create(
        &mut self,
        handle: SubjectHandle,
        Room { subject, displaced, forgotten }: Room,
        scene: &mut Scene<'_>,
    ) -> Result<Need, Failure> {
        let issuer = scene.issuer;
        let keys = issuer.keyring().newest();
        let sid = SessionId::new(handle, scene.entropy.draw());
        let event = self.event(sid, keys, scene);
        let loaded = Loaded { session: None, subject: subject.as_ref().map(|(_, subject)| subject) };
        let context = Context { now: scene.now, policy: issuer.policy(), view: scene.view.facts(sid) };
        let step = transition(&loaded, Event::Issue(event), &context);
        let mut decided = Decided::new(step.outcome, Some(sid));
        let (SessionWrite::Create(session), Some(raised)) = (step.session, step.subject) else {
            return Ok(done(decided));
        };
        let minted = Minted { sid, session: &session, keys, now: scene.now };
        decided.grant = Some(issuer.grant(&minted, step.outcome, None, scene.entropy.draw())?);
        let at = scene.now;
        let note = |kind, session, generation| audit::Event { at, kind, session: Some(session), generation };
        decided.audit.push(note(audit::Kind::Decided(step.outcome), sid, Some(0)));

        let mut draft = Draft::default();
        draft.session(sid, None, &session, scene)?;
        draft.subject(handle, subject.map(|(version, _)| version), &raised, scene);
        for (old, version, session) in displaced {
            let loaded = Loaded { session: Some(&session), subject: Some(&raised) };
            let context = Context { view: scene.view.facts(old), ..context };
            let event = Event::Revoke { reason: Reason::Displaced, presented: None };
            let SessionWrite::Move(state) = transition(&loaded, event, &context).session else { continue };
            let session = Session { state, ..session };
            let entry = Entry::at(Hit::Session(old), scene.now, session.gc_at());
            draft.session(old, Some(version), &session, scene)?;
            draft.append(entry, scene);
            decided.entries.push(entry);
            decided.audit.push(note(audit::Kind::Because(Reason::Displaced), old, None));
        }
        for (dead, version) in forgotten {
            draft.delete(Key::Session(dead), version);
        }
        self.stage = Stage::Committing(Box::new(decided));
        Ok(draft.commit(handle.partition(), scene))
    }

    fn event(&self, sid: SessionId, keys: &PurposeKeys, scene: &mut Scene<'_>) -> event::Issue {
        let sign_in = &self.sign_in;
        let salt = scene.entropy.draw();
        let derived = || derived_secret(keys, &salt, sid, 0).commitment();
        event::Issue {
            key: keys.id,
            mode: sign_in.mode,
            replay: sign_in.replay,
            salt,
            subject: sign_in.subject.clone(),
            client_id: sign_in.client_id.clone(),
            device: sign_in.device.clone(),
            ip: sign_in.ip.clone(),
            thumbprint: sign_in.thumbprint,
            entitlement: sign_in.entitlement.clone(),
            first: sign_in.commitment.unwrap_or_else(derived),
        }
    }
}
