//! Classes 2, 8 to 11, 22 and 30: signatures that prove nothing, and text that is not base64url.

use hmac::{Hmac, KeyInit, Mac};
use safeconduct_core::encoding::base64url::encode;
use safeconduct_core::jws::{Algorithm, SigningKey};
use sha2::{Sha256, Sha384, Sha512};

use crate::forge::{Case, Claims, HEADER, HMAC_HEADER, access, case, ed25519, hmac, secret, signed, token};

/// The order of the base point, little-endian ([RFC 8032 section 5.1](https://www.rfc-editor.org/rfc/rfc8032#section-5.1)).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// What is done to a segment.
type Change<'a> = &'a dyn Fn(&str) -> String;

/// The forms in which the public half of the Ed25519 key is found in public.
pub(crate) fn public_texts() -> Vec<(&'static str, Vec<u8>)> {
    let key = ed25519().verifying_key();
    let jwk = key.public_jwk().unwrap();
    let x = jwk.split("\"x\":\"").nth(1).unwrap().split('"').next().unwrap().to_string();
    let mut raw = [0; 32];
    safeconduct_core::encoding::base64url::decode(x.as_bytes(), &mut raw).unwrap();
    let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &raw].concat();
    let standard = |bytes: &[u8]| {
        let text = encode(bytes).replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - text.len() % 4) % 4);
        format!("{text}{padding}")
    };
    let base64 = standard(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
    let ssh = [&[0, 0, 0, 11][..], b"ssh-ed25519", &[0, 0, 0, 32], &raw].concat();
    let line = format!("ssh-ed25519 {} user@host", standard(&ssh));
    let jwks = format!("{{\"keys\":[{jwk}]}}");
    let utf16 = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("DER", der),
        ("PEM", pem.clone().into()),
        ("PEM without its last line end", pem.trim_end().into()),
        ("PEM with CRLF", pem.replace('\n', "\r\n").into()),
        ("PEM behind a byte-order mark", format!("\u{feff}{pem}").into()),
        ("PEM behind spaces", format!("  \n{pem}  ").into()),
        ("PEM in UTF-16", utf16),
        ("PEM's base64", base64.into()),
        ("an OpenSSH line", line.into()),
        ("base64 of the SSH form", standard(&ssh).into()),
        ("a JWK", jwk.clone().into()),
        ("a JWK behind a byte-order mark", format!("\u{feff}{jwk}").into()),
        ("a JWK with an escaped name", jwk.replace("\"kty\"", "\"k\\u0074y\"").into()),
        ("a JWK set", jwks.into()),
        ("raw bytes", raw.into()),
    ]
}

fn mac<M: Mac + KeyInit>(secret: &[u8], input: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).unwrap();
    mac.update(input.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    confusion(&mut cases);
    edwards(&mut cases);
    macs(&mut cases);
    encodings(&mut cases);
    cases
}

fn confusion(cases: &mut Vec<Case>) {
    let payload = encode(Claims::access().json().as_bytes());
    for (name, text) in public_texts() {
        for header in [HEADER.replace("EdDSA", "HS256"), HEADER.into()] {
            let input = format!("{}.{payload}", encode(header.as_bytes()));
            let expected = if header == HEADER { "bad_signature" } else { "wrong_algorithm" };
            let forged = format!("{input}.{}", encode(&mac::<Hmac<Sha256>>(&text, &input)));
            cases.push(case(2, format!("HMAC over {name}, {header:.14}"), "access", forged, expected));
        }
    }
}

fn edwards(cases: &mut Vec<Case>) {
    let whole = access(&Claims::access());
    let (input, text) = whole.rsplit_once('.').unwrap();
    let mut signature = [0; 64];
    safeconduct_core::encoding::base64url::decode(text.as_bytes(), &mut signature).unwrap();
    let with = |bytes: &[u8]| format!("{input}.{}", encode(bytes));

    let mut s_plus_l = signature;
    let mut carry = 0u16;
    for (byte, order) in s_plus_l[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    let mut zero_s = signature;
    zero_s[32..].fill(0);
    let mut zero_r = signature;
    zero_r[..32].fill(0);
    let mut identity = [0; 64];
    identity[0] = 1;
    let mut order_as_s = signature;
    order_as_s[32..].copy_from_slice(&ORDER);
    let mut other_sign = signature;
    other_sign[31] ^= 0x80;
    let mut non_canonical_r = [0xff; 64];
    non_canonical_r[0] = 0xee;
    non_canonical_r[31] = 0x7f;
    non_canonical_r[32..].fill(0);
    let mut swapped = signature;
    swapped.rotate_left(32);
    for (name, bytes) in [
        ("S + L", &s_plus_l[..]),
        ("S = 0", &zero_s),
        ("S = L", &order_as_s),
        ("R = 0", &zero_r),
        ("all zero", &[0; 64]),
        ("R the identity, S = 0", &identity),
        ("R with the other sign", &other_sign),
        ("R the identity, not canonical", &non_canonical_r),
        ("R and S swapped", &swapped),
        ("one byte short", &signature[..63]),
        ("half", &signature[..32]),
        ("one byte", &signature[..1]),
        ("one byte long", &[&signature[..], &[0]].concat()),
        ("twice", &[signature, signature].concat()),
        ("in DER", &[&[0x30, 0x44, 2, 0x20][..], &signature[..32], &[2, 0x20], &signature[32..]].concat()),
    ] {
        cases.push(case(8, name, "access", with(bytes), "bad_signature"));
    }
    let other = SigningKey::ed25519(&[8; 32], Algorithm::EdDsa).unwrap();
    cases.push(case(8, "by another key", "access", token(&other, HEADER, Claims::access().json()), "bad_signature"));
    let later = access(&Claims::access().with("jti", "\"t-2\""));
    cases.push(case(
        8,
        "of another token",
        "access",
        format!("{input}.{}", later.rsplit_once('.').unwrap().1),
        "bad_signature",
    ));
    cases.push(case(8, "the right one", "access", whole.clone(), "valid"));
}

fn macs(cases: &mut Vec<Case>) {
    let whole = token(&hmac(), HMAC_HEADER, Claims::access().json());
    let (input, _) = whole.rsplit_once('.').unwrap();
    let right = mac::<Hmac<Sha256>>(&secret(), input);
    let with = |bytes: &[u8]| format!("{input}.{}", encode(bytes));
    let half = mac::<Hmac<Sha512>>(&secret(), input);
    for (name, bytes, expected) in [
        ("the right one", right.clone(), "valid"),
        ("half", right[..16].to_vec(), "bad_signature"),
        ("one byte short", right[..31].to_vec(), "bad_signature"),
        ("one byte", right[..1].to_vec(), "bad_signature"),
        ("one byte long", [&right[..], &[0]].concat(), "bad_signature"),
        ("SHA-384", mac::<Hmac<Sha384>>(&secret(), input), "bad_signature"),
        ("SHA-512", half.clone(), "bad_signature"),
        ("SHA-512, first half", half[..32].to_vec(), "bad_signature"),
        ("all zero", vec![0; 32], "bad_signature"),
        ("an empty secret", mac::<Hmac<Sha256>>(&[], input), "bad_signature"),
        ("the kid as secret", mac::<Hmac<Sha256>>(b"hs", input), "bad_signature"),
        ("in hexadecimal", right.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect(), "bad_signature"),
    ] {
        cases.push(case(30, format!("a tag: {name}"), "access-hs256", with(&bytes), expected));
    }
}

fn encodings(cases: &mut Vec<Case>) {
    // `x` makes each segment long enough and of a length that leaves unused bits.
    let claims = Claims::access().with("x", "\"~~~~\"");
    let payload = claims.json() + &" ".repeat((4 - claims.json().len() % 3) % 3);
    let (header, payload) = (encode(HEADER.as_bytes()), encode(payload.as_bytes()));
    let whole = signed(&ed25519(), &format!("{header}.{payload}"));
    let signature = whole.rsplit_once('.').unwrap().1;
    cases.push(case(22, "a payload of 1 modulo 3 bytes", "access", whole.clone(), "valid"));
    let last = |text: &str| {
        let (rest, last) = text.split_at(text.len() - 1);
        format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
    };
    let changes: [(&str, Change<'_>); 12] = [
        ("padding", &|text| format!("{text}==")),
        ("one padding character", &|text| format!("{text}=")),
        ("a space in front", &|text| format!(" {text}")),
        ("a space behind", &|text| format!("{text} ")),
        ("a line end inside", &|text| format!("{}\r\n{}", &text[..4], &text[4..])),
        ("a tabulator inside", &|text| format!("{}\t{}", &text[..4], &text[4..])),
        ("a NUL behind", &|text| format!("{text}\0")),
        ("a letter that is not ASCII", &|text| format!("{}é{}", &text[..4], &text[4..])),
        ("the standard alphabet", &|text| format!("{}+/{}", &text[..4], &text[6..])),
        ("a question mark", &|text| format!("{}?{}", &text[..4], &text[4..])),
        ("a length of 1 modulo 4", &|text| format!("{text}{}", "A".repeat((5 - text.len() % 4) % 4))),
        ("unused bits", &last),
    ];
    for (name, change) in changes {
        // Signed as it stands: only the encoding can be what is refused.
        let bits_matter = name == "unused bits";
        if !bits_matter || header.len() % 4 != 0 {
            let input = format!("{}.{payload}", change(&header));
            cases.push(case(22, format!("header: {name}"), "access", signed(&ed25519(), &input), "malformed"));
        }
        let input = format!("{header}.{}", change(&payload));
        cases.push(case(22, format!("payload: {name}"), "access", signed(&ed25519(), &input), "malformed"));
        let input = format!("{header}.{payload}");
        cases.push(case(
            22,
            format!("signature: {name}"),
            "access",
            format!("{input}.{}", change(signature)),
            "malformed",
        ));
    }
}
