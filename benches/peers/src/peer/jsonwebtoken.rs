//! jsonwebtoken, with both its back ends.
//!
//! The library has one provider of primitives for the whole process. The one that is installed here asks a switch
//! which of its two own providers to call, so that both run in one process.

use std::sync::atomic::{AtomicBool, Ordering};

use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use safeconduct::core::jws;
use safeconduct_benches::{AUDIENCE, ISSUER};

use crate::claims::Owned;
use crate::keys::Keys;
use crate::{LEEWAY, Peer};

static IS_AWS_LC: AtomicBool = AtomicBool::new(false);

fn provider() -> &'static CryptoProvider {
    if IS_AWS_LC.load(Ordering::Relaxed) { &aws_lc::DEFAULT_PROVIDER } else { &rust_crypto::DEFAULT_PROVIDER }
}

static SWITCHED: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (provider().signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (provider().verifier_factory)(algorithm, key),
    key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
};

pub(crate) fn aws_lc(keys: &Keys) -> Peer {
    peer("jsonwebtoken, aws_lc_rs", true, keys)
}

pub(crate) fn rust_crypto(keys: &Keys) -> Peer {
    peer("jsonwebtoken, rust_crypto", false, keys)
}

/// The claims under its default header, which has neither `kid` nor `at+jwt`, with HS256.
pub(crate) fn by_default(claims: &serde_json::Value) -> String {
    let _ = SWITCHED.install_default();
    encode(&Header::default(), claims, &EncodingKey::from_secret(&[7; 32])).expect("a token")
}

fn peer(name: &'static str, is_aws_lc: bool, keys: &Keys) -> Peer {
    // It is there already for the second of the two.
    let _ = SWITCHED.install_default();
    let (algorithm, signing, trusted) = match keys.algorithm {
        jws::Algorithm::EdDsa => {
            (Algorithm::EdDSA, EncodingKey::from_ed_der(&keys.pkcs8), DecodingKey::from_ed_der(&keys.public))
        }
        jws::Algorithm::Es256 => {
            (Algorithm::ES256, EncodingKey::from_ec_der(&keys.pkcs8), DecodingKey::from_ec_der(&keys.public))
        }
        _ => (Algorithm::HS256, EncodingKey::from_secret(&keys.secret), DecodingKey::from_secret(&keys.secret)),
    };
    let mut header = Header::new(algorithm);
    header.typ = Some("at+jwt".into());
    header.kid = Some(keys.kid.clone());
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    Peer {
        name,
        sign: Box::new(move |claims| {
            IS_AWS_LC.store(is_aws_lc, Ordering::Relaxed);
            encode(&header, claims, &signing).expect("a token")
        }),
        verify: Box::new(move |token| {
            IS_AWS_LC.store(is_aws_lc, Ordering::Relaxed);
            Some(decode::<Owned>(token, &trusted, &validation).ok()?.claims.exp)
        }),
    }
}
