//! Records as they were written by every version so far, in `spec/vectors/records/`: they must be read for
//! ever. `UPDATE=1` writes the files of a new format; those of an old one are never changed.

use std::path::PathBuf;
use std::string::String;
use std::vec::Vec;
use std::{format, fs};

use super::*;
use crate::id::{Partition, SessionId};
use crate::secret::Secrets;
use crate::session::invariants::{is_bound_to_its_bytes, leads_to_nobody, storage_is_constant};

fn ring() -> Keyring {
    Keyring::derive(&Secrets::new([0x11; 32]), "https://issuer.example")
}

const HANDLE: SubjectHandle = SubjectHandle::new(Partition(3), [0x22; 7]);

fn sid() -> SessionId {
    SessionId::new(HANDLE, [0x33; 8])
}

fn sample(mode: Mode, replay: Replay, revoked: Option<Reason>, full: bool) -> Session {
    let at = Timestamp::from_millis;
    let note = |text: &str| full.then(|| String::from(text));
    Session {
        terms: Terms {
            key: KeyId(1),
            mode,
            replay,
            salt: [0x44; 16],
            subject: "user-000000000000000001x".into(),
            client_id: "client-000000001".into(),
            device: note("Firefox"),
            ip: note("192.0.2.1"),
            thumbprint: full.then_some([0x55; 32]),
            issued_at: at(1_700_000_000_000),
            absolute_deadline: at(1_715_552_000_000),
            global_epoch: 0,
        },
        entitlement: Entitlement {
            scope: "read write admin".into(),
            claims: CustomClaims::from_members(note("\"tier\":2").unwrap_or_default()),
        },
        state: State {
            revoked,
            epoch: 1_700_000_000,
            claims_version: 0,
            generation: 7,
            current: Commitment([0x66; 32]),
            previous: [0x77; 16],
            rotated_at: at(1_700_000_600_000),
            idle_deadline: at(1_702_592_600_000),
        },
    }
}

/// Compares with the golden file `name`.
fn golden(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/records").join(format!("{name}.hex"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if std::env::var_os("UPDATE").is_some() && !path.exists() {
        fs::write(&path, format!("{hex}\n")).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), hex, "{name}: what was written once must be read for ever");
}

#[test]
fn sessions_of_every_kind_are_written_and_read_as_ever() {
    let ring = ring();
    let (keys, at) = (ring.newest(), Key::Session(sid()));
    let window = |late| Replay::Window(Window { width: Seconds::new(10), late });
    let cases = [
        ("session-v1-window", sample(Mode::Hybrid, window(Late::Challenge), None, false)),
        ("session-v1-plain", sample(Mode::Hybrid, window(Late::Revoke), Some(Reason::ReuseDetected), false)),
        ("session-v1-committed", sample(Mode::Hybrid, Replay::Committed, None, true)),
        ("session-v1-bound", sample(Mode::Hybrid, Replay::Bound, Some(Reason::Displaced), true)),
        ("session-v1-jwt", sample(Mode::Jwt, window(Late::Challenge), Some(Reason::Administrative), false)),
        ("session-v1-opaque", sample(Mode::Opaque, window(Late::Challenge), Some(Reason::SignedOut), true)),
    ];
    for (name, session) in cases {
        let bytes = write_session(&session, at, keys);
        assert_eq!(read_session(&bytes, at, &ring).as_ref(), Ok(&session));
        golden(name, &bytes);
    }
}

#[test]
fn the_other_records_are_written_and_read_as_ever() {
    let ring = ring();
    let keys = ring.newest();
    let subject = Subject { epoch: 1_700_000_000, erased: true, issued: 3, gc_at: Timestamp::from_millis(5) };
    let at = Key::Subject(HANDLE);
    let bytes = write_subject(&subject, at, keys);
    assert_eq!(read_subject(&bytes, at, &ring), Ok(subject));
    golden("subject-v1", &bytes);

    let directory = Directory { handle: HANDLE, gc_at: Timestamp::from_millis(5) };
    let at = Key::Directory(crate::store::DirectoryId([2; 16]));
    let bytes = write_directory(&directory, at, keys);
    assert_eq!(read_directory(&bytes, at, &ring), Ok(directory));
    golden("directory-v1", &bytes);

    let bytes = write_deployment(16, keys);
    assert_eq!(read_deployment(&bytes, &ring), Ok((KeyId(1), 16)));
    golden("deployment-v1", &bytes);
}

#[test]
fn a_session_takes_at_most_256_bytes_and_as_many_after_a_rotation() {
    let ring = ring();
    let (keys, at) = (ring.newest(), Key::Session(sid()));
    let session = sample(Mode::Hybrid, Replay::Committed, None, false);
    assert_eq!(
        (session.terms.subject.len(), session.terms.client_id.len(), session.entitlement.scope.len()),
        (24, 16, 16)
    );
    let before = write_session(&session, at, keys);
    assert!(before.len() <= 256, "{} bytes", before.len());
    let state =
        State { generation: u32::MAX, rotated_at: Timestamp::MAX, revoked: Some(Reason::SignedOut), ..session.state };
    let after = write_session(&Session { state, ..session }, at, keys);
    assert_eq!(storage_is_constant(&before, &after), Ok(()));
}

#[test]
fn a_record_that_was_changed_cut_moved_or_made_elsewhere_is_refused() {
    let ring = ring();
    let (keys, at) = (ring.newest(), Key::Session(sid()));
    let bytes = write_session(&sample(Mode::Hybrid, Replay::Committed, None, true), at, keys);
    assert_eq!(is_bound_to_its_bytes(&bytes, |bytes| read_session(bytes, at, &ring).is_ok()), Ok(()));
    for len in 0..bytes.len() {
        assert!(read_session(&bytes[..len], at, &ring).is_err());
    }
    let elsewhere = Key::Session(SessionId::new(HANDLE, [0x34; 8]));
    assert_eq!(read_session(&bytes, elsewhere, &ring).unwrap_err(), RecordError::Tampered);
    let other_issuer = Keyring::derive(&Secrets::new([0x11; 32]), "https://other.example");
    assert_eq!(read_session(&bytes, at, &other_issuer).unwrap_err(), RecordError::Tampered);
    let newer: Vec<u8> = [&[FORMAT + 1], &bytes[1..]].concat();
    assert_eq!(read_session(&newer, at, &ring).unwrap_err(), RecordError::Newer);
    let other_key: Vec<u8> = [&[FORMAT, 9], &bytes[2..]].concat();
    assert_eq!(read_session(&other_key, at, &ring).unwrap_err(), RecordError::UnknownKey);
}

#[test]
fn the_records_that_outlive_an_erasure_lead_to_nobody() {
    let ring = ring();
    let subject = Subject { epoch: 1, erased: true, issued: 0, gc_at: Timestamp::MAX };
    let bytes = write_subject(&subject, Key::Subject(HANDLE), ring.newest());
    assert_eq!(leads_to_nobody(&bytes, &["user-000000000000000001x", "client-000000001"]), Ok(()));
}

#[test]
fn derived_keys_are_those_of_hkdf() {
    use crate::secret::MacKey;
    let keyring = ring();
    let mut salt = [0; 32];
    salt[..13].copy_from_slice(b"safeconduct 1");
    let hkdf = hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &[0x11; 32]);
    let mut expected = [0; 32];
    hkdf.expand_multi_info(&[b"record", &[0], b"https://issuer.example"], &mut expected).unwrap();
    let derived = &keyring.newest().record;
    assert_eq!(derived.mac(&[b"message"]), MacKey::new(&expected).mac(&[b"message"]));
}
