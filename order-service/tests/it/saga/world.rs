//! One order in a world that loses, doubles, delays and reorders: the saga, the two services, and what is on its way between them.

use order_service::saga::{
    Action, Cell, Effect, EventKind, Input, Mode, Phase, Saga, Step, begin, check, step,
};

use super::fakes::{Hold, Inventory, Method, Money, Provider};

/// An event for another service, durable: it is consumed at least once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    CreatedToInventory,
    CreatedToPayment,
    ConfirmedToInventory,
    EndedToInventory,
}

/// Everything there is. Cloned to try what would be.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) saga: Saga,
    pub(super) inventory: Inventory,
    pub(super) provider: Provider,
    /// Requests in the network: made, not yet executed, and nobody can call them back.
    pub(super) requests: Vec<Action>,
    /// Answers of calls; a crash of the order service loses them.
    pub(super) answers: Vec<Input>,
    /// Events for the order service; durable.
    pub(super) events: Vec<Input>,
    /// Events for the others; durable.
    pub(super) told: Vec<Told>,
    /// Timers that were set and did not fire yet.
    pub(super) timers: Vec<u64>,
    /// Everything the order told, in order.
    pub(super) published: Vec<EventKind>,
    /// Each step's input and verdict, for a failing test's reader.
    pub(super) log: Vec<(Input, Cell)>,
}

impl World {
    pub(super) fn new(mode: Mode, method: Method, is_available: bool) -> Self {
        let first = begin(mode);
        let mut world = Self {
            saga: first.saga.clone(),
            inventory: Inventory { hold: Hold::Unknown, is_available, restocks: 0 },
            provider: Provider { method, money: Money::Unknown },
            requests: Vec::new(),
            answers: Vec::new(),
            events: Vec::new(),
            told: Vec::new(),
            timers: Vec::new(),
            published: Vec::new(),
            log: Vec::new(),
        };
        world.carry_out(&first);
        world
    }

    /// The shell's one way to change an order.
    pub(super) fn apply(&mut self, input: Input) -> Step {
        let before = self.saga.clone();
        let step = step(&before, &input);
        self.log.push((input, step.cell));
        self.saga = reread(&step.saga);
        assert_eq!(check(&self.saga), Ok(()), "{self:#?}");
        assert_eq!(step.saga.version > before.version, step.saga != before, "{self:#?}");
        self.carry_out(&step);
        step
    }

    fn carry_out(&mut self, step: &Step) {
        for effect in &step.effects {
            match effect {
                Effect::Publish(kind) => self.publish(kind.clone()),
                Effect::StartPaymentTimer => self.timers.push(step.saga.version),
                Effect::Start(_) | Effect::Finish { .. } | Effect::Alarm(_) => {}
            }
        }
    }

    fn publish(&mut self, kind: EventKind) {
        match kind {
            EventKind::Created if self.saga.mode == Mode::Choreography => {
                self.told.extend([Told::CreatedToInventory, Told::CreatedToPayment]);
            }
            EventKind::Created | EventKind::Shipped { .. } => {}
            EventKind::Confirmed => self.told.push(Told::ConfirmedToInventory),
            EventKind::Failed | EventKind::Cancelled => self.told.push(Told::EndedToInventory),
        }
        self.published.push(kind);
    }

    /// The other side carries out a request.
    pub(super) fn execute(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::ReserveInventory => Some(self.inventory.reserve()),
            Action::CommitInventory => Some(self.inventory.commit()),
            Action::ReleaseInventory => Some(self.inventory.release()),
            Action::RestockInventory => Some(self.inventory.restock()),
            Action::ProcessPayment => Some(self.provider.process()),
            Action::AskPayment => Some(self.provider.ask()),
            Action::RefundPayment => {
                let answer = self.provider.refund();
                self.events.extend(answer.clone());
                answer
            }
        }
    }

    /// A call that works: request, execution, answer.
    pub(super) fn call(&mut self, action: Action) {
        if let Some(answer) = self.execute(action) {
            self.apply(answer);
        }
    }

    /// Another service consumes an event.
    pub(super) fn consume(&mut self, told: Told) {
        match told {
            Told::CreatedToInventory => {
                let answer = self.inventory.reserve();
                self.events.push(answer);
            }
            Told::CreatedToPayment => {
                self.provider.process();
            }
            Told::ConfirmedToInventory => {
                let answer = self.inventory.commit();
                self.events.push(answer);
            }
            Told::EndedToInventory => {
                self.inventory.release();
            }
        }
    }

    /// The provider makes up its mind.
    pub(super) fn decide(&mut self) {
        let event = self.provider.decide();
        self.events.extend(event);
    }

    /// The hold runs out; whether its stock stays free is the caller's choice.
    pub(super) fn expire(&mut self, stays_available: bool) {
        if self.inventory.hold == Hold::Held {
            self.inventory.hold = Hold::Expired;
            self.inventory.is_available = stays_available;
            self.events.push(Input::ReservationExpired);
        }
    }

    /// The order service dies and comes back: rows and durable events are what is left.
    pub(super) fn crash(&mut self) {
        self.saga = reread(&self.saga);
        self.answers.clear();
    }

    /// Ended well in one of two ways, and never in both (I13).
    pub(super) fn assert_agrees(&self) {
        assert_eq!(check(&self.saga), Ok(()));
        assert!(self.saga.outstanding.is_empty(), "something is outstanding: {self:#?}");
        let sold_and_kept = (self.inventory.sold(), self.provider.kept());
        assert_ne!(self.inventory.hold, Hold::Held, "a hold is left: {self:#?}");
        match self.saga.phase {
            Phase::Confirmed | Phase::Shipped | Phase::Delivered => {
                assert_eq!(sold_and_kept, (1, 1), "{self:#?}")
            }
            Phase::Ended => assert_eq!(sold_and_kept, (0, 0), "{self:#?}"),
            Phase::Reserving | Phase::Paying | Phase::Committing | Phase::Compensating => {
                panic!("it does not rest: {self:#?}")
            }
        }
        self.assert_told_once();
    }

    fn assert_told_once(&self) {
        let count = |kind: fn(&EventKind) -> bool| self.published.iter().filter(|it| kind(it)).count();
        assert_eq!(count(|it| *it == EventKind::Created), 1);
        let is_ended = usize::from(self.saga.phase == Phase::Ended);
        let ends = count(|it| matches!(it, EventKind::Failed | EventKind::Cancelled));
        assert_eq!(ends, is_ended, "{self:#?}");
        let was_confirmed = count(|it| *it == EventKind::Confirmed);
        assert!(was_confirmed <= 1, "{self:#?}");
        assert!(is_ended == 1 || was_confirmed == 1, "{self:#?}");
    }
}

/// As it is after a write and a read.
fn reread(saga: &Saga) -> Saga {
    let stored = serde_json::to_string(saga).expect("a saga can be stored");
    serde_json::from_str(&stored).expect("and read")
}
