//! What must hold of any sequence of events: a book of everything issued and ended, kept from outside.
//!
//! It sees what was asked, what was answered and what was committed, and nothing of the machine. P1 to
//! P15 are the invariants of `session::invariants`; those that a single step shows are checked there
//! and by the target `transition`.

mod judgement;
mod rotation;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use safeconduct_core::audit;
use safeconduct_core::id::SessionId;
use safeconduct_core::revocation::view::View;
use safeconduct_core::session::exchange::{Decided, Reply};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::state::{Mode, Replay};
use safeconduct_core::store::{Commit, Key};
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::Verifier;

use crate::deployment::Store;
use crate::{Broken, Judged, hold};

/// A token that somebody holds: its owner, a thief, both.
#[derive(Clone, Debug)]
pub struct Held {
    pub sid: SessionId,
    pub generation: u32,
    pub secret: [u8; 32],
    pub text: String,
    /// The nonce that came with it.
    pub nonce: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Challenge {
    pub sid: SessionId,
    pub generation: u32,
    pub text: String,
    pub given_at: Timestamp,
}

/// What was asked, as far as it matters.
#[derive(Debug)]
pub enum Asked {
    Issue {
        who: usize,
        mode: Mode,
        replay: Replay,
        secret: Option<[u8; 32]>,
        scope: &'static str,
        thumbprint: Option<[u8; 32]>,
    },
    Rotate {
        held: Held,
        secret: Option<[u8; 32]>,
        client: Option<&'static str>,
        proof: Option<([u8; 32], Option<String>)>,
        scope: Option<&'static str>,
        challenge: Option<Challenge>,
        bent: bool,
    },
    Authenticate {
        held: Held,
        bent: bool,
    },
    SignOut {
        held: Held,
        bent: bool,
    },
    Revoke(SessionId),
    Amend(SessionId, Option<&'static str>),
    RevokeAll(usize, Option<SessionId>),
    Erase(usize),
    List(usize),
}

/// How it ended.
pub struct Done<'a> {
    pub now: Timestamp,
    pub reply: &'a Reply,
    pub commits: &'a [Commit],
    pub store: &'a Store,
    pub view: &'a View,
    /// Every secret that a client drew.
    pub drawn: &'a [[u8; 32]],
    /// Whether nothing else happened meanwhile.
    pub alone: bool,
}

/// One session.
#[derive(Clone, Debug)]
pub struct Line {
    pub sid: SessionId,
    pub who: usize,
    pub mode: Mode,
    pub replay: Replay,
    pub thumbprint: Option<[u8; 32]>,
    absolute: Timestamp,
    /// What it is entitled to: as issued, or as amended last.
    scope: &'static str,
    /// Its end was acknowledged.
    ended: bool,
    /// The last access token.
    access: Option<String>,
    record_len: Option<usize>,
    /// What the record must hold; goes back with the store.
    stored: Option<Stored>,
}

impl Line {
    /// A session of the subject that the store has not lost. One that it has, with the sign-in, is unknown to
    /// everybody: nobody can end it, and nobody can go on with it.
    fn is_known_of(&self, who: usize) -> bool {
        self.who == who && self.stored.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    generation: u32,
    current: [u8; 32],
    previous: [u8; 32],
    rotated_at: Timestamp,
    idle: Timestamp,
}

/// The book.
#[derive(Clone)]
pub struct Ledger<'i> {
    issuer: &'i Issuer,
    verifier: Verifier,
    pub sessions: Vec<Line>,
    pub held: Vec<Held>,
    pub challenges: Vec<Challenge>,
    /// What a commitment was answered with: the same request never gets another successor.
    answers: BTreeMap<(SessionId, u32, [u8; 32]), String>,
    store_went_back: bool,
    answer_was_lost: bool,
    /// How many sessions there were when the race began.
    before_race: usize,
    clock_went_back: bool,
    pub seen: BTreeSet<&'static str>,
}

impl<'i> Ledger<'i> {
    pub fn new(issuer: &'i Issuer) -> Self {
        let verifier = issuer.verifier().expect("a good issuer");
        Self {
            issuer,
            verifier,
            sessions: Vec::new(),
            held: Vec::new(),
            challenges: Vec::new(),
            answers: BTreeMap::new(),
            store_went_back: false,
            answer_was_lost: false,
            before_race: 0,
            clock_went_back: false,
            seen: BTreeSet::new(),
        }
    }

    /// What is stored is what it was; what was acknowledged stays acknowledged.
    pub fn store_went_back(&mut self, then: &Self) {
        self.store_went_back = true;
        for line in &mut self.sessions {
            let before = then.sessions.iter().find(|before| before.sid == line.sid);
            line.stored = before.and_then(|before| before.stored);
            line.record_len = None;
        }
    }

    /// Something may have ended that is not noted here. Where it was an erasure, its handle may be gone, and
    /// no later call of this process can hear of it but by reading the log.
    pub fn an_answer_was_lost(&mut self, erased: Option<usize>) {
        self.answer_was_lost = true;
        self.sessions.iter_mut().filter(|line| Some(line.who) == erased).for_each(|line| line.access = None);
    }

    /// Two operations begin that may come one before the other or the reverse.
    pub fn race_begins(&mut self) {
        self.before_race = self.sessions.len();
    }

    /// A sign-in that raced what ends all sessions may have come after it: then nothing is known of it.
    fn may_have_come_later(&mut self, who: usize, done: &Done<'_>) {
        if done.alone || !self.sessions.iter().skip(self.before_race).any(|line| line.who == who) {
            return;
        }
        self.answer_was_lost = true;
        let raced = self.sessions.iter_mut().skip(self.before_race).filter(|line| line.who == who);
        raced.for_each(|line| line.access = None);
    }

    pub fn clock_went_back(&mut self) {
        self.clock_went_back = true;
    }

    /// # Panics
    /// For a session that was never issued.
    pub fn line(&self, sid: SessionId) -> &Line {
        self.sessions.iter().find(|line| line.sid == sid).expect("a session that was issued")
    }

    fn line_mut(&mut self, sid: SessionId) -> Option<&mut Line> {
        self.sessions.iter_mut().find(|line| line.sid == sid)
    }

    /// Judges what was answered, and notes it.
    pub fn observe(&mut self, asked: &Asked, done: &Done<'_>) -> Judged {
        self.judge_bytes(matches!(asked, Asked::Amend(..)), done)?;
        let decided = match done.reply {
            Reply::Decided(decided) => decided,
            Reply::Sessions(listed) => return self.judge_list(asked, listed, done),
            Reply::Opened => return Err(Broken("opened".into())),
        };
        self.seen.insert(decided.outcome.reason());
        self.judge_writes(decided, done)?;
        match asked {
            Asked::Issue { .. } => self.issued(asked, decided, done)?,
            Asked::Rotate { .. } => self.rotated(asked, decided, done)?,
            Asked::Authenticate { held, bent } => self.authenticated(held, *bent, decided, done)?,
            Asked::SignOut { held, bent } => {
                let expected = match decided.outcome {
                    Outcome::Refused(Refusal::NotOurs) => *bent,
                    Outcome::Refused(Refusal::Unknown) => self.may_be_gone(held.sid, done),
                    // Without a record no seal can be looked at, and there is nothing to write either.
                    Outcome::Revoked => {
                        let is_gone = self.may_be_gone(held.sid, done);
                        !bent || is_gone && done.commits.is_empty()
                    }
                    _ => false,
                };
                hold(expected, || "P7: a sign-out".into())?;
                self.ended(decided, held.sid);
            }
            Asked::Revoke(sid) => {
                let is_gone = decided.outcome == Outcome::Refused(Refusal::Unknown);
                let expected = is_gone && self.may_be_gone(*sid, done) || decided.outcome == Outcome::Revoked;
                hold(expected || !self.is_sure(done), || "a revocation".into())?;
                self.ended(decided, *sid);
            }
            Asked::Amend(sid, scope) => self.amended(*sid, *scope, decided, done)?,
            Asked::RevokeAll(who, keep) if decided.outcome == Outcome::Revoked => {
                self.may_have_come_later(*who, done);
                let earlier = if done.alone { self.sessions.len() } else { self.before_race };
                let known = self.sessions.iter_mut().take(earlier).filter(|line| line.is_known_of(*who));
                known.filter(|line| Some(line.sid) != *keep).for_each(|line| line.ended = true);
            }
            Asked::RevokeAll(_, keep) => hold(keep.is_some(), || "P10: refused without a session to keep".into())?,
            Asked::Erase(who) => {
                self.may_have_come_later(*who, done);
                let earlier = if done.alone { self.sessions.len() } else { self.before_race };
                for line in self.sessions.iter_mut().take(earlier).filter(|line| line.is_known_of(*who)) {
                    (line.ended, line.stored) = (true, None);
                }
                self.judge_erasure(*who, done)?;
            }
            Asked::List(_) => return Err(Broken("a list was decided".into())),
        }
        self.judge_audit(decided)?;
        self.judge_ended(done)
    }

    fn ended(&mut self, decided: &Decided, sid: SessionId) {
        if decided.outcome == Outcome::Revoked
            && let Some(line) = self.line_mut(sid)
        {
            line.ended = true;
        }
    }

    /// P12, P13: no secret is in any stored byte, and a record grows by nothing but `Amend`.
    fn judge_bytes(&mut self, may_grow: bool, done: &Done<'_>) -> Judged {
        if done.commits.is_empty() {
            return Ok(());
        }
        let mut puts =
            done.commits.iter().flat_map(|commit| &commit.put).filter_map(|put| Some((put.key, put.record.as_ref()?)));
        let secrets = self.held.iter().map(|held| &held.secret).chain(done.drawn);
        // The first eight bytes of each tell them apart well enough, and are found fast.
        let secrets: HashSet<u64> =
            secrets.filter_map(|secret| secret.first_chunk()).map(|eight| u64::from_be_bytes(*eight)).collect();
        puts.try_for_each(|(key, record)| {
            let mut eights =
                record.bytes.windows(8).filter_map(|window| window.try_into().ok()).map(u64::from_be_bytes);
            hold(!eights.any(|eight| secrets.contains(&eight)), || format!("P12: a secret in {key:?}"))?;
            let Key::Session(sid) = key else { return Ok(()) };
            let Some(line) = self.sessions.iter_mut().find(|line| line.sid == sid) else { return Ok(()) };
            let len = *line.record_len.get_or_insert(record.bytes.len());
            hold(may_grow || len == record.bytes.len(), || format!("P13: {len} bytes became {}", record.bytes.len()))
        })
    }

    /// What is refused writes nothing, and a repeat writes nothing of the session.
    fn judge_writes(&self, decided: &Decided, done: &Done<'_>) -> Judged {
        let wrote = done.commits.iter().flat_map(|commit| &commit.put).any(|put| matches!(put.key, Key::Session(_)));
        match decided.outcome {
            Outcome::Repeated | Outcome::Paused => hold(!wrote, || "P8: a repeat wrote a session".into()),
            Outcome::Superseded { .. } | Outcome::Refused(_) => {
                hold(!wrote && decided.grant.is_none() && decided.claims.is_none(), || "a refusal that gives".into())
            }
            _ => Ok(()),
        }
    }

    fn issued(&mut self, asked: &Asked, decided: &Decided, done: &Done<'_>) -> Judged {
        let &Asked::Issue { who, mode, replay, secret, scope, thumbprint } = asked else { return Ok(()) };
        let Some(grant) = &decided.grant else {
            let expected = matches!(decided.outcome, Outcome::Refused(Refusal::TooManySessions));
            return hold(expected, || "a sign-in was refused".into());
        };
        let policy = self.issuer.policy();
        let length = if mode == Mode::Jwt { policy.access_ttl } else { policy.absolute_ttl };
        let absolute = done.now.plus(length);
        hold(self.sessions.iter().all(|line| line.sid != grant.session), || "a session id twice".into())?;
        let handed = self.handed(grant, secret)?;
        let stored = Stored {
            generation: 0,
            current: handed.as_ref().map_or([0; 32], |held| held.secret),
            previous: [0; 32],
            rotated_at: done.now,
            idle: done.now.plus(policy.idle_ttl).min(absolute),
        };
        let (sid, stored) = (grant.session, Some(stored));
        let record_len = stored_len(done.store, sid);
        let (ended, access) = (false, None);
        self.sessions.push(Line {
            sid,
            who,
            mode,
            replay,
            thumbprint,
            absolute,
            scope,
            ended,
            access,
            record_len,
            stored,
        });
        self.held.extend(handed);
        self.judge_access(grant, None, done)?;
        if self.is_sure(done) && !self.clock_went_back {
            let of_subject = self.sessions.iter().filter(|line| line.who == who).map(|line| line.sid);
            let displaced: BTreeSet<SessionId> = because(decided).collect();
            let live = of_subject.filter(|sid| self.is_live(*sid, done.now) && !displaced.contains(sid)).count();
            hold(live <= policy.max_sessions as usize, || format!("{live} live sessions"))?;
        }
        Ok(())
    }

    /// Whether the book knows all there is to know.
    fn is_sure(&self, done: &Done<'_>) -> bool {
        done.alone && !self.store_went_back && !self.answer_was_lost
    }

    /// Whether the store may have no record of it: lost, or deleted after its end to make room.
    fn may_be_gone(&self, sid: SessionId, done: &Done<'_>) -> bool {
        let line = self.line(sid);
        line.stored.is_none() || line.ended || done.now >= line.absolute || !self.is_sure(done)
    }

    fn is_live(&self, sid: SessionId, now: Timestamp) -> bool {
        let line = self.line(sid);
        !line.ended && now < line.absolute && line.stored.is_some_and(|stored| now < stored.idle)
    }
}

fn because(decided: &Decided) -> impl Iterator<Item = SessionId> {
    let ended = decided.audit.iter().filter(|event| matches!(event.kind, audit::Kind::Because(_)));
    ended.filter_map(|event| event.session)
}

fn stored_len(store: &Store, sid: SessionId) -> Option<usize> {
    store.records.get(&Key::Session(sid)).map(|record| record.bytes.len())
}

fn is_within(asked: &str, granted: &str) -> bool {
    asked.split(' ').filter(|scope| !scope.is_empty()).all(|scope| granted.split(' ').any(|other| other == scope))
}
