//! Bodies: slow, huge, deep, or never finished.

use std::time::Duration;

use futures::future::join_all;

use super::honest::{meanwhile, shop};
use super::raw::{Raw, post};

const RESERVE: &str = "/api/v1/inventory/reserve";
const IMPORT: &str = "/api/v1/inventory/import";
const BATCH: &str = "/api/v1/inventory/reserve/batch";

#[tokio::test]
async fn i15_bodies_that_come_byte_by_byte_are_answered_408() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let slow = (0..300).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let framing =
                if n.is_multiple_of(2) { "Content-Length: 60000" } else { "Transfer-Encoding: chunked" };
            raw.send(&post(RESERVE, framing)).await.expect("room for a head");
            let bytes = if n.is_multiple_of(2) { b"{".repeat(60_000) } else { b"1\r\n{\r\n".repeat(10_000) };
            raw.drip(&bytes, Duration::from_millis(300)).await;
            raw.answer().await.expect("an answer").is_problem(408, "body_timeout");
            raw.is_cut().await;
        });
        join_all(slow).await;
    })
    .await;
}

#[tokio::test]
async fn i15_streams_that_pause_are_told_so_and_what_came_before_is_kept() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let paused = (0..100).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let head = format!("POST {IMPORT} HTTP/1.1\r\nHost: shop\r\nContent-Type: text/csv\r\nContent-Length: 100000\r\n\r\n");
            raw.send(head.as_bytes()).await.expect("room for a head");
            let rows = format!("productId,onHand\n{},5\n", 1_000 + n);
            raw.send(rows.as_bytes()).await.expect("room for a row");
            raw.answer().await.expect("an answer").is_problem(408, "body_timeout");
            shop.product(i64::try_from(1_000 + n).expect("a small number")).await;
        });
        join_all(paused).await;
    })
    .await;
}

#[tokio::test]
async fn i15_bodies_of_any_size_are_answered_413_in_constant_memory() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let declared = (0..100).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let length = [65_537_u64, 10 << 30, 1 << 62][n % 3];
            raw.send(&post(RESERVE, &format!("Content-Length: {length}"))).await.expect("room for a head");
            // Until it is told to stop.
            let piece = vec![b' '; 64 * 1_024];
            for _ in 0..200 {
                if raw.send(&piece).await.is_err() {
                    break;
                }
            }
            // A connection that is cut under a sender may lose its answer.
            if let Some(answer) = raw.answer().await {
                answer.is_problem(413, "body_too_large");
            }
        });
        let chunked = (0..100).map(async |_| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            raw.send(&post(RESERVE, "Transfer-Encoding: chunked")).await.expect("room for a head");
            let chunk = [b"4000\r\n".as_slice(), &[b'['; 0x4000], b"\r\n"].concat();
            for _ in 0..1_000 {
                if raw.send(&chunk).await.is_err() {
                    break;
                }
            }
            if let Some(answer) = raw.answer().await {
                answer.is_problem(413, "body_too_large");
            }
        });
        // Who asks first sends nothing in vain, and surely reads the answer.
        let polite = (0..20).map(async |_| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let more = "Content-Length: 99999999\r\nExpect: 100-continue";
            raw.send(&post(RESERVE, more)).await.expect("room for a head");
            raw.answer().await.expect("an answer").is_problem(413, "body_too_large");
        });
        tokio::join!(join_all(declared), join_all(chunked), join_all(polite));
    })
    .await;
}

#[tokio::test]
async fn i15_rows_and_lines_without_end_are_refused_in_constant_memory() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let endless = (0..12).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let (path, kind, start): (_, _, &[u8]) = match n % 3 {
                0 => (IMPORT, "text/csv", b"productId,onHand,name\n2,5,\""),
                1 => (IMPORT, "application/x-ndjson", b"{\"productId\":2,\"onHand\":5,\"name\":\""),
                _ => (BATCH, "application/x-ndjson", b"{\"orderId\":\""),
            };
            let length = 24 * 1_024 * 1_024;
            let head = format!("POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
            raw.send(head.as_bytes()).await.expect("room for a head");
            raw.send(start).await.expect("room for a start");
            let piece = vec![b'x'; 64 * 1_024];
            let mut left = length - start.len();
            while left > 0 {
                let now = left.min(piece.len());
                raw.send(&piece[..now]).await.expect("a streamed body is taken to its end");
                left -= now;
            }
            let answer = raw.answer().await;
            // A batch is answered in chunks, which this reader takes for an answer without a body.
            assert_eq!(answer.expect("an answer").status, 200);
        });
        join_all(endless).await;
    })
    .await;
}

#[tokio::test]
async fn deep_nesting_is_refused_as_json_that_cannot_be_read() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let bodies: [Vec<u8>; 4] = [
            b"[".repeat(60_000),
            b"{\"a\":".repeat(12_000),
            b"{\"items\":[".repeat(6_000),
            b"[{\"orderId\":".repeat(5_000),
        ];
        let deep = (0..200).map(async |n: usize| {
            let body = &bodies[n % bodies.len()];
            let mut raw = Raw::connect(&address).await.expect("a connection");
            raw.send(&post(RESERVE, &format!("Content-Length: {}", body.len())))
                .await
                .expect("room for a head");
            raw.send(body).await.expect("room for a body");
            raw.answer().await.expect("an answer").is_problem(400, "invalid_json");
        });
        join_all(deep).await;
    })
    .await;
}
