//! Inventory's REST, for what stands before and after a load.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::json;

use crate::rules::Shelf;

/// How long a call may take; an import of many products or the audit takes longest.
const CALL_WITHIN: Duration = Duration::from_secs(120);
/// Rows of the journal in one page.
const PAGE: usize = 1_000;

/// A client. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    client: Client,
    base: String,
}

/// One change of a product, as the journal tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) order_id: Option<uuid::Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Change>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    on_hand: i64,
    held: i64,
}

impl Shop {
    /// Calls nobody yet.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let client = Client::builder().timeout(CALL_WITHIN).no_proxy().build()?;
        Ok(Self { client, base: format!("{}/api/v1/inventory", url.trim_end_matches('/')) })
    }

    /// The client, for calls of one's own.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The address of a call.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.base)
    }

    /// Sets a product's stock.
    pub(crate) async fn stock(
        &self,
        product: i64,
        on_hand: i64,
        per_customer_limit: Option<u32>,
    ) -> Result<()> {
        let mut body = json!({ "onHand": on_hand });
        if let Some(limit) = per_customer_limit {
            body["perCustomerLimit"] = limit.into();
        }
        succeeded(self.client.put(self.path(&format!("/{product}"))).json(&body).send().await?).await?;
        Ok(())
    }

    /// What is there of these products, summed.
    pub(crate) async fn shelf(&self, products: impl IntoIterator<Item = i64>) -> Result<Shelf> {
        let mut sum = Shelf { on_hand: 0, held: 0 };
        for product in products {
            let response = self.client.get(self.path(&format!("/{product}"))).send().await?;
            let product: Product = succeeded(response).await?.json().await?;
            sum.on_hand += product.on_hand;
            sum.held += product.held;
        }
        Ok(sum)
    }

    /// Everything that happened to a product, oldest first.
    pub(crate) async fn journal(&self, product: i64) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        let mut from = "0".to_owned();
        loop {
            let path = self.path(&format!("/{product}/journal?fromVersion={from}&limit={PAGE}"));
            let page: Page = succeeded(self.client.get(path).send().await?).await?.json().await?;
            changes.extend(page.items);
            match page.next_cursor {
                Some(next) => from = next,
                None => return Ok(changes),
            }
        }
    }
}

async fn succeeded(response: Response) -> Result<Response> {
    let (status, url) = (response.status(), response.url().clone());
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.context("reading a refusal")?;
    bail!("{url} answered {status}: {body}")
}
