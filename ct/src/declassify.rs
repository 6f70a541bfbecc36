//! What comes out of a promised function and is public by design, each kind at one place.
//!
//! What is decided inside the core, where this program has no say, is declassified by the line that decides: each
//! of the [`Place`]s below has a reason, and one that no case comes by any more is a failure.

use std::hint::black_box;

use safeconduct_core::secret::Commitment;
use safeconduct_core::store::{Commit, Key};

use crate::case::Place;
use crate::memcheck;

const fn place(file: &'static str, line: &'static str, reason: &'static str) -> Place {
    Place { file, line, from: "", reason }
}

/// A key that is taken in.
pub(crate) const IMPORT: &[Place] = &[IDENTITY, IDENTITY_SEARCHED, IDENTITY_WRITTEN];
const IDENTITY_SEARCHED: Place = Place {
    file: "library/core/src/slice/memchr.rs",
    line: "",
    from: "core/src/jws/identity.rs",
    reason: "public halves and kids are published",
};
const IDENTITY: Place = place("core/src/jws/identity.rs", "", "public halves and kids are published");
const IDENTITY_WRITTEN: Place = Place {
    file: "core/src/encoding/json/writer.rs",
    line: "",
    from: "core/src/jws/identity.rs",
    reason: "public halves and kids are published",
};

/// An HMAC secret that is taken in.
pub(crate) const HMAC: &[Place] = &[
    place("core/src/jws/mac.rs", "if key_text::is_key_text", "whether the secret is refused is told"),
    place("core/src/jws/mac.rs", "key_text::is_blank", "whether the secret is refused is told"),
    place("core/src/jws/key_text.rs", "is_der_key(secret) != 0", "whether the secret is refused is told"),
    place("core/src/jws/key_text.rs", "if search(secret, b\"{\"", "who gives JSON as a secret has it read as JSON"),
    IDENTITY,
    IDENTITY_SEARCHED,
    IDENTITY_WRITTEN,
];

/// A token that is verified by an HMAC secret.
pub(crate) const VERIFIED: &[Place] = &[
    place("core/src/jws/compact.rs", "if !key.accepts", "whether a signature is right is told"),
    place("core/src/jws/mac.rs", "if key_text::is_key_text", "whether the secret is refused is told"),
    place("core/src/jws/mac.rs", "key_text::is_blank", "whether the secret is refused is told"),
    place("core/src/jws/key_text.rs", "is_der_key(secret) != 0", "whether the secret is refused is told"),
    place("core/src/jws/key_text.rs", "if search(secret, b\"{\"", "who gives JSON as a secret has it read as JSON"),
    IDENTITY,
    IDENTITY_SEARCHED,
    IDENTITY_WRITTEN,
];

/// A P-256 key that is taken in.
pub(crate) const P256: &[Place] = &[
    IN_RANGE,
    place("elliptic-curve/src/secret_key.rs", "is_zero", "whether the scalar is refused is told"),
    place("sec1/src/point.rs", "", "the point is the public half"),
    place("core/src/jws/p256_key.rs", "fn SecretScalar::new", "the point is the public half"),
    TAKEN_IN,
    IDENTITY,
    IDENTITY_SEARCHED,
    IDENTITY_WRITTEN,
];
/// Of what it does itself, whichever line the compiler gives it.
const TAKEN_IN: Place = place("core/src/jws/key.rs", "fn p256", "whether the scalar is refused is told");
const IN_RANGE: Place =
    place("elliptic-curve/src/secret_key.rs", ".into_option()", "whether the scalar is refused is told");

/// A signature by a P-256 key: all of it is decided once in some 2^32 signatures, and then begun again.
pub(crate) const ES256: &[Place] = &[
    IN_RANGE,
    place("elliptic-curve/src/secret_key.rs", "is_zero", "whether the scalar is refused is told"),
    place("sec1/src/point.rs", "", "the point is the public half"),
    place("core/src/jws/p256_key.rs", "fn SecretScalar::new", "the point is the public half"),
    TAKEN_IN,
    place("rfc6979/src/lib.rs", "candidate_k.is_zero", "a nonce out of range is not used"),
    place("ecdsa/src/hazmat.rs", "NonZeroScalar::<C>::from_repr", "a nonce out of range is not used"),
    place("elliptic-curve/src/scalar/nonzero.rs", "Invert::invert", "a nonce is not zero"),
    place("elliptic-curve/src/scalar/value.rs", "into_option", "r and s are published"),
    place("ecdsa/src/lib.rs", "r.is_zero", "r and s are published"),
    IDENTITY,
    IDENTITY_SEARCHED,
    IDENTITY_WRITTEN,
];

/// A secret that was decoded.
pub(crate) const DECODED: &[Place] = &[DECODES];
const DECODES: Place =
    place("core/src/token/refresh.rs", "decode_secret", "whether a token was malformed is told; where is not");

/// A secret that was read by itself.
pub(crate) const READ: &[Place] =
    &[place("core/src/secret/mod.rs", "decode_secret(text", "whether a secret was malformed is told; where is not")];

/// A token whose tag was compared.
pub(crate) const TAG: &[Place] = &[DECODES, TAGGED];
const TAGGED: Place = place("core/src/token/refresh.rs", "if !stamp.is_tag", "whether a tag is right is told");

/// An operation on a session.
pub(crate) const EXCHANGE: &[Place] = &[
    DECODES,
    TAGGED,
    place("core/src/session/record.rs", "keys.record.is_tag", "whether a record is authentic is told"),
    place("core/src/session/exchange/issue.rs", "found.id == newest", "a store is asked by directory ids"),
    place("core/src/session/transition.rs", "!presented.sealed", "whether a seal is right is told"),
    place("core/src/session/transition.rs", "!proof.carries_nonce", "whether a nonce is right is told"),
    place("core/src/session/rotation.rs", "commitment != stored.current", OUTCOME),
    place("core/src/session/rotation.rs", "next == event.presented.commitment", OUTCOME),
    place("core/src/session/rotation.rs", "is_parent", OUTCOME),
    place("core/src/session/issuer.rs", "is_offered", OUTCOME),
    place("core/src/session/issuer.rs", "is_ours &&", ANSWERED),
    place("core/src/session/rotation.rs", "!challenged", ANSWERED),
    place("core/src/revocation/entry.rs", "keys.record.is_tag", "whether a log entry is authentic is told"),
];
const ANSWERED: &str = "whether a challenge was answered is told";
const OUTCOME: &str = "whose token it is decides the answer";

/// Whether something was accepted: the caller is told.
pub(crate) fn verdict(mut accepted: bool) -> bool {
    memcheck::public(&mut accepted);
    black_box(accepted)
}

/// A signature or a tag that is handed out.
pub(crate) fn signature(signature: &mut [u8]) {
    memcheck::public(signature);
}

/// The commitment of a secret: proves nothing by itself.
pub(crate) fn commitment(mut commitment: Commitment) -> Commitment {
    memcheck::public(&mut commitment);
    black_box(commitment)
}

/// What a store is given: nothing that it holds can be presented.
pub(crate) fn stored(commit: &mut Commit) {
    for (key, version) in &mut commit.expect {
        address(key);
        memcheck::public(version);
    }
    for put in &mut commit.put {
        address(&mut put.key);
        if let Some(record) = &mut put.record {
            memcheck::public(record.bytes.as_mut_slice());
        }
    }
    for entry in &mut commit.log {
        memcheck::public(entry.bytes.as_mut_slice());
    }
}

/// The address of a record: a keyed hash of the subject, or the identifier of a session.
pub(crate) fn address(key: &mut Key) {
    memcheck::public(key);
}

/// A token that is handed out to its owner.
pub(crate) fn granted(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    memcheck::public(bytes.as_mut_slice());
    String::from_utf8(bytes).unwrap_or_default()
}
