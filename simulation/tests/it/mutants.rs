//! Each defect on purpose is caught, by the check that is there for it.

use simulation::mutant::Mutant;
use simulation::run::Run;

use crate::shared;

/// By one of these checks.
fn is_caught(mutant: Mutant, by: &[&str]) {
    let violations = |seed| Run { seed, mutant: Some(mutant), traced: false }.run().unwrap().violations;
    shared::is_caught(mutant, violations, |violation| by.iter().any(|by| violation.starts_with(by)));
}

#[test]
fn i9_a_dropped_lock_is_caught() {
    is_caught(Mutant::DroppedLock, &["audit: version_chain", "audit: version_effect"]);
}

#[test]
fn i7_a_skipped_guard_is_caught() {
    is_caught(Mutant::SkippedGuard, &["I7", "audit: order_life", "audit: version_chain"]);
}

#[test]
fn i9_a_reservation_read_before_the_locks_is_caught() {
    is_caught(Mutant::UncheckedReads, &["I", "audit", "order"]);
}

#[test]
fn i9_products_presumed_and_not_looked_at_are_caught() {
    is_caught(Mutant::BlindPresumption, &["audit: version_chain", "audit: version_effect"]);
}

#[test]
fn i2_a_double_release_is_caught() {
    is_caught(Mutant::DoubleRelease, &["audit: version_effect", "audit: held_sum"]);
}

#[test]
fn i5_an_acknowledgement_before_the_commit_is_caught() {
    is_caught(Mutant::EarlyAcknowledgement, &["I5"]);
}

#[test]
fn i14_a_refusal_from_a_stale_read_is_caught() {
    is_caught(Mutant::StaleReads, &["I14", "order: I14"]);
}

#[test]
fn i7_a_refusal_of_a_replay_is_caught() {
    is_caught(Mutant::ForgottenOrders, &["I7"]);
}

#[test]
fn i6_a_resolver_that_only_reads_is_caught() {
    is_caught(Mutant::ReadingResolver, &["I6", "order: I6"]);
}

#[test]
fn i16_engines_that_judge_by_their_own_clocks_are_caught() {
    is_caught(Mutant::OwnClocks, &["I16: order"]);
}
