//! Whole operations under a marked master key: what a server does with a token, its record and its session.
//!
//! Everything derived from the master key is marked with it: purpose keys, seals, successors, record MACs, nonces,
//! challenges. What is stored or handed out is public from that moment on.

use safeconduct_core::secret::Secret;
use safeconduct_core::session::exchange::{Decided, Present, Request, Shown};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::{Mode, Reason, Replay};
use safeconduct_core::time::{Seconds, Timestamp};
use safeconduct_core::token::receipt::Receipt;
use safeconduct_core::token::refresh::Token;

use super::encoding::secret;
use super::store::{NOW, Store, unwatched, watched};
use super::tokens::{issue, mark};
use crate::case::Case;
use crate::declassify;

pub(crate) const ALL: &[Case] = &[
    Case::promised("sign-in: a derived token", declassify::EXCHANGE, sign_in),
    Case::promised("sign-in: a receipt", declassify::EXCHANGE, receipt),
    Case::promised("refresh: seal, record, successor", declassify::EXCHANGE, refresh),
    Case::promised("refresh: a repeat", declassify::EXCHANGE, repeat),
    Case::promised("refresh: a wrong seal", declassify::EXCHANGE, wrong_seal),
    Case::promised("refresh: a record that was changed", declassify::EXCHANGE, changed_record),
    Case::promised("refresh: the client's own commitment", declassify::EXCHANGE, committed),
    Case::promised("refresh: nonce", declassify::EXCHANGE, nonce),
    Case::promised("refresh: challenge", declassify::EXCHANGE, challenge),
    Case::promised("session token: seal, record, commitment", declassify::EXCHANGE, opaque),
    Case::promised("revoke: log entry", declassify::EXCHANGE, revoke),
];

/// Presents a token whose secret is marked. Under the same commitment where one is given.
fn present(store: &mut Store, issuer: &Issuer, token: &str, shown: Shown, now: Timestamp) -> Decided {
    let present = Present::parse(&mark(token), shown, issuer).unwrap();
    store.carry_out(Request::Present(Box::new(present)), now, issuer)
}

fn rotate() -> Shown {
    Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge: None }
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Seconds::new(seconds))
}

fn signs_in(store: &mut Store, issuer: &Issuer, request: SignInRequest<'_>) -> Decided {
    let sign_in = SignIn::new(&request, issuer.policy()).unwrap();
    let decided = store.carry_out(Request::Issue(sign_in), NOW, issuer);
    assert_eq!(decided.outcome, Outcome::Issued);
    decided
}

fn sign_in() {
    let grant = signs_in(&mut Store::new(), &watched(), SignInRequest::new("user-17")).grant.unwrap();
    let token = declassify::granted(&grant.refresh_token.unwrap());
    assert!(Token::parse(&token).unwrap().authenticate(unwatched().keyring()).is_ok());
}

/// A sign-in with a commitment, and the token that the client makes of the receipt.
fn begin_committed(store: &mut Store, issuer: &Issuer) -> Token {
    let commitment = Some(Secret::new([5; 32]).commitment());
    let request = SignInRequest { commitment, ..SignInRequest::new("user-17") };
    let receipt = declassify::granted(&signs_in(store, issuer, request).grant.unwrap().receipt.unwrap());
    Token::assemble(&Receipt::parse(&receipt).unwrap(), Secret::new(secret(5)))
}

fn receipt() {
    assert!(begin_committed(&mut Store::new(), &watched()).authenticate(unwatched().keyring()).is_ok());
}

fn refresh() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = issue(&mut store, Mode::Hybrid);
    let decided = present(&mut store, &issuer, &token, rotate(), later(60));
    assert_eq!(decided.outcome, Outcome::Rotated);
    let next = declassify::granted(&decided.grant.unwrap().refresh_token.unwrap());
    assert_eq!(present(&mut store, &issuer, &next, rotate(), later(120)).outcome, Outcome::Rotated);
}

fn repeat() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = issue(&mut store, Mode::Hybrid);
    present(&mut store, &unwatched(), &token, rotate(), later(60));
    assert_eq!(present(&mut store, &issuer, &token, rotate(), later(61)).outcome, Outcome::Repeated);
}

/// The last character stands for the last bits of the seal.
fn wrong_seal() {
    let (mut store, issuer) = (Store::new(), watched());
    let mut token = issue(&mut store, Mode::Hybrid);
    let at = token.len() - 4;
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    token.replace_range(at..=at, other);
    let decided = present(&mut store, &issuer, &token, rotate(), later(60));
    assert_eq!(decided.outcome, Outcome::Refused(Refusal::NotOurs));
}

fn changed_record() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = issue(&mut store, Mode::Hybrid);
    store.tamper();
    let present = Present::parse(&mark(&token), rotate(), &issuer).unwrap();
    assert!(store.fails(Request::Present(Box::new(present)), later(60), &issuer));
}

fn committed() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = declassify::granted(&begin_committed(&mut store, &unwatched()).to_text());
    for (now, outcome) in [(60, Outcome::Rotated), (70, Outcome::Repeated)] {
        let next = Some(declassify::commitment(Secret::new(secret(6)).commitment()));
        let shown = Shown::Rotate { next, client_id: None, proof: None, scope: None, challenge: None };
        assert_eq!(present(&mut store, &issuer, &token, shown, later(now)).outcome, outcome);
    }
}

fn nonce() {
    let (mut store, issuer) = (Store::new(), watched());
    let thumbprint = [4; 32];
    let request =
        SignInRequest { replay: Some(Replay::Bound), thumbprint: Some(thumbprint), ..SignInRequest::new("user-17") };
    let grant = signs_in(&mut store, &issuer, request).grant.unwrap();
    let token = declassify::granted(&grant.refresh_token.unwrap());
    let nonce = declassify::granted(&grant.nonce.unwrap());
    let mut proves = |nonce: String| {
        let proof = Some((thumbprint, Some(nonce)));
        let shown = Shown::Rotate { next: None, client_id: None, proof, scope: None, challenge: None };
        present(&mut store, &issuer, &token, shown, later(60)).outcome
    };
    assert_eq!(proves("A".repeat(nonce.len())), Outcome::Refused(Refusal::NonceRequired));
    assert_eq!(proves(nonce), Outcome::Rotated);
}

/// The predecessor after its window is asked to answer a challenge, and is found to be a copy when it does.
fn challenge() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = issue(&mut store, Mode::Hybrid);
    present(&mut store, &unwatched(), &token, rotate(), later(60));
    let decided = present(&mut store, &issuer, &token, rotate(), later(120));
    assert_eq!(decided.outcome, Outcome::Superseded { challenge: true });
    let challenge = Some(declassify::granted(&decided.challenge.unwrap()));
    let shown = Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge };
    assert_eq!(present(&mut store, &issuer, &token, shown, later(121)).outcome, Outcome::ReuseDetected);
}

fn opaque() {
    let (mut store, issuer) = (Store::new(), watched());
    let token = issue(&mut store, Mode::Opaque);
    let decided = present(&mut store, &issuer, &token, Shown::Authenticate, later(60));
    assert_eq!(decided.outcome, Outcome::Authenticated);
}

fn revoke() {
    let (mut store, issuer) = (Store::new(), watched());
    let sid = Token::parse(&issue(&mut store, Mode::Hybrid)).unwrap().session_id();
    let decided = store.carry_out(Request::Revoke(sid, Reason::Administrative), later(60), &issuer);
    assert_eq!(decided.outcome, Outcome::Revoked);
    assert_eq!(store.log.len(), 1);
    assert_eq!(store.read_log(&issuer), 1);
    store.log[0][3] ^= 1;
    assert_eq!(store.read_log(&issuer), 0);
}
