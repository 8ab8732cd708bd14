//! Money in a text.

use event_contracts::Money;

use crate::promises;

/// Reads `bytes` as an amount; what is read is written as it is read.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Money>() {
        Ok(money) => {
            assert!((0..=9_999_999_999).contains(&money.cents()), "{money}");
            assert_eq!(money.to_string().parse(), Ok(money), "{text:?}");
            let json = serde_json::to_string(&money).expect("an amount can be written");
            assert_eq!(serde_json::from_str::<Money>(&json).expect("an amount can be read"), money);
            // Sums and products are told apart from what no amount is, and never wrap.
            for times in [0, 1, 2, u32::MAX] {
                let product = i128::from(money.cents()) * i128::from(times);
                assert_eq!(
                    money.times(times).map(|money| i128::from(money.cents())).ok(),
                    (product <= 9_999_999_999).then_some(product)
                );
            }
        }
        Err(error) => promises::advice(&error.to_string()),
    }
}
