//! Who accepts a token: keys, issuer, audience, clock rules ([RFC 9068 section 4], [RFC 8725]).
//!
//! A [`Verifier`] has a [`Profile`]. `AccessToken` is for tokens of this library's issuers and of any
//! other RFC 9068 server that writes `sid`; `Jwt` is for everything else that is signed. Neither accepts
//! a token without `exp`, and no setting turns a check off.
//!
//! [RFC 9068 section 4]: https://www.rfc-editor.org/rfc/rfc9068#section-4
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use super::{AccessClaims, InvalidToken};
use crate::jws::{self, KeySet, SCRATCH_LEN, Typ};
use crate::time::{Seconds, Timestamp};

/// The most leeway that any verifier may give to clocks. Revocation entries are kept for it, so it is
/// the same everywhere.
pub const MAX_LEEWAY: Seconds = Seconds::new(60);

/// The leeway of a configuration that names none.
pub const DEFAULT_LEEWAY: Seconds = Seconds::new(5);

/// The longest lifetime that an `AccessToken` configuration accepts where it names none.
pub const DEFAULT_MAX_TTL: Seconds = Seconds::new(3600);

/// Which rules a token has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068): `typ` is `at+jwt`; `iss`, `aud`, `sub`,
    /// `client_id`, `exp`, `iat`, `jti` and `sid` are required; dates are integers.
    AccessToken,
    /// [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519): `typ` is `JWT` or absent; `exp` is required; a
    /// fraction of a date is rounded down.
    Jwt,
}

/// What a [`Verifier`] is made of, besides keys.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Which rules apply.
    pub profile: Profile,
    /// The only `iss` that is accepted; where `None` (`Jwt` only), any or none is.
    pub issuer: Option<String>,
    /// The audience that `aud` must name; where `None` (`Jwt` only), a token with `aud` is refused.
    pub audience: Option<String>,
    /// How far clocks may be apart; at most [`MAX_LEEWAY`].
    pub leeway: Seconds,
    /// How far away `exp` may be; where `None` (`Jwt` only), any distance.
    pub max_ttl: Option<Seconds>,
}

impl VerifierConfig {
    /// For access tokens of `issuer` to `audience`, with the default leeway and lifetime.
    pub fn access_token(issuer: &str, audience: &str) -> Self {
        Self {
            profile: Profile::AccessToken,
            issuer: Some(issuer.into()),
            audience: Some(audience.into()),
            leeway: DEFAULT_LEEWAY,
            max_ttl: Some(DEFAULT_MAX_TTL),
        }
    }

    /// For JWTs of any issuer and no audience, with the default leeway; set the fields to narrow it.
    pub fn jwt() -> Self {
        Self { profile: Profile::Jwt, issuer: None, audience: None, leeway: DEFAULT_LEEWAY, max_ttl: None }
    }
}

/// Why a verifier cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The key set has no key that verifies.
    NoKeys,
    /// The key set of an issuer has no key that signs.
    NoSigningKey,
    /// The profile needs an issuer, or the issuer is empty.
    IssuerMissing,
    /// The profile needs an audience, or the audience is empty.
    AudienceMissing,
    /// The leeway is over [`MAX_LEEWAY`].
    LeewayTooLong,
    /// The profile needs a `max_ttl`, or it is zero.
    MaxTtlMissing,
}

impl ConfigError {
    /// The stable name of this reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoKeys => "config_no_keys",
            Self::NoSigningKey => "config_no_signing_key",
            Self::IssuerMissing => "config_issuer_missing",
            Self::AudienceMissing => "config_audience_missing",
            Self::LeewayTooLong => "config_leeway_too_long",
            Self::MaxTtlMissing => "config_max_ttl_missing",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKeys => "a verifier needs at least one key",
            Self::NoSigningKey => "an issuer needs a key that signs: a private or a symmetric one",
            Self::IssuerMissing => "this profile needs an issuer that is not empty",
            Self::AudienceMissing => "this profile needs an audience that is not empty",
            Self::LeewayTooLong => "the leeway is over 60 seconds",
            Self::MaxTtlMissing => "this profile needs a max_ttl above zero",
        })
    }
}

impl core::error::Error for ConfigError {}

/// Where the payload of one token is decoded. Twelve kibibytes: reuse it, and keep it off small stacks.
#[derive(Clone)]
pub struct Scratch {
    pub(super) bytes: [u8; SCRATCH_LEN],
    /// The keys of [`Verifier::verify_by`], which may be replaced elsewhere while the claims are read.
    pub(super) keys: Option<Arc<KeySet>>,
}

impl Scratch {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self { bytes: [0; SCRATCH_LEN], keys: None }
    }

    /// An empty buffer on the heap.
    pub fn boxed() -> Box<Self> {
        Box::new(Self::new())
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

/// Accepts the tokens of one issuer for one audience, or refuses them with a reason.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Arc<KeySet>,
    config: Arc<VerifierConfig>,
}

impl Verifier {
    /// A verifier that trusts `keys`.
    ///
    /// # Errors
    /// A [`ConfigError`]: fix the configuration.
    pub fn new(keys: impl Into<Arc<KeySet>>, config: VerifierConfig) -> Result<Self, ConfigError> {
        let keys = keys.into();
        if keys.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        Ok(Self::without_keys(config)?.with_keys(keys))
    }

    /// A verifier that refuses every token until it is [given keys](Self::with_keys): where those are still to come.
    ///
    /// # Errors
    /// A [`ConfigError`]: fix the configuration.
    pub fn without_keys(config: VerifierConfig) -> Result<Self, ConfigError> {
        let required = config.profile == Profile::AccessToken;
        if config.issuer.as_ref().map_or(required, String::is_empty) {
            return Err(ConfigError::IssuerMissing);
        }
        if config.audience.as_ref().map_or(required, String::is_empty) {
            return Err(ConfigError::AudienceMissing);
        }
        if config.leeway > MAX_LEEWAY {
            return Err(ConfigError::LeewayTooLong);
        }
        if config.max_ttl.map_or(required, |max_ttl| max_ttl == Seconds::ZERO) {
            return Err(ConfigError::MaxTtlMissing);
        }
        Ok(Self { keys: Arc::new(KeySet::empty()), config: Arc::new(config) })
    }

    /// This verifier with another set of keys: two reference counts, so it may be made for each token. Where the
    /// set has no key that verifies, every token is refused.
    #[must_use]
    pub fn with_keys(&self, keys: Arc<KeySet>) -> Self {
        Self { keys, config: Arc::clone(&self.config) }
    }

    /// The keys that are trusted.
    pub fn keys(&self) -> &Arc<KeySet> {
        &self.keys
    }

    /// The rules.
    pub fn config(&self) -> &VerifierConfig {
        &self.config
    }

    /// Verifies `token` at the time `now`. Allocates nothing; the claims live in `scratch`.
    ///
    /// # Errors
    /// An [`InvalidToken`]: answer 401 with `invalid_token`. [`InvalidToken::Expired`] and
    /// [`InvalidToken::StaleClaims`] tell a client to refresh.
    ///
    /// # Security
    /// Nothing of the payload is read before the signature was found right. Revocation is not asked
    /// here: a token is accepted until it expires unless a revocation view says otherwise.
    pub fn verify<'s>(
        &'s self,
        token: &str,
        now: Timestamp,
        scratch: &'s mut Scratch,
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        self.verify_in(&self.keys, token, now, &mut scratch.bytes)
    }

    /// As [`Verifier::verify`], by other keys than its own: those that are current where a set lives and changes.
    /// `scratch` holds on to them.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify_by<'s>(
        &'s self,
        keys: Arc<KeySet>,
        token: &str,
        now: Timestamp,
        scratch: &'s mut Scratch,
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        let Scratch { bytes, keys: held } = scratch;
        self.verify_in(held.insert(keys), token, now, bytes)
    }

    pub(super) fn verify_in<'s>(
        &self,
        keys: &'s KeySet,
        token: &str,
        now: Timestamp,
        bytes: &'s mut [u8],
    ) -> Result<AccessClaims<'s>, InvalidToken> {
        let typ = match self.config.profile {
            Profile::AccessToken => Typ::AccessToken,
            Profile::Jwt => Typ::Jwt,
        };
        let verified = jws::verify(token, keys, typ, now, bytes)?;
        let claims = AccessClaims::parse(verified, self.config.profile)?;
        if self.config.profile == Profile::AccessToken {
            claims.is_access_token()?;
        }
        self.accept(&claims, now)?;
        Ok(claims)
    }

    /// Judges claims of the right form: for whom, from whom, and when. What a cache of verified tokens
    /// has to ask again on every hit.
    ///
    /// # Errors
    /// An [`InvalidToken`], as [`Verifier::verify`].
    pub fn accept(&self, claims: &AccessClaims<'_>, now: Timestamp) -> Result<(), InvalidToken> {
        let config = &self.config;
        if let Some(issuer) = &config.issuer
            && !claims.is_from(issuer).ok_or(InvalidToken::MissingClaim)?
        {
            return Err(InvalidToken::WrongIssuer);
        }
        match &config.audience {
            Some(audience) if !claims.is_for(audience).ok_or(InvalidToken::MissingClaim)? => {
                return Err(InvalidToken::WrongAudience);
            }
            None if claims.aud().is_some() => return Err(InvalidToken::WrongAudience),
            _ => {}
        }
        let latest = now.plus(config.leeway);
        if now >= claims.exp().plus(config.leeway) {
            return Err(InvalidToken::Expired);
        }
        if claims.nbf().is_some_and(|nbf| nbf > latest) {
            return Err(InvalidToken::NotYetValid);
        }
        if claims.iat().is_some_and(|iat| iat > latest) {
            return Err(InvalidToken::IssuedInFuture);
        }
        if config.max_ttl.is_some_and(|max_ttl| claims.exp() > now.plus(max_ttl)) {
            return Err(InvalidToken::LifetimeTooLong);
        }
        Ok(())
    }
}
