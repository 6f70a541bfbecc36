//! Replays the committed corpora through the targets' bodies: no fuzzer, no nightly compiler.

use std::collections::BTreeSet;
use std::path::Path;

use safeconduct_core::session::transition;
use safeconduct_fuzz::session_events::{self, Fault};
use safeconduct_fuzz::{Judged, json, jws_verify, record, refresh_token, transition as decisions};

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = files.map(|file| file.unwrap().path());
    let inputs: Vec<_> = paths.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

fn replay(target: &str, body: impl Fn(&[u8]) -> Judged) {
    for (name, input) in corpus(target) {
        if let Err(broken) = body(&input) {
            panic!("{name}: {}", broken.0);
        }
    }
}

#[test]
fn json_replays_and_meets_every_reason() {
    replay("json", |data| json::run(data, json::read));
    let mut reasons: Vec<_> = corpus("json").iter().filter_map(|(_, input)| json::read(input).err()).collect();
    reasons.sort_unstable_by_key(|reason| reason.reason());
    reasons.dedup();
    assert_eq!(reasons.len(), 9, "{reasons:?}");
}

#[test]
fn jws_verify_replays() {
    replay("jws_verify", |data| jws_verify::run(data, jws_verify::accept));
}

#[test]
fn refresh_token_replays() {
    replay("refresh_token", |data| refresh_token::run(data, refresh_token::authenticate));
}

#[test]
fn record_replays() {
    replay("record", |data| record::run(data, record::drive));
}

#[test]
fn transition_replays() {
    replay("transition", |data| decisions::run(data, transition));
}

#[test]
fn session_events_replays_and_meets_every_outcome() {
    let mut seen = BTreeSet::new();
    for (name, input) in corpus("session_events") {
        match session_events::run(&input, Fault::default()) {
            Ok(met) => seen.extend(met.0),
            Err(broken) => panic!("{name}: {}", broken.0),
        }
    }
    let must = [
        "issued",
        "rotated",
        "repeated",
        "paused",
        "authenticated",
        "amended",
        "revoked",
        "erased",
        "reuse_detected",
        "superseded",
        "not_ours",
        "wrong_holder",
        "session_unknown",
        "session_revoked",
        "session_expired_idle",
        "session_expired_absolute",
        "commitment_required",
        "commitment_unexpected",
        "commitment_reused",
        "proof_required",
        "nonce_required",
        "scope_exceeded",
        "store_behind",
        "too_many_sessions",
        "honest",
        "honest session token",
        "listed",
    ];
    let missing: Vec<_> = must.iter().filter(|outcome| !seen.contains(**outcome)).collect();
    assert!(missing.is_empty(), "no input of the corpus leads to {missing:?}");
}

#[test]
fn a_corpus_stays_small() {
    for target in ["json", "jws_verify", "refresh_token", "record", "session_events", "transition"] {
        let inputs = corpus(target);
        let bytes: usize = inputs.iter().map(|(_, input)| input.len()).sum();
        assert!(inputs.len() <= 200 && bytes <= 300_000, "{target}: {} files, {bytes} bytes", inputs.len());
    }
}
