//! Many holds that end in one second, made beforehand; how late they ended, by the service's own journal; and whether others could go on
//! meanwhile.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::DateTime;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use serde::Deserialize;
use uuid::Uuid;

use crate::outcome::{Figure, count};
use crate::progress;
use crate::shop::Shop;
use crate::tally::Tally;

/// Lines of one batch, and batches under way at once.
const BATCH_LINES: usize = 2_500;
const BATCHES_AT_ONCE: usize = 4;
/// Reserved for making the holds, and per thousand of them.
const LEAD: Duration = Duration::from_secs(2);
const LEAD_PER_THOUSAND: Duration = Duration::from_millis(150);
/// The shortest hold.
const TTL_SECONDS_MIN: u64 = 1;
/// What a storm lasts for those who buy meanwhile: the second in which the holds end, and one to end them.
const STORM: Duration = Duration::from_secs(2);
/// The aim for what is left of the rate of reserves, and what must be: two seconds of buyers who wait for each other say little
/// more on a machine that has other work.
const RESERVES_PERCENT_AIM: f64 = 70.0;
const RESERVES_PERCENT_MIN: f64 = 35.0;
/// The aim, as 99th percentile.
const LATENESS_MS_AIM: f64 = 250.0;

/// Holds that wait for their end.
#[derive(Debug)]
pub(crate) struct Storm {
    /// When each ends, in microseconds of the store's clock.
    ends: HashMap<Uuid, i64>,
    products: Vec<i64>,
    /// When they begin to end, by the clock of this program.
    due: Instant,
}

#[derive(Deserialize)]
struct Line {
    status: u16,
    body: serde_json::Value,
}

impl Storm {
    /// Makes the holds. They end about `calm` after they are all there.
    pub(crate) async fn prepare(shop: &Shop, products: &[i64], holds: usize, calm: Duration) -> Result<Self> {
        let thousands = u32::try_from(holds / 1_000).unwrap_or(u32::MAX);
        let due = Instant::now() + LEAD + LEAD_PER_THOUSAND * thousands + calm;
        let batches =
            (0..holds).step_by(BATCH_LINES).map(|at| batch(shop, products, BATCH_LINES.min(holds - at), due));
        let ends: Vec<Vec<(Uuid, i64)>> =
            stream::iter(batches).buffer_unordered(BATCHES_AT_ONCE).try_collect().await?;
        let ends: HashMap<Uuid, i64> = ends.into_iter().flatten().collect();
        let left = due.checked_duration_since(Instant::now() + calm / 2);
        ensure!(left.is_some(), "making {holds} holds took longer than was planned: ask for fewer --holds");
        // What was made faster than planned is waited out.
        tokio::time::sleep_until((due - calm).into()).await;
        progress::say(&format!("expiry-storm: {} holds are there", ends.len()));
        Ok(Self { ends, products: products.to_vec(), due })
    }

    /// Whether reserves went on: accepted ones per second during the storm, against those before it.
    pub(crate) fn others(&self, tally: &Tally, from: Instant) -> Figure {
        let calm = (self.due - from).as_secs_f64();
        let before = count(tally.accepted_between(from, self.due)) / calm;
        let during = count(tally.accepted_between(self.due, self.due + STORM)) / STORM.as_secs_f64();
        let kept = 100.0 * during / before;
        let what = format!("reserves went on at {kept:.0} % of their rate while holds ended");
        if kept < RESERVES_PERCENT_MIN {
            return Figure::rule(false, format!("{what}; at least {RESERVES_PERCENT_MIN:.0} % must be left"));
        }
        Figure::aim(kept >= RESERVES_PERCENT_AIM, format!("{what}; the aim is {RESERVES_PERCENT_AIM:.0} %"))
    }

    /// How late each hold ended, by the journal. Nothing may be held any more.
    pub(crate) async fn lateness(&self, shop: &Shop) -> Result<Vec<Figure>> {
        let mut lateness_us = Histogram::<u64>::new(3)?;
        let (mut ended, mut early) = (0_usize, 0_usize);
        for product in &self.products {
            for change in shop.journal(*product).await?.into_iter().filter(|change| change.kind == "expire") {
                let Some(end) = change.order_id.and_then(|order| self.ends.get(&order)) else { continue };
                ended += 1;
                match u64::try_from(micros(&change.at)? - end) {
                    Ok(late) => lateness_us.record(late)?,
                    Err(_) => early += 1,
                }
            }
        }
        let millis =
            |quantile| Duration::from_micros(lateness_us.value_at_quantile(quantile)).as_secs_f64() * 1_000.0;
        let (p50, p99, most) = (millis(0.5), millis(0.99), millis(1.0));
        Ok(vec![
            Figure::rule(
                ended == self.ends.len(),
                format!("{ended} of {} holds ended by themselves", self.ends.len()),
            ),
            Figure::rule(early == 0, format!("{early} ended before their time")),
            Figure::aim(
                p99 <= LATENESS_MS_AIM,
                format!(
                    "lateness p50 {p50:.0}, p99 {p99:.0}, most {most:.0} ms; the aim is a p99 of {LATENESS_MS_AIM:.0} ms"
                ),
            ),
        ])
    }
}

/// Holds that end within the second after `due`: times to live are whole seconds.
async fn batch(shop: &Shop, products: &[i64], lines: usize, due: Instant) -> Result<Vec<(Uuid, i64)>> {
    let left = due.saturating_duration_since(Instant::now());
    let ttl_seconds = (left.as_secs() + 1).max(TTL_SECONDS_MIN);
    let body: String = (0..lines)
        .map(|at| {
            let (order, product) = (Uuid::now_v7(), products[at % products.len()]);
            format!("{{\"orderId\":\"{order}\",\"items\":[{{\"productId\":{product},\"quantity\":1}}],\"ttlSeconds\":{ttl_seconds}}}\n")
        })
        .collect();
    let request =
        shop.client().post(shop.path("/reserve/batch")).header("content-type", "application/x-ndjson");
    let answers = request.body(body).send().await?.error_for_status()?.text().await?;
    answers.lines().map(end_of).collect()
}

/// Which order, and when it ends.
fn end_of(line: &str) -> Result<(Uuid, i64)> {
    let Line { status, body } = serde_json::from_str(line)?;
    let (Some(order), Some(end)) = (body["orderId"].as_str(), body["expiresAt"].as_str()) else {
        bail!("a hold was refused with {status}: {body}");
    };
    Ok((order.parse()?, micros(end)?))
}

fn micros(time: &str) -> Result<i64> {
    Ok(DateTime::parse_from_rfc3339(time).with_context(|| format!("{time:?} is no time"))?.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_end_is_read_and_a_refusal_is_an_error() {
        let order = Uuid::now_v7();
        let held = format!(
            r#"{{"status":201,"body":{{"orderId":"{order}","expiresAt":"1970-01-01T00:00:01.000002Z"}}}}"#
        );
        assert_eq!(end_of(&held).unwrap(), (order, 1_000_002));
        let refused = end_of(r#"{"status":503,"body":{"code":"overloaded"}}"#).unwrap_err().to_string();
        assert!(refused.contains("overloaded"), "{refused}");
    }
}
