//! P15: a record that was changed, moved or cut outside is refused, not believed, and nothing is written.

use safeconduct::core::session::exchange::Failure;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::record::{FORMAT, RecordError};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::store::{Commit, Committed, Get, Key, Put, Versioned};
use safeconduct::core::time::Timestamp;
use safeconduct::store::Store;
use safeconduct::{Authority, Error};

use crate::bed::{AnyStore, Bed, Deployment, MASTER, issuer, on_every_store, outcome};
use crate::client::{Client, window};
use crate::derived::{purpose_key, sealed_record};
use crate::watched::Watched;

/// A deployment with one session, the raw store under it, and where its four records are.
struct Scene {
    _bed: Bed,
    raw: AnyStore,
    watched: std::sync::Arc<Watched>,
    deployment: Deployment,
    client: Client,
    session_token: String,
    records: [Key; 4],
}

fn scene(bed: &Bed) -> Scene {
    let bed = bed.fresh();
    let (watched, raw) = (Watched::over(bed.store.clone()), bed.store.clone());
    let deployment = Deployment::over(watched.store(), Settings::default());
    let client = Client::sign_in(&deployment, window(10));
    let directory = directory_written(&watched);
    let request = SignInRequest { mode: Mode::Opaque, ..SignInRequest::new("user-2") };
    let grant = deployment.authority.issue(&request).unwrap().grant;
    let session_token = grant.session_token.unwrap().to_string();
    watched.since();
    let (session, subject) = (Key::Session(client.session), Key::Subject(client.session.subject()));
    let records = [session, subject, directory, Key::Deployment];
    Scene { _bed: bed, raw, watched, deployment, client, session_token, records }
}

/// Where the directory record is that was written since the writes were counted last.
fn directory_written(watched: &Watched) -> Key {
    let written = watched.written.lock().unwrap();
    let mut keys = written.iter().flat_map(|commit| &commit.put).map(|put| put.key);
    keys.rfind(|key| matches!(key, Key::Directory(_))).unwrap()
}

impl Scene {
    fn read(&self, key: Key) -> Versioned {
        let get = Get { partition: key.partition(), keys: vec![key] };
        self.raw.get(&get).unwrap().remove(0).unwrap()
    }

    /// Writes bytes as somebody would who can write the database.
    fn put(&self, key: Key, bytes: Vec<u8>) {
        let before = self.read(key).version;
        let record = Some(Versioned { version: before, bytes });
        let commit = Commit {
            partition: key.partition(),
            expect: vec![(key, Some(before))],
            put: vec![Put { key, record, gc_at: Timestamp::MAX }],
            log: vec![],
            now: Timestamp::from_millis(0),
        };
        assert_eq!(self.raw.commit(&commit), Ok(Committed::Done));
    }

    /// What each operation says that reads the record under `key`.
    fn operations(&self, key: Key) -> Vec<Result<(), Error>> {
        let authority = &self.deployment.authority;
        let listed = || authority.sessions("user-1", None, 10).map(|_| ());
        let all: Vec<Result<(), Error>> = match key {
            Key::Session(sid) => vec![
                self.client.send(&self.deployment).map(|_| ()),
                authority.revoke(&self.client.token).map(|_| ()),
                authority.revoke_session(sid).map(|_| ()),
                authority.amend(sid, Some("more"), None).map(|_| ()),
                listed(),
            ],
            Key::Subject(_) => vec![
                self.client.send(&self.deployment).map(|_| ()),
                authority.issue(&SignInRequest::new("user-1")).map(|_| ()),
                authority.revoke_subject("user-1", None),
                authority.erase_subject("user-1"),
                listed(),
            ],
            Key::Directory(_) => vec![
                authority.issue(&SignInRequest::new("user-1")).map(|_| ()),
                authority.revoke_subject("user-1", None),
                authority.erase_subject("user-1"),
                listed(),
            ],
            Key::Deployment => vec![Authority::open(issuer(Settings::default()), self.raw.clone()).map(|_| ())],
        };
        all
    }

    /// Nobody believes `bytes` under `key`, and nobody writes anything because of them.
    fn refused(&self, key: Key, bytes: Vec<u8>, expected: &[Failure]) {
        let before = self.read(key).bytes;
        self.put(key, bytes.clone());
        self.watched.since();
        for (number, told) in self.operations(key).into_iter().enumerate() {
            let refused = matches!(&told, Err(Error::Exchange(failure)) if expected.contains(failure));
            // A list passes over a session whose master key is not there, as it does when one was retired.
            let is_list = matches!(key, Key::Session(_)) && number == 4;
            let refused = refused || is_list && bytes.get(1) != before.get(1) && told == Ok(());
            assert!(refused, "{key:?}, operation {number}: {told:?} for {bytes:?}");
        }
        assert_eq!(self.watched.since().1, 0);
        self.put(key, before);
    }
}

const REFUSED: [Failure; 4] = [
    Failure::Record(RecordError::Tampered),
    Failure::Record(RecordError::UnknownKey),
    Failure::Record(RecordError::Newer),
    Failure::ForeignStore,
];

#[test]
fn every_changed_bit_and_every_cut_of_every_record_is_refused() {
    on_every_store(|bed| {
        let scene = scene(bed);
        for key in scene.records {
            let right = scene.read(key).bytes;
            assert!(right.len() <= 256);
            for place in 0..right.len() * 8 {
                let mut bytes = right.clone();
                bytes[place / 8] ^= 1 << (place % 8);
                scene.refused(key, bytes, &REFUSED);
            }
            (0..right.len()).for_each(|len| scene.refused(key, right[..len].to_vec(), &REFUSED));
            scene.refused(key, [&right[..], &[0]].concat(), &REFUSED);
        }
        // As they were, they are believed.
        assert_eq!(outcome(&scene.client.send(&scene.deployment)), Outcome::Rotated);
        assert!(scene.deployment.authority.authenticate(&scene.session_token).is_ok());
    });
}

#[test]
fn a_record_moved_to_another_place_is_refused() {
    on_every_store(|bed| {
        let scene = scene(bed);
        let [session, subject, directory, _] = scene.records;
        let other = Client::sign_in_as(&scene.deployment, window(10), SignInRequest::new("user-3"));
        let other_directory = directory_written(&scene.watched);
        let same_subject = Client::sign_in(&scene.deployment, window(10));
        let tampered = [Failure::Record(RecordError::Tampered)];
        for from in [Key::Session(other.session), Key::Session(same_subject.session), subject, directory] {
            scene.refused(session, scene.read(from).bytes, &tampered);
        }
        for from in [Key::Subject(other.session.subject()), session, directory] {
            scene.refused(subject, scene.read(from).bytes, &tampered);
        }
        scene.refused(directory, scene.read(subject).bytes, &tampered);
        scene.refused(directory, scene.read(other_directory).bytes, &tampered);
    });
}

#[test]
fn a_record_of_a_newer_version_is_a_clear_error_and_nothing_is_lost() {
    on_every_store(|bed| {
        let scene = scene(bed);
        for key in scene.records {
            let mut bytes = scene.read(key).bytes;
            bytes[0] = FORMAT + 1;
            scene.refused(key, bytes.clone(), &[Failure::Record(RecordError::Newer)]);
            // An authentic one too.
            let signed = &bytes[..bytes.len() - 16];
            let bytes = sealed_record(&purpose_key(&MASTER, "record"), &key.to_bytes(), signed);
            scene.refused(key, bytes, &[Failure::Record(RecordError::Newer)]);
        }
        let text = Failure::Record(RecordError::Newer).to_string();
        assert!(text.contains("upgrade"), "{text}");
    });
}

#[test]
fn an_authentic_record_of_another_form_is_an_error_and_no_panic() {
    on_every_store(|bed| {
        let scene = scene(bed);
        let malformed = [Failure::Record(RecordError::Malformed), Failure::ForeignStore];
        for key in scene.records {
            let right = scene.read(key).bytes;
            let reseal = |signed: &[u8]| sealed_record(&purpose_key(&MASTER, "record"), &key.to_bytes(), signed);
            let signed = &right[..right.len() - 16];
            // The derivation is the right one: what it seals is what was there.
            assert_eq!(reseal(signed), right);
            for len in 2..signed.len() {
                scene.refused(key, reseal(&signed[..len]), &malformed);
            }
            scene.refused(key, reseal(&[signed, &[0]].concat()), &malformed);
        }
    });
}

/// These checks can fail: whoever holds the record key is believed.
#[test]
fn a_record_resealed_with_the_record_key_is_believed() {
    on_every_store(|bed| {
        let scene = scene(bed);
        let key = scene.records[0];
        let mut signed = scene.read(key).bytes;
        signed.truncate(signed.len() - 16);
        // Mode, rule, width, late, revoked: the reason "signed out".
        signed[6] = 1;
        scene.put(key, sealed_record(&purpose_key(&MASTER, "record"), &key.to_bytes(), &signed));
        assert_eq!(outcome(&scene.client.send(&scene.deployment)), crate::bed::REVOKED);
    });
}
