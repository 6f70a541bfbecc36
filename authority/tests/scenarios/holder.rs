//! The right token in the wrong hands, and scope that does not grow.

use safeconduct::RefreshRequest;
use safeconduct::core::secret::Secret;
use safeconduct::core::session::outcome::{Outcome, Refusal};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Mode, Replay};
use safeconduct::core::token::Scratch;

use crate::bed::{Deployment, on_every_store, outcome};
use crate::client::{Client, RULES, THUMBPRINT, past_pause};

const WRONG_HOLDER: Outcome = Outcome::Refused(Refusal::WrongHolder);

fn scope_of(deployment: &Deployment, access: &str) -> String {
    let mut scratch = Scratch::boxed();
    let claims = deployment.authority.verify(access, &mut scratch).unwrap();
    let payload = claims.payload().to_string();
    payload.split("\"scope\":\"").nth(1).map_or_else(String::new, |rest| rest.split('"').next().unwrap().to_string())
}

/// Scenario 26.
#[test]
fn another_client_is_refused_which_never_counts_as_reuse() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let request = SignInRequest { client_id: "app", ..SignInRequest::new("user-1") };
            let mut client = Client::sign_in_as(&deployment, rule, request);
            let old = client.clone();
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            let other = RefreshRequest { client_id: Some("other"), ..RefreshRequest::default() };
            for token in [&old, &client] {
                assert_eq!(outcome(&token.send_with(&deployment, other)), WRONG_HOLDER);
            }
            past_pause(&deployment);
            let same = RefreshRequest { client_id: Some("app"), ..RefreshRequest::default() };
            assert_eq!(outcome(&client.send_with(&deployment, same)), Outcome::Rotated);
        }
    });
}

/// Scenario 26, for the proof of possession: the nonce is part of it.
#[test]
fn another_key_no_proof_or_a_proof_without_the_tokens_nonce_is_refused_and_harms_nobody() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let mut client = Client::sign_in(&deployment, Replay::Bound);
        let first_nonce = client.nonce.clone();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        assert_ne!(client.nonce, first_nonce);
        let present = |proof| {
            let answer = deployment.authority.refresh(&client.token, &RefreshRequest { proof, ..Default::default() });
            outcome(&answer)
        };
        assert_eq!(present(None), Outcome::Refused(Refusal::ProofRequired));
        assert_eq!(present(Some(([5; 32], client.nonce.as_deref()))), WRONG_HOLDER);
        for nonce in [None, first_nonce.as_deref(), Some("")] {
            assert_eq!(present(Some((THUMBPRINT, nonce))), Outcome::Refused(Refusal::NonceRequired));
        }
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
    });
}

/// Rule 2 holds for a key under the other rules too, where the nonce is not asked for.
#[test]
fn a_key_binds_a_session_under_any_rule() {
    on_every_store(|bed| {
        for rule in [RULES[0], RULES[2]] {
            let deployment = bed.deployment();
            let request = SignInRequest { thumbprint: Some(THUMBPRINT), ..SignInRequest::new("user-1") };
            let client = Client::sign_in_as(&deployment, rule, request);
            let next_commitment = (rule == Replay::Committed).then(|| Secret::new(client.next).commitment());
            let present = |proof| {
                let request = RefreshRequest { proof, next_commitment, ..RefreshRequest::default() };
                outcome(&deployment.authority.refresh(&client.token, &request))
            };
            assert_eq!(present(None), Outcome::Refused(Refusal::ProofRequired));
            assert_eq!(present(Some(([5; 32], None))), WRONG_HOLDER);
            assert_eq!(present(Some((THUMBPRINT, None))), Outcome::Rotated);
        }
    });
}

/// Scenario 36, P9.
#[test]
fn scope_may_shrink_for_one_access_token_and_never_grows() {
    on_every_store(|bed| {
        for rule in RULES {
            let deployment = bed.deployment();
            let request = SignInRequest { scope: "read write", ..SignInRequest::new("user-1") };
            let mut client = Client::sign_in_as(&deployment, rule, request);
            assert_eq!(scope_of(&deployment, &client.access), "read write");
            for more in ["admin", "read admin", "READ", "rea", "read  write", " ", "read write "] {
                let asked = RefreshRequest { scope: Some(more), ..RefreshRequest::default() };
                let answer = outcome(&client.send_with(&deployment, asked));
                assert_eq!(answer, Outcome::Refused(Refusal::ScopeExceeded), "{more:?}");
            }
            let less = RefreshRequest { scope: Some("read"), ..RefreshRequest::default() };
            let granted = client.send_with(&deployment, less).unwrap();
            client.receive(&granted.grant);
            assert_eq!(scope_of(&deployment, &client.access), "read");
            past_pause(&deployment);
            // What was left out is not lost.
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
            assert_eq!(scope_of(&deployment, &client.access), "read write");
        }
    });
}

/// P9: a session without scope gives none, whatever is asked for.
#[test]
fn a_session_without_scope_never_gives_any() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let client = Client::sign_in(&deployment, RULES[0]);
        let asked = RefreshRequest { scope: Some("read"), ..RefreshRequest::default() };
        assert_eq!(outcome(&client.send_with(&deployment, asked)), Outcome::Refused(Refusal::ScopeExceeded));
    });
}

/// A token of one mode is worth nothing where the other belongs.
#[test]
fn a_refresh_token_does_not_authenticate_and_a_session_token_does_not_refresh() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let client = Client::sign_in(&deployment, RULES[2]);
        let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") };
        let opaque = deployment.authority.issue(&request).unwrap().grant.session_token.unwrap();
        assert_eq!(deployment.authority.authenticate(&client.token).unwrap_err().reason(), "not_ours");
        let refreshed = deployment.authority.refresh(&opaque, &RefreshRequest::default());
        assert_eq!(refreshed.unwrap_err().reason(), "not_ours");
        // Nor under the other's prefix.
        let (as_opaque, as_refresh) = (client.token.replace("scr1_", "sco1_"), opaque.replace("sco1_", "scr1_"));
        assert_eq!(deployment.authority.authenticate(&as_opaque).unwrap_err().reason(), "not_ours");
        let refreshed = deployment.authority.refresh(&as_refresh, &RefreshRequest::default());
        assert_eq!(refreshed.unwrap_err().reason(), "not_ours");
    });
}
