//! The live sessions of a subject, for a page of "your devices".

use alloc::string::String;
use alloc::vec::Vec;

use super::directory::Search;
use super::{Answer, Failure, Need, Reply, Scene, one};
use crate::id::{SessionId, SubjectHandle};
use crate::session::event::{Context, Loaded};
use crate::session::record::{self, RecordError};
use crate::session::state::{Mode, Session, Subject};
use crate::session::transition::{Phase, phase};
use crate::store::{Get, Key, List, Listed};
use crate::time::Timestamp;

/// How many sessions are read at a time.
pub(super) const PAGE: u32 = 128;

/// What may be shown of a session to its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its identifier.
    pub session: SessionId,
    /// What its bearer is given.
    pub mode: Mode,
    /// For which client it was issued.
    pub client_id: String,
    /// What its bearer may do.
    pub scope: String,
    /// What the application noted of the device.
    pub device: Option<String>,
    /// Where the sign-in came from.
    pub ip: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its token was last replaced.
    pub rotated_at: Timestamp,
    /// When it ends unless it is used before.
    pub idle_deadline: Timestamp,
    /// When it ends whatever happens.
    pub absolute_deadline: Timestamp,
}

impl Listing {
    fn new(sid: SessionId, session: Session) -> Self {
        let Session { terms, entitlement, state } = session;
        Self {
            session: sid,
            mode: terms.mode,
            client_id: terms.client_id,
            scope: entitlement.scope,
            device: terms.device,
            ip: terms.ip,
            issued_at: terms.issued_at,
            rotated_at: state.rotated_at,
            idle_deadline: state.idle_deadline,
            absolute_deadline: terms.absolute_deadline,
        }
    }
}

pub(super) struct ListSessions {
    subject: String,
    after: Option<SessionId>,
    limit: usize,
    live: Vec<Listing>,
    stage: Stage,
}

enum Stage {
    Start,
    Searching(Search),
    ReadingSubject(SubjectHandle),
    Listing(SubjectHandle, Option<Subject>),
}

impl ListSessions {
    pub(super) fn new(subject: String, after: Option<SessionId>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { subject, after, limit, live: Vec::new(), stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        match (core::mem::replace(&mut self.stage, Stage::Start), answer) {
            (Stage::Start, Answer::Begin) => Ok(self.search(Search::new(&self.subject, scene.issuer))),
            (Stage::Searching(search), Answer::Got(got)) => match search.found(got, scene)? {
                None => Ok(self.search(search)),
                Some(found) => {
                    let handle = found.directory.handle;
                    self.stage = Stage::ReadingSubject(handle);
                    Ok(Need::Get(Get { partition: handle.partition(), keys: [Key::Subject(handle)].into() }))
                }
            },
            (Stage::ReadingSubject(handle), Answer::Got(got)) => {
                let record = one(got)?;
                let read = |bytes: &[u8]| record::read_subject(bytes, Key::Subject(handle), scene.issuer.keyring());
                let subject = record.map(|record| read(&record.bytes)).transpose()?;
                Ok(self.page(handle, subject))
            }
            (Stage::Listing(handle, subject), Answer::Listed(page)) => self.listed(handle, subject, page, scene),
            _ => Err(Failure::Protocol),
        }
    }

    fn search(&mut self, mut search: Search) -> Need {
        match search.next() {
            Some(need) => {
                self.stage = Stage::Searching(search);
                need
            }
            None => Need::Done(Reply::Sessions(Vec::new())),
        }
    }

    fn page(&mut self, handle: SubjectHandle, subject: Option<Subject>) -> Need {
        self.stage = Stage::Listing(handle, subject);
        Need::List(List { subject: handle, after: self.after, limit: PAGE })
    }

    fn listed(
        &mut self,
        handle: SubjectHandle,
        subject: Option<Subject>,
        page: Vec<Listed>,
        scene: &Scene<'_>,
    ) -> Result<Need, Failure> {
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for (sid, record) in page {
            self.after = Some(sid);
            let session = match record::read_session(&record.bytes, Key::Session(sid), scene.issuer.keyring()) {
                // Its master key is retired, so no token of it is good.
                Err(RecordError::UnknownKey) => continue,
                read => read?,
            };
            let context = Context { now: scene.now, policy: scene.issuer.policy(), view: scene.view.facts(sid) };
            let loaded = Loaded { session: Some(&session), subject: subject.as_ref() };
            if phase(&loaded, &context) == Phase::Active && self.live.len() < self.limit {
                self.live.push(Listing::new(sid, session));
            }
        }
        if is_last || self.live.len() >= self.limit {
            return Ok(Need::Done(Reply::Sessions(core::mem::take(&mut self.live))));
        }
        Ok(self.page(handle, subject))
    }
}
