//! What may be typed: the command line, and with it every setting.

use clap::Parser as _;
use holdfast::cli::Cli;
use holdfast::config::Settings;

use crate::promises;

/// What the corpus has for passwords.
const PASSWORD: &str = "s3cret";

/// Reads the lines of `bytes` as arguments.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let cli = match Cli::try_parse_from(std::iter::once("holdfast").chain(text.lines())) {
        Ok(cli) => cli,
        Err(usage) => return promises::advice(&usage.to_string()),
    };
    // Elsewhere it is no password.
    let is_password = |line: &str| !line.contains(PASSWORD) || line.contains("database-url=");
    let is_hidden = |shown: &str| !shown.contains(PASSWORD) || !text.lines().all(is_password);
    match Settings::check(&cli.config) {
        Ok(settings) => {
            assert!(settings.hold_ttl <= settings.hold_ttl_max, "{settings:?}");
            assert!(settings.payment_deadline < settings.hold_ttl, "{settings:?}");
            // Printed at every start: a password must not stand there.
            let shown = format!("{settings:?}");
            assert!(is_hidden(&shown), "{shown}");
        }
        Err(invalid) => {
            let shown = invalid.to_string();
            promises::advice(&shown);
            assert!(is_hidden(&shown), "{shown}");
        }
    }
}
