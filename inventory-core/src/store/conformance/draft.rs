//! Effects made by hand, and the few steps that every case takes.

use std::collections::BTreeMap;
use std::time::Duration;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::journal::{ChangeKind, JournalCommand, JournalLine, JournalProduct, Remark};
use crate::lines::{Line, Lines};
use crate::product::{Alert, Product};
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{
    CommitFailure, Effects, Footprint, Locked, ProductEffect, Session, Store, StoreError, StoreErrorKind,
};

/// How long the holds of a draft last.
pub(super) const TTL: Duration = Duration::from_secs(900);

/// Effects in the making, on top of what a batch locked.
pub(super) struct Draft {
    pub(super) effects: Effects,
    /// By product: the version before, the head of its chain before, and the product now.
    products: BTreeMap<ProductId, (Option<u64>, Option<BatchId>, Product)>,
}

impl Draft {
    pub(super) fn new(batch: BatchId, locked: &Locked) -> Self {
        let products =
            locked.products.values().map(|p| (p.id, (Some(p.version), Some(p.last_batch), p.clone())));
        Self { products: products.collect(), effects: Effects::none(batch, locked.now) }
    }

    /// Creates a product, or sets one that was locked.
    pub(super) fn set(&mut self, product: i64, on_hand: i64) {
        let id = ProductId::new(product);
        let last_batch = self.effects.journal.batch;
        let (_, _, product) = self.products.entry(id).or_insert_with(|| {
            let product = Product {
                id,
                on_hand: Units::ZERO,
                held: Units::ZERO,
                version: 0,
                admin_version: 0,
                low_stock_threshold: None,
                per_customer_limit: None,
                limited_since: None,
                name: None,
                alert: Alert::None,
                last_batch,
            };
            (None, None, product)
        });
        let units = Units::stored(on_hand) - product.on_hand;
        self.note(ChangeKind::Set, None, [JournalLine { product: id, units }], None);
        self.change(id, |product| {
            product.on_hand = Units::stored(on_hand);
            product.admin_version += 1;
        });
    }

    /// Changes a product that was locked or set; the first change of the batch raises its version.
    pub(super) fn change(&mut self, id: ProductId, change: impl FnOnce(&mut Product)) {
        let batch = self.effects.journal.batch;
        let (before, _, product) = self.products.get_mut(&id).expect("a product of the draft");
        product.version = before.map_or(1, |version| version + 1);
        product.last_batch = batch;
        change(product);
    }

    /// A hold, with the stock it takes.
    pub(super) fn reserve(&mut self, order: OrderId, wanted: &[(i64, i64)]) -> Reservation {
        let at = self.effects.journal.at;
        let reservation = Reservation {
            order,
            status: Status::Held,
            customer: None,
            requested: lines(wanted),
            lines: lines(wanted),
            created_at: at,
            expires_at: at.plus(TTL),
            expires_at_max: at.plus(TTL * 4),
            ended_at: None,
            late: false,
        };
        self.create(reservation.clone());
        reservation
    }

    /// A reservation as it is; the stock of what it holds is taken.
    pub(super) fn create(&mut self, reservation: Reservation) {
        if reservation.status == Status::Held {
            for line in reservation.lines.iter() {
                self.change(line.product, |product| product.held += line.quantity.units());
            }
        }
        self.note(ChangeKind::Reserve, Some(reservation.order), journal_lines(&reservation.lines), None);
        self.effects.created.push(reservation);
    }

    /// Ends a hold now and gives its stock back.
    pub(super) fn end(&mut self, held: &Reservation, status: Status) {
        for line in held.lines.iter() {
            self.change(line.product, |product| product.held -= line.quantity.units());
        }
        self.note(ChangeKind::Release, Some(held.order), journal_lines(&held.lines), None);
        let ended_at = Some(self.effects.journal.at);
        self.effects.changed.push((held.status, Reservation { status, ended_at, ..held.clone() }));
    }

    /// A command of the journal.
    pub(super) fn note(
        &mut self,
        kind: ChangeKind,
        order: Option<OrderId>,
        lines: impl IntoIterator<Item = JournalLine>,
        remark: Option<Remark>,
    ) {
        let lines = lines.into_iter().collect();
        self.effects.journal.commands.push(JournalCommand {
            kind,
            order,
            lines,
            remark: remark.map(Box::new),
        });
    }

    /// With the products that were changed.
    pub(super) fn finish(mut self) -> Effects {
        for (id, (version_before, previous, after)) in self.products {
            if version_before == Some(after.version) {
                continue;
            }
            self.effects.journal.products.push(JournalProduct {
                product: id,
                version: after.version,
                on_hand: after.on_hand,
                held: after.held,
                previous,
            });
            let stock_only = false;
            self.effects.products.push(ProductEffect { version_before, stock_only, after });
        }
        self.effects
    }
}

/// Begins, lets `fill` draft, writes and commits, on a session of its own. Must succeed.
pub(super) async fn put(
    store: &dyn Store,
    footprint: Footprint,
    fill: impl FnOnce(&mut Draft, &Locked),
) -> Effects {
    let mut session = open(store).await;
    let batch = batch();
    let locked = session.begin(batch, &footprint).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    fill(&mut draft, &locked);
    let effects = draft.finish();
    session.persist(&effects).await.expect("persist");
    session.commit().await.expect("commit");
    effects
}

/// As [`put`], but the effects must be refused: what the store said, and the session, out of its transaction.
pub(super) async fn refused(
    store: &dyn Store,
    footprint: Footprint,
    fill: impl FnOnce(&mut Draft, &Locked),
) -> StoreErrorKind {
    let mut session = open(store).await;
    let batch = batch();
    let locked = session.begin(batch, &footprint).await.expect("begin");
    let mut draft = Draft::new(batch, &locked);
    fill(&mut draft, &locked);
    // A store may see it when it writes or when it commits.
    let error = match session.persist(&draft.finish()).await {
        Err(error) => error,
        Ok(()) => definite(session.commit().await.expect_err("the effects must be refused")),
    };
    error.kind
}

/// The error of a COMMIT whose outcome must be known.
pub(super) fn definite(failure: CommitFailure) -> StoreError {
    match failure {
        CommitFailure::Definite(error) => error,
        CommitFailure::Unknown(said) => panic!("the outcome must be known: {said}"),
    }
}

/// Creates products with this much on hand each.
pub(super) async fn stock(store: &dyn Store, products: &[(i64, i64)]) {
    let footprint = footprint(&products.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    put(store, footprint, |draft, _| {
        for (product, on_hand) in products {
            draft.set(*product, *on_hand);
        }
    })
    .await;
}

/// What a batch would lock and read now. Leaves nothing.
pub(super) async fn look(store: &dyn Store, footprint: &Footprint) -> Locked {
    let mut session = open(store).await;
    let locked = session.begin(batch(), footprint).await.expect("begin");
    session.rollback().await.expect("rollback");
    locked
}

pub(super) async fn open(store: &dyn Store) -> Box<dyn Session> {
    store.open_session().await.expect("open a session")
}

/// A product that must exist.
pub(super) async fn product(store: &dyn Store, id: i64) -> Product {
    let read = store.read(&[ProductId::new(id)], &[]).await.expect("read");
    read.products.into_iter().next().expect("the product exists")
}

/// A reservation, if it exists.
pub(super) async fn reservation(store: &dyn Store, order: OrderId) -> Option<Reservation> {
    store.reservation(order).await.expect("read a reservation").1
}

/// Products to lock.
pub(super) fn footprint(products: &[i64]) -> Footprint {
    let mut products: Vec<_> = products.iter().copied().map(ProductId::new).collect();
    products.sort_unstable();
    Footprint { products, ..Footprint::default() }
}

/// Orders to read.
pub(super) fn orders(orders: &[OrderId]) -> Footprint {
    let mut orders = orders.to_vec();
    orders.sort_unstable();
    Footprint { orders, ..Footprint::default() }
}

pub(super) fn batch() -> BatchId {
    BatchId::new(Uuid::now_v7())
}

pub(super) fn order() -> OrderId {
    OrderId::new(Uuid::now_v7())
}

pub(super) fn lines(wanted: &[(i64, i64)]) -> Lines {
    let lines = wanted.iter().map(|(product, quantity)| Line {
        product: ProductId::new(*product),
        quantity: Quantity::new(*quantity).expect("a quantity"),
    });
    Lines::new(lines).expect("lines")
}

pub(super) fn journal_lines(lines: &Lines) -> SmallVec<[JournalLine; 2]> {
    lines.iter().map(|line| JournalLine { product: line.product, units: line.quantity.units() }).collect()
}

pub(super) fn note(text: &str) -> Note {
    Note::parse(text).expect("a note")
}

pub(super) fn customer(text: &str) -> CustomerId {
    CustomerId::parse(text).expect("a customer")
}

pub(super) fn adjustment_id(text: &str) -> AdjustmentId {
    AdjustmentId::parse(text).expect("an adjustment")
}

pub(super) fn delivery(consumer: &str, message: &str) -> Delivery {
    Delivery { consumer: note(consumer), message: note(message) }
}

/// Texts that a careless adapter spoils: quotes, wildcards, control characters, other scripts, the longest.
pub(super) fn awkward_texts() -> Vec<String> {
    let mut texts: Vec<String> =
        ["'", "\"", "\\", "{a,b}", "NULL", "%_", " ", "\n\t\r", "\u{1}\u{1f}\u{7f}", "''; --"]
            .map(String::from)
            .to_vec();
    texts.extend(
        ["Grüße, Ελλάδα, 日本語", "\u{1F6D2}\u{200D}\u{1F600}", "e\u{301} é", "[[1,2,3]]", "null"]
            .map(String::from),
    );
    texts.push("x".repeat(255));
    texts.push("é".repeat(127));
    texts
}

/// Earlier than `at` by this many seconds.
pub(super) fn ago(at: Timestamp, seconds: u64) -> Timestamp {
    at.minus(Duration::from_secs(seconds))
}
