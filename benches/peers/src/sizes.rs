//! How many bytes travel in each mode: tokens that an authority hands out, weighed, and the default token of another
//! library with the same claims.

use safeconduct::core::encoding::base64url;
use safeconduct::core::jws::Algorithm;
use safeconduct::core::secret::Secret;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Late, Mode, Replay, Window};
use safeconduct::core::time::Seconds;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::store::MemoryStore;
use safeconduct::{Authority, Granted, RefreshRequest};
use safeconduct_benches::{eight_claims, issuer, sign_in};

use crate::peer::jsonwebtoken;
use crate::{ALGORITHMS, now};

/// What travels.
pub struct Size {
    /// The mode of the session, and its algorithm or rule.
    pub mode: String,
    /// When it travels.
    pub when: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its length as text.
    pub bytes: usize,
}

/// Everything that travels, for the session of [`sign_in`]; then the eight claims in two libraries' default tokens.
pub fn sizes() -> Vec<Size> {
    let mut all = Vec::new();
    let mut add = |mode: &str, when, what, bytes| all.push(Size { mode: mode.to_owned(), when, what, bytes });

    let opaque = granted(Algorithm::EdDsa, &SignInRequest { mode: Mode::Opaque, ..sign_in() });
    add("opaque", REQUEST, "session token", opaque.grant.session_token.expect("a session token").len());

    for algorithm in ALGORITHMS {
        let tokens = [Mode::Jwt, Mode::Hybrid].map(|mode| {
            let granted = granted(algorithm, &SignInRequest { mode, ..sign_in() });
            granted.grant.access_token.expect("an access token")
        });
        assert_eq!(tokens[0].len(), tokens[1].len(), "the mode is not seen in an access token");
        add(&format!("jwt or hybrid, {algorithm}"), REQUEST, "access token", tokens[0].len());
        if algorithm == Algorithm::Hs256 {
            let payload = tokens[0].split('.').nth(1).expect("a payload");
            let mut bytes = vec![0; payload.len()];
            let payload = base64url::decode(payload.as_bytes(), &mut bytes).expect("base64url");
            let claims = std::str::from_utf8(payload).expect("text");
            add("the same claims, HS256", REQUEST, "token of jsonwebtoken by default", by_default(claims));
        }
    }
    let eight = eight_claims(now());
    add("eight claims, HS256", REQUEST, "token of jsonwebtoken by default", by_default(&eight));

    for (mode, replay) in
        [("hybrid, window", WINDOW), ("hybrid, bound", Replay::Bound), ("hybrid, committed", Replay::Committed)]
    {
        let (sent, received) = refresh(replay);
        for (when, parts) in [(SENT, sent), (RECEIVED, received)] {
            for (what, bytes) in parts {
                add(mode, when, what, bytes);
            }
        }
    }
    all
}

const REQUEST: &str = "each request";
const SENT: &str = "refresh, sent";
const RECEIVED: &str = "refresh, received";
const WINDOW: Replay = Replay::Window(Window { width: Seconds::new(10), late: Late::Challenge });

type Parts = Vec<(&'static str, usize)>;

/// What a client sends to refresh, and what it gets, beside the access token.
fn refresh(replay: Replay) -> (Parts, Parts) {
    let (first, next) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let is_committed = replay == Replay::Committed;
    let thumbprint = (replay == Replay::Bound).then_some([3; 32]);
    let commitment = is_committed.then(|| first.commitment());
    let authority = Authority::open(issuer(Algorithm::EdDsa), MemoryStore::new()).expect("an authority");
    let begun = authority.issue(&SignInRequest { replay: Some(replay), thumbprint, commitment, ..sign_in() });
    let begun = begun.expect("a sign-in").grant;
    let token = match &begun.receipt {
        Some(receipt) => Token::assemble(&Receipt::parse(receipt).expect("a receipt"), first).to_text(),
        None => begun.refresh_token.expect("a refresh token"),
    };
    let next_commitment = is_committed.then(|| next.commitment());
    let proof = thumbprint.map(|thumbprint| (thumbprint, begun.nonce.as_deref()));
    let request = RefreshRequest { next_commitment, proof, ..RefreshRequest::default() };
    let rotated = authority.refresh(&token, &request).expect("a rotation").grant;

    let mut sent = vec![("refresh token", token.len())];
    sent.extend(next_commitment.map(|commitment| ("next commitment", base64url::encode(&commitment.0).len())));
    sent.extend(begun.nonce.map(|nonce| ("nonce within the DPoP proof", nonce.len())));
    let mut received: Parts = rotated.refresh_token.iter().map(|token| ("refresh token", token.len())).collect();
    received.extend(rotated.receipt.map(|receipt| ("receipt", receipt.len())));
    received.extend(rotated.nonce.map(|nonce| ("nonce", nonce.len())));
    (sent, received)
}

fn granted(algorithm: Algorithm, request: &SignInRequest<'_>) -> Granted {
    let authority = Authority::open(issuer(algorithm), MemoryStore::new()).expect("an authority");
    authority.issue(request).expect("a sign-in")
}

/// The length of the token that jsonwebtoken makes of these claims.
fn by_default(claims: &str) -> usize {
    jsonwebtoken::by_default(&serde_json::from_str(claims).expect("JSON")).len()
}
