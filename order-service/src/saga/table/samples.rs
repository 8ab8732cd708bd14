//! One input of every kind, for a given saga.

use crate::saga::{Action, Input, Saga};

/// Every input that could mean something else to this saga, each with its name in the table.
pub fn samples(saga: &Saga) -> Vec<(String, Input)> {
    let reason = || "why".to_owned();
    let mut inputs = vec![
        Input::Reserved,
        Input::ReserveRefused { reason: reason() },
        Input::ReserveGaveUp { reason: reason() },
        Input::StockCommitted,
        Input::CommitLost,
        Input::StockReleased,
        Input::ReservationExpired,
        Input::Restocked,
        Input::PaymentAccepted,
        Input::PaymentSucceeded,
        Input::PaymentDeclined { reason: reason() },
        Input::PaymentUnknown,
        Input::PaymentRefunded,
        Input::PaymentDeadline { set_at_version: saga.payment_timer.unwrap_or(saga.version) },
        Input::PaymentDeadline { set_at_version: saga.version + 1 },
    ];
    inputs.extend(Action::ALL.map(|action| Input::ActionFailing {
        action,
        attempts: 10,
        error: "error".to_owned(),
    }));
    inputs.extend([
        Input::Cancel { reason: None },
        Input::Ship { tracking_number: "parcel".to_owned() },
        Input::Ship { tracking_number: "other parcel".to_owned() },
        Input::Deliver,
    ]);
    inputs.extend(Action::ALL.map(|action| Input::Skip { action, reason: reason() }));
    inputs.push(Input::Abandon { reason: reason() });
    inputs.into_iter().map(|input| (name(saga, &input), input)).collect()
}

/// A new kind of input needs a name here, and a sample above.
fn name(saga: &Saga, input: &Input) -> String {
    let of = |kind: &str, action: &Action| {
        if saga.outstanding.contains(action) {
            format!("{kind} {action:?}")
        } else {
            format!("{kind}, of an action that is not outstanding")
        }
    };
    match input {
        Input::Reserved => "Reserved".to_owned(),
        Input::ReserveRefused { .. } => "ReserveRefused".to_owned(),
        Input::ReserveGaveUp { .. } => "ReserveGaveUp".to_owned(),
        Input::StockCommitted => "StockCommitted".to_owned(),
        Input::CommitLost => "CommitLost".to_owned(),
        Input::StockReleased => "StockReleased".to_owned(),
        Input::ReservationExpired => "ReservationExpired".to_owned(),
        Input::Restocked => "Restocked".to_owned(),
        Input::PaymentAccepted => "PaymentAccepted".to_owned(),
        Input::PaymentSucceeded => "PaymentSucceeded".to_owned(),
        Input::PaymentDeclined { .. } => "PaymentDeclined".to_owned(),
        Input::PaymentUnknown => "PaymentUnknown".to_owned(),
        Input::PaymentRefunded => "PaymentRefunded".to_owned(),
        Input::PaymentDeadline { set_at_version } if saga.payment_timer == Some(*set_at_version) => {
            "PaymentDeadline".to_owned()
        }
        Input::PaymentDeadline { .. } => "PaymentDeadline, stale".to_owned(),
        Input::ActionFailing { action, .. } => of("ActionFailing", action),
        Input::Cancel { .. } => "Cancel".to_owned(),
        Input::Ship { tracking_number } if saga.tracking_number.as_ref() == Some(tracking_number) => {
            "Ship, with the same parcel".to_owned()
        }
        Input::Ship { .. } => "Ship".to_owned(),
        Input::Deliver => "Deliver".to_owned(),
        Input::Skip { action, .. } => of("Skip", action),
        Input::Abandon { .. } => "Abandon".to_owned(),
    }
}
