//! This library and others over the same token, and the bare primitive over the same bytes.
//!
//! The names are `peers/<algorithm>/<operation>/<library>`; `benches/table` divides them by `…/floor`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot be set up is over")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use safeconduct::core::jws::{Algorithm, Typ, sign};
use safeconduct_benches::eight_claims;
use safeconduct_peers::claims::{claims, sid};
use safeconduct_peers::keys::Keys;
use safeconduct_peers::{ALGORITHMS, now, peers};
use sha2::Sha256;

fn compare(c: &mut Criterion) {
    let sid = sid();
    for algorithm in ALGORITHMS {
        let keys = Keys::new(algorithm);
        let name = algorithm.name().to_lowercase();
        let now = now();
        let claims = claims(now, &sid);
        let token = sign(&keys.signing(), Typ::AccessToken, eight_claims(now).as_bytes());
        let input = &token.as_bytes()[..token.rfind('.').unwrap()];
        let peers = peers(algorithm);

        let mut group = c.benchmark_group(format!("peers_{name}_sign"));
        match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(&keys.secret);
                group.bench_function("floor", |b| b.iter(|| key.sign(black_box(input))));
            }
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&keys.secret).unwrap();
                group.bench_function("floor", |b| b.iter(|| -> p256::ecdsa::Signature { key.sign(black_box(input)) }));
            }
            _ => {
                let keyed = Hmac::<Sha256>::new_from_slice(&keys.secret).unwrap();
                group.bench_function("floor", |b| b.iter(|| mac(&keyed, black_box(input))));
            }
        }
        // How this library's claims are read has no part in signing.
        for peer in peers.iter().filter(|peer| peer.name != "safeconduct, copied") {
            group.bench_function(file_name(peer.name), |b| b.iter(|| (peer.sign)(black_box(&claims))));
        }
        group.finish();

        let mut group = c.benchmark_group(format!("peers_{name}_verify"));
        match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(&keys.secret);
                let (public, signature) = (key.verifying_key(), key.sign(input));
                let verify = || public.verify_strict(black_box(input), &signature).unwrap();
                group.bench_function("floor", |b| b.iter(verify));
            }
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&keys.secret).unwrap();
                let (public, signature): (_, p256::ecdsa::Signature) = (*key.verifying_key(), key.sign(input));
                group.bench_function("floor", |b| b.iter(|| public.verify(black_box(input), &signature).unwrap()));
            }
            _ => {
                let keyed = Hmac::<Sha256>::new_from_slice(&keys.secret).unwrap();
                group.bench_function("floor", |b| b.iter(|| mac(&keyed, black_box(input))));
            }
        }
        for peer in &peers {
            group.bench_function(file_name(peer.name), |b| b.iter(|| (peer.verify)(black_box(&token)).unwrap()));
        }
        group.finish();
    }
}

fn mac(keyed: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = keyed.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// `jsonwebtoken, aws_lc_rs` as `jsonwebtoken_aws_lc_rs`.
fn file_name(name: &str) -> String {
    name.replace(", ", "_").replace('-', "_")
}

/// Short enough that the token is still good when the last library has its turn.
fn quick() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).without_plots()
}

criterion_group! { name = all; config = quick(); targets = compare }
criterion_main!(all);
