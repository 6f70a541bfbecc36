//! Classes 2, 6 and 34: keys that must not come in.

use safeconduct_core::encoding::base64url::encode;
use serde_json::{Value, json};

use crate::signatures::public_texts;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

fn okp() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": X})
}

fn private() -> Value {
    with(okp(), "d", json!(D))
}

fn oct(len: usize, alg: &str) -> Value {
    json!({"kty": "oct", "kid": "s", "alg": alg, "k": encode(&vec![5; len])})
}

pub(crate) fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

pub(crate) fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn point(bytes: [u8; 32]) -> Value {
    with(okp(), "x", json!(encode(&bytes)))
}

pub(crate) fn cases() -> Vec<Value> {
    let mut cases: Vec<(u32, String, &str, String, &str)> = Vec::new();
    let mut add = |class, name: &str, import, input: String, expected| {
        cases.push((class, name.into(), import, input, expected));
    };
    for (name, text) in public_texts() {
        let expected = if name == "raw bytes" { "valid" } else { "key_secret_is_public_key" };
        add(2, &format!("{name} as HMAC secret"), "HS256", encode(&text), expected);
    }
    add(
        2,
        "a private PEM as HMAC secret",
        "HS256",
        encode(b"-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END"),
        "key_secret_is_public_key",
    );
    for (alg, len) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        add(6, "just long enough", alg, encode(&vec![5; len]), "valid");
        add(6, "one byte short", alg, encode(&vec![5; len - 1]), "key_secret_too_short");
        add(6, "empty", alg, String::new(), "key_secret_too_short");
        add(6, "blank", alg, encode(&vec![b' '; len]), "key_secret_too_short");
        add(6, "as long as allowed", alg, encode(&vec![5; 1024]), "valid");
        add(6, "too long", alg, encode(&vec![5; 1025]), "key_secret_too_long");
        add(6, "oct JWK, one byte short", "private_jwk", oct(len - 1, alg).to_string(), "key_secret_too_short");
        add(6, "oct JWK", "private_jwk", oct(len, alg).to_string(), "valid");
    }
    add(6, "secret", "HS256", encode(b"secret"), "key_secret_too_short");
    add(6, "an oct JWK without alg is HS256", "private_jwk", without(oct(32, "HS256"), "alg").to_string(), "valid");

    let mut y_is_p_plus_1 = [0xff; 32];
    (y_is_p_plus_1[0], y_is_p_plus_1[31]) = (0xee, 0x7f);
    let mut y_is_p_plus_3 = y_is_p_plus_1;
    y_is_p_plus_3[0] = 0xf0;
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut minus_zero = identity;
    minus_zero[31] = 0x80;
    let mut not_on_curve = [0; 32];
    not_on_curve[0] = 2;
    let public: Vec<(&str, Value, &str)> = vec![
        ("plain", okp(), "valid"),
        (
            "with use, key_ops and alg",
            with(with(with(okp(), "use", json!("sig")), "key_ops", json!(["verify"])), "alg", json!("EdDSA")),
            "valid",
        ),
        ("alg Ed25519", with(okp(), "alg", json!("Ed25519")), "valid"),
        ("unknown members", with(okp(), "x-note", json!({"a": [1]})), "valid"),
        ("alg HS256", with(okp(), "alg", json!("HS256")), "key_wrong_algorithm"),
        ("alg none", with(okp(), "alg", json!("none")), "key_wrong_algorithm"),
        ("alg a number", with(okp(), "alg", json!(1)), "key_wrong_algorithm"),
        ("use enc", with(okp(), "use", json!("enc")), "key_wrong_use"),
        ("use a list", with(okp(), "use", json!(["sig"])), "key_malformed"),
        ("key_ops sign", with(okp(), "key_ops", json!(["sign"])), "key_wrong_use"),
        ("key_ops empty", with(okp(), "key_ops", json!([])), "key_wrong_use"),
        ("key_ops twice", with(okp(), "key_ops", json!(["verify", "verify"])), "key_malformed"),
        ("key_ops encrypt", with(okp(), "key_ops", json!(["encrypt"])), "key_wrong_use"),
        ("key_ops a string", with(okp(), "key_ops", json!("verify")), "key_malformed"),
        ("kid a number", with(okp(), "kid", json!(1)), "key_bad_kid"),
        ("kid empty", with(okp(), "kid", json!("")), "key_bad_kid"),
        ("kid too long", with(okp(), "kid", json!("k".repeat(257))), "key_bad_kid"),
        ("kid null", with(okp(), "kid", Value::Null), "key_bad_kid"),
        ("no kid", without(okp(), "kid"), "valid"),
        ("no kty", without(okp(), "kty"), "key_malformed"),
        ("no crv", without(okp(), "crv"), "key_malformed"),
        ("no x", without(okp(), "x"), "key_malformed"),
        ("kty EC", with(okp(), "kty", json!("EC")), "key_unsupported_type"),
        ("kty okp", with(okp(), "kty", json!("okp")), "key_unsupported_type"),
        ("kty null", with(okp(), "kty", Value::Null), "key_malformed"),
        ("crv X25519", with(okp(), "crv", json!("X25519")), "key_unsupported_type"),
        ("crv Ed448", with(okp(), "crv", json!("Ed448")), "key_unsupported_type"),
        ("x of 31 bytes", with(okp(), "x", json!(encode(&[1; 31]))), "key_malformed"),
        ("x of 33 bytes", with(okp(), "x", json!(encode(&[1; 33]))), "key_malformed"),
        ("x empty", with(okp(), "x", json!("")), "key_malformed"),
        ("x with padding", with(okp(), "x", json!(format!("{X}="))), "key_malformed"),
        ("x with unused bits", with(okp(), "x", json!(X.replace("URo", "URp"))), "key_malformed"),
        ("x a number", with(okp(), "x", json!(1)), "key_malformed"),
        ("x not on the curve", point(not_on_curve), "key_malformed"),
        ("x the identity", point(identity), "key_weak"),
        ("x the identity with a sign", point(minus_zero), "key_weak"),
        ("x zero, of order 4", point([0; 32]), "key_weak"),
        ("x of small order, not canonical", point(y_is_p_plus_1), "key_weak"),
        ("x not canonical", point(y_is_p_plus_3), "key_weak"),
        ("private half", private(), "key_private_members"),
        ("a private member of RSA", with(okp(), "p", json!("AQAB")), "key_private_members"),
        ("d null", with(okp(), "d", Value::Null), "key_private_members"),
        ("oct", oct(32, "HS256"), "key_symmetric"),
    ];
    for (name, jwk, expected) in public {
        add(34, name, "public_jwk", jwk.to_string(), expected);
    }
    let secret: Vec<(&str, Value, &str)> = vec![
        ("plain", private(), "valid"),
        ("d of another key", with(private(), "d", json!(encode(&[1; 32]))), "key_mismatched_halves"),
        ("d of 31 bytes", with(private(), "d", json!(encode(&[1; 31]))), "key_malformed"),
        ("d empty", with(private(), "d", json!("")), "key_malformed"),
        ("d a number", with(private(), "d", json!(1)), "key_malformed"),
        ("no x", without(private(), "x"), "key_malformed"),
        ("no d", okp(), "key_no_private_key"),
        ("key_ops verify", with(private(), "key_ops", json!(["verify"])), "key_wrong_use"),
        ("key_ops sign", with(private(), "key_ops", json!(["sign"])), "valid"),
        ("use enc", with(private(), "use", json!("enc")), "key_wrong_use"),
        ("oct with alg EdDSA", with(oct(32, "HS256"), "alg", json!("EdDSA")), "key_wrong_algorithm"),
        ("oct with alg A256GCM", with(oct(32, "HS256"), "alg", json!("A256GCM")), "key_wrong_algorithm"),
        ("oct without k", without(oct(32, "HS256"), "k"), "key_malformed"),
        ("oct with padding", with(oct(32, "HS256"), "k", json!(format!("{}=", encode(&[5; 32])))), "key_malformed"),
    ];
    for (name, jwk, expected) in secret {
        add(34, name, "private_jwk", jwk.to_string(), expected);
    }
    let rsa = json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"});
    let sets: Vec<(&str, String, &str)> = vec![
        ("one public key", set(&[okp()]), "valid"),
        ("one private key", set(&[private()]), "valid"),
        ("a key of another type is skipped", set(&[rsa.clone(), okp()]), "valid"),
        ("a bad public key is skipped", set(&[point([0; 32]), with(okp(), "kid", json!("b"))]), "valid"),
        (
            "a bad private key is not",
            set(&[with(private(), "d", json!("")), with(okp(), "kid", json!("b"))]),
            "key_malformed",
        ),
        ("only keys of other types", set(std::slice::from_ref(&rsa)), "key_unsupported_type"),
        ("only a weak key", set(&[point([0; 32])]), "key_weak"),
        ("no key", set(&[]), "key_none"),
        ("the same kid twice", set(&[okp(), with(okp(), "alg", json!("Ed25519"))]), "key_duplicate_kid"),
        ("the same key twice, without kid", set(&[without(okp(), "kid"), without(okp(), "kid")]), "key_duplicate_kid"),
        ("oct beside OKP", set(&[oct(32, "HS256"), okp()]), "key_mixed_set"),
        ("oct beside RSA", set(&[rsa, oct(32, "HS256")]), "key_mixed_set"),
        ("keys not a list", r#"{"keys":{}}"#.into(), "key_malformed"),
        ("no keys", "{}".into(), "key_malformed"),
        ("a key that is a string", r#"{"keys":["x"]}"#.into(), "key_malformed"),
        ("a list", "[]".into(), "key_malformed"),
        ("not JSON", "keys".into(), "key_malformed"),
        ("duplicate members", r#"{"keys":[],"keys":[]}"#.into(), "key_malformed"),
        (
            "65 keys",
            set(&(0..65).map(|i| with(okp(), "kid", json!(format!("k{i}")))).collect::<Vec<_>>()),
            "key_too_many",
        ),
        ("too large", format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(65_536)), "key_too_large"),
    ];
    for (name, set, expected) in sets {
        add(34, name, "jwks", set, expected);
    }
    // RFC 8410 section 10: the same key in versions 1 and 2, and its public half.
    let v1 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let version_2 = |public: &[u8]| {
        let prefix = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let der = [&prefix[..], &seed(), &[0x81, 0x21, 0], public].concat();
        encode(&der).replace('-', "+").replace('_', "/") + "="
    };
    let v2 = version_2(&public_half());
    let wrong_half = v2.replacen("gSEA", "gSEB", 1);
    let spki = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let block = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let pems: Vec<(&str, &str, String, &str)> = vec![
        ("version 1", "private_pem", block("PRIVATE KEY", v1), "valid"),
        ("version 2", "private_pem", block("PRIVATE KEY", &v2), "valid"),
        (
            "version 2, halves of two keys",
            "private_pem",
            block("PRIVATE KEY", &version_2(&[1; 32])),
            "key_mismatched_halves",
        ),
        ("version 2 of another form", "private_pem", block("PRIVATE KEY", &wrong_half), "key_malformed"),
        ("a public key", "private_pem", block("PUBLIC KEY", spki), "key_no_private_key"),
        ("an encrypted key", "private_pem", block("ENCRYPTED PRIVATE KEY", v1), "key_unsupported_type"),
        ("an EC key", "private_pem", block("EC PRIVATE KEY", v1), "key_unsupported_type"),
        ("X25519", "private_pem", block("PRIVATE KEY", &v1.replace("K2Vw", "K2Vu")), "key_unsupported_type"),
        ("cut", "private_pem", block("PRIVATE KEY", &v1[..60]), "key_malformed"),
        ("text in front", "private_pem", format!("x{}", block("PRIVATE KEY", v1)), "key_malformed"),
        ("two blocks", "private_pem", block("PRIVATE KEY", v1).repeat(2), "key_malformed"),
        ("too large", "private_pem", block("PRIVATE KEY", &v1.repeat(100)), "key_too_large"),
        ("public", "public_pem", block("PUBLIC KEY", spki), "valid"),
        ("public, without padding", "public_pem", block("PUBLIC KEY", spki.trim_end_matches('=')), "key_malformed"),
        ("public, with a space", "public_pem", block("PUBLIC KEY", &spki.replace("VwAy", "Vw Ay")), "key_malformed"),
        ("a private key", "public_pem", block("PRIVATE KEY", v1), "key_private_members"),
        ("a certificate", "public_pem", block("CERTIFICATE", spki), "key_unsupported_type"),
    ];
    for (name, import, pem, expected) in pems {
        add(34, &format!("PEM: {name}"), import, pem, expected);
    }
    numbered(cases)
}

fn seed() -> Vec<u8> {
    bytes("1O5y2_kTWErVttjx92n4rTr-fCjL8dT74Jeoj0R1WEI")
}

fn public_half() -> Vec<u8> {
    bytes("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE")
}

fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    safeconduct_core::encoding::base64url::decode(text.as_bytes(), &mut bytes).unwrap();
    bytes
}

pub(crate) fn numbered(cases: Vec<(u32, String, &str, String, &str)>) -> Vec<Value> {
    let mut counts = std::collections::BTreeMap::new();
    let numbered = cases.into_iter().map(|(class, name, import, input, expected)| {
        let count = counts.entry(class).or_insert(0);
        *count += 1;
        json!({"number": class * 100 + *count, "class": class, "name": name, "import": import, "input": input, "expected": expected})
    });
    numbered.collect()
}
