//! `spec/vectors/reasons.json` lists every stable reason string of this crate, by kind, and nothing else.
//!
//! A new variant does not compile until it stands here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use safeconduct_core::audit;
use safeconduct_core::encoding::json::JsonError;
use safeconduct_core::jws::rotation::RotationError;
use safeconduct_core::jws::{JwsError, KeyError};
use safeconduct_core::secret::SecretsError;
use safeconduct_core::session::exchange::Failure;
use safeconduct_core::session::outcome::{Outcome, Refusal};
use safeconduct_core::session::policy::PolicyError;
use safeconduct_core::session::record::RecordError;
use safeconduct_core::session::sign_in::SignInError;
use safeconduct_core::session::state::Reason;
use safeconduct_core::token::{ClaimsError, ConfigError, InvalidToken};

/// The reasons of all fieldless variants, after a match that needs each of them and the patterns in
/// brackets.
macro_rules! reasons {
    ($kind:ident: $($name:ident)+ $([$($other:pat),+])?) => {{
        const fn complete(value: $kind) {
            match value {
                $($kind::$name => (),)+
                $($($other => (),)+)?
            }
        }
        vec![$({
            complete($kind::$name);
            $kind::$name.reason()
        }),+]
    }};
}

fn listed(kind: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/reasons.json");
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut listed: Vec<String> = all[kind].as_array().unwrap().iter().map(|r| r.as_str().unwrap().into()).collect();
    listed.sort_unstable();
    listed
}

fn assert_listed(kind: &str, mut reasons: Vec<&str>) {
    reasons.sort_unstable();
    assert_eq!(listed(kind), reasons, "{kind}");
}

#[test]
fn every_outcome_and_refusal_is_listed() {
    let mut outcomes = reasons!(Outcome: Issued Rotated Repeated Paused Authenticated Amended Revoked Erased
        ReuseDetected [Outcome::Superseded { .. }, Outcome::Refused(_)]);
    outcomes.push(Outcome::Superseded { challenge: true }.reason());
    assert_eq!(outcomes.last(), Some(&Outcome::Superseded { challenge: false }.reason()));
    assert_listed("outcome", outcomes);
    let refusals = reasons!(Refusal: NotOurs WrongHolder Unknown Revoked ExpiredIdle ExpiredAbsolute
        CommitmentRequired CommitmentUnexpected CommitmentReused ProofRequired NonceRequired ScopeExceeded
        GenerationExhausted StoreBehind Exists TooManySessions);
    assert_eq!(refusals, Refusal::ALL.iter().map(|refusal| refusal.reason()).collect::<Vec<_>>());
    assert_listed("refusal", refusals);
}

#[test]
fn every_invalid_token_is_listed() {
    let invalid = reasons!(InvalidToken: Malformed TooLarge HeaderRefused WrongAlgorithm WrongType UnknownKey
        BadSignature NotJson ClaimsMalformed MissingClaim WrongIssuer WrongAudience Expired NotYetValid
        IssuedInFuture LifetimeTooLong StaleClaims Revoked NotRevocable);
    assert_eq!(invalid, InvalidToken::ALL.map(InvalidToken::reason));
    let jws = reasons!(JwsError: Malformed TooLarge HeaderRefused WrongAlgorithm WrongType UnknownKey KeyWithdrawn BadSignature);
    assert!(jws.iter().all(|reason| invalid.contains(reason)));
    assert_listed("invalid_token", invalid);
}

#[test]
fn every_failure_of_an_exchange_is_listed() {
    let failures =
        reasons!(Failure: ForeignStore Partitions KeyMissing SigningFault Contended Protocol [Failure::Record(_)]);
    assert_listed("exchange", failures);
    let records = reasons!(RecordError: Newer UnknownKey Tampered Malformed);
    assert_eq!(records, RecordError::ALL.map(|error| Failure::Record(error).reason()));
    assert_listed("record", records);
}

#[test]
fn every_refused_call_and_configuration_is_listed() {
    let mut sign_in = reasons!(SignInError: Empty TooLong Scope PersonalSubject CommitmentUnexpected ProofRequired
        ControlCharacter OpaqueProof OpaqueReplay [SignInError::Claims(_), SignInError::Policy(_)]);
    sign_in.push(SignInError::Policy(PolicyError::Window).reason());
    assert_listed("sign_in", sign_in);
    let claims = reasons!(ClaimsError: Malformed TooLarge Reserved PersonalData);
    assert_eq!(SignInError::Claims(ClaimsError::Malformed).reason(), ClaimsError::Malformed.reason());
    assert_listed("custom_claims", claims);
    let config = reasons!(ConfigError: NoKeys NoSigningKey IssuerMissing AudienceMissing LeewayTooLong MaxTtlMissing);
    assert_listed("config", config);
    let key = reasons!(KeyError: TooLarge Malformed UnsupportedType WrongAlgorithm WrongUse WeakKey SecretTooShort
        SecretTooLong SecretIsPublicKey MismatchedHalves PrivateMembers NoPrivateKey BadKeyId DuplicateKeyId
        MixedSet SymmetricKey NoKeys TooManyKeys BadSchedule Withdrawn);
    assert_listed("key", key);
    let rotation = reasons!(RotationError: UnknownKey AlreadyPending NotPending TooEarly NoSuccessor Policy
        [RotationError::Key(_)]);
    assert_eq!(RotationError::Key(KeyError::Withdrawn).reason(), KeyError::Withdrawn.reason());
    assert_listed("rotation", rotation);
    let secrets = reasons!(SecretsError: Malformed RepeatedKey Empty UnknownKey TooManyKeys);
    assert_listed("secrets", secrets);
    let json = reasons!(JsonError: TooLarge TooDeep TooManyMembers NotUtf8 Syntax BadEscape NumberOutOfRange
        DuplicateMember NotAnObject);
    assert_listed("json", json);
}

#[test]
fn everything_that_an_audit_line_can_name_is_listed() {
    let revocation = reasons!(Reason: SignedOut ReuseDetected Administrative Displaced);
    assert_listed("revocation", revocation);
    let mut names = Vec::new();
    for kind in [
        audit::Kind::StoreRolledBack,
        audit::Kind::SubjectRevoked,
        audit::Kind::SubjectErased,
        audit::Kind::KeyWithdrawn,
    ] {
        match kind {
            audit::Kind::Decided(_) | audit::Kind::Because(_) => {}
            audit::Kind::StoreRolledBack
            | audit::Kind::SubjectRevoked
            | audit::Kind::SubjectErased
            | audit::Kind::KeyWithdrawn => {
                names.push(kind.name());
            }
        }
    }
    assert_listed("audit", names);
}
