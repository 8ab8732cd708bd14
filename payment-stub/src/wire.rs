//! Bodies as they cross the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use service_kit::FieldError;
use service_kit::json::Wire;
use service_kit::shape::{Field, Shape};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::limits::{AMOUNT_BYTES_MAX, METHOD_BYTES_MAX, REASON_BYTES_MAX};
use crate::method::Method;
use crate::payment::{Payment, Request};

/// Ask for money.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ProcessRequest)]
pub struct ProcessWire {
    /// The payment; the idempotency key of everything done to it.
    payment_id: Uuid,
    /// For which order.
    order_id: Uuid,
    /// How much, with at most two decimal places.
    #[schema(example = "12.30", pattern = r"^[0-9]{1,8}(\.[0-9]{1,2})?$")]
    amount: String,
    /// How it behaves: `approve`, `decline`, `slow:<ms>`, `silent`, `duplicate`, `late:<ms>`, `flaky:<percent>`; followed by how its
    /// refund does where that differs, such as `approve/silent`.
    #[schema(
        example = "approve",
        max_length = 64,
        pattern = "^(approve|decline|silent|duplicate|(slow|late|flaky):[0-9]+)(/(approve|silent|duplicate|(slow|late|flaky):[0-9]+))?$"
    )]
    method: String,
}

impl Wire for ProcessWire {
    type Parsed = Request;
    const FIELDS: &'static [Field] = &[
        Field::required("paymentId", Shape::Uuid),
        Field::required("orderId", Shape::Uuid),
        Field::required("amount", Shape::Text { bytes_max: AMOUNT_BYTES_MAX }),
        Field::required("method", Shape::Text { bytes_max: METHOD_BYTES_MAX }),
    ];

    fn parse(self) -> Result<Request, FieldError> {
        if self.amount.len() > AMOUNT_BYTES_MAX {
            return Err(FieldError::new("amount", "is too long"));
        }
        let amount = self.amount.parse().map_err(|error| FieldError::new("amount", error))?;
        self.method.parse::<Method>().map_err(|error| FieldError::new("method", error))?;
        Ok(Request { payment_id: self.payment_id, order_id: self.order_id, amount, method: self.method })
    }
}

/// Give it back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = RefundRequest)]
pub struct RefundWire {
    /// For the log.
    #[schema(min_length = 1, max_length = 255)]
    reason: Option<String>,
}

/// A refund, understood.
#[derive(Debug, Default)]
pub struct RefundRequest {
    /// For the log.
    pub reason: Option<String>,
}

impl Wire for RefundWire {
    type Parsed = RefundRequest;
    const FIELDS: &'static [Field] =
        &[Field::optional("reason", Shape::Text { bytes_max: REASON_BYTES_MAX })];

    fn parse(self) -> Result<RefundRequest, FieldError> {
        match &self.reason {
            Some(reason) if reason.is_empty() || reason.len() > REASON_BYTES_MAX => {
                Err(FieldError::new("reason", format!("must be 1 to {REASON_BYTES_MAX} bytes long")))
            }
            Some(reason) if reason.contains('\0') => {
                Err(FieldError::new("reason", "must not contain a NUL character"))
            }
            _ => Ok(RefundRequest { reason: self.reason }),
        }
    }
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub(crate) struct PaymentBody {
    /// The payment.
    payment_id: Uuid,
    /// For which order.
    order_id: Uuid,
    /// How much.
    #[schema(example = "12.30")]
    amount: String,
    /// As it was asked for.
    method: String,
    /// `ACCEPTED`, `SUCCESSFUL`, `FAILED`, `REFUNDING` or `REFUNDED`.
    status: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was accepted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> Self {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        Self {
            payment_id: payment.request.payment_id,
            order_id: payment.request.order_id,
            amount: payment.request.amount.to_string(),
            method: payment.request.method,
            status: payment.status.name(),
            reason: payment.reason,
            created_at: text(payment.created_at),
            updated_at: text(payment.updated_at),
        }
    }
}
