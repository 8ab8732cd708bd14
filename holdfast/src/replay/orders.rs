//! Placing baskets as orders at a running order service. The key of a placement is the basket's order id, so a placement whose answer
//! was lost is the same placement again, and so is a whole run.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, stream};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Basket, Fate, Fates};
use crate::ledger::{Unanswered, until_answered};

const CALL_SECONDS_MAX: u64 = 15;
/// Who buys where the file does not say.
const NOBODY: &str = "guest";

/// Where orders are placed.
pub struct OrderDesk {
    client: Client,
    url: String,
}

/// What came of placements.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placements {
    /// Baskets dealt with.
    pub baskets: u64,
    /// Orders taken.
    pub placed: u64,
    /// Refused for good, by code.
    pub refused: BTreeMap<String, u64>,
    /// Baskets without a usable line.
    pub empty: u64,
}

#[derive(Deserialize, Default)]
struct Code {
    #[serde(default)]
    code: String,
}

impl OrderDesk {
    /// Calls nobody yet.
    pub fn new(url: &Url) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(CALL_SECONDS_MAX);
        let client =
            Client::builder().timeout(timeout).build().context("the HTTP client cannot be set up")?;
        Ok(Self { client, url: format!("{}/api/v1/orders", url.as_str().trim_end_matches('/')) })
    }

    /// Places every basket, `concurrency` at a time, and counts what came of them.
    pub async fn place_all(
        &self,
        baskets: &[Basket],
        fates: Fates,
        concurrency: usize,
        told: &(dyn Fn(&Placements) + Sync),
    ) -> anyhow::Result<Placements> {
        let mut placements = Placements::default();
        let mut placed =
            stream::iter(baskets.iter().map(|basket| self.place(basket, fates))).buffered(concurrency.max(1));
        while let Some(outcome) = placed.next().await {
            placements.baskets += 1;
            match outcome? {
                Placed::Empty => placements.empty += 1,
                Placed::Taken => placements.placed += 1,
                Placed::Refused(code) => *placements.refused.entry(code).or_default() += 1,
            }
            told(&placements);
        }
        Ok(placements)
    }

    async fn place(&self, basket: &Basket, fates: Fates) -> anyhow::Result<Placed> {
        let Some(body) = body(basket, fates) else { return Ok(Placed::Empty) };
        let key = basket.order.to_string();
        let call = || async {
            let lost = |error: reqwest::Error| Unanswered {
                is_transient: true,
                message: format!("no answer from {}: is the order service running there?", self.url),
                source: Some(error.into()),
            };
            let request = self.client.post(&self.url).header("idempotency-key", &key).json(&body);
            let response = request.send().await.map_err(lost)?;
            let status = response.status();
            match status {
                StatusCode::ACCEPTED => Ok(Placed::Taken),
                StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                    let problem: Code = response.json().await.map_err(lost)?;
                    Ok(Placed::Refused(problem.code))
                }
                status => Err(Unanswered {
                    is_transient: status.is_server_error(),
                    message: format!("{} answered {status}", self.url),
                    source: None,
                }),
            }
        };
        let answered = until_answered(call).await;
        Ok(answered
            .with_context(|| format!("basket {key} could not be placed; run the same again to go on"))?
            .0)
    }
}

enum Placed {
    Taken,
    Refused(String),
    Empty,
}

/// The order that a basket becomes. Its fate says how it is paid: a committed hold was paid for, a released one was not, and one
/// that was left is paid late.
fn body(basket: &Basket, fates: Fates) -> Option<Value> {
    let lines = basket.lines.as_ref()?;
    let items: Vec<Value> = lines
        .iter()
        .map(|line| {
            let price = basket.prices.get(&line.product).copied().unwrap_or_default();
            json!({"productId": line.product.get(), "quantity": line.quantity.get(), "unitPrice": price})
        })
        .collect();
    let method = match fates.of(basket.order) {
        Fate::Commit => "approve",
        Fate::Release => "decline",
        Fate::Leave => "slow:300",
    };
    let user = basket.customer.as_ref().map_or(NOBODY, |customer| customer.as_str());
    Some(json!({"userId": user, "items": items, "paymentMethod": method}))
}
