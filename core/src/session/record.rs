//! Records as bytes: versioned, authenticated, bound to their place.
//!
//! format 1 ‖ key id 1 ‖ body ‖ mac 16, where the MAC covers the store key of the record and everything
//! before it. Whoever can write the database still cannot move a session to another subject, change a
//! deadline or bring back a record under another address. Integers are big-endian; a string is its
//! length as u16 and its UTF-8 bytes.
//!
//! Refused when read: another format, an unknown master key, a wrong MAC, anything left over.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::id::SubjectHandle;
use crate::secret::{Commitment, KeyId, Keyring, PurposeKeys};
use crate::session::state::{Entitlement, Late, Mode, Reason, Replay, Session, State, Subject, Terms, Window};
use crate::store::Key;
use crate::time::{Seconds, Timestamp};
use crate::token::CustomClaims;

/// The format that is written. A newer one is refused, not guessed at.
pub const FORMAT: u8 = 1;

const MAC: usize = 16;

/// Why the bytes of a record are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordError {
    /// Written by a newer version of this library. Upgrade; nothing is lost.
    Newer,
    /// Its master key is not among the secrets. Add the key back, or point to the right store.
    UnknownKey,
    /// Changed outside, moved from another place, or of another deployment.
    Tampered,
    /// Authentic, but not of this form: a defect.
    Malformed,
}

impl RecordError {
    /// Every such error.
    pub const ALL: [Self; 4] = [Self::Newer, Self::UnknownKey, Self::Tampered, Self::Malformed];

    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Newer => "record_newer",
            Self::UnknownKey => "record_unknown_key",
            Self::Tampered => "record_tampered",
            Self::Malformed => "record_malformed",
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newer => "the store holds a record of a newer version of safeconduct; upgrade this process",
            Self::UnknownKey => "the store holds a record made with a master key that is not among the secrets",
            Self::Tampered => "the store holds a record that was changed or moved outside safeconduct",
            Self::Malformed => "the store holds an authentic record that cannot be read",
        })
    }
}

impl core::error::Error for RecordError {}

/// The record of a session as bytes.
pub(crate) fn write_session(session: &Session, at: Key, keys: &PurposeKeys) -> Vec<u8> {
    let (terms, state) = (&session.terms, &session.state);
    let mut body = begin(keys.id);
    let (rule, width, late) = match terms.replay {
        Replay::Committed => (1, 0, 0),
        Replay::Bound => (2, 0, 0),
        Replay::Window(Window { width, late: Late::Challenge }) => (3, width.get(), 1),
        Replay::Window(Window { width, late: Late::Revoke }) => (3, width.get(), 2),
    };
    let mode = match terms.mode {
        Mode::Hybrid => 1,
        Mode::Jwt => 2,
        Mode::Opaque => 3,
    };
    let revoked = match state.revoked {
        None => 0,
        Some(Reason::SignedOut) => 1,
        Some(Reason::ReuseDetected) => 2,
        Some(Reason::Administrative) => 3,
        Some(Reason::Displaced) => 4,
    };
    // A window is at most MAX_WINDOW seconds, which the policy sees to.
    body.extend_from_slice(&[mode, rule, u8::try_from(width).unwrap_or(u8::MAX), late, revoked]);
    for number in [state.epoch, state.claims_version, terms.global_epoch] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend_from_slice(&state.generation.to_be_bytes());
    body.extend_from_slice(&state.current.0);
    body.extend_from_slice(&state.previous);
    body.extend_from_slice(&terms.salt);
    for time in [terms.issued_at, terms.absolute_deadline, state.rotated_at, state.idle_deadline] {
        body.extend_from_slice(&time.as_millis().to_be_bytes());
    }
    body.push(u8::from(terms.thumbprint.is_some()));
    body.extend_from_slice(terms.thumbprint.as_ref().map_or(&[], <[u8; 32]>::as_slice));
    let (device, ip) = (terms.device.as_deref(), terms.ip.as_deref());
    body.push(u8::from(device.is_some()) | u8::from(ip.is_some()) << 1);
    let entitlement = &session.entitlement;
    let texts = [&*terms.subject, &*terms.client_id, &*entitlement.scope, entitlement.claims.members()];
    for text in texts.into_iter().chain(device).chain(ip) {
        // Every text is bounded well below u16::MAX before it gets into a session.
        body.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        body.extend_from_slice(text.as_bytes());
    }
    seal(body, at, keys)
}

/// The session that a record holds.
pub(crate) fn read_session(bytes: &[u8], at: Key, ring: &Keyring) -> Result<Session, RecordError> {
    let (key, mut body) = open(bytes, at, ring)?;
    let body = &mut body;
    let [mode, rule, width, late, revoked] = array(body)?;
    let window = |late| Replay::Window(Window { width: Seconds::new(width.into()), late });
    let replay = match (rule, width, late) {
        (1, 0, 0) => Replay::Committed,
        (2, 0, 0) => Replay::Bound,
        (3, _, 1) => window(Late::Challenge),
        (3, _, 2) => window(Late::Revoke),
        _ => return Err(RecordError::Malformed),
    };
    let mode = match mode {
        1 => Mode::Hybrid,
        2 => Mode::Jwt,
        3 => Mode::Opaque,
        _ => return Err(RecordError::Malformed),
    };
    let revoked = match revoked {
        0 => None,
        1 => Some(Reason::SignedOut),
        2 => Some(Reason::ReuseDetected),
        3 => Some(Reason::Administrative),
        4 => Some(Reason::Displaced),
        _ => return Err(RecordError::Malformed),
    };
    let (epoch, claims_version, global_epoch) = (number(body)?, number(body)?, number(body)?);
    let generation = u32::from_be_bytes(array(body)?);
    let (current, previous, salt) = (Commitment(array(body)?), array(body)?, array(body)?);
    let (issued_at, absolute_deadline) = (time(body)?, time(body)?);
    let (rotated_at, idle_deadline) = (time(body)?, time(body)?);
    let thumbprint = match array(body)? {
        [0] => None,
        [1] => Some(array(body)?),
        _ => return Err(RecordError::Malformed),
    };
    let [notes] = array(body)?;
    if notes > 3 {
        return Err(RecordError::Malformed);
    }
    let (subject, client_id) = (text(body)?, text(body)?);
    let entitlement = Entitlement { scope: text(body)?, claims: CustomClaims::from_members(text(body)?) };
    let device = if notes & 1 == 1 { Some(text(body)?) } else { None };
    let ip = if notes & 2 == 2 { Some(text(body)?) } else { None };
    end(body)?;
    let terms = Terms {
        key,
        mode,
        replay,
        salt,
        subject,
        client_id,
        device,
        ip,
        thumbprint,
        issued_at,
        absolute_deadline,
        global_epoch,
    };
    let state = State { revoked, epoch, claims_version, generation, current, previous, rotated_at, idle_deadline };
    Ok(Session { terms, entitlement, state })
}

/// The record of a subject as bytes: nothing of the person.
pub(crate) fn write_subject(subject: &Subject, at: Key, keys: &PurposeKeys) -> Vec<u8> {
    let mut body = begin(keys.id);
    body.push(u8::from(subject.erased));
    body.extend_from_slice(&subject.epoch.to_be_bytes());
    body.extend_from_slice(&subject.issued.to_be_bytes());
    body.extend_from_slice(&subject.gc_at.as_millis().to_be_bytes());
    seal(body, at, keys)
}

/// The subject that a record holds.
pub(crate) fn read_subject(bytes: &[u8], at: Key, ring: &Keyring) -> Result<Subject, RecordError> {
    let (_, mut body) = open(bytes, at, ring)?;
    let erased = match array(&mut body)? {
        [0] => false,
        [1] => true,
        _ => return Err(RecordError::Malformed),
    };
    let (epoch, issued) = (number(&mut body)?, u32::from_be_bytes(array(&mut body)?));
    let subject = Subject { epoch, erased, issued, gc_at: time(&mut body)? };
    end(body)?;
    Ok(subject)
}

/// What a directory record holds: from a keyed hash of the subject to its handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) handle: SubjectHandle,
    /// Never before that of the subject's record: while a session lives, its subject can be found.
    pub(crate) gc_at: Timestamp,
}

pub(crate) fn write_directory(directory: &Directory, at: Key, keys: &PurposeKeys) -> Vec<u8> {
    let mut body = begin(keys.id);
    body.extend_from_slice(directory.handle.as_bytes());
    body.extend_from_slice(&directory.gc_at.as_millis().to_be_bytes());
    seal(body, at, keys)
}

pub(crate) fn read_directory(bytes: &[u8], at: Key, ring: &Keyring) -> Result<Directory, RecordError> {
    let (_, mut body) = open(bytes, at, ring)?;
    let directory = Directory { handle: SubjectHandle::from_bytes(array(&mut body)?), gc_at: time(&mut body)? };
    end(body)?;
    Ok(directory)
}

/// The record that tells whose store it is: the number of partitions, under this deployment's MAC.
pub(crate) fn write_deployment(partitions: u8, keys: &PurposeKeys) -> Vec<u8> {
    let mut body = begin(keys.id);
    body.push(partitions);
    seal(body, Key::Deployment, keys)
}

/// The number of partitions, and the master key that the record was made with.
pub(crate) fn read_deployment(bytes: &[u8], ring: &Keyring) -> Result<(KeyId, u8), RecordError> {
    let (key, mut body) = open(bytes, Key::Deployment, ring)?;
    let [partitions] = array(&mut body)?;
    end(body)?;
    Ok((key, partitions))
}

fn begin(key: KeyId) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(&[FORMAT, key.0]);
    body
}

fn seal(mut body: Vec<u8>, at: Key, keys: &PurposeKeys) -> Vec<u8> {
    let mac = keys.record.tag(&[&at.to_bytes(), &body]);
    body.extend_from_slice(&mac);
    body
}

fn open<'b>(bytes: &'b [u8], at: Key, ring: &Keyring) -> Result<(KeyId, &'b [u8]), RecordError> {
    let (signed, mac) = bytes.split_last_chunk::<MAC>().ok_or(RecordError::Tampered)?;
    let (&[format, key], body) = signed.split_first_chunk().ok_or(RecordError::Tampered)?;
    if format > FORMAT {
        return Err(RecordError::Newer);
    }
    let keys = ring.get(KeyId(key)).ok_or(RecordError::UnknownKey)?;
    if format != FORMAT || !keys.record.is_tag(&[&at.to_bytes(), signed], mac) {
        return Err(RecordError::Tampered);
    }
    Ok((KeyId(key), body))
}

fn array<const N: usize>(body: &mut &[u8]) -> Result<[u8; N], RecordError> {
    let (first, rest) = body.split_first_chunk().ok_or(RecordError::Malformed)?;
    *body = rest;
    Ok(*first)
}

fn number(body: &mut &[u8]) -> Result<u64, RecordError> {
    array(body).map(u64::from_be_bytes)
}

fn time(body: &mut &[u8]) -> Result<Timestamp, RecordError> {
    number(body).map(Timestamp::from_millis)
}

fn text(body: &mut &[u8]) -> Result<String, RecordError> {
    let len = usize::from(u16::from_be_bytes(array(body)?));
    let (first, rest) = body.split_at_checked(len).ok_or(RecordError::Malformed)?;
    *body = rest;
    core::str::from_utf8(first).map(String::from).map_err(|_| RecordError::Malformed)
}

fn end(body: &[u8]) -> Result<(), RecordError> {
    if body.is_empty() { Ok(()) } else { Err(RecordError::Malformed) }
}

#[cfg(test)]
mod golden;
