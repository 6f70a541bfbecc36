//! The first reading of a JSON text: everything is judged here, once.
//!
//! Refuses what the head of the parent module lists. Recursion is bounded by [`MAX_DEPTH`], the memory
//! for names by [`MAX_NAMES`].

use super::cursor::Cursor;
use super::{Array, JsonError, MAX_DEPTH, MAX_NAMES, Member, Number, Object, Text, Value};

/// A name of an object that is still open: a hash of its characters, and where it stands. Both are short,
/// because the list of names has to be cleared for every text.
#[derive(Clone, Copy)]
struct Name {
    hash: u16,
    at: u16,
}

struct Names<'a> {
    text: &'a str,
    open: [Name; MAX_NAMES],
    count: usize,
}

/// The names of one object: where they begin in the list, and a bit for each hash that is among them.
struct Siblings {
    first: usize,
    seen: u64,
}

impl<'a> Names<'a> {
    /// Adds the name that stands at `at` to an object.
    #[inline(always)]
    fn add(&mut self, object: &mut Siblings, at: usize, name: Text<'a>) -> Result<(), JsonError> {
        // A name with escapes may be any of the others, and each that follows may be it.
        let (hash, bit) = match name.as_str() {
            Some(plain) => {
                let hash = hash(plain.as_bytes());
                (hash, 1u64.rotate_left(u32::from(hash) >> 1))
            }
            None => (ESCAPED, u64::MAX),
        };
        if object.seen & bit != 0 {
            let same = |other: &Name| {
                let mut there = Cursor::new(self.text);
                there.skip(other.at.into());
                there.known_string() == Some(name)
            };
            let may_be = |other: &Name| other.hash == hash || other.hash == ESCAPED || hash == ESCAPED;
            let siblings = self.open.get(object.first..self.count).unwrap_or_default();
            if siblings.iter().any(|other| may_be(other) && same(other)) {
                return Err(JsonError::DuplicateMember);
            }
        }
        object.seen |= bit;
        let at = u16::try_from(at).map_err(|_| JsonError::TooLarge)?;
        *self.open.get_mut(self.count).ok_or(JsonError::TooManyMembers)? = Name { hash, at };
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

/// Stands for the hash of a name that is written with escapes.
const ESCAPED: u16 = 0;

/// A hash of the length, the beginning and the end. Only a shortcut: equal hashes are followed by a full
/// comparison.
#[inline(always)]
fn hash(name: &[u8]) -> u16 {
    let ends = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23),
        _ => match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => name.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)),
        },
    };
    let [.., low, high] = (ends ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    u16::from_le_bytes([low, high]) | 1
}

/// Reads a document and hands each member of its top level to `visit`.
///
/// `beside` names are taken up already.
pub(super) fn document<'a>(
    text: &'a str,
    beside: usize,
    visit: impl FnMut(&Member<'a>),
) -> Result<Object<'a>, JsonError> {
    let mut names = Names { text, open: [Name { hash: 0, at: 0 }; MAX_NAMES], count: beside };
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let read = match cursor.peek() {
        Some(b'{') => Some(object(&mut cursor, &mut names, MAX_DEPTH.saturating_sub(1), visit)?),
        _ => value(&mut cursor, &mut names, MAX_DEPTH, &mut Value::Null).map(|()| None)?,
    };
    cursor.skip_space();
    if cursor.rest().is_empty() { read.ok_or(JsonError::NotAnObject) } else { Err(JsonError::Syntax) }
}

/// Reads one value into `read`; `depth` objects or arrays may still be opened. It is not given back but
/// written, for a result that may hold an error is copied through memory in odd pieces.
fn value<'a>(
    cursor: &mut Cursor<'a>,
    names: &mut Names<'a>,
    depth: usize,
    read: &mut Value<'a>,
) -> Result<(), JsonError> {
    let deeper = || depth.checked_sub(1).ok_or(JsonError::TooDeep);
    *read = match cursor.peek().ok_or(JsonError::Syntax)? {
        b'"' => Value::String(string(cursor)?),
        b'{' => Value::Object(object(cursor, names, deeper()?, |_| ())?),
        b'[' => Value::Array(array(cursor, names, deeper()?)?),
        b'-' | b'0'..=b'9' => Value::Number(number(cursor)?),
        b't' if cursor.take_word("true") => Value::Bool(true),
        b'f' if cursor.take_word("false") => Value::Bool(false),
        b'n' if cursor.take_word("null") => Value::Null,
        _ => return Err(JsonError::Syntax),
    };
    Ok(())
}

fn object<'a>(
    cursor: &mut Cursor<'a>,
    names: &mut Names<'a>,
    depth: usize,
    mut visit: impl FnMut(&Member<'a>),
) -> Result<Object<'a>, JsonError> {
    let start = cursor.at();
    let mut siblings = Siblings { first: names.count, seen: 0 };
    cursor.skip(1);
    cursor.skip_space();
    if cursor.take(b'}') {
        return Ok(Object::new(cursor.since(start)));
    }
    loop {
        let at = cursor.at();
        let name = string(cursor)?;
        names.add(&mut siblings, at, name)?;
        cursor.skip_space();
        if !cursor.take(b':') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
        let at = cursor.at();
        let mut member = Member { name, value: Value::Null, raw: "", at };
        value(cursor, names, depth, &mut member.value)?;
        member.raw = cursor.since(at);
        visit(&member);
        cursor.skip_space();
        if cursor.take(b'}') {
            names.count = siblings.first;
            return Ok(Object::new(cursor.since(start)));
        }
        if !cursor.take(b',') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
    }
}

fn array<'a>(cursor: &mut Cursor<'a>, names: &mut Names<'a>, depth: usize) -> Result<Array<'a>, JsonError> {
    let start = cursor.at();
    cursor.skip(1);
    cursor.skip_space();
    if cursor.take(b']') {
        return Ok(Array::new(cursor.since(start)));
    }
    loop {
        value(cursor, names, depth, &mut Value::Null)?;
        cursor.skip_space();
        if cursor.take(b']') {
            return Ok(Array::new(cursor.since(start)));
        }
        if !cursor.take(b',') {
            return Err(JsonError::Syntax);
        }
        cursor.skip_space();
    }
}

#[inline(always)]
fn string<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, JsonError> {
    if !cursor.take(b'"') {
        return Err(JsonError::Syntax);
    }
    let start = cursor.at();
    let mut escaped = false;
    loop {
        cursor.skip_plain();
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

#[inline(always)]
fn number<'a>(cursor: &mut Cursor<'a>) -> Result<Number<'a>, JsonError> {
    let start = cursor.at();
    let negative = cursor.take(b'-');
    let leading_zero = cursor.peek() == Some(b'0');
    let digits = cursor.skip_while(|b| b.is_ascii_digit());
    if digits == 0 || leading_zero && digits > 1 {
        return Err(JsonError::Syntax);
    }
    let mut plain = true;
    if cursor.take(b'.') {
        plain = false;
        if cursor.skip_while(|b| b.is_ascii_digit()) == 0 {
            return Err(JsonError::Syntax);
        }
    }
    if let Some(b'e' | b'E') = cursor.peek() {
        plain = false;
        cursor.skip(1);
        if let Some(b'+' | b'-') = cursor.peek() {
            cursor.skip(1);
        }
        if cursor.skip_while(|b| b.is_ascii_digit()) == 0 {
            return Err(JsonError::Syntax);
        }
    }
    let number = Number::new(cursor.since(start));
    // 18 digits fit 64 bits.
    let short = plain && !negative && digits <= 18;
    if short || number.is_representable() { Ok(number) } else { Err(JsonError::NumberOutOfRange) }
}
