//! What must hold of tokens, bytes, audit lines and lists, whatever was asked.

use super::{Asked, Done, Held, Ledger, because, is_within};
use crate::session_events::{SCOPES, SUBJECTS};
use crate::{Broken, Judged, hold};
use safeconduct_core::encoding::base64url;
use safeconduct_core::secret::Secret;
use safeconduct_core::session::exchange::{Decided, Listing};
use safeconduct_core::session::issuer::Grant;
use safeconduct_core::token::receipt::Receipt;
use safeconduct_core::token::refresh::Token;
use safeconduct_core::token::{InvalidToken, Scratch};

impl Ledger<'_> {
    /// The token that can be presented next, put together where the client drew its half.
    pub(super) fn handed(&self, grant: &Grant, secret: Option<[u8; 32]>) -> Result<Option<Held>, Broken> {
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
    pub(super) fn judge_access(&mut self, grant: &Grant, asked: Option<&str>, done: &Done<'_>) -> Judged {
        let Some(access) = &grant.access_token else { return Ok(()) };
        let line = self.line(grant.session);
        let mut scratch = Scratch::boxed();
        let claims = self.verifier.verify(access, done.now, &mut scratch);
        let claims = claims.map_err(|error| Broken(format!("P3: a new access token is {error:?}")))?;
        let judged = done.view.judge(&claims);
        hold(judged.is_ok(), || format!("P10: a new access token is {judged:?}"))?;
        hold(claims.exp() <= line.absolute, || "P8: an access token outlives its session".into())?;
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
    pub(super) fn judge_audit(&mut self, decided: &Decided) -> Judged {
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
    pub(super) fn judge_ended(&mut self, done: &Done<'_>) -> Judged {
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
    pub(super) fn judge_erasure(&self, who: usize, done: &Done<'_>) -> Judged {
        if !self.is_sure(done) {
            return Ok(());
        }
        let name = SUBJECTS[who].as_bytes();
        let mut left = done.store.records.values().filter(|record| record.bytes.windows(name.len()).any(|w| w == name));
        hold(left.next().is_none(), || "P14: the subject is left in a record".into())
    }

    pub(super) fn judge_list(&mut self, asked: &Asked, listed: &[Listing], done: &Done<'_>) -> Judged {
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
