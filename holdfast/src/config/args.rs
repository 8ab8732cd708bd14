//! The names that may be set.

use clap::Args;

/// The table of names. Texts as given; [`super::Settings::check`] makes sense of them, so that every mistake is told at once.
#[derive(Args, Clone)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// postgres://… for all roles of this process [default: SQLite files under DATA_DIR]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The same for the inventory role alone; overrides DATABASE_URL
    #[arg(long, env = "INVENTORY_DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub inventory_database_url: Option<String>,
    /// The same for the orders role alone
    #[arg(long, env = "ORDER_DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub order_database_url: Option<String>,
    /// The same for the payments role alone
    #[arg(long, env = "PAYMENT_DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub payment_database_url: Option<String>,
    /// Kafka bootstrap servers [default: events stay in this process, in a log under DATA_DIR]
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
    /// Where the orders role listens
    #[arg(long, env = "ORDER_ADDR", global = true, value_name = "IP:PORT", default_value = "127.0.0.1:8084")]
    pub order_addr: String,
    /// Where the payments role listens
    #[arg(
        long,
        env = "PAYMENT_ADDR",
        global = true,
        value_name = "IP:PORT",
        default_value = "127.0.0.1:8085"
    )]
    pub payment_addr: String,
    /// Where orders finds inventory [default: by INVENTORY_ADDR]
    #[arg(long, env = "INVENTORY_URL", global = true, value_name = "URL")]
    pub inventory_url: Option<String>,
    /// Where orders finds payments [default: by PAYMENT_ADDR]
    #[arg(long, env = "PAYMENT_URL", global = true, value_name = "URL")]
    pub payment_url: Option<String>,
    /// How long a payment may take; below the hold, with margin [default: 600, or two thirds of a shorter hold]
    #[arg(long, env = "PAYMENT_DEADLINE_SECONDS", global = true, value_name = "SECONDS")]
    pub payment_deadline_seconds: Option<String>,
    /// Who leads an order: orchestration (the order service) or choreography (nobody)
    #[arg(long, env = "SAGA_MODE", global = true, value_name = "MODE", default_value = "orchestration")]
    pub saga_mode: String,
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
    /// Requests a second that one client address may make of each role, as many at once [default: no limit]
    #[arg(long, env = "RATE_LIMIT_PER_SECOND", global = true, value_name = "REQUESTS")]
    pub rate_limit_per_second: Option<String>,
    /// Who is not limited; put the other services' addresses here, too
    #[arg(
        long,
        env = "RATE_LIMIT_EXEMPT",
        global = true,
        value_name = "ADDRESS[/BITS],…",
        default_value = "127.0.0.0/8,::1"
    )]
    pub rate_limit_exempt: String,
    /// What is logged, such as warn or info,inventory_core=debug [default: info; warn for commands that end]
    #[arg(long, env = "RUST_LOG", global = true, value_name = "FILTER")]
    pub rust_log: Option<String>,
    /// How it is logged: text, or json for machines
    #[arg(long, env = "LOG_FORMAT", global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: String,
}
