//! The compact form: three segments joined by dots ([RFC 7515 section 7.1]).
//!
//! [`Untrusted::parse`] only splits; the payload can be reached through [`Verified`] alone. Refused: other
//! serializations, detached payloads, tokens over [`MAX_TOKEN_LEN`] (before anything is decoded),
//! segments that are not canonical base64url, and every header that `header` or `Typ` refuses.
//!
//! [RFC 7515 section 7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use alloc::string::String;
use core::fmt;

use zeroize::Zeroize;

use super::header::{Header, MAX_HEADER_LEN};
use super::{KeySet, SigningKey, Typ, VerifyingKey};
use crate::encoding::base64url;
use crate::time::Timestamp;

/// The longest token, in characters: 16 KiB, more than HTTP servers take in one header.
pub const MAX_TOKEN_LEN: usize = 16_384;

/// A buffer of this length holds the payload of every token that is accepted.
pub const SCRATCH_LEN: usize = base64url::decoded_len(MAX_TOKEN_LEN);

/// Why a signed token is refused. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// Not three segments of canonical base64url, or the buffer is too short for the payload.
    Malformed,
    /// Longer than [`MAX_TOKEN_LEN`], or its header longer than 2048 characters.
    TooLarge,
    /// The header is not strict JSON, or has a parameter that is never accepted.
    HeaderRefused,
    /// `alg` is missing, not supported, or not the algorithm of the key.
    WrongAlgorithm,
    /// `typ` names another kind of token.
    WrongType,
    /// No key of the set is meant.
    UnknownKey,
    /// The key that is meant was withdrawn.
    KeyWithdrawn,
    /// The signature is not the key's.
    BadSignature,
}

impl JwsError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::HeaderRefused => "header_refused",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongType => "wrong_type",
            Self::UnknownKey => "unknown_key",
            Self::KeyWithdrawn => "revoked",
            Self::BadSignature => "bad_signature",
        }
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::TooLarge => "the token is too long",
            Self::HeaderRefused => "the token's header is not acceptable",
            Self::WrongAlgorithm => "the token names an algorithm that is not its key's",
            Self::WrongType => "the token is of another kind",
            Self::UnknownKey => "the token names no key that is known here",
            Self::KeyWithdrawn => "the token's key was withdrawn",
            Self::BadSignature => "the token's signature is wrong",
        })
    }
}

impl core::error::Error for JwsError {}

/// A token of which nothing is known but that it has three segments.
#[derive(Clone, Copy)]
pub struct Untrusted<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    signing_input: &'t str,
}

impl<'t> Untrusted<'t> {
    /// Splits a token.
    ///
    /// # Errors
    /// [`JwsError::TooLarge`]; [`JwsError::Malformed`] where there are not three segments, or the first
    /// or last is empty.
    pub fn parse(token: &'t str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(JwsError::TooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        // Not `contains`: no dot is expected, so looking at all bytes without a branch is quicker.
        let dots = payload.bytes().fold(0, |dots, b| dots | u8::from(b == b'.'));
        if header.is_empty() || signature.is_empty() || dots != 0 {
            return Err(JwsError::Malformed);
        }
        Ok(Self { header, payload, signature, signing_input })
    }

    /// Verifies the token at `now` as one of kind `typ`, and decodes its payload into the front of `scratch`.
    /// Allocates nothing.
    ///
    /// # Errors
    /// A [`JwsError`]; none of them leaves anything of the payload in reach.
    ///
    /// # Security
    /// The payload is decoded only after the signature was found right. Time depends on the public
    /// token; the comparison of an HMAC is constant-time.
    pub fn verify<'s>(
        &self,
        keys: &'s KeySet,
        typ: Typ,
        now: Timestamp,
        scratch: &'s mut [u8],
    ) -> Result<Verified<'s>, JwsError> {
        let key = match keys.find_header(self.header, typ, now) {
            Some(key) => key,
            None => self.find_key(keys, typ, now)?,
        };
        self.verify_by(key, scratch)
    }

    fn verify_by<'s>(&self, key: &'s VerifyingKey, scratch: &'s mut [u8]) -> Result<Verified<'s>, JwsError> {
        // Room for more than any signature has, so that one of a wrong length is told from bad base64.
        let mut buffer = [0; 96];
        if base64url::decoded_len(self.signature.len()) > buffer.len() {
            return Err(JwsError::BadSignature);
        }
        let signature = base64url::decode(self.signature.as_bytes(), &mut buffer).map_err(|_| JwsError::Malformed)?;
        if !key.accepts(self.signing_input.as_bytes(), signature) {
            return Err(JwsError::BadSignature);
        }
        let payload = base64url::decode_public(self.payload.as_bytes(), scratch).map_err(|_| JwsError::Malformed)?;
        Ok(Verified { payload, key })
    }

    /// Splits a token at the places where it has its dots if `key` wrote it: behind the key's constant header,
    /// and before a signature of the key's length. Whether there are more dots is not asked.
    fn split_as_written_by(token: &'t str, key: &VerifyingKey, typ: Typ) -> Option<Self> {
        let header = key.header(typ);
        let input_len =
            token.len().checked_sub(base64url::encoded_len(key.algorithm().signature_len()))?.checked_sub(1)?;
        let bytes = token.as_bytes();
        if !bytes.starts_with(header.as_bytes())
            || bytes.get(header.len()) != Some(&b'.')
            || bytes.get(input_len) != Some(&b'.')
        {
            return None;
        }
        Some(Self {
            header: token.get(..header.len())?,
            payload: token.get(header.len().saturating_add(1)..input_len)?,
            signature: token.get(input_len.saturating_add(1)..)?,
            signing_input: token.get(..input_len)?,
        })
    }

    /// The key that a header means which none of the keys would have written itself.
    fn find_key<'k>(&self, keys: &'k KeySet, typ: Typ, now: Timestamp) -> Result<&'k VerifyingKey, JwsError> {
        let mut buffer = [0; base64url::decoded_len(MAX_HEADER_LEN)];
        let header = Header::parse(self.header, &mut buffer)?;
        if !typ.accepts(header.typ) {
            return Err(JwsError::WrongType);
        }
        let key = keys.find_text(header.kid, now)?;
        if key.algorithm().accepts(header.algorithm) { Ok(key) } else { Err(JwsError::WrongAlgorithm) }
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Untrusted")
    }
}

/// What a key of the set has signed.
#[derive(Clone, Copy)]
pub struct Verified<'s> {
    payload: &'s [u8],
    key: &'s VerifyingKey,
}

impl<'s> Verified<'s> {
    /// The payload.
    pub fn payload(&self) -> &'s [u8] {
        self.payload
    }

    /// The key that signed it.
    pub fn key(&self) -> &'s VerifyingKey {
        self.key
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({:?})", self.key)
    }
}

/// As [`Untrusted::parse`] and [`Untrusted::verify`], and sooner done with tokens of which a key of the set
/// wrote the header.
///
/// # Errors
/// A [`JwsError`], as both.
///
/// # Security
/// As [`Untrusted::verify`].
pub fn verify<'s>(
    token: &str,
    keys: &'s KeySet,
    typ: Typ,
    now: Timestamp,
    scratch: &'s mut [u8],
) -> Result<Verified<'s>, JwsError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(JwsError::TooLarge);
    }
    let mut written =
        keys.verifying_at(now).filter_map(|key| Some((key, Untrusted::split_as_written_by(token, key, typ)?)));
    let Some((key, untrusted)) = written.next() else {
        return Untrusted::parse(token)?.verify(keys, typ, now, scratch);
    };
    // With a dot too many the token is malformed before it has a signature.
    untrusted.verify_by(key, scratch).map_err(|reason| Untrusted::parse(token).err().unwrap_or(reason))
}

/// Signs `payload` as a token of kind `typ`. One heap allocation.
///
/// A payload so long that the token exceeds [`MAX_TOKEN_LEN`] is signed all the same; no verifier of
/// this library will take it.
pub fn sign(key: &SigningKey, typ: Typ, payload: &[u8]) -> String {
    signed(key, typ, payload, |input, signature| key.signature(input, signature).len())
}

/// As [`sign`], and looks at the signature before it leaves, against attacks by faults: a deterministic signature
/// that was disturbed gives the private key away to whoever has an undisturbed one of the same input. Costs a
/// verification. For HMAC it is [`sign`]: a disturbed tag gives nothing away.
///
/// # Errors
/// [`JwsError::BadSignature`] where three signatures in a row were wrong: the machine or its memory is broken.
pub fn sign_checked(key: &SigningKey, typ: Typ, payload: &[u8]) -> Result<String, JwsError> {
    if key.algorithm().is_symmetric() {
        return Ok(sign(key, typ, payload));
    }
    let verifying = key.verifying_key();
    let sign = |input: &[u8], signature: &mut [u8; 64]| {
        let len = key.signature(input, signature).len();
        #[cfg(test)]
        signature.iter_mut().take(usize::from(key.kid() == FAULTY)).for_each(|byte| *byte ^= 1);
        len
    };
    let mut whole = Ok(());
    let token = signed(key, typ, payload, |input, signature| {
        let accepts = |signature: &[u8]| verifying.accepts(input, signature);
        let len = checked(|signature| sign(input, signature), accepts, signature);
        whole = len.map(|_| ());
        len.unwrap_or_default()
    });
    whole.map(|()| token)
}

/// A key of this name signs as a broken machine does.
#[cfg(test)]
pub(crate) const FAULTY: &str = "faulty";

/// Signs until the signature is accepted, three times at most; what is not accepted is wiped.
fn checked(
    mut sign: impl FnMut(&mut [u8; 64]) -> usize,
    accepts: impl Fn(&[u8]) -> bool,
    signature: &mut [u8; 64],
) -> Result<usize, JwsError> {
    for _ in 0..3 {
        let len = sign(signature);
        if accepts(signature.get(..len).unwrap_or_default()) {
            return Ok(len);
        }
        signature.zeroize();
    }
    Err(JwsError::BadSignature)
}

/// The token of a payload; `sign` writes the signature of what it is given and says how long it is.
fn signed(key: &SigningKey, typ: Typ, payload: &[u8], sign: impl FnOnce(&[u8], &mut [u8; 64]) -> usize) -> String {
    let header = key.header(typ);
    let payload_len = base64url::encoded_len(payload.len());
    let signature_len = base64url::encoded_len(key.algorithm().signature_len());
    let input_len = header.len().saturating_add(payload_len).saturating_add(1);
    let mut token = alloc::vec![b'.'; input_len.saturating_add(signature_len).saturating_add(1)];
    let Some((input, tail)) = token.split_at_mut_checked(input_len) else { return String::new() };
    if let Some((head, body)) = input.split_at_mut_checked(header.len()) {
        head.copy_from_slice(header.as_bytes());
        let _ = base64url::encode_into(payload, body.get_mut(1..).unwrap_or_default());
    }
    let mut signature = [0; 64];
    let len = sign(input, &mut signature);
    let _ = base64url::encode_into(signature.get(..len).unwrap_or_default(), tail.get_mut(1..).unwrap_or_default());
    String::from_utf8(token).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Algorithm;

    fn key(algorithm: Algorithm) -> SigningKey {
        SigningKey::generate(&[7; 64], algorithm).unwrap()
    }

    #[test]
    fn a_checked_signature_is_the_signature() {
        for algorithm in [Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256] {
            let key = key(algorithm);
            assert_eq!(sign_checked(&key, Typ::Jwt, b"{}"), Ok(sign(&key, Typ::Jwt, b"{}")));
        }
    }

    #[test]
    fn a_disturbed_signature_is_made_anew_and_a_broken_machine_gives_none_out() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let (key, input) = (key(algorithm), b"input");
            for faults in 0..5u32 {
                let mut made = 0;
                let disturbed = |signature: &mut [u8; 64]| {
                    let len = key.signature(input, signature).len();
                    made += 1;
                    if made <= faults {
                        // As where one scalar multiplication went wrong: R is right, S is not.
                        signature[40] ^= 1 << made;
                    }
                    len
                };
                let mut signature = [0; 64];
                let outcome =
                    checked(disturbed, |signature| key.verifying_key().accepts(input, signature), &mut signature);
                if faults < 3 {
                    assert_eq!(outcome, Ok(64));
                    assert!(key.verifying_key().accepts(input, &signature));
                } else {
                    assert_eq!(outcome, Err(JwsError::BadSignature));
                    assert_eq!(signature, [0; 64]);
                }
            }
        }
    }
}
