//! What a client makes of an answer is what the table in `spec/http.md` says that it does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use safeconduct_core::client::Why;
use safeconduct_core::client::event::Reply;
use safeconduct_core::client::verdict::{Refused, verdict};
use safeconduct_core::time::Seconds;

fn kind(answer: &Refused<'_>) -> &'static str {
    match verdict(answer) {
        Reply::Granted(_) => "granted",
        Reply::Superseded(Some(_)) => "send once more",
        Reply::Superseded(None) => "read storage again",
        Reply::Ended(_) => "sign in",
        Reply::NonceRequired(_) => "make a new proof",
        Reply::Later(_) => "later",
        Reply::Mend => "mend",
    }
}

/// Reason, status, error and what the client does, of each row that `/refresh` can answer with.
fn rows() -> Vec<(String, u16, String, String)> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/http.md")).unwrap();
    let table = page.split("| reason | status | error |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut rows = Vec::new();
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let status = cells[1].split(" / ").next().unwrap().parse().unwrap();
        let error = cells[2].split(" / ").next().unwrap();
        for reason in cells[0].split(", ") {
            let reason = reason.split('`').nth(1).unwrap();
            rows.push((reason.into(), status, error.into(), cells[4].into()));
        }
    }
    rows
}

#[test]
fn a_client_does_what_the_page_says() {
    let mut compared = 0;
    for (reason, status, error, action) in rows() {
        let expected = match action.as_str() {
            "operator" => "later",
            action if action.starts_with("operator") || action.starts_with("later") => "later",
            action if action.starts_with("mend") => "mend",
            action if action.starts_with("sign in") => "sign in",
            action if action.starts_with("read storage again") => "read storage again",
            action if action.starts_with("send once more") => "send once more",
            action if action.starts_with("make a new proof") => "make a new proof",
            // Resources and the sign-in, which are the application's own requests.
            _ => continue,
        };
        let answer = Refused {
            status,
            error: Some(&error),
            reason: Some(&reason),
            challenge: (status == 409).then_some("scc1_x"),
            nonce: Some("nonce"),
            retry_after: Some(Seconds::new(7)),
        };
        assert_eq!(kind(&answer), expected, "{reason}: {action}");
        compared += 1;
    }
    assert!(compared > 40, "{compared} rows were compared");
}

#[test]
fn nothing_but_a_400_with_invalid_grant_ends_a_session() {
    let errors = [None, Some("invalid_grant"), Some("invalid_token"), Some("invalid_request"), Some("from the future")];
    let mut ended = 0;
    for status in 100..=599 {
        for error in errors {
            for reason in [None, Some("session_revoked"), Some("from the future")] {
                let ends = kind(&Refused { status, error, reason, ..Refused::default() }) == "sign in";
                assert_eq!(ends, (status, error) == (400, Some("invalid_grant")), "{status} {error:?} {reason:?}");
                ended += u32::from(ends);
            }
        }
    }
    assert_eq!(ended, 3);
}

#[test]
fn a_reason_that_is_not_known_is_told_as_such_and_retry_after_is_kept() {
    let refused = Refused { status: 400, error: Some("invalid_grant"), ..Refused::default() };
    for (reason, why) in [
        ("session_revoked", Why::Revoked),
        ("reuse_detected", Why::ReuseDetected),
        ("from the future", Why::InvalidGrant),
        // The client's own words.
        ("signed_out", Why::InvalidGrant),
    ] {
        assert!(matches!(verdict(&Refused { reason: Some(reason), ..refused }), Reply::Ended(read) if read == why));
    }
    let later = Refused { status: 503, retry_after: Some(Seconds::new(30)), ..Refused::default() };
    assert!(matches!(verdict(&later), Reply::Later(at_least) if at_least == Seconds::new(30)));
}
