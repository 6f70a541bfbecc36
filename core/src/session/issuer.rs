//! What mints: an issuer's name, keys and policy, bound together. Pure; no store, no clock.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use zeroize::Zeroizing;

use crate::encoding::base64url;
use crate::id::SessionId;
use crate::jws::{KeySet, SigningKey, Typ, sign, sign_checked};
use crate::secret::{Keyring, PurposeKeys, Secret, Secrets};
use crate::session::exchange::Failure;
use crate::session::outcome::Outcome;
use crate::session::policy::Policy;
use crate::session::state::{Mode, Replay, Session};
use crate::time::{Seconds, Timestamp};
use crate::token::receipt::Receipt;
use crate::token::refresh::{Authentic, Kind, Stamp, Token};
use crate::token::{ConfigError, NewAccessToken, Verifier, VerifierConfig};

/// How long a challenge can be answered: a browser does so at once.
pub const CHALLENGE_TTL: Seconds = Seconds::new(60);

const CHALLENGE_PREFIX: &str = "scc1_";

/// Keys and policy under one issuer name. A clone shares them.
#[derive(Clone)]
pub struct Issuer {
    rules: Arc<Rules>,
    keys: Arc<KeySet>,
}

/// What stays when signing keys change.
struct Rules {
    name: String,
    audience: String,
    keyring: Keyring,
    policy: Policy,
}

/// What is handed out. Everything in it but the receipt is a bearer secret: send it to its owner over TLS
/// and keep no copy.
pub struct Grant {
    /// The session.
    pub session: SessionId,
    /// An access token; none where a repeat is answered with a receipt only, and none for opaque sessions.
    pub access_token: Option<Zeroizing<String>>,
    /// The refresh token that is current now.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The server's half of the refresh token that is current now, where the client drew the other half.
    pub receipt: Option<String>,
    /// The opaque session token that is current now.
    pub session_token: Option<Zeroizing<String>>,
    /// The nonce that the proof for the next refresh must carry, where the session is bound to a key.
    pub nonce: Option<String>,
    /// For how long the access token is good; the session, where there is none.
    pub expires_in: Seconds,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The session as it is after the decision that is minted for.
pub(super) struct Minted<'a> {
    pub(super) sid: SessionId,
    pub(super) session: &'a Session,
    pub(super) keys: &'a PurposeKeys,
    pub(super) now: Timestamp,
}

impl Issuer {
    /// Binds keys, secrets and policy to an issuer name (`iss`) and an audience (`aud`).
    ///
    /// # Errors
    /// [`ConfigError`] where the name or the audience is empty or no key can sign.
    pub fn new(
        name: &str,
        audience: &str,
        keys: impl Into<Arc<KeySet>>,
        secrets: &Secrets,
        policy: Policy,
    ) -> Result<Self, ConfigError> {
        let keys = keys.into();
        if !keys.can_sign() {
            return Err(ConfigError::NoSigningKey);
        }
        Verifier::new(Arc::clone(&keys), VerifierConfig::access_token(name, audience))?;
        let keyring = Keyring::derive(secrets, name);
        let rules = Rules { name: name.into(), audience: audience.into(), keyring, policy };
        Ok(Self { rules: Arc::new(rules), keys })
    }

    /// This issuer with another set of signing keys: two reference counts, so it may be made for each operation.
    /// Where none of them signs, nothing is signed ([`Failure::KeyMissing`]).
    #[must_use]
    pub fn with_keys(&self, keys: Arc<KeySet>) -> Self {
        Self { rules: Arc::clone(&self.rules), keys }
    }

    /// The claim `iss`.
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// The claim `aud`.
    pub fn audience(&self) -> &str {
        &self.rules.audience
    }

    /// The keys that sign and verify access tokens.
    pub const fn keys(&self) -> &Arc<KeySet> {
        &self.keys
    }

    /// The keys of refresh tokens and records.
    pub fn keyring(&self) -> &Keyring {
        &self.rules.keyring
    }

    /// The deployment's rules.
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// A verifier of this issuer's own access tokens.
    ///
    /// # Errors
    /// None that [`Issuer::new`] did not return before.
    pub fn verifier(&self) -> Result<Verifier, ConfigError> {
        Verifier::new(Arc::clone(&self.keys), VerifierConfig::access_token(self.name(), self.audience()))
    }

    /// What `outcome` hands out for a session as it is now.
    pub(super) fn grant(
        &self,
        minted: &Minted<'_>,
        outcome: Outcome,
        scope: Option<&str>,
        jti: [u8; 16],
    ) -> Result<Grant, Failure> {
        let Minted { sid, session, keys, now } = *minted;
        let (terms, state) = (&session.terms, &session.state);
        let stamp = Stamp { key: keys.id, sid, generation: state.generation, commitment: state.current };
        let derived = |kind| {
            let secret = derived_secret(keys, &terms.salt, sid, state.generation);
            Token::make(kind, keys, &terms.salt, &stamp, secret).to_text()
        };
        let mut grant = Grant {
            session: sid,
            access_token: None,
            refresh_token: None,
            receipt: None,
            session_token: None,
            nonce: None,
            expires_in: now.seconds_until(self.expires_at(minted)),
        };
        match terms.mode {
            Mode::Opaque => {
                grant.session_token = Some(derived(Kind::Opaque));
                return Ok(grant);
            }
            Mode::Hybrid if outcome != Outcome::Amended => {
                // Under Committed only the first secret can be derived: of a client that offered none.
                let is_offered = || derived_secret(keys, &terms.salt, sid, 0).commitment() != state.current;
                if terms.replay == Replay::Committed && (state.generation > 0 || is_offered()) {
                    grant.receipt = Some(Receipt::make(keys, &terms.salt, &stamp).to_text());
                } else {
                    grant.refresh_token = Some(derived(Kind::Refresh));
                }
                if terms.replay == Replay::Bound {
                    grant.nonce = Some(nonce_of(&stamp, keys));
                }
            }
            Mode::Hybrid | Mode::Jwt => {}
        }
        let is_receipt_only = outcome == Outcome::Repeated && terms.replay == Replay::Committed;
        if !is_receipt_only {
            let key: &SigningKey = self.keys.signing(now).ok_or(Failure::KeyMissing)?;
            let payload = Zeroizing::new(self.payload(minted, scope, jti));
            grant.access_token = Some(Zeroizing::new(match self.policy().check_signatures {
                true => sign_checked(key, Typ::AccessToken, payload.as_bytes()).map_err(|_| Failure::SigningFault)?,
                false => sign(key, Typ::AccessToken, payload.as_bytes()),
            }));
        }
        Ok(grant)
    }

    /// The claims of a session as JSON, for one that presents no access token.
    pub(super) fn claims(&self, minted: &Minted<'_>, jti: [u8; 16]) -> Result<String, Failure> {
        Ok(self.payload(minted, None, jti))
    }

    /// When what is handed out now stops being good: never after the absolute deadline.
    fn expires_at(&self, minted: &Minted<'_>) -> Timestamp {
        match minted.session.terms.mode {
            Mode::Opaque => minted.session.state.idle_deadline,
            Mode::Hybrid | Mode::Jwt => {
                minted.now.plus(self.policy().access_ttl).min(minted.session.terms.absolute_deadline)
            }
        }
    }

    fn payload(&self, minted: &Minted<'_>, scope: Option<&str>, jti: [u8; 16]) -> String {
        let Minted { sid, session, now, .. } = *minted;
        let (terms, state) = (&session.terms, &session.state);
        let scope = scope.unwrap_or(&session.entitlement.scope);
        NewAccessToken {
            iss: self.name(),
            aud: &[self.audience()],
            sub: &terms.subject,
            client_id: &terms.client_id,
            exp: self.expires_at(minted),
            iat: now,
            jti: &base64url::encode(&jti),
            sid,
            sep: state.epoch,
            scv: state.claims_version,
            gep: terms.global_epoch,
            scope: (!scope.is_empty()).then_some(scope),
            auth_time: Some(terms.issued_at),
            jkt: terms.thumbprint.as_ref(),
            custom: Some(&session.entitlement.claims),
        }
        .to_json()
    }

    /// `scc1_` + base64url( key id 1 ‖ expiry u64 BE ‖ tag 16 ): stateless, for one session and generation.
    pub(super) fn challenge(&self, sid: SessionId, generation: u32, keys: &PurposeKeys, now: Timestamp) -> String {
        let expiry = now.plus(CHALLENGE_TTL).as_millis().to_be_bytes();
        let tag = keys.challenge.tag(&[sid.as_bytes(), &generation.to_be_bytes(), &expiry]);
        let mut bytes = [keys.id.0; 25];
        for (to, from) in bytes.iter_mut().skip(1).zip(expiry.into_iter().chain(tag)) {
            *to = from;
        }
        let mut text = String::from(CHALLENGE_PREFIX);
        text.push_str(&base64url::encode(&bytes));
        text
    }

    /// Whether `text` is a challenge for this session and generation that can still be answered.
    pub(super) fn is_challenge(&self, text: &str, sid: SessionId, generation: u32, now: Timestamp) -> bool {
        let mut bytes = [0; 25];
        let encoded = text.strip_prefix(CHALLENGE_PREFIX).unwrap_or_default();
        let Ok([key, rest @ ..]) = base64url::decode(encoded.as_bytes(), &mut bytes) else { return false };
        let (Some((expiry, tag)), Some(keys)) =
            (rest.split_first_chunk::<8>(), self.keyring().get(crate::secret::KeyId(*key)))
        else {
            return false;
        };
        let is_ours = keys.challenge.is_tag(&[sid.as_bytes(), &generation.to_be_bytes(), expiry], tag);
        is_ours && now < Timestamp::from_millis(u64::from_be_bytes(*expiry))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name()).field("audience", &self.audience()).finish_non_exhaustive()
    }
}

/// The secret of a generation where the server draws it: the same at every repeat and on every branch.
pub(super) fn derived_secret(keys: &PurposeKeys, salt: &[u8; 16], sid: SessionId, generation: u32) -> Secret {
    Secret::new(*Zeroizing::new(keys.successor.mac(&[salt, sid.as_bytes(), &generation.to_be_bytes()])))
}

/// The nonce that was handed out with this very token.
pub(super) fn nonce(token: &Authentic, keys: &PurposeKeys) -> String {
    nonce_of(&token.stamp(), keys)
}

fn nonce_of(stamp: &Stamp, keys: &PurposeKeys) -> String {
    base64url::encode(&stamp.tag(&keys.nonce))
}
