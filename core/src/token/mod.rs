//! The tokens: what they say, what they look like, and when they are believed ([RFC 7519], [RFC 9068],
//! [RFC 8725]).
//!
//! [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519
//! [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

#[cfg(feature = "std")]
mod cache;
mod claims;
mod custom;
mod flat;
mod index;
mod invalid;
mod issuance;
pub mod receipt;
pub mod refresh;
mod verifier;

#[cfg(feature = "std")]
pub use cache::{MAX_CACHED_LEN, MAX_CAPACITY, TokenCache};
pub use claims::{AccessClaims, Audience};
pub use custom::{ClaimsError, CustomClaims, looks_like_personal_data};
pub use invalid::InvalidToken;
pub use issuance::NewAccessToken;
pub use verifier::{
    ConfigError, DEFAULT_LEEWAY, DEFAULT_MAX_TTL, MAX_LEEWAY, Profile, Scratch, Verifier, VerifierConfig,
};
