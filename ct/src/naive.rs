//! What a careless program does, for each promise at least one. memcheck has to report every one of them: where it
//! does not, nothing that it says of the promised cases is worth anything.
//!
//! What it cannot report is not here: a division whose time depends on its operands, a processor that guesses.

use std::collections::BTreeMap;
use std::hint::black_box;

use safeconduct_core::encoding::base64url;

use crate::case::Case;
use crate::memcheck;

pub(crate) const ALL: &[Case] = &[
    Case::naive("compare a tag, leave at the first difference", leave_early),
    Case::naive("compare a tag with ==", equals),
    Case::naive("branch on a comparison in constant time", branch_on_verdict),
    Case::naive("look a commitment up in a map", look_up),
    Case::naive("decode base64url by a table", decode_by_table),
    Case::naive("decode a secret as public text is decoded", decode_as_public),
    Case::naive("decode base64url by ranges", decode_by_ranges),
    Case::naive("encode base64url by a table", encode_by_table),
    Case::naive("see whether the text of a secret is UTF-8", validate),
    Case::naive("look at how a secret begins", look_at_the_beginning),
    Case::naive("write a secret for Debug", format),
    Case::naive("select by a secret bit", select),
    Case::naive("multiply by a secret scalar, bit by bit", multiply),
    Case::naive("multiply by a secret scalar, through a table", multiply_by_table),
    Case::naive("see whether a scalar is in range", in_range),
    Case::naive("trim a secret of its zeros", trim),
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes that are marked, of a length that the compiler does not know.
fn secret() -> Vec<u8> {
    let mut bytes = black_box(b"ZGllc2VyIFRleHQgaXN0IGdlaGVpbSEh").to_vec();
    memcheck::secret(bytes.as_mut_slice());
    bytes
}

fn leave_early() {
    let (tag, expected) = (black_box(b"ZGllc2VyIFRleHQgaXN0IGdlaGVpbSEh"), secret());
    let mut same = true;
    for (one, other) in tag.iter().zip(&expected) {
        if one != other {
            same = false;
            break;
        }
        black_box(());
    }
    black_box(same);
}

/// Of a length that is known, the compiler compares at once and without a branch; of any other it calls `bcmp`.
fn equals() {
    let (tag, expected) = (black_box([b'Z'; 32]), secret());
    black_box(expected[..black_box(31)] == tag[..black_box(31)]);
}

fn branch_on_verdict() {
    let difference = secret().iter().fold(0, |difference, byte| difference | (byte ^ b'Z'));
    if difference == 0 {
        black_box("accepted");
    } else {
        black_box("refused, and more to do");
    }
}

fn look_up() {
    let map: BTreeMap<Vec<u8>, u8> = [(vec![1; 32], 1), (vec![200; 32], 2)].into();
    black_box(map.get(&secret()));
}

fn decode_by_table() {
    let mut table = [0xff; 256];
    for (value, c) in (0..).zip(ALPHABET) {
        table[usize::from(*c)] = value;
    }
    let table: [u8; 256] = black_box(table);
    black_box(secret().iter().map(|c| table[usize::from(*c)]).collect::<Vec<u8>>());
}

fn decode_as_public() {
    black_box(base64url::decode_public(&secret(), &mut [0; 24])).ok();
}

fn decode_by_ranges() {
    for c in secret() {
        match c {
            b'A'..=b'Z' => black_box(c - b'A'),
            b'a'..=b'z' => black_box(c - b'a' + 26),
            b'0'..=b'9' => black_box(c - b'0' + 52),
            _ => black_box(0),
        };
    }
}

fn encode_by_table() {
    let alphabet = black_box(ALPHABET);
    black_box(secret().iter().map(|byte| alphabet[usize::from(byte & 0x3f)]).collect::<Vec<u8>>());
}

fn validate() {
    black_box(String::from_utf8(secret())).ok();
}

fn look_at_the_beginning() {
    black_box(secret().trim_ascii_start().starts_with(black_box(b"-----BEGIN")));
}

fn format() {
    black_box(format!("{:?}", secret()));
}

fn select() {
    for byte in secret() {
        let chosen = if byte & 1 == 1 { black_box("one") } else { black_box("the other, longer") };
        black_box(chosen);
    }
}

const MODULUS: u64 = 0xffff_fffb;

fn multiply() {
    let (mut power, mut base) = (1u64, 5u64);
    for byte in secret() {
        for bit in 0..8 {
            if byte >> bit & 1 == 1 {
                power = black_box(power * base % MODULUS);
            }
            base = base * base % MODULUS;
        }
    }
    black_box(power);
}

fn multiply_by_table() {
    let mut table = [1u64; 16];
    for i in 1..16 {
        table[i] = table[i - 1] * 5 % MODULUS;
    }
    let table: [u64; 16] = black_box(table);
    let sum = secret().iter().fold(0u64, |sum, byte| sum.wrapping_add(table[usize::from(byte >> 4)]));
    black_box(sum);
}

fn in_range() {
    black_box(secret().as_slice() < black_box([b'Z'; 32]).as_slice());
}

fn trim() {
    black_box(secret().iter().skip_while(|byte| **byte == 0).count());
}
