//! Classes 1, 3 to 5, 17 to 21, 24 to 28 and 37: what stands in the header, and how a token is cut.

use safeconduct_core::encoding::base64url::encode;
use safeconduct_core::jws::{Algorithm, SigningKey};

use crate::forge::{Case, Claims, HEADER, HMAC_HEADER, access, case, ed25519, hmac, jwt, signed, token};

/// An access token by the Ed25519 key, with another header.
fn with(header: &str) -> String {
    token(&ed25519(), header, Claims::access().json())
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(0, "a plain access token", "access", access(&Claims::access()), "valid"),
        case(
            0,
            "a plain access token by HMAC",
            "access-hs256",
            token(&hmac(), HMAC_HEADER, Claims::access().json()),
            "valid",
        ),
        case(0, "a plain JWT", "jwt", jwt(&Claims::jwt()), "valid"),
        case(
            0,
            "a JWT without typ and kid",
            "jwt",
            token(&ed25519(), r#"{"alg":"EdDSA"}"#, Claims::jwt().json()),
            "valid",
        ),
    ];
    algorithms(&mut cases);
    key_references(&mut cases);
    members(&mut cases);
    shapes(&mut cases);
    kinds(&mut cases);
    cases
}

fn algorithms(cases: &mut Vec<Case>) {
    let payload = encode(Claims::access().json().as_bytes());
    for alg in
        [r#""none""#, r#""None""#, r#""NONE""#, r#""nOnE""#, r#""\u006eone""#, r#""""#, "null", "0", "[]", "{}", "true"]
    {
        let header = format!(r#"{{"alg":{alg},"typ":"at+jwt","kid":"ed"}}"#);
        let input = format!("{}.{payload}", encode(header.as_bytes()));
        cases.push(case(1, format!("alg {alg}, no signature"), "access", format!("{input}."), "malformed"));
        cases.push(case(
            1,
            format!("alg {alg}, right signature"),
            "access",
            signed(&ed25519(), &input),
            "wrong_algorithm",
        ));
        let header = header.replace("\"ed\"", "\"hs\"");
        let input = format!("{}.{payload}", encode(header.as_bytes()));
        cases.push(case(1, format!("alg {alg}, HMAC"), "access-hs256", signed(&hmac(), &input), "wrong_algorithm"));
    }
    let absent = r#"{"typ":"at+jwt","kid":"ed"}"#;
    cases.push(case(1, "alg absent", "access", with(absent), "wrong_algorithm"));
    let whole = access(&Claims::access());
    let (input, _) = whole.rsplit_once('.').unwrap();
    cases.push(case(1, "right header, empty signature", "access", format!("{input}."), "malformed"));
    cases.push(case(1, "right header, no signature", "access", input.into(), "malformed"));

    for alg in
        ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES256K", "Ed448", "eddsa", "EDDSA", "A128KW", "dir"]
    {
        let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"ed"}}"#);
        cases.push(case(3, format!("alg {alg} for an Ed25519 key"), "access", with(&header), "wrong_algorithm"));
        cases.push(case(3, format!("alg {alg}, JWK without alg"), "access-no-alg", with(&header), "wrong_algorithm"));
    }
    cases.push(case(3, "JWK without alg", "access-no-alg", access(&Claims::access()), "valid"));
    cases.push(case(3, "the fully specified name", "access", with(&HEADER.replace("EdDSA", "Ed25519")), "valid"));
    cases.push(case(3, "alg written with an escape", "access", with(&HEADER.replace("EdDSA", r"\u0045dDSA")), "valid"));
    for alg in ["HS384", "HS512", "EdDSA", "Ed25519"] {
        let header = HMAC_HEADER.replace("HS256", alg);
        let forged = token(&hmac(), header, Claims::access().json());
        cases.push(case(3, format!("alg {alg} for an HS256 key"), "access-hs256", forged, "wrong_algorithm"));
    }
}

fn key_references(cases: &mut Vec<Case>) {
    let attacker = SigningKey::ed25519(&[66; 32], Algorithm::EdDsa).unwrap().with_kid("ed").unwrap();
    let jwk = attacker.verifying_key().public_jwk().unwrap();
    let references = [
        ("jwk", jwk.as_str()),
        ("jku", r#""https://evil.example/jwks""#),
        ("x5u", r#""https://evil.example/chain""#),
        ("x5c", r#"["MIIB"]"#),
        ("x5t", r#""AAAA""#),
        ("x5t#S256", r#""AAAA""#),
        ("jwk", "null"),
        (r"j\u0077k", "null"),
    ];
    for (name, value) in references {
        let header = HEADER.replacen('{', &format!(r#"{{"{name}":{value},"#), 1);
        let by_attacker = token(&attacker, &header, Claims::access().json());
        cases.push(case(
            4,
            format!("{name} {value:.4}, attacker's signature"),
            "access",
            by_attacker,
            "header_refused",
        ));
        cases.push(case(4, format!("{name} {value:.4}, right signature"), "access", with(&header), "header_refused"));
    }

    let kids = [
        ("1", "header_refused"),
        ("null", "header_refused"),
        ("true", "header_refused"),
        (r#"["ed"]"#, "header_refused"),
        (r#"{"ed":1}"#, "header_refused"),
        (r#""""#, "unknown_key"),
        (r#""ED""#, "unknown_key"),
        (r#""ed ""#, "unknown_key"),
        (r#"" ed""#, "unknown_key"),
        (r#""e""#, "unknown_key"),
        (r#""edd""#, "unknown_key"),
        (r#""../../dev/null""#, "unknown_key"),
        (r#""x' UNION SELECT 'a""#, "unknown_key"),
        (r#""ed\u0000""#, "header_refused"),
        (r#""\ud800""#, "header_refused"),
        (r#""\u0065d""#, "valid"),
        (r#""other""#, "unknown_key"),
    ];
    for (kid, expected) in kids {
        let header = HEADER.replace("\"ed\"", kid);
        cases.push(case(5, format!("kid {kid}"), "access", with(&header), expected));
    }
    let long = HEADER.replace("\"ed\"", &format!("\"{}\"", "k".repeat(1000)));
    cases.push(case(5, "kid of 1000 characters", "access", with(&long), "unknown_key"));
    let longer = HEADER.replace("\"ed\"", &format!("\"{}\"", "k".repeat(4000)));
    cases.push(case(5, "kid of 4000 characters", "access", with(&longer), "too_large"));
    let without = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    cases.push(case(5, "no kid, one key", "access", with(without), "valid"));
    cases.push(case(5, "no kid, two keys", "access-two", with(without), "unknown_key"));
    cases.push(case(
        5,
        "kid of the other key",
        "access-two",
        with(&HEADER.replace("\"ed\"", "\"other\"")),
        "bad_signature",
    ));
    cases.push(case(5, "two keys", "access-two", access(&Claims::access()), "valid"));
}

fn members(cases: &mut Vec<Case>) {
    let twins = [
        r#"{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"ed"}"#,
        r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"ed"}"#,
        r#"{"alg":"EdDSA","\u0061lg":"none","typ":"at+jwt","kid":"ed"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed","kid":"other"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed","x":1,"x":1}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed","x":{"y":1,"\u0079":1}}"#,
    ];
    for header in twins {
        cases.push(case(17, format!("header {header}"), "access", with(header), "header_refused"));
    }
    cases.push(case(
        17,
        "header names that differ in case",
        "access",
        with(&HEADER.replacen('{', r#"{"Alg":"none","#, 1)),
        "valid",
    ));
    let refused = [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"b64""#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":true"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""enc":"A128GCM""#,
        r#""p2c":2147483647,"p2s":"AAAA""#,
        r#""epk":{}"#,
    ];
    for member in refused {
        let header = HEADER.replacen('{', &format!("{{{member},"), 1);
        let class = if member.contains("crit") || member.contains("b64") { 20 } else { 27 };
        cases.push(case(class, member, "access", with(&header), "header_refused"));
    }
    cases.push(case(
        20,
        "an unknown parameter that is not critical",
        "access",
        with(&HEADER.replacen('{', r#"{"x":[1],"#, 1)),
        "valid",
    ));
    cases.push(case(
        20,
        "white space and another order",
        "access",
        with("{ \"kid\": \"ed\",\n \"typ\": \"at+jwt\", \"alg\": \"EdDSA\" }"),
        "valid",
    ));
    for header in ["", "[]", "\"EdDSA\"", "null", "{", "{}x", "{\"alg\":\"EdDSA\",}", "\u{feff}{\"alg\":\"EdDSA\"}"] {
        let expected = if header.is_empty() { "malformed" } else { "header_refused" };
        cases.push(case(20, format!("header {header:?}"), "access", with(header), expected));
    }
}

fn shapes(cases: &mut Vec<Case>) {
    let whole = access(&Claims::access());
    let [header, payload, signature] = <[&str; 3]>::try_from(whole.split('.').collect::<Vec<_>>()).unwrap();
    let general =
        format!(r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#);
    let flat = format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
    let nested = token(&ed25519(), HEADER.replacen('{', r#"{"cty":"JWT","#, 1), &whole);
    for (class, name, shape, expected) in [
        (18, "general JSON serialization", general, "malformed"),
        (18, "flattened JSON serialization", flat, "malformed"),
        (18, "five segments", format!("{header}.{payload}.{signature}.{payload}.{signature}"), "malformed"),
        (18, "four segments", format!("{whole}.{signature}"), "malformed"),
        (18, "an empty fourth segment", format!("{whole}."), "malformed"),
        (18, "a token inside a token", nested, "not_json"),
        (21, "a detached payload", format!("{header}..{signature}"), "bad_signature"),
        (21, "an empty header", format!(".{payload}.{signature}"), "malformed"),
        (21, "nothing", String::new(), "malformed"),
        (21, "two dots", "..".into(), "malformed"),
        (21, "a scheme in front", format!("Bearer {whole}"), "malformed"),
        (24, "a megabyte of dots", ".".repeat(20_000), "too_large"),
        (24, "as many dots as fit", ".".repeat(16_384), "malformed"),
        (24, "a payload over the limit", format!("{header}.{}.{signature}", "A".repeat(20_000)), "too_large"),
        (24, "a signature that is too long", format!("{header}.{payload}.{}", "A".repeat(8_000)), "bad_signature"),
    ] {
        cases.push(case(class, name, "access", shape, expected));
    }
    let largest = Claims::access().with("pad", &format!("\"{}\"", "p".repeat(11_500)));
    cases.push(case(24, "a large token within the limit", "access", access(&largest), "valid"));
    for (name, depth, expected) in
        [("15 arrays", 15, "valid"), ("16 arrays", 16, "not_json"), ("4000 arrays", 4000, "not_json")]
    {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        cases.push(case(
            24,
            format!("claims nested by {name}"),
            "access",
            access(&Claims::access().with("x", &nested)),
            expected,
        ));
    }
    let bomb = Claims::access().with("x", &"[".repeat(10_000));
    cases.push(case(24, "10000 brackets that never close", "access", access(&bomb), "not_json"));
    let names: Vec<String> = (0..1000).map(|i| format!("\"{i}\":0")).collect();
    let crowd = Claims::access().with("x", &format!("{{{}}}", names.join(",")));
    cases.push(case(24, "an object of 1000 members", "access", access(&crowd), "not_json"));
}

fn kinds(cases: &mut Vec<Case>) {
    for (typ, access_token, jwt) in [
        (r#""at+jwt""#, "valid", "wrong_type"),
        (r#""application/at+jwt""#, "valid", "wrong_type"),
        (r#""AT+JWT""#, "valid", "wrong_type"),
        (r#""JWT""#, "wrong_type", "valid"),
        (r#""jwt""#, "wrong_type", "valid"),
        (r#""application/jwt""#, "wrong_type", "valid"),
        (r#""dpop+jwt""#, "wrong_type", "wrong_type"),
        (r#""logout+jwt""#, "wrong_type", "wrong_type"),
        (r#""rt+jwt""#, "wrong_type", "wrong_type"),
        (r#""secevent+jwt""#, "wrong_type", "wrong_type"),
        (r#""at+jwt ""#, "wrong_type", "wrong_type"),
        (r#""at+jwtx""#, "wrong_type", "wrong_type"),
        (r#""application/application/at+jwt""#, "wrong_type", "wrong_type"),
        (r#""""#, "wrong_type", "wrong_type"),
        ("null", "wrong_type", "wrong_type"),
        ("1", "wrong_type", "wrong_type"),
        (r#"["at+jwt"]"#, "wrong_type", "wrong_type"),
    ] {
        let header = format!(r#"{{"alg":"EdDSA","typ":{typ},"kid":"ed"}}"#);
        cases.push(case(37, format!("typ {typ} as an access token"), "access", with(&header), access_token));
        cases.push(case(
            37,
            format!("typ {typ} as a JWT"),
            "jwt",
            token(&ed25519(), &header, Claims::jwt().json()),
            jwt,
        ));
    }
    let absent = r#"{"alg":"EdDSA","kid":"ed"}"#;
    cases.push(case(37, "typ absent as an access token", "access", with(absent), "wrong_type"));
    cases.push(case(37, "typ absent as a JWT", "jwt", token(&ed25519(), absent, Claims::jwt().json()), "valid"));
}
