//! What must be true of one order, by what the three services say of it.

use std::collections::BTreeMap;

use super::ask::{Facts, Item};

/// What became of the money, as the provider tells it.
const TAKEN: &str = "SUCCESSFUL";
const GIVEN_BACK: &str = "REFUNDED";

/// What an order came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Everything fits.
    Agrees,
    /// It has not ended yet, or its undoing is not over.
    UnderWay,
    /// What does not fit.
    Disagrees(Vec<String>),
}

pub(super) fn judge(facts: &Facts) -> Verdict {
    let order = &facts.order;
    let money = order.payment_status.as_str();
    let found = match order.status.as_str() {
        "PENDING" | "AWAITING_PAYMENT" => return Verdict::UnderWay,
        _ if money == "REFUNDING" => return Verdict::UnderWay,
        "CONFIRMED" | "SHIPPED" | "DELIVERED" => sold(facts),
        "CANCELLED" | "PAYMENT_FAILED" => undone(facts),
        other => vec![format!("its status is {other}, which no order has")],
    };
    if found.is_empty() { Verdict::Agrees } else { Verdict::Disagrees(found) }
}

/// Paid for, and its very lines committed.
fn sold(facts: &Facts) -> Vec<String> {
    let order = &facts.order;
    let mut found = Vec::new();
    if order.payment_status != "PAID" {
        found.push(format!("is {} and its payment {}", order.status, order.payment_status));
    }
    match &facts.payment {
        None => found.push("is sold, and the provider has never heard of its payment".to_owned()),
        Some(payment) => {
            if payment.status != TAKEN {
                found.push(format!("is sold, and its payment stands as {}", payment.status));
            }
            if payment.amount != order.total_amount {
                found.push(format!("costs {}, and {} was paid", order.total_amount, payment.amount));
            }
        }
    }
    match &facts.reservation {
        None => found.push("is sold, and inventory has nothing of it".to_owned()),
        Some(reservation) if reservation.status != "COMMITTED" => {
            found.push(format!("is sold, and its stock is {}", reservation.status));
        }
        Some(reservation) => {
            let (wanted, had) = (summed(&order.items), summed(&reservation.items));
            if wanted != had {
                found.push(format!("was to have {wanted:?}, and {had:?} was committed"));
            }
        }
    }
    found
}

/// No hold left, no money kept, and what was sold before is back on the shelf.
fn undone(facts: &Facts) -> Vec<String> {
    let order = &facts.order;
    let mut found = Vec::new();
    if let Some(reservation) = &facts.reservation {
        match reservation.status.as_str() {
            "HELD" => found.push("has ended, and stock is still held for it".to_owned()),
            "COMMITTED" if !facts.restocked => {
                found.push("has ended, and its stock was sold and not given back".to_owned());
            }
            _ => {}
        }
    }
    match facts.payment.as_ref().map(|payment| payment.status.as_str()) {
        Some(TAKEN) => found.push("has ended, and the provider keeps the money".to_owned()),
        Some(GIVEN_BACK) if order.payment_status != "REFUNDED" => {
            found.push(format!("was refunded, and says {}", order.payment_status));
        }
        _ => {}
    }
    if order.payment_status == "PAID" {
        found.push(format!("is {} and PAID", order.status));
    }
    found
}

/// By product, duplicates summed.
fn summed(items: &[Item]) -> BTreeMap<i64, u64> {
    let mut sums = BTreeMap::new();
    for item in items {
        *sums.entry(item.product_id).or_default() += item.quantity;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::ask::{OrderNow, PaymentNow, ReservationNow};
    use super::*;

    fn facts(status: &str, money: &str, stock: Option<&str>, payment: Option<&str>) -> Facts {
        let items = vec![Item { product_id: 7, quantity: 2 }];
        let order = OrderNow {
            order_id: uuid::Uuid::nil(),
            status: status.to_owned(),
            payment_status: money.to_owned(),
            total_amount: "3.00".to_owned(),
            payment_id: uuid::Uuid::nil(),
            items: items.clone(),
        };
        let reservation = stock.map(|status| ReservationNow { status: status.to_owned(), items });
        let payment =
            payment.map(|status| PaymentNow { status: status.to_owned(), amount: "3.00".to_owned() });
        Facts { order, reservation, payment, restocked: false }
    }

    fn problems(facts: &Facts) -> usize {
        match judge(facts) {
            Verdict::Agrees => 0,
            Verdict::UnderWay => panic!("under way: {facts:?}"),
            Verdict::Disagrees(found) => found.len(),
        }
    }

    #[test]
    fn a_sold_order_is_paid_for_and_its_lines_are_committed() {
        let sound = facts("CONFIRMED", "PAID", Some("COMMITTED"), Some("SUCCESSFUL"));
        assert_eq!(problems(&sound), 0);
        assert_eq!(problems(&facts("SHIPPED", "PAID", Some("HELD"), Some("SUCCESSFUL"))), 1);
        assert_eq!(problems(&facts("CONFIRMED", "PAID", None, None)), 2);
        assert_eq!(problems(&facts("CONFIRMED", "FAILED", Some("COMMITTED"), Some("FAILED"))), 2);
        let mut short = sound.clone();
        short.reservation = short.reservation.map(|r| ReservationNow { items: Vec::new(), ..r });
        assert_eq!(problems(&short), 1);
        let mut cheap = sound;
        cheap.payment = cheap.payment.map(|p| PaymentNow { amount: "2.99".to_owned(), ..p });
        assert_eq!(problems(&cheap), 1);
    }

    #[test]
    fn an_order_that_ended_without_a_sale_keeps_neither_stock_nor_money() {
        for (stock, payment) in [(None, None), (Some("RELEASED"), Some("FAILED")), (Some("EXPIRED"), None)] {
            assert_eq!(problems(&facts("CANCELLED", "NONE", stock, payment)), 0);
        }
        assert_eq!(problems(&facts("CANCELLED", "REFUNDED", Some("RELEASED"), Some("REFUNDED"))), 0);
        assert_eq!(problems(&facts("PAYMENT_FAILED", "FAILED", Some("HELD"), Some("FAILED"))), 1);
        assert_eq!(problems(&facts("CANCELLED", "FAILED", Some("RELEASED"), Some("SUCCESSFUL"))), 1);
        assert_eq!(problems(&facts("CANCELLED", "PAID", Some("RELEASED"), Some("SUCCESSFUL"))), 2);
        let mut sold = facts("CANCELLED", "REFUNDED", Some("COMMITTED"), Some("REFUNDED"));
        assert_eq!(problems(&sold), 1);
        sold.restocked = true;
        assert_eq!(problems(&sold), 0);
    }

    #[test]
    fn what_is_under_way_is_not_judged() {
        for (status, money) in [("PENDING", "NONE"), ("AWAITING_PAYMENT", "PAID"), ("CANCELLED", "REFUNDING")]
        {
            assert_eq!(judge(&facts(status, money, Some("HELD"), Some("SUCCESSFUL"))), Verdict::UnderWay);
        }
    }
}
