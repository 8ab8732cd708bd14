//! A toy ledger: correct, tiny, in memory. It keeps a journal and writes down what its callers see; tests break either.

use std::collections::BTreeMap;

use inventory_core::clock::Timestamp;
use inventory_core::ids::{AdjustmentId, BatchId, CustomerId, OrderId, ProductId};
use inventory_core::journal::{
    ChangeKind, JournalCommand, JournalEntry, JournalLine, JournalProduct, Remark,
};
use inventory_core::quantity::Units;
use ledger_check::history::{Answer, Answered, Asked, Line, Record, Short};
use ledger_check::{Options, Verdict, Violation, check};
use uuid::Uuid;

/// A hold's time, in microseconds, unless a test says otherwise.
pub(crate) const TTL: u64 = 1_000_000;

pub(crate) type Lines = Vec<(i64, i64)>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Held,
    Committed,
    Released,
    Expired,
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    asked: Lines,
    lines: Lines,
    customer: Option<String>,
    pub(crate) status: Status,
    pub(crate) expires_at: i64,
    late: bool,
}

#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Product {
    pub(crate) on_hand: i64,
    pub(crate) held: i64,
    pub(crate) version: u64,
    last: Option<BatchId>,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct State {
    pub(crate) products: BTreeMap<i64, Product>,
    pub(crate) orders: BTreeMap<Uuid, Order>,
    adjustments: BTreeMap<String, (i64, i64)>,
}

/// The ledger, its clock (which is the callers', too, shifted), and all that was seen.
#[derive(Clone, Default, Debug)]
pub(crate) struct Toy {
    pub(crate) state: State,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) records: Vec<Record>,
    /// Microseconds.
    pub(crate) now: i64,
    ids: u128,
    sequence: u64,
}

/// The ledger's clock is far from the callers'.
pub(crate) const LEDGER_AHEAD: i64 = 1_700_000_000_000_000;

impl Toy {
    pub(crate) fn stocked(stock: &[(i64, i64)]) -> Self {
        let mut toy = Self::default();
        for (product, on_hand) in stock {
            toy.ask(Asked::Set { product: *product, on_hand: *on_hand });
        }
        toy
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// Time passes, in microseconds.
    pub(crate) fn wait(&mut self, micros: i64) {
        self.now += micros;
    }

    /// One caller asks, a batch of its own is committed, the caller is answered.
    pub(crate) fn ask(&mut self, asked: Asked) -> Answer {
        let invoked_at = self.now + 10;
        self.now += 20;
        let answer = self.batch(std::slice::from_ref(&asked)).remove(0);
        self.now += 10;
        self.tell(asked, invoked_at, Some((self.now, answer.clone())));
        answer
    }

    /// Writes a record down.
    pub(crate) fn tell(&mut self, asked: Asked, invoked_at: i64, answered: Option<(i64, Answer)>) {
        self.sequence += 1;
        self.records.push(Record {
            client: format!("client {}", self.sequence % 3),
            sequence: self.sequence,
            asked,
            invoked_at,
            answered: answered.map(|(at, answer)| Answered { at, answer }),
        });
    }

    /// Writes down an answer that the ledger never gave.
    pub(crate) fn pretend(&mut self, asked: Asked, answer: Answer) {
        let invoked_at = self.now + 10;
        self.now += 30;
        self.tell(asked, invoked_at, Some((self.now, answer)));
    }

    /// Commits these together, now.
    pub(crate) fn batch(&mut self, asked: &[Asked]) -> Vec<Answer> {
        let now = self.ledger_now();
        let mut draft = Draft { state: self.state.clone(), commands: Vec::new(), now };
        let answers = asked.iter().map(|asked| draft.decide(asked)).collect();
        self.persist(draft);
        answers
    }

    /// Ends the holds whose time is over.
    pub(crate) fn sweep(&mut self) {
        let now = self.ledger_now();
        let mut draft = Draft { state: self.state.clone(), commands: Vec::new(), now };
        let due: Vec<Uuid> = self
            .state
            .orders
            .iter()
            .filter(|(_, order)| order.status == Status::Held && order.expires_at <= now)
            .map(|(id, _)| *id)
            .collect();
        for order in due {
            draft.end(order, ChangeKind::Expire, Status::Expired);
        }
        self.persist(draft);
    }

    /// Does this to an order, whatever the rules say, and tells nobody.
    pub(crate) fn force(&mut self, order: Uuid, kind: ChangeKind, lines: &[(i64, i64)]) {
        self.now += 10;
        let mut draft = Draft { state: self.state.clone(), commands: Vec::new(), now: self.ledger_now() };
        draft.journal(kind, Some(order), lines, None);
        self.persist(draft);
    }

    pub(crate) fn ledger_now(&self) -> i64 {
        self.now + LEDGER_AHEAD
    }

    pub(crate) fn available(&self, product: i64) -> i64 {
        self.state.products.get(&product).map_or(0, |product| product.on_hand - product.held)
    }

    fn persist(&mut self, draft: Draft) {
        let Draft { mut state, commands, now } = draft;
        if commands.is_empty() {
            return;
        }
        let batch = BatchId::new(self.id());
        let mut touched: Vec<i64> =
            commands.iter().flat_map(|command| command.lines.iter().map(|line| line.product.get())).collect();
        touched.sort_unstable();
        touched.dedup();
        let products = touched
            .into_iter()
            .map(|id| {
                let product = state.products.entry(id).or_default();
                product.version += 1;
                let previous = product.last.replace(batch);
                JournalProduct {
                    product: ProductId::new(id),
                    version: product.version,
                    on_hand: Units::stored(product.on_hand),
                    held: Units::stored(product.held),
                    previous,
                }
            })
            .collect();
        self.journal.push(JournalEntry { batch, at: Timestamp::from_micros(now), commands, products });
        self.state = state;
    }

    pub(crate) fn check_with(&self, options: &Options) -> Verdict {
        check(self.journal.clone(), self.records.clone(), options)
    }

    pub(crate) fn check(&self) -> Verdict {
        self.check_with(&Options::default())
    }

    #[track_caller]
    pub(crate) fn is_clean(&self) {
        let verdict = self.check();
        assert!(verdict.is_clean(), "{verdict}");
    }

    /// Insists that a violation like this is found, and gives all of them.
    #[track_caller]
    pub(crate) fn is_caught(&self, like: impl Fn(&Violation) -> bool) -> Verdict {
        let verdict = self.check();
        assert!(verdict.violations.iter().any(like), "not found: {verdict}");
        verdict
    }
}

/// A batch being decided.
struct Draft {
    state: State,
    commands: Vec<JournalCommand>,
    now: i64,
}

impl Draft {
    fn journal(
        &mut self,
        kind: ChangeKind,
        order: Option<Uuid>,
        lines: &[(i64, i64)],
        remark: Option<Remark>,
    ) {
        for (product, units) in lines {
            let product = self.state.products.entry(*product).or_default();
            let (on_hand, held) = kind.effect(Units::stored(*units));
            product.on_hand += on_hand.get();
            product.held += held.get();
        }
        let lines = lines.iter().map(|(product, units)| JournalLine {
            product: ProductId::new(*product),
            units: Units::stored(*units),
        });
        self.commands.push(JournalCommand {
            kind,
            order: order.map(OrderId::new),
            lines: lines.collect(),
            remark: remark.map(Box::new),
        });
    }

    fn end(&mut self, id: Uuid, kind: ChangeKind, status: Status) {
        let Some(order) = self.state.orders.get_mut(&id) else { return };
        order.status = status;
        let moves_nothing = matches!(kind, ChangeKind::ReleaseExpired | ChangeKind::Lose);
        let lines = if moves_nothing { Lines::new() } else { order.lines.clone() };
        self.journal(kind, Some(id), &lines, None);
    }

    fn decide(&mut self, asked: &Asked) -> Answer {
        match asked {
            Asked::Reserve { order, lines, customer, ttl_micros } => {
                self.reserve(*order, &summed(lines), customer.as_deref(), ttl_micros.unwrap_or(TTL))
            }
            Asked::Commit { order, items, .. } => self.commit(*order, items.as_deref().map(summed)),
            Asked::Release { order, items: None, .. } => self.release(*order),
            Asked::Release { order, items: Some(items), .. } => self.release_part(*order, &summed(items)),
            Asked::Extend { order, ttl_micros } => self.extend(*order, *ttl_micros),
            Asked::Adjust { product, adjustment, delta } => self.adjust(*product, adjustment, *delta),
            Asked::Set { product, on_hand } => self.set(*product, *on_hand),
        }
    }

    fn reserve(&mut self, id: Uuid, lines: &Lines, customer: Option<&str>, ttl: u64) -> Answer {
        if let Some(order) = self.state.orders.get(&id) {
            let is_other = &order.asked != lines || order.customer.as_deref() != customer;
            return match order.status {
                _ if is_other && !order.asked.is_empty() => Answer::Conflict,
                Status::Held if self.now >= order.expires_at => Answer::Expired,
                Status::Held | Status::Committed => {
                    Answer::Held { replayed: true, expires_at: Some(order.expires_at) }
                }
                Status::Released => Answer::AlreadyReleased,
                Status::Expired | Status::Lost => Answer::Expired,
            };
        }
        if lines.iter().any(|(product, _)| !self.state.products.contains_key(product)) {
            return Answer::NotFound;
        }
        let short = self.short(lines);
        if !short.is_empty() {
            return Answer::Insufficient { short };
        }
        let expires_at = self.now + i64::try_from(ttl).unwrap();
        let order = Order {
            asked: lines.clone(),
            lines: lines.clone(),
            customer: customer.map(str::to_owned),
            status: Status::Held,
            expires_at,
            late: false,
        };
        self.state.orders.insert(id, order);
        let customer = customer.map(|customer| CustomerId::parse(customer).unwrap());
        let remark = customer.map(|customer| Remark { customer: Some(customer), ..Remark::default() });
        self.journal(ChangeKind::Reserve, Some(id), lines, remark);
        Answer::Held { replayed: false, expires_at: Some(expires_at) }
    }

    fn short(&self, lines: &Lines) -> Vec<Short> {
        let of = |(product, units): &(i64, i64)| {
            let stock = self.state.products.get(product).copied().unwrap_or_default();
            let available = stock.on_hand - stock.held;
            let requested = u32::try_from(*units).unwrap();
            (available < *units).then_some(Short { product: *product, requested, available })
        };
        lines.iter().filter_map(of).collect()
    }

    fn commit(&mut self, id: Uuid, items: Option<Lines>) -> Answer {
        let Some(order) = self.state.orders.get(&id).cloned() else { return Answer::NotFound };
        let taken = items.unwrap_or_else(|| order.lines.clone());
        let rest = rest(&order.lines, &taken);
        match (order.status, rest) {
            (Status::Released, _) => Answer::AlreadyReleased,
            (Status::Lost, _) => Answer::Expired,
            (Status::Committed, _) if taken == order.lines => Answer::Committed { late: order.late },
            (Status::Committed, _) => Answer::Conflict,
            (_, None) => Answer::Refused { code: "more_than_held".to_owned() },
            (Status::Held, Some(rest)) => {
                if !rest.is_empty() {
                    self.journal(ChangeKind::ReleasePart, Some(id), &rest, None);
                }
                self.committed(id, taken, ChangeKind::Commit, self.now >= order.expires_at)
            }
            (Status::Expired, _) if self.short(&taken).is_empty() => {
                self.committed(id, taken, ChangeKind::CommitLate, true)
            }
            (Status::Expired, _) => {
                self.end(id, ChangeKind::Lose, Status::Lost);
                Answer::Expired
            }
        }
    }

    fn committed(&mut self, id: Uuid, taken: Lines, kind: ChangeKind, late: bool) -> Answer {
        let order = self.state.orders.get_mut(&id).unwrap();
        (order.lines, order.late) = (taken, late);
        self.end(id, kind, Status::Committed);
        Answer::Committed { late }
    }

    fn release(&mut self, id: Uuid) -> Answer {
        match self.state.orders.get(&id).map(|order| order.status) {
            None => {
                let order = Order {
                    asked: Lines::new(),
                    lines: Lines::new(),
                    customer: None,
                    status: Status::Released,
                    expires_at: self.now,
                    late: false,
                };
                self.state.orders.insert(id, order);
                self.journal(ChangeKind::Tombstone, Some(id), &[], None);
            }
            Some(Status::Committed) => return Answer::AlreadyCommitted,
            Some(Status::Released | Status::Lost) => {}
            Some(Status::Held) => self.end(id, ChangeKind::Release, Status::Released),
            Some(Status::Expired) => self.end(id, ChangeKind::ReleaseExpired, Status::Released),
        }
        Answer::Released
    }

    fn release_part(&mut self, id: Uuid, items: &Lines) -> Answer {
        let Some(order) = self.state.orders.get(&id).cloned() else { return Answer::NotFound };
        match (order.status, rest(&order.lines, items)) {
            (Status::Committed, _) => Answer::AlreadyCommitted,
            (Status::Released, _) => Answer::AlreadyReleased,
            (Status::Expired | Status::Lost, _) => Answer::Expired,
            (Status::Held, _) if self.now >= order.expires_at => Answer::Expired,
            (Status::Held, None) => Answer::Refused { code: "more_than_held".to_owned() },
            (Status::Held, Some(rest)) if rest.is_empty() => {
                self.end(id, ChangeKind::Release, Status::Released);
                Answer::Released
            }
            (Status::Held, Some(rest)) => {
                self.state.orders.get_mut(&id).unwrap().lines = rest;
                self.journal(ChangeKind::ReleasePart, Some(id), items, None);
                Answer::Released
            }
        }
    }

    fn extend(&mut self, id: Uuid, ttl: u64) -> Answer {
        let Some(order) = self.state.orders.get_mut(&id) else { return Answer::NotFound };
        match order.status {
            Status::Committed => Answer::AlreadyCommitted,
            Status::Released => Answer::AlreadyReleased,
            Status::Expired | Status::Lost => Answer::Expired,
            Status::Held if self.now >= order.expires_at => Answer::Expired,
            Status::Held => {
                let end = self.now + i64::try_from(ttl).unwrap();
                if end > order.expires_at {
                    order.expires_at = end;
                    self.journal(ChangeKind::Extend, Some(id), &[], None);
                }
                Answer::Extended { expires_at: Some(self.state.orders[&id].expires_at) }
            }
        }
    }

    fn adjust(&mut self, product: i64, key: &str, delta: i64) -> Answer {
        if let Some(made) = self.state.adjustments.get(key) {
            return if *made == (product, delta) {
                Answer::Adjusted { replayed: true }
            } else {
                Answer::Conflict
            };
        }
        let Some(stock) = self.state.products.get(&product) else { return Answer::NotFound };
        if stock.on_hand + delta < stock.held {
            return Answer::Refused { code: "below_held".to_owned() };
        }
        self.state.adjustments.insert(key.to_owned(), (product, delta));
        let remark = Remark { adjustment: Some(AdjustmentId::parse(key).unwrap()), ..Remark::default() };
        self.journal(ChangeKind::Adjust, None, &[(product, delta)], Some(remark));
        Answer::Adjusted { replayed: false }
    }

    fn set(&mut self, product: i64, on_hand: i64) -> Answer {
        let known = self.state.products.get(&product).copied();
        let stock = known.unwrap_or_default();
        if on_hand < stock.held {
            return Answer::Refused { code: "below_held".to_owned() };
        }
        if known.is_some() && on_hand == stock.on_hand {
            return Answer::Stored { changed: false };
        }
        self.journal(ChangeKind::Set, None, &[(product, on_hand - stock.on_hand)], None);
        Answer::Stored { changed: true }
    }
}

/// What is left, if there is enough.
fn rest(held: &Lines, taken: &Lines) -> Option<Lines> {
    let mut rest: BTreeMap<i64, i64> = held.iter().copied().collect();
    for (product, units) in taken {
        let left = rest.get_mut(product).filter(|left| **left >= *units)?;
        *left -= units;
    }
    Some(rest.into_iter().filter(|(_, units)| *units > 0).collect())
}

fn summed(lines: &[Line]) -> Lines {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for line in lines {
        *sums.entry(line.product).or_default() += i64::from(line.quantity);
    }
    sums.into_iter().collect()
}

fn lines(lines: &[(i64, u32)]) -> Vec<Line> {
    lines.iter().map(|(product, quantity)| Line { product: *product, quantity: *quantity }).collect()
}

pub(crate) fn reserve(order: Uuid, of: &[(i64, u32)]) -> Asked {
    Asked::Reserve { order, lines: lines(of), customer: None, ttl_micros: Some(TTL) }
}

pub(crate) fn commit(order: Uuid) -> Asked {
    Asked::Commit { order, items: None, key: None }
}

pub(crate) fn commit_part(order: Uuid, of: &[(i64, u32)]) -> Asked {
    Asked::Commit { order, items: Some(lines(of)), key: None }
}

pub(crate) fn release(order: Uuid) -> Asked {
    Asked::Release { order, items: None, key: None }
}

pub(crate) fn release_part(order: Uuid, of: &[(i64, u32)]) -> Asked {
    Asked::Release { order, items: Some(lines(of)), key: None }
}

pub(crate) fn extend(order: Uuid, ttl_micros: u64) -> Asked {
    Asked::Extend { order, ttl_micros }
}

pub(crate) fn adjust(key: &str, product: i64, delta: i64) -> Asked {
    Asked::Adjust { product, adjustment: key.to_owned(), delta }
}

pub(crate) fn held() -> Answer {
    Answer::Held { replayed: false, expires_at: None }
}

pub(crate) fn sold_out(product: i64, requested: u32, available: i64) -> Answer {
    Answer::Insufficient { short: vec![Short { product, requested, available }] }
}
