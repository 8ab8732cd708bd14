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
/// Choreography: an order's stock is held.
pub const STOCK_RESERVED: &str = "inventory.stock.reserved";
/// Choreography: an order's stock cannot be had.
pub const STOCK_RESERVATION_FAILED: &str = "inventory.stock.reservation-failed";
/// Choreography: an order's stock is sold for good.
pub const STOCK_COMMITTED: &str = "inventory.stock.committed";
/// An order was placed.
pub const ORDER_CREATED: &str = "order.created";
/// An order is paid and its stock committed.
pub const ORDER_CONFIRMED: &str = "order.confirmed";
/// An order's money did not come.
pub const ORDER_FAILED: &str = "order.failed";
/// An order ended without a sale.
pub const ORDER_CANCELLED: &str = "order.cancelled";
/// An order is on its way.
pub const ORDER_SHIPPED: &str = "order.shipped";
/// The provider has the money.
pub const PAYMENT_SUCCESSFUL: &str = "payment.successful";
/// The provider said no.
pub const PAYMENT_FAILED: &str = "payment.failed";
/// The money was given back.
pub const PAYMENT_REFUNDED: &str = "payment.refunded";
