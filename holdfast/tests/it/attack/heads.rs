//! Heads of requests: slow, large, many, or not heads at all.

use std::time::Duration;

use futures::future::join_all;

use super::honest::{meanwhile, shop};
use super::raw::Raw;

#[tokio::test]
async fn i15_heads_that_come_byte_by_byte_are_cut_while_honest_customers_buy() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let slow = (0..300).map(async |n| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let head = format!("GET /health/live HTTP/1.1\r\nX-Slow-{n}: {}", "x".repeat(10_000));
            raw.drip(head.as_bytes(), Duration::from_millis(400)).await;
            assert!(raw.answer().await.is_none(), "half a head was answered");
        });
        join_all(slow).await;
    })
    .await;
}

#[tokio::test]
async fn i15_heads_that_are_too_large_or_have_too_many_lines_are_answered_431() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let large = format!("X-Large: {}\r\n", "x".repeat(64 * 1_024));
        let many: String = (0..2_000).map(|n| format!("X-{n}: 1\r\n")).collect();
        let long_address = format!("/api/v1/inventory?productIds={}", "1,".repeat(40_000));
        let flood = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nHost: shop\r\n{headers}\r\n");
        let heads = [flood("/health/live", &large), flood("/health/live", &many), flood(&long_address, "")];
        let sent = (0..60).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            // It may hang up before all is sent.
            let _ = raw.send(heads[n % heads.len()].as_bytes()).await;
            if let Some(answer) = raw.answer().await {
                assert!([414, 431].contains(&answer.status), "{answer:?}");
            }
            raw.is_cut().await;
        });
        join_all(sent).await;
    })
    .await;
}

#[tokio::test]
async fn i15_heads_without_end_are_cut_in_constant_memory() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let endless = (0..20).map(async |_| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            raw.send(b"GET /health/live HTTP/1.1\r\n").await.expect("a first line");
            let line = format!("X-Again: {}\r\n", "y".repeat(1_000));
            let mut sent = 0_usize;
            while sent < 64 * 1_024 * 1_024 && raw.send(line.as_bytes()).await.is_ok() {
                sent += line.len();
            }
            assert!(sent < 64 * 1_024 * 1_024, "64 MiB of a head were taken");
        });
        join_all(endless).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_pipelined_requests_before_it_are_answered_in_order() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let garbage: [&[u8]; 5] = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // a TLS client that has the wrong port
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\0\0\0\0\r\n\r\n",
            b"GET /health/live HTTP/9.9\r\n\r\n",
            b"GET\r\n\r\n",
        ];
        let pipelined = (0..50).map(async |n: usize| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let mut bytes = Vec::new();
            for product in 0..20 {
                bytes.extend(
                    format!("GET /api/v1/inventory/{product} HTTP/1.1\r\nHost: shop\r\n\r\n").bytes(),
                );
            }
            bytes.extend(garbage[n % garbage.len()]);
            raw.send(&bytes).await.expect("room for a few requests");
            for product in 0..20 {
                let answer = raw.answer().await.expect("an answer to what came before the garbage");
                assert_eq!(answer.status, if product == 1 { 200 } else { 404 }, "{answer:?}");
            }
            if let Some(refusal) = raw.answer().await {
                assert!([400, 505].contains(&refusal.status), "{refusal:?}");
            }
            raw.is_cut().await;
        });
        join_all(pipelined).await;
    })
    .await;
}

#[tokio::test]
async fn two_lengths_or_a_length_beside_chunks_never_smuggle_a_second_request() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let hidden = "PUT /api/v1/inventory/666 HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"onHand\":1}";
        for lengths in [
            "Content-Length: 0\r\nContent-Length: 5",
            "Content-Length: 5, 6",
            "Content-Length: -1",
            "Content-Length: +0",
            "Content-Length: 0x0",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
        ] {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let request = format!("POST /api/v1/inventory/reserve HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n{lengths}\r\n\r\n{hidden}");
            let _ = raw.send(request.as_bytes()).await;
            if let Some(answer) = raw.answer().await {
                assert_eq!(answer.status, 400, "{lengths}: {answer:?}");
            }
            raw.is_cut().await;
        }
        shop.get("/api/v1/inventory/666").await.is_problem(404, "product_not_found");
    })
    .await;
}
