//! Inputs as they read in an order's history.

use crate::saga::Input;

/// A name and what is worth telling.
pub(crate) fn describe(input: &Input) -> (&'static str, Option<String>) {
    match input {
        Input::Reserved => ("RESERVED", None),
        Input::ReserveRefused { reason } => ("RESERVE_REFUSED", Some(reason.clone())),
        Input::ReserveGaveUp { reason } => ("RESERVE_GAVE_UP", Some(reason.clone())),
        Input::StockCommitted => ("STOCK_COMMITTED", None),
        Input::CommitLost => ("COMMIT_LOST", None),
        Input::StockReleased => ("STOCK_RELEASED", None),
        Input::ReservationExpired => ("RESERVATION_EXPIRED", None),
        Input::Restocked => ("RESTOCKED", None),
        Input::PaymentAccepted => ("PAYMENT_ACCEPTED", None),
        Input::PaymentSucceeded => ("PAYMENT_SUCCEEDED", None),
        Input::PaymentDeclined { reason } => ("PAYMENT_DECLINED", Some(reason.clone())),
        Input::PaymentUnknown => ("PAYMENT_UNKNOWN", None),
        Input::PaymentRefunded => ("PAYMENT_REFUNDED", None),
        Input::PaymentDeadline { set_at_version } => {
            ("PAYMENT_DEADLINE", Some(format!("set at version {set_at_version}")))
        }
        Input::ActionFailing { action, attempts, error } => {
            ("ACTION_FAILING", Some(format!("{}: {attempts} tries so far: {error}", action.name())))
        }
        Input::Cancel { reason } => ("CANCEL", reason.clone()),
        Input::Ship { tracking_number } => ("SHIP", Some(tracking_number.clone())),
        Input::Deliver => ("DELIVER", None),
        Input::Skip { action, reason } => ("SKIP", Some(format!("{}: {reason}", action.name()))),
        Input::Abandon { reason } => ("ABANDON", Some(reason.clone())),
    }
}
