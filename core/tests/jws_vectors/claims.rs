//! Classes 12 to 17 and 23: claims of wrong types, ranges and spellings.

use crate::forge::{Case, Claims, HEADER, access, case, ed25519, jwt, token};

const NOT_DATES: [&str; 9] = [
    r#""1800000300""#,
    r#""""#,
    "true",
    "false",
    "null",
    "[1800000300]",
    r#"{"a":1}"#,
    r#""NaN""#,
    r#""2027-01-15T08:00:00Z""#,
];
const NOT_STRINGS: [&str; 7] = ["1", "0", "true", "null", r#"["user-1"]"#, r#"{"a":"b"}"#, "[]"];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    dates(&mut cases);
    numbers(&mut cases);
    audiences(&mut cases);
    texts(&mut cases);
    documents(&mut cases);
    for (name, exp, expected) in [("at", "1800000060", "valid"), ("over", "1800000061", "lifetime_too_long")] {
        let token = jwt(&Claims::jwt().with("exp", exp));
        cases.push(case(
            12,
            format!("exp {name} the longest lifetime of a generic token"),
            "jwt-short",
            token,
            expected,
        ));
    }
    cases
}

fn dates(cases: &mut Vec<Case>) {
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in NOT_DATES {
            let name = format!("{claim} {value}");
            cases.push(case(12, &name, "access", access(&Claims::access().with(claim, value)), "claims_malformed"));
            cases.push(case(12, &name, "jwt", jwt(&Claims::jwt().with(claim, value)), "claims_malformed"));
        }
    }
    for (name, claim, value, expected) in [
        ("an hour ago", "exp", "1799996400", "expired"),
        ("at the leeway's end", "exp", "1799999995", "expired"),
        ("within the leeway", "exp", "1799999996", "valid"),
        ("zero", "exp", "0", "expired"),
        ("at the longest lifetime", "exp", "1800003600", "valid"),
        ("over the longest lifetime", "exp", "1800003601", "lifetime_too_long"),
        ("at 2^53 - 1", "exp", "9007199254740991", "lifetime_too_long"),
        ("in the future within the leeway", "nbf", "1800000005", "valid"),
        ("in the future", "nbf", "1800000006", "not_yet_valid"),
        ("in the future within the leeway", "iat", "1800000005", "valid"),
        ("in the future", "iat", "1800000006", "issued_in_future"),
    ] {
        cases.push(case(
            12,
            format!("{claim} {name}"),
            "access",
            access(&Claims::access().with(claim, value)),
            expected,
        ));
    }
    cases.push(case(12, "exp absent", "jwt", jwt(&Claims::jwt().without("exp").with("iat", "1")), "missing_claim"));
    for claim in ["iss", "aud", "sub", "client_id", "exp", "iat", "jti", "sid"] {
        let token = access(&Claims::access().without(claim));
        cases.push(case(15, format!("{claim} absent"), "access", token, "missing_claim"));
    }
    for claim in ["sep", "scv", "gep"] {
        cases.push(case(15, format!("{claim} absent"), "access", access(&Claims::access().without(claim)), "valid"));
        for value in ["-1", "1.0", "1e3", "9007199254740992", "null", r#""1""#] {
            let token = access(&Claims::access().with(claim, value));
            cases.push(case(16, format!("{claim} {value}"), "access", token, "claims_malformed"));
        }
    }
}

fn numbers(cases: &mut Vec<Case>) {
    for (value, access_token, generic) in [
        ("1800000300.9", "claims_malformed", "valid"),
        ("1800000300.0", "claims_malformed", "valid"),
        ("1799999995.9", "claims_malformed", "expired"),
        ("1.8000003e9", "claims_malformed", "valid"),
        ("18000003E2", "claims_malformed", "valid"),
        ("1e400", "not_json", "not_json"),
        ("1e308", "not_json", "not_json"),
        ("1e307", "claims_malformed", "claims_malformed"),
        ("1e99999999999999999999", "not_json", "not_json"),
        ("9007199254740991", "lifetime_too_long", "valid"),
        ("9007199254740992", "claims_malformed", "claims_malformed"),
        ("9223372036854775808", "claims_malformed", "claims_malformed"),
        ("18446744073709551615", "claims_malformed", "claims_malformed"),
        ("18446744073709551616", "not_json", "not_json"),
        ("-1", "claims_malformed", "claims_malformed"),
        ("-0", "claims_malformed", "claims_malformed"),
        ("-0.0", "claims_malformed", "claims_malformed"),
        ("-1800000300", "claims_malformed", "claims_malformed"),
        ("NaN", "not_json", "not_json"),
        ("Infinity", "not_json", "not_json"),
        ("01800000300", "not_json", "not_json"),
        ("+1800000300", "not_json", "not_json"),
        ("1800000300.", "not_json", "not_json"),
        (".5", "not_json", "not_json"),
        ("0x6b49d12c", "not_json", "not_json"),
        ("1_800_000_300", "not_json", "not_json"),
    ] {
        cases.push(case(
            16,
            format!("exp {value}"),
            "access",
            access(&Claims::access().with("exp", value)),
            access_token,
        ));
        cases.push(case(16, format!("exp {value}"), "jwt", jwt(&Claims::jwt().with("exp", value)), generic));
    }
    let fraction = Claims::jwt().with("nbf", "1800000005.9");
    cases.push(case(16, "nbf with a fraction is rounded down", "jwt", jwt(&fraction), "valid"));
    cases.push(case(
        16,
        "another claim of 2^64",
        "jwt",
        jwt(&Claims::jwt().with("x", "18446744073709551616")),
        "not_json",
    ));
    cases.push(case(16, "another claim of -0.5e-3", "jwt", jwt(&Claims::jwt().with("x", "-0.5e-3")), "valid"));
}

fn audiences(cases: &mut Vec<Case>) {
    for (value, expected) in [
        (r#""https://api.example""#, "valid"),
        (r#"["https://api.example"]"#, "valid"),
        (r#"["https://x.example","https://api.example"]"#, "valid"),
        (r#""https://api.exampl\u0065""#, "valid"),
        (r#""https://api.example/""#, "wrong_audience"),
        (r#""https://api.exampl""#, "wrong_audience"),
        (r#""https://API.example""#, "wrong_audience"),
        (r#""https://api.example https://x.example""#, "wrong_audience"),
        (r#""""#, "wrong_audience"),
        (r#"[""]"#, "wrong_audience"),
        (r#"["https://x.example"]"#, "wrong_audience"),
        ("[]", "claims_malformed"),
        ("null", "claims_malformed"),
        ("1", "claims_malformed"),
        ("true", "claims_malformed"),
        (r#"{"https://api.example":1}"#, "claims_malformed"),
        (r#"["https://api.example",1]"#, "claims_malformed"),
        (r#"["https://api.example",null]"#, "claims_malformed"),
        (r#"[["https://api.example"]]"#, "claims_malformed"),
        (r#"["https://api.example",["x"]]"#, "claims_malformed"),
    ] {
        cases.push(case(13, format!("aud {value}"), "access", access(&Claims::access().with("aud", value)), expected));
        let named = Claims::jwt().with("iss", r#""https://id.example""#).with("aud", value);
        cases.push(case(13, format!("aud {value}"), "jwt-named", jwt(&named), expected));
        let unexpected = if expected == "valid" { "wrong_audience" } else { expected };
        let token = jwt(&Claims::jwt().with("aud", value));
        cases.push(case(13, format!("aud {value} where none is expected"), "jwt", token, unexpected));
    }
    let absent = Claims::jwt().with("iss", r#""https://id.example""#);
    cases.push(case(13, "aud absent where one is expected", "jwt-named", jwt(&absent), "missing_claim"));
    for (value, expected) in [
        (r#""https://id.example""#, "valid"),
        (r#""https:\/\/id.example""#, "valid"),
        (r#""https://id.example/""#, "wrong_issuer"),
        (r#""https://id.exampl""#, "wrong_issuer"),
        (r#""https://id.example.evil""#, "wrong_issuer"),
        (r#""https://ID.example""#, "wrong_issuer"),
        (r#"" https://id.example""#, "wrong_issuer"),
        (r#"["https://id.example"]"#, "claims_malformed"),
        (r#"{"iss":"https://id.example"}"#, "claims_malformed"),
        ("null", "claims_malformed"),
        ("1", "claims_malformed"),
    ] {
        cases.push(case(14, format!("iss {value}"), "access", access(&Claims::access().with("iss", value)), expected));
        let named = Claims::jwt().with("aud", r#""https://api.example""#).with("iss", value);
        cases.push(case(14, format!("iss {value}"), "jwt-named", jwt(&named), expected));
    }
    let absent = Claims::jwt().with("aud", r#""https://api.example""#);
    cases.push(case(14, "iss absent where one is expected", "jwt-named", jwt(&absent), "missing_claim"));
}

fn texts(cases: &mut Vec<Case>) {
    for claim in ["sub", "jti", "sid", "scope", "client_id"] {
        for value in NOT_STRINGS {
            let name = format!("{claim} {value}");
            cases.push(case(15, &name, "access", access(&Claims::access().with(claim, value)), "claims_malformed"));
            cases.push(case(15, &name, "jwt", jwt(&Claims::jwt().with(claim, value)), "claims_malformed"));
        }
    }
    for (claim, value, expected) in [
        ("sub", r#""""#, "claims_malformed"),
        ("jti", r#""""#, "claims_malformed"),
        ("client_id", r#""""#, "claims_malformed"),
        ("sid", r#""""#, "claims_malformed"),
        ("sid", r#""AwEBAQEBAQECAgICAgICAh""#, "claims_malformed"),
        ("sid", r#""AwEBAQEBAQECAgICAgICA""#, "claims_malformed"),
        ("sid", r#""AwEBAQEBAQECAgICAgICAg==""#, "claims_malformed"),
        ("sid", r#""AwEBAQEBAQECAgICAgICA\u0067""#, "valid"),
        ("scope", r#""read write""#, "valid"),
        ("scope", r#""""#, "valid"),
        ("cnf", r#"{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#, "valid"),
        ("cnf", r#"{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"}"#, "claims_malformed"),
        ("cnf", r#"{"jkt":"AAAA"}"#, "claims_malformed"),
        ("cnf", r#"{"jkt":1}"#, "claims_malformed"),
        ("cnf", r#"{"jkt":null}"#, "claims_malformed"),
        ("cnf", "null", "claims_malformed"),
        ("cnf", r#""AAAA""#, "claims_malformed"),
    ] {
        cases.push(case(
            15,
            format!("{claim} {value}"),
            "access",
            access(&Claims::access().with(claim, value)),
            expected,
        ));
    }
    cases.push(case(15, "a sid of another form", "jwt", jwt(&Claims::jwt().with("sid", r#""08a5019c""#)), "valid"));
}

fn documents(cases: &mut Vec<Case>) {
    for (name, value) in
        [("exp", "1800000300"), ("aud", r#""https://x.example""#), (r"\u0065xp", "1"), (r"e\u0078p", "1800000300")]
    {
        let twins = access(&Claims::access().also(name, value));
        cases.push(case(17, format!("a second {name}"), "access", twins, "not_json"));
    }
    for value in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"[{"b":{"a":1,"a":2}}]"#,
        r#"{"é":1,"\u00e9":2}"#,
        r#"{"😀":1,"\ud83d\ude00":2}"#,
        r#"{"":1,"":2}"#,
    ] {
        cases.push(case(
            17,
            format!("duplicates in {value}"),
            "access",
            access(&Claims::access().with("x", value)),
            "not_json",
        ));
    }
    for value in [r#"{"a":1,"A":2}"#, r#"[{"a":1},{"a":2}]"#, r#"{"é":1,"e\u0301":2}"#, r#"{"a":{"a":{"a":1}}}"#] {
        cases.push(case(
            17,
            format!("no duplicates in {value}"),
            "access",
            access(&Claims::access().with("x", value)),
            "valid",
        ));
    }
    for (value, expected) in [
        (r#""\ud83d\ude00 é 😀 \u00e9 \/ \b""#, "valid"),
        (r#""\ud83d""#, "not_json"),
        (r#""\ude00""#, "not_json"),
        (r#""\ud83d\ud83d""#, "not_json"),
        (r#""\ud83dx""#, "not_json"),
        (r#""\u0000""#, "not_json"),
        ("\"\u{0}\"", "not_json"),
        ("\"\n\"", "not_json"),
        ("\"\t\"", "not_json"),
        (r#""\x41""#, "not_json"),
        (r#""\u12""#, "not_json"),
        ("'x'", "not_json"),
        ("tru", "not_json"),
        ("TRUE", "not_json"),
        ("[1,]", "not_json"),
        ("[1 2]", "not_json"),
        ("{\"a\"}", "not_json"),
        ("{a:1}", "not_json"),
        ("/* */1", "not_json"),
        ("\u{a0}1", "not_json"),
    ] {
        cases.push(case(
            23,
            format!("a claim of {value:?}"),
            "access",
            access(&Claims::access().with("x", value)),
            expected,
        ));
    }
    let valid = Claims::access().json();
    let utf16: Vec<u8> = valid.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let payloads: [(&str, Vec<u8>, &'static str); 12] = [
        ("UTF-16", utf16, "not_json"),
        ("a byte-order mark", format!("\u{feff}{valid}").into(), "not_json"),
        ("a byte that is not UTF-8", [valid.as_bytes(), b"\xff"].concat(), "not_json"),
        (
            "an overlong slash in a string",
            [b"{\"x\":\"\xc0\xaf\"," as &[u8], &valid.as_bytes()[1..]].concat(),
            "not_json",
        ),
        ("a surrogate in UTF-8", [b"{\"x\":\"\xed\xa0\x80\"," as &[u8], &valid.as_bytes()[1..]].concat(), "not_json"),
        ("white space around", format!(" \r\n\t{valid} \n").into(), "valid"),
        ("text behind", format!("{valid}x").into(), "not_json"),
        ("a second object", format!("{valid}{valid}").into(), "not_json"),
        ("a NUL behind", format!("{valid}\0").into(), "not_json"),
        ("a list", format!("[{valid}]").into(), "not_json"),
        ("a string", b"\"x\"".to_vec(), "not_json"),
        ("nothing", Vec::new(), "not_json"),
    ];
    for (name, payload, expected) in payloads {
        cases.push(case(23, format!("payload: {name}"), "access", token(&ed25519(), HEADER, payload), expected));
    }
    let twins = Claims::access().with("iss", "\"https://id.example\u{301}\"");
    cases.push(case(23, "an issuer with a combining mark", "access", access(&twins), "wrong_issuer"));
}
