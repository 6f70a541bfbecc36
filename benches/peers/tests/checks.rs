//! No library is compared that does not make the checks, and none that makes another token.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use safeconduct::core::jws::{Typ, sign};
use safeconduct_benches::eight_claims;
use safeconduct_peers::claims::{claims, sid};
use safeconduct_peers::forged::{Forged, forged};
use safeconduct_peers::keys::Keys;
use safeconduct_peers::{ALGORITHMS, Peer, now, peers};

/// What a library makes of the good token and of those that it has to refuse: nothing, or the first that is wrong.
fn fault(peer: &Peer, good: &str, exp: u64, forged: &[Forged]) -> Option<&'static str> {
    let must = forged.iter().filter(|forged| forged.must);
    let accepted = must.filter(|forged| (peer.verify)(&forged.token).is_some()).map(|forged| forged.what).next();
    if (peer.verify)(good) == Some(exp) { accepted } else { Some("refuses the good token") }
}

#[test]
fn every_library_accepts_the_good_token_and_refuses_what_each_must() {
    for algorithm in ALGORITHMS {
        let (key, now) = (Keys::new(algorithm).signing(), now());
        let (good, exp) = (sign(&key, Typ::AccessToken, eight_claims(now).as_bytes()), now.as_unix_seconds() + 600);
        let forged = forged(&key, now);
        for peer in peers(algorithm) {
            assert_eq!(fault(&peer, &good, exp, &forged), None, "{algorithm} {}", peer.name);
        }
    }
}

#[test]
fn a_library_that_leaves_out_one_check_is_found() {
    let (key, now) = (Keys::new(ALGORITHMS[0]).signing(), now());
    let (good, exp) = (sign(&key, Typ::AccessToken, eight_claims(now).as_bytes()), now.as_unix_seconds() + 600);
    let all = forged(&key, now);
    let must: Vec<_> = all.iter().filter(|forged| forged.must).map(|forged| forged.what).collect();
    assert_eq!(must.len(), 4);
    for what in must {
        let strict = peers(ALGORITHMS[0]).remove(0);
        let lets_through = all.iter().find(|forged| forged.what == what).unwrap().token.clone();
        let (sign, strict) = (strict.sign, strict.verify);
        let verify = move |token: &str| if token == lets_through { Some(exp) } else { strict(token) };
        let lax = Peer { name: "lax", sign, verify: Box::new(verify) };
        assert_eq!(fault(&lax, &good, exp, &all), Some(what));
    }
    let deaf = Peer { name: "deaf", sign: peers(ALGORITHMS[0]).remove(0).sign, verify: Box::new(|_| None) };
    assert_eq!(fault(&deaf, &good, exp, &all), Some("refuses the good token"));
}

#[test]
fn this_library_refuses_everything_that_is_wrong() {
    for algorithm in ALGORITHMS {
        let now = now();
        let peers = peers(algorithm);
        for (peer, name) in peers[..2].iter().zip(["safeconduct", "safeconduct, copied"]) {
            assert_eq!(peer.name, name);
            for forged in forged(&Keys::new(algorithm).signing(), now) {
                assert_eq!((peer.verify)(&forged.token), None, "{algorithm} {name}: {}", forged.what);
            }
        }
    }
}

#[test]
fn what_each_library_signs_every_other_accepts() {
    let sid = sid();
    for algorithm in ALGORITHMS {
        let now = now();
        let peers = peers(algorithm);
        let ours = (peers[0].sign)(&claims(now, &sid));
        for signer in &peers {
            let token = (signer.sign)(&claims(now, &sid));
            // One has `"cty":null` or another order of members; none has more or fewer claims.
            assert!(token.len().abs_diff(ours.len()) < 8, "{algorithm} {}: {token}", signer.name);
            for verifier in &peers {
                let exp = (verifier.verify)(&token);
                assert_eq!(exp, Some(now.as_unix_seconds() + 600), "{algorithm} {} {}", signer.name, verifier.name);
            }
        }
    }
}

#[test]
fn the_signed_claims_are_those_of_the_benches() {
    let (sid, now) = (sid(), now());
    assert_eq!(serde_json::to_string(&claims(now, &sid)).unwrap(), eight_claims(now));
}
