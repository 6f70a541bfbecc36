//! Tokens, decisions and records, each beside the least that could do it.
//!
//! The names are `group/name`; `benches/table` divides them by their floors.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench that cannot be set up is over")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer, SigningKey as Ed25519};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature as P256Signature, SigningKey as P256};
use safeconduct::Authority;
use safeconduct::core::id::{Partition, SessionId, SubjectHandle};
use safeconduct::core::jws::{Algorithm, KeySet, Typ, sign};
use safeconduct::core::revocation::view::View;
use safeconduct::core::secret::{Commitment, KeyId};
use safeconduct::core::session::event::{Context, Event, Loaded, Presented, Rotate, Successor, ViewFacts};
use safeconduct::core::session::exchange::{Answer, Entropy, Exchange, Need, Request};
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Policy;
use safeconduct::core::session::state::{
    Entitlement, Late, Mode, Reason, Replay, Session, State, Subject, Terms, Window,
};
use safeconduct::core::session::transition;
use safeconduct::core::store::{Commit, Committed, Key};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::refresh::Token;
use safeconduct::core::token::{NewAccessToken, Scratch, TokenCache, Verifier, VerifierConfig};
use safeconduct::store::sqlite::{SqliteOptions, Synchronous};
use safeconduct::store::{MemoryStore, Store};
use safeconduct_benches::{AUDIENCE, Chain, ISSUER, SUBJECT, eight_claims, issuer, key, sign_in};
use sha2::Sha256;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// What this library's own issuers write: thirteen claims.
fn own_claims() -> String {
    NewAccessToken {
        iss: ISSUER,
        aud: &[AUDIENCE],
        sub: SUBJECT,
        client_id: "client-0123456-7",
        exp: NOW.plus(Seconds::new(600)),
        iat: NOW,
        jti: "AAAAAAAAAAAAAAAAAAAAAA",
        sid: SessionId::new(SubjectHandle::new(Partition(3), [1; 7]), [2; 8]),
        sep: NOW.as_unix_seconds(),
        scv: 0,
        gep: 0,
        scope: Some("read write admin"),
        auth_time: Some(NOW),
        jkt: None,
        custom: None,
    }
    .to_json()
}

/// Access tokens: sign, verify, and the bare primitive over the very same bytes.
fn access_tokens(c: &mut Criterion) {
    let algorithms = [
        ("hs256", Algorithm::Hs256, eight_claims(NOW)),
        ("hs256_own", Algorithm::Hs256, own_claims()),
        ("eddsa", Algorithm::EdDsa, eight_claims(NOW)),
        ("es256", Algorithm::Es256, eight_claims(NOW)),
    ];
    for (name, algorithm, payload) in algorithms {
        let signing = key(algorithm);
        let token = sign(&signing, Typ::AccessToken, payload.as_bytes());
        let config = VerifierConfig::access_token(ISSUER, AUDIENCE);
        let verifier = Verifier::new(KeySet::new(key(algorithm)), config).unwrap();
        let mut scratch = Scratch::boxed();
        let mut group = c.benchmark_group(name);
        group.bench_function("sign", |b| b.iter(|| sign(&signing, Typ::AccessToken, black_box(payload.as_bytes()))));
        group.bench_function("verify", |b| {
            b.iter(|| verifier.verify(black_box(&token), NOW, &mut scratch).unwrap().exp());
        });
        let cache = TokenCache::new(1024).for_symmetric_keys();
        let hit =
            |scratch: &mut Scratch| cache.verify(&verifier, black_box(&token), NOW, scratch, |_| Ok(())).unwrap().exp();
        hit(&mut scratch);
        assert!(cache.contains(&verifier, &token, NOW));
        group.bench_function("cache_hit", |b| b.iter(|| hit(&mut scratch)));
        let input = &token.as_bytes()[..token.rfind('.').unwrap()];
        if algorithm.is_symmetric() {
            let keyed = Hmac::<Sha256>::new_from_slice(&[5; 64]).unwrap();
            group.bench_function("floor", |b| b.iter(|| bare(&keyed, black_box(input))));
        } else if algorithm == Algorithm::Es256 {
            let bare = P256::from_slice(&[7; 32]).unwrap();
            let (public, signature): (_, P256Signature) = (*bare.verifying_key(), bare.sign(input));
            group.bench_function("floor_sign", |b| b.iter(|| -> P256Signature { bare.sign(black_box(input)) }));
            group.bench_function("floor_verify", |b| b.iter(|| public.verify(black_box(input), &signature).unwrap()));
        } else {
            let bare = Ed25519::from_bytes(&[7; 32]);
            let (public, signature) = (bare.verifying_key(), bare.sign(input));
            group.bench_function("floor_sign", |b| b.iter(|| bare.sign(black_box(input))));
            group.bench_function("floor_verify", |b| {
                b.iter(|| public.verify_strict(black_box(input), &signature).unwrap());
            });
        }
        group.finish();
    }
}

fn bare(keyed: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = keyed.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn session(replay: Replay) -> Session {
    Session {
        terms: Terms {
            key: KeyId(1),
            mode: Mode::Hybrid,
            replay,
            salt: [1; 16],
            subject: SUBJECT.into(),
            client_id: "client-0123456-7".into(),
            device: None,
            ip: None,
            thumbprint: None,
            issued_at: NOW,
            absolute_deadline: NOW.plus(Seconds::days(180)),
            global_epoch: 0,
        },
        entitlement: Entitlement { scope: "read write admin".into(), ..Entitlement::default() },
        state: State {
            revoked: None,
            epoch: 5,
            claims_version: 0,
            generation: 7,
            current: Commitment([7; 32]),
            previous: [6; 16],
            rotated_at: NOW,
            idle_deadline: NOW.plus(Seconds::days(30)),
        },
    }
}

/// The decision alone, without a MAC or a hash, beside one HMAC-SHA256 of 64 bytes under a ready key.
fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("transition");
    let (policy, now) = (Policy::default(), NOW.plus(Seconds::new(3600)));
    let context = Context { now, policy: &policy, view: ViewFacts::default() };
    let subject = Subject { epoch: 5, erased: false, issued: 1, gc_at: Timestamp::MAX };
    let window = Replay::Window(Window { width: Seconds::new(10), late: Late::Challenge });
    let next = Commitment([8; 32]);
    let rules =
        [("committed", Replay::Committed, Successor::Offered(next)), ("window", window, Successor::Derived(next))];
    for (name, replay, successor) in rules {
        let session = session(replay);
        let presented = Presented { generation: 7, commitment: Commitment([7; 32]), sealed: true };
        let rotate = Rotate {
            presented,
            successor,
            client_id: Some("client-0123456-7"),
            proof: None,
            scope: None,
            challenged: false,
        };
        let decide = || {
            let loaded = Loaded { session: Some(black_box(&session)), subject: Some(&subject) };
            transition(&loaded, Event::Rotate(black_box(rotate)), &context)
        };
        assert_eq!(decide().outcome, Outcome::Rotated);
        group.bench_function(name, |b| b.iter(decide));
    }
    let keyed = Hmac::<Sha256>::new_from_slice(&[5; 32]).unwrap();
    group.bench_function("floor", |b| b.iter(|| bare(&keyed, black_box(&[3; 64]))));
    group.finish();
}

/// A refresh token from its text, and a record there and back through an exchange that revokes.
fn refresh_tokens_and_records(c: &mut Criterion) {
    let authority = Authority::open_with_clock(issuer(Algorithm::Hs256), MemoryStore::new(), || NOW).unwrap();
    let chain = Chain::begin(&authority);
    let (issuer, view) = (authority.issuer(), View::new());
    let mut group = c.benchmark_group("refresh_token");
    group.bench_function("parse", |b| b.iter(|| Token::parse(black_box(chain.token())).unwrap()));
    group.bench_function("parse_and_authenticate", |b| {
        b.iter(|| Token::parse(black_box(chain.token())).unwrap().authenticate(issuer.keyring()).unwrap());
    });
    group.finish();

    let sid = Token::parse(chain.token()).unwrap().session_id();
    let revoke = || Exchange::begin(Request::Revoke(sid, Reason::Administrative), NOW, Entropy::from_seed([1; 32]));
    let mut exchange = revoke();
    let Ok(Need::Get(get)) = exchange.resume(Answer::Begin, issuer, &view) else { panic!("no read") };
    let found = authority.store().get(&get).unwrap();
    let mut group = c.benchmark_group("record");
    group.bench_function("read_and_write", |b| {
        b.iter(|| {
            let mut exchange = revoke();
            let _ = exchange.resume(Answer::Begin, issuer, &view);
            let Ok(Need::Commit(commit)) = exchange.resume(Answer::Got(found.clone()), issuer, &view) else {
                panic!("no commit")
            };
            commit
        });
    });
    group.finish();
}

/// A whole refresh: token, two reads, decision, new access token, commit.
fn rotations(c: &mut Criterion) {
    let mut group = c.benchmark_group("rotate");
    group.sample_size(20);
    for (name, algorithm) in [("memory_hs256", Algorithm::Hs256), ("memory_eddsa", Algorithm::EdDsa)] {
        let authority = Authority::open(issuer(algorithm), MemoryStore::new()).unwrap();
        let mut chain = Chain::begin(&authority);
        group.bench_function(name, |b| b.iter(|| chain.rotate()));
    }
    let directory = tempfile::tempdir().unwrap();
    for (name, synchronous) in [("sqlite_off", Synchronous::Off), ("sqlite_full", Synchronous::Full)] {
        let store = SqliteOptions::new().synchronous(synchronous).open(directory.path().join(name)).unwrap();
        let authority = Authority::open(issuer(Algorithm::EdDsa), store).unwrap();
        let mut chain = Chain::begin(&authority);
        group.bench_function(name, |b| b.iter(|| chain.rotate()));
    }
    group.finish();
}

/// The two transactions of a rotation with bytes that mean nothing: what the engine takes by itself.
fn engines(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.sample_size(20);
    let directory = tempfile::tempdir().unwrap();
    for (name, synchronous) in [("sqlite_off", Synchronous::Off), ("sqlite_full", Synchronous::Full)] {
        let store = SqliteOptions::new().synchronous(synchronous).open(directory.path().join(name)).unwrap();
        let authority = Authority::open(issuer(Algorithm::EdDsa), store).unwrap();
        let sid = authority.issue(&sign_in()).unwrap().grant.session;
        let keys = vec![Key::Session(sid), Key::Subject(sid.subject())];
        let get = safeconduct::core::store::Get { partition: sid.partition(), keys };
        let store = authority.store();
        let mut number = 0u64;
        group.bench_function(name, |b| {
            b.iter(|| {
                let found = store.get(&get).unwrap();
                let mut record = found[0].clone().unwrap();
                number += 1;
                record.version.0 = number;
                let expect = get.keys.iter().zip(&found).map(|(key, found)| (*key, found.as_ref().map(|f| f.version)));
                let gc_at = NOW.plus(Seconds::days(181));
                let put = safeconduct::core::store::Put { key: get.keys[0], record: Some(record), gc_at };
                let (partition, expect) = (get.partition, expect.collect());
                let commit = Commit { partition, expect, put: vec![put], log: vec![], now: NOW };
                assert_eq!(store.commit(&commit).unwrap(), Committed::Done);
            });
        });
    }
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4)).without_plots()
}

criterion_group! { name = all; config = quick(); targets = access_tokens, decisions, refresh_tokens_and_records, rotations, engines }
criterion_main!(all);
