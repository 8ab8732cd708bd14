//! What may be typed.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::scenario::Scenario;
use crate::size::Size;

/// Runs scenarios of load and judges them; exit code 1 if one fails.
#[derive(Parser, Debug)]
#[command(name = "load", max_term_width = 110)]
pub(crate) struct Args {
    /// Which
    #[arg(value_enum)]
    pub(crate) scenario: Wanted,
    /// By which generator: goose asks again when it was answered, k6 keeps to a rate of arrivals
    #[arg(long, value_enum, default_value_t = Tools::Both)]
    pub(crate) tool: Tools,
    /// The sizes that the promises are made for (minutes each, an hour for soak), not the short ones
    #[arg(long)]
    pub(crate) full: bool,
    /// Fail on aims, too: figures that depend on the machine
    #[arg(long)]
    pub(crate) strict: bool,
    /// How long each scenario asks [default: by scenario and size]
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Buyers of goose at a time
    #[arg(long, value_name = "N")]
    pub(crate) users: Option<usize>,
    /// Arrivals of k6 per second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// Holds that end in one second in the expiry storm
    #[arg(long, value_name = "N")]
    pub(crate) holds: Option<usize>,
    /// A running inventory [default: a service of this run's own, over a Postgres of its own]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The orders beside it, for steady-checkout and soak
    #[arg(long, value_name = "URL", requires = "url", requires = "payment_url")]
    pub(crate) order_url: Option<String>,
    /// The payments beside it
    #[arg(long, value_name = "URL", requires = "order_url")]
    pub(crate) payment_url: Option<String>,
    /// Where the reports go
    #[arg(long, value_name = "FOLDER", default_value = "target/load")]
    pub(crate) report: PathBuf,
    /// The service's program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) holdfast: Option<PathBuf>,
    /// k6 [default: what load-tests/get-k6.sh says]
    #[arg(long, value_name = "FILE")]
    pub(crate) k6: Option<PathBuf>,
    /// The folder of k6's scripts
    #[arg(long, value_name = "FOLDER", default_value = "load-tests/k6")]
    pub(crate) scripts: PathBuf,
}

/// One scenario or every one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Wanted {
    /// Every one, one after the other
    All,
    /// One hot product, more buyers than units
    FlashSale,
    /// Orders at a pace that the checkout keeps up with
    SteadyCheckout,
    /// Many holds end in one second while others buy
    ExpiryStorm,
    /// Every request is sent several times
    RetryStorm,
    /// Carts that name the same products in opposite orders
    CrossingCarts,
    /// Some hold and never buy, others want to
    Hoarders,
    /// Five times as much as the service can do
    Overload,
    /// A bit of everything, for long
    Soak,
}

/// Which generators.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Tools {
    /// goose alone
    Goose,
    /// k6 alone
    K6,
    /// One after the other, each on a fresh service
    Both,
}

/// The generator of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tool {
    Goose,
    K6,
}

impl Tool {
    /// As a person writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Goose => "goose",
            Self::K6 => "k6",
        }
    }
}

impl Args {
    /// What was asked for, in order.
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let one = match self.scenario {
            Wanted::All => return Scenario::ALL.to_vec(),
            Wanted::FlashSale => Scenario::FlashSale,
            Wanted::SteadyCheckout => Scenario::SteadyCheckout,
            Wanted::ExpiryStorm => Scenario::ExpiryStorm,
            Wanted::RetryStorm => Scenario::RetryStorm,
            Wanted::CrossingCarts => Scenario::CrossingCarts,
            Wanted::Hoarders => Scenario::Hoarders,
            Wanted::Overload => Scenario::Overload,
            Wanted::Soak => Scenario::Soak,
        };
        vec![one]
    }

    /// The generators, in order.
    pub(crate) fn tools(&self) -> &'static [Tool] {
        match self.tool {
            Tools::Goose => &[Tool::Goose],
            Tools::K6 => &[Tool::K6],
            Tools::Both => &[Tool::Goose, Tool::K6],
        }
    }

    /// How large a scenario is.
    pub(crate) fn size(&self, scenario: Scenario) -> Size {
        let size = Size::of(scenario, self.full);
        Size {
            seconds: self.seconds.unwrap_or(size.seconds).max(1),
            users: self.users.unwrap_or(size.users).max(1),
            rate: self.rate.unwrap_or(size.rate).max(1),
            holds: self.holds.unwrap_or(size.holds).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_flag_overrides_the_size_and_the_rest_stays() {
        let args = Args::try_parse_from(["load", "soak", "--seconds", "7"]).unwrap();
        let size = args.size(Scenario::Soak);
        assert_eq!((size.seconds, size.users), (7, Size::of(Scenario::Soak, false).users));
    }

    #[test]
    fn orders_without_payments_are_no_checkout() {
        let line = ["load", "soak", "--url", "http://x", "--order-url", "http://y"];
        assert!(Args::try_parse_from(line).is_err());
    }
}
