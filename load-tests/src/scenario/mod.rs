//! The scenarios: what each needs, what its buyers do, and which refusals it is about.

mod crossing_carts;
mod flash_sale;
mod hoarders;
mod retry_storm;
mod shopping;
mod soak;
mod steady_checkout;

use std::sync::Arc;

use goose::goose::GooseUser;
use rand::seq::IndexedRandom as _;

use crate::attack::{Doing, Kind};
use crate::buyer::Counter;
use crate::outcome::{Figure, Load};
use crate::rules::Shelf;
use crate::size::Size;
use crate::tally::Tally;
use crate::target::Needs;

pub(crate) use hoarders::CAP;

/// Which scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scenario {
    FlashSale,
    SteadyCheckout,
    ExpiryStorm,
    RetryStorm,
    CrossingCarts,
    Hoarders,
    Overload,
    Soak,
}

/// Stock that nobody buys up.
const PLENTY: i64 = 1_000_000_000;

/// What a scenario puts on the shelf: products of its own, numbered from the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stage {
    /// The products that the books are kept of.
    pub(crate) products: Vec<i64>,
    /// Beside them: products whose holds come and go, and must all have gone at the end.
    pub(crate) fleeting: Vec<i64>,
    /// Units of each.
    pub(crate) stock: i64,
    pub(crate) per_customer_limit: Option<u32>,
}

/// What all buyers of a run share.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) inventory: String,
    pub(crate) orders: String,
    pub(crate) scenario: Scenario,
    pub(crate) stage: Stage,
    pub(crate) tally: Tally,
}

impl Floor {
    /// Speaks to inventory.
    pub(crate) fn at_inventory(&self) -> Counter<'_> {
        Counter { base: &self.inventory, expected: self.scenario.refusals(), tally: &self.tally }
    }

    /// Speaks to orders.
    fn at_orders(&self) -> Counter<'_> {
        Counter { base: &self.orders, expected: self.scenario.refusals(), tally: &self.tally }
    }

    fn any_product(&self) -> i64 {
        self.stage.products.choose(&mut rand::rng()).copied().unwrap_or_default()
    }
}

impl Scenario {
    /// Every one, in the order of a whole run.
    pub(crate) const ALL: [Self; 8] = [
        Self::FlashSale,
        Self::CrossingCarts,
        Self::RetryStorm,
        Self::Hoarders,
        Self::ExpiryStorm,
        Self::Overload,
        Self::SteadyCheckout,
        Self::Soak,
    ];

    /// As it is typed; k6's script has this name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FlashSale => "flash-sale",
            Self::SteadyCheckout => "steady-checkout",
            Self::ExpiryStorm => "expiry-storm",
            Self::RetryStorm => "retry-storm",
            Self::CrossingCarts => "crossing-carts",
            Self::Hoarders => "hoarders",
            Self::Overload => "overload",
            Self::Soak => "soak",
        }
    }

    /// What must run.
    pub(crate) fn needs(self) -> Needs {
        match self {
            Self::FlashSale | Self::ExpiryStorm | Self::RetryStorm | Self::CrossingCarts | Self::Hoarders => {
                Needs::Inventory
            }
            Self::Overload => Needs::SlowInventory,
            Self::SteadyCheckout | Self::Soak => Needs::Checkout,
        }
    }

    /// Codes of the refusals that buyers may be told here.
    fn refusals(self) -> &'static [&'static str] {
        match self {
            Self::FlashSale | Self::CrossingCarts => &["insufficient_stock"],
            Self::RetryStorm => &["already_released"],
            Self::Hoarders => &["insufficient_stock", "customer_limit"],
            Self::Soak => &["already_released"],
            Self::SteadyCheckout | Self::ExpiryStorm | Self::Overload => &[],
        }
    }

    /// What is put on the shelf, from a product number on.
    pub(crate) fn stage(self, first: i64, size: Size) -> Stage {
        let demand = i64::from(size.rate) * i64::try_from(size.seconds).unwrap_or(i64::MAX);
        let (products, fleeting, stock) = match self {
            Self::FlashSale => (1, 0, (demand / 3).max(1)),
            Self::CrossingCarts => (8, 0, (demand / 4).max(1)),
            Self::Hoarders => (1, 0, (demand / 4).max(1)),
            Self::RetryStorm => (32, 0, PLENTY),
            Self::ExpiryStorm => (4, 4, PLENTY),
            Self::Overload | Self::SteadyCheckout => (8, 0, PLENTY),
            Self::Soak => (16, 4, PLENTY),
        };
        Stage {
            products: (first..first + products).collect(),
            fleeting: (first + products..first + products + fleeting).collect(),
            stock,
            per_customer_limit: (self == Self::Hoarders).then_some(CAP),
        }
    }

    /// What goose's buyers do.
    pub(crate) fn kinds(self, floor: &Arc<Floor>) -> Vec<Kind> {
        let kind = |name, weight, does| kind(name, weight, floor, does);
        match self {
            Self::FlashSale => vec![kind("buyer", 1, flash_sale::buy)],
            Self::CrossingCarts => vec![kind("cart", 1, crossing_carts::fill)],
            Self::RetryStorm => vec![kind("repeater", 1, retry_storm::repeat)],
            Self::Hoarders => vec![kind("hoarder", 1, hoarders::hoard), kind("honest", 1, hoarders::buy)],
            Self::ExpiryStorm | Self::Overload => vec![kind("shopper", 1, shopping::hold)],
            Self::SteadyCheckout => vec![kind("order", 1, steady_checkout::order)],
            Self::Soak => vec![
                kind("shopper", 3, shopping::buy),
                kind("forgetful", 2, soak::forget),
                kind("repeater", 1, retry_storm::repeat),
                kind("order", 2, steady_checkout::order),
            ],
        }
    }

    /// What it must show besides what all must.
    pub(crate) fn figures(self, load: &Load, shelf: Shelf, stage: &Stage, size: Size) -> Vec<Figure> {
        match self {
            Self::FlashSale => flash_sale::figures(load, shelf),
            Self::Hoarders => hoarders::figures(load, stage, size),
            Self::SteadyCheckout
            | Self::ExpiryStorm
            | Self::RetryStorm
            | Self::CrossingCarts
            | Self::Overload
            | Self::Soak => Vec::new(),
        }
    }
}

/// One round of a buyer.
type Does = for<'a> fn(&'a Floor, &'a mut GooseUser) -> Doing<'a>;

fn kind(name: &'static str, weight: usize, floor: &Arc<Floor>, does: Does) -> Kind {
    let floor = Arc::clone(floor);
    Kind::new(name, weight, move |user| {
        let floor = Arc::clone(&floor);
        Box::pin(async move { does(&floor, user).await })
    })
}
