//! Record bytes as a store may answer them: changed, moved, or authentic and malformed. What is not
//! authentic is a `RecordError` and nothing is written; nothing panics.
//!
//! An input is: operation 1 ‖ which answered record 1 ‖ how it is made 1 ‖ which record 1 ‖ rest.

use std::sync::OnceLock;

use hmac::{Hmac, KeyInit, Mac};
use safeconduct_core::id::SessionId;
use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secret;
use safeconduct_core::session::event::Amendment;
use safeconduct_core::session::exchange::{Answer, Entropy, Exchange, Failure, Need, Present, Reply, Request, Shown};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::outcome::Outcome;
use safeconduct_core::session::policy::Settings;
use safeconduct_core::session::record::RecordError;
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::{Mode, Reason};
use safeconduct_core::store::{Commit, Key, Put, Versioned};
use safeconduct_core::time::Seconds;
use sha2::Sha256;

use crate::deployment::{Conversation, ISSUER, MASTER, START, Store, issuer};
use crate::edit::edited;
use crate::{Broken, Judged, hold};

const SUBJECT: &str = "user-1";

struct World {
    issuer: Issuer,
    store: Store,
    records: Vec<(Key, Vec<u8>)>,
    sessions: Vec<SessionId>,
    refresh_token: String,
    session_token: String,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let issuer = issuer(Settings { max_sessions: 3, ..Settings::default() });
        let mut store = Store::default();
        let mut run = |request, seed| {
            let mut conversation = Conversation::begin(request, START, seed);
            conversation.finish(&mut store, &issuer, &mut View::new()).expect("a good store")
        };
        run(Request::Open, 1);
        let commitment = Some(Secret::new([3; 32]).commitment());
        let requests = [
            SignInRequest { device: Some("phone"), ip: Some("::1"), scope: "read", ..SignInRequest::new(SUBJECT) },
            SignInRequest { mode: Mode::Opaque, claims: Some(r#"{"role":"x"}"#), ..SignInRequest::new(SUBJECT) },
            SignInRequest { commitment, thumbprint: Some([4; 32]), ..SignInRequest::new(SUBJECT) },
        ];
        let grants = (2..).zip(requests).map(|(seed, request)| {
            let sign_in = SignIn::new(&request, issuer.policy()).expect("a good sign-in");
            let Reply::Decided(decided) = run(Request::Issue(sign_in), seed) else { panic!("no decision") };
            decided.grant.expect("a grant")
        });
        let grants: Vec<_> = grants.collect();
        let records = store.records.iter().map(|(key, record)| (*key, record.bytes.clone())).collect();
        World {
            records,
            sessions: grants.iter().map(|grant| grant.session).collect(),
            refresh_token: grants[0].refresh_token.as_ref().expect("a refresh token").to_string(),
            session_token: grants[1].session_token.as_ref().expect("a session token").to_string(),
            store,
            issuer,
        }
    })
}

fn request(operation: u8, world: &World) -> Option<Request> {
    let rotation = Shown::Rotate { next: None, client_id: None, proof: None, scope: None, challenge: None };
    let present = |text, shown| {
        let present = Present::parse(text, shown, &world.issuer).ok()?;
        Some(Request::Present(Box::new(present)))
    };
    let subject = || SUBJECT.to_owned();
    Some(match operation % 12 {
        0 => Request::Open,
        1 => Request::Issue(SignIn::new(&SignInRequest::new(SUBJECT), world.issuer.policy()).ok()?),
        2 => present(&world.refresh_token, rotation)?,
        3 => present(&world.refresh_token, Shown::Revoke)?,
        4 => present(&world.session_token, Shown::Authenticate)?,
        5 => Request::Amend(world.sessions[1], Amendment::new(Some("write"), None, world.issuer.policy()).ok()?),
        6 => Request::Amend(world.sessions[0], Amendment::default()),
        7 => Request::Revoke(world.sessions[2], Reason::Administrative),
        8 => Request::RevokeAll { subject: subject(), keep: None },
        9 => Request::RevokeAll { subject: subject(), keep: Some(world.sessions[0]) },
        10 => Request::Erase { subject: subject() },
        _ => Request::List { subject: subject(), after: None, limit: 2 },
    })
}

/// What is under test: an exchange with a store that answers one record wrongly.
pub type Drive =
    fn(Request, &mut Store, &Issuer, &mut dyn FnMut(Key, &mut Vec<u8>)) -> (Result<Reply, Failure>, Vec<Commit>);

/// The real one. `bend` sees every record on its way from the store.
pub fn drive(
    request: Request,
    store: &mut Store,
    issuer: &Issuer,
    bend: &mut dyn FnMut(Key, &mut Vec<u8>),
) -> (Result<Reply, Failure>, Vec<Commit>) {
    let view = View::new();
    let mut exchange = Exchange::begin(request, START.plus(Seconds::new(60)), Entropy::from_seed([1; 32]));
    let (mut answer, mut commits) = (Answer::Begin, Vec::new());
    // An exchange over a store that is not contended is short.
    for _ in 0..64 {
        answer = match exchange.resume(answer, issuer, &view) {
            Err(failure) => return (Err(failure), commits),
            Ok(Need::Done(reply)) => return (Ok(reply), commits),
            Ok(Need::Get(get)) => {
                let mut found = store.get(&get);
                for (key, record) in get.keys.iter().zip(&mut found) {
                    if let Some(record) = record {
                        bend(*key, &mut record.bytes);
                    }
                }
                Answer::Got(found)
            }
            Ok(Need::List(list)) => {
                let mut rows = store.list(&list);
                rows.iter_mut().for_each(|(sid, record)| bend(Key::Session(*sid), &mut record.bytes));
                Answer::Listed(rows)
            }
            Ok(Need::Commit(commit)) => {
                let committed = store.commit(&commit);
                commits.push(commit);
                Answer::Committed(committed)
            }
        };
    }
    (Err(Failure::Contended), commits)
}

/// The target.
pub fn run(data: &[u8], drive: Drive) -> Judged {
    let world = world();
    let Some((&[operation, place, how, which], script)) = data.split_first_chunk() else { return Ok(()) };
    let Some(request) = request(operation, world) else { return Ok(()) };
    let (_, other) = &world.records[usize::from(which) % world.records.len()];
    let (mut seen, mut bent) = (0, None);
    let mut bend = |key: Key, bytes: &mut Vec<u8>| {
        let is_it = seen == usize::from(place % 8);
        seen += 1;
        if !is_it {
            return;
        }
        let before = bytes.clone();
        *bytes = match how % 5 {
            0 => script.to_vec(),
            1 => edited(bytes, script),
            2 => edited(other, script),
            // Authentic: the body is changed, and a right MAC put behind it.
            3 => sealed(edited(&bytes[..bytes.len() - 16], script), key),
            _ => sealed([&bytes[..2], script].concat(), key),
        };
        // Whatever made it: a fuzzer keeps bytes that it saw compared, and finds the sealed ones again.
        let body = bytes.len().saturating_sub(16);
        let is_authentic = *bytes == sealed(bytes[..body].to_vec(), key);
        if *bytes != before {
            bent = Some((key, is_authentic));
        }
    };
    let mut store = world.store.clone();
    let (reply, commits) = drive(request, &mut store, &world.issuer, &mut bend);
    match bent {
        Some((key, false)) => judge_changed(key, operation, &reply, &commits),
        Some((_, true)) => judge_authentic(&reply, &commits, &mut store, world),
        None => hold(reply.is_ok(), || format!("a good store: {reply:?}")),
    }
}

/// A record that was changed or moved is refused, and nothing is written.
fn judge_changed(key: Key, operation: u8, reply: &Result<Reply, Failure>, commits: &[Commit]) -> Judged {
    // An erasure deletes sessions without reading them.
    if operation % 12 == 10 && matches!(key, Key::Session(_)) {
        return hold(reply.is_ok(), || format!("{reply:?}"));
    }
    // Where sessions are counted or listed, one whose master key is not there is passed over, or deleted.
    if let Key::Session(sid) = key {
        let is_written = |put: &Put| put.key == key && put.record.is_some();
        let is_passed_over = match reply {
            Ok(Reply::Sessions(listed)) => listed.iter().all(|one| one.session != sid),
            Ok(Reply::Decided(decided)) if decided.outcome == Outcome::Issued => {
                !commits.iter().flat_map(|commit| &commit.put).any(is_written)
            }
            _ => false,
        };
        if is_passed_over {
            return Ok(());
        }
    }
    let is_refused = match reply {
        Err(Failure::Record(RecordError::Tampered | RecordError::Newer | RecordError::UnknownKey)) => true,
        Err(Failure::ForeignStore) => key == Key::Deployment,
        _ => false,
    };
    hold(is_refused && commits.is_empty(), || format!("{key:?}: {reply:?}, {} commits", commits.len()))
}

/// An authentic record that this library did not write: refused as malformed, or used; and whatever was
/// written of it can be read again.
fn judge_authentic(reply: &Result<Reply, Failure>, commits: &[Commit], store: &mut Store, world: &World) -> Judged {
    let expected = match reply {
        Err(Failure::Record(_) | Failure::Partitions | Failure::ForeignStore | Failure::KeyMissing) => {
            commits.is_empty()
        }
        Err(Failure::SigningFault | Failure::Contended | Failure::Protocol) => false,
        Ok(_) => true,
    };
    hold(expected, || format!("{reply:?}, {} commits", commits.len()))?;
    let puts = commits.iter().flat_map(|commit| &commit.put);
    for put in puts {
        let (Key::Session(sid), Some(Versioned { bytes, .. })) = (put.key, &put.record) else { continue };
        hold(*bytes == sealed(bytes[..bytes.len() - 16].to_vec(), put.key), || "a wrong MAC".into())?;
        if !store.records.contains_key(&put.key) {
            continue;
        }
        let mut conversation = Conversation::begin(Request::Revoke(sid, Reason::Administrative), START, 7);
        let again = conversation.finish(store, &world.issuer, &mut View::new());
        hold(again.is_ok(), || format!("cannot be read again: {again:?}"))?;
    }
    Ok(())
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The body with the MAC of this deployment, computed here a second time from the master key.
pub fn sealed(mut body: Vec<u8>, at: Key) -> Vec<u8> {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut salt = [0; 32];
        salt[..13].copy_from_slice(b"safeconduct 1");
        mac(&mac(&salt, &[&MASTER]), &[b"record", &[0], ISSUER.as_bytes(), &[1]])
    });
    let tag = mac(key, &[&at.to_bytes(), &body]);
    body.extend_from_slice(&tag[..16]);
    body
}

/// Whether the second computation of the MAC is the first one.
pub fn seals_as_the_library_does() -> Judged {
    let same = |(key, bytes): &(Key, Vec<u8>)| sealed(bytes[..bytes.len() - 16].to_vec(), *key) == *bytes;
    if world().records.iter().all(same) { Ok(()) } else { Err(Broken("the MAC is computed otherwise".into())) }
}
