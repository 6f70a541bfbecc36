//! The shortcut against the strict reader, and readers that are too kind.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::token::Profile;

type Reader = fn(&[u8], &mut Index) -> bool;

const EIGHT: &str = r#"{"iss":"https://issuer.example","aud":"https://api.example","sub":"01234567","client_id":"app","exp":1800000600,"iat":1800000000,"jti":"AAAAAAAAAAAA","sid":"AwEBAQEBAQECAgICAgICAg"}"#;
const CUSTOM: &str = r#"{"sub":"a","roles":["admin","b"],"exp":1,"tenant":17,"on":true,"off":false,"no":null,"":"","e":[],"n":[0,1],"cnf":{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#;
const ALL: &str = r#"{"iss":"i","aud":"","sub":"0123456789abcdef01234567","client_id":"client-0123456-7","exp":9007199254740991,"iat":12345678,"nbf":0,"jti":"AAAAAAAAAAAAAAAAAAAAAA","sid":"AwEBAQEBAQECAgICAgICAg","sep":1800000000,"scv":7,"gep":0,"scope":"read write admin","auth_time":1800000000}"#;

/// Whether what `read` takes for plain is read alike by the strict reader, under both profiles.
fn agrees(read: Reader, payload: &str) -> bool {
    let mut index = Index::default();
    let strictly = |profile| Index::read_strictly(payload.as_bytes(), profile);
    !read(payload.as_bytes(), &mut index)
        || strictly(Profile::AccessToken) == Ok(index) && strictly(Profile::Jwt) == Ok(index)
}

/// A list of members in any order: plain ones, and such as are not.
fn payloads() -> impl Strategy<Value = String> {
    let select = prop::sample::select::<&'static str>;
    let texts = ["iss", "aud", "sub", "client_id", "jti", "scope"];
    let numbers = ["exp", "iat", "nbf", "auth_time", "sep", "scv", "gep"];
    let others =
        ["sid", "cnf", "is", "isss", "client_i", "client_idx", "auth_tim", "scop", "\\u0069ss", "", "iss", "exp"];
    let text = "\"[ -!#-\\[\\]-~]{0,40}\"";
    let other = prop_oneof![
        2 => "\"[ -~\u{1}\u{7f}é]{0,12}\"",
        2 => "-?0{0,2}[0-9]{0,20}(\\.[0-9])?(e[0-9])?",
        2 => select(alloc::vec!["null", "true", "[]", "[\"a\"]", "[1,\"b\",null]", "[1,]", "[,]", "[1 ]", "[[]]", "nul", "fals", "-1", "1.5", "{}", "{\"jkt\":\"a\"}", ""])
            .prop_map(ToString::to_string),
    ];
    let named = prop_oneof![
        5 => (select(texts.to_vec()), text.prop_map(|text| text)),
        5 => (select(numbers.to_vec()), "(0|[1-9][0-9]{0,15})".prop_map(|number| number)),
        1 => Just(("sid", "\"AwEBAQEBAQECAgICAgICAg\"".to_string())),
        1 => select(alloc::vec!["A", "A\":\"", "B", ""]).prop_map(|end| {
            ("cnf", alloc::format!("{{\"jkt\":\"{}{end}\"}}", "A".repeat(42)))
        }),
        1 => (select([&texts[..], &numbers, &others].concat()), other.clone()),
        1 => ("[a-c]{0,2}", other).prop_map(|(name, value)| (name.leak() as &'static str, value)),
    ];
    let colon = prop_oneof![30 => Just(":"), 1 => Just(" :"), 1 => Just(": "), 1 => Just("")];
    let comma = prop_oneof![30 => Just(","), 1 => Just(", "), 1 => Just(",,")];
    let member = (named, colon, comma);
    let end = prop_oneof![20 => Just("}"), 1 => Just("} "), 1 => Just("}}"), 1 => Just(""), 1 => Just(",}")];
    (prop::collection::vec(member, 0..9), end).prop_map(|(members, end)| {
        let mut payload = String::from("{");
        for (i, ((name, value), colon, comma)) in members.iter().enumerate() {
            payload.push_str(if i == 0 { "" } else { comma });
            payload.push_str(&alloc::format!("\"{name}\"{colon}{value}"));
        }
        payload.push_str(end);
        payload
    })
}

/// How many of a great many payloads `read` takes for plain, and the first that it reads otherwise.
fn compare(read: Reader) -> (usize, Option<String>) {
    let mut runner = TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let plain = core::cell::Cell::new(0usize);
    let outcome = runner.run(&payloads(), |payload| {
        let is_plain = read(payload.as_bytes(), &mut Index::default());
        plain.set(plain.get().saturating_add(is_plain.into()));
        if agrees(read, &payload) { Ok(()) } else { Err(TestCaseError::fail(payload)) }
    });
    (plain.get(), outcome.err().map(|error| error.to_string()))
}

#[test]
fn what_issuers_write_is_plain() {
    for payload in [EIGHT, ALL, CUSTOM] {
        assert!(read(payload.as_bytes(), &mut Index::default()) && agrees(read, payload), "{payload}");
    }
}

#[test]
fn what_is_plain_is_read_as_the_strict_reader_reads_it() {
    let (plain, otherwise) = compare(read);
    assert_eq!(otherwise, None);
    assert!(plain > 500, "only {plain} payloads were plain");
}

#[test]
fn a_reader_that_is_too_kind_is_caught() {
    fn with(change: fn(&str) -> String, payload: &[u8], index: &mut Index) -> bool {
        let changed = change(core::str::from_utf8(payload).unwrap());
        read(changed.as_bytes(), index)
    }
    let wrong: [(&str, Reader); 6] = [
        ("white space", |payload, index| with(|text| text.replace(": ", ":"), payload, index)),
        ("control characters", |payload, index| with(|text| text.replace('\u{1}', "x"), payload, index)),
        ("beyond ASCII", |payload, index| with(|text| text.replace('\u{e9}', "e"), payload, index)),
        ("leading zeros", |payload, index| with(|text| text.replace(":0", ":"), payload, index)),
        ("what stands behind", |payload, index| with(|text| text.replace("}}", "}"), payload, index)),
        ("a second name", |payload, index| {
            // Each object begins anew where a name is met again.
            let text = core::str::from_utf8(payload).unwrap();
            let members: Vec<&str> = text.trim_matches(['{', '}']).split(',').collect();
            let name = |member: &str| member.split(':').next().map(ToString::to_string);
            let last = members.last().map(|last| name(last));
            let others = members.iter().rev().skip(1).rev().filter(|member| Some(name(member)) != last);
            let kept: Vec<&str> = others.chain(members.last()).copied().collect();
            read(alloc::format!("{{{}}}", kept.join(",")).as_bytes(), index)
        }),
    ];
    for (what, reader) in wrong {
        assert!(compare(reader).1.is_some(), "a reader that overlooks {what} was not caught");
    }
}

#[test]
fn every_change_of_one_byte_is_read_alike_or_left_to_the_strict_reader() {
    for payload in [EIGHT, ALL, CUSTOM] {
        for at in 0..payload.len() {
            for byte in 0..=127 {
                let mut changed = payload.as_bytes().to_vec();
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                assert!(agrees(read, &changed), "{changed}");
            }
        }
    }
}
