//! A small fuzzer for everybody's test run: the corpus with a few bytes changed, the same ones each time. The real ones know what they reach and
//! look further.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// What decoders are sensitive to.
const WORDS: [&[u8]; 22] = [
    b"0",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"2147483648",
    b"1000000000001",
    b"null",
    b"\"\"",
    b"[]",
    b"{}",
    b"\\u0000",
    b"\\ud800",
    b"\xEF\xBB\xBF",
    b"\xFF",
    b"\0",
    b"\r\n",
    b"\n\n",
    b",",
    b"\"",
    b"%00",
    b"&",
    b"orderId",
];

/// `bytes`, changed in one to four places; `other` may lend a piece.
pub(crate) fn of(bytes: &[u8], other: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        let to = random.random_range(at..=bytes.len().min(at + 32));
        match random.random_range(0..6) {
            0 => {
                drop(bytes.splice(at..at, WORDS.choose(random).copied().unwrap_or_default().iter().copied()))
            }
            1 => {
                drop(bytes.splice(at..to, WORDS.choose(random).copied().unwrap_or_default().iter().copied()))
            }
            2 => drop(bytes.drain(at..to)),
            3 => {
                let piece = bytes[at..to].repeat(random.random_range(1..40));
                bytes.splice(at..at, piece);
            }
            4 => {
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes
}

pub(crate) fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}
