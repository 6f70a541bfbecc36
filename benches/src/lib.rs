//! What the benches measure on: a deployment as an application sets it up, and one session under way.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up is over")]

use safeconduct::core::id::{Partition, SessionId, SubjectHandle};
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::secret::{Secret, Secrets};
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::policy::Policy;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::store::Store;
use safeconduct::{Authority, RefreshRequest};

/// The claim `iss`.
pub const ISSUER: &str = "https://issuer.example";
/// The claim `aud`.
pub const AUDIENCE: &str = "https://api.example";
/// A subject of 24 bytes.
pub const SUBJECT: &str = "0123456789abcdef01234567";

/// A signing key.
pub fn key(algorithm: Algorithm) -> SigningKey {
    let byte = if algorithm.is_symmetric() { 5 } else { 7 };
    SigningKey::generate(&[byte; 64], algorithm).expect("a good key")
}

/// An issuer with the default policy.
pub fn issuer(algorithm: Algorithm) -> Issuer {
    let keys = KeySet::new(key(algorithm));
    Issuer::new(ISSUER, AUDIENCE, keys, &Secrets::new([9; 32]), Policy::default()).expect("a good issuer")
}

/// A sign-in with a subject of 24, a scope of 16 and a client id of 16 bytes, and no claims.
pub const fn sign_in() -> SignInRequest<'static> {
    SignInRequest { client_id: "client-0123456-7", scope: "read write admin", ..SignInRequest::new(SUBJECT) }
}

/// The payload of the access token that libraries are compared on: the eight claims that RFC 9068 and this library
/// require and no more, of the time `issued_at`, good for ten minutes; with a `kid` of 16 characters and HS256 the
/// token has 361.
pub fn eight_claims(issued_at: Timestamp) -> String {
    let (iat, exp) = (issued_at.as_unix_seconds(), issued_at.plus(Seconds::new(600)).as_unix_seconds());
    let sid = SessionId::new(SubjectHandle::new(Partition(3), [1; 7]), [2; 8]);
    format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"01234567","client_id":"app","exp":{exp},"iat":{iat},"jti":"AAAAAAAAAAAA","sid":"{sid}"}}"#
    )
}

/// One session under the committed rule, and the client that holds its token.
pub struct Chain<'a, S> {
    authority: &'a Authority<S>,
    drawn: u64,
    token: String,
}

impl<'a, S: Store> Chain<'a, S> {
    /// Signs in.
    pub fn begin(authority: &'a Authority<S>) -> Self {
        let commitment = Some(secret(0).commitment());
        let grant = authority.issue(&SignInRequest { commitment, ..sign_in() }).expect("a sign-in").grant;
        let mut chain = Self { authority, drawn: 0, token: String::new() };
        chain.token = assemble(grant.receipt.as_deref(), secret(0));
        chain
    }

    /// One rotation, and the next token.
    pub fn rotate(&mut self) {
        self.drawn = self.drawn.wrapping_add(1);
        let next = secret(self.drawn);
        let request = RefreshRequest { next_commitment: Some(next.commitment()), ..RefreshRequest::default() };
        let granted = self.authority.refresh(&self.token, &request).expect("a rotation");
        self.token = assemble(granted.grant.receipt.as_deref(), next);
    }

    /// The current token.
    pub fn token(&self) -> &str {
        &self.token
    }
}

fn assemble(receipt: Option<&str>, secret: Secret) -> String {
    let receipt = Receipt::parse(receipt.unwrap_or_default()).expect("a receipt");
    Token::assemble(&receipt, secret).to_text().to_string()
}

/// What a client draws, without the drawing.
fn secret(number: u64) -> Secret {
    let mut bytes = [1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Secret::new(bytes)
}
