//! The claims of a token whose signature was verified ([RFC 7519 section 4.1], [RFC 9068 section 2.2]).
//!
//! Every claim that is known here is refused when it has a wrong type or is out of range, whether or not
//! anybody requires it: dates that are not numbers from 0 to 2^53 − 1, an `aud` that is neither a string
//! nor a non-empty list of strings, `null` anywhere among them.
//!
//! [RFC 7519 section 4.1]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1
//! [RFC 9068 section 2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2

use core::fmt;

use super::index::{Claim, Index, thumbprint};
use super::{InvalidToken, Profile};
use crate::encoding::json::{Array, Object, Text, Value};
use crate::id::SessionId;
use crate::jws::{Verified, VerifyingKey};
use crate::time::Timestamp;

/// Whom a token is for, `aud`: a string or a list of strings.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// A single audience.
    One(Text<'a>),
    /// A list, not empty, of strings only.
    Many(Array<'a>),
}

impl<'a> Audience<'a> {
    /// The audiences, one by one.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> {
        let (one, many) = match self {
            Self::One(text) => (Some(text), None),
            Self::Many(list) => (None, Some(list)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|list| list.elements().filter_map(Value::as_text)))
    }

    /// Whether `audience` is named, character by character.
    pub fn contains(self, audience: &str) -> bool {
        self.iter().any(|text| text.eq_str(audience))
    }
}

/// What a verified token says. Borrowed from the buffer into which its payload was decoded.
///
/// Which claims are present depends on the verifier's [`Profile`]: under `AccessToken` all that RFC 9068
/// requires, and `sid`; under `Jwt` only `exp`.
#[derive(Clone, Copy)]
pub struct AccessClaims<'a> {
    payload: &'a [u8],
    index: Index,
    key: &'a VerifyingKey,
}

impl<'a> AccessClaims<'a> {
    /// Reads the claims of a payload by the rules of `profile`; dates are not compared with any clock.
    #[inline]
    pub(super) fn parse(verified: Verified<'a>, profile: Profile) -> Result<Self, InvalidToken> {
        let payload = verified.payload();
        Ok(Self { payload, index: Index::read(payload, profile)?, key: verified.key() })
    }

    /// What an earlier reading of a payload found.
    #[cfg(feature = "std")]
    pub(super) const fn remembered(payload: &'a [u8], index: Index, key: &'a VerifyingKey) -> Self {
        Self { payload, index, key }
    }

    /// The payload with the white space around it.
    #[cfg(feature = "std")]
    pub(super) const fn payload_bytes(&self) -> &'a [u8] {
        self.payload
    }

    #[cfg(feature = "std")]
    pub(super) const fn index(&self) -> Index {
        self.index
    }

    /// Whether `iss` is there, and is `issuer`.
    #[inline]
    pub(super) fn is_from(&self, issuer: &str) -> Option<bool> {
        let iss = self.index.text(Claim::Iss);
        if iss.is_absent() { None } else { Some(iss.is_text(self.payload, issuer)) }
    }

    /// Whether `aud` is there, and names `audience`.
    #[inline]
    pub(super) fn is_for(&self, audience: &str) -> Option<bool> {
        match self.index.text(Claim::Aud).raw(self.payload) {
            [] => None,
            [b'[', ..] => self.aud().map(|aud| aud.contains(audience)),
            _ => Some(self.index.text(Claim::Aud).is_text(self.payload, audience)),
        }
    }

    /// Whether the claims are there that RFC 9068 section 2.2 requires, and `sid`, and no text is empty.
    #[inline]
    pub(super) fn is_access_token(&self) -> Result<(), InvalidToken> {
        use Claim::{Aud, ClientId, Iat, Iss, Jti, Sid, Sub};
        if !self.index.has_all(&[Iss, Aud, Sub, ClientId, Iat, Jti, Sid]) {
            return Err(InvalidToken::MissingClaim);
        }
        let empty = [Iss, Sub, ClientId, Jti].iter().any(|claim| self.index.text(*claim).is_empty());
        if empty { Err(InvalidToken::ClaimsMalformed) } else { Ok(()) }
    }

    /// Who issued it, `iss`.
    pub fn iss(&self) -> Option<Text<'a>> {
        self.index.text(Claim::Iss).text(self.payload)
    }

    /// Whom it is for, `aud`.
    pub fn aud(&self) -> Option<Audience<'a>> {
        match self.index.text(Claim::Aud).raw(self.payload) {
            [] => None,
            [b'[', ..] => {
                let list = core::str::from_utf8(self.index.text(Claim::Aud).raw(self.payload)).unwrap_or_default();
                Some(Audience::Many(Array::new(list)))
            }
            _ => self.index.text(Claim::Aud).text(self.payload).map(Audience::One),
        }
    }

    /// Whom it is about, `sub`.
    pub fn sub(&self) -> Option<Text<'a>> {
        self.index.text(Claim::Sub).text(self.payload)
    }

    /// The client it was issued to, `client_id`.
    pub fn client_id(&self) -> Option<Text<'a>> {
        self.index.text(Claim::ClientId).text(self.payload)
    }

    /// When it expires, `exp`; a fraction of a second is rounded down.
    pub fn exp(&self) -> Timestamp {
        self.index.date(Claim::Exp).unwrap_or_default()
    }

    /// When it was issued, `iat`.
    pub fn iat(&self) -> Option<Timestamp> {
        self.index.date(Claim::Iat)
    }

    /// From when on it is valid, `nbf`.
    pub fn nbf(&self) -> Option<Timestamp> {
        self.index.date(Claim::Nbf)
    }

    /// What tells it from other tokens, `jti`.
    pub fn jti(&self) -> Option<Text<'a>> {
        self.index.text(Claim::Jti).text(self.payload)
    }

    /// Its session, `sid`. Under the `Jwt` profile a `sid` in another form counts as absent.
    pub fn sid(&self) -> Option<SessionId> {
        self.index.sid()
    }

    /// The subject's epoch, `sep`.
    pub fn sep(&self) -> Option<u64> {
        self.index.number(Claim::Sep)
    }

    /// The version of the session's claims, `scv`.
    pub fn scv(&self) -> Option<u64> {
        self.index.number(Claim::Scv)
    }

    /// The global epoch, `gep`.
    pub fn gep(&self) -> Option<u64> {
        self.index.number(Claim::Gep)
    }

    /// Space-separated scopes, `scope` ([RFC 8693 section 4.2](https://www.rfc-editor.org/rfc/rfc8693#section-4.2)).
    pub fn scope(&self) -> Option<Text<'a>> {
        self.index.text(Claim::Scope).text(self.payload)
    }

    /// When the person signed in, `auth_time`.
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.index.date(Claim::AuthTime)
    }

    /// The thumbprint of the DPoP key that the token is bound to, `cnf.jkt`
    /// ([RFC 9449 section 6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    pub fn jkt(&self) -> Option<[u8; 32]> {
        self.index.text(Claim::Jkt).text(self.payload).and_then(thumbprint)
    }

    /// The whole payload, as it was signed: one JSON object, read strictly.
    pub fn payload(&self) -> &'a str {
        // It was found to be UTF-8 when it was read, and nothing but white space stands around the braces.
        core::str::from_utf8(self.payload).unwrap_or_default().trim_ascii()
    }

    /// The payload as an object, for claims that have no method here.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.payload())
    }

    /// The claims as a type of the application's own, which names those it wants. Duplicate members, numbers out
    /// of range and the like were refused before, so that no two readers can see different claims.
    ///
    /// # Errors
    /// That of `serde_json`, where the claims do not fit the type. Its text may quote a claim: keep it out of logs
    /// where claims are personal.
    #[cfg(feature = "serde")]
    pub fn decode<T: serde::Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.payload)
    }

    /// The key that signed the token.
    pub fn key(&self) -> &'a VerifyingKey {
        self.key
    }

    /// Whether `scope` lists this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        let Some(scopes) = self.scope() else { return false };
        let mut rest = scopes.chars();
        loop {
            let listed = rest.by_ref().take_while(|c| *c != ' ');
            let mut wanted = scope.chars();
            let mut len = 0usize;
            let mut equal = true;
            for c in listed {
                equal = equal && wanted.next() == Some(c);
                len = len.saturating_add(1);
            }
            if equal && len > 0 && wanted.next().is_none() {
                return true;
            }
            if rest.clone().next().is_none() {
                return false;
            }
        }
    }
}

impl fmt::Debug for AccessClaims<'_> {
    /// Only what names no person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessClaims").field("sid", &self.sid()).field("exp", &self.exp()).finish_non_exhaustive()
    }
}
