//! base64url of secrets, and secrets themselves.

use std::hint::black_box;

use safeconduct_core::encoding::base64url;
use safeconduct_core::secret::{Secret, Secrets};

use crate::case::Case;
use crate::{declassify, memcheck};

pub(crate) const ALL: &[Case] = &[
    Case::promised("decode a secret from base64url", &[], || decode(b'A')),
    Case::promised("decode a malformed secret", &[], || decode(b'+')),
    Case::promised("encode a secret in base64url", &[], encode),
    Case::promised("read a secret", declassify::READ, read),
    Case::promised("compare two secrets", &[], compare),
    Case::promised("commitment of a secret", &[], commit),
    Case::promised("write out the master keys", &[], write),
];

/// Lengths around the block of the decoder, and one that fills several.
const LENGTHS: [usize; 6] = [1, 16, 24, 32, 33, 100];

fn decode(last: u8) {
    for length in LENGTHS {
        let mut text = base64url::encode(&vec![0x5a; length]).into_bytes();
        if let Some(first) = text.first_mut().filter(|_| last == b'+') {
            *first = last;
        }
        memcheck::secret(text.as_mut_slice());
        let mut out = vec![0; length];
        let decoded = base64url::decode_secret(&text, &mut out);
        assert_eq!(declassify::verdict(decoded.is_ok()), last != b'+');
    }
}

fn encode() {
    for length in LENGTHS {
        let mut bytes = vec![0x5a; length];
        memcheck::secret(bytes.as_mut_slice());
        assert_eq!(black_box(base64url::encode(&bytes)).len(), base64url::encoded_len(length));
    }
}

/// A secret of 32 marked bytes.
pub(super) fn secret(byte: u8) -> [u8; 32] {
    let mut bytes = [byte; 32];
    memcheck::secret(&mut bytes);
    bytes
}

fn read() {
    for (text, is_secret) in [("A".repeat(43), true), ("A".repeat(42) + "B", false), ("+".repeat(43), false)] {
        let mut bytes = text.into_bytes();
        memcheck::secret(bytes.as_mut_slice());
        assert_eq!(Secret::parse(&super::tokens::text(bytes)).is_some(), is_secret);
    }
}

fn compare() {
    let mut almost = [1; 32];
    almost[31] = 2;
    memcheck::secret(&mut almost);
    let one = Secret::new(secret(1));
    assert!(declassify::verdict(one == Secret::new(secret(1))));
    assert!(!declassify::verdict(one == Secret::new(almost)));
    assert!(!declassify::verdict(one == Secret::new(secret(2))));
}

fn commit() {
    black_box(Secret::new(secret(1)).commitment());
}

fn write() {
    let mut secrets = Secrets::new(secret(1));
    secrets.add(secret(2)).unwrap();
    assert_eq!(black_box(secrets.to_text()).len(), 2 * 50);
}
