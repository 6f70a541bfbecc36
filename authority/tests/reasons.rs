//! The reasons that only this crate gives stand in `spec/vectors/reasons.json` too.
#![allow(clippy::unwrap_used, missing_docs)]

use safeconduct::Error;
use safeconduct::store::StoreError;

#[test]
fn what_a_store_and_the_system_can_fail_with_is_listed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/reasons.json");
    let listed = std::fs::read_to_string(path).unwrap();
    let errors =
        [StoreError::Unavailable(String::new()), StoreError::Unusable(String::new())].map(Error::Store).into_iter();
    for error in errors.chain([Error::Entropy]) {
        match &error {
            Error::InvalidToken(_)
            | Error::Refused(_)
            | Error::SignIn(_)
            | Error::Config(_)
            | Error::Store(StoreError::Unavailable(_) | StoreError::Unusable(_))
            | Error::Exchange(_)
            | Error::Entropy => assert!(listed.contains(&format!("\"{}\"", error.reason())), "{}", error.reason()),
        }
    }
}
