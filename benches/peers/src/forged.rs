//! Tokens that are wrong in one thing each, and what each library makes of them.

use safeconduct::core::encoding::base64url;
use safeconduct::core::jws::{SigningKey, Typ, sign};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct_benches::{AUDIENCE, ISSUER, eight_claims};

/// A wrong token.
pub struct Forged {
    /// What is wrong.
    pub what: &'static str,
    /// Whether a library that accepts it is no peer: the checks that the timed call has to make.
    pub must: bool,
    /// The token.
    pub token: String,
}

/// Every wrong token, signed by `key` at the time `now`; those that every library has to refuse first.
pub fn forged(key: &SigningKey, now: Timestamp) -> Vec<Forged> {
    let good = eight_claims(now);
    let payload = |from: &str, to: &str| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from} is not there");
        sign(key, Typ::AccessToken, changed.as_bytes())
    };
    let (iat, exp) = (now.as_unix_seconds(), now.plus(Seconds::new(600)).as_unix_seconds());
    let date = |name: &str, from: u64, to: u64| payload(&format!("\"{name}\":{from}"), &format!("\"{name}\":{to}"));
    let header = |header: String| {
        let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(good.as_bytes()));
        let mut signature = [0; 64];
        let signature = base64url::encode(key.signature(input.as_bytes(), &mut signature));
        format!("{input}.{signature}")
    };
    let (alg, kid) = (key.algorithm().name(), key.kid());
    let must = [
        ("it expired an hour ago", date("exp", exp, iat - 3600)),
        ("it is for another audience", payload(AUDIENCE, "https://other.example")),
        ("it is from another issuer", payload(ISSUER, "https://other.example")),
        ("a bit of its signature is flipped", flipped(&sign(key, Typ::AccessToken, good.as_bytes()))),
    ];
    let may = [
        ("it has no `exp`", payload(&format!("\"exp\":{exp},"), "")),
        ("it expires in ten years", date("exp", exp, iat + 315_360_000)),
        ("it was issued in an hour from now", date("iat", iat, iat + 3600)),
        ("it is not valid before an hour from now", payload("\"jti\"", &format!("\"nbf\":{},\"jti\"", iat + 3600))),
        ("its `typ` is `JWT`", sign(key, Typ::Jwt, good.as_bytes())),
        ("its `kid` is of no known key", header(format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"other"}}"#))),
        (
            "its header has a `crit` that nobody knows",
            header(format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}","crit":["x"],"x":1}}"#)),
        ),
        ("it has two claims `sub`", payload("\"sub\"", "\"sub\":\"another\",\"sub\"")),
        ("it has two claims of a name that is not asked for", payload("\"sub\"", "\"x\":1,\"x\":2,\"sub\"")),
        ("its last character carries bits that mean nothing", loose(&sign(key, Typ::AccessToken, good.as_bytes()))),
    ];
    let all = must.into_iter().map(|forged| (true, forged)).chain(may.into_iter().map(|forged| (false, forged)));
    all.map(|(must, (what, token))| Forged { what, must, token }).collect()
}

/// The first bit of the signature changed.
fn flipped(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a token");
    let mut bytes = [0; 64];
    let len = base64url::decode(signature.as_bytes(), &mut bytes).expect("base64url").len();
    bytes[0] ^= 128;
    format!("{input}.{}", base64url::encode(&bytes[..len]))
}

/// The lowest bit of the last character set: of a signature of 32 or 64 bytes it belongs to no byte.
fn loose(token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let place = ALPHABET.iter().position(|other| last.as_bytes() == [*other]).expect("base64url");
    format!("{rest}{}", char::from(ALPHABET[place | 1]))
}
