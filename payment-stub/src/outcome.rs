//! What becomes of a payment that is due: pure.

use crate::method::Method;
use crate::payment::Status;

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    /// Why it failed.
    pub(crate) reason: Option<String>,
    /// How often the event is written.
    pub(crate) copies: u32,
}

/// What becomes of a payment of this status and method, now that it is due. None: nothing, it was settled before.
pub(crate) fn of(status: Status, method: &str) -> Option<Outcome> {
    use crate::method::Behaviour::{Approve, Decline, Duplicate, Flaky, Late, Silent, Slow};
    let refused = |reason: String| Outcome { status: Status::Failed, reason: Some(reason), copies: 1 };
    let parsed = method.parse::<Method>();
    match (status, parsed) {
        // By an event anything may come; it is refused as a provider refuses a card that it does not know.
        (Status::Accepted, Err(unknown)) => Some(refused(format!("payment method {method:?} {unknown}"))),
        (Status::Accepted, Ok(Method { payment, .. })) => match payment {
            Decline => Some(refused("declined".to_owned())),
            Silent => None,
            Approve | Slow(_) | Duplicate | Late(_) | Flaky(_) => {
                Some(Outcome { status: Status::Successful, reason: None, copies: payment.copies() })
            }
        },
        (Status::Refunding, parsed) => {
            let copies = parsed.map_or(1, |method| method.refund.copies());
            Some(Outcome { status: Status::Refunded, reason: None, copies })
        }
        (Status::Successful | Status::Failed | Status::Refunded, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_method_leads_where_the_table_says() {
        use Status::{Accepted, Failed, Refunded, Refunding, Successful};
        for (status, method, becomes) in [
            (Accepted, "approve", Some((Successful, 1))),
            (Accepted, "decline", Some((Failed, 1))),
            (Accepted, "slow:5", Some((Successful, 1))),
            (Accepted, "silent", None),
            (Accepted, "duplicate", Some((Successful, 2))),
            (Accepted, "late:5", Some((Successful, 1))),
            (Accepted, "flaky:5", Some((Successful, 1))),
            (Accepted, "approve/duplicate", Some((Successful, 1))),
            (Accepted, "visa", Some((Failed, 1))),
            (Refunding, "approve", Some((Refunded, 1))),
            (Refunding, "duplicate", Some((Refunded, 2))),
            (Refunding, "approve/duplicate", Some((Refunded, 2))),
            (Refunding, "duplicate/approve", Some((Refunded, 1))),
            (Refunding, "approve/silent", Some((Refunded, 0))),
            (Successful, "approve", None),
            (Failed, "approve", None),
            (Refunded, "approve", None),
        ] {
            let outcome = of(status, method).map(|outcome| (outcome.status, outcome.copies));
            assert_eq!(outcome, becomes, "{status:?} {method}");
        }
    }
}
