//! Random histories: invariants after every batch, replays without effect, and batches that answer what their
//! commands alone would.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, proptest};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::histories::{history, opening, without_new_limits};
use super::ledger::Ledger;
use super::table::answer;
use crate::command::Command;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::journal::{ChangeKind, JournalCommand};
use crate::outcome::{Outcome, SetChange};
use crate::product::{Alert, Product};
use crate::quantity::Units;
use crate::reservation::Status;

fn opened() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.run(&opening());
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// The ledger itself checks I1, I2, the customers' counts, the guards and the journal's replay, batch by batch.
    #[test]
    fn i1_i2_i4_i10_i18_random_histories_keep_the_invariants(history in history()) {
        let mut ledger = opened();
        for (wait, commands) in history {
            ledger.pass(wait);
            ledger.run(&commands);
        }
        check_lives(&ledger);
        check_events(&ledger);
    }

    #[test]
    fn i7_repeating_any_answered_command_answers_the_same_without_effect(history in history()) {
        let mut ledger = opened();
        for (wait, commands) in history {
            ledger.pass(wait);
            for command in commands {
                // Each batch has a moment of its own: a limit counts from its batch's moment on.
                ledger.pass(Duration::from_micros(1));
                let first = ledger.one(command.clone());
                if matches!(&command, Command::Release(c) if c.items.is_some() && c.delivery.is_none()) {
                    continue; // the one command that is repeatable only under a delivery
                }
                let again = ledger.decide(std::slice::from_ref(&command));
                assert!(again.effects.is_empty(), "{command:?}: {:?}", again.effects);
                check_same(&command, &first, &again.outcomes[0]);
            }
        }
    }

    #[test]
    fn i9_a_batch_answers_and_leaves_what_its_commands_alone_would(history in history()) {
        let (mut together, mut alone) = (opened(), opened());
        for (wait, commands) in history {
            together.pass(wait);
            alone.pass(wait);
            let limited = |p| {
                together.products.get(&ProductId::new(p)).is_some_and(|p| p.per_customer_limit.is_some())
            };
            let commands = without_new_limits(&commands, limited);
            let outcomes = together.run(&commands);
            let outcomes_alone: Vec<_> = commands.iter().map(|c| alone.one(c.clone())).collect();
            for (command, (a, b)) in commands.iter().zip(outcomes.into_iter().zip(outcomes_alone)) {
                assert_eq!(unversioned(a), unversioned(b), "{command:?}");
            }
            let stock = |ledger: &Ledger| ledger.products.values().cloned().map(bare).collect::<Vec<_>>();
            assert_eq!(stock(&together), stock(&alone));
            assert_eq!(together.reservations, alone.reservations);
            assert_eq!(together.customer_units, alone.customer_units);
        }
    }
}

/// The properties above prove nothing about what their histories never do.
#[test]
fn random_histories_make_every_kind_of_change_and_meet_every_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..200 {
        let mut ledger = opened();
        for (wait, commands) in history().new_tree(&mut runner).unwrap().current() {
            ledger.pass(wait);
            for outcome in ledger.run(&commands) {
                *seen.entry(answer(&outcome)).or_default() += 1;
            }
        }
        for command in ledger.journal.iter().flat_map(|entry| &entry.commands) {
            *seen.entry(command.kind.name().to_owned()).or_default() += 1;
        }
    }
    let refusals = [
        "conflict",
        "already_released",
        "already_committed",
        "expired",
        "product_not_found",
        "customer_required",
        "customer_limit",
        "insufficient_stock",
        "more_than_held",
        "not_found",
        "ttl_too_long",
        "not_yet",
        "gone",
    ];
    for name in ChangeKind::ALL.iter().map(|kind| kind.name()).chain(refusals) {
        assert!(seen.get(name).is_some_and(|times| *times >= 10), "{name} is rare in {seen:?}");
    }
}

/// A repeat says what the first answer said: as a replay, where there is such a word.
fn check_same(command: &Command, first: &Outcome, again: &Outcome) {
    match (first, again) {
        (Outcome::Reserve(Ok(first)), Outcome::Reserve(Ok(again))) => {
            assert!(again.replayed);
            assert_eq!(first.reservation, again.reservation);
        }
        (Outcome::Adjust(Ok(first)), Outcome::Adjust(Ok(again))) => {
            assert!(again.replayed);
            assert_eq!(
                (first.product.on_hand, first.product.held),
                (again.product.on_hand, again.product.held)
            );
        }
        (Outcome::Set(Ok(first)), Outcome::Set(Ok(again))) => {
            assert_eq!(again.change, SetChange::Unchanged);
            assert_eq!(bare(first.product.clone()), bare(again.product.clone()));
        }
        (Outcome::Set(Ok(_)), Outcome::Set(Err(_))) => {
            let (Command::Set(c) | Command::Import(c)) = command else { panic!("{command:?}") };
            assert!(c.expected_admin_version.is_some(), "only a precondition is used up");
        }
        _ if answer(first) == "expired now" => assert_eq!(answer(again), "gone"),
        _ => assert_eq!(first, again, "{command:?}"),
    }
}

/// What a batch and its commands alone must agree on: not versions and alerts, which are per batch.
fn bare(product: Product) -> Product {
    Product { version: 0, last_batch: BatchId::new(Uuid::nil()), alert: Alert::None, ..product }
}

fn unversioned(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Adjust(Ok(mut adjusted)) => {
            adjusted.product = bare(adjusted.product);
            Outcome::Adjust(Ok(adjusted))
        }
        Outcome::Set(Ok(mut set)) => {
            set.product = bare(set.product);
            Outcome::Set(Ok(set))
        }
        other => other,
    }
}

/// I4 and I10, from the journal alone: each order's changes are one of the lives that the contract allows, and what
/// it holds by the journal is what its row says, line by line.
fn check_lives(ledger: &Ledger) {
    let mut lives: BTreeMap<OrderId, Vec<&JournalCommand>> = BTreeMap::new();
    for command in ledger.journal.iter().flat_map(|entry| &entry.commands) {
        if let Some(order) = command.order {
            lives.entry(order).or_default().push(command);
        }
    }
    assert_eq!(lives.keys().collect::<Vec<_>>(), ledger.reservations.keys().collect::<Vec<_>>());
    for (order, life) in lives {
        let row = &ledger.reservations[&order];
        let kinds: Vec<_> = life.iter().map(|command| command.kind).collect();
        assert_eq!(life_of(&kinds), Some(row.status), "{kinds:?}");
        let mut held: BTreeMap<ProductId, Units> = BTreeMap::new();
        for command in &life {
            for line in &command.lines {
                *held.entry(line.product).or_default() += command.kind.effect(line.units).1;
            }
        }
        held.retain(|_, units| *units != Units::ZERO);
        let expected: BTreeMap<_, _> = row
            .lines
            .iter()
            .filter(|_| row.status == Status::Held)
            .map(|line| (line.product, line.quantity.units()))
            .collect();
        assert_eq!(held, expected, "{row:?}");
    }
}

/// The status that a sequence of changes leads to; none if the contract does not allow it.
fn life_of(kinds: &[ChangeKind]) -> Option<Status> {
    use ChangeKind::{
        Commit, CommitLate, Expire, Extend, Lose, Release, ReleaseExpired, ReleasePart, Reserve, Tombstone,
    };
    let (first, rest) = kinds.split_first()?;
    match first {
        Tombstone => return rest.is_empty().then_some(Status::Released),
        Reserve => {}
        _ => return None,
    }
    let within = rest.iter().take_while(|kind| matches!(kind, Extend | ReleasePart)).count();
    match &rest[within..] {
        [] => Some(Status::Held),
        [Commit] | [Expire, CommitLate] => Some(Status::Committed),
        [Release] | [Expire, ReleaseExpired] => Some(Status::Released),
        [Expire] => Some(Status::Expired),
        [Expire, Lose] => Some(Status::Lost),
        _ => None,
    }
}

/// I11, as far as decide goes: one event per expiry and per lost order, and none besides.
fn check_events(ledger: &Ledger) {
    let told = |event: &str| ledger.outbox.iter().filter(|row| row.event_type == event).count();
    let done = |kind| ledger.journal.iter().flat_map(|e| &e.commands).filter(|c| c.kind == kind).count();
    assert_eq!(told("expired"), done(ChangeKind::Expire));
    assert_eq!(told("commit failed"), done(ChangeKind::Lose));
}
