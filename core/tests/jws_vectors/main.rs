//! The numbered vectors under `spec/vectors/jws`: tokens and keys that have broken other libraries, each
//! with the outcome that is right. Every language runs these files; this one also writes them:
//! `SAFECONDUCT_WRITE_VECTORS=1 cargo test -p safeconduct-core --test jws_vectors`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test may panic"
)]

mod cache;
mod claims;
mod es256;
mod forge;
mod headers;
mod keys;
mod run;
mod signatures;

use std::path::PathBuf;

use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/jws"))
}

fn files() -> Vec<(&'static str, Value)> {
    vec![
        ("headers.json", forge::file("Headers: attack classes 1 to 5, 17 to 21, 24 to 28, 37", headers::cases())),
        ("claims.json", forge::file("Claims: attack classes 12 to 17, 23", claims::cases())),
        (
            "signatures.json",
            forge::file("Signatures and encodings: attack classes 2, 8 to 11, 22, 30", signatures::cases()),
        ),
        (
            "es256.json",
            with_keys(
                forge::file_for("ES256: attack classes 3, 8, 34", es256::verifiers(), es256::tokens()),
                es256::keys(),
            ),
        ),
        ("cache.json", cache::file()),
        ("keys.json", json!({"title": "Keys: attack classes 2, 6, 34", "keys": keys::cases()})),
    ]
}

fn with_keys(mut file: Value, keys: Vec<Value>) -> Value {
    file["keys"] = keys.into();
    file
}

#[test]
fn the_files_are_what_is_written_here() {
    for (name, content) in files() {
        let path = folder().join(name);
        let text = format!("{}\n", serde_json::to_string_pretty(&content).unwrap());
        if std::env::var_os("SAFECONDUCT_WRITE_VECTORS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == text, "{name} is out of date");
    }
}

#[test]
fn every_vector_has_the_outcome_that_its_file_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, _) in files() {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        for vector in file["tokens"].as_array().into_iter().flatten() {
            count += 1;
            let outcome = run::token(&file["verifiers"][vector["verifier"].as_str().unwrap()], vector);
            if outcome != vector["expected"] {
                wrong.push(format!("{name} {}: {} but {outcome}", vector["number"], vector["name"]));
            }
        }
        #[cfg(feature = "std")]
        for vector in file["conversations"].as_array().into_iter().flatten() {
            let outcomes = run::conversation(&file["verifiers"], vector);
            for (outcome, step) in outcomes.iter().zip(vector["steps"].as_array().unwrap()) {
                count += 1;
                if *outcome != step["expected"] {
                    wrong.push(format!("{name} {}: {} but {outcome}: {step}", vector["number"], vector["name"]));
                }
            }
        }
        for vector in file["keys"].as_array().into_iter().flatten() {
            count += 1;
            let outcome = run::key(vector);
            if outcome != vector["expected"] {
                wrong.push(format!("{name} {}: {} but {outcome}", vector["number"], vector["name"]));
            }
        }
    }
    assert!(count > 300, "only {count} vectors");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
