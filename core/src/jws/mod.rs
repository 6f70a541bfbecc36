//! Signed tokens in compact form ([RFC 7515]), their keys ([RFC 7517], [RFC 8037]) and algorithms
//! ([RFC 7518], [RFC 9864]).
//!
//! The key fixes the algorithm; a header's `alg` is only compared with it. Keys are judged when they
//! come in, so that verifying cannot meet a weak one.
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518]: https://www.rfc-editor.org/rfc/rfc7518
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
//! [RFC 9864]: https://www.rfc-editor.org/rfc/rfc9864

mod algorithm;
mod compact;
mod header;
mod identity;
mod jwk;
mod jwk_times;
mod jwks;
mod key;
mod key_error;
mod key_set;
mod key_text;
mod mac;
mod p256_key;
mod pem;
pub mod remote;
pub mod rotation;
mod schedule;
mod typ;

pub use algorithm::Algorithm;
#[cfg(test)]
pub(crate) use compact::FAULTY;
pub use compact::{JwsError, MAX_TOKEN_LEN, SCRATCH_LEN, Untrusted, Verified, sign, sign_checked, verify};
pub use identity::MAX_KID_LEN;
pub use key::{MAX_SECRET_LEN, SigningKey, VerifyingKey};
pub use key_error::KeyError;
pub use key_set::{KeySet, MAX_KEYS, MAX_WITHDRAWN, SkippedKey};
pub use schedule::{KeyStatus, KeyTag, Phase, Schedule, Tombstone, WithdrawalReason};
pub use typ::Typ;
