//! What is logged when `RUST_LOG` does not say.

use service_kit::telemetry;

use crate::config::Settings;

/// A role tells what it does. The calendar's and the database drivers' own chatter is theirs.
const SERVING: &str = "info,tokio_cron_scheduler=warn,sqlx=error";
/// A verb reports by itself.
const VERB: &str = "warn";

/// Sets the process's log up.
pub(crate) fn init(settings: &Settings, serves: bool) -> anyhow::Result<()> {
    let default = if serves { SERVING } else { VERB };
    Ok(telemetry::init(settings.log_filter.as_deref().unwrap_or(default), settings.log_format)?)
}
