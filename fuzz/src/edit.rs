//! Small changes to a good text, as a script of four-byte instructions: what a fuzzer mutates well.

/// `original` after each instruction: kind 1, position u16 BE, byte 1. A kind from 128 counts from the end.
/// An incomplete instruction is left out.
pub fn edited(original: &[u8], script: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for &[kind, high, low, byte] in script.as_chunks::<4>().0 {
        let at = usize::from(u16::from_be_bytes([high, low])) % (bytes.len() + 1);
        let at = if kind < 128 { at } else { bytes.len() - at };
        match kind % 5 {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => bytes[at] ^= byte,
            2 => bytes.insert(at, byte),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}
