//! Bodies of the payments' calls, and how a payment is told to behave.

use std::time::Duration;

use payment_stub::limits::{LATE_MAX, METHOD_BYTES_MAX, SLOW_MAX};
use payment_stub::wire::{ProcessWire, RefundWire};
use payment_stub::{Behaviour, Method};
use serde_json::json;

use crate::promises;

/// Reads `bytes` as every body, and as a method.
pub fn run(bytes: &[u8]) {
    if let Some(asked) = promises::body::<ProcessWire>(bytes) {
        assert!(asked.method.len() <= METHOD_BYTES_MAX, "{asked:?}");
        let written = json!({
            "paymentId": asked.payment_id,
            "orderId": asked.order_id,
            "amount": asked.amount,
            "method": asked.method,
        });
        assert_eq!(promises::body::<ProcessWire>(written.to_string().as_bytes()), Some(asked), "{written}");
    }
    if let Some(refund) = promises::body::<RefundWire>(bytes) {
        refund.reason.iter().for_each(|reason| promises::text(reason));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        match text.parse::<Method>() {
            Ok(method) => {
                within(method.payment);
                within(method.refund);
            }
            Err(unknown) => promises::advice(&unknown.to_string()),
        }
    }
}

fn within(behaviour: Behaviour) {
    let at_most = |given: Duration, most: Duration| assert!(given <= most, "{behaviour:?}");
    match behaviour {
        Behaviour::Slow(pause) => at_most(pause, SLOW_MAX),
        Behaviour::Late(pause) => at_most(pause, LATE_MAX),
        Behaviour::Flaky(percent) => assert!(percent <= 100, "{behaviour:?}"),
        Behaviour::Approve | Behaviour::Decline | Behaviour::Silent | Behaviour::Duplicate => {}
    }
}
