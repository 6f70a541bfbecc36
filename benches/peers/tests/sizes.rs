//! The sizes are those of what travels, and as far apart as their parts say.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use safeconduct_peers::sizes::{Size, sizes};

fn of(all: &[Size], mode: &str, what: &str) -> usize {
    let mut found = all.iter().filter(|size| size.mode == mode && size.what == what);
    let bytes = found.next().unwrap_or_else(|| panic!("{mode}, {what} is not there")).bytes;
    assert!(found.all(|other| other.bytes == bytes), "{mode}, {what} has two sizes");
    bytes
}

#[test]
fn the_sizes_differ_by_their_parts() {
    let all = sizes();
    assert!(all.iter().all(|size| size.bytes > 0));
    let [hmac, edwards, p256] =
        ["HS256", "EdDSA", "ES256"].map(|name| of(&all, &format!("jwt or hybrid, {name}"), "access token"));
    // A signature has 43 characters more than a tag, and the `kid` of a public key, its thumbprint, 27 more than 16.
    assert_eq!(edwards, p256);
    assert_eq!(edwards, hmac + 43 + 27 * 4 / 3);
    // The default header has neither `at+jwt` nor a `kid` of 16 characters: `,"kid":""` and three letters more.
    let plain = of(&all, "the same claims, HS256", "token of jsonwebtoken by default");
    assert!((hmac - plain).abs_diff((9 + 16 + 3) * 4 / 3) <= 2, "{hmac} {plain}");
    // Who draws half of the token himself gets the other half only.
    let receipt = of(&all, "hybrid, committed", "receipt");
    assert!(receipt < of(&all, "hybrid, committed", "refresh token"));
    assert_eq!(of(&all, "hybrid, committed", "next commitment"), 43);
    assert_eq!(of(&all, "hybrid, window", "refresh token"), of(&all, "hybrid, bound", "refresh token"));
}
