//! Token, receipt and challenge texts: what authenticates was made here up to its seal, what changes
//! anything was made here to the last character, and every text form has one reading.
//!
//! The first byte of an input chooses what the rest is: a text; a script of changes to a token, to a
//! challenge, or to a receipt that is put together with a secret.

use std::sync::OnceLock;

use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::{Keyring, Secret};
use safeconduct_core::session::exchange::{Decided, Present, Reply, Request, Shown};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::policy::Settings;
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::Mode;
use safeconduct_core::time::Seconds;
use safeconduct_core::token::receipt::Receipt;
use safeconduct_core::token::refresh::Token;

use crate::deployment::{Conversation, START, Store, issuer};
use crate::edit::edited;
use crate::{Broken, Judged, hold};

/// What is under test: reading a text as a token, and believing its tag.
pub type Authenticate = fn(&str, &Keyring) -> bool;

/// The real one.
pub fn authenticate(text: &str, keyring: &Keyring) -> bool {
    Token::parse(text).is_ok_and(|token| token.authenticate(keyring).is_ok())
}

/// Everything of a refresh or session token but its seal: prefix 5, then 69 bytes in 92 characters.
const UNSEALED: usize = 97;

struct World {
    issuer: Issuer,
    store: Store,
    /// A superseded refresh token, the current one after it, and a session token.
    tokens: [String; 3],
    /// The challenge that the superseded token was answered with, a minute after its rotation.
    challenge: String,
    receipt: String,
    secret: [u8; 32],
}

fn decide(store: &mut Store, issuer: &Issuer, request: Request, late: u64, seed: u64) -> Box<Decided> {
    let mut conversation = Conversation::begin(request, START.plus(Seconds::new(late)), seed);
    match conversation.finish(store, issuer, &mut View::new()) {
        Ok(Reply::Decided(decided)) => decided,
        other => panic!("{other:?}"),
    }
}

fn rotate(text: &str, challenge: Option<&str>, issuer: &Issuer) -> Option<Request> {
    let challenge = challenge.map(str::to_owned);
    let shown = Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge };
    Some(Request::Present(Box::new(Present::parse(text, shown, issuer).ok()?)))
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let issuer = issuer(Settings::default());
        let mut store = Store::default();
        let mut sign_in = |request: SignInRequest<'_>, seed| {
            let sign_in = SignIn::new(&request, issuer.policy()).expect("a good sign-in");
            decide(&mut store, &issuer, Request::Issue(sign_in), 0, seed).grant.expect("a grant")
        };
        let browser = sign_in(SignInRequest::new("user-1"), 1);
        let opaque = sign_in(SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-1") }, 2);
        let secret = [3; 32];
        let commitment = Some(Secret::new(secret).commitment());
        let app = sign_in(SignInRequest { commitment, ..SignInRequest::new("user-1") }, 3);
        let old = browser.refresh_token.expect("a refresh token").to_string();
        let request = rotate(&old, None, &issuer).expect("our own token");
        let new = decide(&mut store, &issuer, request, 0, 4).grant.expect("a grant");
        let request = rotate(&old, None, &issuer).expect("our own token");
        let challenge = decide(&mut store, &issuer, request, 60, 5).challenge.expect("a challenge");
        let new = new.refresh_token.expect("a refresh token").to_string();
        let session_token = opaque.session_token.expect("a session token").to_string();
        let receipt = app.receipt.expect("a receipt");
        World { tokens: [old, new, session_token], challenge, receipt, secret, issuer, store }
    })
}

/// The target.
pub fn run(data: &[u8], authenticate: Authenticate) -> Judged {
    let world = world();
    let Some((&mode, rest)) = data.split_first() else { return Ok(()) };
    let (&chosen, tail) = rest.split_first().unwrap_or((&0, &[]));
    match mode {
        b'e' => {
            let original = &world.tokens[usize::from(chosen) % world.tokens.len()];
            let Ok(text) = String::from_utf8(edited(original.as_bytes(), tail)) else { return Ok(()) };
            token(&text, world, authenticate)
        }
        b'c' => {
            let Ok(text) = String::from_utf8(edited(world.challenge.as_bytes(), tail)) else { return Ok(()) };
            challenge(&text, u64::from(chosen), world)
        }
        b'r' => {
            let Ok(text) = String::from_utf8(edited(world.receipt.as_bytes(), tail)) else { return Ok(()) };
            receipt(&text, chosen, world, authenticate)
        }
        _ => {
            let Ok(text) = std::str::from_utf8(rest) else { return Ok(()) };
            token(text, world, authenticate)?;
            challenge(text, 61, world)?;
            receipt(text, 0, world, authenticate)
        }
    }
}

fn token(text: &str, world: &World, authenticate: Authenticate) -> Judged {
    if let Ok(token) = Token::parse(text) {
        hold(*token.to_text() == text, || format!("a second form of {}: {text}", *token.to_text()))?;
    }
    let unsealed = |text: &str| text.get(..UNSEALED).map(str::to_owned);
    let is_ours_but_for_the_seal = world.tokens.iter().any(|token| unsealed(token) == unsealed(text));
    let is_authentic = authenticate(text, world.issuer.keyring());
    hold(!is_authentic || is_ours_but_for_the_seal, || format!("authentic: {text}"))?;
    if is_authentic && !world.tokens.iter().any(|token| token == text) {
        changes_nothing(text, world)?;
    }
    Ok(())
}

/// A token of ours with another seal: refused by every operation, and nothing is written.
fn changes_nothing(text: &str, world: &World) -> Judged {
    let rotation = Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge: None };
    for shown in [rotation, Shown::Authenticate, Shown::Revoke] {
        let Ok(present) = Present::parse(text, shown, &world.issuer) else { continue };
        let mut store = world.store.clone();
        let mut conversation = Conversation::begin(Request::Present(Box::new(present)), START, 9);
        let reply = conversation.finish(&mut store, &world.issuer, &mut View::new());
        let Ok(Reply::Decided(decided)) = reply else { return Err(Broken(format!("{reply:?}"))) };
        let is_refused = decided.outcome == Outcome::Refused(Refusal::NotOurs);
        hold(is_refused && conversation.commits.is_empty(), || format!("{:?}: {text}", decided.outcome))?;
    }
    Ok(())
}

/// A challenge with the superseded token, so many seconds after the rotation.
fn challenge(text: &str, late: u64, world: &World) -> Judged {
    let Some(request) = rotate(&world.tokens[0], Some(text), &world.issuer) else { return Ok(()) };
    let decided = decide(&mut world.store.clone(), &world.issuer, request, late, 10);
    let is_good = text == world.challenge && late < 120;
    let expected = match decided.outcome {
        Outcome::Repeated => late < 10,
        Outcome::ReuseDetected => is_good && late >= 10,
        Outcome::Superseded { challenge: true } => !is_good && late >= 10,
        _ => false,
    };
    hold(expected, || format!("{:?} after {late} s: {text}", decided.outcome))
}

/// A receipt, put together with the right secret or another.
fn receipt(text: &str, flip: u8, world: &World, authenticate: Authenticate) -> Judged {
    let Ok(receipt) = Receipt::parse(text) else { return Ok(()) };
    hold(receipt.to_text() == text, || format!("a second form of {}: {text}", receipt.to_text()))?;
    let mut secret = world.secret;
    secret[usize::from(flip) % 32] ^= flip;
    let token = Token::assemble(&receipt, Secret::new(secret)).to_text();
    // Prefix 5, then 37 bytes up to the seal in 49 characters and two bits, which authentication covers.
    let is_ours = flip == 0 && text.get(..54) == world.receipt.get(..54);
    let is_authentic = authenticate(&token, world.issuer.keyring());
    hold(!is_authentic || is_ours, || format!("authentic: {text} with {flip}"))?;
    hold(Token::parse(&token).is_ok_and(|token| token.session_id() == receipt.session_id()), || "another sid".into())
}
