//! Signing keys in a file: changed by many processes at once, killed in the middle, broken by hand, put back to what
//! they were; and what processes that follow the file have of it meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use safeconduct::core::jws::rotation::{RotationError, RotationPolicy, RotationSettings};
use safeconduct::core::jws::{Algorithm, KeyError, KeySet, Phase, SigningKey, WithdrawalReason};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::{Keys, KeysError, keys, system_time};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const FILE: &str = "SAFECONDUCT_KEYS_FILE_UNDER_TEST";

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Seconds::new(seconds))
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    (folder, path)
}

fn open(path: &Path) -> Keys {
    Keys::open_or_create(path, RotationPolicy::default(), Algorithm::EdDsa, NOW).unwrap()
}

fn signing(keys: &Keys, now: Timestamp) -> Option<String> {
    keys.current().signing(now).map(|key| key.kid().to_string())
}

#[test]
fn what_one_process_changes_another_has_after_reading_again() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path), open(&path));
    assert!(!other.reload().unwrap(), "nothing has changed");
    let same = other.current();
    assert!(!other.reload().unwrap() && Arc::ptr_eq(&same, &other.current()));
    let kid = one.rotate(NOW).unwrap();
    assert!(other.reload().unwrap() && !Arc::ptr_eq(&same, &other.current()));
    // A minute to be read, five in caches, one for the clocks.
    assert_ne!(signing(&other, later(419)), Some(kid.clone()));
    assert_eq!(signing(&other, later(420)), Some(kid));
    assert_eq!(one.rotate(later(1)), Err(KeysError::Rotation(RotationError::AlreadyPending)));
    assert_eq!(same.verifying().len(), 1, "a set never changes");
}

#[test]
fn a_file_that_is_broken_or_gone_leaves_the_keys_as_they_were_and_says_so() {
    let (_folder, path) = folder();
    let keys = open(&path);
    let good = fs::read_to_string(&path).unwrap();
    let before = keys.current();
    for (bad, reason) in [
        ("", "key_malformed"),
        (&good[..good.len() / 2], "key_malformed"),
        (r#"{"keys":[]}"#, "key_none"),
        (&good.replace(r#""nbf":"#, r#""nbf":-"#), "key_bad_schedule"),
    ] {
        fs::write(&path, bad).unwrap();
        assert_eq!(keys.reload().unwrap_err().reason(), reason);
        assert_eq!(keys.trouble().unwrap().reason(), reason);
        assert!(keys.rotate(NOW).is_err(), "what cannot be read is not written over");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        assert!(Arc::ptr_eq(&before, &keys.current()));
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(keys.reload(), Err(KeysError::Missing(path.clone())));
    assert!(Arc::ptr_eq(&before, &keys.current()));
    fs::write(&path, good).unwrap();
    assert_eq!(keys.reload().unwrap_err().reason(), "keys_exposed", "a new file has the mode of the process");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused_and_one_that_is_made_is_not() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (_folder, path) = folder();
    let keys = open(&path);
    keys.rotate(NOW).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Keys::open(&path, RotationPolicy::default()).err();
        assert_eq!(refused, Some(KeysError::Exposed(path.clone())), "{mode:o}");
        assert!(refused.unwrap().to_string().contains("chmod 600"));
    }
}

#[test]
fn a_withdrawn_key_stays_withdrawn_whatever_the_file_says() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path), open(&path));
    let backup = fs::read(&path).unwrap();
    let leaked = signing(&one, NOW).unwrap();
    one.withdraw(&leaked, WithdrawalReason::Compromised, NOW).unwrap();
    assert_ne!(signing(&one, NOW), Some(leaked.clone()));
    other.reload().unwrap();
    // Somebody restores the file of yesterday, over the same inode and so with its mode.
    fs::write(&path, &backup).unwrap();
    for keys in [&one, &other] {
        keys.reload().unwrap();
        assert!(keys.current().is_withdrawn(&leaked) && keys.current().find(Some(&leaked), NOW).is_none());
        assert_eq!(signing(keys, NOW), None, "there is none but the leaked one");
    }
    // The next change mends the file, for those that never knew.
    one.rotate(NOW).unwrap();
    let fresh = open(&path);
    assert!(fresh.current().is_withdrawn(&leaked) && signing(&fresh, NOW).is_some());
    assert_eq!(
        one.withdraw("nobody", WithdrawalReason::Unspecified, NOW).unwrap_err().reason(),
        "rotation_unknown_key"
    );
}

#[test]
fn many_that_rotate_at_once_publish_one_key() {
    let (_folder, path) = folder();
    open(&path);
    let done: usize = std::thread::scope(|threads| {
        let threads: Vec<_> = (0..8).map(|_| threads.spawn(|| usize::from(open(&path).rotate(NOW).is_ok()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(done, 1);
    assert_eq!(open(&path).current().verifying().len(), 2);
    let settings = RotationSettings { period: Some(Seconds::new(1000)), ..RotationSettings::default() };
    let policy = RotationPolicy::new(settings).unwrap();
    let due = later(420 + 1000);
    let rotated: Vec<bool> = std::thread::scope(|threads| {
        let rotate = || Keys::open(&path, policy).unwrap().rotate_if_due(due).unwrap();
        let threads: Vec<_> = (0..8).map(|_| threads.spawn(rotate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(rotated.iter().filter(|rotated| **rotated).count(), 1);
}

#[test]
fn a_watched_file_is_followed_until_the_watcher_is_dropped() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path), open(&path));
    let watcher = other.watch(Duration::from_millis(10)).unwrap();
    assert!(watcher.is_running());
    let kid = one.rotate(system_time()).unwrap();
    let knows = |kid: &str| other.current().find(Some(kid), system_time()).is_some();
    let started = Instant::now();
    while !knows(&kid) {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", other.trouble());
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(watcher);
    one.withdraw(&kid, WithdrawalReason::Unspecified, system_time()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(knows(&kid), "nobody watches any more");
    let lone =
        Keys::new(KeySet::new(SigningKey::ed25519(&[1; 32], Algorithm::EdDsa).unwrap()), RotationPolicy::default());
    assert!(lone.watch(Duration::from_secs(1)).is_err());
}

#[test]
fn a_watcher_rotates_when_it_is_due() {
    let (_folder, path) = folder();
    let settings = RotationSettings {
        cache_lifetime: Seconds::ZERO,
        reload_interval: Seconds::ZERO,
        period: Some(Seconds::new(61)),
        ..RotationSettings::default()
    };
    let policy = RotationPolicy::new(settings).unwrap();
    let long_ago = system_time().minus(Seconds::new(62));
    let keys = Keys::open_or_create(&path, policy, Algorithm::EdDsa, long_ago).unwrap();
    let _watcher = keys.watch(Duration::from_millis(10)).unwrap();
    let started = Instant::now();
    while keys.current().verifying().len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", keys.trouble());
        std::thread::sleep(Duration::from_millis(5));
    }
    let phases: Vec<Phase> = keys.current().statuses(system_time()).map(|status| status.phase).collect();
    assert_eq!(phases, [Phase::Signing, Phase::Pending]);
}

#[test]
fn keys_without_a_file_change_in_memory() {
    let key = SigningKey::hmac(&[1; 32], Algorithm::Hs256).unwrap();
    let keys = Keys::new(KeySet::new(key), RotationPolicy::default());
    assert!(!keys.reload().unwrap());
    let kid = keys.rotate(NOW).unwrap();
    assert_eq!(
        keys.current().signing(later(420)).map(|key| (key.kid().into(), key.algorithm())),
        Some((kid, Algorithm::Hs256))
    );
    assert_eq!(
        keys.rotate_to(Algorithm::EdDsa, later(420)),
        Err(KeysError::Rotation(RotationError::Key(KeyError::MixedSet)))
    );
}

/// Not a test: the child, which does nothing unless the parent named a file.
#[test]
fn child_that_rotates_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let path = PathBuf::from(path);
    let keys = Keys::open(&path, RotationPolicy::default()).unwrap();
    // Each life begins where the last one can have ended, and a rotation is a day after the one before.
    let mut day = keys.current().statuses(NOW).map(|s| s.schedule.signs_from.as_unix_seconds()).max().unwrap();
    loop {
        day += 86_400;
        let kid = keys.rotate(Timestamp::from_unix_seconds(day)).unwrap();
        std::io::stderr().write_all(format!("acknowledged {kid}\n").as_bytes()).unwrap();
    }
}

#[test]
fn a_change_that_was_acknowledged_survives_the_death_of_its_process_and_the_file_is_always_whole() {
    let (folder, path) = folder();
    keys::create(&path, Algorithm::EdDsa, NOW).unwrap();
    let (mut acknowledged, mut lives) = (0, 0);
    for life in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_rotates_until_it_is_killed", "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = child.stderr.take().unwrap();
        let lines = std::thread::spawn(move || BufReader::new(pipe).lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(15 + life * 7 % 50));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may have been cut off.
        let lines = lines.join().unwrap();
        let kids: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("acknowledged ")).collect();
        acknowledged += kids.len();
        lives += 1;
        let now = Keys::open(&path, RotationPolicy::default()).expect("the file is whole").current();
        if let Some(last) = kids.iter().rev().find(|kid| kid.len() == 43) {
            assert!(
                now.find(Some(last), NOW).is_some() || now.verifying().any(|key| key.kid() == *last),
                "{last} is lost"
            );
        }
    }
    assert!(acknowledged > 50, "{acknowledged} changes in {lives} lives are too few to show anything");
    // What a killed process left under a passing name is no key file and in nobody's way.
    open(&path).rotate(system_time().plus(Seconds::days(36_500))).unwrap();
    drop(folder);
}
