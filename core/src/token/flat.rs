//! The claims of a payload that is as plain as nearly all are, without any detour.
//!
//! Plain is: one object without white space, each name once, ASCII strings without escapes, whole numbers, and
//! in claims of the application also words and lists of all these. Whatever else is there is left to the strict
//! reader, which judges it: this one refuses nothing, and what it reads, that one reads alike.

use super::index::{Claim, Index, Span, thumbprint};
use crate::encoding::json::MAX_SAFE_INTEGER;
use crate::id::SessionId;

/// Fills `index`; says no, and leaves anything in it, where the payload is not plain.
#[inline]
pub(super) fn read(payload: &[u8], index: &mut Index) -> bool {
    payload.first() == Some(&b'{')
        && Flat { payload, at: 1, others: [Span::default(); OTHERS] }.members(index).is_some()
}

/// How many claims of the application a plain payload has at most.
const OTHERS: usize = 8;

struct Flat<'p> {
    payload: &'p [u8],
    at: usize,
    /// The names of the application's claims that were met.
    others: [Span; OTHERS],
}

impl Flat<'_> {
    /// The members up to the brace at the very end.
    #[inline]
    fn members(&mut self, index: &mut Index) -> Option<()> {
        loop {
            match self.name() {
                None => self.other(),
                Some(claim) if index.has(claim) => None,
                Some(claim) => self.known(claim, index),
            }?;
            match self.payload.get(self.at)? {
                b',' => self.skip(1),
                b'}' if self.at.saturating_add(1) == self.payload.len() => return Some(()),
                _ => return None,
            }
        }
    }

    /// The value of a claim that is known here.
    #[inline(always)]
    fn known(&mut self, claim: Claim, index: &mut Index) -> Option<()> {
        match claim {
            Claim::Iss | Claim::Aud | Claim::Sub | Claim::ClientId | Claim::Jti | Claim::Scope => {
                index.set_text(claim, self.string()?)
            }
            Claim::Exp | Claim::Iat | Claim::Nbf | Claim::AuthTime | Claim::Sep | Claim::Scv | Claim::Gep => {
                index.set_number(claim, self.integer()?)
            }
            Claim::Sid => index.set_sid(SessionId::from_ascii(self.string()?.inner(self.payload))?),
            Claim::Jkt => {
                self.take(b"{\"jkt\":")?;
                let span = self.string()?;
                thumbprint(span.text(self.payload)?)?;
                self.take(b"}")?;
                index.set_text(claim, span)
            }
        }
    }

    /// A claim of the application: a name that was not met before, and a value that needs no second look.
    fn other(&mut self) -> Option<()> {
        let name = self.string()?;
        let met = |other: &Span| !other.is_absent() && other.raw(self.payload) == name.raw(self.payload);
        if self.others.iter().any(met) {
            return None;
        }
        *self.others.iter_mut().find(|other| other.is_absent())? = name;
        self.take(b":")?;
        if self.payload.get(self.at) != Some(&b'[') {
            return self.simple();
        }
        self.skip(1);
        if self.take(b"]").is_some() {
            return Some(());
        }
        loop {
            self.simple()?;
            if self.take(b"]").is_some() {
                return Some(());
            }
            self.take(b",")?;
        }
    }

    /// A string, a number or a word.
    fn simple(&mut self) -> Option<()> {
        match self.payload.get(self.at)? {
            b'"' => self.string().map(|_| ()),
            b'0'..=b'9' => self.integer().map(|_| ()),
            b't' => self.take(b"true"),
            b'f' => self.take(b"false"),
            _ => self.take(b"null"),
        }
    }

    /// Steps over `text` where it stands here.
    fn take(&mut self, text: &[u8]) -> Option<()> {
        let here = self.payload.get(self.at..)?.starts_with(text);
        self.skip(if here { text.len() } else { 0 });
        if here { Some(()) } else { None }
    }

    /// The eight bytes at `at`, the first lowest; zeros behind the end, which are never plain.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let rest = self.payload.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    }

    #[inline(always)]
    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// A name that is known here, with its quotation marks and the colon: they are compared as words.
    #[inline(always)]
    fn name(&mut self) -> Option<Claim> {
        let word = self.word(self.at);
        let (claim, len) = match word & SHORT {
            ISS => (Claim::Iss, 6),
            AUD => (Claim::Aud, 6),
            SUB => (Claim::Sub, 6),
            EXP => (Claim::Exp, 6),
            IAT => (Claim::Iat, 6),
            NBF => (Claim::Nbf, 6),
            JTI => (Claim::Jti, 6),
            SID => (Claim::Sid, 6),
            SEP => (Claim::Sep, 6),
            SCV => (Claim::Scv, 6),
            GEP => (Claim::Gep, 6),
            CNF => (Claim::Jkt, 6),
            _ => match (word, self.word(self.at.saturating_add(8)) & 0xffff_ffff) {
                (SCOPE, _) => (Claim::Scope, 8),
                (CLIENT, ID) => (Claim::ClientId, 12),
                (AUTH, TIME) => (Claim::AuthTime, 12),
                _ => return None,
            },
        };
        self.skip(len);
        Some(claim)
    }

    /// A string of plain characters.
    #[inline(always)]
    fn string(&mut self) -> Option<Span> {
        let start = self.at;
        if self.payload.get(start) != Some(&b'"') {
            return None;
        }
        self.skip(1);
        // A branch is foretold; a length that is added would have to be waited for.
        let mut special = specials(self.word(self.at));
        while special == 0 {
            self.skip(8);
            special = specials(self.word(self.at));
        }
        self.skip(special.trailing_zeros() as usize / 8);
        if self.payload.get(self.at) != Some(&b'"') {
            return None;
        }
        self.skip(1);
        Span::new(start, self.at, false)
    }

    /// A whole number from 0 to 2^53 − 1, of up to 16 digits.
    #[inline(always)]
    fn integer(&mut self) -> Option<u64> {
        let (start, first) = (self.at, self.word(self.at));
        let count = leading_digits(first);
        let mut value = number(first, count);
        self.skip(count);
        if count == 8 {
            let second = self.word(self.at);
            let count = leading_digits(second);
            value = value.wrapping_mul(*POWERS.get(count)?).wrapping_add(number(second, count));
            self.skip(count);
        }
        let leading_zero = first & 0xff == u64::from(b'0') && self.at.saturating_sub(start) > 1;
        if count == 0 || leading_zero || value > MAX_SAFE_INTEGER { None } else { Some(value) }
    }
}

const fn word(eight: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*eight)
}

const SHORT: u64 = 0xffff_ffff_ffff;
const ISS: u64 = word(b"\"iss\":\0\0");
const AUD: u64 = word(b"\"aud\":\0\0");
const SUB: u64 = word(b"\"sub\":\0\0");
const EXP: u64 = word(b"\"exp\":\0\0");
const IAT: u64 = word(b"\"iat\":\0\0");
const NBF: u64 = word(b"\"nbf\":\0\0");
const JTI: u64 = word(b"\"jti\":\0\0");
const SID: u64 = word(b"\"sid\":\0\0");
const SEP: u64 = word(b"\"sep\":\0\0");
const SCV: u64 = word(b"\"scv\":\0\0");
const GEP: u64 = word(b"\"gep\":\0\0");
const CNF: u64 = word(b"\"cnf\":\0\0");
const SCOPE: u64 = word(b"\"scope\":");
const CLIENT: u64 = word(b"\"client_");
const ID: u64 = word(b"id\":\0\0\0\0");
const AUTH: u64 = word(b"\"auth_ti");
const TIME: u64 = word(b"me\":\0\0\0\0");

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// The top bit of the first of eight bytes that is a quotation mark, a backslash, a control character or beyond
/// ASCII, and perhaps those of others behind it; zero where there is none.
#[inline(always)]
fn specials(eight: u64) -> u64 {
    // A borrow may set the bits of bytes above the first that is found, which does not matter.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit));
    let quote = below(eight ^ ONES.wrapping_mul(0x22), 1);
    let backslash = below(eight ^ ONES.wrapping_mul(0x5c), 1);
    (quote | backslash | below(eight, 0x20) | eight) & TOPS
}

/// How many of eight bytes stand before the first that is no digit.
#[inline(always)]
fn leading_digits(eight: u64) -> usize {
    let digits = eight ^ ONES.wrapping_mul(0x30);
    // Adding 0x76 reaches the top bit from 10 on; carries out of a byte only reach those above it.
    let other = (digits.wrapping_add(ONES.wrapping_mul(0x76)) | digits) & TOPS;
    other.trailing_zeros() as usize / 8
}

/// The number that the first `count` of eight digits write, `count` at most 8.
#[inline(always)]
fn number(eight: u64, count: usize) -> u64 {
    if count == 0 {
        return 0;
    }
    // Leading zeros for the digits that are missing; then neighbours are joined to two, four and eight.
    let digits = (eight ^ ONES.wrapping_mul(0x30)) << (64usize.saturating_sub(count.saturating_mul(8)));
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

#[cfg(test)]
mod tests;
