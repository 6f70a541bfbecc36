//! Every target can fail: each wrong version of what is under test is caught by the committed corpus.

use std::path::Path;

use safeconduct_core::encoding::base64url;
use safeconduct_core::encoding::json::JsonError;
use safeconduct_core::secret::Keyring;
use safeconduct_core::session::event::{Context, Event, Loaded, Presented, ViewFacts};
use safeconduct_core::session::exchange::{Failure, Reply, Request};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::outcome::{Outcome, SessionWrite, Step};
use safeconduct_core::session::state::{Session, State, Subject};
use safeconduct_core::session::transition;
use safeconduct_core::store::{Commit, Key};
use safeconduct_core::time::Timestamp;
use safeconduct_core::token::Verifier;
use safeconduct_core::token::refresh::Token;
use safeconduct_fuzz::deployment::{Store, StoreFault};
use safeconduct_fuzz::json::Tree;
use safeconduct_fuzz::session_events::{self, Fault};
use safeconduct_fuzz::{Judged, json, jws_verify, record, refresh_token, transition as decisions};

/// What the corpus finds: the first of what is broken.
fn caught(target: &str, body: impl Fn(&[u8]) -> Judged) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    inputs.sort();
    let broken = inputs.iter().find_map(|path| body(&std::fs::read(path).unwrap()).err());
    broken.expect("the corpus catches nothing").0
}

fn wrong_reader(reader: json::Reader) -> String {
    caught("json", |data| json::run(data, reader))
}

#[test]
fn a_reader_that_overlooks_what_stands_behind_a_document_is_caught() {
    fn hasty(document: &[u8]) -> Result<Tree, JsonError> {
        let end = document.iter().rposition(|byte| *byte == b'}').map_or(document.len(), |last| last + 1);
        json::read(document).or_else(|reason| json::read(&document[..end]).map_err(|_| reason))
    }
    assert!(wrong_reader(hasty).starts_with("accepted what is not JSON"));
}

#[test]
fn a_reader_that_has_the_wrong_reason_is_caught() {
    fn vague(document: &[u8]) -> Result<Tree, JsonError> {
        json::read(document).map_err(|_| JsonError::Syntax)
    }
    assert!(wrong_reader(vague).starts_with("refused as Syntax"));
}

#[test]
fn a_reader_that_overlooks_any_one_reason_is_caught() {
    /// The real one, but for the reason with the index `R`.
    fn lenient<const R: usize>(document: &[u8]) -> Result<Tree, JsonError> {
        json::read(document).or_else(|reason| {
            let second = json::second(document).filter(|_| reason == json::REASONS[R]);
            second.ok_or(reason)
        })
    }
    let readers: [json::Reader; json::REASONS.len()] =
        [lenient::<0>, lenient::<1>, lenient::<2>, lenient::<3>, lenient::<4>, lenient::<5>, lenient::<6>];
    for (reader, reason) in readers.into_iter().zip(json::REASONS) {
        assert_eq!(wrong_reader(reader), format!("accepted in spite of {reason:?}"));
    }
}

#[test]
fn a_reader_that_changes_a_value_is_caught() {
    fn sorted(document: &[u8]) -> Result<Tree, JsonError> {
        let mut tree = json::read(document)?;
        if let Tree::Object(members) = &mut tree {
            members.reverse();
        }
        Ok(tree)
    }
    fn raw(document: &[u8]) -> Result<Tree, JsonError> {
        let text = |text: String| Tree::String(text.replace('/', "\\/"));
        let Tree::Object(members) = json::read(document)? else { return Err(JsonError::NotAnObject) };
        let changed = members.into_iter().map(|(name, value)| match value {
            Tree::String(value) => (name, text(value)),
            value => (name, value),
        });
        Ok(Tree::Object(changed.collect()))
    }
    for reader in [sorted as json::Reader, raw] {
        assert!(wrong_reader(reader).starts_with("read differently"));
    }
}

#[test]
fn a_verifier_that_forgives_padding_or_white_space_is_caught() {
    let forgiving =
        |verifier: &Verifier, token: &str| jws_verify::accept(verifier, token.trim_end_matches(['=', '\n']));
    assert!(caught("jws_verify", |data| jws_verify::run(data, forgiving)).starts_with("accepted"));
}

#[test]
fn a_verifier_that_looks_at_the_first_half_of_a_signature_is_caught() {
    let lazy = |verifier: &Verifier, token: &str| {
        let (input, signature) = token.rsplit_once('.')?;
        let tokens = jws_verify::signed_here().iter().filter_map(|good| good.rsplit_once('.'));
        let half = |signature: &str| signature.get(..20).map(str::to_owned);
        let mut same = tokens.filter(|(good, full)| *good == input && half(full) == half(signature));
        same.next().and_then(|(input, full)| jws_verify::accept(verifier, &format!("{input}.{full}")))
    };
    assert!(caught("jws_verify", |data| jws_verify::run(data, lazy)).starts_with("accepted"));
}

/// Whether a token is signed with ES256 by its own word.
fn is_es256(token: &str) -> bool {
    token.starts_with(&base64url::encode(br#"{"alg":"ES256""#)[..18])
}

#[test]
fn a_verifier_that_looks_at_r_alone_is_caught() {
    let lazy = |verifier: &Verifier, token: &str| {
        let (start, _) = token.split_at_checked(token.len().saturating_sub(43))?;
        let same = |good: &&String| is_es256(good) && good.starts_with(start) && good.len() == token.len();
        jws_verify::accept(verifier, jws_verify::signed_here().iter().find(same)?)
    };
    assert!(caught("jws_verify", |data| jws_verify::run(data, lazy)).starts_with("accepted"));
}

#[test]
fn a_verifier_that_gives_out_another_payload_under_es256_is_caught() {
    let other = |verifier: &Verifier, token: &str| {
        let payload = jws_verify::accept(verifier, token)?;
        Some(if is_es256(token) { payload.replace("app", "web") } else { payload })
    };
    assert!(caught("jws_verify", |data| jws_verify::run(data, other)).starts_with("another payload"));
}

#[test]
fn a_tag_that_is_not_looked_at_is_caught() {
    let blind = |text: &str, _: &Keyring| Token::parse(text).is_ok();
    assert!(caught("refresh_token", |data| refresh_token::run(data, blind)).starts_with("authentic"));
}

#[test]
fn a_store_answer_that_is_believed_where_it_was_changed_is_caught() {
    fn trusting(
        request: Request,
        store: &mut Store,
        issuer: &Issuer,
        bend: &mut dyn FnMut(Key, &mut Vec<u8>),
    ) -> (Result<Reply, Failure>, Vec<Commit>) {
        let mut reseal = |key: Key, bytes: &mut Vec<u8>| {
            bend(key, bytes);
            let body = bytes.len().saturating_sub(16);
            *bytes = record::sealed(bytes[..body].to_vec(), key);
        };
        record::drive(request, store, issuer, &mut reseal)
    }
    assert!(caught("record", |data| record::run(data, trusting)).contains("commits"));
}

fn decide_otherwise(machine: decisions::Machine) -> String {
    caught("transition", |data| decisions::run(data, machine))
}

#[test]
fn a_machine_that_ignores_the_seal_is_caught() {
    fn ignores(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        let event = match event {
            Event::Rotate(mut rotate) => {
                rotate.presented.sealed = true;
                Event::Rotate(rotate)
            }
            Event::Authenticate(token) => Event::Authenticate(Presented { sealed: true, ..token }),
            other => other,
        };
        transition(loaded, event, context)
    }
    assert!(decide_otherwise(ignores).starts_with("P7"));
}

#[test]
fn a_machine_that_brings_a_revoked_session_back_is_caught() {
    fn revives(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        let revived = loaded.session.map(|session| {
            let state = State { revoked: None, ..session.state };
            Session { state, ..session.clone() }
        });
        transition(&Loaded { session: revived.as_ref(), ..*loaded }, event, context)
    }
    assert!(["P1", "P3"].contains(&&decide_otherwise(revives)[..2]));
}

#[test]
fn a_machine_that_does_not_ask_the_view_is_caught() {
    fn forgets(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        transition(loaded, event, &Context { view: ViewFacts::default(), ..*context })
    }
    assert!(decide_otherwise(forgets).starts_with("P"));
}

#[test]
fn a_machine_that_does_not_read_the_subject_is_caught() {
    fn alone(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        let subject = loaded.subject.map(|subject| Subject { epoch: 0, erased: false, ..*subject });
        transition(&Loaded { subject: subject.as_ref(), ..*loaded }, event, context)
    }
    assert!(decide_otherwise(alone).starts_with("P"));
}

#[test]
fn a_machine_whose_clock_stands_still_is_caught() {
    fn early(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        transition(loaded, event, &Context { now: Timestamp::default(), ..*context })
    }
    assert!(decide_otherwise(early).starts_with("P8"));
}

#[test]
fn a_repeat_that_slides_the_deadline_is_caught() {
    fn slides(loaded: &Loaded<'_>, event: Event<'_>, context: &Context<'_>) -> Step {
        let step = transition(loaded, event, context);
        match (step.outcome, loaded.session) {
            (Outcome::Repeated, Some(session)) => Step { session: SessionWrite::Move(session.state), ..step },
            _ => step,
        }
    }
    assert!(decide_otherwise(slides).starts_with("P8"));
}

fn with(fault: Fault) -> String {
    caught("session_events", |data| session_events::run(data, fault).map(drop))
}

#[test]
fn a_store_that_ignores_versions_is_caught() {
    with(Fault { store: StoreFault::IgnoresVersions, forgets: false });
}

#[test]
fn a_store_that_loses_revocations_is_caught() {
    with(Fault { store: StoreFault::LosesRevocations, forgets: true });
}

#[test]
fn an_issuer_that_forgets_its_own_revocations_is_caught() {
    with(Fault { store: StoreFault::None, forgets: true });
}
