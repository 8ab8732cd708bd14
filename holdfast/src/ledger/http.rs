//! A running service over HTTP.

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use futures::stream;
use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{OrderId, ProductId};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::retry::until_answered;
use super::wire::{self, OrderBody, ReserveBody};
use super::{Admission, AuditReport, Change, Ending, ImportReport, Ledger, ProductNow, Unanswered};
use crate::cli::Format;

/// How long one call may take; imports and audits have no such end.
const CALL_SECONDS_MAX: u64 = 15;
/// How long a connection may take to come about.
const CONNECT_SECONDS_MAX: u64 = 3;
/// An import is sent in pieces of this size, a few read ahead.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD_MAX: usize = 4;

/// A service's address and a connection pool.
pub struct Http {
    base: String,
    client: Client,
}

/// Why an address was not accepted. The message says what to change.
#[derive(Debug, thiserror::Error)]
#[error("{given:?} is no address of a service: give one such as http://127.0.0.1:8083")]
pub struct InvalidUrl {
    given: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

impl Http {
    /// Calls nobody yet.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "http" && url.has_host());
        let parsed = parsed.ok_or_else(|| InvalidUrl { given: url.to_owned() })?;
        let mut builder = Client::builder().connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX));
        if matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            // What listens on this machine is not reached through a proxy.
            builder = builder.no_proxy();
        }
        let client = builder.build().context("the HTTP client cannot be set up")?;
        Ok(Self { base: parsed.as_str().trim_end_matches('/').to_owned(), client })
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/api/v1/inventory{rest}", self.base)
    }

    /// One call, answered by a status and a body.
    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Unanswered> {
        let lost = |why: reqwest::Error| Unanswered {
            is_transient: true,
            message: format!("no answer from {}: is the service running there?", self.base),
            source: innermost(why),
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?;
        Ok((status, body.to_vec()))
    }

    async fn send_briefly(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Unanswered> {
        self.send(request.timeout(Duration::from_secs(CALL_SECONDS_MAX))).await
    }

    async fn end(&self, verb: &str, order: OrderId) -> Result<Ending, Unanswered> {
        let call = || async {
            let request = self.client.post(self.path(verb)).json(&OrderBody { order_id: order.get() });
            let (status, body) = self.send_briefly(request).await?;
            wire::ending(status, &body)
        };
        Ok(until_answered(call).await?.0)
    }

    async fn get(&self, rest: &str) -> Result<Option<Vec<u8>>, Unanswered> {
        let call = || async {
            let (status, body) = self.send_briefly(self.client.get(self.path(rest))).await?;
            match status {
                _ if status.is_success() => Ok(Some(body)),
                StatusCode::NOT_FOUND => Ok(None),
                _ => Err(wire::failure(status, &body)),
            }
        };
        Ok(until_answered(call).await?.0)
    }
}

#[async_trait]
impl Ledger for Http {
    fn place(&self) -> &str {
        &self.base
    }

    fn is_embedded(&self) -> bool {
        false
    }

    async fn reserve(&self, request: &ReserveRequest) -> Result<Admission, Unanswered> {
        let call = || async {
            let request = self.client.post(self.path("/reserve")).json(&ReserveBody::new(request));
            let (status, body) = self.send_briefly(request).await?;
            wire::admission(status, &body)
        };
        let (admission, tries) = until_answered(call).await?;
        Ok(admission.after(tries))
    }

    async fn commit(&self, order: OrderId) -> Result<Ending, Unanswered> {
        self.end("/commit", order).await
    }

    async fn release(&self, order: OrderId) -> Result<Ending, Unanswered> {
        self.end("/release", order).await
    }

    async fn import(
        &self,
        rows: Box<dyn Read + Send>,
        format: Format,
        stored: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<ImportReport> {
        let content_type = match format {
            Format::Csv => "text/csv",
            Format::Ndjson => "application/x-ndjson",
        };
        let request = self.client.post(self.path("/import")).header("content-type", content_type);
        let (status, body) = self.send(request.body(streamed(rows))).await.context(
            "the import broke off; how much was stored is not known, import again, a repeat changes nothing",
        )?;
        if !status.is_success() {
            return Err(wire::failure(status, &body).into());
        }
        let report: ImportReport = wire::parse(&body)?;
        stored(report.rows);
        Ok(report)
    }

    async fn product(&self, product: ProductId) -> Result<Option<ProductNow>, Unanswered> {
        self.get(&format!("/{product}")).await?.map(|body| wire::parse(&body)).transpose()
    }

    async fn changes(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<Change>, Unanswered> {
        let rest = format!("/{product}/journal?fromVersion={from_version}&limit={limit}");
        let page = self.get(&rest).await?.map(|body| wire::parse::<Page<Change>>(&body)).transpose()?;
        Ok(page.map(|page| page.items).unwrap_or_default())
    }

    async fn audit(&self) -> anyhow::Result<AuditReport> {
        let (status, body) = self.send(self.client.get(self.path("/audit"))).await?;
        if !status.is_success() {
            return Err(wire::failure(status, &body).into());
        }
        Ok(wire::parse(&body)?)
    }

    async fn close(&self) {}
}

/// The bottom of an error's chain: the layers above it repeat one another.
fn innermost(why: reqwest::Error) -> Option<Box<dyn Error + Send + Sync>> {
    let mut inner: &dyn Error = &why;
    while let Some(next) = inner.source() {
        inner = next;
    }
    Some(inner.to_string().into())
}

/// Reads on a blocking thread, sends piece by piece. A read that fails breaks the request off.
fn streamed(mut source: Box<dyn Read + Send>) -> reqwest::Body {
    let (send, receive) = mpsc::channel::<std::io::Result<Vec<u8>>>(PIECES_AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let bound = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
            let read = source.by_ref().take(bound).read_to_end(&mut piece).map(|_| piece);
            let is_last = read.as_ref().map_or(true, Vec::is_empty);
            if matches!(&read, Ok(piece) if piece.is_empty()) || send.blocking_send(read).is_err() || is_last
            {
                return;
            }
        }
    });
    let pieces = stream::unfold(receive, |mut receive| async { Some((receive.recv().await?, receive)) });
    reqwest::Body::wrap_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_scheme_or_host_is_refused_by_example() {
        for given in ["127.0.0.1:8083", "localhost", "https://x", "ftp://x", ""] {
            let why = Http::new(given).err().unwrap().to_string();
            assert!(why.contains("http://127.0.0.1:8083"), "{why}");
        }
        assert_eq!(Http::new("http://127.0.0.1:8083/").unwrap().place(), "http://127.0.0.1:8083");
    }
}
