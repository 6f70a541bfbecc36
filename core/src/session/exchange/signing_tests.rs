//! A machine whose signatures are wrong hands nothing out and writes no session down, where it is told to look.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Answer, Entropy, Exchange, Failure, Need, Request};
use crate::jws::{Algorithm, FAULTY, KeySet, SigningKey};
use crate::revocation::view::View;
use crate::secret::Secrets;
use crate::session::issuer::Issuer;
use crate::session::policy::{Policy, Settings};
use crate::session::sign_in::{SignIn, SignInRequest};
use crate::store::{Committed, Key};
use crate::time::Timestamp;

/// Signs in on an empty store: how it ended, and how many sessions were written.
fn signs_in(kid: &str, check_signatures: bool) -> (Result<(), Failure>, usize) {
    let policy = Policy::new(Settings { check_signatures, ..Settings::default() }).unwrap();
    let key = SigningKey::ed25519(&[1; 32], Algorithm::EdDsa).unwrap().with_kid(kid).unwrap();
    let sign_in = SignIn::new(&SignInRequest::new("user-1"), &policy).unwrap();
    let issuer = Issuer::new("https://id.example", "api", KeySet::new(key), &Secrets::new([2; 32]), policy).unwrap();
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let mut exchange = Exchange::begin(Request::Issue(sign_in), now, Entropy::from_seed([3; 32]));
    let (mut answer, mut sessions) = (Answer::Begin, 0);
    let mut records = BTreeMap::new();
    loop {
        answer = match exchange.resume(answer, &issuer, &View::new()) {
            Ok(Need::Get(get)) => Answer::Got(get.keys.iter().map(|key| records.get(key).cloned()).collect()),
            Ok(Need::List(_)) => Answer::Listed(Vec::new()),
            Ok(Need::Commit(commit)) => {
                sessions += commit.put.iter().filter(|put| matches!(put.key, Key::Session(_))).count();
                records.extend(commit.put.into_iter().filter_map(|put| Some((put.key, put.record?))));
                Answer::Committed(Committed::Done)
            }
            Ok(Need::Done(_)) => return (Ok(()), sessions),
            Err(failure) => return (Err(failure), sessions),
        };
    }
}

#[test]
fn a_wrong_signature_stops_the_operation_before_it_is_committed_where_the_policy_says_so() {
    assert_eq!(signs_in(FAULTY, true), (Err(Failure::SigningFault), 0));
    // What would be seen if nobody looked.
    assert_eq!(signs_in(FAULTY, false), (Ok(()), 1));
    assert_eq!(signs_in("sound", true), (Ok(()), 1));
}
