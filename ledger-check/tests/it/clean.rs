//! Correct histories pass.

use ledger_check::history::{Answer, Asked};
use ledger_check::{Callers, Extent, Options, Violation};

use crate::toy::{
    TTL, Toy, adjust, commit, commit_part, extend, held, release, release_part, reserve, sold_out,
};

/// Every kind of answer, one after the other.
fn full_life() -> Toy {
    let mut toy = Toy::stocked(&[(1, 10), (2, 5)]);
    let ids: Vec<_> = (0..12).map(|_| toy.id()).collect();
    let cart = reserve(ids[0], &[(2, 1), (1, 1), (1, 1)]);
    toy.ask(cart.clone());
    toy.ask(cart.clone());
    toy.ask(reserve(ids[0], &[(1, 9)]));
    toy.ask(release_part(ids[0], &[(1, 1)]));
    toy.ask(release_part(ids[0], &[(1, 7)]));
    toy.ask(extend(ids[0], TTL * 2));
    toy.ask(commit(ids[0]));
    toy.ask(commit(ids[0]));
    toy.ask(release(ids[0]));
    toy.ask(cart);
    toy.ask(reserve(ids[1], &[(1, 3), (2, 2)]));
    toy.ask(commit_part(ids[1], &[(1, 2)]));
    toy.ask(commit_part(ids[1], &[(1, 1)]));
    toy.ask(reserve(ids[2], &[(1, 100), (2, 1)]));
    toy.ask(reserve(ids[2], &[(9, 1)]));
    toy.ask(release(ids[3]));
    toy.ask(reserve(ids[3], &[(1, 1)]));
    toy.ask(commit(ids[4]));
    toy.ask(extend(ids[4], TTL));
    toy.ask(release_part(ids[4], &[(1, 1)]));
    for id in &ids[5..9] {
        toy.ask(reserve(*id, &[(1, 1)]));
    }
    toy.wait(2 * i64::try_from(TTL).unwrap());
    toy.ask(commit(ids[5]));
    toy.ask(extend(ids[6], TTL));
    toy.sweep();
    toy.ask(commit(ids[6]));
    toy.ask(release(ids[7]));
    toy.ask(adjust("a", 1, 4));
    toy.ask(adjust("a", 1, 4));
    toy.ask(adjust("a", 1, 5));
    toy.ask(Asked::Set { product: 1, on_hand: 0 });
    toy.ask(Asked::Set { product: 1, on_hand: 0 });
    toy.ask(commit(ids[8]));
    toy.ask(commit(ids[8]));
    toy.ask(release(ids[8]));
    toy.ask(reserve(ids[9], &[(1, 1)]));
    toy.ask(adjust("b", 1, 1));
    toy.ask(reserve(ids[9], &[(1, 1)]));
    toy.ask(adjust("c", 1, -1));
    toy.pretend(reserve(ids[10], &[(2, 1)]), Answer::Overloaded);
    toy.pretend(reserve(ids[10], &[(2, 1)]), Answer::OutcomeUnknown);
    toy.tell(reserve(ids[11], &[(2, 1)]), toy.now, None);
    toy
}

#[test]
fn a_history_with_every_kind_of_answer_is_clean() {
    let toy = full_life();
    toy.is_clean();
    let checked = toy.check().checked;
    assert!(checked.acknowledged > 20 && checked.refused > 10 && checked.sold_out == 2, "{checked:?}");
    assert_eq!((checked.unknown, checked.unprovable), (2, 0));
}

#[test]
fn the_order_in_which_entries_and_records_come_does_not_matter() {
    let mut toy = full_life();
    toy.journal.reverse();
    toy.records.reverse();
    toy.is_clean();
}

#[test]
fn a_verdict_is_told_in_one_line_when_all_is_well() {
    let verdict = full_life().check();
    assert!(verdict.to_string().starts_with("the ledger and what its callers saw agree ("), "{verdict}");
    assert_eq!(verdict.to_json()["ok"], true);
}

#[test]
fn an_unknown_outcome_may_be_either() {
    let mut toy = Toy::stocked(&[(1, 3)]);
    let (done, not_done) = (toy.id(), toy.id());
    toy.batch(&[reserve(done, &[(1, 1)])]);
    let asked_at = toy.now - 10;
    toy.wait(100);
    toy.tell(reserve(done, &[(1, 1)]), asked_at, Some((toy.now, Answer::OutcomeUnknown)));
    toy.tell(reserve(not_done, &[(1, 1)]), asked_at, Some((toy.now, Answer::OutcomeUnknown)));
    assert_eq!(
        toy.ask(reserve(done, &[(1, 1)])),
        Answer::Held { replayed: true, expires_at: Some(toy.state.orders[&done].expires_at) }
    );
    toy.is_clean();
}

#[test]
fn a_record_written_before_asking_gives_way_to_the_one_with_the_answer() {
    let mut toy = full_life();
    let mut open = toy.records.clone();
    open.iter_mut().for_each(|record| record.answered = None);
    toy.records.extend(open);
    toy.is_clean();
}

#[test]
fn carts_in_one_batch_are_one_step() {
    let mut toy = Toy::stocked(&[(1, 2), (2, 2)]);
    let (a, b, c) = (toy.id(), toy.id(), toy.id());
    let invoked = toy.now;
    toy.wait(10);
    let asked = [reserve(a, &[(1, 2), (2, 1)]), reserve(b, &[(1, 1)]), release(a), reserve(c, &[(2, 2)])];
    let answers = toy.batch(&asked);
    assert_eq!(answers[1], sold_out(1, 1, 0), "in the middle of the batch there is none");
    toy.wait(10);
    for (asked, answer) in asked.into_iter().zip(answers) {
        toy.tell(asked, invoked, Some((toy.now, answer)));
    }
    toy.is_clean();
}

#[test]
fn other_callers_may_have_asked_for_what_no_history_has() {
    let mut toy = full_life();
    let gone = toy.records.iter().position(|record| matches!(record.asked, Asked::Reserve { .. })).unwrap();
    toy.records.remove(gone);
    assert!(!toy.check().is_clean());
    let options = Options { callers: Callers::Some, ..Options::default() };
    let verdict = toy.check_with(&options);
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_pruned_journal_proves_less_and_accuses_nobody() {
    let mut toy = full_life();
    let mark = toy.journal[toy.journal.len() / 2].at;
    let last_of = |product: i64, toy: &Toy| {
        let has = |entry: &&inventory_core::journal::JournalEntry| {
            entry.at < mark && entry.products.iter().any(|after| after.product.get() == product)
        };
        toy.journal.iter().rev().find(has).map(|entry| entry.batch)
    };
    let kept = [last_of(1, &toy), last_of(2, &toy)];
    toy.journal.retain(|entry| entry.at >= mark || kept.contains(&Some(entry.batch)));
    assert!(!toy.check().is_clean());
    let options = Options { journal: Extent::PrunedBefore(mark), ..Options::default() };
    let verdict = toy.check_with(&options);
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.checked.unprovable > 0);
}

#[test]
fn i5_a_pruned_journal_still_proves_what_came_after_a_batch_that_it_has() {
    let mut toy = full_life();
    let mark = toy.journal[0].at;
    let options = Options { journal: Extent::PrunedBefore(mark), ..Options::default() };
    let (one, other) = (toy.id(), toy.id());
    let asked_at = toy.now;
    toy.wait(10);
    toy.tell(reserve(one, &[(1, 1)]), -5, Some((-1, held())));
    assert!(toy.check_with(&options).is_clean(), "before everything: it may have been pruned");
    toy.tell(reserve(other, &[(1, 1)]), asked_at, Some((toy.now, held())));
    let verdict = toy.check_with(&options);
    assert!(
        matches!(&verdict.violations[..], [Violation::AcknowledgedLost { of, .. }] if of.contains(&other.to_string())),
        "{verdict}"
    );
}

#[test]
fn an_answer_may_come_at_the_very_moment_of_the_next_question() {
    let mut toy = Toy::stocked(&[(1, 5)]);
    let (a, b) = (toy.id(), toy.id());
    toy.ask(reserve(a, &[(1, 1)]));
    let at = toy.now;
    toy.batch(&[reserve(b, &[(1, 1)])]);
    toy.tell(reserve(b, &[(1, 1)]), at, Some((at, held())));
    toy.is_clean();
}

#[test]
fn two_extensions_in_one_batch_have_an_end_each() {
    let mut toy = Toy::stocked(&[(1, 5)]);
    let order = toy.id();
    toy.ask(reserve(order, &[(1, 1)]));
    let invoked = toy.now;
    toy.wait(10);
    let asked = [extend(order, 2 * TTL), extend(order, 3 * TTL)];
    let answers = toy.batch(&asked);
    toy.wait(10);
    for (asked, answer) in asked.iter().zip(answers) {
        toy.tell(asked.clone(), invoked, Some((toy.now, answer)));
    }
    let mut one_unknown = toy.clone();
    let later = one_unknown.records.last_mut().and_then(|record| record.answered.as_mut()).unwrap();
    later.answer = Answer::OutcomeUnknown;
    for mut toy in [toy, one_unknown] {
        let end = Some(toy.state.orders[&order].expires_at);
        let replay = toy.ask(reserve(order, &[(1, 1)]));
        assert_eq!(replay, Answer::Held { replayed: true, expires_at: end });
        toy.is_clean();
    }
}

#[test]
fn what_was_refused_between_two_commands_of_one_batch_was_short_then() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let (stranger, order) = (toy.id(), toy.id());
    let invoked = toy.now;
    toy.wait(10);
    let asked = [reserve(stranger, &[(1, 2)]), reserve(order, &[(1, 1)]), release(stranger)];
    let refusal = toy.batch(&asked).remove(1);
    toy.wait(10);
    toy.tell(reserve(order, &[(1, 1)]), invoked, Some((toy.now, refusal)));
    // Whoever took it wrote no history.
    let verdict = toy.check_with(&Options { callers: Callers::Some, ..Options::default() });
    assert!(verdict.is_clean() && verdict.checked.sold_out == 1, "{verdict}");
}
