//! What must hold of any sequence of events: a book of everything issued and ended, kept from outside.
//!
//! It sees what was asked, what was answered and what was committed, and nothing of the machine. P1 to
//! P15 are the invariants of `session::invariants`; those that a single step shows are checked there
//! and by the target `transition`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use safeconduct_core::audit;
use safeconduct_core::encoding::base64url;
use safeconduct_core::id::SessionId;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secret;
use safeconduct_core::session::exchange::{Decided, Listing, Reply};
use safeconduct_core::session::issuer::{Grant, Issuer};
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::policy::StoreBehind;
use safeconduct_core::session::state::{Late, Mode, Replay, Window};
use safeconduct_core::store::{Commit, Key};
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::receipt::Receipt;
use safeconduct_core::token::refresh::Token;
use safeconduct_core::token::{InvalidToken, Scratch, Verifier};

use crate::deployment::Store;
use crate::session_events::{SCOPES, SUBJECTS};
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
                    Outcome::Refused(Refusal::Unknown) => self.line(held.sid).stored.is_none() || !self.is_sure(done),
                    // Without a record no seal can be looked at, and there is nothing to write either.
                    Outcome::Revoked => {
                        let is_gone = self.line(held.sid).stored.is_none() || !self.is_sure(done);
                        !bent || is_gone && done.commits.is_empty()
                    }
                    _ => false,
                };
                hold(expected, || "P7: a sign-out".into())?;
                self.ended(decided, held.sid);
            }
            Asked::Revoke(sid) => {
                let is_gone = decided.outcome == Outcome::Refused(Refusal::Unknown);
                let expected = is_gone && self.line(*sid).stored.is_none() || decided.outcome == Outcome::Revoked;
                hold(expected || !self.is_sure(done), || "a revocation".into())?;
                self.ended(decided, *sid);
            }
            Asked::Amend(sid, scope) => self.amended(*sid, *scope, decided, done)?,
            Asked::RevokeAll(who, keep) if decided.outcome == Outcome::Revoked => {
                let known = self.sessions.iter_mut().filter(|line| line.is_known_of(*who));
                known.filter(|line| Some(line.sid) != *keep).for_each(|line| line.ended = true);
            }
            Asked::RevokeAll(_, keep) => hold(keep.is_some(), || "P10: refused without a session to keep".into())?,
            Asked::Erase(who) => {
                for line in self.sessions.iter_mut().filter(|line| line.is_known_of(*who)) {
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

    fn is_live(&self, sid: SessionId, now: Timestamp) -> bool {
        let line = self.line(sid);
        !line.ended && now < line.absolute && line.stored.is_some_and(|stored| now < stored.idle)
    }

    fn rotated(&mut self, asked: &Asked, decided: &Decided, done: &Done<'_>) -> Judged {
        let Asked::Rotate { held, secret, client, proof, scope, challenge, bent } = asked else { return Ok(()) };
        let line = self.line(held.sid).clone();
        let (sid, k, outcome, now) = (held.sid, held.generation, decided.outcome, done.now);
        let is_served = decided.grant.is_some();
        if outcome == Outcome::ReuseDetected {
            let accused = line.stored.map_or(0, |stored| stored.generation);
            let Replay::Window(window) = line.replay else { return self.accuse(sid, !bent && k <= accused) };
            let is_gentle = window.late == Late::Challenge && window.width.get() > 0 && k < accused;
            let answered = challenge.as_ref().is_some_and(|challenge| {
                challenge.sid == sid && challenge.generation == k && now < challenge.given_at.plus(CHALLENGE)
            });
            return self.accuse(sid, !bent && k <= accused && (!is_gentle || answered));
        }
        if let Outcome::Superseded { challenge } = outcome
            && challenge
        {
            let text = decided.challenge.clone().ok_or_else(|| Broken("no challenge".into()))?;
            self.challenges.push(Challenge { sid, generation: k, text, given_at: now });
        }

        // What an honest client meets: the current token, in time, with what the session asks for.
        let right_proof = line.thumbprint.is_none() && (proof.is_none() || line.replay != Replay::Bound)
            || line.thumbprint == proof.as_ref().map(|(key, _)| *key)
                && (line.replay != Replay::Bound || proof.as_ref().and_then(|(_, nonce)| nonce.clone()) == held.nonce);
        let right_holder = client.is_none_or(|client| client == "client-a") && right_proof;
        let right_next = match line.replay {
            Replay::Committed => secret.is_some_and(|secret| secret != held.secret),
            Replay::Bound | Replay::Window(_) => secret.is_none(),
        };
        let is_current = line.stored.is_some_and(|s| s.generation == k && s.current == held.secret);
        let in_scope = scope.is_none_or(|scope| is_within(scope, line.scope));
        let is_live = self.is_live(sid, now) && self.is_sure(done);
        if is_live && right_holder && right_next && is_current && in_scope && !bent {
            self.seen.insert("honest");
            hold(matches!(outcome, Outcome::Rotated | Outcome::Paused), || "P5: an honest client is refused".into())?;
        }
        let Some(grant) = &decided.grant else { return hold(!is_served, String::new) };

        hold(!bent, || "P7: a forged token is served".into())?;
        hold(!line.ended, || "P3: served after the end was acknowledged".into())?;
        hold(now < line.absolute, || "P8: served past the absolute deadline".into())?;
        hold(right_holder && right_next, || "P4: served to another holder".into())?;
        hold(in_scope, || "P9: more scope than was granted".into())?;
        let stored = line.stored.ok_or_else(|| Broken("P14: served without a record".into()))?;
        hold(k > stored.generation || now < stored.idle, || "P8: served past the idle deadline".into())?;
        let next = self.handed(grant, *secret)?.ok_or_else(|| Broken("nothing to go on with".into()))?;
        let is_current = k == stored.generation && held.secret == stored.current;
        match outcome {
            Outcome::Rotated => {
                let adopts = k > stored.generation && self.issuer.policy().store_behind == StoreBehind::Adopt;
                hold(is_current || adopts && self.store_went_back, || "P2: a token that is not current".into())?;
                hold(next.generation == k + 1, || "P1: another generation".into())?;
                let idle = now.plus(self.issuer.policy().idle_ttl).min(line.absolute);
                let state =
                    Stored { generation: k + 1, current: next.secret, previous: held.secret, rotated_at: now, idle };
                if let Some(line) = self.line_mut(sid) {
                    line.stored = Some(state);
                }
            }
            Outcome::Repeated => {
                let is_parent = k + 1 == stored.generation && held.secret == stored.previous;
                let is_repeat = match line.replay {
                    Replay::Committed => *secret == Some(stored.current) && grant.access_token.is_none(),
                    Replay::Bound => true,
                    Replay::Window(window) => window.is_open(stored.rotated_at, now),
                };
                hold(is_parent && is_repeat, || "P4: a repeat that is none".into())?;
                hold(next.secret == stored.current && next.generation == k + 1, || "P2: a sibling".into())?;
            }
            Outcome::Paused => {
                let is_open = matches!(line.replay, Replay::Window(Window { width, .. }) if width.get() > 0);
                hold(is_current && is_open && next.text == held.text, || "P2: a pause with another token".into())?;
            }
            _ => return Err(Broken("served on another outcome".into())),
        }
        if outcome != Outcome::Paused && !self.store_went_back {
            let key = (sid, k, secret.unwrap_or(held.secret));
            let first = self.answers.entry(key).or_insert_with(|| next.text.clone());
            hold(*first == next.text, || "P2: two successors of one request".into())?;
        }
        if self.held.iter().all(|held| held.text != next.text) {
            self.held.push(next);
        }
        self.judge_access(grant, *scope, done)
    }

    fn accuse(&mut self, sid: SessionId, is_just: bool) -> Judged {
        hold(is_just, || "P5: an alarm without a cause".into())?;
        if let Some(line) = self.line_mut(sid) {
            line.ended = true;
        }
        Ok(())
    }

    fn authenticated(&mut self, held: &Held, bent: bool, decided: &Decided, done: &Done<'_>) -> Judged {
        let line = self.line(held.sid).clone();
        let now = done.now;
        let is_live = self.is_live(held.sid, now) && self.is_sure(done);
        let is_current = line.stored.is_some_and(|s| s.generation == held.generation);
        if is_live && is_current && !bent {
            self.seen.insert("honest session token");
            hold(decided.claims.is_some(), || "P5: a good session token is refused".into())?;
        }
        let Some(claims) = &decided.claims else { return Ok(()) };
        let stored = line.stored.ok_or_else(|| Broken("P14: served without a record".into()))?;
        hold(!bent, || "P7: a forged token is served".into())?;
        hold(!line.ended, || "P3: served after the end was acknowledged".into())?;
        hold(now < line.absolute, || "P8: served past the absolute deadline".into())?;
        let is_ahead = held.generation > stored.generation;
        hold(is_ahead || now < stored.idle, || "P8: served past the idle deadline".into())?;
        let claims: serde_json::Value =
            serde_json::from_str(claims).map_err(|error| Broken(format!("claims: {error}")))?;
        let scope = claims.get("scope").and_then(serde_json::Value::as_str).unwrap_or_default();
        hold(is_within(scope, line.scope), || format!("P9: {scope:?} beyond {:?}", line.scope))?;
        let Replay::Window(window) = line.replay else { return Err(Broken("an opaque session with a rule".into())) };
        let is_parent = held.generation + 1 == stored.generation && held.secret == stored.previous;
        let is_late = is_parent && window.is_open(stored.rotated_at, now);
        hold(is_current || is_late || is_ahead && self.store_went_back, || "P2: an old session token".into())?;
        let policy = self.issuer.policy();
        let idle = now.plus(policy.idle_ttl).min(line.absolute);
        if let Some(Line { stored: Some(stored), .. }) = self.line_mut(held.sid) {
            if is_ahead {
                (stored.generation, stored.current, stored.idle) = (held.generation, held.secret, idle);
            } else if idle >= stored.idle.plus(policy.idle_grain()) {
                stored.idle = idle;
            }
        }
        Ok(())
    }

    fn amended(&mut self, sid: SessionId, scope: Option<&'static str>, decided: &Decided, done: &Done<'_>) -> Judged {
        let Some(grant) = &decided.grant else { return Ok(()) };
        let line = self.line(sid);
        hold(!line.ended, || "P3: amended after the end was acknowledged".into())?;
        let stored = line.stored.ok_or_else(|| Broken("P14: amended without a record".into()))?;
        hold(done.now < line.absolute && done.now < stored.idle, || "P8: amended past a deadline".into())?;
        let (mode, handed) = (line.mode, self.handed(grant, None)?);
        let Some(line) = self.line_mut(sid) else { return Ok(()) };
        line.scope = scope.unwrap_or(line.scope);
        line.record_len = stored_len(done.store, sid);
        if let (Some(handed), Some(stored)) = (&handed, &mut line.stored) {
            hold(mode == Mode::Opaque && handed.generation == stored.generation + 1, || "P1: a generation".into())?;
            stored.previous = stored.current;
            (stored.generation, stored.current, stored.rotated_at) = (handed.generation, handed.secret, done.now);
        }
        if let Some(handed) = handed
            && self.held.iter().all(|held| held.text != handed.text)
        {
            self.held.push(handed);
        }
        self.judge_access(grant, None, done)
    }

    /// The token that can be presented next, put together where the client drew its half.
    fn handed(&self, grant: &Grant, secret: Option<[u8; 32]>) -> Result<Option<Held>, Broken> {
        let text = match (&grant.refresh_token, &grant.session_token, &grant.receipt) {
            (Some(text), None, None) | (None, Some(text), None) => text.to_string(),
            (None, None, Some(receipt)) => {
                let receipt = Receipt::parse(receipt).map_err(|_| Broken("a receipt".into()))?;
                let Some(secret) = secret else { return Ok(None) };
                Token::assemble(&receipt, Secret::new(secret)).to_text().to_string()
            }
            (None, None, None) => return Ok(None),
            _ => return Err(Broken("two tokens".into())),
        };
        let token = Token::parse(&text).map_err(|_| Broken(format!("a token: {text}")))?;
        hold(token.authenticate(self.issuer.keyring()).is_ok(), || format!("not our own token: {text}"))?;
        let mut bytes = [0; 85];
        let bytes = base64url::decode(&text.as_bytes()[5..], &mut bytes).map_err(|_| Broken(text.clone()))?;
        let mut secret = [0; 32];
        secret.copy_from_slice(&bytes[21..53]);
        let (sid, generation, nonce) = (token.session_id(), token.generation(), grant.nonce.clone());
        hold(sid == grant.session, || "a token of another session".into())?;
        Ok(Some(Held { sid, generation, secret, text, nonce }))
    }

    /// An access token is good when it is handed out, says no more than was granted, and ends in time.
    fn judge_access(&mut self, grant: &Grant, asked: Option<&str>, done: &Done<'_>) -> Judged {
        let Some(access) = &grant.access_token else { return Ok(()) };
        let line = self.line(grant.session);
        let mut scratch = Scratch::boxed();
        let claims = self.verifier.verify(access, done.now, &mut scratch);
        let claims = claims.map_err(|error| Broken(format!("P3: a new access token is {error:?}")))?;
        let judged = done.view.judge(&claims);
        hold(judged.is_ok(), || format!("P10: a new access token is {judged:?}"))?;
        hold(claims.exp <= line.absolute, || "P8: an access token outlives its session".into())?;
        for scope in SCOPES[3].split(' ').filter(|scope| claims.has_scope(scope)) {
            hold(is_within(scope, asked.unwrap_or(line.scope)), || format!("P9: {scope} was not granted"))?;
        }
        let text = access.to_string();
        if let Some(line) = self.line_mut(grant.session) {
            line.access = Some(text);
        }
        Ok(())
    }

    /// What is noted as ended is ended, and the verifiers are told.
    fn judge_audit(&mut self, decided: &Decided) -> Judged {
        let line = format!("{decided:?}");
        // What was handed out last is what it could show.
        let is_shown = self.held.last().is_some_and(|held| line.contains(&held.text));
        hold(!is_shown, || "P12: Debug shows a token".into())?;
        for sid in because(decided) {
            let Some(line) = self.line_mut(sid) else { return Err(Broken("an unknown session ended".into())) };
            line.ended = true;
            let is_told = decided.entries.iter().any(
                |entry| matches!(entry.hit, safeconduct_core::revocation::entry::Hit::Session(told) if told == sid),
            );
            hold(is_told, || "P11: verifiers are not told".into())?;
        }
        Ok(())
    }

    /// P3 for access tokens: after the end, the issuer's own view refuses what it issued before.
    fn judge_ended(&mut self, done: &Done<'_>) -> Judged {
        for line in self.sessions.iter_mut().filter(|line| line.ended) {
            // Once is enough: a view forgets nothing here.
            let Some(access) = line.access.take() else { continue };
            let mut scratch = Scratch::boxed();
            let Ok(claims) = self.verifier.verify(&access, done.now, &mut scratch) else { continue };
            let judged = done.view.judge(&claims);
            hold(judged == Err(InvalidToken::Revoked), || format!("P3: an access token is still {judged:?}"))?;
        }
        Ok(())
    }

    /// P14: nothing derived from the subject is left.
    fn judge_erasure(&self, who: usize, done: &Done<'_>) -> Judged {
        if !self.is_sure(done) {
            return Ok(());
        }
        let name = SUBJECTS[who].as_bytes();
        let mut left = done.store.records.values().filter(|record| record.bytes.windows(name.len()).any(|w| w == name));
        hold(left.next().is_none(), || "P14: the subject is left in a record".into())
    }

    fn judge_list(&mut self, asked: &Asked, listed: &[Listing], done: &Done<'_>) -> Judged {
        let &Asked::List(who) = asked else { return Err(Broken("a list".into())) };
        self.seen.insert("listed");
        for listing in listed {
            let line = self.line(listing.session);
            hold(line.who == who && !line.ended, || "P3: an ended session is listed".into())?;
            hold(done.now < line.absolute, || "P8: a dead session is listed".into())?;
        }
        if self.is_sure(done) {
            let of_subject = self.sessions.iter().filter(|line| line.who == who);
            let live = of_subject.filter(|line| self.is_live(line.sid, done.now)).count();
            hold(live == listed.len(), || format!("{} of {live} live sessions are listed", listed.len()))?;
        }
        Ok(())
    }
}

const CHALLENGE: safeconduct_core::time::Seconds = safeconduct_core::session::issuer::CHALLENGE_TTL;

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
