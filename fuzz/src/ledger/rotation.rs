//! What must follow when a token is presented or a session amended.

use super::{Asked, Challenge, Done, Held, Ledger, Line, Stored, is_within, stored_len};
use crate::{Broken, Judged, hold};
use safeconduct_core::id::SessionId;
use safeconduct_core::session::exchange::Decided;
use safeconduct_core::session::issuer::CHALLENGE_TTL;
use safeconduct_core::session::outcome::Outcome;
use safeconduct_core::session::policy::StoreBehind;
use safeconduct_core::session::state::{Late, Mode, Replay, Window};

impl Ledger<'_> {
    pub(super) fn rotated(&mut self, asked: &Asked, decided: &Decided, done: &Done<'_>) -> Judged {
        let Asked::Rotate { held, secret, client, proof, scope, challenge, bent } = asked else { return Ok(()) };
        let line = self.line(held.sid).clone();
        let (sid, k, outcome, now) = (held.sid, held.generation, decided.outcome, done.now);
        let is_served = decided.grant.is_some();
        if outcome == Outcome::ReuseDetected {
            let accused = line.stored.map_or(0, |stored| stored.generation);
            let Replay::Window(window) = line.replay else { return self.accuse(sid, !bent && k <= accused) };
            let is_gentle = window.late == Late::Challenge && window.width.get() > 0 && k < accused;
            let answered = challenge.as_ref().is_some_and(|challenge| {
                challenge.sid == sid && challenge.generation == k && now < challenge.given_at.plus(CHALLENGE_TTL)
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
                let idle = now.plus(self.issuer.policy().idle_ttl).max(stored.idle).min(line.absolute);
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

    pub(super) fn accuse(&mut self, sid: SessionId, is_just: bool) -> Judged {
        hold(is_just, || "P5: an alarm without a cause".into())?;
        if let Some(line) = self.line_mut(sid) {
            line.ended = true;
        }
        Ok(())
    }

    pub(super) fn authenticated(&mut self, held: &Held, bent: bool, decided: &Decided, done: &Done<'_>) -> Judged {
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
        let idle = now.plus(policy.idle_ttl).max(stored.idle).min(line.absolute);
        if let Some(Line { stored: Some(stored), .. }) = self.line_mut(held.sid) {
            if is_ahead {
                (stored.generation, stored.current, stored.idle) = (held.generation, held.secret, idle);
            } else if idle >= stored.idle.plus(policy.idle_grain()) {
                stored.idle = idle;
            }
        }
        Ok(())
    }

    pub(super) fn amended(
        &mut self,
        sid: SessionId,
        scope: Option<&'static str>,
        decided: &Decided,
        done: &Done<'_>,
    ) -> Judged {
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
}
