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

/// A claim that is known here. Texts come first, then numbers, each at its place in the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claim {
    Iss,
    Aud,
    Sub,
    ClientId,
    Jti,
    Scope,
    /// Of `cnf` its member `jkt`.
    Jkt,
    Exp,
    Iat,
    Nbf,
    AuthTime,
    Sep,
    Scv,
    Gep,
    Sid,
}

const TEXTS: usize = 7;
const NUMBERS: usize = 7;

impl Claim {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => Self::Iss,
            "aud" => Self::Aud,
            "sub" => Self::Sub,
            "client_id" => Self::ClientId,
            "jti" => Self::Jti,
            "scope" => Self::Scope,
            "cnf" => Self::Jkt,
            "exp" => Self::Exp,
            "iat" => Self::Iat,
            "nbf" => Self::Nbf,
            "auth_time" => Self::AuthTime,
            "sep" => Self::Sep,
            "scv" => Self::Scv,
            "gep" => Self::Gep,
            "sid" => Self::Sid,
            _ => return None,
        })
    }

    const fn place(self) -> usize {
        self as usize
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The claims of one payload.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Index {
    /// A bit for each claim that is there.
    present: u16,
    /// Where texts stand; `aud` may also be a list, not empty, of strings only.
    texts: [Span; TEXTS],
    /// Numbers as they are written, so dates in seconds.
    numbers: [u64; NUMBERS],
    sid: [u8; 16],
}

impl Index {
    /// Reads the claims of a payload by the rules of `profile`; dates are not compared with any clock.
    #[inline]
    pub(super) fn read(payload: &[u8], profile: Profile) -> Result<Self, InvalidToken> {
        let mut index = Self::default();
        if flat::read(payload, &mut index) {
            debug_assert_eq!(Ok(index), Self::read_strictly(payload, profile), "a shortcut that leads elsewhere");
        } else {
            index = Self::read_strictly(payload, profile)?;
        }
        if index.has(Claim::Exp) { Ok(index) } else { Err(InvalidToken::MissingClaim) }
    }

    /// As [`Self::read`], of any payload.
    #[cold]
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
        match claim {
            Claim::Iss | Claim::Sub | Claim::ClientId | Claim::Jti | Claim::Scope => {
                self.set_text(claim, text(member)?)
            }
            Claim::Aud => self.set_text(claim, audience(member)?),
            Claim::Exp | Claim::Iat | Claim::Nbf | Claim::AuthTime => {
                self.set_number(claim, date(member.value, profile)?)
            }
            Claim::Sep | Claim::Scv | Claim::Gep => self.set_number(claim, member.value.as_number()?.as_u64()?),
            Claim::Sid => {
                let mut buffer = [0; SessionId::TEXT_LEN];
                match member.value.as_text()?.decoded(&mut buffer).and_then(SessionId::parse) {
                    Some(sid) => self.set_sid(sid),
                    // To others `sid` may be anything.
                    None if profile == Profile::Jwt => Some(()),
                    None => None,
                }
            }
            Claim::Jkt => match confirmation(member)? {
                Some(span) => self.set_text(claim, span),
                None => Some(()),
            },
        }
    }

    #[inline(always)]
    pub(super) fn set_text(&mut self, claim: Claim, span: Span) -> Option<()> {
        *self.texts.get_mut(claim.place())? = span;
        self.present |= claim.bit();
        Some(())
    }

    #[inline(always)]
    pub(super) fn set_number(&mut self, claim: Claim, number: u64) -> Option<()> {
        *self.numbers.get_mut(claim.place().checked_sub(TEXTS)?)? = number;
        self.present |= claim.bit();
        Some(())
    }

    #[inline(always)]
    pub(super) fn set_sid(&mut self, sid: SessionId) -> Option<()> {
        self.sid = *sid.as_bytes();
        self.present |= Claim::Sid.bit();
        Some(())
    }

    #[inline]
    pub(super) fn has(&self, claim: Claim) -> bool {
        self.present & claim.bit() != 0
    }

    /// Whether all of these are there.
    #[inline]
    pub(super) fn has_all(&self, claims: &[Claim]) -> bool {
        let wanted = claims.iter().fold(0, |bits, claim| bits | claim.bit());
        self.present & wanted == wanted
    }

    /// Where a text stands; a span of nothing where it does not.
    #[inline]
    pub(super) fn text(&self, claim: Claim) -> Span {
        self.texts.get(claim.place()).copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn number(&self, claim: Claim) -> Option<u64> {
        let number = self.numbers.get(claim.place().checked_sub(TEXTS)?).copied();
        number.filter(|_| self.has(claim))
    }

    #[inline]
    pub(super) fn date(&self, claim: Claim) -> Option<Timestamp> {
        self.number(claim).map(Timestamp::from_unix_seconds)
    }

    /// Whether no verifier accepts the claims any more, whatever its leeway.
    #[cfg(feature = "std")]
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        self.date(Claim::Exp).is_some_and(|exp| now >= exp.plus(super::MAX_LEEWAY))
    }

    #[inline]
    pub(super) fn sid(&self) -> Option<SessionId> {
        if self.has(Claim::Sid) { Some(SessionId::from_bytes(self.sid)) } else { None }
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
fn date(value: Value<'_>, profile: Profile) -> Option<u64> {
    let number = value.as_number()?;
    match profile {
        Profile::AccessToken => number.as_u64(),
        Profile::Jwt => number.floor_u64(),
    }
}

/// Where `cnf.jkt` stands, which is 32 bytes in base64url; nowhere where `cnf` holds another kind of key.
fn confirmation(member: &Member<'_>) -> Option<Option<Span>> {
    let object = member.value.as_object()?;
    let Some(inner) = object.members().find(|inner| inner.name.eq_str("jkt")) else { return Some(None) };
    thumbprint(inner.value.as_text()?)?;
    let (at, end) = (member.at.checked_add(inner.at)?, member.at.checked_add(inner.end())?);
    Span::new(at, end, inner.value.as_text()?.as_str().is_none()).map(Some)
}

/// A SHA-256 thumbprint from its text.
pub(super) fn thumbprint(text: Text<'_>) -> Option<[u8; 32]> {
    let (mut buffer, mut bytes) = ([0; 43], [0; 32]);
    let text = text.decoded(&mut buffer)?;
    let len = base64url::decode(text.as_bytes(), &mut bytes).ok()?.len();
    if len == bytes.len() { Some(bytes) } else { None }
}
