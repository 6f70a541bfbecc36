//! What an adversary, an unlucky clock or a broken store tries, one promise a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::arithmetic_side_effects, unreachable_pub)]

mod hooked;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::revocation::view::View;
use safeconduct::core::secret::{KeyId, Secrets};
use safeconduct::core::session::event::Amendment;
use safeconduct::core::session::exchange::{Answer, Entropy, Exchange, Request};
use safeconduct::core::session::issuer::Issuer;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Policy;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::store::{Commit, Committed, Get, Key, LogEntry, Put};
use safeconduct::core::time::Timestamp;
use safeconduct::core::token::{InvalidToken, Scratch};
use safeconduct::store::{MemoryStore, SqliteStore, Store, StoreError};
use safeconduct::{Authority, Error, RefreshRequest};

use crate::hooked::{Call, Hooked};

const START: u64 = 1_700_000_000_000;
const DAY: u64 = 86_400_000;

/// Two master keys, ids 1 and 2; `order` says which are known, the newest last.
fn secrets(order: &[u8]) -> Secrets {
    let mut secrets = Secrets::new([9; 32]);
    secrets.add([10; 32]).unwrap();
    match order {
        [1] => secrets.retire(KeyId(2)).unwrap(),
        [2] => secrets.retire(KeyId(1)).unwrap(),
        [1, 2] => {}
        [2, 1] => {
            let text = secrets.to_text();
            let lines: Vec<&str> = text.lines().rev().collect();
            secrets = Secrets::parse(&lines.join("\n")).unwrap();
        }
        _ => panic!(),
    }
    secrets
}

fn issuer(order: &[u8], policy: Policy) -> Issuer {
    let keys = KeySet::new(SigningKey::ed25519(&[7; 32], Algorithm::EdDsa).unwrap());
    Issuer::new("https://issuer.example", "api", keys, &secrets(order), policy).unwrap()
}

fn process<S: Store>(store: S, order: &[u8], clock: &Arc<AtomicU64>) -> Authority<S> {
    let now = Arc::clone(clock);
    let read = move || Timestamp::from_millis(now.load(Ordering::SeqCst));
    Authority::open_with_clock(issuer(order, Policy::default()), store, read).unwrap()
}

fn clock() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(START))
}

fn verdict<S: Store>(authority: &Authority<S>, access_token: &str) -> Result<(), Error> {
    authority.verify(access_token, &mut Scratch::boxed()).map(|_| ())
}

const REVOKED: Result<(), Error> = Err(Error::InvalidToken(InvalidToken::Revoked));

#[test]
fn a_revoke_is_in_force_where_it_was_acknowledged_even_if_it_was_done_before() {
    let (store, clock) = (MemoryStore::new(), clock());
    let (a, b) = (process(store.clone(), &[1], &clock), process(store, &[1], &clock));
    let grant = a.issue(&SignInRequest::new("user-1")).unwrap().grant;
    assert_eq!(a.revoke_session(grant.session), Ok(Outcome::Revoked));
    assert_eq!(b.revoke_session(grant.session), Ok(Outcome::Revoked));
    assert_eq!(verdict(&b, &grant.access_token.unwrap()), REVOKED);
}

#[test]
fn a_revoke_whose_commit_was_not_answered_is_in_force_after_it_is_repeated() {
    let (store, clock) = (Hooked::default(), clock());
    let authority = process(store.clone(), &[1], &clock);
    let grant = authority.issue(&SignInRequest::new("user-1")).unwrap().grant;
    store.once(|call| matches!(call, Call::Committed), || Err(StoreError::Unavailable(String::new())));
    assert!(authority.revoke_session(grant.session).is_err());
    assert_eq!(authority.revoke_session(grant.session), Ok(Outcome::Revoked));
    assert_eq!(verdict(&authority, &grant.access_token.unwrap()), REVOKED);
}

#[test]
fn an_erasure_that_was_cut_short_is_in_force_after_it_is_repeated() {
    let (store, clock) = (Hooked::default(), clock());
    let authority = process(store.clone(), &[1], &clock);
    let grant = authority.issue(&SignInRequest::new("user-1")).unwrap().grant;
    store.once(|call| matches!(call, Call::List), || Err(StoreError::Unavailable(String::new())));
    assert!(authority.erase_subject("user-1").is_err());
    assert_eq!(authority.erase_subject("user-1"), Ok(()));
    assert_eq!(verdict(&authority, &grant.access_token.unwrap()), REVOKED);
}

/// The second step of bringing in a master key: all processes know both, some have the new one last.
#[test]
fn a_revoke_all_ends_every_session_while_a_new_master_key_is_rolled_out() {
    let (store, clock) = (Hooked::default(), clock());
    let old = process(store.clone(), &[2, 1], &clock);
    let new = process(store.store.clone(), &[1, 2], &clock);
    let elsewhere = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&elsewhere);
    let concurrent = process(store.store.clone(), &[1, 2], &clock);
    store.once(
        |call| matches!(call, Call::Commit(commit) if matches!(commit.expect[0].0, Key::Subject(_))),
        move || {
            *slot.lock().unwrap() = Some(concurrent.issue(&SignInRequest::new("user-1")).unwrap().grant);
            Ok(())
        },
    );
    let here = old.issue(&SignInRequest::new("user-1")).unwrap().grant;
    let elsewhere = elsewhere.lock().unwrap().take().unwrap();
    clock.fetch_add(DAY, Ordering::SeqCst);
    new.revoke_subject("user-1", None).unwrap();
    for grant in [elsewhere, here] {
        let refreshed = new.refresh(&grant.refresh_token.unwrap(), &RefreshRequest::default());
        assert!(refreshed.is_err(), "a session outlived a revoke-all that was acknowledged a day after its sign-in");
    }
}

/// The key is retired a whole idle deadline after its last use, as `Secrets` and the design say.
#[test]
fn a_master_key_can_be_retired_an_idle_deadline_after_its_last_use() {
    let (store, clock) = (MemoryStore::new(), clock());
    process(store.clone(), &[1], &clock).issue(&SignInRequest::new("user-1")).unwrap();
    let both = process(store.clone(), &[1, 2], &clock);
    both.issue(&SignInRequest::new("user-1")).unwrap();
    clock.fetch_add(31 * DAY, Ordering::SeqCst);
    let newest = process(store, &[2], &clock);
    newest.issue(&SignInRequest::new("user-1")).unwrap();
    assert_eq!(newest.sessions("user-1", None, 10).map(|sessions| sessions.len()), Ok(1));
}

#[test]
fn a_dead_session_under_a_retired_key_does_not_stop_sign_ins() {
    let (store, clock) = (MemoryStore::new(), clock());
    process(store.clone(), &[1], &clock).issue(&SignInRequest::new("user-1")).unwrap();
    process(store.clone(), &[1, 2], &clock).issue(&SignInRequest::new("user-1")).unwrap();
    clock.fetch_add(31 * DAY, Ordering::SeqCst);
    let newest = process(store, &[2], &clock);
    for _ in 0..200 {
        newest.issue(&SignInRequest::new("user-1")).expect("the subject may have 100 live sessions");
    }
}

/// A sign-in that ends before the erasure marks the subject copies the directory record to the new key.
#[test]
fn an_erasure_leaves_no_directory_record_behind() {
    let (store, clock) = (Hooked::default(), clock());
    process(store.store.clone(), &[1], &clock).issue(&SignInRequest::new("user-1")).unwrap();
    let erasing = process(store.clone(), &[1, 2], &clock);
    let other = Hooked { store: store.store.clone(), ..Hooked::default() };
    let signing_in = process(other.clone(), &[1, 2], &clock);
    let (written, copied) = mpsc::channel();
    other.once(
        move |call| {
            if let Call::Commit(Commit { expect, .. }) = call
                && matches!(expect[0].0, Key::Directory(_))
            {
                written.send(expect[0].0).unwrap();
            }
            false
        },
        || Ok(()),
    );
    store.once(
        |call| matches!(call, Call::Got(get) if matches!(get.keys[0], Key::Directory(_))),
        move || signing_in.issue(&SignInRequest::new("user-1")).map(|_| ()).map_err(|error| panic!("{error}")),
    );
    erasing.erase_subject("user-1").unwrap();
    let key = copied.recv().unwrap();
    let left = store.get(&Get { partition: key.partition(), keys: vec![key] }).unwrap().remove(0);
    assert!(left.is_none(), "a keyed hash of the subject still leads to its handle");
}

/// An entry of the log as anybody can write one: of the right form, under a made-up MAC.
fn entry(kind: u8, id: &[u8], minimum: u64) -> LogEntry {
    let end = u64::MAX.to_be_bytes();
    let bytes = [&[1, kind], &end[..], &end[..], id, &minimum.to_be_bytes(), &[1], &[0; 16]].concat();
    LogEntry { bytes, gc_at: Timestamp::MAX }
}

/// Whoever writes the database can add to the log, but not under its MAC.
#[test]
fn a_forged_log_entry_is_not_believed() {
    let (store, clock) = (MemoryStore::new(), clock());
    let first = process(store.clone(), &[1], &clock);
    let handle = first.issue(&SignInRequest::new("user-1")).unwrap().grant.session.subject();
    let forged = entry(b'u', handle.as_bytes(), u64::MAX);
    let now = Timestamp::from_millis(START);
    let commit = Commit { partition: handle.partition(), expect: vec![], put: vec![], log: vec![forged], now };
    assert_eq!(store.commit(&commit), Ok(Committed::Done));

    let opened = Authority::open_with_clock(issuer(&[1], Policy::default()), store, || Timestamp::from_millis(START));
    assert_eq!(opened.unwrap_err().reason(), "record_tampered");
}

#[test]
fn an_entry_that_cannot_be_read_is_not_passed_over() {
    let (store, clock) = (Hooked::default(), clock());
    let first = process(store.clone(), &[1], &clock);
    let grant = first.issue(&SignInRequest::new("user-1")).unwrap().grant;
    let mut log = entry(b's', grant.session.as_bytes(), 0);
    log.bytes[0] = 2; // of a newer version of this library
    let (partition, now) = (grant.session.partition(), Timestamp::from_millis(START));
    store.commit(&Commit { partition, expect: vec![], put: vec![], log: vec![log], now }).unwrap();
    let keys = issuer(&[1], Policy::default());
    let opened = Authority::open_with_clock(keys, store, || Timestamp::from_millis(START));
    assert_eq!(opened.unwrap_err().reason(), "record_newer");
}

/// Nothing was rolled back: the amendment comes between the read and the look into the view.
#[test]
fn a_refresh_that_races_an_amendment_is_decided_again() {
    let (store, clock) = (Hooked::default(), clock());
    let alarms = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&alarms);
    let authority = Arc::new(process(store.clone(), &[1], &clock).with_audit(move |event| {
        count.fetch_add(u64::from(event.kind.name() == "store_rolled_back"), Ordering::SeqCst);
    }));
    let grant = authority.issue(&SignInRequest::new("user-1")).unwrap().grant;
    let other = Arc::clone(&authority);
    store.once(
        |call| matches!(call, Call::Got(get) if matches!(get.keys[0], Key::Session(_))),
        move || {
            other.amend(grant.session, Some("read"), None).unwrap();
            Ok(())
        },
    );
    let refreshed = authority.refresh(&grant.refresh_token.unwrap(), &RefreshRequest::default());
    assert_eq!(alarms.load(Ordering::SeqCst), 0, "an alarm for a store that went back");
    assert_eq!(refreshed.map(|granted| granted.outcome), Ok(Outcome::Rotated));
}

#[test]
fn an_amendment_cannot_make_a_record_unreadable() {
    let (store, clock) = (MemoryStore::new(), clock());
    let authority = process(store.clone(), &[1], &clock);
    let grant = authority.issue(&SignInRequest::new("user-1")).unwrap().grant;
    let long = "a".repeat(70_000);
    assert!(Amendment::new(Some(&long), None, authority.issuer().policy()).is_err());
    assert!(authority.amend(grant.session, Some(&long), None).is_err());
    let refreshed = authority.refresh(&grant.refresh_token.unwrap(), &RefreshRequest::default());
    assert_eq!(refreshed.map(|granted| granted.outcome), Ok(Outcome::Rotated));
}

#[test]
fn an_answer_of_the_wrong_length_is_no_answer() {
    let issuer = issuer(&[1], Policy::default());
    let request = Request::RevokeAll { subject: "user-1".into(), keep: None };
    let mut exchange = Exchange::begin(request, Timestamp::from_millis(START), Entropy::from_seed([1; 32]));
    assert!(exchange.resume(Answer::Begin, &issuer, &View::new()).is_ok());
    assert!(exchange.resume(Answer::Got(Vec::new()), &issuer, &View::new()).is_err(), "acknowledged without a look");
}

#[test]
fn an_opaque_session_that_is_bound_to_a_key_asks_for_a_proof() {
    let (store, clock) = (MemoryStore::new(), clock());
    let authority = process(store, &[1], &clock);
    let request = SignInRequest { mode: Mode::Opaque, thumbprint: Some([3; 32]), ..SignInRequest::new("user-1") };
    if let Ok(granted) = authority.issue(&request) {
        assert!(authority.authenticate(&granted.grant.session_token.unwrap()).is_err());
    }
}

#[test]
fn an_erased_subject_is_not_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.db");
    let authority = process(SqliteStore::open(&path).unwrap(), &[1], &clock());
    for _ in 0..3 {
        let request = SignInRequest { ip: Some("203.0.113.9"), ..SignInRequest::new("subject-to-be-erased") };
        authority.issue(&request).unwrap();
    }
    authority.erase_subject("subject-to-be-erased").unwrap();
    drop(authority);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let occurs = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!occurs(b"subject-to-be-erased") && !occurs(b"203.0.113.9"), "the deleted rows are still in the file");
    }
}

#[test]
fn a_refused_refresh_for_want_of_a_nonce_brings_the_nonce() {
    use safeconduct::core::session::state::Replay;
    let (store, clock) = (MemoryStore::new(), clock());
    let authority = process(store, &[1], &clock);
    let request =
        SignInRequest { replay: Some(Replay::Bound), thumbprint: Some([3; 32]), ..SignInRequest::new("user-1") };
    let grant = authority.issue(&request).unwrap().grant;
    let request = RefreshRequest { proof: Some(([3; 32], None)), ..RefreshRequest::default() };
    let Err(error) = authority.refresh(&grant.refresh_token.unwrap(), &request) else { panic!() };
    assert!(format!("{error:?}").contains(&grant.nonce.unwrap()), "the client cannot ask for the nonce it lost");
}

/// The store forgets one record; nobody unrevokes the sessions that depended on it.
#[test]
fn a_session_without_its_subject_record_is_not_served() {
    let (store, clock) = (MemoryStore::new(), clock());
    let authority = process(store.clone(), &[1], &clock);
    let grant = authority.issue(&SignInRequest::new("user-1")).unwrap().grant;
    authority.revoke_subject("user-1", None).unwrap();
    let key = Key::Subject(grant.session.subject());
    let version = store.get(&Get { partition: key.partition(), keys: vec![key] }).unwrap().remove(0).unwrap().version;
    let now = Timestamp::from_millis(START);
    let (expect, put) = (vec![(key, Some(version))], vec![Put { key, record: None, gc_at: now }]);
    store.commit(&Commit { partition: key.partition(), expect, put, log: vec![], now }).unwrap();
    // Two hours later the log holds no entry either, and a process begins.
    clock.fetch_add(2 * 3_600_000, Ordering::SeqCst);
    authority.issue(&SignInRequest::new("user-2")).unwrap();
    authority.revoke_subject("user-2", None).unwrap();
    authority.issue(&SignInRequest::new("user-2")).unwrap();
    let restarted = process(store, &[1], &clock);
    let refreshed = restarted.refresh(&grant.refresh_token.unwrap(), &RefreshRequest::default());
    assert!(refreshed.is_err(), "deleting the subject's record took its revoke-all back");
}

/// The rule of the design: none of what was drawn or derived occurs in a Debug text.
#[test]
fn the_salt_of_a_session_is_not_in_a_debug_text() {
    use safeconduct::core::secret::Commitment;
    use safeconduct::core::session::event::{Context, Event, Issue, Loaded, ViewFacts};
    use safeconduct::core::session::state::Replay;
    use safeconduct::core::session::transition;
    let new = Issue {
        key: KeyId(1),
        mode: Mode::Hybrid,
        replay: Replay::Committed,
        salt: [213; 16],
        subject: "user-1".into(),
        client_id: "web".into(),
        device: None,
        ip: None,
        thumbprint: None,
        entitlement: Default::default(),
        first: Commitment([0; 32]),
    };
    let policy = Policy::default();
    let context = Context { now: Timestamp::from_millis(START), policy: &policy, view: ViewFacts::default() };
    let step = transition(&Loaded { session: None, subject: None }, Event::Issue(new), &context);
    assert!(!format!("{step:?}").contains("213, 213"));
}
