//! A place in a JSON text, and the steps that both the first reading and later iteration take.
//!
//! Refuses nothing by itself: it says what stands at the place.

use super::{Array, Number, Object, Text, Value};

#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The bytes from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Steps over `byte` where it stands here.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        if here {
            self.skip(1);
        }
        here
    }

    /// Steps over `word` where it stands here.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let here = self.rest().starts_with(word.as_bytes());
        if here {
            self.skip(word.len());
        }
        here
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.skip(1);
        }
    }

    /// Steps over bytes while `belongs` holds and says how many there were.
    pub(super) fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest();
        let count = rest.iter().position(|b| !belongs(*b)).unwrap_or(rest.len());
        self.skip(count);
        count
    }

    /// Steps to the next quotation mark, backslash or control character, or to the end.
    pub(super) fn skip_plain(&mut self) {
        while let Some(eight) = self.rest().first_chunk() {
            let found = first_special(u64::from_le_bytes(*eight));
            self.skip(found);
            if found < 8 {
                return;
            }
        }
        self.skip_while(|b| b != b'"' && b != b'\\' && b >= 0x20);
    }

    /// The string that starts here, in a text that was read before.
    pub(super) fn known_string(&mut self) -> Option<Text<'a>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.peek()? {
                b'"' => break,
                _ => {
                    escaped = true;
                    self.skip(2);
                }
            }
        }
        let text = Text::new(self.since(start), escaped);
        self.skip(1);
        Some(text)
    }

    /// The value that starts here, in a text that was read before; the place moves behind it.
    pub(super) fn known_value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        Some(match self.peek()? {
            b'"' => Value::String(self.known_string()?),
            b'{' => {
                self.skip_nested()?;
                Value::Object(Object::new(self.since(start)))
            }
            b'[' => {
                self.skip_nested()?;
                Value::Array(Array::new(self.since(start)))
            }
            b't' => {
                self.skip(4);
                Value::Bool(true)
            }
            b'f' => {
                self.skip(5);
                Value::Bool(false)
            }
            b'n' => {
                self.skip(4);
                Value::Null
            }
            _ => {
                self.skip_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                Value::Number(Number::new(self.since(start)))
            }
        })
    }

    /// Steps over the object or array that starts here, in a text that was read before.
    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.known_string()?;
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.skip(1);
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// How many of eight bytes, the lowest first, stand before the first quotation mark, backslash or control
/// character.
fn first_special(eight: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // The top bit of each byte that is below `limit`; of those above the lowest such byte a borrow may
    // have set others too, which does not matter for the first.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word;
    let equal = |byte: u8| below(eight ^ ONES.wrapping_mul(byte.into()), 1);
    let special = (equal(b'"') | equal(b'\\') | below(eight, 0x20)) & TOPS;
    special.trailing_zeros() as usize / 8
}
