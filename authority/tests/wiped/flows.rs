//! Whole operations leave nothing of the tokens that they handle: the same story is told twice, first to learn its
//! tokens, then to see what it leaves.

use std::sync::RwLock;

use safeconduct::core::encoding::base64url;
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::revocation::view::View;
use safeconduct::core::secret::{Commitment, Secret, Secrets};
use safeconduct::core::session::exchange::{Decided, Entropy, Exchange, Present, Reply, Request, Shown};
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Policy;
use safeconduct::core::session::sign_in::{SignIn, SignInRequest};
use safeconduct::core::session::state::Mode;
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::drive;
use safeconduct::store::MemoryStore;

use crate::needles::{ISSUER, derived, plain};
use crate::watch::{Needle, left_behind};
use crate::{KEY, NOTHING};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A deployment whose every byte is known beforehand.
pub(crate) struct Scene {
    store: MemoryStore,
    pub(crate) issuer: Issuer,
    view: RwLock<View>,
    exchanges: u8,
}

fn seed(exchange: u8) -> [u8; 32] {
    std::array::from_fn(|i| exchange ^ (i as u8).wrapping_mul(73))
}

pub(crate) fn rotate(next: Option<Commitment>) -> Shown {
    Shown::Rotate { next, client_id: None, proof: None, scope: None, challenge: None }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let keys = KeySet::new(SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap());
        let issuer = Issuer::new(ISSUER, "https://api.example", keys, &Secrets::new(KEY), Policy::default()).unwrap();
        Self { store: MemoryStore::new(), issuer, view: RwLock::new(View::new()), exchanges: 0 }
    }

    fn carry_out(&mut self, request: Request, seconds: u64) -> Decided {
        self.exchanges += 1;
        let exchange =
            Exchange::begin(request, NOW.plus(Seconds::new(seconds)), Entropy::from_seed(seed(self.exchanges)));
        match drive(exchange, &self.store, &self.issuer, &self.view).unwrap() {
            Reply::Decided(decided) => *decided,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn signs_in(&mut self, mode: Mode, commitment: bool) -> Decided {
        let commitment = commitment.then(|| Secret::new([5; 32]).commitment());
        let request = SignInRequest { mode, commitment, ..SignInRequest::new("user-17") };
        let sign_in = SignIn::new(&request, self.issuer.policy()).unwrap();
        self.carry_out(Request::Issue(sign_in), 0)
    }

    fn presents(&mut self, token: &str, shown: Shown, seconds: u64) -> Decided {
        let present = Present::parse(token, shown, &self.issuer).unwrap();
        self.carry_out(Request::Present(Box::new(present)), seconds)
    }

    /// Signs in, refreshes, loses the reply, and presents a session token; gives what it saw to `seen`.
    fn play(&mut self, mut seen: impl FnMut(&str, &str)) {
        let granted = self.signs_in(Mode::Hybrid, false).grant.unwrap();
        let token = granted.refresh_token.unwrap();
        seen("refresh token", &token);
        seen("access token", &granted.access_token.unwrap());
        for (seconds, outcome) in [(60, Outcome::Rotated), (61, Outcome::Repeated)] {
            let decided = self.presents(&token, rotate(None), seconds);
            assert_eq!(decided.outcome, outcome);
            let granted = decided.grant.unwrap();
            seen("next refresh token", &granted.refresh_token.unwrap());
            seen("next access token", &granted.access_token.unwrap());
        }
        let session = self.signs_in(Mode::Opaque, false).grant.unwrap().session_token.unwrap();
        seen("session token", &session);
        assert_eq!(self.presents(&session, Shown::Authenticate, 60).outcome, Outcome::Authenticated);

        let receipt = self.signs_in(Mode::Hybrid, true).grant.unwrap().receipt.unwrap();
        let token = Token::assemble(&Receipt::parse(&receipt).unwrap(), Secret::new([5; 32])).to_text();
        seen("assembled token", &token);
        let decided = self.presents(&token, rotate(Some(Secret::new([6; 32]).commitment())), 60);
        assert_eq!(decided.outcome, Outcome::Rotated);
        seen("access token beside a receipt", &decided.grant.unwrap().access_token.unwrap());
    }
}

/// The 32 bytes of the secret in a refresh token or a session token.
pub(crate) fn secret_in(token: &str) -> Vec<u8> {
    let mut bytes = [0; 85];
    base64url::decode(&token.as_bytes()[5..], &mut bytes).unwrap();
    bytes[21..53].to_vec()
}

/// A token's text without its public part, and the secret in it.
fn token(name: &str, text: &str) -> Vec<Needle> {
    if text.contains('.') {
        let signature = text.rsplit('.').next().unwrap();
        return vec![Needle::new(format!("signature of the {name}"), signature.as_bytes())];
    }
    let secret = plain(&format!("secret of the {name}"), &secret_in(text));
    secret.into_iter().chain([Needle::new(format!("text of the {name}"), &text.as_bytes()[5 + 28..])]).collect()
}

/// Not looked for are the keyed states of HMAC: each tag moves some over the stack, and whatever lies there may get
/// into the unused part of a value that is put on the heap.
#[test]
fn a_story_leaves_none_of_its_tokens_and_keys() {
    let mut needles = derived(&KEY);
    Scene::new().play(|name, text| needles.extend(token(name, text)));
    (1..=8).for_each(|exchange| needles.extend(plain(&format!("seed {exchange}"), &seed(exchange))));
    assert!(needles.len() > 50, "{}", needles.len());
    assert_eq!(left_behind(needles, || Scene::new().play(|_, _| {})), NOTHING);
}

/// One that keeps a token as a string is found out.
#[test]
fn a_story_that_copies_a_token_is_found() {
    let mut needles = Vec::new();
    Scene::new().play(|name, text| needles.extend(token(name, text)));
    let copies = || Scene::new().play(|_, text| drop(std::hint::black_box(text.to_owned())));
    let found = left_behind(needles, copies);
    assert_eq!(found.iter().filter(|name| name.starts_with("text of")).count(), 5, "{found:?}");
    assert_eq!(found.iter().filter(|name| name.starts_with("signature of")).count(), 4, "{found:?}");
}
