//! A 64-bit fingerprint, the same on every machine: FNV-1a. Not cryptographic; it tells runs apart, not forgers.

use std::fmt;

/// What has been fed so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Of these bytes alone.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = Self::default();
        digest.feed(bytes);
        digest
    }

    /// Goes on with these bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The fingerprint as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        assert_eq!(Digest::of(b"").to_string(), "cbf29ce484222325");
        assert_eq!(Digest::of(b"a").to_string(), "af63dc4c8601ec8c");
        assert_eq!(Digest::of(b"foobar").to_string(), "85944171f73967e8");
    }

    #[test]
    fn pieces_count_as_the_whole() {
        let mut digest = Digest::of(b"foo");
        digest.feed(b"bar");
        assert_eq!(digest, Digest::of(b"foobar"));
    }
}
