//! What a JSON text that was read holds: values, objects, arrays ([RFC 8259]).
//!
//! Iteration cannot fail: the whole text was judged before the first [`Object`] came out.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use super::cursor::Cursor;
use super::{Number, Text};

/// A value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A string.
    String(Text<'a>),
    /// An array.
    Array(Array<'a>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// The string, where it is one.
    #[inline]
    pub fn as_text(self) -> Option<Text<'a>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one.
    #[inline]
    pub fn as_number(self) -> Option<Number<'a>> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The array, where it is one.
    #[inline]
    pub fn as_array(self) -> Option<Array<'a>> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The object, where it is one.
    #[inline]
    pub fn as_object(self) -> Option<Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its name, unique in the object.
    pub name: Text<'a>,
    /// Its value.
    pub value: Value<'a>,
    /// The value as it was written.
    pub raw: &'a str,
    /// Where the value begins, counted in bytes from the brace of its object, or in the text that was read.
    pub at: usize,
}

impl Member<'_> {
    /// Where the value ends, counted as `at`.
    pub fn end(&self) -> usize {
        self.at.saturating_add(self.raw.len())
    }
}

/// An object, from brace to brace.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    raw: &'a str,
}

impl<'a> Object<'a> {
    /// The object without members.
    pub const EMPTY: Self = Self { raw: "{}" };

    /// From bracket to bracket, of a text that was read before.
    pub(crate) fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The object as it was written.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The members, in the order in which they were written.
    pub fn members(self) -> Members<'a> {
        Members { cursor: Cursor::new(self.raw) }
    }

    /// The value of the member called `name`.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members().find(|member| member.name.eq_str(name)).map(|member| member.value)
    }
}

/// An array, from bracket to bracket.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    raw: &'a str,
}

impl<'a> Array<'a> {
    /// From bracket to bracket, of a text that was read before.
    pub(crate) fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The array as it was written.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The elements in order.
    pub fn elements(self) -> Elements<'a> {
        Elements { cursor: Cursor::new(self.raw) }
    }
}

/// The members of an object.
#[derive(Clone)]
pub struct Members<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        step_into(&mut self.cursor);
        let name = self.cursor.known_string()?;
        self.cursor.skip_space();
        self.cursor.skip(1);
        self.cursor.skip_space();
        let start = self.cursor.at();
        let value = self.cursor.known_value()?;
        Some(Member { name, value, raw: self.cursor.since(start), at: start })
    }
}

/// The elements of an array.
#[derive(Clone)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        step_into(&mut self.cursor);
        match self.cursor.peek() {
            Some(b']') | None => None,
            Some(_) => self.cursor.known_value(),
        }
    }
}

/// Steps over the opening bracket or the comma that stands here, and the space around it.
fn step_into(cursor: &mut Cursor<'_>) {
    cursor.skip_space();
    if cursor.at() == 0 || cursor.peek() == Some(b',') {
        cursor.skip(1);
    }
    cursor.skip_space();
}
