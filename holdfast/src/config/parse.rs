//! What the values mean. Every function answers with what to change.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use order_service::saga::Mode;
use reqwest::Url;
use service_kit::RateLimit;
use service_kit::telemetry::{self, LogFormat};

use super::{ConfigArgs, HOLD_SECONDS_LIMIT};
use crate::database_url::DatabaseUrl;

/// How long a payment may take where nobody says otherwise.
const PAYMENT_DEADLINE_SECONDS: u64 = 600;

/// A value that was given and is not empty.
pub(super) fn given(value: Option<&String>) -> Option<&str> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty())
}

pub(super) fn keep<T>(checked: Result<T, String>, wrong: &mut Vec<String>) -> Option<T> {
    checked.map_err(|why| wrong.push(why)).ok()
}

/// The role's own database, else the common one. Both are checked, also the one that is overridden.
pub(super) fn database(
    args: &ConfigArgs,
    own: (&str, Option<&String>),
    wrong: &mut Vec<String>,
) -> Option<DatabaseUrl> {
    let all = given(args.database_url.as_ref()).map(|text| ("DATABASE_URL", text));
    let (name, own) = own;
    let own = given(own).map(|text| (name, text));
    let mut parse = |(name, text)| {
        let parsed = DatabaseUrl::parse(text);
        let advice = "or leave it out for SQLite under DATA_DIR";
        keep(parsed.map_err(|why| format!("{name} {why}, {advice}")), wrong)
    };
    let all = all.and_then(&mut parse);
    own.and_then(&mut parse).or(all)
}

pub(super) fn hold_max_seconds(text: &str) -> Result<u64, String> {
    whole_number(text).filter(|seconds| (1..=HOLD_SECONDS_LIMIT).contains(seconds)).ok_or_else(|| {
        format!("HOLD_MAX_SECONDS is {text:?}: give a whole number of seconds from 1 to {HOLD_SECONDS_LIMIT}")
    })
}

pub(super) fn hold_seconds(text: &str, hold_max: Option<u64>) -> Result<u64, String> {
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

pub(super) fn address(name: &str, text: &str, example: &str) -> Result<SocketAddr, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{name} is {text:?}: give an IP address and a port, such as {example}"))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    text.trim().parse().map_err(|why: telemetry::TelemetryError| why.to_string())
}

/// The longest a payment may take, with a third of the hold left for what follows it: the margin of race 1.
pub(super) fn payment_deadline_seconds(text: Option<&str>, hold: Option<u64>) -> Result<u64, String> {
    let hold = hold.unwrap_or(HOLD_SECONDS_LIMIT);
    let Some(text) = text else { return Ok((hold * 2 / 3).clamp(1, PAYMENT_DEADLINE_SECONDS)) };
    // What is paid in the last second has to find its hold: less than that, but for a hold of one second.
    let most = (hold - 1).max(1);
    whole_number(text).filter(|seconds| (1..=most).contains(seconds)).ok_or_else(|| {
        format!(
            "PAYMENT_DEADLINE_SECONDS is {text:?}: give a whole number of seconds from 1 to {most}, below RESERVATION_TTL_SECONDS, which is {hold}"
        )
    })
}

pub(super) fn saga_mode(text: &str) -> Result<Mode, String> {
    match text.trim() {
        "orchestration" => Ok(Mode::Orchestration),
        "choreography" => Ok(Mode::Choreography),
        other => Err(format!("SAGA_MODE is {other:?}: give orchestration or choreography")),
    }
}

/// Where a service is found, if it is set.
pub(super) fn service_url(name: &str, text: Option<&String>, wrong: &mut Vec<String>) -> Option<Url> {
    let text = given(text)?;
    let usable = |url: &Url| url.scheme() == "http" && url.has_host();
    let parsed = Url::parse(text).ok().filter(usable);
    keep(
        parsed.ok_or_else(|| format!("{name} is {text:?}: give an address such as http://127.0.0.1:8083")),
        wrong,
    )
}

/// What one address may ask for, if that is limited. Who is exempt is checked in any case.
pub(super) fn rate_limit(
    per_second: Option<&str>,
    exempt: &str,
    wrong: &mut Vec<String>,
) -> Option<RateLimit> {
    let mut nets = Vec::new();
    for text in exempt.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        nets.extend(keep(network(text), wrong));
    }
    let text = per_second?;
    let per_second = text.parse().map_err(|_| {
        format!("RATE_LIMIT_PER_SECOND is {text:?}: give a whole number of at least 1, or leave it out for no limit")
    });
    Some(RateLimit { per_second: keep(per_second, wrong)?, exempt: nets })
}

/// An address, or a network by its first address and how many bits are common to all of it.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse::<IpNet>()).map_err(|_| {
        format!("RATE_LIMIT_EXEMPT has {text:?}: give addresses such as 10.0.0.7 or networks such as 10.0.0.0/8, separated by commas")
    })
}
