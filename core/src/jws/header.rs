//! The JOSE header of a compact JWS ([RFC 7515 section 4]).
//!
//! Refuses: whatever is not one strict JSON object; `crit`, `b64` and `zip`; keys and pointers to keys
//! (`jwk`, `jku`, `x5u`, `x5c`, `x5t`); parameters of encryption; an `alg` that is missing, unknown or
//! not a string; a `kid` or `typ` that is not a string. Other parameters are ignored, as the RFC asks.
//!
//! [RFC 7515 section 4]: https://www.rfc-editor.org/rfc/rfc7515#section-4

use alloc::string::String;

use super::{Algorithm, JwsError, Typ};
use crate::encoding::base64url;
use crate::encoding::json::{self, Text};

/// The longest header, in characters of its segment.
pub(super) const MAX_HEADER_LEN: usize = 2048;

const REFUSED: [&str; 16] = [
    "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "enc", "epk", "apu", "apv", "p2s", "p2c",
    "tag",
];

/// The parameters that matter.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Text<'a>>,
    pub(super) typ: Option<Text<'a>>,
}

impl<'a> Header<'a> {
    /// Reads a header segment, decoding it into `buffer`.
    pub(super) fn parse(segment: &str, buffer: &'a mut [u8]) -> Result<Self, JwsError> {
        if segment.len() > MAX_HEADER_LEN {
            return Err(JwsError::TooLarge);
        }
        let bytes = base64url::decode_public(segment.as_bytes(), buffer).map_err(|_| JwsError::Malformed)?;
        let object = json::object(bytes).map_err(|_| JwsError::HeaderRefused)?;
        let (mut algorithm, mut kid, mut typ) = (None, None, None);
        for member in object.members() {
            let mut name = [0; 16];
            // A name that does not fit is none of those that matter.
            match member.name.decoded(&mut name).unwrap_or_default() {
                "alg" => {
                    let name = member.value.as_text().ok_or(JwsError::WrongAlgorithm)?;
                    let mut buffer = [0; 16];
                    algorithm = name.decoded(&mut buffer).and_then(Algorithm::from_name);
                }
                "kid" => kid = Some(member.value.as_text().ok_or(JwsError::HeaderRefused)?),
                "typ" => typ = Some(member.value.as_text().ok_or(JwsError::WrongType)?),
                name if REFUSED.contains(&name) => return Err(JwsError::HeaderRefused),
                _ => {}
            }
        }
        Ok(Self { algorithm: algorithm.ok_or(JwsError::WrongAlgorithm)?, kid, typ })
    }
}

/// The header segment that a key writes for a kind of token: constant, so verifiers can compare bytes.
pub(super) fn encoded(algorithm: Algorithm, typ: Typ, kid: &str) -> String {
    let mut header = json::Writer::with_capacity(64);
    header.string("alg", algorithm.name()).string("typ", typ.name()).string("kid", kid);
    base64url::encode(header.finish().as_bytes())
}
