//! Where in a payload each claim stands, and the claims that are numbers: read once, in one pass.
//!
//! Refused: what the strict reader refuses, and every claim that is known here and has a wrong type or is
//! out of range. Nothing is borrowed, so that an index can be kept beside the payload it belongs to.

use super::flat;
use super::{InvalidToken, Profile};
use crate::encoding::base64url;
use crate::encoding::json::{self, Member, Text, Value};
use crate::id::SessionId;
use crate::time::Timestamp;

/// A value of the payload: where it begins, how long it is with its quotation marks or brackets, and whether
/// it is a string with escapes. None is shorter than two bytes or begins beyond 16 KiB.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Span {
    at: u16,
    len: u16,
}

impl Span {
    const ESCAPED: u16 = 1 << 15;

    /// The value from `at` to `end`; none where it lies too far behind for any token.
    pub(super) fn new(at: usize, end: usize, escaped: bool) -> Option<Self> {
        let (at, len) = (u16::try_from(at).ok()?, u16::try_from(end.checked_sub(at)?).ok()?);
        if len >= Self::ESCAPED {
            return None;
        }
        Some(Self { at, len: if escaped { len | Self::ESCAPED } else { len } })
    }

    pub(super) fn is_absent(self) -> bool {
        self.len == 0
    }

    /// Whether the string has no character.
    pub(super) fn is_empty(self) -> bool {
        self.len == 2
    }

    pub(super) fn is_escaped(self) -> bool {
        self.len & Self::ESCAPED != 0
    }

    /// The value as it is written.
    pub(super) fn raw(self, payload: &[u8]) -> &[u8] {
        let (at, len) = (usize::from(self.at), usize::from(self.len & !Self::ESCAPED));
        payload.get(at..at.saturating_add(len)).unwrap_or_default()
    }

    /// What stands between the quotation marks.
    pub(super) fn inner(self, payload: &[u8]) -> &[u8] {
        match self.raw(payload) {
            [_, inner @ .., _] => inner,
            _ => &[],
        }
    }

    /// The string; none where there is none.
    pub(super) fn text(self, payload: &[u8]) -> Option<Text<'_>> {
        if self.is_absent() {
            return None;
        }
        // The payload was found to be UTF-8, and strings begin and end at its characters.
        let inner = core::str::from_utf8(self.inner(payload)).unwrap_or_default();
        Some(Text::new(inner, self.is_escaped()))
    }

    /// Whether the string is `other`, character by character.
    #[inline]
    pub(super) fn is_text(self, payload: &[u8], other: &str) -> bool {
        if self.is_escaped() {
            return self.text(payload).is_some_and(|text| text.eq_str(other));
        }
        self.inner(payload) == other.as_bytes()
    }
}

/// A claim that is known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claim {
    Iss,
    Aud,
    Sub,
    ClientId,
    Exp,
    Iat,
    Nbf,
    Jti,
    Sid,
    Sep,
    Scv,
    Gep,
    Scope,
    AuthTime,
    Cnf,
}

impl Claim {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => Self::Iss,
            "aud" => Self::Aud,
            "sub" => Self::Sub,
            "client_id" => Self::ClientId,
            "exp" => Self::Exp,
            "iat" => Self::Iat,
            "nbf" => Self::Nbf,
            "jti" => Self::Jti,
            "sid" => Self::Sid,
            "sep" => Self::Sep,
            "scv" => Self::Scv,
            "gep" => Self::Gep,
            "scope" => Self::Scope,
            "auth_time" => Self::AuthTime,
            "cnf" => Self::Cnf,
            _ => return None,
        })
    }
}

/// The claims of one payload.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Index {
    pub(super) iss: Span,
    /// A string, or a list, not empty, of strings only.
    pub(super) aud: Span,
    pub(super) sub: Span,
    pub(super) client_id: Span,
    pub(super) jti: Span,
    pub(super) scope: Span,
    pub(super) jkt: Span,
    pub(super) exp: Option<Timestamp>,
    pub(super) iat: Option<Timestamp>,
    pub(super) nbf: Option<Timestamp>,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) sid: Option<SessionId>,
    pub(super) sep: Option<u64>,
    pub(super) scv: Option<u64>,
    pub(super) gep: Option<u64>,
}

impl Index {
    /// Reads the claims of a payload by the rules of `profile`; dates are not compared with any clock.
    #[inline]
    pub(super) fn read(payload: &[u8], profile: Profile) -> Result<Self, InvalidToken> {
        let mut index = Self::default();
        if !flat::read(payload, &mut index) {
            index = Self::read_strictly(payload, profile)?;
        }
        if index.exp.is_none() { Err(InvalidToken::MissingClaim) } else { Ok(index) }
    }

    /// As [`Self::read`], of any payload.
    pub(super) fn read_strictly(payload: &[u8], profile: Profile) -> Result<Self, InvalidToken> {
        let (mut index, mut well_formed) = (Self::default(), true);
        let read = json::members(payload, |member| {
            let mut decoded = [0; 16];
            // A name that does not fit is none of those that are known here.
            let name = member.name.decoded(&mut decoded).unwrap_or_default();
            if let Some(claim) = Claim::named(name) {
                well_formed &= index.enter(claim, member, profile).is_some();
            }
        });
        read.map_err(|_| InvalidToken::NotJson)?;
        if well_formed { Ok(index) } else { Err(InvalidToken::ClaimsMalformed) }
    }

    fn enter(&mut self, claim: Claim, member: &Member<'_>, profile: Profile) -> Option<()> {
        let value = member.value;
        match claim {
            Claim::Iss => self.iss = text(member)?,
            Claim::Aud => self.aud = audience(member)?,
            Claim::Sub => self.sub = text(member)?,
            Claim::ClientId => self.client_id = text(member)?,
            Claim::Jti => self.jti = text(member)?,
            Claim::Scope => self.scope = text(member)?,
            Claim::Exp => self.exp = Some(date(value, profile)?),
            Claim::Iat => self.iat = Some(date(value, profile)?),
            Claim::Nbf => self.nbf = Some(date(value, profile)?),
            Claim::AuthTime => self.auth_time = Some(date(value, profile)?),
            Claim::Sep => self.sep = Some(value.as_number()?.as_u64()?),
            Claim::Scv => self.scv = Some(value.as_number()?.as_u64()?),
            Claim::Gep => self.gep = Some(value.as_number()?.as_u64()?),
            Claim::Sid => {
                let mut buffer = [0; SessionId::TEXT_LEN];
                self.sid = value.as_text()?.decoded(&mut buffer).and_then(SessionId::parse);
                // To others `sid` may be anything.
                if self.sid.is_none() && profile == Profile::AccessToken {
                    return None;
                }
            }
            Claim::Cnf => self.jkt = confirmation(member)?,
        }
        Some(())
    }
}

fn text(member: &Member<'_>) -> Option<Span> {
    let text = member.value.as_text()?;
    Span::new(member.at, member.end(), text.as_str().is_none())
}

fn audience(member: &Member<'_>) -> Option<Span> {
    match member.value {
        Value::Array(list) => {
            let strings = list.elements().all(|element| element.as_text().is_some());
            if !strings || list.elements().next().is_none() {
                return None;
            }
            Span::new(member.at, member.end(), false)
        }
        _ => text(member),
    }
}

/// A `NumericDate` ([RFC 7519 section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)).
fn date(value: Value<'_>, profile: Profile) -> Option<Timestamp> {
    let number = value.as_number()?;
    let seconds = match profile {
        Profile::AccessToken => number.as_u64(),
        Profile::Jwt => number.floor_u64(),
    };
    seconds.map(Timestamp::from_unix_seconds)
}

/// Where `cnf.jkt` stands, which is 32 bytes in base64url; absent where `cnf` holds another kind of key.
fn confirmation(member: &Member<'_>) -> Option<Span> {
    let object = member.value.as_object()?;
    let Some(inner) = object.members().find(|inner| inner.name.eq_str("jkt")) else { return Some(Span::default()) };
    thumbprint(inner.value.as_text()?)?;
    let (at, end) = (member.at.checked_add(inner.at)?, member.at.checked_add(inner.end())?);
    Span::new(at, end, inner.value.as_text()?.as_str().is_none())
}

/// A SHA-256 thumbprint from its text.
pub(super) fn thumbprint(text: Text<'_>) -> Option<[u8; 32]> {
    let (mut buffer, mut bytes) = ([0; 43], [0; 32]);
    let text = text.decoded(&mut buffer)?;
    let len = base64url::decode(text.as_bytes(), &mut bytes).ok()?.len();
    if len == bytes.len() { Some(bytes) } else { None }
}
