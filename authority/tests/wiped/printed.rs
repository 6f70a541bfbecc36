//! What is printed shows no secret: neither as hexadecimal, nor as a list of numbers, nor as base64url.

use std::fmt::Debug;

use safeconduct::core::encoding::base64url;
use safeconduct::core::jws::{KeySet, SigningKey};
use safeconduct::core::secret::{Keyring, Secret, Secrets};
use safeconduct::core::session::exchange::{Entropy, Exchange, Present, Request, Shown};
use safeconduct::core::session::state::Mode;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;

use crate::flows::{NOW, Scene, rotate, secret_in};
use crate::needles::ISSUER;
use crate::{ALGORITHMS, KEY, key_bytes, random};

/// Both of the ways in which it prints.
fn print(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// Whether half of the secret can be read, in any of four forms.
fn shows(text: &str, secret: &[u8]) -> bool {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let encoded = base64url::encode(secret);
    // What is spread over lines is a list again.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    [&hex, &hex.to_uppercase(), &list, &encoded].iter().any(|form| text.contains(&form[..form.len() / 2]))
}

/// One that derives what it should write by hand is found out.
#[test]
fn a_secret_that_is_printed_is_found() {
    #[derive(Debug)]
    struct Careless {
        #[expect(dead_code, reason = "it is printed")]
        key: [u8; 32],
    }
    assert!(shows(&format!("{:?}", Careless { key: KEY }), &KEY));
    assert!(shows(&format!("{:#?}", Careless { key: KEY }), &KEY));
    assert!(shows(Secrets::new(KEY).to_text().as_str(), &[&[1], &KEY[..]].concat()));
    assert!(shows(&format!("{:x?}", KEY.map(|byte| byte)).replace(", ", ""), &KEY));
}

#[test]
fn no_key_is_printed() {
    for algorithm in ALGORITHMS {
        let key = || SigningKey::generate(&random(), algorithm).unwrap();
        let shown = [print(&key()), print(&key().verifying_key()), print(&KeySet::new(key()))];
        for text in shown {
            assert!(!shows(&text, &key_bytes(algorithm)), "{text}");
            assert!(text.contains(key().kid()), "{text}");
        }
    }
    let secrets = Secrets::new(KEY);
    let shown = [print(&Secret::new(KEY)), print(&secrets), print(&Keyring::derive(&secrets, ISSUER))];
    for text in shown.into_iter().chain([print(&Scene::new().issuer)]) {
        assert!(!shows(&text, &KEY), "{text}");
    }
}

#[test]
fn no_token_is_printed() {
    let mut scene = Scene::new();
    for mode in [Mode::Hybrid, Mode::Opaque] {
        let decided = scene.signs_in(mode, false);
        let grant = decided.grant.as_ref().unwrap();
        let text = grant.refresh_token.as_ref().or(grant.session_token.as_ref()).unwrap();
        let secret = secret_in(text);
        let token = || Token::parse(text).unwrap();
        let authentic = token().authenticate(&Keyring::derive(&Secrets::new(KEY), ISSUER)).unwrap();
        let shown = || if mode == Mode::Opaque { Shown::Authenticate } else { rotate(None) };
        let present = || Request::Present(Box::new(Present::parse(text, shown(), &scene.issuer).unwrap()));
        let exchange = Exchange::begin(present(), NOW, Entropy::from_seed([8; 32]));
        let shown =
            [print(&token()), print(&authentic), print(&present()), print(&exchange), print(grant), print(&decided)];
        for shown in shown {
            assert!(!shows(&shown, &secret), "{shown}");
            assert!(!shown.contains(&text[5 + 28..5 + 28 + 43]), "{shown}");
            let signature = grant.access_token.as_ref().and_then(|token| token.rsplit('.').next());
            assert!(signature.is_none_or(|signature| !shown.contains(signature)), "{shown}");
        }
    }
    let receipt = scene.signs_in(Mode::Hybrid, true).grant.unwrap().receipt.unwrap();
    let token = Token::assemble(&Receipt::parse(&receipt).unwrap(), Secret::new(KEY));
    assert!(!shows(&print(&token), &KEY));
}
