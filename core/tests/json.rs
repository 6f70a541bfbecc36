//! The strict reader and the writer, against each other and against serde_json.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use safeconduct_core::encoding::json::{self, JsonError, MAX_DEPTH, MAX_LEN, MAX_NAMES, Value, Writer};

/// The same value for serde_json.
fn convert(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => serde_json::from_str(number.as_str()).unwrap(),
        Value::String(text) => text.to_string().into(),
        Value::Array(array) => array.elements().map(convert).collect(),
        Value::Object(object) => object.members().map(|m| (m.name.to_string(), convert(m.value))).collect(),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof!["[^\u{0}]{0,8}", Just("\u{1f600}\u{7f}\u{1}\"\\/".to_string())];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e300..1e300f64).prop_map(Into::into),
        text.clone().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_json_writes_is_read_as_the_same(value in any_json()) {
        for text in [format!("{{\"v\":{value}}}"), format!(" {{ \"v\" :\n{value:#}\t}} ")] {
            let object = json::object(text.as_bytes()).unwrap();
            prop_assert_eq!(convert(Value::Object(object)), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }
    }

    #[test]
    fn whatever_is_read_serde_json_reads_as_the_same(bytes in "[{}\\[\\]\",:0-9eE.+\\-\\\\untrfalsbd ]{0,24}") {
        let text = format!("{{\"v\":{bytes}}}");
        if let Ok(object) = json::object(text.as_bytes()) {
            prop_assert_eq!(convert(Value::Object(object)), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = json::object(&bytes);
        let _ = json::object(&[b"{\"" as &[u8], &bytes, b"\":1}"].concat());
    }

    #[test]
    fn what_is_written_is_read_back(name in "\\PC{0,8}", value in "[^\u{0}]{0,16}", number in 0..=json::MAX_SAFE_INTEGER) {
        let mut writer = Writer::with_capacity(0);
        writer.string("s", &value).integer("n", number).strings("l", &[&name, &value]).raw("r", "[true]");
        let text = writer.finish();
        let object = json::object(text.as_bytes()).unwrap();
        prop_assert!(object.get("s").unwrap().as_text().unwrap().eq_str(&value));
        prop_assert_eq!(object.get("n").unwrap().as_number().unwrap().as_u64(), Some(number));
        let list: Vec<_> = object.get("l").unwrap().as_array().unwrap().elements().collect();
        prop_assert!(list[0].as_text().unwrap().eq_str(&name) && list.len() == 2);
        prop_assert_eq!(object.members().count(), 4);
    }
}

#[test]
fn limits_are_exact() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(json::object(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(json::object(nested(MAX_DEPTH + 1).as_bytes()).err(), Some(JsonError::TooDeep));
    let crowd = |count: usize| {
        let members: Vec<String> = (0..count).map(|i| format!("\"{i}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(json::object(crowd(MAX_NAMES).as_bytes()).is_ok());
    assert_eq!(json::object(crowd(MAX_NAMES + 1).as_bytes()).err(), Some(JsonError::TooManyMembers));
    let padded = |len: usize| format!("{{}}{}", " ".repeat(len - 2));
    assert!(json::object(padded(MAX_LEN).as_bytes()).is_ok());
    assert_eq!(json::object(padded(MAX_LEN + 1).as_bytes()).err(), Some(JsonError::TooLarge));
}

#[test]
fn numbers_are_exact() {
    let floor = |text: &str| {
        let text = format!("{{\"n\":{text}}}");
        json::object(text.as_bytes()).unwrap().get("n").unwrap().as_number().unwrap().floor_u64()
    };
    for (text, expected) in [
        ("0", Some(0)),
        ("0.0", Some(0)),
        ("0e99999", Some(0)),
        ("0.000e-99999", Some(0)),
        ("1.9", Some(1)),
        ("0.9999999999999999999999999", Some(0)),
        ("12e0", Some(12)),
        ("1.25e1", Some(12)),
        ("1.25e2", Some(125)),
        ("1.25E+3", Some(1250)),
        ("125e-2", Some(1)),
        ("125e-3", Some(0)),
        ("1e-300", Some(0)),
        ("9007199254740991", Some(9_007_199_254_740_991)),
        ("9007199254740991.9", Some(9_007_199_254_740_991)),
        ("9007199254740992", None),
        ("9.007199254740992e15", None),
        ("1e16", None),
        ("1e300", None),
        ("-0", None),
        ("-1", None),
        ("-0.5", None),
    ] {
        assert_eq!(floor(text), expected, "{text}");
    }
}

#[test]
fn escapes_mean_what_the_rfc_says() {
    let text = r#"{"\u0061\/\\\"\b\f\n\r\t\ud83d\ude00\uD834\uDD1E\uDBFF\uDFFF\u00e9":1}"#;
    let object = json::object(text.as_bytes()).unwrap();
    let name = "a/\\\"\u{8}\u{c}\n\r\t\u{1f600}\u{1d11e}\u{10ffff}é";
    assert!(object.get(name).is_some());
    assert_eq!(object.members().next().unwrap().name.to_string(), name);
    let mut buffer = [0; 64];
    assert_eq!(object.members().next().unwrap().name.decoded(&mut buffer), Some(name));
    assert_eq!(object.members().next().unwrap().name.decoded(&mut [0; 8]), None);
}

#[test]
fn twins_are_found_however_they_are_written() {
    for name in ["a", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghi", "https://example.com/roles", "é\u{1f600}"] {
        let escape = |unit: u16| format!("\\u{unit:04x}");
        let escaped: String = name.encode_utf16().map(escape).collect();
        let half = name.char_indices().nth(name.chars().count() / 2).unwrap().0;
        let first_half: String = name[..half].encode_utf16().map(escape).collect();
        let forms = [name.to_string(), escaped, format!("{first_half}{}", &name[half..])];
        for (first, second) in forms.iter().flat_map(|first| forms.iter().map(move |second| (first, second))) {
            let others: String = (0..20).map(|i| format!("\"{i}{name}\":{i},\"{name}{i}\":0,")).collect();
            let object = format!("{{\"{first}\":1,{others}\"{second}\":1}}");
            for text in [format!("{{\"v\":[{object}]}}"), object] {
                assert_eq!(json::object(text.as_bytes()).err(), Some(JsonError::DuplicateMember), "{text}");
            }
            let unlike = format!("{{\"{first}\":{{\"{second}\":1}},{others}\"{second}_\":1}}");
            assert!(json::object(unlike.as_bytes()).is_ok(), "{unlike}");
        }
    }
}
