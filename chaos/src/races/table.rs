//! The race table of checkout. A tidy test insists on a test for every row.

use super::Said;

/// Row by row, from 1.
pub(crate) const ROWS: [&str; 40] = [
    "payment succeeds after the hold expired",
    "cancel races payment",
    "duplicate payment event, same id",
    "duplicate payment event, other id",
    "failed then successful, or reverse",
    "reserve times out but succeeded",
    "release overtakes reserve",
    "replayed reserve after expiry",
    "crash between commit and publish",
    "crash between publish and mark",
    "crash between effect and offset",
    "COMMIT with unknown outcome",
    "event before the state it refers to",
    "payment request times out but was accepted",
    "payment never answers",
    "timer fires after success",
    "compensation fails",
    "compensating several lines, one already released",
    "zombie executor after its lease",
    "two consumers handle one record in a rebalance",
    "lower seq commits later",
    "two relays on one key",
    "record k times out, k+1 is delivered",
    "`RETURNING` order assumed",
    "zombie relay publishes an old batch",
    "poison message blocks a partition",
    "poison skipped, later events of the order applied",
    "every message looks poisonous",
    "redrive reaches every group",
    "redrive loop",
    "inbox pruned before a redrive",
    "group offsets expired",
    "ship races cancel",
    "clock skew",
    "saga resumed by newer code",
    "recovery meets a broken saga",
    "two concurrent POST /orders with one key",
    "trace lost at the outbox",
    "graceful shutdown drops work",
    "shipped before the stock was committed",
];

/// Rows that no test bears.
pub(crate) fn without(said: &[Said]) -> Vec<usize> {
    (1..=ROWS.len()).filter(|row| !said.iter().any(|said| said.rows().contains(row))).collect()
}
