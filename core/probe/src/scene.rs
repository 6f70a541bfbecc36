//! What is linked, because it is called: the entry points of the core.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use safeconduct_core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct_core::revocation::entry::Entry;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secrets;
use safeconduct_core::session::exchange::{Answer, Decided, Entropy, Exchange, Need, Present, Reply, Request, Shown};
use safeconduct_core::session::issuer::{Grant, Issuer};
use safeconduct_core::session::outcome::Outcome;
use safeconduct_core::session::policy::Policy;
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::Reason;
use safeconduct_core::store::{Committed, Key, Versioned};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::Scratch;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// The records of a store, and how many exchanges there were.
struct Store(Vec<(Key, Versioned)>, u8);

/// `None` where anything went another way than it should.
pub(crate) fn play() -> Option<()> {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let keys = KeySet::new(SigningKey::generate(&[7; 64], algorithm).ok()?);
        let keys = KeySet::from_jwks(&keys.private_jwks()).ok()?;
        let policy = Policy::default();
        let issuer = Issuer::new("https://auth.example", "https://api.example", keys, &Secrets::new([9; 32]), policy);
        session(&issuer.ok()?)?;
    }
    Some(())
}

fn session(issuer: &Issuer) -> Option<()> {
    let mut store = Store(Vec::new(), 0);
    let sign_in = SignIn::new(&SignInRequest::new("user-17"), issuer.policy()).ok()?;
    let granted = store.exchange(Request::Issue(sign_in), NOW, issuer)?.grant?;
    verify(&granted, NOW, issuer)?;
    let shown = Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge: None };
    let present = Present::parse(granted.refresh_token.as_ref()?, shown, issuer).ok()?;
    let later = NOW.plus(Seconds::new(60));
    let rotated = store.exchange(Request::Present(Box::new(present)), later, issuer)?;
    if rotated.outcome != Outcome::Rotated {
        return None;
    }
    verify(&rotated.grant?, later, issuer)?;
    let revoked = store.exchange(Request::Revoke(granted.session, Reason::SignedOut), later, issuer)?;
    (revoked.outcome == Outcome::Revoked).then_some(())
}

fn verify(granted: &Grant, now: Timestamp, issuer: &Issuer) -> Option<()> {
    let mut scratch = Scratch::boxed();
    let verifier = issuer.verifier().ok()?;
    let claims = verifier.verify(granted.access_token.as_ref()?, now, &mut scratch).ok()?;
    claims.sub()?.eq_str("user-17").then_some(())
}

impl Store {
    fn exchange(&mut self, request: Request, now: Timestamp, issuer: &Issuer) -> Option<Decided> {
        self.1 = self.1.checked_add(1)?;
        let mut exchange = Exchange::begin(request, now, Entropy::from_seed([self.1; 32]));
        let mut answer = Answer::Begin;
        loop {
            answer = match exchange.resume(answer, issuer, &View::new()).ok()? {
                Need::Get(get) => Answer::Got(get.keys.iter().map(|key| self.find(key)).collect()),
                Need::List(_) => Answer::Listed(vec![]),
                Need::Commit(commit) => {
                    for entry in &commit.log {
                        Entry::open(&entry.bytes, issuer.keyring()).ok()?;
                    }
                    for put in commit.put {
                        self.0.retain(|(key, _)| *key != put.key);
                        self.0.extend(put.record.map(|record| (put.key, record)));
                    }
                    Answer::Committed(Committed::Done)
                }
                Need::Done(Reply::Decided(decided)) => return Some(*decided),
                Need::Done(_) => return None,
            };
        }
    }

    fn find(&self, key: &Key) -> Option<Versioned> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, record)| record.clone())
    }
}
