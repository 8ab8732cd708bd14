//! Asking the services, by their public contracts.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::ledger::{Unanswered, until_answered};

const CALL_SECONDS_MAX: u64 = 15;
/// Orders in one page: the contract's largest.
const PAGE: usize = 100;

/// Where the three are.
pub struct Services {
    client: Client,
    inventory: String,
    orders: String,
    payments: String,
}

/// What is known of one order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Facts {
    pub(super) order: OrderNow,
    pub(super) reservation: Option<ReservationNow>,
    pub(super) payment: Option<PaymentNow>,
    /// Its committed stock was given back by the order's own adjustments.
    pub(super) restocked: bool,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderNow {
    pub(super) order_id: Uuid,
    pub(super) status: String,
    pub(super) payment_status: String,
    pub(super) total_amount: String,
    pub(super) payment_id: Uuid,
    pub(super) items: Vec<Item>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) product_id: i64,
    pub(super) quantity: u64,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(super) struct ReservationNow {
    pub(super) status: String,
    pub(super) items: Vec<Item>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(super) struct PaymentNow {
    pub(super) status: String,
    pub(super) amount: String,
}

#[derive(Default, Deserialize)]
struct Timeline {
    items: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) items: Vec<OrderNow>,
    pub(super) next_cursor: Option<String>,
}

impl Services {
    /// Calls nobody yet.
    pub fn new(inventory: &Url, orders: &Url, payments: &Url) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(CALL_SECONDS_MAX);
        let client =
            Client::builder().timeout(timeout).build().context("the HTTP client cannot be set up")?;
        let base = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, inventory: base(inventory), orders: base(orders), payments: base(payments) })
    }

    pub(super) async fn orders(&self, cursor: Option<&str>) -> anyhow::Result<Page> {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let url = format!("{}/api/v1/orders?limit={PAGE}{cursor}", self.orders);
        self.get(&url).await?.with_context(|| format!("{url} is not there: is it an order service?"))
    }

    pub(super) async fn facts(&self, order: OrderNow) -> anyhow::Result<Facts> {
        let reservation = format!("{}/api/v1/inventory/reservations/{}", self.inventory, order.order_id);
        let payment = format!("{}/api/v1/payments/{}", self.payments, order.payment_id);
        let (reservation, payment) =
            tokio::try_join!(self.get::<ReservationNow>(&reservation), self.get::<PaymentNow>(&payment))?;
        let was_sold = reservation.as_ref().is_some_and(|reservation| reservation.status == "COMMITTED");
        let restocked = was_sold && order.status == "CANCELLED" && self.restocked(&order).await?;
        Ok(Facts { order, reservation, payment, restocked })
    }

    /// Whether inventory answered yes to the order's keyed adjustments, as its saga's log has it.
    async fn restocked(&self, order: &OrderNow) -> anyhow::Result<bool> {
        let url = format!("{}/api/v1/orders/{}/timeline", self.orders, order.order_id);
        let timeline: Timeline = self.get(&url).await?.unwrap_or_default();
        Ok(timeline.items.iter().any(|step| step.name == "RESTOCK_INVENTORY" && step.status == "COMPLETED"))
    }

    /// The answer, or none for what is not there.
    async fn get<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<Option<T>> {
        let call = || async {
            let lost = |error: reqwest::Error| Unanswered {
                is_transient: true,
                message: format!("no answer from {url}: is the service running there?"),
                source: Some(error.into()),
            };
            let response = self.client.get(url).send().await.map_err(lost)?;
            match response.status() {
                StatusCode::NOT_FOUND => Ok(None),
                status if status.is_success() => response.json().await.map(Some).map_err(lost),
                status => Err(Unanswered {
                    is_transient: status.is_server_error(),
                    message: format!("{url} was answered {status}"),
                    source: None,
                }),
            }
        };
        Ok(until_answered(call).await?.0)
    }
}
