//! Topic names. An event's type is the name of the topic that carries it. The key is the aggregate's id.

/// A product's availability fell below its threshold.
pub const STOCK_LOW: &str = "inventory.stock.low";
/// A product's availability fell to zero.
pub const STOCK_DEPLETED: &str = "inventory.stock.depleted";
/// A product's level as it is now; compacted.
pub const STOCK_LEVEL: &str = "inventory.stock.level";
/// A hold ran out and its stock went back.
pub const RESERVATION_EXPIRED: &str = "inventory.reservation.expired";
/// A commit came after the hold had run out, and the stock was gone.
pub const COMMIT_FAILED: &str = "inventory.commit.failed";
