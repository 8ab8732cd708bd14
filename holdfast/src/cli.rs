//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::ConfigArgs;
use crate::roles::Role;

mod check;
mod dlq;

pub use check::CheckArgs;
pub use dlq::{DiscardArgs, DlqVerb, LettersArgs, RedriveArgs, ShowArgs, UnparkArgs};

/// Stock reservations that never oversell.
///
/// Without a command: everything in one process, on SQLite under ./data, or on Postgres by DATABASE_URL.
#[derive(Parser)]
#[command(name = "holdfast", version, about, long_about, max_term_width = 110)]
pub struct Cli {
    /// What to do; nothing means: serve everything.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// See [`ConfigArgs`].
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// One role, or one thing to do.
#[derive(Subcommand)]
pub enum Verb {
    /// Serve the inventory role alone
    Inventory(RoleArgs),
    /// Serve the orders role alone
    Orders(RoleArgs),
    /// Serve the payments role alone
    Payments(RoleArgs),
    /// Bring the schemas up to date, and end
    Migrate(MigrateArgs),
    /// Set the stock of many products from a CSV or NDJSON file (.gz too)
    ///
    /// CSV has the columns productId and onHand, and optionally lowStockThreshold, perCustomerLimit and name; NDJSON has objects with the same keys. Rows
    /// that cannot be taken are reported and the rest is stored; the exit code is 1 if any row was rejected. A repeat changes nothing.
    Import(ImportArgs),
    /// Recompute every figure from the reservations and the journal, and name what does not agree
    ///
    /// With --checkout: across the three running services, whether every order's stock and money agree.
    Audit(AuditArgs),
    /// Hold the ledger's journal against what its callers saw, and name what does not agree
    ///
    /// Callers write histories: a JSON object a line, one for each try of each request, with the times of asking and answering on one clock (the format
    /// stands in the documentation of the crate ledger-check). Run it when they have ended. The ledger itself is read, never changed: a data folder must
    /// not be in use. Memory grows with the journal and the histories.
    Check(CheckArgs),
    /// Tell a product's history in plain words
    Explain(ExplainArgs),
    /// Look at events that a service could not take, send them back, or discard them
    ///
    /// Over Kafka if KAFKA_BROKERS is set, else in the log under DATA_DIR, beside the process that uses it. An event that its service can never take
    /// stands among the dead letters with the reason, and later events of its key follow it, so that sending them back keeps their order.
    /// Without --topic and --group: the letters of every topic and every group.
    Dlq {
        /// What to do with them
        #[command(subcommand)]
        verb: DlqVerb,
    },
    /// Reserve the baskets of a file in order, and audit the result
    ///
    /// FILE is a CSV with basketId, userId, productId and quantity (.gz too; `at` and `unitPrice` may stand beside them and are not
    /// read). A basket's order id is the UUIDv5 of its basketId, so a replay can be repeated. Lines that cannot be reserved are
    /// reported and dropped, and the basket goes on with the rest. What becomes of a hold depends on --seed and its order id alone:
    /// with --concurrency 1 the digest at the end is the same on every store that starts with the same stock.
    Replay(ReplayArgs),
}

impl Verb {
    /// Whether this runs until it is told to stop.
    pub fn serves(&self) -> bool {
        match self {
            Self::Inventory(_) | Self::Orders(_) | Self::Payments(_) => true,
            Self::Migrate(_)
            | Self::Import(_)
            | Self::Audit(_)
            | Self::Check(_)
            | Self::Explain(_)
            | Self::Dlq { .. }
            | Self::Replay(_) => false,
        }
    }
}

/// How one role starts.
#[derive(Args)]
pub struct RoleArgs {
    /// Start without KAFKA_BROKERS: nobody is told of what happens
    #[arg(long)]
    pub no_events: bool,
}

/// `audit`.
#[derive(Args)]
pub struct AuditArgs {
    /// Every order against inventory and payments, all three running (found by INVENTORY_URL, ORDER_URL, PAYMENT_URL or the addresses)
    #[arg(long, conflicts_with = "url")]
    pub checkout: bool,
    /// Where orders answers [default: by ORDER_ADDR]
    #[arg(long, env = "ORDER_URL", value_name = "URL", requires = "checkout")]
    pub order_url: Option<String>,
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `migrate`.
#[derive(Args)]
pub struct MigrateArgs {
    /// Whose [default: all]
    #[arg(value_enum, value_name = "ROLE")]
    pub roles: Vec<Role>,
}

/// Which inventory a verb acts on.
#[derive(Args)]
pub struct TargetArgs {
    /// A running service, such as http://127.0.0.1:8083 [default: DATABASE_URL if set, else the data folder, through the
    /// process that uses it if there is one]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// `import`.
#[derive(Args)]
pub struct ImportArgs {
    /// The rows
    pub file: PathBuf,
    /// What the file holds [default: by its name]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
}

/// What a file of rows holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// `explain`.
#[derive(Args)]
pub struct ExplainArgs {
    /// The product's number
    #[arg(allow_negative_numbers = true)]
    pub product: i64,
    /// Stop at this version
    #[arg(long)]
    pub at: Option<u64>,
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `replay`.
#[derive(Args)]
pub struct ReplayArgs {
    /// The baskets
    pub file: PathBuf,
    /// A running service, such as http://127.0.0.1:8083
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    pub url: Option<String>,
    /// An engine in this process: memory, sqlite:PATH or postgres://…
    #[arg(long, value_name = "STORE", default_value = "memory", hide_env_values = true)]
    pub store: String,
    /// Place the baskets as orders at a running checkout instead (see `audit --checkout` for where it is found): committed ones are paid for, released ones declined, the rest paid late
    #[arg(long, conflicts_with_all = ["url", "store", "ttl_seconds", "json"])]
    pub as_orders: bool,
    /// Where orders answers, with --as-orders [default: by ORDER_ADDR]
    #[arg(long, env = "ORDER_URL", value_name = "URL")]
    pub order_url: Option<String>,
    /// Import this stock first
    #[arg(long, value_name = "FILE")]
    pub stock: Option<PathBuf>,
    /// How many of 100 holds are committed
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub commit_percent: u8,
    /// How many of 100 holds are released; what is left is left to expire
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub release_percent: u8,
    /// Another seed, other holds committed and released
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How long holds last; should be longer than the run [default: 86400, with --url 3600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=crate::config::HOLD_SECONDS_LIMIT))]
    pub ttl_seconds: Option<u64>,
    /// Stop after so many baskets
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Baskets under way at a time; above 1 the digest depends on timing
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Write every dropped line to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_may_stand_before_and_after_the_verb() {
        for line in [["holdfast", "--data-dir", "d", "migrate"], ["holdfast", "migrate", "--data-dir", "d"]] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.config.data_dir, "d");
        }
    }

    #[test]
    fn a_url_and_a_store_exclude_each_other() {
        let line = ["holdfast", "replay", "f.csv", "--url", "http://x", "--store", "memory"];
        assert!(Cli::try_parse_from(line).is_err());
        assert!(Cli::try_parse_from(["holdfast", "replay", "f.csv", "--url", "http://x"]).is_ok());
    }
}
