//! Operations on one session: a token is presented, or the application amends or ends it.
//!
//! One read of session and subject, one decision, one commit that expects both.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::draft::Draft;
use super::present::{Known, Present, Shown};
use super::{Answer, Decided, Failure, Need, Scene, done};
use crate::audit;
use crate::id::SessionId;
use crate::revocation::entry::{Entry, Hit};
use crate::secret::{Commitment, PurposeKeys};
use crate::session::event::{Amendment, Context, Event, Loaded, ViewFacts};
use crate::session::issuer::{self, Minted};
use crate::session::outcome::{Notice, Outcome, Refusal, SessionWrite, Step};
use crate::session::record;
use crate::session::state::{Reason, Session, Subject};
use crate::session::transition::{GC_GRACE, transition};
use crate::store::{Committed, Get, Key, Version, Versioned};
use crate::time::Timestamp;

pub(super) struct OnSession {
    sid: SessionId,
    request: OneSession,
    stage: Stage,
}

enum OneSession {
    Present(Box<Present>),
    Amend(Amendment),
    Revoke(Reason),
}

enum Stage {
    Start,
    /// With what the view said before.
    Reading(ViewFacts),
    Committing(Box<Decided>),
}

/// The records as read, with the versions that a commit expects.
struct Records {
    session: Option<(Version, Session)>,
    subject: Option<(Version, Subject)>,
}

impl OnSession {
    pub(super) fn present(present: Box<Present>) -> Self {
        let sid = present.token.session_id();
        Self { sid, request: OneSession::Present(present), stage: Stage::Start }
    }

    pub(super) const fn amend(sid: SessionId, amendment: Amendment) -> Self {
        Self { sid, request: OneSession::Amend(amendment), stage: Stage::Start }
    }

    pub(super) const fn revoke(sid: SessionId, reason: Reason) -> Self {
        Self { sid, request: OneSession::Revoke(reason), stage: Stage::Start }
    }

    pub(super) fn resume(&mut self, answer: Answer, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        match (core::mem::replace(&mut self.stage, Stage::Start), answer) {
            (Stage::Start, Answer::Begin) | (Stage::Committing(_), Answer::Committed(Committed::Conflict)) => {
                Ok(self.read(scene))
            }
            // The view learned something meanwhile, of which the records as read may be ignorant: a session
            // that was kept or amended would look like one that the store brought back.
            (Stage::Reading(before), Answer::Got(_)) if before != scene.view.facts(self.sid) => Ok(self.read(scene)),
            (Stage::Reading(_), Answer::Got(found)) => {
                let records = self.records(found, scene)?;
                self.decide(&records, scene)
            }
            (Stage::Committing(decided), Answer::Committed(Committed::Done)) => Ok(done(decided)),
            _ => Err(Failure::Protocol),
        }
    }

    fn read(&mut self, scene: &Scene<'_>) -> Need {
        self.stage = Stage::Reading(scene.view.facts(self.sid));
        let keys = [Key::Session(self.sid), Key::Subject(self.sid.subject())].into();
        Need::Get(Get { partition: self.sid.partition(), keys })
    }

    fn records(&self, found: Vec<Option<Versioned>>, scene: &Scene<'_>) -> Result<Records, Failure> {
        let ring = scene.issuer.keyring();
        let Ok([session, subject]) = <[Option<Versioned>; 2]>::try_from(found) else { return Err(Failure::Protocol) };
        let session = match session {
            Some(found) => Some((found.version, record::read_session(&found.bytes, Key::Session(self.sid), ring)?)),
            None => None,
        };
        let at = Key::Subject(self.sid.subject());
        let subject = match subject {
            Some(found) => Some((found.version, record::read_subject(&found.bytes, at, ring)?)),
            None => None,
        };
        Ok(Records { session, subject })
    }

    fn decide(&mut self, records: &Records, scene: &mut Scene<'_>) -> Result<Need, Failure> {
        let session = records.session.as_ref().map(|(_, session)| session);
        let subject = records.subject.as_ref().map(|(_, subject)| subject);
        let loaded = Loaded { session, subject };
        let context = Context { now: scene.now, policy: scene.issuer.policy(), view: scene.view.facts(self.sid) };
        let keys = session.and_then(|session| scene.issuer.keyring().get(session.terms.key));
        let known = session.zip(keys).map(|(session, keys)| Known { session, keys });
        let event = self.event(known, scene);
        let step = transition(&loaded, event, &context);
        let mut decided = self.note(&step, scene);
        decided.entries.extend(self.unheard(&loaded, context.view, scene.now));
        let Some(Known { session, keys }) = known else {
            if let OneSession::Revoke(_) = self.request {
                // A store that went back lost it: its access tokens are refused here all the same.
                let kept_until = scene.now.plus(scene.issuer.policy().absolute_ttl).plus(GC_GRACE);
                decided.entries.push(Entry::at(Hit::Session(self.sid), scene.now, kept_until));
            }
            return if step.writes() { Err(Failure::Protocol) } else { Ok(done(decided)) };
        };
        let after = apply(session, &step);
        self.hand_out(&mut decided, step.outcome, &after, keys, scene)?;
        if !step.outcome.grants() && !step.writes() {
            return Ok(done(decided));
        }
        let need = self.commit(records, &step, &after, &mut decided, scene)?;
        self.stage = Stage::Committing(Box::new(decided));
        Ok(need)
    }

    /// The event with its cryptographic facts.
    fn event<'e>(&'e self, known: Option<Known<'_>>, scene: &Scene<'_>) -> Event<'e> {
        match &self.request {
            OneSession::Amend(amendment) => {
                let derive = |known: Known<'_>| {
                    let next = known.session.state.generation.saturating_add(1);
                    known.derived(self.sid, next)
                };
                let successor = known.map_or(Commitment([0; 32]), derive);
                Event::Amend { amendment, successor }
            }
            OneSession::Revoke(reason) => Event::Revoke { reason: *reason, presented: None },
            OneSession::Present(present) => present.event(known, scene),
        }
    }

    /// What is to be noted of the decision.
    fn note(&self, step: &Step, scene: &Scene<'_>) -> Decided {
        let mut decided = Decided::new(step.outcome, Some(self.sid));
        let generation = match &self.request {
            OneSession::Present(present) => Some(present.token.generation()),
            OneSession::Amend(_) | OneSession::Revoke(_) => None,
        };
        let event = |kind| audit::Event { at: scene.now, kind, session: Some(self.sid), generation };
        if step.rolled_back {
            decided.audit.push(event(audit::Kind::StoreRolledBack));
        }
        if !matches!(step.outcome, Outcome::Authenticated | Outcome::Refused(Refusal::NotOurs)) {
            decided.audit.push(event(audit::Kind::Decided(step.outcome)));
        }
        if let SessionWrite::Move(state) = &step.session
            && let Some(reason) = state.revoked
        {
            decided.audit.push(event(audit::Kind::Because(reason)));
        }
        decided
    }

    /// What the records say is over and the view does not. Another process ended it, or a call whose answer
    /// was lost, or one that is still under way.
    fn unheard(&self, loaded: &Loaded<'_>, view: ViewFacts, now: Timestamp) -> Option<Entry> {
        if let Some(session) = loaded.session.filter(|session| session.state.revoked.is_some()) {
            return (!view.session_revoked).then(|| Entry::at(Hit::Session(self.sid), now, session.gc_at()));
        }
        let subject = loaded.subject?;
        let is_over = subject.erased || loaded.session.is_some_and(|session| session.state.epoch < subject.epoch);
        let hit = Hit::Subject(self.sid.subject(), subject.epoch);
        (is_over && view.min_epoch < subject.epoch).then(|| Entry::at(hit, now, subject.gc_at))
    }

    fn hand_out(
        &self,
        decided: &mut Decided,
        outcome: Outcome,
        after: &Session,
        keys: &PurposeKeys,
        scene: &mut Scene<'_>,
    ) -> Result<(), Failure> {
        let (issuer, now) = (scene.issuer, scene.now);
        let minted = Minted { sid: self.sid, session: after, keys, now };
        let scope = match &self.request {
            OneSession::Present(present) => match &present.shown {
                Shown::Rotate { scope, .. } => scope.as_deref(),
                Shown::Authenticate | Shown::Revoke => None,
            },
            OneSession::Amend(_) | OneSession::Revoke(_) => None,
        };
        match outcome {
            Outcome::Rotated | Outcome::Repeated | Outcome::Paused | Outcome::Amended => {
                decided.grant = Some(issuer.grant(&minted, outcome, scope, scene.entropy.draw())?);
            }
            Outcome::Authenticated => decided.claims = Some(issuer.claims(&minted, scene.entropy.draw())?),
            Outcome::Superseded { challenge: true } => {
                if let OneSession::Present(present) = &self.request {
                    decided.challenge = Some(issuer.challenge(self.sid, present.token.generation(), keys, now));
                }
            }
            Outcome::Refused(Refusal::NonceRequired) => {
                if let OneSession::Present(present) = &self.request {
                    decided.nonce = Some(issuer::nonce(&present.token, keys));
                }
            }
            Outcome::Issued
            | Outcome::Revoked
            | Outcome::Erased
            | Outcome::ReuseDetected
            | Outcome::Superseded { challenge: false }
            | Outcome::Refused(_) => {}
        }
        Ok(())
    }

    fn commit(
        &self,
        records: &Records,
        step: &Step,
        after: &Session,
        decided: &mut Decided,
        scene: &mut Scene<'_>,
    ) -> Result<Need, Failure> {
        let (session, subject) = (Key::Session(self.sid), Key::Subject(self.sid.subject()));
        let versions = (
            records.session.as_ref().map(|(version, _)| *version),
            records.subject.as_ref().map(|(version, _)| *version),
        );
        let mut draft = Draft::default();
        match (&step.session, versions.0) {
            (SessionWrite::Keep, version) => draft.compare(session, version),
            (SessionWrite::Delete, Some(version)) => draft.delete(session, version),
            (_, version) => draft.session(self.sid, version, after, scene)?,
        }
        match &step.subject {
            Some(raised) => draft.subject(self.sid.subject(), versions.1, raised, scene),
            None => draft.compare(subject, versions.1),
        }
        let hit = step.notice.map(|notice| match notice {
            Notice::Revoked => Hit::Session(self.sid),
            Notice::ClaimsBelow(version) => Hit::Claims(self.sid, version),
        });
        if let Some(hit) = hit {
            let entry = Entry::at(hit, scene.now, after.gc_at());
            draft.append(entry, scene);
            decided.entries.push(entry);
        }
        Ok(draft.commit(self.sid.partition(), scene))
    }
}

/// The session as the step leaves it.
fn apply(session: &Session, step: &Step) -> Session {
    let mut after = session.clone();
    match &step.session {
        SessionWrite::Keep | SessionWrite::Create(_) | SessionWrite::Delete => {}
        SessionWrite::Move(state) => after.state = *state,
        SessionWrite::Amend(state, entitlement) => {
            after.state = *state;
            after.entitlement = entitlement.clone();
        }
    }
    after
}
