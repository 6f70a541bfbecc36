//! Scenario 44: every truncation and every single changed bit of every kind of token.

use safeconduct::core::encoding::base64url;
use safeconduct::core::secret::Secret;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::{Error, RefreshRequest};

use crate::bed::{CHALLENGED, Deployment, NOT_OURS, on_every_store, outcome};
use crate::client::{Client, RULES, past_pause, window};
use crate::watched::Watched;

/// Every text that is one cut or one bit away from `token`: cut at both ends, each bit of the text, each
/// bit of the bytes that it stands for, and forms that are not canonical.
fn near(token: &str) -> Vec<String> {
    let mut all: Vec<String> = (0..token.len()).map(|len| token[..len].to_string()).collect();
    all.extend((1..token.len()).map(|from| token[from..].to_string()));
    for place in 0..token.len() * 8 {
        let mut text = token.as_bytes().to_vec();
        text[place / 8] ^= 1 << (place % 8);
        all.push(String::from_utf8_lossy(&text).into_owned());
    }
    let (prefix, encoded) = token.split_at(5);
    let mut bytes = vec![0; base64url::decoded_len(encoded.len())];
    base64url::decode(encoded.as_bytes(), &mut bytes).unwrap();
    for place in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[place / 8] ^= 1 << (place % 8);
        all.push(format!("{prefix}{}", base64url::encode(&bytes)));
    }
    for more in [&b"\0"[..], b"\0\0\0", &[0xff; 100]] {
        all.push(format!("{prefix}{}", base64url::encode(&[&bytes[..], more].concat())));
    }
    all.extend(["=", "==", "A", "\n", " ", "\0", "é"].map(|tail| format!("{token}{tail}")));
    all.extend([" ", "\n", "\u{feff}", "Bearer "].map(|head| format!("{head}{token}")));
    all.extend([token.to_uppercase(), token.to_lowercase(), token.replace(['-', '_'], "+"), token.repeat(1000)]);
    all.retain(|text| text != token);
    all
}

/// The seal is the last 16 of the 85 bytes.
fn differs_in_its_seal_only(near: &str, token: &str) -> bool {
    let decode = |text: &str| {
        let mut bytes = [0; 85];
        let encoded = text.strip_prefix("scr1_")?.as_bytes();
        base64url::decode(encoded, &mut bytes).ok().filter(|bytes| bytes.len() == 85).map(|bytes| bytes[..69].to_vec())
    };
    near.len() == token.len() && decode(near) == decode(token)
}

#[test]
fn every_text_near_a_refresh_token_is_refused_alike_and_nothing_is_written() {
    on_every_store(|bed| {
        for rule in RULES {
            let watched = Watched::over(bed.store.clone());
            let deployment = Deployment::over(watched.store(), Settings::default());
            let mut client = Client::sign_in(&deployment, rule);
            watched.since();
            let mut sealed_otherwise = 0;
            for token in near(&client.token) {
                sealed_otherwise += usize::from(differs_in_its_seal_only(&token, &client.token));
                let forged = Client { token, ..client.clone() };
                assert_eq!(outcome(&forged.send(&deployment)), NOT_OURS, "{}", forged.token);
                assert_eq!(deployment.authority.revoke(&forged.token), Ok(NOT_OURS));
                assert!(deployment.authority.authenticate(&forged.token).is_err());
            }
            // The store is asked only where the tag is right, by refresh and by revoke.
            assert!(sealed_otherwise >= 128);
            assert_eq!(watched.since(), (2 * sealed_otherwise, 0));
            assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        }
    });
}

#[test]
fn every_text_near_a_session_token_is_refused_alike_and_nothing_is_written() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") };
        let token = deployment.authority.issue(&request).unwrap().grant.session_token.unwrap();
        watched.since();
        for near in near(&token) {
            let told = deployment.authority.authenticate(&near);
            assert_eq!(told.map_err(|error| error.reason()), Err("not_ours"), "{near}");
            assert_eq!(deployment.authority.revoke(&near), Ok(NOT_OURS));
            let told = deployment.authority.refresh(&near, &RefreshRequest::default());
            assert_eq!(outcome(&told), NOT_OURS);
        }
        assert_eq!(watched.since().1, 0);
        assert!(deployment.authority.authenticate(&token).is_ok());
    });
}

#[test]
fn every_text_near_a_receipt_makes_no_token() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let secret = [3; 32];
        let commitment = Some(Secret::new(secret).commitment());
        let grant = deployment.authority.issue(&SignInRequest { commitment, ..SignInRequest::new("user-1") });
        let receipt = grant.unwrap().grant.receipt.unwrap();
        let next_commitment = Some(Secret::new([4; 32]).commitment());
        let request = RefreshRequest { next_commitment, ..RefreshRequest::default() };
        let assembled = |receipt: &Receipt, secret| Token::assemble(receipt, Secret::new(secret)).to_text().to_string();
        watched.since();
        for near in near(&receipt) {
            let Ok(near) = Receipt::parse(&near) else { continue };
            let told = deployment.authority.refresh(&assembled(&near, secret), &request);
            assert_eq!(outcome(&told), NOT_OURS);
        }
        // Nor does the receipt with another secret.
        let receipt = Receipt::parse(&receipt).unwrap();
        for place in 0..256 {
            let mut secret = secret;
            secret[place / 8] ^= 1 << (place % 8);
            assert_eq!(outcome(&deployment.authority.refresh(&assembled(&receipt, secret), &request)), NOT_OURS);
        }
        assert_eq!(watched.since().1, 0);
        let told = deployment.authority.refresh(&assembled(&receipt, secret), &request);
        assert_eq!(outcome(&told), Outcome::Rotated);
    });
}

#[test]
fn every_text_near_a_challenge_is_no_challenge_and_ends_nothing() {
    on_every_store(|bed| {
        let watched = Watched::over(bed.store.clone());
        let deployment = Deployment::over(watched.store(), Settings::default());
        let mut client = Client::sign_in(&deployment, window(10));
        let old = client.clone();
        assert_eq!(client.refresh(&deployment), Outcome::Rotated);
        past_pause(&deployment);
        let Err(Error::Refused(refused)) = old.send(&deployment) else { panic!() };
        let challenge = refused.challenge.unwrap();
        let answer = |challenge: &str| {
            let request = RefreshRequest { challenge: Some(challenge), ..RefreshRequest::default() };
            outcome(&deployment.authority.refresh(&old.token, &request))
        };
        watched.since();
        for near in near(&challenge) {
            assert_eq!(answer(&near), CHALLENGED, "{near}");
        }
        // One minute, to the millisecond, and for this session only.
        deployment.set_millis(11_000 + 60_000);
        assert_eq!(answer(&challenge), CHALLENGED);
        let mut other = Client::sign_in(&deployment, window(10));
        let other_old = other.clone();
        assert_eq!(other.refresh(&deployment), Outcome::Rotated);
        deployment.set_millis(11_000 + 59_999);
        let request = RefreshRequest { challenge: Some(&challenge), ..RefreshRequest::default() };
        assert_ne!(outcome(&deployment.authority.refresh(&other_old.token, &request)), Outcome::ReuseDetected);
        assert_eq!(answer(&challenge), Outcome::ReuseDetected);
    });
}
