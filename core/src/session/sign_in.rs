//! A sign-in as the application asks for it, refused before any store is asked where it cannot be.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::secret::Commitment;
use crate::session::event::Amendment;
use crate::session::policy::{Policy, PolicyError};
use crate::session::state::{Entitlement, Mode, Replay};
use crate::token::{ClaimsError, CustomClaims, looks_like_personal_data};

/// The longest subject, client, device or scope, in bytes.
pub const MAX_TEXT: usize = 512;

/// What an application says of a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct SignInRequest<'a> {
    /// Who signs in (`sub`): an opaque identifier, at most [`MAX_TEXT`] bytes.
    pub subject: &'a str,
    /// For which client (`client_id`), at most [`MAX_TEXT`] bytes.
    pub client_id: &'a str,
    /// Scope tokens separated by single spaces, or empty.
    pub scope: &'a str,
    /// Further claims as a JSON object.
    pub claims: Option<&'a str>,
    /// A note of the device for the list of sessions, at most [`MAX_TEXT`] bytes.
    pub device: Option<&'a str>,
    /// Where it comes from, for the list of sessions, at most [`MAX_TEXT`] bytes.
    pub ip: Option<&'a str>,
    /// What the bearer is given.
    pub mode: Mode,
    /// The replay rule; `None` for [`Replay::Committed`] where a commitment is given, else the policy's.
    pub replay: Option<Replay>,
    /// The commitment of the first secret, where the client drew it.
    pub commitment: Option<Commitment>,
    /// The thumbprint of the client's DPoP key, from a verified proof.
    pub thumbprint: Option<[u8; 32]>,
}

impl<'a> SignInRequest<'a> {
    /// A hybrid session of `subject` and nothing else asked for.
    pub const fn new(subject: &'a str) -> Self {
        Self {
            subject,
            client_id: "default",
            scope: "",
            claims: None,
            device: None,
            ip: None,
            mode: Mode::Hybrid,
            replay: None,
            commitment: None,
            thumbprint: None,
        }
    }
}

/// A sign-in that may be carried out.
#[derive(Debug)]
pub struct SignIn {
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) entitlement: Entitlement,
    pub(super) device: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) mode: Mode,
    pub(super) replay: Replay,
    pub(super) commitment: Option<Commitment>,
    pub(super) thumbprint: Option<[u8; 32]>,
}

impl SignIn {
    /// Takes a request that the policy allows.
    ///
    /// # Errors
    /// [`SignInError`] says what to change in the call.
    pub fn new(request: &SignInRequest<'_>, policy: &Policy) -> Result<Self, SignInError> {
        let &SignInRequest { subject, client_id, device, ip, mode, commitment, thumbprint, .. } = request;
        if subject.is_empty() || client_id.is_empty() {
            return Err(SignInError::Empty);
        }
        let texts = [Some(subject), Some(client_id), device, ip];
        if texts.into_iter().flatten().any(|text| text.len() > MAX_TEXT) {
            return Err(SignInError::TooLong);
        }
        if texts.into_iter().flatten().any(|text| text.contains(char::is_control)) {
            return Err(SignInError::ControlCharacter);
        }
        if looks_like_personal_data(subject) && !policy.personal_claims.iter().any(|name| name == "sub") {
            return Err(SignInError::PersonalSubject);
        }
        let replay = match (request.replay, commitment) {
            (None, Some(_)) => Replay::Committed,
            (None, None) => policy.replay,
            (Some(replay), _) => replay,
        };
        policy.allows(replay).map_err(SignInError::Policy)?;
        if commitment.is_some() && (mode != Mode::Hybrid || replay != Replay::Committed) {
            return Err(SignInError::CommitmentUnexpected);
        }
        if replay == Replay::Bound && thumbprint.is_none() {
            return Err(SignInError::ProofRequired);
        }
        if mode == Mode::Opaque && thumbprint.is_some() {
            return Err(SignInError::OpaqueProof);
        }
        if mode == Mode::Opaque && !matches!(replay, Replay::Window(_)) {
            return Err(SignInError::OpaqueReplay);
        }
        Ok(Self {
            subject: subject.into(),
            client_id: client_id.into(),
            entitlement: Entitlement {
                scope: parse_scope(request.scope)?,
                claims: request.claims.map(|json| parse_claims(json, policy)).transpose()?.unwrap_or_default(),
            },
            device: device.map(String::from),
            ip: ip.map(String::from),
            mode,
            replay,
            commitment,
            thumbprint,
        })
    }
}

impl Amendment {
    /// Takes a change that the policy allows; `None` stays as it is.
    ///
    /// # Errors
    /// [`SignInError`] says what to change in the call.
    pub fn new(scope: Option<&str>, claims: Option<&str>, policy: &Policy) -> Result<Self, SignInError> {
        let claims = claims.map(|json| parse_claims(json, policy)).transpose()?;
        Ok(Self { scope: scope.map(parse_scope).transpose()?, claims })
    }
}

fn parse_scope(scope: &str) -> Result<String, SignInError> {
    if scope.len() > MAX_TEXT {
        return Err(SignInError::TooLong);
    }
    if is_scope(scope) { Ok(scope.into()) } else { Err(SignInError::Scope) }
}

fn parse_claims(json: &str, policy: &Policy) -> Result<CustomClaims, SignInError> {
    let allowed: Vec<&str> = policy.personal_claims.iter().map(String::as_str).collect();
    CustomClaims::parse(json, policy.max_claims, &allowed).map_err(SignInError::Claims)
}

/// [RFC 6749 section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3): tokens of printable ASCII
/// but for `"` and `\`, separated by single spaces; or nothing.
fn is_scope(scope: &str) -> bool {
    let is_token =
        |token: &str| !token.is_empty() && token.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    scope.is_empty() || scope.split(' ').all(is_token)
}

/// Why a sign-in is refused before any store is asked: fix the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// Subject or client is empty.
    Empty,
    /// Subject, client, device, address or scope is longer than [`MAX_TEXT`] bytes.
    TooLong,
    /// Subject, client, device or address holds a control character: a token could not carry it, and a page
    /// or a log would be spoilt by it.
    ControlCharacter,
    /// The scope is not tokens separated by single spaces.
    Scope,
    /// The subject looks like an e-mail address or a telephone number.
    PersonalSubject,
    /// The claims are refused.
    Claims(ClaimsError),
    /// The replay rule is refused.
    Policy(PolicyError),
    /// A commitment was given for a session that takes none.
    CommitmentUnexpected,
    /// The session is to be bound to a key and no proof came.
    ProofRequired,
    /// An opaque session cannot be bound to a key.
    OpaqueProof,
    /// An opaque session has no replay rule but a window.
    OpaqueReplay,
}

impl SignInError {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "sign_in_empty",
            Self::TooLong => "sign_in_too_long",
            Self::ControlCharacter => "sign_in_control_character",
            Self::Scope => "sign_in_scope",
            Self::PersonalSubject => "sign_in_personal_subject",
            Self::Claims(error) => error.reason(),
            Self::Policy(_) => "policy_refused",
            Self::CommitmentUnexpected => "commitment_unexpected",
            Self::ProofRequired => "proof_required",
            Self::OpaqueProof => "sign_in_opaque_proof",
            Self::OpaqueReplay => "sign_in_opaque_replay",
        }
    }
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("subject and client_id must not be empty"),
            Self::TooLong => {
                write!(f, "subject, client_id, device, ip and scope may have at most {MAX_TEXT} bytes each")
            }
            Self::ControlCharacter => f.write_str("subject, client_id, device and ip must not hold control characters"),
            Self::Scope => f.write_str("scope must be tokens separated by single spaces (RFC 6749 section 3.3)"),
            Self::PersonalSubject => f.write_str(
                "the subject looks like an e-mail address or a telephone number, which every access token would show; \
                 use an opaque identifier, or name `sub` in the policy's `personal_claims`",
            ),
            Self::Claims(error) => error.fmt(f),
            Self::Policy(error) => error.fmt(f),
            Self::CommitmentUnexpected => {
                f.write_str("a commitment goes with hybrid sessions under the committed replay rule only")
            }
            Self::ProofRequired => f.write_str("the bound replay rule needs a verified DPoP proof at sign-in"),
            Self::OpaqueProof => f.write_str("an opaque session cannot be bound to a DPoP key"),
            Self::OpaqueReplay => f.write_str("an opaque session takes no replay rule but a window"),
        }
    }
}

impl core::error::Error for SignInError {}
