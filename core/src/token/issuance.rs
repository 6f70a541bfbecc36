//! Writing the claims of a new access token ([RFC 9068 section 2.2]).
//!
//! [RFC 9068 section 2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2

use alloc::string::String;
use core::fmt;

use super::CustomClaims;
use crate::encoding::{base64url, json};
use crate::id::SessionId;
use crate::time::Timestamp;

/// What a new access token is to say. Dates are written in whole seconds, rounded down.
#[derive(Clone, Copy)]
pub struct NewAccessToken<'a> {
    /// Who issues it, `iss`.
    pub iss: &'a str,
    /// Whom it is for, `aud`; one is written as a string, several as a list.
    pub aud: &'a [&'a str],
    /// Whom it is about, `sub`.
    pub sub: &'a str,
    /// The client it is issued to, `client_id`.
    pub client_id: &'a str,
    /// When it expires, `exp`.
    pub exp: Timestamp,
    /// Now, `iat`.
    pub iat: Timestamp,
    /// What tells it from other tokens, `jti`.
    pub jti: &'a str,
    /// Its session, `sid`.
    pub sid: SessionId,
    /// The subject's epoch, `sep`.
    pub sep: u64,
    /// The version of the session's claims, `scv`.
    pub scv: u64,
    /// The global epoch, `gep`.
    pub gep: u64,
    /// Space-separated scopes, `scope`.
    pub scope: Option<&'a str>,
    /// When the person signed in, `auth_time`.
    pub auth_time: Option<Timestamp>,
    /// The thumbprint of the DPoP key to bind the token to, `cnf.jkt`.
    pub jkt: Option<&'a [u8; 32]>,
    /// Further claims.
    pub custom: Option<&'a CustomClaims>,
}

impl NewAccessToken<'_> {
    /// The claims as JSON, to be signed.
    pub fn to_json(&self) -> String {
        let aud_len = self.aud.iter().fold(0usize, |sum, aud| sum.saturating_add(aud.len()).saturating_add(3));
        let custom = self.custom.map_or("", CustomClaims::members);
        let texts = [self.iss, self.sub, self.client_id, self.jti, self.scope.unwrap_or_default(), custom];
        let len = texts.iter().fold(aud_len, |sum, text| sum.saturating_add(text.len()));
        // 320: the names, numbers, `sid` and `cnf`.
        let mut claims = json::Writer::with_capacity(len.saturating_add(320));
        claims.string("iss", self.iss);
        match self.aud {
            [one] => claims.string("aud", one),
            many => claims.strings("aud", many),
        };
        claims.string("sub", self.sub).string("client_id", self.client_id);
        claims.integer("exp", self.exp.as_unix_seconds()).integer("iat", self.iat.as_unix_seconds());
        claims.string("jti", self.jti);
        let mut sid = [0; SessionId::TEXT_LEN];
        claims.string("sid", base64url::encode_into(self.sid.as_bytes(), &mut sid).unwrap_or_default());
        claims.integer("sep", self.sep).integer("scv", self.scv).integer("gep", self.gep);
        if let Some(scope) = self.scope {
            claims.string("scope", scope);
        }
        if let Some(auth_time) = self.auth_time {
            claims.integer("auth_time", auth_time.as_unix_seconds());
        }
        if let Some(jkt) = self.jkt {
            let mut cnf = json::Writer::with_capacity(64);
            cnf.string("jkt", &base64url::encode(jkt));
            claims.raw("cnf", &cnf.finish());
        }
        claims.raw_members(custom);
        claims.finish()
    }
}

impl fmt::Debug for NewAccessToken<'_> {
    /// Only what names no person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccessToken").field("sid", &self.sid).field("exp", &self.exp).finish_non_exhaustive()
    }
}
