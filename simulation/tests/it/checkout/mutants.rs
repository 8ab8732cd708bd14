//! Each defect of the checkout on purpose is caught, by the check that is there for it.

use simulation::checkout::mutant::Mutant;
use simulation::checkout::run::Run;

use crate::shared;

/// By a finding that says all of this.
fn is_caught(mutant: Mutant, by: &[&str]) {
    let violations = |seed| Run { seed, mutant: Some(mutant), traced: false }.run().unwrap().violations;
    shared::is_caught(mutant, violations, |violation| by.iter().all(|by| violation.contains(by)));
}

#[test]
fn i11_a_step_whose_events_are_written_twice_is_caught() {
    is_caught(Mutant::RepeatedStep, &["I11", "told something twice"]);
}

#[test]
fn i11_events_that_overtake_each_other_are_caught() {
    is_caught(Mutant::OvertakingEvents, &["I11", "was overtaken"]);
}

#[test]
fn i13_a_step_decided_on_an_order_that_was_not_locked_is_caught() {
    is_caught(Mutant::UnlockedOrder, &["I13", "was decided on version"]);
}

#[test]
fn i7_a_key_that_is_not_looked_at_is_caught() {
    is_caught(Mutant::UnkeptKey, &["I7", "named more than one order"]);
}

#[test]
fn i7_a_key_that_is_given_back_after_somebody_was_told_of_its_order_is_caught() {
    is_caught(Mutant::TakenBackKey, &["I7", "named more than one order"]);
}

#[test]
fn i5_an_answer_before_the_commit_of_a_step_is_caught() {
    is_caught(Mutant::EarlyAnswer, &["I5", "was said"]);
}

#[test]
fn i13_a_lost_compensation_is_caught() {
    is_caught(Mutant::LostCompensation, &["I13", "never ends"]);
}

#[test]
fn i13_a_forgotten_refund_is_caught() {
    is_caught(Mutant::ForgottenRefund, &["I13", "the provider has"]);
}

#[test]
fn i13_money_asked_for_again_under_another_key_is_caught() {
    is_caught(Mutant::NewPaymentKey, &["I13", "was charged"]);
}

#[test]
fn i13_a_restock_without_a_key_is_caught() {
    is_caught(Mutant::UnkeyedRestock, &["I13", "by what was sold"]);
}

#[test]
fn i13_a_release_that_does_not_wait_for_its_answer_is_caught() {
    is_caught(Mutant::HastyRelease, &["I13", "came back of order"]);
}

#[test]
fn i13_a_commit_without_an_answer_that_is_taken_as_lost_is_caught() {
    is_caught(Mutant::ImpatientCommit, &["I13", "was ended by CommitLost"]);
}

#[test]
fn i13_an_event_about_money_that_is_dropped_is_caught() {
    is_caught(Mutant::DroppedMoney, &["I13", "the provider has"]);
}
