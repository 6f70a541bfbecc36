//! The client half under each replay rule: what it holds, what it sends, what it takes from an answer.
//!
//! A clone is a thief's copy of everything the client holds.

use std::sync::atomic::{AtomicU64, Ordering};

use safeconduct::core::id::SessionId;
use safeconduct::core::secret::Secret;
use safeconduct::core::session::issuer::Grant;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Late, Replay, Window};
use safeconduct::core::time::Seconds;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::{Error, Granted, RefreshRequest};

use crate::bed::{Deployment, outcome};

pub const THUMBPRINT: [u8; 32] = [4; 32];

pub const fn window(seconds: u64) -> Replay {
    Replay::Window(Window { width: Seconds::new(seconds), late: Late::Challenge })
}

/// Browsers that cannot follow a challenge.
pub const fn plain_window(seconds: u64) -> Replay {
    Replay::Window(Window { width: Seconds::new(seconds), late: Late::Revoke })
}

/// One of each kind.
pub const RULES: [Replay; 3] = [Replay::Committed, Replay::Bound, window(10)];

/// 32 bytes that no other call gives.
pub fn draw() -> [u8; 32] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut seed = [0x5a; 32];
    seed[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    Secret::new(seed).commitment().0
}

#[derive(Clone)]
pub struct Client {
    pub rule: Replay,
    pub session: SessionId,
    /// The current refresh token.
    pub token: String,
    /// The secret of the token after it, drawn together with it.
    pub next: [u8; 32],
    pub nonce: Option<String>,
    pub access: String,
    pub challenge: Option<String>,
}

impl Client {
    pub fn sign_in(deployment: &Deployment, rule: Replay) -> Self {
        Self::sign_in_as(deployment, rule, SignInRequest::new("user-1"))
    }

    pub fn sign_in_as(deployment: &Deployment, rule: Replay, request: SignInRequest<'_>) -> Self {
        Self::try_sign_in(deployment, rule, request).unwrap()
    }

    pub fn try_sign_in(deployment: &Deployment, rule: Replay, request: SignInRequest<'_>) -> Result<Self, Error> {
        let first = draw();
        let request = SignInRequest {
            replay: Some(rule),
            commitment: (rule == Replay::Committed).then(|| Secret::new(first).commitment()),
            thumbprint: request.thumbprint.or((rule == Replay::Bound).then_some(THUMBPRINT)),
            ..request
        };
        let grant = deployment.authority.issue(&request)?.grant;
        let mut client = Self {
            rule,
            session: grant.session,
            token: String::new(),
            next: first,
            nonce: None,
            access: String::new(),
            challenge: None,
        };
        client.receive(&grant);
        Ok(client)
    }

    /// Sends what it holds. Nothing changes here, so it can be sent again.
    pub fn send(&self, deployment: &Deployment) -> Result<Granted, Error> {
        self.send_with(deployment, RefreshRequest::default())
    }

    pub fn send_with(&self, deployment: &Deployment, request: RefreshRequest<'_>) -> Result<Granted, Error> {
        let request = RefreshRequest {
            next_commitment: (self.rule == Replay::Committed).then(|| Secret::new(self.next).commitment()),
            proof: (self.rule == Replay::Bound).then_some((THUMBPRINT, self.nonce.as_deref())),
            challenge: self.challenge.as_deref(),
            ..request
        };
        deployment.authority.refresh(&self.token, &request)
    }

    /// Takes an answer in: token, next secret and nonce at once.
    pub fn receive(&mut self, grant: &Grant) {
        if let Some(receipt) = &grant.receipt {
            let receipt = Receipt::parse(receipt).unwrap();
            self.token = Token::assemble(&receipt, Secret::new(self.next)).to_text().to_string();
            self.next = draw();
        }
        if let Some(token) = &grant.refresh_token {
            self.token = token.to_string();
        }
        if let Some(access) = &grant.access_token {
            self.access = access.to_string();
        }
        if grant.nonce.is_some() {
            self.nonce.clone_from(&grant.nonce);
        }
        self.challenge = None;
    }

    /// Sends and receives.
    pub fn refresh(&mut self, deployment: &Deployment) -> Outcome {
        let answer = self.send(deployment);
        match &answer {
            Ok(granted) => self.receive(&granted.grant),
            Err(Error::Refused(refused)) => self.challenge.clone_from(&refused.challenge),
            Err(_) => {}
        }
        outcome(&answer)
    }

    /// A thief with the token, but without the secret that was drawn with it.
    pub fn token_thief(&self) -> Self {
        Self { next: draw(), ..self.clone() }
    }

    pub fn generation(&self) -> u32 {
        Token::parse(&self.token).unwrap().generation()
    }
}

/// Under a window a fresh token is not replaced at once; steps past that pause.
pub fn past_pause(deployment: &Deployment) {
    deployment.wait(Seconds::new(11));
}
