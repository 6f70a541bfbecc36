//! oxitoken on aws-lc-rs.
//!
//! Its own glue to aws-lc-rs compiles with no version of it that jsonwebtoken takes. What stands here does through its
//! public traits what that glue does: one call of the primitive each.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey,
};
use oxitoken::Algorithm;
use oxitoken::claims::{Aud, Exp, Iss};
use oxitoken::encoding::{JwtEncodingError, Signer, encode};
use oxitoken::error::JwtError;
use oxitoken::header::Alg;
use oxitoken::validation::{StaticKeyProvider, ValidationPipeline, VerificationKey};
use safeconduct::core::jws;
use safeconduct_benches::{AUDIENCE, ISSUER};
use serde::{Deserialize, Serialize};

use crate::Peer;
use crate::claims::Owned;
use crate::keys::Keys;

#[derive(Serialize, Deserialize)]
struct Header {
    alg: Algorithm,
    typ: String,
    kid: String,
}

impl Alg for Header {
    fn alg(&self) -> Algorithm {
        self.alg
    }
}

impl Iss for Owned {
    fn iss(&self) -> &str {
        &self.iss
    }
}

impl Aud for Owned {
    fn aud(&self) -> impl Iterator<Item = impl AsRef<str>> {
        std::iter::once(&self.aud)
    }
}

impl Exp for Owned {
    fn exp(&self) -> i64 {
        self.exp as i64
    }
}

/// A private key.
enum Signing {
    Hmac(Box<hmac::Key>),
    Edwards(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Signer for Signing {
    type Error = Unspecified;

    fn check_alg(&self, algorithm: Algorithm) -> Result<(), JwtEncodingError<Unspecified>> {
        let good = match self {
            Self::Hmac(_) => algorithm == Algorithm::HS256,
            Self::Edwards(_) => algorithm == Algorithm::EdDSA,
            Self::P256(_) => algorithm == Algorithm::ES256,
        };
        if good { Ok(()) } else { Err(JwtEncodingError::WrongAlgorithm) }
    }

    fn sign_jwt(&self, _: Algorithm, jwt: &mut String) -> Result<(), JwtEncodingError<Unspecified>> {
        match self {
            Self::Hmac(key) => self.append_sig(hmac::sign(key, jwt.as_bytes()), jwt),
            Self::Edwards(key) => self.append_sig(key.sign(jwt.as_bytes()), jwt),
            Self::P256(key) => self.append_sig(key.sign(&SystemRandom::new(), jwt.as_bytes())?, jwt),
        }
        Ok(())
    }

    fn siglen(&self) -> usize {
        if matches!(self, Self::Hmac(_)) { 32 } else { 64 }
    }
}

/// A public key, or a shared one.
enum Trusted {
    Hmac(Box<hmac::Key>),
    Public(Algorithm, ParsedPublicKey),
}

impl VerificationKey for Trusted {
    fn alg(&self) -> Option<Algorithm> {
        match self {
            Self::Hmac(_) => Some(Algorithm::HS256),
            Self::Public(algorithm, _) => Some(*algorithm),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JwtError> {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature),
            Self::Public(_, key) => key.verify_sig(message, signature),
        }
        .map_err(|_| JwtError::InvalidSignature)
    }
}

pub(crate) fn peer(keys: &Keys) -> Peer {
    let (alg, key, trusted) = match keys.algorithm {
        jws::Algorithm::EdDsa => {
            let key = Ed25519KeyPair::from_pkcs8(&keys.pkcs8).expect("a key");
            let trusted = ParsedPublicKey::new(&ED25519, &keys.public).expect("a key");
            (Algorithm::EdDSA, Signing::Edwards(key), Trusted::Public(Algorithm::EdDSA, trusted))
        }
        jws::Algorithm::Es256 => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &keys.pkcs8).expect("a key");
            let trusted = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &keys.public).expect("a key");
            (Algorithm::ES256, Signing::P256(key), Trusted::Public(Algorithm::ES256, trusted))
        }
        _ => {
            let key = || Box::new(hmac::Key::new(hmac::HMAC_SHA256, &keys.secret));
            (Algorithm::HS256, Signing::Hmac(key()), Trusted::Hmac(key()))
        }
    };
    let header = Header { alg, typ: "at+jwt".into(), kid: keys.kid.clone() };
    let pipeline = ValidationPipeline::<Header, Owned, _>::builder(StaticKeyProvider::from(trusted))
        .with_issuer_validator(ISSUER)
        .with_audience_validator(AUDIENCE)
        .with_expiration_validator()
        .build();
    Peer {
        name: "oxitoken, aws-lc-rs",
        sign: Box::new(move |claims| encode(&key, &header, claims).expect("a token")),
        verify: Box::new(move |token| Some(pipeline.verify(token.as_bytes()).ok()?.1.exp)),
    }
}
