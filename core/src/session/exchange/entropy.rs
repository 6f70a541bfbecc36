//! Randomness for one exchange, from one seed.

use zeroize::Zeroizing;

use crate::secret::MacKey;
use crate::store::Version;

/// Expands 32 random bytes into as many as an exchange draws: HMAC-SHA256 of a counter under the seed.
/// The same seed gives the same exchange, which is what tests and the model need; never use one twice
/// in production.
pub struct Entropy {
    key: MacKey,
    drawn: u64,
}

impl Entropy {
    /// From 32 bytes of a cryptographic random generator.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { key: MacKey::new(&Zeroizing::new(seed)), drawn: 0 }
    }

    /// The next `N` bytes, `N` being at most 32.
    pub(crate) fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        self.drawn = self.drawn.wrapping_add(1);
        let block = Zeroizing::new(self.key.mac(&[b"entropy", &self.drawn.to_be_bytes()]));
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(block.iter()) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn version(&mut self) -> Version {
        Version(u64::from_be_bytes(self.draw()))
    }
}
