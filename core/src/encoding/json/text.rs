//! Strings of a JSON text, read without unescaping them into memory ([RFC 8259 section 7]).
//!
//! What is malformed was refused before a [`Text`] exists; see the parent module.
//!
//! [RFC 8259 section 7]: https://www.rfc-editor.org/rfc/rfc8259#section-7

use core::fmt;

/// A string. Two are equal where their characters are, however they were escaped.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    raw: &'a str,
    spelling: Spelling,
}

/// Whether a string was written with escapes. As long as a register, so that values are copied by whole
/// registers: with a single byte here reading claims takes half as long again.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum Spelling {
    Plain,
    Escaped,
}

impl<'a> Text<'a> {
    pub(crate) const fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, spelling: if escaped { Spelling::Escaped } else { Spelling::Plain } }
    }

    fn is_escaped(self) -> bool {
        self.spelling == Spelling::Escaped
    }

    /// The characters, where the string was written without escapes.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        if self.is_escaped() { None } else { Some(self.raw) }
    }

    /// What stands between the quotation marks, escapes included.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether there is no character at all.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// The characters.
    pub fn chars(self) -> impl Iterator<Item = char> + Clone + 'a {
        Chars { rest: self.raw.chars() }
    }

    /// Whether the characters are those of `other`, one by one.
    #[inline]
    pub fn eq_str(self, other: &str) -> bool {
        if self.is_escaped() { self.chars().eq(other.chars()) } else { self.raw == other }
    }

    /// The characters as UTF-8: borrowed where there are no escapes, else written to the front of
    /// `buffer`; nothing where they do not fit.
    #[inline]
    pub fn decoded<'b>(self, buffer: &'b mut [u8]) -> Option<&'b str>
    where
        'a: 'b,
    {
        if !self.is_escaped() {
            return Some(self.raw);
        }
        let mut len = 0usize;
        for c in self.chars() {
            let end = len.saturating_add(c.len_utf8());
            c.encode_utf8(buffer.get_mut(len..end)?);
            len = end;
        }
        core::str::from_utf8(buffer.get(..len)?).ok()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        match other.as_str() {
            Some(other) => self.eq_str(other),
            None => self.chars().eq(other.chars()),
        }
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.eq_str(other)
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.eq_str(other)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(plain) => f.write_str(plain),
            None => self.chars().try_for_each(|c| fmt::Write::write_char(f, c)),
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.raw)
    }
}

#[derive(Clone)]
struct Chars<'a> {
    rest: core::str::Chars<'a>,
}

impl Chars<'_> {
    fn code_unit(&mut self) -> u32 {
        let digits = self.rest.by_ref().take(4);
        digits.fold(0, |unit, c| unit << 4 | c.to_digit(16).unwrap_or_default())
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c != '\\' {
            return Some(c);
        }
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.code_unit();
                let mut code = high;
                if (0xd800..0xdc00).contains(&high) {
                    self.rest.by_ref().take(2).for_each(drop);
                    code = ((high & 0x3ff) << 10 | self.code_unit() & 0x3ff).saturating_add(0x10000);
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            quoted => quoted,
        })
    }
}
