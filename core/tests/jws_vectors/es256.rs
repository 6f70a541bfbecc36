//! ES256: signatures that prove nothing (class 8), headers of another algorithm (class 3), and P-256 keys
//! that must not come in (class 34).

use safeconduct_core::encoding::base64url::{decode, encode};
use safeconduct_core::jws::SigningKey;
use serde_json::{Value, json};

use crate::forge::{Case, Claims, access_verifier, case, hmac, token};
use crate::keys::{numbered, with, without};

/// The header that the key writes itself.
const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt","kid":"p"}"#;

/// n, the order of the base point, and p, big-endian.
const ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
const PRIME: &str = "_____wAAAAEAAAAAAAAAAAAAAAD_______________8";

fn key() -> SigningKey {
    SigningKey::p256(&[7; 32]).unwrap().with_kid("p").unwrap()
}

fn public() -> Value {
    serde_json::from_str(&key().verifying_key().public_jwk().unwrap()).unwrap()
}

fn bytes(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    decode(text.as_bytes(), &mut bytes).unwrap();
    bytes
}

/// a − b, where a is the larger.
fn minus(a: [u8; 32], b: &[u8]) -> [u8; 32] {
    let (mut difference, mut borrow) = (a, 0);
    for (byte, b) in difference.iter_mut().zip(b).rev() {
        let next = i16::from(*byte) - i16::from(*b) - borrow;
        borrow = i16::from(next < 0);
        *byte = next as u8;
    }
    difference
}

pub(crate) fn verifiers() -> Value {
    json!({ "es256": access_verifier(json!([public()])), "es256-no-alg": access_verifier(json!([without(public(), "alg")])) })
}

pub(crate) fn tokens() -> Vec<Case> {
    let payload = Claims::access().json();
    let whole = token(&key(), HEADER, &payload);
    let (input, text) = whole.rsplit_once('.').unwrap();
    let mut signature = [0; 64];
    decode(text.as_bytes(), &mut signature).unwrap();
    let (r, s) = signature.split_at(32);
    let order = bytes(ORDER);
    let twin = minus(order, s);
    let der = [&[0x30, 0x44, 2, 0x20], r, &[2, 0x20], s].concat();
    let mut tokens = vec![case(8, "the right one", "es256", whole.clone(), "valid")];
    for (name, bytes, expected) in [
        ("n - s, the twin that RFC 7518 allows", [r, &twin].concat(), "valid"),
        ("r = 0", [&[0; 32], s].concat(), "bad_signature"),
        ("s = 0", [r, &[0; 32]].concat(), "bad_signature"),
        ("all zero", vec![0; 64], "bad_signature"),
        ("r = n", [&order, s].concat(), "bad_signature"),
        ("s = n", [r, &order].concat(), "bad_signature"),
        ("r and s = n", order.repeat(2), "bad_signature"),
        ("all ones", vec![0xff; 64], "bad_signature"),
        ("r = s = 1", [[0; 31].as_slice(), &[1], &[0; 31], &[1]].concat(), "bad_signature"),
        ("r and s swapped", [s, r].concat(), "bad_signature"),
        ("one byte short", signature[..63].to_vec(), "bad_signature"),
        ("one byte long", [&signature[..], &[0]].concat(), "bad_signature"),
        ("a zero in front of each half", [&[0], r, &[0], s].concat(), "bad_signature"),
        ("r alone", r.to_vec(), "bad_signature"),
        ("in DER", der, "bad_signature"),
        ("one bit", signature.iter().enumerate().map(|(i, b)| b ^ u8::from(i == 63)).collect(), "bad_signature"),
    ] {
        tokens.push(case(8, name, "es256", format!("{input}.{}", encode(&bytes)), expected));
    }
    let other = SigningKey::p256(&[8; 32]).unwrap();
    tokens.push(case(8, "by another key", "es256", token(&other, HEADER, &payload), "bad_signature"));
    for alg in ["HS256", "EdDSA", "Ed25519", "ES256K", "ES384", "RS256", "es256", "none"] {
        let header = HEADER.replace("ES256", alg);
        for verifier in ["es256", "es256-no-alg"] {
            let forged = token(&key(), &header, &payload);
            tokens.push(case(3, format!("alg {alg} for a P-256 key"), verifier, forged, "wrong_algorithm"));
        }
    }
    tokens.push(case(3, "JWK without alg", "es256-no-alg", whole.clone(), "valid"));
    let forged = token(&hmac(), HEADER.replace("ES256", "HS256"), &payload);
    tokens.push(case(3, "HS256 by another secret", "es256", forged, "wrong_algorithm"));
    tokens
}

pub(crate) fn keys() -> Vec<Value> {
    let (x, y) = (public()["x"].as_str().unwrap().to_string(), public()["y"].as_str().unwrap().to_string());
    let private = with(public(), "d", json!(encode(&[7; 32])));
    let long = |text: &str| json!(encode(&[&[0], &bytes(text)[..]].concat()));
    let short = |text: &str| json!(encode(&bytes(text)[1..]));
    let beyond = with(with(public(), "x", json!(PRIME)), "y", json!(PRIME));
    let mut cases: Vec<(u32, String, &str, String, &str)> = Vec::new();
    for (name, jwk, expected) in [
        ("P-256", public(), "valid"),
        ("no alg", without(public(), "alg"), "valid"),
        ("no y", without(public(), "y"), "key_malformed"),
        ("no x", without(public(), "x"), "key_malformed"),
        ("no crv", without(public(), "crv"), "key_malformed"),
        ("crv P-384", with(public(), "crv", json!("P-384")), "key_unsupported_type"),
        ("crv p-256", with(public(), "crv", json!("p-256")), "key_unsupported_type"),
        ("crv Ed25519", with(public(), "crv", json!("Ed25519")), "key_unsupported_type"),
        ("kty OKP", with(public(), "kty", json!("OKP")), "key_unsupported_type"),
        ("alg EdDSA", with(public(), "alg", json!("EdDSA")), "key_wrong_algorithm"),
        ("alg HS256", with(public(), "alg", json!("HS256")), "key_wrong_algorithm"),
        ("alg ECDH-ES", with(public(), "alg", json!("ECDH-ES")), "key_wrong_algorithm"),
        ("use enc", with(public(), "use", json!("enc")), "key_wrong_use"),
        ("x and y swapped, off the curve", with(with(public(), "x", json!(y)), "y", json!(x)), "key_malformed"),
        ("y of another point", with(public(), "y", json!(x)), "key_malformed"),
        ("zero", with(with(public(), "x", json!(encode(&[0; 32]))), "y", json!(encode(&[0; 32]))), "key_malformed"),
        ("x = y = p", beyond, "key_malformed"),
        ("x with a zero in front", with(public(), "x", long(&x)), "key_malformed"),
        ("y one byte short", with(public(), "y", short(&y)), "key_malformed"),
        ("y padded", with(public(), "y", json!(format!("{y}="))), "key_malformed"),
        ("y null", with(public(), "y", Value::Null), "key_malformed"),
        ("with d", private.clone(), "key_private_members"),
    ] {
        cases.push((34, format!("P-256, public: {name}"), "public_jwk", jwk.to_string(), expected));
    }
    let d = |value: Value| with(private.clone(), "d", value);
    for (name, jwk, expected) in [
        ("the right one", private.clone(), "valid"),
        ("no d", public(), "key_no_private_key"),
        ("no y", without(private.clone(), "y"), "key_malformed"),
        ("d = 0", d(json!(encode(&[0; 32]))), "key_malformed"),
        ("d = n", d(json!(ORDER)), "key_malformed"),
        ("d of another key", d(json!(encode(&[8; 32]))), "key_mismatched_halves"),
        (
            "d = n - d, the point with the other y",
            d(json!(encode(&minus(bytes(ORDER), &[7; 32])))),
            "key_mismatched_halves",
        ),
        ("d with a zero in front", d(json!(encode(&[&[0][..], &[7; 32]].concat()))), "key_malformed"),
        ("d one byte short", d(json!(encode(&[7; 31]))), "key_malformed"),
        ("y of another point", with(private.clone(), "y", json!(x)), "key_mismatched_halves"),
        ("key_ops verify", with(private.clone(), "key_ops", json!(["verify"])), "key_wrong_use"),
    ] {
        cases.push((34, format!("P-256, private: {name}"), "private_jwk", jwk.to_string(), expected));
    }
    pems(&mut cases, &bytes(&x), &bytes(&y));
    numbered(cases)
}

fn pems(cases: &mut Vec<(u32, String, &str, String, &str)>, x: &[u8], y: &[u8]) {
    const ALGORITHM: &[u8] =
        &[0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let pem = |label: &str, der: Vec<u8>| {
        let text = encode(&der).replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - text.len() % 4) % 4);
        format!("-----BEGIN {label}-----\n{text}{padding}\n-----END {label}-----\n")
    };
    let spki = |point: &[u8]| {
        let bits = [&[3, point.len() as u8 + 1, 0], point].concat();
        [&[0x30, (ALGORITHM.len() + bits.len()) as u8], ALGORITHM, &bits].concat()
    };
    let pair = |scalar: &[u8], public: &[u8]| {
        [
            &[0x30, 0x81, 0x87, 2, 1, 0],
            ALGORITHM,
            &[4, 0x6d, 0x30, 0x6b, 2, 1, 1, 4, 0x20],
            scalar,
            &[0xa1, 0x44, 3, 0x42, 0, 4],
            public,
        ]
        .concat()
    };
    let both = [x, y].concat();
    let alone = [&[0x30, 0x41, 2, 1, 0], ALGORITHM, &[4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20], &[7; 32]].concat();
    let sec1 = [&[0x30, 0x25, 2, 1, 1, 4, 0x20], &[7; 32][..]].concat();
    let long = |der: Vec<u8>| [der, vec![0]].concat();
    for (name, import, text, expected) in [
        ("public", "public_pem", pem("PUBLIC KEY", spki(&[&[4], &both[..]].concat())), "valid"),
        ("compressed", "public_pem", pem("PUBLIC KEY", spki(&[&[2], x].concat())), "key_unsupported_type"),
        ("a byte behind", "public_pem", pem("PUBLIC KEY", long(spki(&[&[4], &both[..]].concat()))), "key_malformed"),
        ("off the curve", "public_pem", pem("PUBLIC KEY", spki(&[&[4], y, x].concat())), "key_malformed"),
        ("private and public", "private_pem", pem("PRIVATE KEY", pair(&[7; 32], &both)), "valid"),
        ("halves of two keys", "private_pem", pem("PRIVATE KEY", pair(&[8; 32], &both)), "key_mismatched_halves"),
        ("private, zero", "private_pem", pem("PRIVATE KEY", pair(&[0; 32], &both)), "key_malformed"),
        ("private, cut", "private_pem", pem("PRIVATE KEY", pair(&[7; 32], &both[..63])), "key_malformed"),
        ("private alone", "private_pem", pem("PRIVATE KEY", alone.clone()), "valid"),
        ("private alone, a byte behind", "private_pem", pem("PRIVATE KEY", long(alone.clone())), "key_malformed"),
        ("SEC 1", "private_pem", pem("EC PRIVATE KEY", sec1), "key_unsupported_type"),
        ("private as public", "public_pem", pem("PRIVATE KEY", alone), "key_private_members"),
    ] {
        cases.push((34, format!("P-256, PEM: {name}"), import, text, expected));
    }
}
