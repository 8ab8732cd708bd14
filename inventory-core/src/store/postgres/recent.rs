//! Holds that this session has written, as they were then. Most holds end through the session that made them, soon: what it
//! remembers need not be read before the locks. Nothing rests on it: the version of the row that was written goes with each, and the batch that
//! used it is a conflict if the row has another one by now.

use std::sync::Arc;

use super::rows::RowVersion;
use crate::clock::Timestamp;
use crate::ids::{CustomerId, OrderId};
use crate::lines::Lines;
use crate::reservation::{Reservation, Status};
use crate::store::{Effects, IdMap};

/// Holds in one generation: as many as fit into a map of 262,144 places without another doubling. There are two generations, so this
/// bounds what is remembered to 458,752 holds. They take 45 MB; 22 MB more if no two neighbours have their times in common, and
/// whatever the names of their customers take.
const GENERATION_MAX: usize = 229_376;
/// Of a hold that is remembered: more would need room of their own.
const LINES_REMEMBERED_MAX: usize = 2;

/// What was written last, and what was written before that. When the young generation is full the old one is forgotten: holds that others
/// have ended leave nothing behind for long.
#[derive(Default)]
pub(super) struct Recent {
    young: IdMap<OrderId, Hold>,
    old: IdMap<OrderId, Hold>,
}

/// A hold that has all it asked for.
struct Hold {
    customer: Option<CustomerId>,
    requested: Lines,
    stamp: Arc<Stamp>,
}

/// What most holds of a batch have in common.
struct Stamp {
    version: RowVersion,
    times: Times,
}

/// The open holds that a transaction has written. They are remembered with its COMMIT, not before.
#[derive(Default)]
pub(super) struct Written {
    holds: Vec<(OrderId, Option<CustomerId>, Lines)>,
    /// Which of them have these times: the first so many, then the next.
    times: Vec<(usize, Times)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Times {
    created_at: Timestamp,
    expires_at: Timestamp,
    expires_at_max: Timestamp,
}

impl Written {
    /// The holds among these effects.
    pub(super) fn of(effects: &Effects) -> Self {
        let written = effects.created.iter().chain(effects.changed.iter().map(|(_, changed)| changed));
        let holds = written.filter(|written| {
            written.status == Status::Held
                && !written.late
                && written.requested.len() <= LINES_REMEMBERED_MAX
                && written.lines == written.requested
        });
        let mut kept = Self::default();
        for held in holds {
            kept.holds.push((held.order, held.customer.clone(), held.requested.clone()));
            let times = Times::of(held);
            match kept.times.last_mut() {
                Some((count, last)) if *last == times => *count += 1,
                _ => kept.times.push((1, times)),
            }
        }
        kept
    }
}

impl Times {
    fn of(held: &Reservation) -> Self {
        let Reservation { created_at, expires_at, expires_at_max, .. } = *held;
        Self { created_at, expires_at, expires_at_max }
    }
}

impl Hold {
    fn into_reservation(self, order: OrderId) -> Reservation {
        let Times { created_at, expires_at, expires_at_max } = self.stamp.times;
        Reservation {
            order,
            status: Status::Held,
            customer: self.customer,
            lines: self.requested.clone(),
            requested: self.requested,
            created_at,
            expires_at,
            expires_at_max,
            ended_at: None,
            late: false,
        }
    }
}

impl Recent {
    /// Remembers holds that were written as this version of their rows.
    pub(super) fn remember(&mut self, written: Written, version: RowVersion) {
        if self.young.len() + written.holds.len() > GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        let mut holds = written.holds.into_iter();
        for (count, times) in written.times {
            let stamp = Arc::new(Stamp { version, times });
            let alike = holds.by_ref().take(count).map(|(order, customer, requested)| {
                (order, Hold { customer, requested, stamp: Arc::clone(&stamp) })
            });
            self.young.extend(alike);
        }
    }

    /// Takes a hold out, and its row's version: whoever changes it writes another one.
    pub(super) fn recall(&mut self, order: OrderId) -> Option<(Reservation, RowVersion)> {
        let hold = self.young.remove(&order).or_else(|| self.old.remove(&order))?;
        let version = hold.stamp.version;
        Some((hold.into_reservation(order), version))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::{BatchId, ProductId};
    use crate::lines::Line;
    use crate::quantity::Quantity;

    fn order(number: usize) -> OrderId {
        OrderId::new(Uuid::from_u128(number as u128))
    }

    fn held(number: usize) -> Reservation {
        let quantity = Quantity::new(2).unwrap();
        let times = Times {
            created_at: Timestamp::from_micros(1),
            expires_at: Timestamp::from_micros(2),
            expires_at_max: Timestamp::from_micros(3),
        };
        let stamp = Stamp { version: RowVersion::default(), times };
        let hold = Hold {
            customer: Some(CustomerId::parse("ann").unwrap()),
            requested: Lines::one(ProductId::new(7), quantity),
            stamp: Arc::new(stamp),
        };
        hold.into_reservation(order(number))
    }

    fn effects(created: Vec<Reservation>, changed: Vec<Reservation>) -> Effects {
        let changed = changed.into_iter().map(|changed| (Status::Held, changed)).collect();
        Effects { created, changed, ..Effects::none(BatchId::new(Uuid::nil()), Timestamp::EPOCH) }
    }

    fn write(recent: &mut Recent, created: Vec<Reservation>, changed: Vec<Reservation>) {
        recent.remember(Written::of(&effects(created, changed)), RowVersion::default());
    }

    #[test]
    fn a_hold_is_recalled_as_it_was_written_and_once() {
        let mut recent = Recent::default();
        let extended = Reservation { expires_at: Timestamp::from_micros(9), ..held(2) };
        write(&mut recent, vec![held(1)], vec![extended.clone()]);
        assert_eq!(recent.recall(order(1)).unwrap().0, held(1));
        assert!(recent.recall(order(1)).is_none());
        assert_eq!(recent.recall(order(2)).unwrap().0, extended);
    }

    #[test]
    fn what_has_ended_or_lacks_a_part_or_is_a_large_cart_is_read() {
        let mut recent = Recent::default();
        let line = Line { product: ProductId::new(7), quantity: Quantity::new(1).unwrap() };
        let part = Reservation { lines: Lines::stored([line]), ..held(1) };
        let ended = [Status::Committed, Status::Released, Status::Expired, Status::Lost]
            .map(|status| Reservation { status, ..held(2) });
        let cart = Lines::stored((1..=3).map(|id| Line { product: ProductId::new(id), ..line }));
        let large = Reservation { requested: cart.clone(), lines: cart, ..held(3) };
        write(&mut recent, vec![part, large], ended.to_vec());
        assert!((1..=3).all(|number| recent.recall(order(number)).is_none()));
    }

    #[test]
    fn a_hold_takes_the_room_that_it_is_said_to_take() {
        // And one byte of the map's own.
        assert!(2 * 262_144 * (size_of::<(OrderId, Hold)>() + 1) <= 45_000_000);
    }

    #[test]
    fn i15_what_is_remembered_is_bounded_and_the_oldest_go_first() {
        let mut recent = Recent::default();
        let batches = 3 * GENERATION_MAX / 1_000;
        for batch in 0..batches {
            write(&mut recent, (0..1_000).map(|number| held(batch * 1_000 + number)).collect(), Vec::new());
            assert!(recent.young.len() <= GENERATION_MAX && recent.old.len() <= GENERATION_MAX);
        }
        assert!(recent.recall(order(0)).is_none());
        assert!((0..GENERATION_MAX).all(|age| recent.recall(order(batches * 1_000 - 1 - age)).is_some()));
    }
}
