//! P14 and scenario 35: after an erasure nothing derived from the subject is stored, and its tokens stay
//! refused.

use std::sync::{Arc, Barrier};

use safeconduct::core::audit::Kind;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::Mode;
use safeconduct::core::time::Seconds;
use safeconduct::core::token::Scratch;

use crate::bed::{Bed, Deployment, MASTER, REVOKED, on_every_store, outcome};
use crate::client::{Client, RULES, window};
use crate::derived::{hmac, purpose_key};
use crate::faulty::{Fault, Faulty};
use crate::flawed::{Flaw, Flawed};
use crate::interposed::{Interposed, Moment};
use crate::remains::{Needle, found_in_all, live, live_in_file, raw_files};
use crate::watched::Watched;

const SUBJECT: &str = "subject-4711-of-the-test";

fn request() -> SignInRequest<'static> {
    SignInRequest {
        client_id: "client-of-4711",
        scope: "scope-of-4711",
        claims: Some(r#"{"role":"role-of-4711"}"#),
        device: Some("device-of-4711"),
        ip: Some("2001:db8::4711"),
        ..SignInRequest::new(SUBJECT)
    }
}

/// What was said of the subject at sign-in, and what is derived from it: the place of the directory record
/// but for its first byte, which is a partition.
fn personal() -> Vec<Needle> {
    let directory = hmac(&purpose_key(&MASTER, "directory"), SUBJECT.as_bytes());
    let said = [SUBJECT, "client-of-4711", "scope-of-4711", "role-of-4711", "device-of-4711", "2001:db8::4711"];
    let mut needles: Vec<Needle> = said.iter().map(|text| Needle::new(*text, text.as_bytes())).collect();
    needles.push(Needle::new("directory key", &directory[1..16]));
    needles
}

fn left(haystacks: &[Vec<u8>]) -> Vec<String> {
    found_in_all(&personal(), haystacks)
}

/// Says what is left of a subject in the live records of a store.
fn erased(bed: &Bed) -> Result<(), String> {
    let watched = Watched::over(bed.store.clone());
    let deployment = Deployment::over(watched.store(), Settings::default());
    let clients: Vec<Client> = RULES.iter().map(|rule| Client::sign_in_as(&deployment, *rule, request())).collect();
    let opaque = SignInRequest { mode: Mode::Opaque, ..request() };
    let opaque = deployment.authority.issue(&opaque).unwrap().grant.session_token.unwrap();
    let bystander = Client::sign_in(&deployment, RULES[0]);
    // The check is not vacuous: all of it is there before.
    assert_eq!(left(&live(&watched.written.lock().unwrap())).len(), personal().len());
    deployment.authority.erase_subject(SUBJECT).unwrap();
    let mut names = left(&live(&watched.written.lock().unwrap()));
    if let Some((_, path)) = &bed.file {
        names.extend(left(&live_in_file(path)));
    }
    let trail: Vec<Vec<u8>> =
        deployment.trail.lock().unwrap().iter().map(|event| event.to_json().into_bytes()).collect();
    names.extend(left(&trail));
    if !names.is_empty() {
        return Err(format!("left: {names:?}"));
    }
    for client in &clients {
        if outcome(&client.send(&deployment)) != REVOKED
            || deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_ok()
        {
            return Err("a token is still good".into());
        }
    }
    let refused = deployment.authority.authenticate(&opaque).map_err(|error| error.reason());
    assert_eq!(refused, Err("session_revoked"));
    assert_eq!(deployment.noted(Kind::SubjectErased), 1);
    assert!(deployment.authority.sessions(SUBJECT, None, 10).unwrap().is_empty());
    assert!(bystander.send(&deployment).is_ok());
    // The same person comes back as somebody new; the old tokens still lead to nobody.
    let again = Client::sign_in_as(&deployment, RULES[0], request());
    assert_ne!(again.session.subject(), clients[0].session.subject());
    for client in &clients {
        assert_eq!(outcome(&client.send(&deployment)), REVOKED);
    }
    assert!(again.send(&deployment).is_ok());
    Ok(())
}

#[test]
fn after_an_erasure_no_live_record_holds_anything_of_the_subject_and_its_tokens_stay_refused() {
    on_every_store(|bed| erased(bed).unwrap());
    assert!(erased(&Flawed::over(Bed::sqlite(), Flaw::Archives)).is_err());
}

/// Scenario 35: a record of a handle outlives the sessions, so an old token is revoked and never unknown
/// until it would have ended anyway.
#[test]
fn an_erased_subjects_tokens_stay_revoked_for_as_long_as_they_could_have_lived() {
    on_every_store(|bed| {
        let deployment = bed.deployment();
        let client = Client::sign_in_as(&deployment, RULES[0], request());
        deployment.authority.erase_subject(SUBJECT).unwrap();
        // Another process, whose view knows nothing of it.
        let other = bed.deployment();
        for _ in 0..18 {
            other.wait(Seconds::days(10));
            assert_eq!(outcome(&client.send(&other)), REVOKED);
            Client::sign_in(&other, RULES[0]);
        }
    });
}

/// Cut short at every call, finished by the next erasure and by the next sign-in.
#[test]
fn an_erasure_that_was_cut_short_anywhere_is_finished_by_the_next_call_or_sign_in() {
    on_every_store(|bed| {
        for fault in [Fault::Before, Fault::AnswerLost] {
            for finish_by_sign_in in [false, true] {
                for call in 0.. {
                    let bed = bed.fresh();
                    let watched = Watched::over(bed.store.clone());
                    let faulty = Faulty::over(watched.store());
                    let deployment = Deployment::over(faulty.store(), Settings::default());
                    let client = Client::sign_in_as(&deployment, window(10), request());
                    faulty.arm(call, fault);
                    let cut = deployment.authority.erase_subject(SUBJECT);
                    if faulty.disarm() {
                        assert!(cut.is_ok() && call > 5, "{call}");
                        break;
                    }
                    assert_eq!(cut.unwrap_err().reason(), "store_unavailable");
                    if finish_by_sign_in && call == 0 {
                        // Nothing was begun, so there is nothing to finish.
                        continue;
                    }
                    let marked = outcome(&client.send(&deployment)) == REVOKED;
                    if finish_by_sign_in && marked {
                        let other = SignInRequest { subject: SUBJECT, ..SignInRequest::new(SUBJECT) };
                        let again = deployment.authority.issue(&other).unwrap().grant.session;
                        assert_ne!(again.subject(), client.session.subject());
                        let names = left(&live(&watched.written.lock().unwrap()));
                        assert_eq!(names, ["directory key", SUBJECT], "only what the new sign-in said");
                    } else {
                        deployment.authority.erase_subject(SUBJECT).unwrap();
                        assert_eq!(left(&live(&watched.written.lock().unwrap())), Vec::<String>::new());
                        // From call 6 on all is done, and the next erasure finds nothing to note.
                        assert!(deployment.noted(Kind::SubjectErased) >= 1 || call >= 6, "call {call}");
                    }
                    assert_eq!(outcome(&client.send(&deployment)), REVOKED);
                    assert!(deployment.authority.verify(&client.access, &mut Scratch::boxed()).is_err());
                }
            }
        }
    });
}

/// The handle that a sign-in found may be erased before it commits; and an erasure may find the directory
/// record changed by a sign-in that prolonged it.
#[test]
fn an_erasure_and_a_sign_in_in_any_overlap_leave_nothing_of_what_was_erased() {
    on_every_store(|bed| {
        // A sign-in prolongs the directory record when most of its time is over.
        for days in [0, 181] {
            let mut call = 0;
            loop {
                let bed = bed.fresh();
                let watched = Watched::over(bed.store.clone());
                let interposed = Interposed::over(watched.store());
                let eraser = Deployment::over(interposed.store(), Settings::default());
                let other = Arc::new(Deployment::over(watched.store(), Settings::default()));
                let mut client = Client::sign_in_as(&other, RULES[0], request());
                eraser.wait(Seconds::days(days));
                other.wait(Seconds::days(days));
                let (server, before) = (Arc::clone(&other), client.session.subject());
                let signed_in = Arc::new(std::sync::Mutex::new(None));
                let place = Arc::clone(&signed_in);
                interposed.arm(Moment::Before(call), move || {
                    *place.lock().unwrap() = Some(Client::sign_in_as(&server, RULES[0], request()));
                });
                eraser.authority.erase_subject(SUBJECT).unwrap();
                if interposed.disarm() {
                    break;
                }
                let racing = signed_in.lock().unwrap().take().unwrap();
                // Either the sign-in came first and is erased, or it came later, under another handle.
                let erased = racing.session.subject() == before;
                assert_eq!(outcome(&racing.send(&other)) == REVOKED, erased, "{days} days, call {call}");
                let names = left(&live(&watched.written.lock().unwrap()));
                assert_eq!(names.is_empty(), erased, "{days} days, call {call}: {names:?}");
                assert!(client.refresh(&other).reason().starts_with("session_"));
                call += 1;
            }
            assert!(call > 4);
        }
    });
}

/// The same with threads.
#[test]
fn erasures_sign_ins_and_refreshes_at_once_end_with_the_subject_erased() {
    on_every_store(|bed| {
        for _ in 0..3 {
            let bed = bed.fresh();
            let watched = Watched::over(bed.store.clone());
            let deployment = Deployment::over(watched.store(), Settings::default());
            let before: Vec<Client> = (0..4).map(|_| Client::sign_in_as(&deployment, window(10), request())).collect();
            let gate = Barrier::new(64);
            let one = |number: usize| {
                gate.wait();
                match number % 4 {
                    0 => deployment.authority.erase_subject(SUBJECT).unwrap(),
                    1 => return Some(Client::sign_in_as(&deployment, window(10), request())),
                    _ => drop(before[number % 4].send(&deployment)),
                }
                None
            };
            let racing: Vec<Client> = std::thread::scope(|threads| {
                let one = &one;
                let started: Vec<_> = (0..64).map(|number| threads.spawn(move || one(number))).collect();
                started.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
            });
            for client in &before {
                assert_eq!(outcome(&client.send(&deployment)), REVOKED);
            }
            deployment.authority.erase_subject(SUBJECT).unwrap();
            for client in &racing {
                assert_eq!(outcome(&client.send(&deployment)), REVOKED);
            }
            assert_eq!(left(&live(&watched.written.lock().unwrap())), Vec::<String>::new());
        }
    });
}

/// The SQLite file and its write-ahead log too: what nothing refers to any more is overwritten.
#[test]
fn nothing_of_an_erased_subject_is_in_any_byte_of_the_file() {
    let bed = Bed::sqlite();
    let deployment = bed.deployment();
    let path = &bed.file.as_ref().unwrap().1;
    let in_files = || left(&raw_files(path).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>());
    // Among others, so that pages are split and records move; amended to other lengths, and refreshed.
    for number in 0..90_usize {
        let other = format!("bystander-{number}");
        Client::sign_in_as(&deployment, RULES[0], SignInRequest { device: Some(&other), ..SignInRequest::new(&other) });
        let mut client = Client::sign_in_as(&deployment, RULES[0], request());
        client.refresh(&deployment);
        if number % 3 == 0 {
            let scope = "scope-of-4711 ".repeat(number % 30 + 1);
            deployment.authority.amend(client.session, Some(scope.trim()), None).unwrap();
        }
        if number % 7 == 0 {
            deployment.authority.revoke(&client.token).unwrap();
        }
    }
    assert_eq!(in_files().len(), personal().len());
    deployment.authority.erase_subject(SUBJECT).unwrap();
    assert_eq!(in_files(), Vec::<String>::new());
    assert_eq!(deployment.authority.sessions("bystander-7", None, 10).unwrap().len(), 1);
}
