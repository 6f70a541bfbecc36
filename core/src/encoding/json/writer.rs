//! Writes one JSON object, compactly ([RFC 8259]).
//!
//! Escapes quotation marks, backslashes and control characters; leaves all other text as UTF-8. It does
//! not look for duplicate names: callers write fixed names, or members that were read strictly.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use alloc::string::String;
use core::fmt::Write;

/// An object being written.
pub struct Writer {
    text: String,
    empty: bool,
}

impl Writer {
    /// An object without members, with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self { text, empty: true }
    }

    /// Adds a string.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.quoted(value);
        self
    }

    /// Adds an array of strings.
    pub fn strings(&mut self, name: &str, values: &[&str]) -> &mut Self {
        self.name(name);
        self.text.push('[');
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            self.quoted(value);
        }
        self.text.push(']');
        self
    }

    /// Adds an integer.
    pub fn integer(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// Adds a value that is JSON already.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.text.push_str(json);
        self
    }

    /// Adds members that are JSON already, as they stand between the braces of an object.
    pub fn raw_members(&mut self, members: &str) -> &mut Self {
        if !members.trim().is_empty() {
            self.separate();
            self.text.push_str(members);
        }
        self
    }

    /// The finished object.
    pub fn finish(self) -> String {
        let mut text = self.text;
        text.push('}');
        text
    }

    fn separate(&mut self) {
        if !self.empty {
            self.text.push(',');
        }
        self.empty = false;
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.text.push(':');
    }

    fn quoted(&mut self, value: &str) {
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                c if c < ' ' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}
