//! [`Authority`]: an issuer bound to a store, a clock and entropy. What applications hold.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use safeconduct_core::audit;
use safeconduct_core::id::{Partition, SessionId};
use safeconduct_core::jws::WithdrawalReason;
use safeconduct_core::jws::rotation::RotationError;
use safeconduct_core::revocation::entry::Entry;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Commitment;
use safeconduct_core::session::event::Amendment;
use safeconduct_core::session::exchange::{
    Decided, Entropy, Exchange, Failure, Listing, Present, Reply, Request, Shown,
};
use safeconduct_core::session::issuer::{Grant, Issuer};
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::Reason;
use safeconduct_core::store::ReadLog;
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::{AccessClaims, Scratch, TokenCache, Verifier};
use zeroize::Zeroizing;

use crate::drive::drive;
use crate::error::{Error, Refused};
use crate::keys::{Keys, KeysError};
use crate::store::{Store, StoreError};

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;
type AuditSink = Box<dyn Fn(&audit::Event) + Send + Sync>;

/// Issues, refreshes, verifies and revokes. Share it between threads; every method may be called from
/// many at once.
pub struct Authority<S> {
    issuer: Issuer,
    verifier: Verifier,
    keys: Keys,
    store: S,
    view: RwLock<View>,
    /// Up to where the revocation log was read.
    read_to: Mutex<Option<Vec<u8>>>,
    clock: Clock,
    audit: Option<AuditSink>,
    cache: Option<TokenCache>,
}

/// What came with a refresh token.
#[derive(Clone, Copy, Debug, Default)]
pub struct RefreshRequest<'a> {
    /// The client that presents it, where it was authenticated or named; `None` is not compared.
    pub client_id: Option<&'a str>,
    /// The commitment of the next secret, where the client draws it.
    pub next_commitment: Option<Commitment>,
    /// The scope asked for, `None` for all that was granted. What is left out is not lost: the next
    /// refresh may ask for it again.
    pub scope: Option<&'a str>,
    /// The challenge that a superseded token was answered with.
    pub challenge: Option<&'a str>,
    /// The thumbprint of a verified DPoP proof's key, and the nonce that the proof carries.
    pub proof: Option<([u8; 32], Option<&'a str>)>,
}

/// What was decided and what is handed out on it.
#[derive(Debug)]
pub struct Granted {
    /// [`Outcome::Issued`], [`Outcome::Rotated`], [`Outcome::Repeated`], [`Outcome::Paused`] or
    /// [`Outcome::Amended`].
    pub outcome: Outcome,
    /// Tokens for the bearer.
    pub grant: Grant,
}

impl<S: Store> Authority<S> {
    /// Binds `issuer` to `store`, by the system's clock. Marks an empty store as this deployment's, and
    /// reads the revocation log of one that is.
    ///
    /// # Errors
    /// [`Error::Store`] where the store cannot be used; [`Error::Exchange`] where it belongs to another
    /// deployment.
    pub fn open(issuer: Issuer, store: S) -> Result<Self, Error> {
        Self::open_with_clock(issuer, store, system_time)
    }

    /// As [`Self::open`], by another clock.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_clock(
        issuer: Issuer,
        store: S,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let verifier = issuer.verifier()?;
        let keys = Keys::from(Arc::clone(issuer.keys()));
        let (view, read_to, clock) = (RwLock::new(View::new()), Mutex::new(None), Box::new(clock));
        let authority = Self { issuer, verifier, keys, store, view, read_to, clock, audit: None, cache: None };
        authority.run(Request::Open)?;
        authority.catch_up()?;
        Ok(authority)
    }

    /// Signs and verifies by keys that may change while it runs, instead of those that the issuer was made with.
    ///
    /// # Errors
    /// [`Error::Keys`] where its access tokens may live longer than the keys' policy says, and so longer than a key
    /// is kept.
    pub fn with_keys(mut self, keys: Keys) -> Result<Self, Error> {
        if keys.policy().max_ttl < self.issuer.policy().access_ttl {
            return Err(KeysError::Rotation(RotationError::Policy).into());
        }
        self.keys = keys;
        self.keys.withhold(self.view.read().unwrap_or_else(PoisonError::into_inner).withdrawn_keys());
        Ok(self)
    }

    /// Reads what others have added to the revocation log, and enters it: what other processes revoked since is
    /// refused here too from now on.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Exchange`]: what was known is still known; try again.
    pub fn catch_up(&self) -> Result<(), Error> {
        let mut read_to = self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions: Vec<Partition> = (0..self.issuer.policy().partitions).map(Partition).collect();
        let read = |cursor| self.store.read_log(&ReadLog { partitions: partitions.clone(), cursor });
        let mut log = read(read_to.take())?;
        if !log.complete {
            // There is a gap behind the cursor: the whole log, then.
            log = read(None)?;
        }
        if !log.complete {
            return Err(StoreError::Unavailable("the revocation log could not be read whole; try again".into()).into());
        }
        let entries = log.entries.iter().map(|bytes| Entry::open(bytes, self.issuer.keyring()));
        let entries: Vec<Entry> = entries.collect::<Result<_, _>>().map_err(Failure::Record)?;
        self.enter(&entries, self.now());
        *read_to = Some(log.cursor);
        Ok(())
    }

    /// Calls `sink` with each audit event, after it was committed and before the operation returns.
    #[must_use]
    pub fn with_audit(mut self, sink: impl Fn(&audit::Event) + Send + Sync + 'static) -> Self {
        self.audit = Some(Box::new(sink));
        self
    }

    /// Remembers verified access tokens, so that their signatures are not checked again; all else is, revocation
    /// included.
    #[must_use]
    pub fn with_cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The issuer. Its keys are those that it was made with; see [`Self::keys`].
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The keys that access tokens are signed and verified with.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Signs a subject in. The application has authenticated it.
    ///
    /// # Errors
    /// [`Error::SignIn`] where the call is to be fixed, [`Error::Refused`] with
    /// [`Refusal::TooManySessions`], and what [`drive`](crate::drive) gives.
    pub fn issue(&self, request: &SignInRequest<'_>) -> Result<Granted, Error> {
        let sign_in = SignIn::new(request, self.issuer.policy())?;
        self.decide(Request::Issue(sign_in)).and_then(granted)
    }

    /// Replaces a refresh token.
    ///
    /// # Errors
    /// [`Error::Refused`]: [`Outcome::ReuseDetected`] and most refusals mean that the subject must sign in
    /// again; [`Outcome::Superseded`] that the client reads its storage again; the rest that the client is
    /// to be mended. [`Error::Store`] means try again.
    pub fn refresh(&self, refresh_token: &str, request: &RefreshRequest<'_>) -> Result<Granted, Error> {
        let shown = Shown::Rotate {
            next: request.next_commitment,
            client_id: request.client_id.map(String::from),
            proof: request.proof.map(|(thumbprint, nonce)| (thumbprint, nonce.map(String::from))),
            scope: request.scope.map(String::from),
            challenge: request.challenge.map(String::from),
        };
        self.present(refresh_token, shown).and_then(granted)
    }

    /// Verifies an access token locally: signature, claims, time, and what this process knows to be
    /// revoked. Asks no store.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn verify<'s>(&'s self, access_token: &str, scratch: &'s mut Scratch) -> Result<AccessClaims<'s>, Error> {
        let (keys, now) = (self.keys.current(), self.now());
        let judge = |claims: &AccessClaims<'_>| self.view.read().unwrap_or_else(PoisonError::into_inner).judge(claims);
        if let Some(cache) = &self.cache {
            return Ok(cache.verify_by(&self.verifier, keys, access_token, now, scratch, judge)?);
        }
        let claims = self.verifier.verify_by(keys, access_token, now, scratch)?;
        judge(&claims)?;
        Ok(claims)
    }

    /// Looks an opaque session token up and gives the claims of its session, as the JSON of an access
    /// token's payload.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Store`].
    pub fn authenticate(&self, session_token: &str) -> Result<String, Error> {
        let decided = self.present(session_token, Shown::Authenticate)?;
        decided.claims.ok_or(Error::Refused(Refused { outcome: decided.outcome, challenge: None, nonce: None }))
    }

    /// Replaces what a session's bearer may do: `None` leaves scope or claims as they are. Older access
    /// tokens become stale, which tells clients to refresh; an opaque session gets another token.
    ///
    /// # Errors
    /// [`Error::SignIn`] where the call is to be fixed, [`Error::Refused`], [`Error::Store`].
    pub fn amend(&self, session: SessionId, scope: Option<&str>, claims: Option<&str>) -> Result<Granted, Error> {
        let amendment = Amendment::new(scope, claims, self.issuer.policy())?;
        self.decide(Request::Amend(session, amendment)).and_then(granted)
    }

    /// Ends the session of a refresh token, a session token or an access token, whichever it is
    /// ([RFC 7009]). A token that is not ours, or whose session is gone, is no error: nothing is left to
    /// revoke, and the outcome says so.
    ///
    /// # Errors
    /// [`Error::Store`]: the session may still be good; try again.
    ///
    /// [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009
    pub fn revoke(&self, token: &str) -> Result<Outcome, Error> {
        let request = match Present::parse(token, Shown::Revoke, &self.issuer) {
            Ok(present) => Request::Present(Box::new(present)),
            Err(_) => match self.session_of(token) {
                Some(session) => Request::Revoke(session, Reason::SignedOut),
                None => return Ok(Outcome::Refused(Refusal::NotOurs)),
            },
        };
        self.decide(request).map(|decided| decided.outcome)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::Store`]: the session may still be good; try again.
    pub fn revoke_session(&self, session: SessionId) -> Result<Outcome, Error> {
        self.decide(Request::Revoke(session, Reason::Administrative)).map(|decided| decided.outcome)
    }

    /// Ends every session of a subject, but for `keep`: one write, however many there are. The access
    /// tokens of the session that is kept become invalid too; its next refresh gives a good one.
    ///
    /// # Errors
    /// [`Error::Refused`] where `keep` is not a live session of the subject; nothing is revoked then.
    /// [`Error::Store`].
    pub fn revoke_subject(&self, subject: &str, keep: Option<SessionId>) -> Result<(), Error> {
        let decided = self.decide(Request::RevokeAll { subject: subject.into(), keep })?;
        match decided.outcome {
            Outcome::Revoked => Ok(()),
            outcome => Err(Error::Refused(Refused { outcome, challenge: None, nonce: None })),
        }
    }

    /// Deletes everything of a subject. Its tokens stay refused. An erasure that an error cut short is
    /// finished by calling again.
    ///
    /// # Errors
    /// [`Error::Store`]: call again.
    pub fn erase_subject(&self, subject: &str) -> Result<(), Error> {
        let erased = self.decide(Request::Erase { subject: subject.into() }).map(|_| ());
        // What is remembered of tokens says whom they are about.
        self.cache.iter().for_each(TokenCache::clear);
        erased
    }

    /// Withdraws a signing key, as [`Keys::withdraw`] does, and writes it to the revocation log: every process that
    /// reads the log refuses the key's tokens, whatever its file says. To do it once more finishes what an error cut
    /// short.
    ///
    /// # Errors
    /// [`Error::Keys`]: the key is as good as before. [`Error::Store`]: it is withdrawn here, and where the file is
    /// read; call again.
    pub fn withdraw_key(&self, kid: &str, reason: WithdrawalReason) -> Result<(), Error> {
        self.keys.withdraw(kid, reason, self.now())?;
        self.cache.iter().for_each(TokenCache::clear);
        self.decide(Request::WithdrawKey { kid: kid.into() }).map(|_| ())
    }

    /// The live sessions of a subject, in order of their identifiers: at most `limit` after `after`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn sessions(&self, subject: &str, after: Option<SessionId>, limit: u32) -> Result<Vec<Listing>, Error> {
        match self.run(Request::List { subject: subject.into(), after, limit })? {
            Reply::Sessions(sessions) => Ok(sessions),
            Reply::Opened | Reply::Decided(_) => Ok(Vec::new()),
        }
    }

    fn session_of(&self, access_token: &str) -> Option<SessionId> {
        let mut scratch = Scratch::boxed();
        self.verifier.verify_by(self.keys.current(), access_token, self.now(), &mut scratch).ok()?.sid()
    }

    fn present(&self, token: &str, shown: Shown) -> Result<Box<Decided>, Error> {
        let present = Present::parse(token, shown, &self.issuer).map_err(|_| Error::refused(Refusal::NotOurs))?;
        self.decide(Request::Present(Box::new(present)))
    }

    fn decide(&self, request: Request) -> Result<Box<Decided>, Error> {
        match self.run(request)? {
            Reply::Decided(decided) => Ok(decided),
            Reply::Opened | Reply::Sessions(_) => Err(Error::Exchange(Failure::Protocol)),
        }
    }

    /// Carries a request out. What it revoked is in the view before anybody hears of it.
    fn run(&self, request: Request) -> Result<Reply, Error> {
        let now = self.now();
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| Error::Entropy)?;
        let exchange = Exchange::begin(request, now, Entropy::from_seed(*seed));
        let mut keys = self.keys.current();
        // Withdrawn elsewhere: the file may have its successor already.
        if keys.signing(now).is_none() && matches!(self.keys.reload(), Ok(true)) {
            keys = self.keys.current();
        }
        let reply = drive(exchange, &self.store, &self.issuer.with_keys(keys), &self.view)?;
        if let Reply::Decided(decided) = &reply {
            self.enter(&decided.entries, now);
            if let Some(audit) = &self.audit {
                decided.audit.iter().for_each(audit);
            }
        }
        Ok(reply)
    }

    fn enter(&self, entries: &[Entry], now: Timestamp) {
        if entries.is_empty() {
            return;
        }
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.expire(now);
        entries.iter().for_each(|entry| view.enter(entry));
        self.keys.withhold(view.withdrawn_keys());
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl<S> fmt::Debug for Authority<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn granted(decided: Box<Decided>) -> Result<Granted, Error> {
    let Decided { outcome, grant, challenge, nonce, .. } = *decided;
    match grant {
        Some(grant) => Ok(Granted { outcome, grant }),
        None => Err(Error::Refused(Refused { outcome, challenge, nonce })),
    }
}

/// The system's clock.
pub fn system_time() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
