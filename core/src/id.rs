//! The addresses of sessions and subjects.
//!
//! A [`SessionId`] is partition 1 ‖ handle 7 ‖ random 8, the claim `sid`. It is an address, not a
//! secret, and holds nothing derived from the person: the handle is drawn at random when a subject
//! first signs in. From the id alone one finds the partition, the subject record with its epoch, and
//! every revocation entry that can hit a token of the session.

use core::fmt;

use crate::encoding::base64url;

/// One of the slices into which records are placed: a Redis Cluster slot, a region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u8);

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:02}", self.0)
    }
}

/// Where everything of one subject lives: partition 1 ‖ random 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectHandle([u8; 8]);

impl SubjectHandle {
    /// A handle in `partition` made of seven random bytes.
    pub const fn new(partition: Partition, random: [u8; 7]) -> Self {
        let [a, b, c, d, e, f, g] = random;
        Self([partition.0, a, b, c, d, e, f, g])
    }

    /// From its eight bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its eight bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The partition that its records are in.
    pub const fn partition(&self) -> Partition {
        let [partition, ..] = self.0;
        Partition(partition)
    }
}

impl fmt::Debug for SubjectHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectHandle(")?;
        base64url::write_to(f, &self.0)?;
        f.write_str(")")
    }
}

/// One sign-in: partition 1 ‖ handle 7 ‖ random 8; as text 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The length of the text form, in characters.
    pub const TEXT_LEN: usize = 22;

    /// A session of `subject` told apart by eight random bytes.
    pub const fn new(subject: SubjectHandle, random: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = subject.0;
        let [i, j, k, l, m, n, o, p] = random;
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    /// From its sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From its text form: exactly 22 characters of canonical base64url.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_ascii(text.as_bytes())
    }

    /// As [`SessionId::parse`], from bytes.
    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        match base64url::decode_public(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 16 => Some(Self(bytes)),
            _ => None,
        }
    }

    /// Its sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The handle of the subject whose session this is.
    pub const fn subject(&self) -> SubjectHandle {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        SubjectHandle([a, b, c, d, e, f, g, h])
    }

    /// The partition that its records are in.
    pub const fn partition(&self) -> Partition {
        self.subject().partition()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64url::write_to(f, &self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
