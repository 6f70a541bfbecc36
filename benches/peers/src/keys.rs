//! One key of each algorithm, in the forms that libraries read.

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use safeconduct::core::jws::{Algorithm, SigningKey};

/// The key of an algorithm.
pub struct Keys {
    /// HS256, EdDSA or ES256.
    pub algorithm: Algorithm,
    /// What every token names it by.
    pub kid: String,
    /// The HMAC secret, the Ed25519 seed or the P-256 scalar.
    pub secret: [u8; 32],
    /// The Ed25519 public key, or the uncompressed P-256 point; nothing for HMAC.
    pub public: Vec<u8>,
    /// The private key as PKCS #8 (RFC 5958); nothing for HMAC.
    pub pkcs8: Vec<u8>,
}

impl Keys {
    /// Always the same ones.
    pub fn new(algorithm: Algorithm) -> Self {
        let secret = [7; 32];
        let (public, pkcs8) = match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(&secret);
                (key.verifying_key().to_bytes().to_vec(), key.to_pkcs8_der().expect("a key").as_bytes().to_vec())
            }
            Algorithm::Es256 => {
                let key = p256::SecretKey::from_slice(&secret).expect("a scalar in range");
                let point = key.public_key().to_sec1_bytes().to_vec();
                (point, key.to_pkcs8_der().expect("a key").as_bytes().to_vec())
            }
            _ => (vec![], vec![]),
        };
        let mut keys = Self { algorithm, kid: String::new(), secret, public, pkcs8 };
        keys.kid = keys.signing().kid().to_owned();
        keys
    }

    /// The key as this library has it.
    pub fn signing(&self) -> SigningKey {
        match self.algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => SigningKey::ed25519(&self.secret, self.algorithm),
            Algorithm::Es256 => SigningKey::p256(&self.secret),
            _ => SigningKey::hmac(&self.secret, self.algorithm),
        }
        .expect("a good key")
    }
}
