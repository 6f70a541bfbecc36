//! Client records as they were written by every version so far, in `spec/vectors/records/`: they must be
//! read for ever. `UPDATE=1` writes the files of a new format; those of an old one are never changed.

use std::path::PathBuf;
use std::string::String;
use std::{format, fs, vec};

use super::*;
use crate::id::SessionId;
use crate::secret::KeyId;
use crate::session::invariants::is_bound_to_its_bytes;
use crate::token::refresh::Kind;

fn token(kind: Kind, generation: u32) -> Token {
    let sid = SessionId::from_bytes([0x22; 16]);
    Token { kind, key: KeyId(1), sid, generation, secret: Secret::new([0x33; 32]), tag: [0x44; 16], seal: [0x55; 16] }
}

fn held(rule: Rule, access: Option<&str>) -> Held {
    let access = access.map(|token| Access {
        token: Zeroizing::new(token.into()),
        since: Timestamp::from_millis(1_700_000_000_123),
        lifetime: Seconds::new(600),
    });
    Held { token: token(Kind::Refresh, 7), rule, access }
}

fn owed(count: u32) -> Vec<Owed> {
    (0..count).map(|generation| Owed::of(&token(Kind::Refresh, generation))).collect()
}

fn committed() -> Rule {
    Rule::Committed { next: Secret::new([0x66; 32]) }
}

fn again(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let record = read(bytes).ok()?;
    match &record.content {
        Content::Held(held) => Some(write_held(held, &record.owed)),
        Content::Ended(why) => write_ended(*why, &record.owed),
    }
}

/// Compares with the golden file `name`, and reads what it wrote.
fn golden(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/records").join(format!("{name}.hex"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if std::env::var_os("UPDATE").is_some() && !path.exists() {
        fs::write(&path, format!("{hex}\n")).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), hex, "{name}: what was written once must be read for ever");
    assert_eq!(again(bytes).as_deref().map(Vec::as_slice), Some(bytes), "{name}: is not read as it was written");
}

#[test]
fn records_of_every_kind_are_written_and_read_as_ever() {
    golden("client-v1-committed", &write_held(&held(committed(), Some("eyJ0.e30.c2ln")), &[]));
    golden("client-v1-without-access", &write_held(&held(committed(), None), &owed(1)));
    golden("client-v1-window", &write_held(&held(Rule::Window, Some("eyJ0.e30.c2ln")), &[]));
    let nonce = Some(String::from("nonce-1"));
    golden("client-v1-bound", &write_held(&held(Rule::Bound { nonce }, None), &[]));
    golden("client-v1-bound-without-nonce", &write_held(&held(Rule::Bound { nonce: None }, None), &[]));
    golden("client-v1-signed-out", &write_ended(Why::SignedOut, &owed(2)).unwrap());
    golden("client-v1-used-elsewhere", &write_ended(Why::UsedElsewhere, &owed(1)).unwrap());
}

#[test]
fn the_reason_of_every_end_keeps_its_number() {
    for (number, why) in Why::ALL.iter().enumerate() {
        let bytes = write_ended(*why, &owed(1)).unwrap();
        assert_eq!((bytes[0], bytes[1], usize::from(bytes[2])), (FORMAT, 2, number));
        assert!(matches!(read(&bytes).unwrap().content, Content::Ended(read) if read == *why));
    }
    let numbered: Vec<&str> = Why::ALL.iter().map(|why| why.reason()).collect();
    let ever = [
        "signed_out",
        "superseded",
        "reuse_detected",
        "not_ours",
        "wrong_holder",
        "session_unknown",
        "session_revoked",
        "session_expired_idle",
        "session_expired_absolute",
        "generation_exhausted",
        "invalid_grant",
    ];
    assert_eq!(numbered[..ever.len()], ever, "a number changed its meaning");
}

#[test]
fn nothing_to_keep_is_written_as_nothing() {
    assert!(write_ended(Why::SignedOut, &[]).is_none());
    let mut nothing = vec![FORMAT, 2, 0, 0];
    let sum = checksum(&nothing);
    nothing.extend_from_slice(&sum);
    assert_eq!(read(&nothing).unwrap_err(), Fault::Damaged, "one content has two forms");
}

#[test]
fn the_longest_record_fits_and_is_not_moved_while_it_is_written() {
    let longest = "a".repeat(MAX_ACCESS_LEN);
    let rule = Rule::Bound { nonce: Some("n".repeat(MAX_NONCE_LEN)) };
    for rule in [rule, committed()] {
        let bytes = write_held(&held(rule, Some(&longest)), &owed(9));
        assert!(bytes.len() <= MAX_LEN && bytes.capacity() == MAX_LEN, "{} of {}", bytes.len(), bytes.capacity());
        let record = read(&bytes).unwrap();
        assert_eq!(record.owed.len(), MAX_OWED);
        assert_eq!(record.owed[0].attempt.generation, 5, "the oldest debts give way");
    }
    let too_long = "a".repeat(MAX_ACCESS_LEN + 1);
    let record = read(&write_held(&held(Rule::Window, Some(&too_long)), &[])).unwrap();
    assert!(matches!(record.content, Content::Held(Held { access: None, .. })));
}

#[test]
fn a_record_that_is_torn_decayed_or_too_long_is_damaged() {
    let bytes = write_held(&held(committed(), Some("eyJ0.e30.c2ln")), &owed(1));
    assert_eq!(is_bound_to_its_bytes(&bytes, |bytes| read(bytes).is_ok()), Ok(()));
    for len in 0..bytes.len() {
        assert_eq!(read(&bytes[..len]).unwrap_err(), Fault::Damaged, "{len}");
    }
    let longer: Vec<u8> = [bytes.as_slice(), &[0]].concat();
    assert_eq!(read(&longer).unwrap_err(), Fault::Damaged);
    assert_eq!(read(&vec![FORMAT; MAX_LEN + 1]).unwrap_err(), Fault::Damaged);
    let old: Vec<u8> = [&[0], &bytes[1..]].concat();
    assert_eq!(read(&old).unwrap_err(), Fault::Damaged);
}

#[test]
fn a_newer_format_is_told_from_damage_however_it_goes_on() {
    for rest in [&[][..], &[0; 3], &[0xff; 200]] {
        let newer: Vec<u8> = [&[FORMAT + 1], rest].concat();
        assert_eq!(read(&newer).unwrap_err(), Fault::Newer);
    }
}

#[test]
fn only_refresh_tokens_are_kept() {
    let opaque = Held { token: token(Kind::Opaque, 7), ..held(committed(), None) };
    assert_eq!(read(&write_held(&opaque, &[])).unwrap_err(), Fault::Damaged);
}
