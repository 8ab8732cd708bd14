//! What may be set: by environment variable or by the flag of the same name. Read once, checked whole, printed with
//! secrets hidden.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use service_kit::telemetry::{self, LogFormat};

use crate::database_url::DatabaseUrl;

/// No hold may be allowed to last longer than this, whatever HOLD_MAX_SECONDS says: a year.
pub const HOLD_SECONDS_LIMIT: u64 = 31_536_000;

/// The table of names. Texts as given; [`Settings::check`] makes sense of them, so that every mistake is told at once.
#[derive(Args, Clone)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// postgres://… for all roles of this process [default: SQLite files under DATA_DIR]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The same for the inventory role alone; overrides DATABASE_URL
    #[arg(long, env = "INVENTORY_DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub inventory_database_url: Option<String>,
    /// Kafka bootstrap servers
    #[arg(long, env = "KAFKA_BROKERS", global = true, value_name = "HOST:PORT,…")]
    pub kafka_brokers: Option<String>,
    /// Where the embedded store lives; foreign files in it are left alone
    #[arg(long, env = "DATA_DIR", global = true, value_name = "FOLDER", default_value = "./data")]
    pub data_dir: String,
    /// Where the inventory role listens
    #[arg(
        long,
        env = "INVENTORY_ADDR",
        global = true,
        value_name = "IP:PORT",
        default_value = "127.0.0.1:8083"
    )]
    pub inventory_addr: String,
    /// How long a hold lasts when the caller does not say
    #[arg(
        long,
        env = "RESERVATION_TTL_SECONDS",
        global = true,
        value_name = "SECONDS",
        default_value = "900"
    )]
    pub reservation_ttl_seconds: String,
    /// How long a hold may last at most, extensions included
    #[arg(long, env = "HOLD_MAX_SECONDS", global = true, value_name = "SECONDS", default_value = "3600")]
    pub hold_max_seconds: String,
    /// What is logged, such as warn or info,inventory_core=debug [default: info; warn for commands that end]
    #[arg(long, env = "RUST_LOG", global = true, value_name = "FILTER")]
    pub rust_log: Option<String>,
    /// How it is logged: text, or json for machines
    #[arg(long, env = "LOG_FORMAT", global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: String,
}

/// The configuration, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where the inventory's ledger lives; `None`: SQLite under `data_dir`.
    pub inventory_database: Option<DatabaseUrl>,
    /// Bootstrap servers, if events are to go through Kafka.
    pub kafka_brokers: Option<String>,
    /// The embedded stores' folder.
    pub data_dir: PathBuf,
    /// Where the inventory role listens.
    pub inventory_addr: SocketAddr,
    /// How long a hold lasts when the caller does not say.
    pub hold_ttl: Duration,
    /// How long a hold may last at most.
    pub hold_ttl_max: Duration,
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
        let inventory_database = inventory_database(args, &mut wrong);
        let hold_max = keep(hold_max_seconds(&args.hold_max_seconds), &mut wrong);
        let hold = keep(hold_seconds(&args.reservation_ttl_seconds, hold_max), &mut wrong);
        let inventory_addr = keep(address("INVENTORY_ADDR", &args.inventory_addr), &mut wrong);
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
        match (hold, hold_max, inventory_addr, log_format) {
            (Some(hold), Some(hold_max), Some(inventory_addr), Some(log_format)) if wrong.is_empty() => {
                Ok(Self {
                    inventory_database,
                    kafka_brokers: given(args.kafka_brokers.as_ref()).map(str::to_owned),
                    data_dir,
                    inventory_addr,
                    hold_ttl: Duration::from_secs(hold),
                    hold_ttl_max: Duration::from_secs(hold_max),
                    log_filter,
                    log_format,
                })
            }
            _ => Err(InvalidSettings(wrong)),
        }
    }

    /// The settings as names and values, secrets hidden, for the log.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let mut shown = vec![
            match &self.inventory_database {
                Some(url) => ("INVENTORY_DATABASE_URL", url.to_string()),
                None => ("DATA_DIR", self.data_dir.display().to_string()),
            },
            ("INVENTORY_ADDR", self.inventory_addr.to_string()),
            ("RESERVATION_TTL_SECONDS", self.hold_ttl.as_secs().to_string()),
            ("HOLD_MAX_SECONDS", self.hold_ttl_max.as_secs().to_string()),
            ("RUST_LOG", self.log_filter.clone().unwrap_or_else(|| "info".to_owned())),
            ("LOG_FORMAT", if self.log_format == LogFormat::Json { "json" } else { "text" }.to_owned()),
        ];
        if let Some(brokers) = &self.kafka_brokers {
            shown.push(("KAFKA_BROKERS", brokers.clone()));
        }
        shown
    }
}

/// A value that was given and is not empty.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn keep<T>(checked: Result<T, String>, wrong: &mut Vec<String>) -> Option<T> {
    checked.map_err(|why| wrong.push(why)).ok()
}

fn inventory_database(args: &ConfigArgs, wrong: &mut Vec<String>) -> Option<DatabaseUrl> {
    let all = given(args.database_url.as_ref()).map(|text| ("DATABASE_URL", text));
    let own = given(args.inventory_database_url.as_ref()).map(|text| ("INVENTORY_DATABASE_URL", text));
    let mut parse = |(name, text)| {
        let parsed = DatabaseUrl::parse(text);
        let advice = "or leave it out for SQLite under DATA_DIR";
        keep(parsed.map_err(|why| format!("{name} {why}, {advice}")), wrong)
    };
    // Both are checked, also the one that is overridden.
    let all = all.and_then(&mut parse);
    own.and_then(&mut parse).or(all)
}

fn hold_max_seconds(text: &str) -> Result<u64, String> {
    whole_number(text).filter(|seconds| (1..=HOLD_SECONDS_LIMIT).contains(seconds)).ok_or_else(|| {
        format!("HOLD_MAX_SECONDS is {text:?}: give a whole number of seconds from 1 to {HOLD_SECONDS_LIMIT}")
    })
}

fn hold_seconds(text: &str, hold_max: Option<u64>) -> Result<u64, String> {
    let limit = hold_max.unwrap_or(HOLD_SECONDS_LIMIT);
    whole_number(text).filter(|seconds| (1..=limit).contains(seconds)).ok_or_else(|| {
        format!(
            "RESERVATION_TTL_SECONDS is {text:?}: give a whole number of seconds from 1 to HOLD_MAX_SECONDS, which is {limit}"
        )
    })
}

fn whole_number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn address(name: &str, text: &str) -> Result<SocketAddr, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{name} is {text:?}: give an IP address and a port, such as 127.0.0.1:8083"))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    text.trim().parse().map_err(|why: telemetry::TelemetryError| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> ConfigArgs {
        ConfigArgs {
            database_url: None,
            inventory_database_url: None,
            kafka_brokers: None,
            data_dir: "./data".to_owned(),
            inventory_addr: "127.0.0.1:8083".to_owned(),
            reservation_ttl_seconds: "900".to_owned(),
            hold_max_seconds: "3600".to_owned(),
            rust_log: None,
            log_format: "text".to_owned(),
        }
    }

    fn refused(args: &ConfigArgs) -> String {
        Settings::check(args).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_accepted() {
        let settings = Settings::check(&defaults()).unwrap();
        assert_eq!(settings.hold_ttl, Duration::from_secs(900));
        assert_eq!(settings.hold_ttl_max, Duration::from_secs(3_600));
        assert_eq!(settings.inventory_database, None);
    }

    #[test]
    fn a_wrong_value_is_named_and_the_message_says_what_to_change() {
        let cases: [(&str, ConfigArgs); 7] = [
            ("HOLD_MAX_SECONDS", ConfigArgs { hold_max_seconds: "0".to_owned(), ..defaults() }),
            (
                "RESERVATION_TTL_SECONDS",
                ConfigArgs { reservation_ttl_seconds: "15m".to_owned(), ..defaults() },
            ),
            ("INVENTORY_ADDR", ConfigArgs { inventory_addr: "8083".to_owned(), ..defaults() }),
            ("LOG_FORMAT", ConfigArgs { log_format: "xml".to_owned(), ..defaults() }),
            ("RUST_LOG", ConfigArgs { rust_log: Some("x=loud".to_owned()), ..defaults() }),
            ("DATABASE_URL", ConfigArgs { database_url: Some("mysql://h/d".to_owned()), ..defaults() }),
            ("DATA_DIR", ConfigArgs { data_dir: " ".to_owned(), ..defaults() }),
        ];
        for (name, args) in cases {
            let message = refused(&args);
            assert!(message.starts_with(name) && message.contains("give "), "{message}");
        }
    }

    #[test]
    fn a_hold_longer_than_the_ceiling_is_refused() {
        let args = ConfigArgs { reservation_ttl_seconds: "3601".to_owned(), ..defaults() };
        assert!(refused(&args).contains("HOLD_MAX_SECONDS, which is 3600"));
        let args = ConfigArgs { reservation_ttl_seconds: "3600".to_owned(), ..defaults() };
        assert!(Settings::check(&args).is_ok());
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let args = ConfigArgs { log_format: "x".to_owned(), inventory_addr: "y".to_owned(), ..defaults() };
        let message = refused(&args);
        assert!(
            message.starts_with("2 settings")
                && message.contains("LOG_FORMAT")
                && message.contains("INVENTORY_ADDR")
        );
    }

    #[test]
    fn the_roles_own_database_overrides_the_common_one() {
        let args = ConfigArgs {
            database_url: Some("postgres://a/b".to_owned()),
            inventory_database_url: Some("postgres://c/d".to_owned()),
            ..defaults()
        };
        assert_eq!(Settings::check(&args).unwrap().inventory_database.unwrap().expose(), "postgres://c/d");
    }

    #[test]
    fn an_empty_value_counts_as_not_given() {
        let args = ConfigArgs {
            database_url: Some(String::new()),
            kafka_brokers: Some(" ".to_owned()),
            rust_log: Some(String::new()),
            ..defaults()
        };
        let settings = Settings::check(&args).unwrap();
        assert_eq!(
            (settings.inventory_database, settings.kafka_brokers, settings.log_filter),
            (None, None, None)
        );
    }

    #[test]
    fn what_is_shown_hides_the_password() {
        let args = ConfigArgs { database_url: Some("postgres://me:s3cret@h/d".to_owned()), ..defaults() };
        let settings = Settings::check(&args).unwrap();
        let shown = format!("{:?} {settings:?}", settings.shown());
        assert!(shown.contains("me:***@h") && !shown.contains("s3cret"), "{shown}");
    }
}
