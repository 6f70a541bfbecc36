//! The claims of a token whose signature was verified ([RFC 7519 section 4.1], [RFC 9068 section 2.2]).
//!
//! Every claim that is known here is refused when it has a wrong type or is out of range, whether or not
//! anybody requires it: dates that are not numbers from 0 to 2^53 − 1, an `aud` that is neither a string
//! nor a non-empty list of strings, `null` anywhere among them.
//!
//! [RFC 7519 section 4.1]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1
//! [RFC 9068 section 2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2

use core::fmt;

use super::{InvalidToken, Profile};
use crate::encoding::base64url;
use crate::encoding::json::{self, Array, Object, Text, Value};
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
    fn parse(value: Value<'a>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::One(text)),
            Value::Array(list) => {
                let strings = list.elements().all(|element| element.as_text().is_some());
                if strings && list.elements().next().is_some() { Some(Self::Many(list)) } else { None }
            }
            _ => None,
        }
    }

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
    /// Who issued it, `iss`.
    pub iss: Option<Text<'a>>,
    /// Whom it is for, `aud`.
    pub aud: Option<Audience<'a>>,
    /// Whom it is about, `sub`.
    pub sub: Option<Text<'a>>,
    /// The client it was issued to, `client_id`.
    pub client_id: Option<Text<'a>>,
    /// When it expires, `exp`; a fraction of a second is rounded down.
    pub exp: Timestamp,
    /// When it was issued, `iat`.
    pub iat: Option<Timestamp>,
    /// From when on it is valid, `nbf`.
    pub nbf: Option<Timestamp>,
    /// What tells it from other tokens, `jti`.
    pub jti: Option<Text<'a>>,
    /// Its session, `sid`. Under the `Jwt` profile a `sid` in another form counts as absent.
    pub sid: Option<SessionId>,
    /// The subject's epoch, `sep`.
    pub sep: Option<u64>,
    /// The version of the session's claims, `scv`.
    pub scv: Option<u64>,
    /// The global epoch, `gep`.
    pub gep: Option<u64>,
    /// Space-separated scopes, `scope` ([RFC 8693 section 4.2](https://www.rfc-editor.org/rfc/rfc8693#section-4.2)).
    pub scope: Option<Text<'a>>,
    /// When the person signed in, `auth_time`.
    pub auth_time: Option<Timestamp>,
    /// The thumbprint of the DPoP key that the token is bound to, `cnf.jkt`
    /// ([RFC 9449 section 6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    pub jkt: Option<[u8; 32]>,
    object: Object<'a>,
    key: &'a VerifyingKey,
}

impl<'a> AccessClaims<'a> {
    /// Reads the claims of a payload by the rules of `profile`; dates are not compared with any clock.
    #[inline]
    pub(super) fn parse(verified: Verified<'a>, profile: Profile) -> Result<Self, InvalidToken> {
        let mut claims = Self {
            iss: None,
            aud: None,
            sub: None,
            client_id: None,
            exp: Timestamp::MAX,
            iat: None,
            nbf: None,
            jti: None,
            sid: None,
            sep: None,
            scv: None,
            gep: None,
            scope: None,
            auth_time: None,
            jkt: None,
            object: Object::EMPTY,
            key: verified.key(),
        };
        let (mut exp, mut well_formed) = (None, true);
        let object = json::members(verified.payload(), |member| {
            let value = &member.value;
            let mut decoded = [0; 16];
            // A name that does not fit is none of those that are known here.
            let name = match member.name.as_str() {
                Some(name) => name,
                None => member.name.decoded(&mut decoded).unwrap_or_default(),
            };
            let known = match name {
                "iss" => present(&mut claims.iss, value.as_text()),
                "aud" => present(&mut claims.aud, Audience::parse(*value)),
                "sub" => present(&mut claims.sub, value.as_text()),
                "client_id" => present(&mut claims.client_id, value.as_text()),
                "exp" => present(&mut exp, date(value, profile)),
                "iat" => present(&mut claims.iat, date(value, profile)),
                "nbf" => present(&mut claims.nbf, date(value, profile)),
                "jti" => present(&mut claims.jti, value.as_text()),
                "sid" => session(&mut claims.sid, value, profile),
                "sep" => present(&mut claims.sep, integer(value)),
                "scv" => present(&mut claims.scv, integer(value)),
                "gep" => present(&mut claims.gep, integer(value)),
                "scope" => present(&mut claims.scope, value.as_text()),
                "auth_time" => present(&mut claims.auth_time, date(value, profile)),
                "cnf" => confirmation(&mut claims.jkt, value),
                _ => Some(()),
            };
            well_formed &= known.is_some();
        });
        claims.object = object.map_err(|_| InvalidToken::NotJson)?;
        if !well_formed {
            return Err(InvalidToken::ClaimsMalformed);
        }
        claims.exp = exp.ok_or(InvalidToken::MissingClaim)?;
        Ok(claims)
    }

    /// The whole payload, as it was signed: one JSON object, read strictly.
    pub fn payload(&self) -> &'a str {
        self.object.raw()
    }

    /// The payload as an object, for claims that are not among the fields.
    pub fn object(&self) -> Object<'a> {
        self.object
    }

    /// The key that signed the token.
    pub fn key(&self) -> &'a VerifyingKey {
        self.key
    }

    /// Whether `scope` lists this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        let Some(scopes) = self.scope else { return false };
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
        f.debug_struct("AccessClaims").field("sid", &self.sid).field("exp", &self.exp).finish_non_exhaustive()
    }
}

/// Stores a value that was of the right type; nothing where it was not.
fn present<T>(claim: &mut Option<T>, value: Option<T>) -> Option<()> {
    *claim = value;
    claim.as_ref().map(|_| ())
}

/// A `NumericDate` ([RFC 7519 section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)).
#[inline]
fn date(value: &Value<'_>, profile: Profile) -> Option<Timestamp> {
    let number = value.as_number()?;
    let seconds = match profile {
        Profile::AccessToken => number.as_u64(),
        Profile::Jwt => number.floor_u64(),
    };
    seconds.map(Timestamp::from_unix_seconds)
}

#[inline]
fn integer(value: &Value<'_>) -> Option<u64> {
    value.as_number()?.as_u64()
}

fn session(sid: &mut Option<SessionId>, value: &Value<'_>, profile: Profile) -> Option<()> {
    let mut buffer = [0; SessionId::TEXT_LEN];
    *sid = value.as_text()?.decoded(&mut buffer).and_then(SessionId::parse);
    if sid.is_none() && profile == Profile::AccessToken { None } else { Some(()) }
}

fn confirmation(jkt: &mut Option<[u8; 32]>, value: &Value<'_>) -> Option<()> {
    let Some(thumbprint) = value.as_object()?.get("jkt") else { return Some(()) };
    let mut text = [0; 43];
    let mut bytes = [0; 32];
    let text = thumbprint.as_text()?.decoded(&mut text)?;
    let len = base64url::decode(text.as_bytes(), &mut bytes).ok()?.len();
    if len != bytes.len() {
        return None;
    }
    *jkt = Some(bytes);
    Some(())
}
