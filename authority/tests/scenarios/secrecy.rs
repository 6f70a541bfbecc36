//! P12: no secret, drawn or derived, is in any stored byte, any audit line or anything that is printed.
//!
//! Secret is whatever opens or signs something: whole tokens, the secrets in them, those that a client drew,
//! master keys, keys derived from them, the signing key. Not secret, and not looked for: a challenge and a
//! nonce, which open nothing by themselves, and the commitments and salts, which are what records are for.

use std::fmt::{Debug, Display};
use std::sync::Mutex;

use safeconduct::core::encoding::base64url;
use safeconduct::core::id::Partition;
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::secret::{Keyring, Secret, Secrets};
use safeconduct::core::session::exchange::{Present, Shown};
use safeconduct::core::session::issuer::{Grant, Issuer};
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::{Policy, SessionLimit, Settings};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::store::{Commit, LogEntry};
use safeconduct::core::time::Timestamp;
use safeconduct::core::token::Scratch;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::store::Store;
use safeconduct::{Error, Granted, RefreshRequest};

use crate::bed::{Bed, Deployment, ISSUER, on_every_store};
use crate::client::{Client, RULES, past_pause, window};
use crate::derived::{PURPOSES, purpose_key};
use crate::remains::{Needle, found_in_all, raw_files};
use crate::watched::Watched;

const MASTER: [u8; 32] = *b"a master key of thirty-two byte.";
const SIGNING: [u8; 32] = *b"a signing key of thirty-two byte";

/// What was ever secret, and what was ever shown.
#[derive(Default)]
struct Everything {
    needles: Mutex<Vec<Needle>>,
    shown: Mutex<Vec<Vec<u8>>>,
}

impl Everything {
    fn secret(&self, name: &str, bytes: &[u8]) {
        self.needles.lock().unwrap().push(Needle::new(name, bytes));
    }

    fn debug(&self, value: &dyn Debug) {
        self.shown.lock().unwrap().push(format!("{value:?}{value:#?}").into_bytes());
    }

    fn display(&self, value: &dyn Display) {
        self.shown.lock().unwrap().push(value.to_string().into_bytes());
    }

    fn token(&self, text: &str) {
        self.secret("token text", text.as_bytes());
        self.secret("token text without its prefix", &text.as_bytes()[5..]);
        let mut bytes = [0; 85];
        base64url::decode(&text.as_bytes()[5..], &mut bytes).unwrap();
        self.secret("token bytes", &bytes);
        self.secret("secret of a token", &bytes[21..53]);
        let token = Token::parse(text).unwrap();
        self.debug(&token);
    }

    fn grant(&self, grant: &Grant) {
        for token in [&grant.refresh_token, &grant.session_token].into_iter().flatten() {
            self.token(token);
        }
        if let Some(access) = &grant.access_token {
            self.secret("access token", access.as_bytes());
            self.secret("signature of an access token", access.rsplit('.').next().unwrap().as_bytes());
        }
        if let Some(receipt) = &grant.receipt {
            self.debug(&Receipt::parse(receipt).unwrap());
        }
        self.debug(grant);
    }

    fn answer(&self, answer: &Result<Granted, Error>) {
        self.debug(answer);
        match answer {
            Ok(granted) => self.grant(&granted.grant),
            Err(error) => self.display(error),
        }
    }
}

fn issuer(algorithm: Algorithm) -> Issuer {
    let key = match algorithm {
        Algorithm::Hs256 => SigningKey::hmac(&SIGNING, algorithm).unwrap(),
        _ => SigningKey::ed25519(&SIGNING, algorithm).unwrap(),
    };
    let settings = Settings { max_sessions: 8, session_limit: SessionLimit::EndOldest, ..Settings::default() };
    let policy = Policy::new(settings).unwrap();
    Issuer::new(ISSUER, "api", KeySet::new(key), &Secrets::new(MASTER), policy).unwrap()
}

/// Every kind of request, many times over; `careless` is told each token, as a store must never be.
fn mixed_run(bed: &Bed, algorithm: Algorithm, careless: &dyn Fn(&dyn Store, &str)) -> Vec<String> {
    let all = Everything::default();
    let watched = Watched::over(bed.store.clone());
    let deployment = Deployment::try_over(watched.store(), issuer(algorithm)).unwrap();
    all.secret("master key", &MASTER);
    all.secret("master key text", Secrets::new(MASTER).to_text().trim().as_bytes());
    all.secret("signing key", &SIGNING);
    PURPOSES.iter().for_each(|purpose| all.secret(purpose, &purpose_key(&MASTER, purpose)));
    all.debug(&Secrets::new(MASTER));
    all.debug(&Secret::new(MASTER));
    all.debug(&Keyring::derive(&Secrets::new(MASTER), ISSUER));
    all.debug(deployment.authority.issuer());
    all.debug(deployment.authority.issuer().keyring());
    all.debug(deployment.authority.issuer().keys());
    all.debug(&deployment.authority);

    for round in 0..12 {
        for rule in RULES.into_iter().chain([window(0)]) {
            let subject = format!("user-{}", round % 5);
            let request =
                SignInRequest { device: Some("a telephone"), ip: Some("192.0.2.1"), ..SignInRequest::new(&subject) };
            let mut client = Client::sign_in_as(&deployment, rule, request);
            let old = client.token_thief();
            for _ in 0..4 {
                all.secret("a secret that a client drew", &client.next);
                all.token(&client.token);
                careless(&watched.store(), &client.token);
                all.answer(&client.send(&deployment));
                let shown = Shown::Rotate {
                    next: Some(Secret::new(client.next).commitment()),
                    client_id: None,
                    proof: None,
                    scope: None,
                    challenge: None,
                };
                all.debug(&Present::parse(&client.token, shown, deployment.authority.issuer()));
                client.refresh(&deployment);
                past_pause(&deployment);
            }
            all.answer(&deployment.authority.amend(client.session, Some("read"), Some(r#"{"a":1}"#)));
            all.debug(&deployment.authority.verify(&client.access, &mut Scratch::boxed()).map(|_| ()));
            all.answer(&client.send(&deployment));
            client.refresh(&deployment);
            if let Ok(claims) = deployment.authority.verify(&client.access, &mut Scratch::boxed()) {
                all.debug(&claims);
            }
            match round % 4 {
                0 => all.answer(&old.send(&deployment)),
                1 => all.debug(&deployment.authority.revoke(&client.token)),
                2 => all.debug(&deployment.authority.revoke_subject(&subject, None)),
                _ => all.debug(&deployment.authority.sessions(&subject, None, 10)),
            }
            all.answer(&client.send(&deployment));
            all.answer(&deployment.authority.refresh(&client.token[1..], &RefreshRequest::default()));
        }
        let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-9") };
        let opaque = deployment.authority.issue(&request);
        all.answer(&opaque);
        let token = opaque.unwrap().grant.session_token.unwrap();
        all.debug(&deployment.authority.authenticate(&token));
        all.debug(&deployment.authority.authenticate(&token[2..]));
        let jwt = SignInRequest { mode: Mode::Jwt, ..SignInRequest::new("user-9") };
        all.answer(&deployment.authority.issue(&jwt));
        past_pause(&deployment);
    }
    deployment.authority.erase_subject("user-1").unwrap();

    let mut haystacks = all.shown.into_inner().unwrap();
    for event in deployment.trail.lock().unwrap().iter() {
        haystacks.push(event.to_json().into_bytes());
        haystacks.push(format!("{event:?}").into_bytes());
    }
    for commit in watched.written.lock().unwrap().iter() {
        let records = commit.put.iter().filter_map(|put| put.record.as_ref()).map(|record| record.bytes.clone());
        let keys = commit.put.iter().map(|put| put.key.to_bytes());
        haystacks.extend(records.chain(keys).chain(commit.log.iter().map(|entry| entry.bytes.clone())));
    }
    if let Some((_, path)) = &bed.file {
        let files = raw_files(path);
        assert_eq!(files.len(), 3, "the log and the index of the SQLite file are to be read too");
        haystacks.extend(files.into_iter().map(|(_, bytes)| bytes));
    }
    assert!(deployment.decided(Outcome::Rotated) > 100);
    let needles = all.needles.into_inner().unwrap();
    assert!(needles.len() > 1000);
    found_in_all(&needles, &haystacks)
}

#[test]
fn no_secret_is_in_any_stored_byte_audit_line_or_printed_form() {
    on_every_store(|bed| assert_eq!(mixed_run(bed, Algorithm::Hs256, &|_, _| {}), Vec::<String>::new()));
    let bed = Bed::memory();
    assert_eq!(mixed_run(&bed, Algorithm::EdDsa, &|_, _| {}), Vec::<String>::new());
}

/// How a token is kept.
type Form<'f> = &'f dyn Fn(&str) -> Vec<u8>;

/// Keeps a token beside the records.
fn keep(store: &dyn Store, bytes: Vec<u8>) {
    let log = vec![LogEntry { bytes, gc_at: Timestamp::MAX }];
    let now = Timestamp::from_millis(0);
    let commit = Commit { partition: Partition(0), expect: vec![], put: vec![], log, now };
    store.commit(&commit).unwrap();
}

/// The scan can fail: a store that also keeps the tokens, in whatever form, is caught.
#[test]
fn a_store_that_keeps_a_token_in_any_form_is_caught() {
    let bytes_of = |text: &str| {
        let mut bytes = vec![0; 85];
        base64url::decode(&text.as_bytes()[5..], &mut bytes).unwrap();
        bytes
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let forms: [Form<'_>; 5] = [
        &|text| text.as_bytes().to_vec(),
        &|text| bytes_of(text)[21..53].to_vec(),
        &|text| hex(&bytes_of(text)[21..53]),
        &|text| [b"token=", &text.as_bytes()[5..]].concat(),
        &|text| base64url::encode(&bytes_of(text)[21..53]).replace('-', "+").replace('_', "/").into_bytes(),
    ];
    for form in forms {
        let caught = mixed_run(&Bed::memory(), Algorithm::Hs256, &|store, token| keep(store, form(token)));
        assert!(!caught.is_empty());
    }
}
