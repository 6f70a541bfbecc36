//! Strict JSON: a reader that allocates nothing and a writer for objects ([RFC 8259], [RFC 7493]).
//!
//! [`object`] reads a whole document before it gives anything out. It refuses: anything but one object
//! at the top; bad UTF-8 and a byte-order mark; duplicate members at any depth, also when spelled with
//! different escapes; lone surrogates and NUL; numbers outside the grammar, integers beyond 64 bits and
//! magnitudes that a double cannot hold; and whatever lies beyond [`MAX_LEN`], [`MAX_DEPTH`] or
//! [`MAX_NAMES`]. Time is linear in the length, times [`MAX_NAMES`] at worst; memory is constant.
//!
//! Names are compared code point by code point: no Unicode normalization, so NFC and NFD twins differ.
//! Nothing here is constant-time: this is for public text and for key files.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259
//! [RFC 7493]: https://www.rfc-editor.org/rfc/rfc7493

mod cursor;
mod grammar;
mod number;
mod text;

mod value;
mod writer;

use core::fmt;

pub use number::{MAX_SAFE_INTEGER, Number};
pub use text::Text;
pub use value::{Array, Elements, Member, Members, Object, Value};
pub use writer::Writer;

/// The longest document, in bytes.
pub const MAX_LEN: usize = 65_536;

/// How many objects and arrays may lie inside each other, the top-level object included.
pub const MAX_DEPTH: usize = 16;

/// How many member names an object and the objects that it lies in may have together.
///
/// Each new name is compared with those before it in its object; this bounds the work.
pub const MAX_NAMES: usize = 256;

/// Why a text is not acceptable JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Longer than [`MAX_LEN`].
    TooLarge,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More members than [`MAX_NAMES`].
    TooManyMembers,
    /// Not UTF-8, or a byte-order mark in front.
    NotUtf8,
    /// Outside the grammar of RFC 8259.
    Syntax,
    /// An escape that stands for half a surrogate pair or for NUL.
    BadEscape,
    /// An integer beyond 64 bits, or a magnitude that a double cannot hold.
    NumberOutOfRange,
    /// Two members of one object have the same name.
    DuplicateMember,
    /// A complete JSON value, but not an object.
    NotAnObject,
}

impl JsonError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "json_too_large",
            Self::TooDeep => "json_too_deep",
            Self::TooManyMembers => "json_too_many_members",
            Self::NotUtf8 => "json_not_utf8",
            Self::Syntax => "json_syntax",
            Self::BadEscape => "json_bad_escape",
            Self::NumberOutOfRange => "json_number_out_of_range",
            Self::DuplicateMember => "json_duplicate_member",
            Self::NotAnObject => "json_not_an_object",
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the JSON text is too long",
            Self::TooDeep => "the JSON text is nested too deeply",
            Self::TooManyMembers => "a JSON object has too many members",
            Self::NotUtf8 => "the JSON text is not plain UTF-8",
            Self::Syntax => "the text is not JSON",
            Self::BadEscape => "a JSON string holds NUL or half a surrogate pair",
            Self::NumberOutOfRange => "a JSON number is out of range",
            Self::DuplicateMember => "a JSON object has two members of the same name",
            Self::NotAnObject => "the JSON text is not an object",
        })
    }
}

impl core::error::Error for JsonError {}

/// Reads a document whose top level is an object. The whole text is judged before this returns, so
/// nothing that is later read from the [`Object`] can fail.
///
/// # Errors
/// A [`JsonError`] for the first thing that is wrong.
pub fn object(bytes: &[u8]) -> Result<Object<'_>, JsonError> {
    members(bytes, |_| ())
}

/// As [`object`], in one pass with those who want its members: each is handed to `visit` as soon as it
/// was read. What was made of them must be dropped where this fails, for what follows was not read then.
///
/// # Errors
/// As [`object`].
pub fn members<'a>(bytes: &'a [u8], visit: impl FnMut(&Member<'a>)) -> Result<Object<'a>, JsonError> {
    read(bytes, 0, visit)
}

/// As [`object`], of what is to stand in one object with `beside` other members.
///
/// # Errors
/// As [`object`]; [`JsonError::TooManyMembers`] where both together are too many.
pub(crate) fn object_beside(bytes: &[u8], beside: usize) -> Result<Object<'_>, JsonError> {
    read(bytes, beside, |_| ())
}

fn read<'a>(bytes: &'a [u8], beside: usize, visit: impl FnMut(&Member<'a>)) -> Result<Object<'a>, JsonError> {
    if bytes.len() > MAX_LEN {
        return Err(JsonError::TooLarge);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    if text.starts_with('\u{feff}') {
        return Err(JsonError::NotUtf8);
    }
    grammar::document(text, beside, visit)
}
