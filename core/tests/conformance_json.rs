//! The strict reader against JSONTestSuite, read in place from `../shared/vectors`; where that folder is
//! absent the test says so in one line and passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test may panic"
)]

use safeconduct_core::encoding::json::{self, JsonError};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/jsontestsuite/test_parsing");

/// Texts that RFC 8259 allows and this reader refuses on purpose.
const REFUSED: [(&str, JsonError); 4] = [
    ("y_object_duplicated_key.json", JsonError::DuplicateMember),
    ("y_object_duplicated_key_and_value.json", JsonError::DuplicateMember),
    ("y_object_escaped_null_in_key.json", JsonError::BadEscape),
    ("y_string_null_escape.json", JsonError::BadEscape),
];

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test has to say so")]
fn json_test_suite() {
    let Ok(folder) = std::fs::read_dir(FOLDER) else {
        println!("skipped: 318 vector files not present");
        return;
    };
    let mut counts = [0; 3];
    for entry in folder {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let text = std::fs::read(entry.path()).unwrap();
        // Most of the texts are no objects: each is read as it is, and again as a member of one.
        let member = [b"{\"member\":" as &[u8], &text, b"}"].concat();
        let (alone, inside) = (json::object(&text).err(), json::object(&member).err());
        let exception = REFUSED.iter().find(|(other, _)| *other == name).map(|(_, reason)| *reason);
        match &name[..2] {
            "y_" => {
                counts[0] += 1;
                assert_eq!(inside, exception, "{name}");
                let is_object = text.trim_ascii_start().starts_with(b"{");
                let expected = if is_object { None } else { Some(JsonError::NotAnObject) };
                assert_eq!(alone, exception.or(expected), "{name}");
            }
            // RFC 8259 leaves the `i_` texts open; I-JSON (RFC 7493) does not.
            prefix => {
                counts[if prefix == "n_" { 1 } else { 2 }] += 1;
                assert!(!matches!(alone, None | Some(JsonError::NotAnObject)), "{name} {alone:?}");
                assert!(inside.is_some(), "{name}");
            }
        }
    }
    assert_eq!(counts, [95, 188, 35]);
}
