//! The kind of a token, its `typ` header ([RFC 7515 section 4.1.9], [RFC 8725 section 3.11]).
//!
//! Each kind is pinned, so a token made for one use is refused for another.
//!
//! [RFC 7515 section 4.1.9]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9
//! [RFC 8725 section 3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11

use crate::encoding::json::Text;

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typ {
    /// An access token, `at+jwt` ([RFC 9068 section 2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1)).
    AccessToken,
    /// Any JWT, `JWT`; a header without `typ` counts as this kind.
    Jwt,
}

impl Typ {
    pub(super) const ALL: [Self; 2] = [Self::AccessToken, Self::Jwt];

    /// The `typ` value that is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::Jwt => "JWT",
        }
    }

    /// Whether a header's `typ` says this kind. Media types have no case, and the prefix
    /// `application/` may be left out.
    pub(super) fn accepts(self, typ: Option<Text<'_>>) -> bool {
        let Some(typ) = typ else { return self == Self::Jwt };
        let mut buffer = [0; 32];
        let Some(typ) = typ.decoded(&mut buffer) else { return false };
        const PREFIX: &str = "application/";
        let subtype = match typ.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => typ.get(PREFIX.len()..).unwrap_or_default(),
            _ => typ,
        };
        subtype.eq_ignore_ascii_case(self.name())
    }
}
