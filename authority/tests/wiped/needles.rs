//! What keys become inside, computed once more: that is what has to be gone, not only the bytes that were given.

use hkdf::Hkdf;
use safeconduct::core::encoding::base64url;
use safeconduct::core::jws::Algorithm;
use sha2::block_api::{compress256, compress512};
use sha2::{Digest, Sha256, Sha512};

use crate::watch::{Needle, image};

pub(crate) const ISSUER: &str = "https://auth.example";

const PURPOSES: [&str; 9] = [
    "refresh tag",
    "refresh seal",
    "opaque tag",
    "opaque seal",
    "successor",
    "nonce",
    "challenge",
    "record",
    "directory",
];

/// As it is and as text.
pub(crate) fn plain(name: &str, bytes: &[u8]) -> Vec<Needle> {
    let text = base64url::encode(bytes);
    vec![Needle::new(name, bytes), Needle::new(format!("{name}, as text"), text.as_bytes())]
}

/// A key of HMAC-SHA256, and the two states that its pads leave.
pub(crate) fn hmac256(name: &str, key: &[u8]) -> Vec<Needle> {
    const START: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let states = [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        let mut state = START;
        compress256(&mut state, &[block]);
        Needle::new(format!("{name}, state {pad:x}"), &image(&state))
    });
    plain(name, key).into_iter().chain(states).collect()
}

/// The same of HMAC-SHA512 or, where `truncated`, HMAC-SHA384.
fn hmac512(name: &str, key: &[u8], truncated: bool) -> Vec<Needle> {
    const START: [u64; 8] = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    const START_384: [u64; 8] = [
        0xcbbb_9d5d_c105_9ed8,
        0x629a_292a_367c_d507,
        0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939,
        0x6733_2667_ffc0_0b31,
        0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7,
        0x47b5_481d_befa_4fa4,
    ];
    let states = [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 128];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        let mut state = if truncated { START_384 } else { START };
        compress512(&mut state, &[block]);
        Needle::new(format!("{name}, state {pad:x}"), &image(&state))
    });
    plain(name, key).into_iter().chain(states).collect()
}

/// A master key, and every key that is derived from it for [`ISSUER`], with the states of HMAC under each.
pub(crate) fn master(key: &[u8; 32]) -> Vec<Needle> {
    let mut salt = [0; 32];
    salt[..13].copy_from_slice(b"safeconduct 1");
    let (extracted, expand) = Hkdf::<Sha256>::extract(Some(&salt), key);
    let mut needles = plain("master key", key);
    needles.extend(hmac256("extracted key", &extracted));
    for purpose in PURPOSES {
        let mut derived = [0; 32];
        expand.expand(&[purpose.as_bytes(), &[0], ISSUER.as_bytes()].concat(), &mut derived).unwrap();
        needles.extend(hmac256(purpose, &derived));
    }
    needles
}

/// The same without the states.
pub(crate) fn derived(key: &[u8; 32]) -> Vec<Needle> {
    master(key).into_iter().filter(|needle| !needle.name.contains(", state ")).collect()
}

/// A signing key of any algorithm, made of the front of `secret`.
pub(crate) fn signing(secret: &[u8], algorithm: Algorithm) -> Vec<Needle> {
    match algorithm {
        Algorithm::Hs256 => hmac256("HS256", secret),
        Algorithm::Hs384 => hmac512("HS384", secret, true),
        Algorithm::Hs512 => hmac512("HS512", secret, false),
        Algorithm::Es256 => {
            let key = p256::ecdsa::SigningKey::from_slice(secret).unwrap();
            let scalar = image(key.as_nonzero_scalar().as_ref());
            plain("scalar", secret)
                .into_iter()
                .chain([Needle::new("scalar, as it is computed with", &scalar)])
                .collect()
        }
        Algorithm::EdDsa | Algorithm::Ed25519 => {
            let expanded = Sha512::digest(secret);
            let mut scalar: [u8; 32] = expanded[..32].try_into().unwrap();
            (scalar[0], scalar[31]) = (scalar[0] & 0xf8, scalar[31] & 0x7f | 0x40);
            let inner = [Needle::new("scalar", &scalar), Needle::new("prefix", &expanded[32..])];
            plain("seed", secret).into_iter().chain(inner).collect()
        }
    }
}
