//! Logs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(TelemetryError::Format(text.to_owned())),
        }
    }
}

/// Why logging was not set up. The message says what to change.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Not a filter.
    #[error("RUST_LOG is {filter:?}: give a log filter, such as \"info\" or \"info,inventory_core=debug\"")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Not a format.
    #[error("LOG_FORMAT is {0:?}: give text or json")]
    Format(String),
    /// A subscriber is in place.
    #[error("logging was set up before")]
    Twice(#[from] TryInitError),
}

/// Parses a filter such as `info,inventory_core=debug`.
pub fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// Sends this process's logs to standard error. Once per process.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let registry = tracing_subscriber::registry().with(parse_filter(filter)?);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => registry.with(lines).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_or_format_is_named_in_the_message() {
        let error = parse_filter("info,=,").unwrap_err().to_string();
        assert!(error.contains("RUST_LOG") && error.contains("info,=,"), "{error}");
        let error = "xml".parse::<LogFormat>().unwrap_err().to_string();
        assert!(error.contains("LOG_FORMAT") && error.contains("xml"), "{error}");
    }

    #[test]
    fn right_ones_are_accepted() {
        parse_filter("info,inventory_core=debug").unwrap();
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        assert_eq!("text".parse::<LogFormat>().unwrap(), LogFormat::Text);
    }
}
