//! Prints what each library does with tokens that are wrong in one thing, as a table: seen, not claimed.
//!
//! Under every algorithm the answers have to be the same; where they are not, the algorithms are named.

use safeconduct_peers::forged::forged;
use safeconduct_peers::keys::Keys;
use safeconduct_peers::{ALGORITHMS, now, peers};

fn main() {
    let names: Vec<_> = peers(ALGORITHMS[0]).iter().map(|peer| peer.name).collect();
    println!("| a token that is good, but | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    let seen: Vec<_> = ALGORITHMS
        .iter()
        .map(|algorithm| {
            let forged = forged(&Keys::new(*algorithm).signing(), now());
            let peers = peers(*algorithm);
            let answers = |token: &str| peers.iter().map(|peer| (peer.verify)(token).is_none()).collect::<Vec<_>>();
            forged.into_iter().map(|forged| (forged.what, answers(&forged.token))).collect::<Vec<_>>()
        })
        .collect();
    for (row, (what, _)) in seen[0].iter().enumerate() {
        let answers = (0..names.len()).map(|peer| {
            let refuses = |algorithm: usize| seen[algorithm][row].1[peer];
            match ALGORITHMS.iter().enumerate().filter(|(place, _)| refuses(*place)).count() {
                0 => "accepts".to_owned(),
                count if count == ALGORITHMS.len() => "refuses".to_owned(),
                _ => {
                    let refusing = ALGORITHMS.iter().enumerate().filter(|(place, _)| refuses(*place));
                    let refusing: Vec<_> = refusing.map(|(_, algorithm)| algorithm.name()).collect();
                    format!("refuses {}", refusing.join(", "))
                }
            }
        });
        println!("| {what} | {} |", answers.collect::<Vec<_>>().join(" | "));
    }
}
