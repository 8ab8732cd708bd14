//! What a script does, drawn from its seed: commands over few products, orders and customers, so that they meet each other often.

use std::time::Duration;

use uuid::Uuid;

use super::super::draft;
use crate::chance::mixed;
use crate::command::{Adjust, Command, Commit, Expire, Extend, Release, Reserve, SetStock};
use crate::ids::{CustomerId, Delivery, Note, OrderId, ProductId};
use crate::limits::{QUANTITY_MAX, UNITS_MAX};
use crate::lines::{Line, Lines};
use crate::quantity::{Quantity, Units};

/// Steps of a script, after the opening.
const STEPS: u64 = 60;
/// Commands in a batch, mostly.
const COMMANDS_MAX: u64 = 8;
/// Commands in a batch that takes the stores' ways for many rows.
const COMMANDS_MANY: u64 = 150;
/// Orders that commands are about.
const ORDERS: u64 = 14;
/// What commands are about; the last two do not exist at first.
pub(super) const PRODUCTS: [i64; 6] = [1, 2, i64::MIN, i64::MAX, 3, -7];

/// One batch.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// How much later than the one before.
    pub(super) after: Duration,
    pub(super) commands: Vec<Command>,
    pub(super) ending: Ending,
}

/// What becomes of a batch, when it has been decided.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// It is committed.
    Committed,
    /// Committed, and asked about as if there had been no answer.
    Resolved,
    /// Committed, and begun again under the same id.
    BegunTwice,
    /// Committed, and written once more under another id.
    WrittenTwice,
    /// Written and given up.
    RolledBack,
    /// Written, and the session lost.
    Lost,
    /// Written with more held of its last product than there is.
    Spoiled,
    /// While it is open another session runs these, passing over what is locked.
    PassedOver(Vec<Command>),
    /// While it is open another session begins with these and waits for what is locked.
    WaitedFor(Vec<Command>),
}

/// The steps of a seed: the opening, and then whatever comes.
pub(super) fn steps(seed: u64, crossed: bool) -> Vec<Step> {
    let mut dice = Dice(mixed(seed));
    let opening = Step { after: Duration::ZERO, commands: opening(), ending: Ending::Committed };
    let mut steps = vec![opening];
    for _ in 0..STEPS {
        let after = Duration::from_micros(dice.below(9_000_000));
        let many = if dice.one_in(20) { COMMANDS_MANY } else { COMMANDS_MAX };
        let commands = dice.commands(many);
        steps.push(Step { after, commands, ending: dice.ending(crossed) });
    }
    steps
}

/// A plain product, one that is announced when it is low, and two with limits.
fn opening() -> Vec<Command> {
    let low = SetStock { low_stock_threshold: Some(Units::stored(9)), ..level(0, 40) };
    let limited = |at, limit| SetStock { per_customer_limit: Quantity::new(limit).ok(), ..level(at, 60) };
    vec![
        Command::Set(low),
        Command::Import(level(1, 25)),
        Command::Set(limited(2, 12)),
        Command::Set(limited(3, 30)),
    ]
}

fn level(at: usize, on_hand: i64) -> SetStock {
    SetStock::level(ProductId::new(PRODUCTS.get(at).copied().unwrap_or_default()), Units::stored(on_hand))
}

/// The order of this number: their keys are in no order.
fn order(number: u64) -> OrderId {
    OrderId::new(Uuid::from_u64_pair(mixed(number), mixed(!number)))
}

/// A stream of chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = mixed(self.0);
        self.0 % sides.max(1)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn among<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at).cloned()
    }

    fn number(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(from.abs_diff(to) + 1)).unwrap_or(0)
    }

    fn ending(&mut self, crossed: bool) -> Ending {
        match self.below(if crossed { 28 } else { 18 }) {
            0 => Ending::RolledBack,
            1 => Ending::Lost,
            2 => Ending::Resolved,
            3 => Ending::BegunTwice,
            4 | 5 => Ending::WrittenTwice,
            6 | 7 => Ending::Spoiled,
            18..=26 => Ending::PassedOver(self.commands(COMMANDS_MAX)),
            27 => Ending::WaitedFor(self.commands(COMMANDS_MAX)),
            _ => Ending::Committed,
        }
    }

    /// One to `most` commands; of the batches every third is of reserves alone, which stores may write in a shorter way.
    fn commands(&mut self, most: u64) -> Vec<Command> {
        let reserves_only = self.one_in(3);
        let many = 1 + self.below(most);
        (0..many).map(|_| if reserves_only { self.reserve(many) } else { self.command(many) }).collect()
    }

    fn command(&mut self, many: u64) -> Command {
        match self.below(28) {
            0..=9 => self.reserve(many),
            10..=12 => self.commit(),
            13..=15 => self.release(),
            16 | 17 => Command::Extend(Extend { order: self.order(), ttl: self.seconds(40) }),
            18..=21 => Command::Expire(Expire { order: self.order() }),
            22 | 23 => self.adjust(),
            24 => Command::Set(self.set()),
            25 => Command::Import(self.set()),
            26 => Command::Announce(self.product()),
            _ => Command::Release(Release { order: order(ORDERS + self.below(9)), ..self.whole_release() }),
        }
    }

    fn order(&mut self) -> OrderId {
        order(self.below(ORDERS))
    }

    fn product(&mut self) -> ProductId {
        ProductId::new(self.among(&PRODUCTS).unwrap_or_default())
    }

    fn seconds(&mut self, most: u64) -> Duration {
        Duration::from_secs(self.below(most))
    }

    fn customer(&mut self) -> Option<CustomerId> {
        let who = self.among(&[Some("ann"), Some("bob"), Some("o'B\"{1,2}\\é"), None])?;
        who.and_then(|who| CustomerId::parse(who).ok())
    }

    fn note(&mut self) -> Option<Note> {
        let text = self.among(&draft::awkward_texts())?;
        Note::parse(&text).ok()
    }

    /// What makes this request of this kind count once. A key names one request, so it has its subject in it.
    fn delivery(&mut self, consumer: &str, subject: &str) -> Option<Delivery> {
        if !self.one_in(3) {
            return None;
        }
        let message = format!("{} {subject}", self.below(4));
        Some(Delivery { consumer: Note::parse(consumer).ok()?, message: Note::parse(&message).ok()? })
    }

    /// Now and then a new order; mostly one of the usual, which asks for the same as before, so that it is a replay.
    fn reserve(&mut self, many: u64) -> Command {
        let is_new = many > COMMANDS_MAX || self.one_in(4);
        let number = if is_new { 1_000 + self.below(1 << 40) } else { self.below(ORDERS) };
        let wanted = if is_new || self.one_in(9) { self.some_lines() } else { usual_lines(number) };
        let customer = if self.one_in(9) { self.customer() } else { Dice(mixed(number)).customer() };
        Command::Reserve(Reserve {
            order: order(number),
            lines: wanted,
            customer,
            ttl: Duration::from_millis(1 + self.below(20_000)),
            ttl_max: Duration::from_secs(30),
        })
    }

    fn commit(&mut self) -> Command {
        let order = self.order();
        let items = self.one_in(2).then(|| self.some_lines());
        let delivery = self.delivery("commit", &format!("{order} {}", text_of(items.as_ref())));
        Command::Commit(Commit { order, items, delivery })
    }

    fn release(&mut self) -> Command {
        let order = self.order();
        let items = (!self.one_in(3)).then(|| self.some_lines());
        let delivery = self.delivery("release", &format!("{order} {}", text_of(items.as_ref())));
        Command::Release(Release { order, items, delivery, ..self.whole_release() })
    }

    fn whole_release(&mut self) -> Release {
        let reason = if self.one_in(2) { self.note() } else { None };
        Release { order: order(0), items: None, reason, delivery: None }
    }

    fn adjust(&mut self) -> Command {
        let key = format!("a{}", self.below(12));
        let delta = match self.below(10) {
            0 => UNITS_MAX,
            1 => i64::MIN,
            _ => self.number(-12, 20),
        };
        let Ok(adjustment) = crate::ids::AdjustmentId::parse(&key) else { return self.reserve(1) };
        let (product, delta) = (self.product(), Units::stored(delta));
        let Some(reason) = self.note() else { return self.reserve(1) };
        let reference = if self.one_in(2) { self.note() } else { None };
        Command::Adjust(Adjust { product, adjustment, delta, reason, reference })
    }

    fn set(&mut self) -> SetStock {
        let on_hand = if self.one_in(12) { UNITS_MAX } else { self.number(0, 50) };
        SetStock {
            product: self.product(),
            on_hand: Units::stored(on_hand),
            low_stock_threshold: self.one_in(3).then(|| Units::stored(self.number(0, 12))),
            per_customer_limit: self
                .one_in(4)
                .then(|| self.number(1, 40))
                .and_then(|n| Quantity::new(n).ok()),
            name: if self.one_in(3) { self.note() } else { None },
            expected_admin_version: self.one_in(4).then(|| self.below(6)),
        }
    }

    fn some_lines(&mut self) -> Lines {
        let lines: Vec<Line> = (0..=self.below(3)).filter_map(|_| self.line()).collect();
        Lines::new(lines).unwrap_or_else(|_| Lines::one(ProductId::new(1), Quantity::ONE))
    }

    fn line(&mut self) -> Option<Line> {
        let quantity = if self.one_in(20) { i64::from(QUANTITY_MAX) } else { self.number(1, 6) };
        Some(Line { product: self.product(), quantity: Quantity::new(quantity).ok()? })
    }
}

fn usual_lines(number: u64) -> Lines {
    Dice(mixed(!number)).some_lines()
}

fn text_of(items: Option<&Lines>) -> String {
    let pairs =
        items.into_iter().flat_map(Lines::iter).map(|line| format!("{}x{}", line.product, line.quantity));
    pairs.collect::<Vec<_>>().join("+")
}
