//! Signing keys that change under running authorities: 34.

use std::path::PathBuf;

use safeconduct::core::audit;
use safeconduct::core::jws::rotation::{RotationError, RotationPolicy, RotationSettings};
use safeconduct::core::jws::{Algorithm, Phase, SigningKey, WithdrawalReason};
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::{InvalidToken, Scratch};
use safeconduct::{Error, Keys, KeysError};
use tempfile::TempDir;

use crate::bed::{AnyStore, Bed, Deployment, START, on_every_store};
use crate::faulty::{Fault, Faulty};

/// A minute to be read by every process, five in caches, one for the clocks.
const LEAD: u64 = 420;
/// An hour of a token's life, a minute to be read late, one for the clocks.
const KEPT: u64 = 3720;

struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        Self { _folder: folder, path }
    }

    /// The keys as a process that starts now has them.
    fn keys(&self) -> Keys {
        let now = Timestamp::from_millis(START);
        Keys::open_or_create(&self.path, RotationPolicy::default(), Algorithm::EdDsa, now).unwrap()
    }

    fn deployment(&self, store: AnyStore) -> Deployment {
        let deployment = Deployment::over(store, Settings::default());
        with_keys(deployment, self.keys()).unwrap()
    }
}

fn with_keys(deployment: Deployment, keys: Keys) -> Result<Deployment, Error> {
    let Deployment { authority, clock, trail } = deployment;
    Ok(Deployment { authority: authority.with_keys(keys)?, clock, trail })
}

fn token(deployment: &Deployment) -> String {
    let request = SignInRequest::new("user-1");
    deployment.authority.issue(&request).unwrap().grant.access_token.unwrap().to_string()
}

/// Which key a token was accepted by, or why it was not.
fn verified(deployment: &Deployment, token: &str) -> Result<String, Error> {
    let mut scratch = Scratch::boxed();
    Ok(deployment.authority.verify(token, &mut scratch)?.key().kid().to_string())
}

fn revoked() -> Result<String, Error> {
    Err(Error::InvalidToken(InvalidToken::Revoked))
}

fn now(deployment: &Deployment) -> Timestamp {
    Timestamp::from_millis(deployment.clock.load(std::sync::atomic::Ordering::SeqCst))
}

fn withdraw(deployment: &Deployment, kid: &str) -> Result<(), Error> {
    deployment.authority.withdraw_key(kid, WithdrawalReason::Compromised)
}

#[test]
fn a_running_authority_rotates_and_takes_tokens_of_the_key_before_until_they_expire() {
    on_every_store(|bed| {
        let file = File::new();
        let (one, other) = (file.deployment(bed.store.clone()), file.deployment(bed.store.clone()));
        let wait = |seconds| [&one, &other].iter().for_each(|process| process.wait(Seconds::new(seconds)));
        let old = verified(&one, &token(&one)).unwrap();
        let new = one.authority.keys().rotate(now(&one)).unwrap();
        other.authority.keys().reload().unwrap();
        wait(LEAD - 1);
        let last = token(&other);
        assert_eq!(verified(&one, &last), Ok(old));
        wait(1);
        for signer in [&one, &other] {
            for verifier in [&one, &other] {
                assert_eq!(verified(verifier, &token(signer)), Ok(new.clone()));
                assert!(verified(verifier, &last).is_ok());
            }
        }
        wait(598);
        assert!(verified(&one, &last).is_ok(), "a second before it expires");
        wait(1 + 5);
        assert_eq!(verified(&one, &last), Err(Error::InvalidToken(InvalidToken::Expired)));
        wait(KEPT - 599 - 5);
        assert_eq!(verified(&one, &last), Err(Error::InvalidToken(InvalidToken::UnknownKey)));
        let phases = one.authority.keys().current().statuses(now(&one)).map(|key| key.phase).collect::<Vec<_>>();
        assert_eq!(phases, [Phase::Retired, Phase::Signing]);
    });
}

#[test]
fn a_process_that_never_reads_the_file_again_is_accepted_by_those_that_do() {
    on_every_store(|bed| {
        let file = File::new();
        let (one, late) = (file.deployment(bed.store.clone()), file.deployment(bed.store.clone()));
        let new = one.authority.keys().rotate(now(&one)).unwrap();
        [&one, &late].iter().for_each(|process| process.wait(Seconds::new(LEAD + KEPT - 1)));
        let of_late = token(&late);
        assert_ne!(verified(&one, &of_late), Ok(new.clone()));
        assert_eq!(verified(&late, &token(&one)), Err(Error::InvalidToken(InvalidToken::UnknownKey)));
        // For as long as was promised, and no longer.
        [&one, &late].iter().for_each(|process| process.wait(Seconds::new(1)));
        assert_eq!(verified(&one, &of_late), Err(Error::InvalidToken(InvalidToken::UnknownKey)));
        assert!(late.authority.keys().reload().unwrap());
        assert_eq!(verified(&one, &token(&late)), Ok(new));
    });
}

#[test]
fn a_withdrawn_key_is_refused_at_once_here_and_elsewhere_by_the_log() {
    on_every_store(|bed| {
        let file = File::new();
        let (one, other) = (file.deployment(bed.store.clone()), file.deployment(bed.store.clone()));
        let backup = std::fs::read(&file.path).unwrap();
        let leaked = token(&one);
        let kid = verified(&other, &leaked).unwrap();
        withdraw(&one, &kid).unwrap();
        assert_eq!(one.noted(audit::Kind::KeyWithdrawn), 1);
        assert_eq!(verified(&one, &leaked), revoked());
        // It has read neither the log nor the file: what would be seen if the log did nothing.
        assert_eq!(verified(&other, &leaked), Ok(kid.clone()));
        other.authority.catch_up().unwrap();
        assert_eq!(verified(&other, &leaked), revoked());
        // Both sign on with the key that took its place.
        assert_eq!(verified(&one, &token(&other)), verified(&other, &token(&one)));
        assert_ne!(verified(&one, &token(&other)), Ok(kid.clone()));
        // An older file does not bring it back, not even to a process that starts with it.
        std::fs::write(&file.path, backup).unwrap();
        let fresh = file.deployment(bed.store.clone());
        for process in [&one, &other, &fresh] {
            process.authority.keys().reload().unwrap();
            assert_eq!(verified(process, &leaked), revoked());
            assert_eq!(process.authority.issue(&SignInRequest::new("user-1")).map(|_| ()), key_missing());
        }
        one.authority.keys().rotate(now(&one)).unwrap();
        assert_ne!(verified(&one, &token(&fresh)), Ok(kid));
    });
}

fn key_missing() -> Result<(), Error> {
    Err(Error::Exchange(safeconduct::core::session::exchange::Failure::KeyMissing))
}

#[test]
fn a_withdrawal_that_was_cut_short_is_finished_by_the_next() {
    on_every_store(|bed| {
        for fault in [Fault::Before, Fault::AnswerLost] {
            for call in 0..2 {
                let (file, bed) = (File::new(), bed.fresh());
                let faulty = Faulty::over(bed.store.clone());
                let (one, other) = (file.deployment(faulty.store()), file.deployment(bed.store.clone()));
                let leaked = token(&one);
                let kid = verified(&one, &leaked).unwrap();
                faulty.arm(call, fault);
                assert!(matches!(withdraw(&one, &kid), Err(Error::Store(_))), "{fault:?} {call}");
                assert_eq!(verified(&one, &leaked), revoked(), "the file has it");
                withdraw(&one, &kid).unwrap();
                other.authority.catch_up().unwrap();
                assert_eq!(verified(&other, &leaked), revoked());
                // Known here by now, and so not written again.
                let before = log_len(&bed);
                withdraw(&one, &kid).unwrap();
                assert_eq!(log_len(&bed), before);
            }
        }
    });
}

fn log_len(bed: &Bed) -> usize {
    let partitions = (0..16).map(safeconduct::core::id::Partition).collect();
    safeconduct::store::Store::read_log(&bed.store, &safeconduct::core::store::ReadLog { partitions, cursor: None })
        .unwrap()
        .entries
        .len()
}

#[test]
fn a_key_that_nobody_has_is_not_withdrawn() {
    on_every_store(|bed| {
        let file = File::new();
        let one = file.deployment(bed.store.clone());
        let unknown = Err(Error::Keys(KeysError::Rotation(RotationError::UnknownKey)));
        assert_eq!(withdraw(&one, "nobody"), unknown);
        assert_eq!(log_len(bed), 0);
    });
}

#[test]
fn access_tokens_that_would_outlive_their_keys_are_refused_when_an_authority_is_made() {
    let settings = RotationSettings { max_ttl: Seconds::new(599), ..RotationSettings::default() };
    let keys = |settings| {
        let key = SigningKey::ed25519(&[1; 32], Algorithm::EdDsa).unwrap();
        Keys::new(safeconduct::core::jws::KeySet::new(key), RotationPolicy::new(settings).unwrap())
    };
    let made = |settings| with_keys(Bed::memory().deployment(), keys(settings)).map(|_| ());
    assert_eq!(made(settings), Err(Error::Keys(KeysError::Rotation(RotationError::Policy))));
    assert_eq!(made(RotationSettings { max_ttl: Seconds::new(600), ..settings }), Ok(()));
}
