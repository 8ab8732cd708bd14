//! What a server process does for a batch: begin, persist, COMMIT.

use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::store::{Effects, Footprint, IdSet, Locked, StoreError, StoreErrorKind};

use super::Shared;
use super::locks::{Key, Pid};
use super::state::{Reservations, Transaction, wanted};
use crate::faults::Fault;
use crate::goals::Goal;
use crate::mutant::Mutant;

impl Shared {
    /// Fence, locks, and what the rules read. Orders that the client remembers are told as it does. On error the transaction is gone.
    pub(super) async fn begin(
        &self,
        pid: Pid,
        batch: BatchId,
        footprint: &Footprint,
        remembered: Reservations,
    ) -> Result<Locked, StoreError> {
        self.state.lock().roll_back(pid);
        let begun = self.try_begin(pid, batch, footprint, remembered).await;
        if begun.is_err() {
            self.state.lock().roll_back(pid);
        }
        begun
    }

    async fn try_begin(
        &self,
        pid: Pid,
        batch: BatchId,
        footprint: &Footprint,
        remembered: Reservations,
    ) -> Result<Locked, StoreError> {
        self.may_fail(&[Fault::LockTimeout, Fault::Deadlock, Fault::Full])?;
        self.lock(pid, &Key::Fence(batch)).await?;
        if self.state.lock().tables.fence(batch).is_some() {
            return Err(conflict(format!("batch {batch} is fenced")));
        }
        if let Some(process) = self.state.lock().processes.get_mut(&pid) {
            process.open =
                Some(Transaction { batch, told: Reservations::default(), effects: None, is_blind: false });
        }
        // The orders are looked at unlocked, since they say what to lock.
        let mut told = self.look_at_orders(footprint);
        told.extend(remembered);
        let wanted = wanted(footprint, &told);
        self.step().await;
        let locked = self.lock_products(pid, &wanted, footprint.skip_locked).await?;
        self.step().await;

        let mut state = self.state.lock();
        // It appeared between the two looks, and nobody locked its products.
        if state.tables.concerned(footprint).iter().any(|id| wanted.binary_search(id).is_err()) {
            return Err(conflict("an order appeared while its batch was waiting for locks".to_owned()));
        }
        let now = state.now();
        let mut found = state.tables.look(footprint, &locked, now);
        if footprint.skip_locked {
            let exist = state.tables.read(&wanted, &[]).products;
            found.skipped = exist.iter().map(|p| p.id).filter(|id| !locked.contains(id)).collect();
            if !found.skipped.is_empty() {
                self.world.goals.count(Goal::Skipped);
            }
        }
        // Only those that were not there before are told as they are under the locks.
        found.reservations.extend(told);
        if let Some(open) = state.processes.get_mut(&pid).and_then(|process| process.open.as_mut()) {
            open.told = found.reservations.clone();
        }
        Ok(found)
    }

    /// The orders as they are now, whoever holds what.
    fn look_at_orders(&self, footprint: &Footprint) -> Reservations {
        let mut state = self.state.lock();
        let now = state.now();
        state.tables.look(footprint, &IdSet::default(), now).reservations
    }

    /// `SELECT … ORDER BY product_id FOR UPDATE [SKIP LOCKED]`: of the rows that exist when it starts.
    async fn lock_products(
        &self,
        pid: Pid,
        wanted: &[ProductId],
        skip: bool,
    ) -> Result<IdSet<ProductId>, StoreError> {
        let exist: Vec<_> =
            self.state.lock().tables.read(wanted, &[]).products.iter().map(|product| product.id).collect();
        if self.world.is(Mutant::DroppedLock) {
            return Ok(exist.into_iter().collect());
        }
        let mut locked = IdSet::default();
        for id in exist {
            let key = Key::Product(id);
            if skip && self.state.lock().locks.is_taken(pid, &key) {
                continue;
            }
            self.lock(pid, &key).await?;
            locked.insert(id);
        }
        Ok(locked)
    }

    /// Writes, invisibly to others. On error the transaction is gone.
    pub(super) async fn persist(&self, pid: Pid, effects: Effects) -> Result<(), StoreError> {
        let written = self.try_persist(pid, effects).await;
        if written.is_err() {
            self.state.lock().roll_back(pid);
        }
        written
    }

    async fn try_persist(&self, pid: Pid, mut effects: Effects) -> Result<(), StoreError> {
        self.may_fail(&[Fault::LockTimeout, Fault::Deadlock, Fault::Full])?;
        self.refuse_poison(&effects)?;
        self.make_sure(pid, &effects)?;
        let is_blind = self.open(pid, |open| open.is_blind).unwrap_or_default();
        if !self.world.is(Mutant::SkippedGuard) && !is_blind {
            for key in keys(&effects) {
                self.lock(pid, &key).await?;
            }
            self.step().await;
            self.state.lock().tables.check(&effects).inspect_err(|error| {
                if error.kind == StoreErrorKind::Conflict {
                    self.world.goals.count(Goal::KeyConflict);
                }
            })?;
        }
        if self.world.is(Mutant::DoubleRelease) {
            release_twice(&mut effects);
        }
        let mut state = self.state.lock();
        match state.processes.get_mut(&pid).and_then(|process| process.open.as_mut()) {
            Some(open) if open.batch == effects.journal.batch => open.effects = Some(effects),
            _ => return Err(conflict("effects of a batch that was not begun on this session".to_owned())),
        }
        Ok(())
    }

    /// What a process has open.
    pub(super) fn open<T>(&self, pid: Pid, look: impl FnOnce(&mut Transaction) -> T) -> Option<T> {
        self.state.lock().processes.get_mut(&pid)?.open.as_mut().map(look)
    }

    /// What the batch was told is still so: first a look at what it leaves as it is, and at all if its stock cannot be; then, as
    /// it writes, the versions of the rows that it changes.
    fn make_sure(&self, pid: Pid, effects: &Effects) -> Result<(), StoreError> {
        if self.world.is(Mutant::SkippedGuard) {
            return Ok(());
        }
        let is_possible = effects.products.iter().all(|product| product.after.is_possible());
        let is_changed = |order: OrderId| effects.changed.iter().any(|(_, changed)| changed.order == order);
        if !self.world.is(Mutant::UncheckedReads) {
            self.still_told(pid, |order| !is_possible || !is_changed(order))?;
        }
        if is_possible { self.still_told(pid, is_changed) } else { Ok(()) }
    }

    /// Of the orders looked at, what the batch was told is what there is.
    fn still_told(&self, pid: Pid, is_looked_at: impl Fn(OrderId) -> bool) -> Result<(), StoreError> {
        let state = self.state.lock();
        let Some(open) = state.processes.get(&pid).and_then(|process| process.open.as_ref()) else {
            return Ok(());
        };
        let mut told = open.told.iter().filter(|(order, _)| is_looked_at(**order));
        match told.find(|(order, told)| state.tables.reservation(**order) != Some(*told)) {
            None => Ok(()),
            Some((order, _)) => {
                self.world.goals.count(Goal::ToldStale);
                Err(conflict(format!("order {order} is no longer what the batch was told")))
            }
        }
    }

    /// Makes it durable and visible, in one step. On error the transaction is gone.
    pub(super) fn commit(&self, pid: Pid) -> Result<(), StoreError> {
        if self.world.faults.strikes(Fault::DefiniteAbort) {
            self.state.lock().roll_back(pid);
            return Err(StoreError::new(StoreErrorKind::Transient, "could not serialise access (simulated)"));
        }
        let mut state = self.state.lock();
        let now = state.now();
        let process = state.processes.get_mut(&pid);
        let Some((client, open)) = process.and_then(|p| Some((p.client, p.open.take()?))) else {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "no transaction is open"));
        };
        let is_lost = self.world.is(Mutant::EarlyAcknowledgement) && self.world.faults.dice().percent(5);
        if !is_lost {
            if let Some(effects) = &open.effects {
                state.log.commit(client, now, effects.journal.clone());
            }
            state.tables.commit(open.batch, open.effects, now);
        }
        state.locks.end(pid);
        self.keep_stale(&mut state);
        self.world.trace.note(format_args!("server {}", pid.0), || format!("COMMIT {} at {now}", open.batch));
        Ok(())
    }

    /// For [`Mutant::StaleReads`]: what reads show is replaced every two seconds.
    fn keep_stale(&self, state: &mut super::State) {
        let is_old = state.stale.0.elapsed() > std::time::Duration::from_secs(2);
        if self.world.is(Mutant::StaleReads) && is_old {
            state.stale = (tokio::time::Instant::now(), state.tables.clone());
        }
    }

    /// Fails a statement for no reason of its own.
    fn may_fail(&self, faults: &[Fault]) -> Result<(), StoreError> {
        match faults.iter().find(|fault| self.world.faults.strikes(**fault)) {
            Some(Fault::LockTimeout) => {
                Err(StoreError::new(StoreErrorKind::LockTimeout, "a lock timeout (simulated)"))
            }
            Some(Fault::Deadlock) => {
                Err(StoreError::new(StoreErrorKind::Transient, "a deadlock (simulated)"))
            }
            Some(_) => Err(StoreError::new(StoreErrorKind::Full, "no room (simulated)")),
            None => Ok(()),
        }
    }

    /// Some orders' data is not acceptable, whenever and with whomever they come.
    fn refuse_poison(&self, effects: &Effects) -> Result<(), StoreError> {
        let rate = self.world.faults.rate(Fault::Poison);
        let is_poison = |order: inventory_core::ids::OrderId| {
            self.world.faults.is_on(Fault::Poison) && order.get().as_u128() % 1_000 < u128::from(rate)
        };
        let Some(bad) = effects.created.iter().find(|created| is_poison(created.order)) else {
            return Ok(());
        };
        self.world.faults.note(Fault::Poison);
        if effects.created.len() + effects.changed.len() > 1 {
            self.world.goals.count(Goal::SplitBatch);
        }
        Err(StoreError::new(
            StoreErrorKind::Data,
            format!("order {} is not acceptable (simulated)", bad.order),
        ))
    }

    /// A process ends by itself or by others' will.
    pub(super) fn end_process(&self, pid: Pid) {
        self.state.lock().end(pid);
    }
}

/// The keys that effects write, in the order in which an adapter writes them.
fn keys(effects: &Effects) -> Vec<Key> {
    let orders = effects.created.iter().map(|created| Key::Order(created.order));
    let products = effects.products.iter().filter(|product| product.version_before.is_none());
    let products = products.map(|product| Key::Product(product.after.id));
    let adjustments = effects.adjustments.iter().map(|adjustment| Key::Adjustment(adjustment.id.clone()));
    let deliveries = effects.deliveries.iter().cloned().map(Key::Delivery);
    orders.chain(products).chain(adjustments).chain(deliveries).collect()
}

/// For [`Mutant::DoubleRelease`].
fn release_twice(effects: &mut Effects) {
    use inventory_core::reservation::Status;
    let released = effects.changed.iter().filter(|(_, after)| after.status == Status::Released);
    for line in released.flat_map(|(_, after)| after.lines.iter()) {
        if let Some(product) = effects.products.iter_mut().find(|product| product.after.id == line.product)
            && product.after.held >= line.quantity.units()
        {
            product.after.held -= line.quantity.units();
        }
    }
}

pub(super) fn conflict(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, message)
}
