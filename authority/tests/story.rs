//! The main job, end to end, as the README tells it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::secret::{Secret, Secrets};
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::policy::Policy;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::time::Timestamp;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::core::token::{InvalidToken, Scratch};
use safeconduct::store::MemoryStore;
use safeconduct::{Authority, Error, RefreshRequest};

fn authority() -> (Authority<MemoryStore>, Arc<AtomicU64>) {
    let keys = KeySet::new(SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap());
    let secrets = Secrets::new([9; 32]);
    let issuer = Issuer::new("https://issuer.example", "api", keys, &secrets, Policy::default()).unwrap();
    let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
    let now = Arc::clone(&clock);
    let read = move || Timestamp::from_millis(now.load(Ordering::SeqCst));
    (Authority::open_with_clock(issuer, MemoryStore::new(), read).unwrap(), clock)
}

#[test]
fn a_browser_session_lives_and_a_late_thief_ends_it() {
    let (authority, clock) = authority();
    let first = authority.issue(&SignInRequest::new("user-1")).unwrap();
    let mut scratch = Scratch::boxed();
    let access = first.grant.access_token.unwrap();
    let claims = authority.verify(&access, &mut scratch).unwrap();
    assert!(claims.sub().unwrap().eq_str("user-1"));
    let t0 = first.grant.refresh_token.unwrap();

    let second = authority.refresh(&t0, &RefreshRequest::default()).unwrap();
    assert_eq!(second.outcome, Outcome::Rotated);
    let t1 = second.grant.refresh_token.unwrap();
    assert_ne!(*t0, *t1);

    let repeated = authority.refresh(&t0, &RefreshRequest::default()).unwrap();
    assert_eq!(repeated.outcome, Outcome::Repeated);
    assert_eq!(*repeated.grant.refresh_token.unwrap(), *t1);

    clock.fetch_add(60_000, Ordering::SeqCst);
    let Err(Error::Refused(refused)) = authority.refresh(&t0, &RefreshRequest::default()) else { panic!() };
    assert_eq!(refused.outcome, Outcome::Superseded { challenge: true });
    let challenge = refused.challenge.unwrap();
    let again = RefreshRequest { challenge: Some(&challenge), ..RefreshRequest::default() };
    let Err(Error::Refused(refused)) = authority.refresh(&t0, &again) else { panic!() };
    assert_eq!(refused.outcome, Outcome::ReuseDetected);
    let Err(Error::Refused(refused)) = authority.refresh(&t1, &RefreshRequest::default()) else { panic!() };
    assert_eq!(refused.outcome, Outcome::Refused(Refusal::Revoked));
    let judged = authority.verify(&access, &mut scratch).map(|_| ());
    assert_eq!(judged, Err(Error::InvalidToken(InvalidToken::Revoked)));
}

#[test]
fn an_app_draws_its_own_secrets_and_repeats_a_lost_reply_a_day_later() {
    let (authority, clock) = authority();
    let (s0, s1, s2) = (Secret::new([1; 32]), Secret::new([2; 32]), Secret::new([3; 32]));
    let request = SignInRequest { commitment: Some(s0.commitment()), ..SignInRequest::new("user-1") };
    let first = authority.issue(&request).unwrap();
    assert!(first.grant.refresh_token.is_none());
    let t0 = Token::assemble(&Receipt::parse(&first.grant.receipt.unwrap()).unwrap(), s0).to_text();

    let next = |secret: &Secret| RefreshRequest { next_commitment: Some(secret.commitment()), ..Default::default() };
    let rotated = authority.refresh(&t0, &next(&s1)).unwrap();
    assert_eq!(rotated.outcome, Outcome::Rotated);
    clock.fetch_add(86_400_000, Ordering::SeqCst);
    let repeated = authority.refresh(&t0, &next(&s1)).unwrap();
    assert_eq!(repeated.outcome, Outcome::Repeated);
    assert!(repeated.grant.access_token.is_none());
    assert_eq!(repeated.grant.receipt, rotated.grant.receipt);
    let t1 = Token::assemble(&Receipt::parse(&repeated.grant.receipt.unwrap()).unwrap(), s1).to_text();
    assert_eq!(authority.refresh(&t1, &next(&s2)).unwrap().outcome, Outcome::Rotated);

    let Err(Error::Refused(refused)) = authority.refresh(&t0, &next(&s2)) else { panic!() };
    assert_eq!(refused.outcome, Outcome::Superseded { challenge: false });
}

#[test]
fn every_session_of_a_subject_ends_at_once_and_one_may_be_kept() {
    let (authority, _) = authority();
    let grants: Vec<_> = (0..3).map(|_| authority.issue(&SignInRequest::new("user-1")).unwrap().grant).collect();
    assert_eq!(authority.sessions("user-1", None, 10).unwrap().len(), 3);
    authority.revoke_subject("user-1", Some(grants[1].session)).unwrap();
    let left = authority.sessions("user-1", None, 10).unwrap();
    assert_eq!(left.iter().map(|session| session.session).collect::<Vec<_>>(), [grants[1].session]);
    let token = |i: usize| grants[i].refresh_token.as_ref().unwrap();
    assert!(authority.refresh(token(0), &RefreshRequest::default()).is_err());
    assert_eq!(authority.refresh(token(1), &RefreshRequest::default()).unwrap().outcome, Outcome::Rotated);
    authority.erase_subject("user-1").unwrap();
    assert!(authority.sessions("user-1", None, 10).unwrap().is_empty());
    assert!(authority.refresh(token(1), &RefreshRequest::default()).is_err());
    assert!(authority.issue(&SignInRequest::new("user-1")).is_ok());
}

#[test]
fn an_opaque_token_is_looked_up_and_moves_on_when_privileges_change() {
    let (authority, clock) = authority();
    let request = SignInRequest { mode: Mode::Opaque, scope: "read", ..SignInRequest::new("user-1") };
    let grant = authority.issue(&request).unwrap().grant;
    let old = grant.session_token.unwrap();
    assert!(authority.authenticate(&old).unwrap().contains("\"scope\":\"read\""));
    let amended = authority.amend(grant.session, Some("read write"), None).unwrap();
    let new = amended.grant.session_token.unwrap();
    assert!(authority.authenticate(&new).unwrap().contains("read write"));
    assert!(authority.authenticate(&old).is_ok());
    clock.fetch_add(11_000, Ordering::SeqCst);
    assert!(authority.authenticate(&old).is_err());
    assert_eq!(authority.revoke(&old), Ok(Outcome::Revoked));
    assert!(authority.authenticate(&new).is_err());
}
