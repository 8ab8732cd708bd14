//! Every corruption is found and named.

use inventory_core::audit::{Check, Subject};
use inventory_core::clock::Timestamp;
use inventory_core::ids::{AdjustmentId, Note, ProductId};
use inventory_core::journal::{ChangeKind, JournalCommand, JournalEntry};
use inventory_core::product::Product;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::Resolution;
use inventory_core::store::ledger_copy::LedgerCopy;
use proptest::prelude::{prop_assert, prop_assume, proptest};

use super::ledgers::{full, random, run, seeds};
use super::model::{batch, event, lines, order};
use super::{assert_named, audit_copy};

fn product(ledger: &mut LedgerCopy, id: i64) -> &mut Product {
    ledger.products.iter_mut().find(|p| p.id == ProductId::new(id)).unwrap()
}

fn reservation(ledger: &mut LedgerCopy, number: u128) -> &mut Reservation {
    ledger.reservations.iter_mut().find(|r| r.order == order(number)).unwrap()
}

fn entry(ledger: &mut LedgerCopy, number: u128) -> &mut JournalEntry {
    ledger.journal.iter_mut().find(|e| e.batch == batch(number)).unwrap()
}

fn command(ledger: &mut LedgerCopy, kind: ChangeKind) -> &mut JournalCommand {
    ledger.journal.iter_mut().flat_map(|e| &mut e.commands).find(|c| c.kind == kind).unwrap()
}

type Corruption = (&'static str, fn(&mut LedgerCopy), Check, Subject);

fn of_product(id: i64) -> Subject {
    Subject::Product(ProductId::new(id))
}

fn of_order(number: u128) -> Subject {
    Subject::Order(order(number))
}

fn products() -> Vec<Corruption> {
    use Check::{HeldSum, ProductHead, ProductSettings, StockBounds};
    vec![
        ("held above on hand", |l| product(l, 1).held = Units::stored(999), StockBounds, of_product(1)),
        ("held below zero", |l| product(l, 1).held = Units::stored(-1), StockBounds, of_product(1)),
        ("held too small", |l| product(l, 2).held -= Units::stored(1), HeldSum, of_product(2)),
        ("held too small, head", |l| product(l, 2).held -= Units::stored(1), ProductHead, of_product(2)),
        ("on hand raised", |l| product(l, 2).on_hand += Units::stored(1), ProductHead, of_product(2)),
        ("version raised", |l| product(l, 2).version += 1, ProductHead, of_product(2)),
        ("another last batch", |l| product(l, 2).last_batch = batch(1), ProductHead, of_product(2)),
        ("admin version raised", |l| product(l, 2).admin_version += 1, ProductSettings, of_product(2)),
        ("admin version lowered", |l| product(l, 2).admin_version = 1, ProductSettings, of_product(2)),
        ("limit without its time", |l| product(l, 2).limited_since = None, ProductSettings, of_product(2)),
        ("limit lifted", |l| product(l, 2).per_customer_limit = None, ProductSettings, of_product(2)),
        (
            "alert re-armed",
            |l| product(l, -3).alert = inventory_core::product::Alert::Low,
            ProductSettings,
            of_product(-3),
        ),
        (
            "threshold raised",
            |l| product(l, 1).low_stock_threshold = Some(Units::stored(50)),
            ProductSettings,
            of_product(1),
        ),
        ("product gone", |l| l.products.retain(|p| p.id.get() != 2), ProductHead, of_product(2)),
        ("product gone, held", |l| l.products.retain(|p| p.id.get() != 2), HeldSum, of_product(2)),
        (
            "product from nowhere",
            |l| {
                let invented = Product { id: ProductId::new(77), ..l.products[0].clone() };
                l.products.push(invented);
            },
            ProductHead,
            of_product(77),
        ),
    ]
}

fn journal() -> Vec<Corruption> {
    use Check::{BatchFence, JournalShape, OrderLife, OrderMissing, OrderState, VersionChain, VersionEffect};
    vec![
        (
            "on hand of a version",
            |l| entry(l, 4).products[0].on_hand += Units::stored(1),
            VersionEffect,
            of_product(-3),
        ),
        (
            "held of a version",
            |l| entry(l, 2).products[1].held -= Units::stored(1),
            VersionEffect,
            of_product(1),
        ),
        (
            "a version's batch before",
            |l| entry(l, 4).products[1].previous = None,
            VersionChain,
            of_product(1),
        ),
        ("a version skipped", |l| entry(l, 2).products[1].version = 40, VersionChain, of_product(1)),
        (
            "a product taken out",
            |l| {
                entry(l, 4).products.remove(1);
            },
            VersionChain,
            of_product(1),
        ),
        (
            "a product taken out, shape",
            |l| {
                entry(l, 4).products.remove(1);
            },
            JournalShape,
            of_product(1),
        ),
        ("the beginning taken out", |l| drop(l.journal.remove(0)), VersionChain, of_product(1)),
        ("an entry taken out", |l| drop(l.journal.remove(5)), VersionChain, of_product(1)),
        ("an entry taken out, fence", |l| drop(l.journal.remove(5)), BatchFence, Subject::Batch(batch(6))),
        ("an empty entry taken out", |l| drop(l.journal.remove(10)), BatchFence, Subject::Batch(batch(11))),
        (
            "units of a line",
            |l| command(l, ChangeKind::Reserve).lines[0].units = Units::stored(9),
            VersionEffect,
            of_product(1),
        ),
        (
            "units of a line, order",
            |l| command(l, ChangeKind::Reserve).lines[0].units = Units::stored(9),
            OrderState,
            of_order(1),
        ),
        ("a reserve taken out", |l| drop(entry(l, 2).commands.remove(0)), OrderLife, of_order(1)),
        (
            "a tombstone taken out",
            |l| entry(l, 5).commands.retain(|c| c.kind != ChangeKind::Tombstone),
            OrderMissing,
            of_order(6),
        ),
        ("a release taken out", |l| entry(l, 6).commands.clear(), OrderState, of_order(7)),
        (
            "a release written twice",
            |l| {
                let again = entry(l, 6).commands[0].clone();
                entry(l, 6).commands.push(again);
            },
            OrderLife,
            of_order(7),
        ),
        (
            "a release of less than was held",
            |l| entry(l, 6).commands[0].lines[0].units = Units::stored(1),
            OrderLife,
            of_order(7),
        ),
        (
            "a reserve written twice",
            |l| {
                let again = entry(l, 2).commands[3].clone();
                entry(l, 2).commands.push(again);
            },
            OrderLife,
            of_order(4),
        ),
        (
            "an expire called release",
            |l| command(l, ChangeKind::Expire).kind = ChangeKind::Release,
            OrderLife,
            of_order(4),
        ),
        (
            "a commit of another order",
            |l| command(l, ChangeKind::Commit).order = Some(order(3)),
            OrderState,
            of_order(1),
        ),
        (
            "an order from nowhere",
            |l| command(l, ChangeKind::Tombstone).order = Some(order(500)),
            OrderMissing,
            of_order(500),
        ),
        ("a set on an order", |l| command(l, ChangeKind::Set).order = Some(order(1)), OrderLife, of_order(1)),
        (
            "another customer",
            |l| command(l, ChangeKind::CommitLate).order = Some(order(2)),
            OrderLife,
            of_order(2),
        ),
        ("an entry's time", |l| entry(l, 2).at = Timestamp::from_micros(1), OrderState, of_order(1)),
        (
            "a late commit of too much",
            |l| {
                let late = l.journal.iter_mut().flat_map(|e| &mut e.commands);
                let mut late = late.filter(|c| c.kind == ChangeKind::CommitLate);
                late.nth(1).unwrap().lines[0].units = Units::stored(91);
            },
            OrderLife,
            of_order(10),
        ),
    ]
}

fn reservations() -> Vec<Corruption> {
    use Check::{HeldSum, OrderMissing, OrderShape, OrderState};
    vec![
        ("status of a hold", |l| reservation(l, 3).status = Status::Committed, OrderState, of_order(3)),
        (
            "status of a hold, stock",
            |l| reservation(l, 3).status = Status::Committed,
            HeldSum,
            of_product(-3),
        ),
        (
            "a hold that ended",
            |l| reservation(l, 3).ended_at = Some(Timestamp::EPOCH),
            OrderShape,
            of_order(3),
        ),
        ("a commit made a hold", |l| reservation(l, 1).status = Status::Held, OrderShape, of_order(1)),
        ("lost made expired", |l| reservation(l, 9).status = Status::Expired, OrderState, of_order(9)),
        ("late taken back", |l| reservation(l, 5).late = false, OrderState, of_order(5)),
        ("late after expiry taken back", |l| reservation(l, 10).late = false, OrderState, of_order(10)),
        ("late invented", |l| reservation(l, 1).late = true, OrderState, of_order(1)),
        ("customer changed", |l| reservation(l, 2).customer = None, OrderState, of_order(2)),
        ("created earlier", |l| reservation(l, 2).created_at = Timestamp::EPOCH, OrderState, of_order(2)),
        ("ended later", |l| reservation(l, 7).ended_at = Some(Timestamp::EPOCH), OrderState, of_order(7)),
        (
            "expires before creation",
            |l| reservation(l, 3).expires_at = Timestamp::EPOCH,
            OrderShape,
            of_order(3),
        ),
        (
            "expires after the ceiling",
            |l| reservation(l, 3).expires_at_max = Timestamp::EPOCH,
            OrderShape,
            of_order(3),
        ),
        (
            "an expired hold's end",
            |l| reservation(l, 8).expires_at = reservation(l, 8).expires_at_max,
            OrderState,
            of_order(8),
        ),
        ("requested more", |l| reservation(l, 1).requested = lines(&[(1, 4)]), OrderState, of_order(1)),
        (
            "another product",
            |l| {
                reservation(l, 1).requested = lines(&[(2, 3)]);
                reservation(l, 1).lines = lines(&[(2, 3)]);
            },
            OrderState,
            of_order(1),
        ),
        ("less remaining", |l| reservation(l, 11).lines = lines(&[(1, 1), (2, 1)]), HeldSum, of_product(1)),
        ("less committed", |l| reservation(l, 10).lines = lines(&[(1, 79)]), OrderState, of_order(10)),
        ("reservation gone", |l| l.reservations.retain(|r| r.order != order(11)), OrderMissing, of_order(11)),
        ("tombstone gone", |l| l.reservations.retain(|r| r.order != order(6)), OrderMissing, of_order(6)),
        (
            "reservation from nowhere",
            |l| {
                let invented = Reservation { order: order(600), ..reservation(l, 11).clone() };
                l.reservations.push(invented);
            },
            OrderMissing,
            of_order(600),
        ),
    ]
}

fn others() -> Vec<Corruption> {
    use Check::{Adjustment, BatchFence, CustomerUnits, Delivery, EventDigest, EventOrigin};
    let adjustment = |id: &str| Subject::Adjustment(id.to_owned());
    let customer = |id: &str| Subject::Customer(id.to_owned());
    vec![
        (
            "delta of an adjustment",
            |l| l.adjustments[0].delta += Units::stored(1),
            Adjustment,
            adjustment("count-1"),
        ),
        (
            "product of an adjustment",
            |l| l.adjustments[0].product = ProductId::new(2),
            Adjustment,
            adjustment("count-1"),
        ),
        (
            "reason of an adjustment",
            |l| l.adjustments[0].reason = Note::parse("x").unwrap(),
            Adjustment,
            adjustment("count-1"),
        ),
        (
            "reference of an adjustment",
            |l| l.adjustments[0].reference = None,
            Adjustment,
            adjustment("count-1"),
        ),
        (
            "time of an adjustment",
            |l| l.adjustments[0].at = Timestamp::EPOCH,
            Adjustment,
            adjustment("count-1"),
        ),
        ("version of an adjustment", |l| l.adjustments[0].version += 1, Adjustment, adjustment("count-1")),
        (
            "adjustment renamed",
            |l| l.adjustments[0].id = AdjustmentId::parse("x").unwrap(),
            Adjustment,
            adjustment("x"),
        ),
        ("adjustment gone", |l| drop(l.adjustments.remove(0)), Adjustment, adjustment("count-1")),
        (
            "an adjust without its id",
            |l| command(l, ChangeKind::Adjust).remark = None,
            Adjustment,
            adjustment(""),
        ),
        (
            "an adjust called set",
            |l| command(l, ChangeKind::Adjust).kind = ChangeKind::Set,
            Adjustment,
            adjustment("count-1"),
        ),
        ("customer has more", |l| l.customer_units[0].2 += Units::stored(1), CustomerUnits, customer("ada")),
        ("customer's row gone", |l| drop(l.customer_units.remove(0)), CustomerUnits, customer("ada")),
        (
            "a customer of an unlimited product",
            |l| {
                let (customer, _, units) = l.customer_units[0].clone();
                l.customer_units.push((customer, ProductId::new(1), units));
            },
            CustomerUnits,
            customer("ada"),
        ),
        (
            "a customer of no product",
            |l| {
                let (customer, _, units) = l.customer_units[0].clone();
                l.customer_units.push((customer, ProductId::new(1_000), units));
            },
            CustomerUnits,
            customer("ada"),
        ),
        (
            "limited since earlier",
            |l| product(l, -3).limited_since = Some(Timestamp::EPOCH),
            CustomerUnits,
            customer("bob"),
        ),
        (
            "fence gone",
            |l| {
                l.fences.remove(0);
            },
            BatchFence,
            Subject::Batch(batch(1)),
        ),
        ("fence aborted", |l| l.fences[0].1 = Resolution::Aborted, BatchFence, Subject::Batch(batch(1))),
        (
            "aborted fence committed",
            |l| l.fences.last_mut().unwrap().1 = Resolution::Committed,
            BatchFence,
            Subject::Batch(batch(900)),
        ),
        ("fence renamed", |l| l.fences[0].0 = batch(700), BatchFence, Subject::Batch(batch(700))),
        ("inbox row gone", |l| drop(l.deliveries.remove(0)), Delivery, Subject::Delivery("message 1".into())),
        (
            "inbox row of another consumer",
            |l| l.deliveries[0].0.consumer = Note::parse("x").unwrap(),
            Delivery,
            Subject::Delivery("message 1".into()),
        ),
        ("payload altered", |l| l.outbox[0].1.payload[0] ^= 1, EventDigest, Subject::Event(event(1))),
        ("header altered", |l| l.outbox[0].1.headers[0].1.push('x'), EventDigest, Subject::Event(event(1))),
        ("event of another batch", |l| l.outbox[0].0 = batch(1), EventDigest, Subject::Event(event(1))),
        ("event of no batch", |l| l.outbox[0].0 = batch(800), EventOrigin, Subject::Event(event(1))),
        (
            "event of no aggregate",
            |l| l.outbox[0].1.aggregate_id = "seven".into(),
            EventOrigin,
            Subject::Event(event(1)),
        ),
    ]
}

#[tokio::test]
async fn every_corruption_is_found_and_named() {
    let clean = full().ledger;
    for (what, corrupt, check, subject) in [products(), journal(), reservations(), others()].concat() {
        let mut ledger = clean.clone();
        corrupt(&mut ledger);
        let report = audit_copy(&ledger).await;
        assert_named(&report, check, &subject, what);
    }
}

#[tokio::test]
async fn the_table_of_corruptions_knows_every_check() {
    let table = [products(), journal(), reservations(), others()].concat();
    for check in Check::ALL {
        assert!(table.iter().any(|(_, _, known, _)| *known == check), "{}", check.code());
    }
}

/// Changes one thing of the `pick`th row of a table; false if there is none to change.
type Mutation = fn(&mut LedgerCopy, usize) -> bool;

fn nth<T>(rows: &mut [T], pick: usize) -> Option<&mut T> {
    let len = rows.len().max(1);
    rows.get_mut(pick % len)
}

const MUTATIONS: [Mutation; 14] = [
    |l, pick| nth(&mut l.products, pick).map(|p| p.on_hand += Units::stored(1)).is_some(),
    |l, pick| nth(&mut l.products, pick).map(|p| p.held += Units::stored(1)).is_some(),
    |l, pick| nth(&mut l.products, pick).map(|p| p.version += 1).is_some(),
    |l, pick| {
        nth(&mut l.journal, pick).and_then(|e| nth(&mut e.products, pick).map(|p| p.version += 1)).is_some()
    },
    |l, pick| {
        nth(&mut l.journal, pick)
            .and_then(|e| nth(&mut e.products, pick).map(|p| p.held += Units::stored(1)))
            .is_some()
    },
    |l, pick| {
        nth(&mut l.journal, pick)
            .is_some_and(|e| e.commands.pop().is_some_and(|c| c.kind != ChangeKind::Extend))
    },
    |l, pick| nth(&mut l.journal, pick).map(|e| e.batch = batch(9_999)).is_some(),
    |l, pick| {
        nth(&mut l.reservations, pick)
            .map(|r| {
                r.status = if r.status == Status::Held { Status::Expired } else { Status::Held };
            })
            .is_some()
    },
    |l, pick| nth(&mut l.reservations, pick).map(|r| r.order = order(9_999)).is_some(),
    |l, pick| nth(&mut l.reservations, pick).map(|r| r.late = !r.late).is_some(),
    |l, pick| {
        nth(&mut l.reservations, pick).is_some_and(|r| {
            let Some(first) = r.requested.iter().next() else { return false };
            r.requested = lines(&[(first.product.get(), i64::from(first.quantity.get()) + 1)]);
            r.lines = r.requested.clone();
            first.quantity != Quantity::new(99).unwrap()
        })
    },
    |l, pick| nth(&mut l.customer_units, pick).map(|c| c.2 += Units::stored(1)).is_some(),
    |l, pick| nth(&mut l.fences, pick).map(|f| f.1 = Resolution::Aborted).is_some(),
    |l, pick| nth(&mut l.adjustments, pick).map(|a| a.delta += Units::stored(1)).is_some(),
];

proptest! {
    #[test]
    fn any_single_mutation_of_a_random_ledger_is_found(
        seed in seeds(),
        mutation in 0..MUTATIONS.len(),
        pick in 0_usize..1_000,
    ) {
        let mut ledger = random(seed, 12);
        prop_assume!(MUTATIONS[mutation](&mut ledger, pick));
        let report = run(audit_copy(&ledger));
        prop_assert!(!report.ok(), "mutation {mutation} of row {pick} was not found");
    }
}
