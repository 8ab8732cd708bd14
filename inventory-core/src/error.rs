//! Why a change did not happen: one enum per operation, and the failures they share.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::quantity::{Quantity, Units};

/// The engine could not say yes or no. Always safe to repeat with the same order or adjustment id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// A queue or a waiting room is full, or the request waited past its deadline. Nothing happened.
    #[error("the engine is overloaded; nothing was changed, repeat the same request in a moment")]
    Overloaded,
    /// The store cannot be reached or refuses work. Nothing happened.
    #[error(
        "the store is not available ({reason}); nothing was changed, repeat the same request in a moment"
    )]
    Unavailable {
        /// What the store said.
        reason: String,
    },
    /// The change was sent to the store and its answer has not come. It resolves to exactly one of both.
    #[error("the outcome is not known yet; repeat the same request to learn it")]
    OutcomeUnknown,
    /// The engine was shut down, or its writer failed.
    #[error("the engine has stopped")]
    Stopped,
    /// The store refused this command's data, or a guard behind the code fired: a bug worth reporting.
    #[error("the store refused the change: {reason}")]
    Refused {
        /// What the store said.
        reason: String,
    },
}

impl Failure {
    /// Whether repeating the same request may succeed without anyone mending anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overloaded | Self::Unavailable { .. } | Self::OutcomeUnknown => true,
            Self::Stopped | Self::Refused { .. } => false,
        }
    }

    /// When to come back.
    pub fn retry_after(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// The same order was reserved before, with something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// The summed quantity of a product differs; zero means the product is absent.
    Quantity {
        /// Which product.
        product: ProductId,
        /// What the order holds.
        had: u32,
        /// What this request asks for.
        asked: u32,
    },
    /// The customer differs.
    Customer {
        /// Who reserved.
        had: Option<String>,
        /// Who asks.
        asked: Option<String>,
    },
}

/// One line that cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortage {
    /// Which product.
    pub product: ProductId,
    /// What was asked for, duplicates summed.
    pub requested: Quantity,
    /// What can still be reserved.
    pub available: Units,
    /// When the earliest hold on it ends, if known: a hint for when to try again.
    pub earliest_expiry_at: Option<Timestamp>,
}

/// Why a reserve was refused. Checks come in this order: conflict, state, product, limit, stock.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReserveError {
    /// Same order, other lines or other customer.
    #[error("order {order} was reserved with other content")]
    Conflict {
        /// The order.
        order: OrderId,
        /// What differs, first difference first.
        difference: Difference,
    },
    /// The order was released; a released order cannot be held again.
    #[error("order {0} was released")]
    AlreadyReleased(OrderId),
    /// The order's hold ran out.
    #[error("the hold of order {0} has expired")]
    Expired(OrderId),
    /// These products were never created.
    #[error("unknown products")]
    ProductNotFound(Vec<ProductId>),
    /// A product is limited per customer, and the request names no customer.
    #[error("product {product} is limited to {limit} per customer and the request names no customer")]
    CustomerRequired {
        /// Which product.
        product: ProductId,
        /// How many each may have.
        limit: Quantity,
    },
    /// The customer has, or would have, more than allowed.
    #[error("product {product} is limited to {limit} per customer, {taken} taken")]
    CustomerLimit {
        /// Which product.
        product: ProductId,
        /// How many each may have.
        limit: Quantity,
        /// How many this customer holds and has bought.
        taken: Units,
    },
    /// Not enough stock; every short line.
    #[error("insufficient stock")]
    InsufficientStock(Vec<Shortage>),
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a commit was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was ever reserved under this order.
    #[error("no reservation of order {0}")]
    NotFound(OrderId),
    /// The order was committed with other quantities.
    #[error("order {order} was committed with other content")]
    Conflict {
        /// The order.
        order: OrderId,
        /// What differs.
        difference: Difference,
    },
    /// `items` asks for more of a product than is held.
    #[error("more of product {product} than the {held} held")]
    MoreThanHeld {
        /// Which product.
        product: ProductId,
        /// How many are held.
        held: u32,
    },
    /// The stock went back.
    #[error("order {0} was released")]
    AlreadyReleased(OrderId),
    /// The hold ran out and its stock is gone: the order is lost.
    #[error("the hold of order {0} has expired and its stock is gone")]
    Expired(OrderId),
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a release was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A partial release of an order that was never reserved.
    #[error("no reservation of order {0}")]
    NotFound(OrderId),
    /// `items` asks for more of a product than is held.
    #[error("more of product {product} than the {held} held")]
    MoreThanHeld {
        /// Which product.
        product: ProductId,
        /// How many are held.
        held: u32,
    },
    /// Bought stock comes back by an adjustment, not by a release.
    #[error("order {0} was committed")]
    AlreadyCommitted(OrderId),
    /// A partial release of an order that was released.
    #[error("order {0} was released")]
    AlreadyReleased(OrderId),
    /// A partial release of an order whose hold ran out.
    #[error("the hold of order {0} has expired")]
    Expired(OrderId),
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why an extend was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExtendError {
    /// Nothing was ever reserved under this order.
    #[error("no reservation of order {0}")]
    NotFound(OrderId),
    /// The new end would lie beyond the ceiling.
    #[error("the hold may last until {expires_at_max} at most")]
    TtlTooLong {
        /// The ceiling.
        expires_at_max: Timestamp,
    },
    /// Nothing left to extend.
    #[error("order {0} was committed")]
    AlreadyCommitted(OrderId),
    /// Nothing left to extend.
    #[error("order {0} was released")]
    AlreadyReleased(OrderId),
    /// Too late.
    #[error("the hold of order {0} has expired")]
    Expired(OrderId),
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why an adjustment was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdjustError {
    /// Never created.
    #[error("unknown product {0}")]
    ProductNotFound(ProductId),
    /// Same adjustment id, other content.
    #[error("adjustment {adjustment} was made with other content: {difference}")]
    Conflict {
        /// The id.
        adjustment: String,
        /// What differs, in words.
        difference: String,
    },
    /// The stock would fall below what is held.
    #[error("product {product}: {on_hand} on hand, {held} held")]
    BelowHeld {
        /// Which product.
        product: ProductId,
        /// Units on hand now.
        on_hand: Units,
        /// Units held now.
        held: Units,
    },
    /// The stock would exceed what a product may have.
    #[error("product {0} would have more stock than can be kept")]
    TooMuch(ProductId),
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why setting or importing a product was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetError {
    /// `expected_admin_version` is not the present one (`None`: the product does not exist).
    #[error("product {product} has changed since it was read")]
    Stale {
        /// Which product.
        product: ProductId,
        /// The present version, if it exists.
        admin_version: Option<u64>,
    },
    /// The stock would fall below what is held.
    #[error("product {product}: {held} held")]
    BelowHeld {
        /// Which product.
        product: ProductId,
        /// Units held now.
        held: Units,
    },
    /// No yes and no no.
    #[error(transparent)]
    Failed(#[from] Failure),
}
