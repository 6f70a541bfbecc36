//! What is on its way between processes and server: data, so that it can be lost, repeated and late.

use safeconduct::core::client::Attempt;
use safeconduct::core::client::action::Request;
use safeconduct::core::secret::Commitment;
use safeconduct::core::time::Seconds;

/// A request on its way.
#[derive(Clone)]
pub struct Packet {
    pub from: usize,
    pub attempt: Attempt,
    pub token: String,
    pub next: Option<Commitment>,
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub revokes: bool,
}

/// An answer on its way, that can arrive more than once.
#[derive(Clone)]
pub struct Letter {
    pub to: usize,
    pub attempt: Attempt,
    pub body: Body,
}

#[derive(Clone)]
pub enum Body {
    Granted { token: String, access: Option<(String, Seconds)>, nonce: Option<String> },
    Refused { status: u16, error: &'static str, reason: &'static str, challenge: Option<String>, nonce: Option<String> },
    Lost,
    Revoked,
    Unrevoked,
}

pub fn packet(from: usize, request: Request) -> Packet {
    match request {
        Request::Refresh { attempt, token, next_commitment, challenge, nonce } => {
            Packet { from, attempt, token: token.to_string(), next: next_commitment, challenge, nonce, revokes: false }
        }
        Request::Revoke { attempt, token } => {
            Packet { from, attempt, token: token.to_string(), next: None, challenge: None, nonce: None, revokes: true }
        }
    }
}
