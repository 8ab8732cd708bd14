//! What may be set: by environment variable or by the flag of the same name. Read once, checked whole, printed with
//! secrets hidden.

mod args;
mod parse;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use order_service::saga::Mode;
use reqwest::Url;
use service_kit::telemetry::{self, LogFormat};
use service_kit::{HttpOptions, RateLimit};

pub use args::ConfigArgs;

use self::parse::{
    address, database, given, hold_max_seconds, hold_seconds, keep, log_format, payment_deadline_seconds,
    rate_limit, saga_mode, service_url,
};
use crate::database_url::DatabaseUrl;
use crate::roles::Role;

/// No hold may be allowed to last longer than this, whatever HOLD_MAX_SECONDS says: a year.
pub const HOLD_SECONDS_LIMIT: u64 = 31_536_000;

/// The configuration, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where the inventory's ledger lives; `None`: SQLite under `data_dir`.
    pub inventory_database: Option<DatabaseUrl>,
    /// Where orders live; `None`: SQLite under `data_dir`.
    pub order_database: Option<DatabaseUrl>,
    /// Where payments live; `None`: SQLite under `data_dir`.
    pub payment_database: Option<DatabaseUrl>,
    /// Bootstrap servers, if events are to go through Kafka.
    pub kafka_brokers: Option<String>,
    /// The embedded stores' folder.
    pub data_dir: PathBuf,
    /// Where the inventory role listens.
    pub inventory_addr: SocketAddr,
    /// Where the orders role listens.
    pub order_addr: SocketAddr,
    /// Where the payments role listens.
    pub payment_addr: SocketAddr,
    /// Where orders finds inventory; `None`: where it listens.
    pub inventory_url: Option<Url>,
    /// Where orders finds payments; `None`: where it listens.
    pub payment_url: Option<Url>,
    /// How long a payment may take.
    pub payment_deadline: Duration,
    /// Who leads an order.
    pub saga_mode: Mode,
    /// How long a hold lasts when the caller does not say.
    pub hold_ttl: Duration,
    /// How long a hold may last at most.
    pub hold_ttl_max: Duration,
    /// What one client address may ask for; `None`: everything.
    pub rate_limit: Option<RateLimit>,
    /// What is logged; `None`: the default of what is run.
    pub log_filter: Option<String>,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// Every value that was not accepted. The message names each, and says what to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidSettings(Vec<String>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => f.write_str(one),
            many => {
                write!(f, "{} settings are wrong:", many.len())?;
                many.iter().try_for_each(|each| write!(f, "\n  {each}"))
            }
        }
    }
}

impl std::error::Error for InvalidSettings {}

impl Settings {
    /// Makes sense of what was given, or says everything that is wrong with it. An empty value counts as not given.
    pub fn check(args: &ConfigArgs) -> Result<Self, InvalidSettings> {
        let mut wrong = Vec::new();
        let inventory_database =
            database(args, ("INVENTORY_DATABASE_URL", args.inventory_database_url.as_ref()), &mut wrong);
        let order_database =
            database(args, ("ORDER_DATABASE_URL", args.order_database_url.as_ref()), &mut wrong);
        let payment_database =
            database(args, ("PAYMENT_DATABASE_URL", args.payment_database_url.as_ref()), &mut wrong);
        // What is wrong with the common one is said once.
        wrong.dedup();
        let hold_max = keep(hold_max_seconds(&args.hold_max_seconds), &mut wrong);
        let hold = keep(hold_seconds(&args.reservation_ttl_seconds, hold_max), &mut wrong);
        let deadline = given(args.payment_deadline_seconds.as_ref());
        let deadline = keep(payment_deadline_seconds(deadline, hold), &mut wrong);
        let mut listen = |name, text: &str, example| keep(address(name, text, example), &mut wrong);
        let inventory_addr = listen("INVENTORY_ADDR", &args.inventory_addr, "127.0.0.1:8083");
        let order_addr = listen("ORDER_ADDR", &args.order_addr, "127.0.0.1:8084");
        let payment_addr = listen("PAYMENT_ADDR", &args.payment_addr, "127.0.0.1:8085");
        let inventory_url = service_url("INVENTORY_URL", args.inventory_url.as_ref(), &mut wrong);
        let payment_url = service_url("PAYMENT_URL", args.payment_url.as_ref(), &mut wrong);
        let rate_limit =
            rate_limit(given(args.rate_limit_per_second.as_ref()), &args.rate_limit_exempt, &mut wrong);
        let saga_mode = keep(saga_mode(&args.saga_mode), &mut wrong);
        let log_format = keep(log_format(&args.log_format), &mut wrong);
        let log_filter = given(args.rust_log.as_ref()).map(str::to_owned);
        if let Some(filter) = &log_filter
            && let Err(why) = telemetry::parse_filter(filter)
        {
            wrong.push(format!(
                "RUST_LOG is {filter:?}: {why}; give a level such as info, or target=level pairs separated by commas"
            ));
        }
        let data_dir = PathBuf::from(args.data_dir.trim());
        if data_dir.as_os_str().is_empty() {
            wrong.push("DATA_DIR is empty: give a folder such as ./data".to_owned());
        }
        let times = hold.zip(hold_max).zip(deadline);
        let addresses = inventory_addr.zip(order_addr).zip(payment_addr);
        match (times, addresses, saga_mode.zip(log_format)) {
            (
                Some(((hold, hold_max), deadline)),
                Some(((inventory_addr, order_addr), payment_addr)),
                Some((saga_mode, log_format)),
            ) if wrong.is_empty() => Ok(Self {
                inventory_database,
                order_database,
                payment_database,
                kafka_brokers: given(args.kafka_brokers.as_ref()).map(str::to_owned),
                data_dir,
                inventory_addr,
                order_addr,
                payment_addr,
                inventory_url,
                payment_url,
                payment_deadline: Duration::from_secs(deadline),
                saga_mode,
                hold_ttl: Duration::from_secs(hold),
                hold_ttl_max: Duration::from_secs(hold_max),
                rate_limit,
                log_filter,
                log_format,
            }),
            _ => Err(InvalidSettings(wrong)),
        }
    }

    /// The role's database; `None`: a file under `data_dir`.
    pub fn database_of(&self, role: Role) -> Option<&DatabaseUrl> {
        match role {
            Role::Inventory => self.inventory_database.as_ref(),
            Role::Orders => self.order_database.as_ref(),
            Role::Payments => self.payment_database.as_ref(),
        }
    }

    /// How each role's server defends itself.
    pub fn http(&self) -> HttpOptions {
        HttpOptions { rate_limit: self.rate_limit.clone(), ..HttpOptions::default() }
    }

    /// The settings as names and values, secrets hidden, for the log.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let mode = match self.saga_mode {
            Mode::Orchestration => "orchestration",
            Mode::Choreography => "choreography",
        };
        let databases = [
            ("INVENTORY_DATABASE_URL", &self.inventory_database),
            ("ORDER_DATABASE_URL", &self.order_database),
            ("PAYMENT_DATABASE_URL", &self.payment_database),
        ];
        let mut shown: Vec<(&'static str, String)> =
            databases.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?.to_string()))).collect();
        if databases.iter().any(|(_, url)| url.is_none()) || self.kafka_brokers.is_none() {
            shown.push(("DATA_DIR", self.data_dir.display().to_string()));
        }
        shown.extend([
            ("INVENTORY_ADDR", self.inventory_addr.to_string()),
            ("ORDER_ADDR", self.order_addr.to_string()),
            ("PAYMENT_ADDR", self.payment_addr.to_string()),
            ("PAYMENT_DEADLINE_SECONDS", self.payment_deadline.as_secs().to_string()),
            ("SAGA_MODE", mode.to_owned()),
            ("RESERVATION_TTL_SECONDS", self.hold_ttl.as_secs().to_string()),
            ("HOLD_MAX_SECONDS", self.hold_ttl_max.as_secs().to_string()),
            ("RUST_LOG", self.log_filter.clone().unwrap_or_else(|| "info".to_owned())),
            ("LOG_FORMAT", if self.log_format == LogFormat::Json { "json" } else { "text" }.to_owned()),
        ]);
        let urls = [("INVENTORY_URL", &self.inventory_url), ("PAYMENT_URL", &self.payment_url)];
        shown.extend(urls.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?.to_string()))));
        if let Some(limit) = &self.rate_limit {
            let exempt: Vec<String> = limit.exempt.iter().map(ToString::to_string).collect();
            shown.push(("RATE_LIMIT_PER_SECOND", limit.per_second.to_string()));
            shown.push(("RATE_LIMIT_EXEMPT", exempt.join(",")));
        }
        if let Some(brokers) = &self.kafka_brokers {
            shown.push(("KAFKA_BROKERS", brokers.clone()));
        }
        shown
    }
}

#[cfg(test)]
mod tests;
