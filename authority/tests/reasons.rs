//! The reasons that only this crate gives stand in `spec/vectors/reasons.json` too.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::PathBuf;

use safeconduct::core::jws::KeyError;
use safeconduct::core::jws::remote::RemotePolicyError;
use safeconduct::core::jws::rotation::RotationError;
use safeconduct::secrets::SourceError;
use safeconduct::store::StoreError;
use safeconduct::{Error, KeysError, RemoteError};

fn is_listed(reason: &str) -> bool {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/reasons.json");
    std::fs::read_to_string(path).unwrap().contains(&format!("\"{reason}\""))
}

#[test]
fn what_a_store_and_the_system_can_fail_with_is_listed() {
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
            | Error::Keys(_)
            | Error::Entropy => assert!(is_listed(error.reason()), "{}", error.reason()),
        }
    }
}

#[test]
fn why_secrets_cannot_be_had_is_listed() {
    let path = PathBuf::new;
    let errors = [
        SourceError::Missing(path()),
        SourceError::Exposed(path()),
        SourceError::Unreadable(path(), String::new()),
        SourceError::NotSet(String::new()),
        SourceError::Entropy,
    ];
    for error in errors {
        match &error {
            SourceError::Missing(_)
            | SourceError::Exposed(_)
            | SourceError::Unreadable(..)
            | SourceError::NotSet(_)
            | SourceError::Entropy
            | SourceError::Secrets(_) => assert!(is_listed(error.reason()), "{}", error.reason()),
        }
    }
}

#[test]
fn why_keys_of_others_cannot_be_had_is_listed() {
    assert!(is_listed(RemoteError::Unavailable(String::new()).reason()));
    assert!(is_listed(RemotePolicyError.reason()));
}

#[test]
fn why_signing_keys_cannot_be_had_is_listed() {
    let path = PathBuf::new;
    let errors = [
        KeysError::Missing(path()),
        KeysError::Exposed(path()),
        KeysError::Unreadable(path(), String::new()),
        KeysError::Entropy,
        KeysError::Key(KeyError::NoKeys),
        KeysError::Rotation(RotationError::TooEarly),
    ];
    for error in errors {
        match &error {
            KeysError::Missing(_)
            | KeysError::Exposed(_)
            | KeysError::Unreadable(..)
            | KeysError::Entropy
            | KeysError::Key(_)
            | KeysError::Rotation(_) => assert!(is_listed(error.reason()), "{}", error.reason()),
        }
    }
}
