//! The first reading of a JSON text: everything is judged here, once.
//!
//! Refuses what the head of the parent module lists. Recursion is bounded by [`MAX_DEPTH`], the memory
//! for names by [`MAX_NAMES`].

use super::cursor::Cursor;
use super::{JsonError, MAX_DEPTH, MAX_NAMES, Number, Object, Text};

/// A name of an object that is still open: a hash of its characters, and where it stands.
#[derive(Clone, Copy)]
struct Name {
    hash: u32,
    at: u32,
}

struct Names<'a> {
    text: &'a str,
    open: [Name; MAX_NAMES],
    count: usize,
}

impl<'a> Names<'a> {
    /// Adds the name that stands at `at` to the object whose names begin at `first`.
    fn add(&mut self, first: usize, at: usize, name: Text<'a>) -> Result<(), JsonError> {
        let hash = hash(name);
        let same = |other: &Name| {
            let mut there = Cursor::new(self.text);
            there.skip(usize::try_from(other.at).unwrap_or(usize::MAX));
            there.known_string() == Some(name)
        };
        let siblings = self.open.get(first..self.count).unwrap_or_default();
        if siblings.iter().any(|other| other.hash == hash && same(other)) {
            return Err(JsonError::DuplicateMember);
        }
        let at = u32::try_from(at).map_err(|_| JsonError::TooLarge)?;
        *self.open.get_mut(self.count).ok_or(JsonError::TooManyMembers)? = Name { hash, at };
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

/// FNV-1a over the code points. Only a shortcut: equal hashes are followed by a full comparison.
fn hash(text: Text<'_>) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    let step = |hash: u32, code: u32| (hash ^ code).wrapping_mul(0x0100_0193);
    match text.as_str() {
        Some(plain) if plain.is_ascii() => plain.bytes().fold(BASIS, |h, b| step(h, u32::from(b))),
        _ => text.chars().fold(BASIS, |h, c| step(h, u32::from(c))),
    }
}

pub(super) fn document(text: &str) -> Result<Object<'_>, JsonError> {
    let mut names = Names { text, open: [Name { hash: 0, at: 0 }; MAX_NAMES], count: 0 };
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let start = cursor.at();
    let is_object = cursor.peek() == Some(b'{');
    value(&mut cursor, &mut names, MAX_DEPTH)?;
    let object = Object::new(cursor.since(start));
    cursor.skip_space();
    match (cursor.rest().is_empty(), is_object) {
        (false, _) => Err(JsonError::Syntax),
        (true, false) => Err(JsonError::NotAnObject),
        (true, true) => Ok(object),
    }
}

/// Reads one value; `depth` objects or arrays may still be opened.
fn value<'a>(cursor: &mut Cursor<'a>, names: &mut Names<'a>, depth: usize) -> Result<(), JsonError> {
    let word = match cursor.peek().ok_or(JsonError::Syntax)? {
        b'"' => return string(cursor).map(|_| ()),
        b'{' => return object(cursor, names, depth.checked_sub(1).ok_or(JsonError::TooDeep)?),
        b'[' => return array(cursor, names, depth.checked_sub(1).ok_or(JsonError::TooDeep)?),
        b'-' | b'0'..=b'9' => return number(cursor),
        b't' => "true",
        b'f' => "false",
        b'n' => "null",
        _ => return Err(JsonError::Syntax),
    };
    if cursor.take_word(word) { Ok(()) } else { Err(JsonError::Syntax) }
}

fn object<'a>(cursor: &mut Cursor<'a>, names: &mut Names<'a>, depth: usize) -> Result<(), JsonError> {
    let first = names.count;
    cursor.skip(1);
    cursor.skip_space();
    if cursor.take(b'}') {
        return Ok(());
    }
    loop {
        let at = cursor.at();
        let name = string(cursor)?;
        names.add(first, at, name)?;
        cursor.skip_space();
        if !cursor.take(b':') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
        value(cursor, names, depth)?;
        cursor.skip_space();
        if cursor.take(b'}') {
            names.count = first;
            return Ok(());
        }
        if !cursor.take(b',') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
    }
}

fn array<'a>(cursor: &mut Cursor<'a>, names: &mut Names<'a>, depth: usize) -> Result<(), JsonError> {
    cursor.skip(1);
    cursor.skip_space();
    if cursor.take(b']') {
        return Ok(());
    }
    loop {
        value(cursor, names, depth)?;
        cursor.skip_space();
        if cursor.take(b']') {
            return Ok(());
        }
        if !cursor.take(b',') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
    }
}

fn string<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, JsonError> {
    if !cursor.take(b'"') {
        return Err(JsonError::Syntax);
    }
    let start = cursor.at();
    let mut escaped = false;
    loop {
        cursor.skip_while(|b| b != b'"' && b != b'\\' && b >= 0x20);
        match cursor.peek() {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                cursor.skip(1);
                escape(cursor)?;
            }
            _ => return Err(JsonError::Syntax),
        }
    }
    let text = Text::new(cursor.since(start), escaped);
    cursor.skip(1);
    Ok(text)
}

/// Reads an escape whose backslash was stepped over.
fn escape(cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
    match cursor.peek() {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            cursor.skip(1);
            Ok(())
        }
        Some(b'u') => match code_unit(cursor)? {
            0 | 0xdc00..=0xdfff => Err(JsonError::BadEscape),
            0xd800..=0xdbff if !cursor.take(b'\\') || cursor.peek() != Some(b'u') => Err(JsonError::BadEscape),
            0xd800..=0xdbff => match code_unit(cursor)? {
                0xdc00..=0xdfff => Ok(()),
                _ => Err(JsonError::BadEscape),
            },
            _ => Ok(()),
        },
        _ => Err(JsonError::Syntax),
    }
}

/// Reads `u` and four hexadecimal digits.
fn code_unit(cursor: &mut Cursor<'_>) -> Result<u32, JsonError> {
    cursor.skip(1);
    let digits = cursor.rest().get(..4).ok_or(JsonError::Syntax)?;
    let mut unit = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16).ok_or(JsonError::Syntax)?;
        unit = unit << 4 | digit;
    }
    cursor.skip(4);
    Ok(unit)
}

fn number(cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
    let start = cursor.at();
    cursor.take(b'-');
    let leading_zero = cursor.peek() == Some(b'0');
    match cursor.skip_while(|b| b.is_ascii_digit()) {
        0 => return Err(JsonError::Syntax),
        1 => {}
        _ if leading_zero => return Err(JsonError::Syntax),
        _ => {}
    }
    if cursor.take(b'.') && cursor.skip_while(|b| b.is_ascii_digit()) == 0 {
        return Err(JsonError::Syntax);
    }
    if let Some(b'e' | b'E') = cursor.peek() {
        cursor.skip(1);
        if let Some(b'+' | b'-') = cursor.peek() {
            cursor.skip(1);
        }
        if cursor.skip_while(|b| b.is_ascii_digit()) == 0 {
            return Err(JsonError::Syntax);
        }
    }
    let number = Number::new(cursor.since(start));
    if number.is_representable() { Ok(()) } else { Err(JsonError::NumberOutOfRange) }
}
