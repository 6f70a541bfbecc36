//! Claims that an application adds to its access tokens, without personal data unless it is named.
//!
//! Refused: anything but one strict JSON object, names that this library or a registered use owns, more
//! than the given size, and, unless the name is allowed, what looks like personal data: claims called
//! `email`, `name`, `phone_number` and the like ([OpenID Connect Core section 5.1]), and strings that look
//! like e-mail addresses, at any depth. Access tokens are read by many parties and written into logs.
//!
//! [OpenID Connect Core section 5.1]: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims

use alloc::boxed::Box;
use core::fmt;

use crate::encoding::json::{self, Object, Text, Value};

/// How many names this library may write into an access token besides: those of [`super::NewAccessToken`].
const OWN_NAMES: usize = 15;

/// Names that cannot be given: claims that this library writes, or whose meaning would be confused.
const RESERVED: [&str; 19] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "sep",
    "scv",
    "gep",
    "scope",
    "client_id",
    "auth_time",
    "cnf",
    "events",
    "htm",
    "htu",
    "ath",
];

/// Names of claims about a person, without regard to case.
const PERSONAL: [&str; 25] = [
    "email",
    "e-mail",
    "mail",
    "email_address",
    "emailaddress",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "first_name",
    "last_name",
    "full_name",
    "nickname",
    "preferred_username",
    "phone_number",
    "phone",
    "birthdate",
    "address",
    "picture",
    "profile",
    "gender",
    "upn",
    "unique_name",
    "date_of_birth",
    "ssn",
];

/// Why custom claims are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimsError {
    /// Not one object of strict JSON.
    Malformed,
    /// Longer than the policy allows.
    TooLarge,
    /// A claim has a name that only the library may write.
    Reserved,
    /// A claim looks like personal data, and the policy does not name it.
    PersonalData,
}

impl ClaimsError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "custom_claims_malformed",
            Self::TooLarge => "custom_claims_too_large",
            Self::Reserved => "custom_claims_reserved",
            Self::PersonalData => "custom_claims_personal_data",
        }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the custom claims are not one object of strict JSON",
            Self::TooLarge => "the custom claims are longer than the policy's `max_claims`",
            Self::Reserved => "a custom claim has a name that only the library writes, such as `sub`, `exp` or `sid`",
            Self::PersonalData => "a custom claim looks like personal data, which every access token would show; name it in the policy's `personal_claims` if it must be there",
        })
    }
}

impl core::error::Error for ClaimsError {}

/// Claims that may be put into an access token; none by default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CustomClaims {
    /// What stands between the braces.
    members: Box<str>,
}

impl CustomClaims {
    /// Reads claims from a JSON object of at most `max_bytes`. The names in `allowed_personal` may hold
    /// personal data, whatever lies below them.
    ///
    /// # Errors
    /// A [`ClaimsError`]: fix the call.
    pub fn parse(json: &str, max_bytes: usize, allowed_personal: &[&str]) -> Result<Self, ClaimsError> {
        if json.len() > max_bytes {
            return Err(ClaimsError::TooLarge);
        }
        let object = json::object_beside(json.as_bytes(), OWN_NAMES).map_err(|_| ClaimsError::Malformed)?;
        if object.members().any(|member| RESERVED.iter().any(|name| member.name.eq_str(name))) {
            return Err(ClaimsError::Reserved);
        }
        if is_personal_object(object, allowed_personal) {
            return Err(ClaimsError::PersonalData);
        }
        let inside = object.raw().strip_prefix('{').and_then(|raw| raw.strip_suffix('}'));
        Ok(Self { members: inside.ok_or(ClaimsError::Malformed)?.trim().into() })
    }

    /// The claims as a JSON object.
    pub fn to_json(&self) -> alloc::string::String {
        alloc::format!("{{{}}}", self.members)
    }

    /// Claims that were parsed before they were written to an authenticated record.
    pub(crate) fn from_members(members: alloc::string::String) -> Self {
        Self { members: members.into() }
    }

    /// What stands between the braces.
    pub(crate) fn members(&self) -> &str {
        &self.members
    }
}

impl fmt::Debug for CustomClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomClaims")
    }
}

fn is_personal_object(object: Object<'_>, allowed: &[&str]) -> bool {
    object.members().any(|member| {
        let named = |names: &[&str]| names.iter().any(|name| eq_ignore_case(member.name, name));
        !allowed.iter().any(|name| member.name.eq_str(name))
            && (named(&PERSONAL) || is_personal_value(member.value, allowed))
    })
}

fn is_personal_value(value: Value<'_>, allowed: &[&str]) -> bool {
    match value {
        Value::String(text) => looks_like_email(text.chars()),
        Value::Array(array) => array.elements().any(|element| is_personal_value(element, allowed)),
        Value::Object(object) => is_personal_object(object, allowed),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn eq_ignore_case(text: Text<'_>, name: &str) -> bool {
    text.chars().map(|c| c.to_ascii_lowercase()).eq(name.chars())
}

/// Whether a `sub` looks like an e-mail address or a telephone number. A guess on the safe side: an
/// identifier that only resembles one is better replaced by an opaque one too.
pub fn looks_like_personal_data(sub: &str) -> bool {
    looks_like_email(sub.chars()) || looks_like_phone_number(sub)
}

/// Whether an `@` stands between something and a host name with a dot in it.
fn looks_like_email(text: impl Iterator<Item = char> + Clone) -> bool {
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.next() {
        if matches!(c, '@' | '\u{ff20}') && before.is_some_and(|c: char| !c.is_whitespace()) {
            let host = rest.clone().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
            let mut threes = host.clone().zip(host.clone().skip(1)).zip(host.skip(2));
            if threes.any(|((a, dot), b)| a.is_alphanumeric() && dot == '.' && b.is_alphanumeric()) {
                return true;
            }
        }
        before = Some(c);
    }
    false
}

/// Whether 7 to 15 digits follow a `+` or `tel:`, or are grouped as telephone numbers are.
fn looks_like_phone_number(text: &str) -> bool {
    let text = text.trim();
    let (marked, rest) = match text.strip_prefix("tel:").or_else(|| text.strip_prefix('+')) {
        Some(rest) => (true, rest),
        None => (text.starts_with('('), text),
    };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let separators = rest.bytes().filter(|b| matches!(b, b' ' | b'-' | b'(' | b')' | b'.' | b'/' | b'+')).count();
    let grouped = marked || separators >= 2;
    grouped && (7..=15).contains(&digits) && digits.saturating_add(separators) == rest.len()
}
