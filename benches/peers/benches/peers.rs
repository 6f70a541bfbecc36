//! This library and others over the same token, and the bare primitive over the same bytes.
//!
//! They take turns, so that whatever else the machine does meets all alike. The names are
//! `peers_<algorithm>_<operation>/<library>_turn_<number>`; `benches/table` joins the turns and divides by `floor`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot be set up is over")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use safeconduct::core::jws::{Algorithm, Typ, sign};
use safeconduct_benches::eight_claims;
use safeconduct_peers::claims::{claims, sid};
use safeconduct_peers::keys::Keys;
use safeconduct_peers::{ALGORITHMS, now, peers};
use sha2::Sha256;

const TURNS: usize = 6;

fn compare(c: &mut Criterion) {
    let sid = sid();
    for algorithm in ALGORITHMS {
        let keys = Keys::new(algorithm);
        let now = now();
        let claims = claims(now, &sid);
        let token = sign(&keys.signing(), Typ::AccessToken, eight_claims(now).as_bytes());
        let input = &token.as_bytes()[..token.rfind('.').unwrap()];
        let peers = peers(algorithm);
        for (operation, turn) in (0..TURNS).flat_map(|turn| [("sign", turn), ("verify", turn)]) {
            let mut group = c.benchmark_group(format!("peers_{}_{operation}", algorithm.name().to_lowercase()));
            let named = |name: &str| format!("{name}_turn_{turn}");
            floor(&mut group, operation, &named("floor"), &keys, input);
            for peer in &peers {
                let name = named(&peer.name.replace(", ", "_").replace('-', "_"));
                match operation {
                    // How this library's claims are read has no part in signing.
                    "sign" if peer.name == "safeconduct, copied" => continue,
                    "sign" => group.bench_function(name, |b| b.iter(|| (peer.sign)(black_box(&claims)))),
                    _ => group.bench_function(name, |b| b.iter(|| (peer.verify)(black_box(&token)).unwrap())),
                };
            }
            group.finish();
        }
    }
}

/// The bare primitive, with its key ready.
fn floor(group: &mut BenchmarkGroup<'_, WallTime>, operation: &str, name: &str, keys: &Keys, input: &[u8]) {
    let is_sign = operation == "sign";
    match keys.algorithm {
        Algorithm::EdDsa => {
            let key = ed25519_dalek::SigningKey::from_bytes(&keys.secret);
            let (public, signature) = (key.verifying_key(), key.sign(input));
            match is_sign {
                true => group.bench_function(name, |b| b.iter(|| key.sign(black_box(input)))),
                false => group
                    .bench_function(name, |b| b.iter(|| public.verify_strict(black_box(input), &signature).unwrap())),
            }
        }
        Algorithm::Es256 => {
            let key = p256::ecdsa::SigningKey::from_slice(&keys.secret).unwrap();
            let (public, signature): (_, p256::ecdsa::Signature) = (*key.verifying_key(), key.sign(input));
            match is_sign {
                true => {
                    group.bench_function(name, |b| b.iter(|| -> p256::ecdsa::Signature { key.sign(black_box(input)) }))
                }
                false => {
                    group.bench_function(name, |b| b.iter(|| public.verify(black_box(input), &signature).unwrap()))
                }
            }
        }
        _ => {
            let keyed = Hmac::<Sha256>::new_from_slice(&keys.secret).unwrap();
            group.bench_function(name, |b| b.iter(|| mac(&keyed, black_box(input))))
        }
    };
}

fn mac(keyed: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = keyed.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Short enough that the token is still good when the last turn is over.
fn quick() -> Criterion {
    let criterion = Criterion::default().sample_size(40).without_plots();
    criterion.warm_up_time(Duration::from_millis(150)).measurement_time(Duration::from_millis(600))
}

criterion_group! { name = all; config = quick(); targets = compare }
criterion_main!(all);
