//! Logs go to standard error: text for people, JSON for machines.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Sets the process's log up. `serves`: a role tells what it does; a verb reports by itself and logs warnings only.
pub(crate) fn init(settings: &Settings, serves: bool) -> anyhow::Result<()> {
    let default = if serves { "info" } else { "warn" };
    let filter = EnvFilter::try_new(settings.log_filter.as_deref().unwrap_or(default))
        .context("RUST_LOG cannot be understood")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|why| anyhow::anyhow!("the log cannot be set up: {why}"))
}
