//! Tokens that nobody issued: made up, or made with a stolen key.

use std::sync::atomic::Ordering;

use safeconduct::RefreshRequest;
use safeconduct::core::encoding::base64url;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;

use crate::bed::{Deployment, MASTER, NOT_OURS, on_every_store, outcome};
use crate::client::{Client, RULES, draw, past_pause};
use crate::derived::{hmac, purpose_key, tagged};
use crate::watched::Watched;

/// In a build without optimisation a tenth of it.
const FORGERIES: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

fn text(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", base64url::encode(bytes))
}

/// Scenario 25, P7.
#[test]
fn a_forged_token_for_a_known_session_never_reaches_the_store() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let mut client = Client::sign_in(&deployment, RULES[0]);
        let mut bytes = [0; 85];
        base64url::decode(&client.token.as_bytes()[5..], &mut bytes).unwrap();
        let request = RefreshRequest { next_commitment: None, ..RefreshRequest::default() };
        watched.since();
        for number in 0..FORGERIES {
            // The session, a generation near the current one, and a tag that is not for its secret.
            bytes[17..21].copy_from_slice(&u32::try_from(number % 4).unwrap().to_be_bytes());
            bytes[21..29].copy_from_slice(&number.to_be_bytes());
            let forged = text("scr1_", &bytes);
            assert_eq!(outcome(&deployment.authority.refresh(&forged, &request)), NOT_OURS);
        }
        assert_eq!(watched.since(), (0, 0));
        assert_eq!(deployment.authority.revoke(&text("scr1_", &bytes)), Ok(NOT_OURS));
        assert!(deployment.authority.authenticate(&text("sco1_", &bytes)).is_err());
        assert_eq!(watched.calls.load(Ordering::SeqCst), 0);
        assert_eq!(deployment.trail.lock().unwrap().len(), 1);
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    });
}

/// Rule 1b: whoever has the tag key, but not the database, opens and ends nothing.
#[test]
fn a_token_made_with_the_stolen_tag_key_opens_and_ends_nothing() {
    on_every_store(|bed| {
        for rule in RULES {
            let watched = Watched::over(bed.store.clone());
            let deployment = Deployment::over(watched.store(), Settings::default());
            let mut client = Client::sign_in(&deployment, rule);
            for _ in 0..2 {
                past_pause(&deployment);
                assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            }
            past_pause(&deployment);
            let tag_key = purpose_key(&MASTER, "refresh tag");
            // The seal needs the salt of the record: guesses at it, and the seal of the real token.
            let mut real = [0; 85];
            base64url::decode(&client.token.as_bytes()[5..], &mut real).unwrap();
            let seal_key = hmac(&purpose_key(&MASTER, "refresh seal"), &[0; 16]);
            let guess: [u8; 16] = hmac(&seal_key, &real[..53])[..16].try_into().unwrap();
            let seals = [[0; 16], guess, real[69..].try_into().unwrap()];
            watched.since();
            for generation in [0, 1, 2, 3, 4, u32::MAX] {
                for seal in seals {
                    let forged = tagged(&tag_key, client.session.as_bytes(), generation, draw(), seal);
                    let forged = Client { token: text("scr1_", &forged), ..client.clone() };
                    assert_eq!(outcome(&forged.send(&deployment)), NOT_OURS);
                    assert_eq!(deployment.authority.revoke(&forged.token), Ok(NOT_OURS));
                }
            }
            // The tag is right, so the store is asked; nothing is written.
            assert_eq!(watched.since(), (36, 0));
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}

/// The same for session tokens.
#[test]
fn a_session_token_made_with_the_stolen_tag_key_opens_and_ends_nothing() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") };
        let grant = deployment.authority.issue(&request).unwrap().grant;
        let tag_key = purpose_key(&MASTER, "opaque tag");
        watched.since();
        for generation in [0, 1, 2, u32::MAX] {
            let forged = text("sco1_", &tagged(&tag_key, grant.session.as_bytes(), generation, draw(), [0; 16]));
            assert_eq!(deployment.authority.authenticate(&forged).unwrap_err().reason(), "not_ours");
            assert_eq!(deployment.authority.revoke(&forged), Ok(NOT_OURS));
        }
        assert_eq!(watched.since(), (8, 0));
        assert!(deployment.authority.authenticate(&grant.session_token.unwrap()).is_ok());
    });
}

/// A token of another deployment, or of the same one under another issuer name, is not ours.
#[test]
fn a_token_of_another_deployment_never_reaches_the_store() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let other = safeconduct::core::secret::Secrets::new([8; 32]);
        let other = crate::bed::issuer_with(&other, Settings::default());
        let elsewhere = bed.fresh();
        let other = Deployment::try_over(elsewhere.store.clone(), other).unwrap();
        watched.since();
        for rule in RULES {
            let client = Client::sign_in(&other, rule);
            assert_eq!(outcome(&client.send(&deployment)), NOT_OURS);
            assert_eq!(deployment.authority.revoke(&client.token), Ok(NOT_OURS));
        }
        assert_eq!(watched.since(), (0, 0));
    });
}
