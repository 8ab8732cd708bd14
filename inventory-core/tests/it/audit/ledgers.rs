//! Clean ledgers pass: one with everything in it, and random ones.

use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::reservation::Status;
use inventory_core::store::ledger_copy::LedgerCopy;
use proptest::prelude::{Strategy, any, prop_assert, proptest};

use super::model::{Model, batch, lines, order};
use super::{audit_copy, findings};
use inventory_core::store::Resolution;

/// Every kind of change at least once. Products 1 to 3; product 2 is limited from the start, product 3 later on.
pub(crate) fn full() -> Model {
    let mut m = Model::new();
    m.batch(|m| {
        m.set(1, 100, Some(10), None);
        m.set(2, 50, None, Some(5));
        m.set(-3, 8, None, None);
    });
    m.batch(|m| {
        m.reserve(order(1), None, &lines(&[(1, 3)]));
        m.reserve(order(2), Some("ada"), &lines(&[(1, 1), (2, 4)]));
        m.reserve(order(3), Some("bob"), &lines(&[(-3, 2), (2, 2)]));
        m.reserve(order(4), Some("bob"), &lines(&[(1, 1)]));
    });
    m.batch(|m| m.set(-3, 10, None, Some(9)));
    m.batch(|m| {
        m.commit(order(1), None, Some("message 1"));
        m.commit(order(2), Some(&lines(&[(1, 1), (2, 1)])), None);
        m.extend(order(3));
        m.reserve(order(5), Some("eve"), &lines(&[(-3, 8)]));
        m.tell("product", "-3");
    });
    m.batch(|m| {
        m.release_part(order(3), &lines(&[(2, 1)]));
        m.adjust(1, 7, "count-1");
        m.tombstone(order(6));
        m.reserve(order(7), None, &lines(&[(1, 2)]));
        m.reserve(order(8), None, &lines(&[(1, 2)]));
        m.reserve(order(9), None, &lines(&[(1, 2)]));
        m.reserve(order(10), None, &lines(&[(1, 90)]));
    });
    m.batch(|m| m.release(order(7)));
    m.wait_seconds(2_000);
    m.batch(|m| {
        m.expire(order(4));
        m.expire(order(8));
        m.expire(order(9));
        m.expire(order(10));
    });
    // Overdue, and committed before the sweeper came.
    m.batch(|m| m.commit(order(5), None, None));
    m.batch(|m| {
        m.commit(order(4), None, Some("message 2"));
        m.release(order(8));
        m.lose(order(9));
        m.commit(order(10), Some(&lines(&[(1, 80)])), None);
    });
    m.batch(|m| {
        m.reserve(order(11), Some("ada"), &lines(&[(1, 2), (2, 1)]));
        m.adjust(2, -1, "count-2");
    });
    // A batch that only took note of a delivery.
    m.batch(|_| {});
    m.ledger.fences.push((batch(900), Resolution::Aborted, m.now));
    m
}

/// Two batches at one moment, of which the later has the smaller id: a hold and its release.
pub(crate) fn one_moment() -> LedgerCopy {
    let mut m = Model::new();
    m.batch(|m| m.set(1, 10, None, None));
    m.batch(|m| m.reserve(order(1), None, &lines(&[(1, 2)])));
    m.wait_seconds(-1);
    m.batch(|m| m.release(order(1)));
    let mut ledger = m.ledger;
    let swapped = |id: &mut BatchId| {
        *id = match *id {
            id if id == batch(2) => batch(3),
            id if id == batch(3) => batch(2),
            id => id,
        }
    };
    for entry in &mut ledger.journal {
        swapped(&mut entry.batch);
        entry.products.iter_mut().filter_map(|after| after.previous.as_mut()).for_each(swapped);
    }
    swapped(&mut ledger.products[0].last_batch);
    ledger
}

/// A ledger of random changes.
pub(crate) fn random(seed: u64, batches: usize) -> LedgerCopy {
    let mut dice = Dice(seed);
    let mut m = Model::new();
    m.batch(|m| {
        for product in 1..=4 {
            let limit = (product % 2 == 0).then_some(1_000);
            m.set(product, 40, Some(10), limit);
        }
    });
    let mut next_order = 1;
    for _ in 0..batches {
        m.wait_seconds(i64::try_from(dice.below(600)).unwrap());
        m.batch(|m| {
            // Each order at most once a batch, so that a batch has one moment for each.
            let mut open: Vec<OrderId> = m.ledger.reservations.iter().map(|r| r.order).collect();
            for _ in 0..=dice.below(4) {
                step(m, &mut dice, &mut open, &mut next_order);
            }
        });
    }
    m.ledger
}

fn step(m: &mut Model, dice: &mut Dice, open: &mut Vec<OrderId>, next_order: &mut u128) {
    if open.is_empty() || dice.below(3) == 0 {
        *next_order += 1;
        let product = i64::try_from(dice.below(4)).unwrap() + 1;
        let other = product % 4 + 1;
        let customer = ["ada", "bob", "eve"].get(dice.below(4)).copied();
        let cart = lines(&[(product, 2), (other, 1)]);
        let fits = cart.iter().all(|l| m.available(l.product) >= l.quantity.units().get());
        match (fits, dice.below(8)) {
            (_, 0) => m.tombstone(order(*next_order)),
            (_, 1) => m.adjust(product, 5, &format!("count-{next_order}")),
            (true, _) => m.reserve(order(*next_order), customer, &cart),
            (false, _) => m.tell("product", &product.to_string()),
        }
        return;
    }
    let chosen = open.swap_remove(dice.below(open.len()));
    let now = m.now;
    let reservation = m.reservation(chosen).clone();
    let is_due = now >= reservation.expires_at;
    let free = |m: &Model| {
        let is_free = |l: inventory_core::lines::Line| m.available(l.product) >= l.quantity.units().get();
        reservation.lines.iter().all(is_free)
    };
    match (reservation.status, dice.below(6)) {
        (Status::Held, 0 | 1) if is_due => m.expire(chosen),
        (Status::Held, 0) => m.extend(chosen),
        (Status::Held, 1) => m.release(chosen),
        (Status::Held, 2) if reservation.lines.len() > 1 => {
            let part = reservation.lines.as_slice()[0];
            m.release_part(chosen, &lines(&[(part.product.get(), 1)]));
        }
        (Status::Held, 3) => {
            let part = reservation.lines.as_slice()[0];
            m.commit(chosen, Some(&lines(&[(part.product.get(), 1)])), None);
        }
        (Status::Held, 4) => m.commit(chosen, None, Some(&format!("message {chosen}"))),
        (Status::Expired, 0) => m.release(chosen),
        (Status::Expired, 1) => m.lose(chosen),
        (Status::Expired, 2) if free(m) => m.commit(chosen, None, None),
        _ => {}
    }
}

struct Dice(u64);

impl Dice {
    /// From nothing to one less than `sides`: splitmix64.
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

pub(crate) fn seeds() -> impl Strategy<Value = u64> {
    any::<u64>()
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[tokio::test]
async fn a_ledger_with_every_kind_of_change_passes() {
    let m = full();
    let report = audit_copy(&m.ledger).await;
    assert!(report.ok(), "{}", findings(&report));
    assert_eq!(report.checked.products, 3);
    assert_eq!(report.checked.reservations, 11);
    assert_eq!(report.checked.journal_entries, 11);
    assert_eq!(report.checked.adjustments, 2);
    assert_eq!(report.checked.deliveries, 2);
    assert!(report.checked.events > 3 && report.checked.customer_units > 2);
}

#[tokio::test]
async fn two_batches_of_one_moment_are_taken_in_the_order_of_a_life() {
    let report = audit_copy(&one_moment()).await;
    assert!(report.ok(), "{}", findings(&report));
}

#[tokio::test]
async fn an_empty_ledger_passes() {
    let report = audit_copy(&LedgerCopy::default()).await;
    assert!(report.ok());
    assert!(report.checked.counts().iter().all(|(_, rows)| *rows == 0));
}

#[test]
fn the_full_ledger_has_every_kind_of_change_but_import() {
    use inventory_core::journal::ChangeKind;
    let m = full();
    let kinds: std::collections::BTreeSet<ChangeKind> =
        m.ledger.journal.iter().flat_map(|entry| entry.commands.iter().map(|c| c.kind)).collect();
    assert_eq!(kinds.len(), ChangeKind::ALL.len() - 1);
    assert!(m.ledger.products.iter().any(|p| p.id == ProductId::new(-3)));
}

proptest! {
    #[test]
    fn random_ledgers_pass(seed in seeds()) {
        let ledger = random(seed, 40);
        let report = run(audit_copy(&ledger));
        prop_assert!(report.ok(), "{}", findings(&report));
    }
}
