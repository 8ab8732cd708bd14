//! What may be typed: the command line, and with it every setting.

use std::time::Duration;

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
    let as_password = format!(":{PASSWORD}@");
    let is_password = |line: &str| {
        line.matches(PASSWORD).count() == line.matches(&as_password).count() && line.contains("database-url=")
    };
    let mut lines = text.lines().filter(|line| line.contains(PASSWORD)).peekable();
    let was_given = lines.peek().is_some() && lines.all(is_password);
    let is_hidden = |shown: &str| !was_given || !shown.contains(PASSWORD);
    match Settings::check(&cli.config) {
        Ok(settings) => {
            assert!(settings.hold_ttl <= settings.hold_ttl_max, "{settings:?}");
            // Whole seconds: below a hold of one second there is none.
            let shortest = Duration::from_secs(1);
            assert!(settings.payment_deadline < settings.hold_ttl.max(shortest * 2), "{settings:?}");
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
