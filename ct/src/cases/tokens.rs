//! Tokens as they come in, before any store is asked.

use std::hint::black_box;

use safeconduct_core::session::exchange::Request;
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::Mode;
use safeconduct_core::token::refresh::Token;

use super::store::{NOW, Store, unwatched, watched};
use crate::case::Case;
use crate::{declassify, memcheck};

pub(crate) const ALL: &[Case] = &[
    Case::promised("derive the purpose keys", &[], || drop(black_box(watched()))),
    Case::promised("refresh token: parse", declassify::DECODED, || drop(parse(Mode::Hybrid))),
    Case::promised("refresh token: write", declassify::DECODED, write),
    Case::promised("refresh token: tag", declassify::TAG, || authenticate(Mode::Hybrid)),
    Case::promised("session token: parse", declassify::DECODED, || drop(parse(Mode::Opaque))),
    Case::promised("session token: tag", declassify::TAG, || authenticate(Mode::Opaque)),
];

/// The token of a new session.
pub(super) fn issue(store: &mut Store, mode: Mode) -> String {
    let issuer = unwatched();
    let request = SignInRequest { mode, ..SignInRequest::new("user-17") };
    let sign_in = SignIn::new(&request, issuer.policy()).unwrap();
    let grant = store.carry_out(Request::Issue(sign_in), NOW, &issuer).grant.unwrap();
    grant.refresh_token.or(grant.session_token).unwrap().to_string()
}

/// Key id, session and generation are public: they are the first 21 bytes of a token, 28 characters behind
/// `scr1_`. The rest is marked.
pub(super) fn mark(token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    memcheck::secret(&mut bytes[5 + 28..]);
    text(bytes)
}

/// Not `from_utf8`, which looks at each byte. What the marks hide is what it was: ASCII.
#[allow(unsafe_code, reason = "the bytes were a string, and marks change none")]
pub(super) fn text(bytes: Vec<u8>) -> String {
    // SAFETY: the bytes were taken from a string.
    unsafe { String::from_utf8_unchecked(bytes) }
}

fn parse(mode: Mode) -> Token {
    Token::parse(&mark(&issue(&mut Store::new(), mode))).unwrap()
}

fn write() {
    assert_eq!(black_box(parse(Mode::Hybrid).to_text()).len(), 119);
}

fn authenticate(mode: Mode) {
    let ring = watched();
    let token = issue(&mut Store::new(), mode);
    assert!(Token::parse(&mark(&token)).unwrap().authenticate(ring.keyring()).is_ok());
    // The last character of the tag; the seal behind it has 16 bytes.
    let mut forged = token.into_bytes();
    let at = 5 + (1 + 16 + 4 + 32 + 15) * 4 / 3;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert!(Token::parse(&mark(&forged)).unwrap().authenticate(ring.keyring()).is_err());
}
