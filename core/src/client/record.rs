//! The client's record as bytes: one per wallet, replaced as a whole.
//!
//! format 1 ‖ kind 1 ‖ body ‖ checksum 16, the checksum being SHA-256 over a label and everything before
//! it. It finds torn writes and decay, not tampering: whoever can write this storage can also read it, and
//! then has the session. Integers are big-endian, a token is its wire form, other text is its length as
//! u16 and its bytes.
//!
//! held: rule 1 ‖ refresh token 119 ‖ [next secret 32 | nonce 1 + text] ‖ access 1 [since 8 ‖ lifetime 4 ‖
//! text] ‖ owed; ended: why 1 ‖ owed; owed: count 1 ‖ refresh tokens.
//!
//! Refused when read: another format ([`Fault::Newer`], left alone), anything else ([`Fault::Damaged`]).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::client::event::Fault;
use crate::client::state::{Access, Held, MAX_ACCESS_LEN, MAX_NONCE_LEN, MAX_OWED, Owed, Rule, Why};
use crate::secret::{Commitment, Secret};
use crate::time::{Seconds, Timestamp};
use crate::token::refresh::Token;

/// The format that is written. A newer one is refused, not guessed at, and not overwritten.
pub const FORMAT: u8 = 1;

/// The longest record. Storage that holds more holds no record of this format.
pub const MAX_LEN: usize = 17_408;

const CHECKSUM: usize = 16;
const LABEL: &[u8] = b"safeconduct client record";
const TOKEN: usize = 119;

/// Which bytes storage holds: SHA-256 of them, or that there are none. Hosts compute it of what they find
/// and compare; it is no secret, and equal only for equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Option<[u8; 32]>);

impl Version {
    /// Of storage that holds nothing.
    pub const ABSENT: Self = Self(None);

    /// Of what storage holds.
    pub fn of(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(|bytes| Sha256::digest(bytes).into()))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("Version(absent)"),
            Some(hash) => write!(f, "Version({:?})", Commitment(hash)),
        }
    }
}

/// What storage holds.
#[derive(Debug)]
pub struct Record {
    /// The session.
    pub content: Content,
    /// Refresh tokens to revoke, at most [`MAX_OWED`].
    pub owed: Vec<Owed>,
}

/// Whether there is a session.
#[derive(Debug)]
pub enum Content {
    /// This one.
    Held(Held),
    /// None: it ended.
    Ended(Why),
}

/// The record of a session as bytes.
pub fn write_held(held: &Held, owed: &[Owed]) -> Zeroizing<Vec<u8>> {
    let mut bytes = begin(1);
    write_session(&mut bytes, held);
    end(bytes, owed)
}

/// The record of a session that ended as bytes; none where there is nothing to keep.
pub fn write_ended(why: Why, owed: &[Owed]) -> Option<Zeroizing<Vec<u8>>> {
    if why == Why::SignedOut && owed.is_empty() {
        return None;
    }
    let mut bytes = begin(2);
    let number = Why::ALL.iter().position(|other| *other == why);
    bytes.push(number.and_then(|number| u8::try_from(number).ok()).unwrap_or_default());
    Some(end(bytes, owed))
}

fn begin(kind: u8) -> Zeroizing<Vec<u8>> {
    // Room for the longest, so that no copy of a secret is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    bytes.extend_from_slice(&[FORMAT, kind]);
    bytes
}

fn end(mut bytes: Zeroizing<Vec<u8>>, owed: &[Owed]) -> Zeroizing<Vec<u8>> {
    let newest = owed.get(owed.len().saturating_sub(MAX_OWED)..).unwrap_or_default();
    bytes.push(u8::try_from(newest.len()).unwrap_or_default());
    for owed in newest {
        bytes.extend_from_slice(owed.token.as_bytes());
    }
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn write_session(bytes: &mut Vec<u8>, held: &Held) {
    bytes.push(match held.rule {
        Rule::Committed { .. } => 1,
        Rule::Window => 2,
        Rule::Bound { .. } => 3,
    });
    bytes.extend_from_slice(held.token.to_text().as_bytes());
    match &held.rule {
        Rule::Committed { next } => bytes.extend_from_slice(next.expose()),
        Rule::Window => {}
        Rule::Bound { nonce } => {
            let nonce = nonce.as_deref().filter(|nonce| nonce.len() <= MAX_NONCE_LEN);
            bytes.push(u8::from(nonce.is_some()));
            if let Some(nonce) = nonce {
                write_text(bytes, nonce);
            }
        }
    }
    let access = held.access.as_ref().filter(|access| access.token.len() <= MAX_ACCESS_LEN);
    bytes.push(u8::from(access.is_some()));
    if let Some(Access { token, since, lifetime }) = access {
        bytes.extend_from_slice(&since.as_millis().to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(lifetime.get()).unwrap_or(u32::MAX).to_be_bytes());
        write_text(bytes, token);
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// What storage holds, where it holds a record of this format.
///
/// # Errors
/// [`Fault::Newer`]: leave it alone, and let the user upgrade. [`Fault::Damaged`]: sign in again.
pub fn read(bytes: &[u8]) -> Result<Record, Fault> {
    let [format, rest @ ..] = bytes else { return Err(Fault::Damaged) };
    if *format > FORMAT {
        return Err(Fault::Newer);
    }
    if *format != FORMAT || bytes.len() > MAX_LEN {
        return Err(Fault::Damaged);
    }
    let (body, sum) = rest.split_last_chunk::<CHECKSUM>().ok_or(Fault::Damaged)?;
    let signed = bytes.get(..bytes.len().saturating_sub(CHECKSUM)).ok_or(Fault::Damaged)?;
    if *sum != checksum(signed) {
        return Err(Fault::Damaged);
    }
    read_body(body).ok_or(Fault::Damaged)
}

fn read_body(mut body: &[u8]) -> Option<Record> {
    let body = &mut body;
    let content = match byte(body)? {
        1 => Content::Held(read_held(body)?),
        2 => Content::Ended(*Why::ALL.get(usize::from(byte(body)?))?),
        _ => return None,
    };
    let count = usize::from(byte(body)?);
    if count > MAX_OWED {
        return None;
    }
    let owed = (0..count).map(|_| read_token(body).map(|token| Owed::of(&token))).collect::<Option<Vec<_>>>()?;
    // Nothing to keep is written as nothing, so that every content has one form.
    let is_nothing = matches!(content, Content::Ended(Why::SignedOut)) && owed.is_empty();
    (body.is_empty() && !is_nothing).then_some(Record { content, owed })
}

fn read_held(body: &mut &[u8]) -> Option<Held> {
    let rule = byte(body)?;
    let token = read_token(body)?;
    let rule = match rule {
        1 => Rule::Committed { next: Secret::new(*Zeroizing::new(*array::<32>(body)?)) },
        2 => Rule::Window,
        3 => Rule::Bound { nonce: if flag(body)? { Some(text(body, MAX_NONCE_LEN)?.into()) } else { None } },
        _ => return None,
    };
    let access = if flag(body)? {
        let since = Timestamp::from_millis(u64::from_be_bytes(*array(body)?));
        let lifetime = Seconds::new(u32::from_be_bytes(*array(body)?).into());
        Some(Access { since, lifetime, token: Zeroizing::new(String::from(text(body, MAX_ACCESS_LEN)?)) })
    } else {
        None
    };
    Some(Held { token, rule, access })
}

fn read_token(body: &mut &[u8]) -> Option<Token> {
    let text = core::str::from_utf8(array::<TOKEN>(body)?).ok()?;
    Token::parse(text).ok().filter(Token::is_refresh)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    Commitment(Sha256::new().chain_update(LABEL).chain_update(bytes).finalize().into()).half()
}

fn array<'b, const N: usize>(body: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (first, rest) = body.split_first_chunk::<N>()?;
    *body = rest;
    Some(first)
}

fn byte(body: &mut &[u8]) -> Option<u8> {
    array::<1>(body).map(|[byte]| *byte)
}

fn flag(body: &mut &[u8]) -> Option<bool> {
    match byte(body)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn text<'b>(body: &mut &'b [u8], longest: usize) -> Option<&'b str> {
    let len = usize::from(u16::from_be_bytes(*array(body)?));
    if len > longest {
        return None;
    }
    let (text, rest) = body.split_at_checked(len)?;
    *body = rest;
    core::str::from_utf8(text).ok()
}

#[cfg(test)]
mod golden;
