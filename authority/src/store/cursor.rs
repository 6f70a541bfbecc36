//! Where a read of the revocation log ended, for the engines of this package.
//!
//! A cursor says which log it belongs to (a random feed id), which entry was the last (`seq`), what that
//! entry was (`mark`, 64 random bits drawn when it was appended) and whose entries were read. It fits
//! only a log that still has this entry: another file, a restored backup, and a backup that has since
//! grown past `seq` are all told apart. A log may forget old entries, but never its newest.

use safeconduct_core::id::Partition;

/// What a cursor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) feed: [u8; 16],
    /// The newest entry at the time of the read, 0 where the log was empty.
    pub(super) seq: u64,
    /// The mark of that entry, 0 where the log was empty.
    pub(super) mark: u64,
    pub(super) partitions: PartitionSet,
}

impl Cursor {
    /// feed 16 ‖ seq 8 ‖ mark 8 ‖ partitions 32, big-endian.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&self.feed);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.mark.to_be_bytes());
        for word in self.partitions.0 {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// `None` where an engine of this package did not write `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (feed, rest) = bytes.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (mark, rest) = rest.split_first_chunk()?;
        let words: &[u8; 32] = rest.try_into().ok()?;
        let mut partitions = [0; 4];
        for (word, bytes) in partitions.iter_mut().zip(words.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Some(Self {
            feed: *feed,
            seq: u64::from_be_bytes(*seq),
            mark: u64::from_be_bytes(*mark),
            partitions: PartitionSet(partitions),
        })
    }
}

/// Some of the 256 partitions, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartitionSet([u64; 4]);

impl PartitionSet {
    pub(super) fn new(partitions: &[Partition]) -> Self {
        let mut set = [0; 4];
        for partition in partitions {
            let (word, bit) = Self::place(partition.0);
            if let Some(word) = set.get_mut(word) {
                *word |= bit;
            }
        }
        Self(set)
    }

    pub(super) fn contains(&self, partition: u8) -> bool {
        let (word, bit) = Self::place(partition);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn is_subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(ours, theirs)| ours & !theirs == 0)
    }

    fn place(partition: u8) -> (usize, u64) {
        (usize::from(partition >> 6), 1_u64.wrapping_shl(u32::from(partition & 63)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let partitions = PartitionSet::new(&[Partition(0), Partition(63), Partition(64), Partition(255)]);
        let cursor = Cursor { feed: [7; 16], seq: u64::MAX, mark: 1, partitions };
        assert_eq!(Cursor::parse(&cursor.to_bytes()), Some(cursor));
        assert_eq!(Cursor::parse(&cursor.to_bytes()[1..]), None);
        assert_eq!(Cursor::parse(b""), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = PartitionSet::new(&[Partition(0), Partition(200)]);
        let held: Vec<u8> = (0..=255).filter(|partition| set.contains(*partition)).collect();
        assert_eq!(held, [0, 200]);
        assert!(PartitionSet::new(&[Partition(200)]).is_subset_of(&set));
        assert!(!PartitionSet::new(&[Partition(201)]).is_subset_of(&set));
    }
}
