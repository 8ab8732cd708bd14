//! Answers that a broken ledger would give.

use inventory_core::journal::ChangeKind;
use ledger_check::Violation;
use ledger_check::history::{Answer, Asked};
use uuid::Uuid;

use crate::toy::{
    TTL, Toy, adjust, commit, commit_part, extend, held, release, release_part, reserve, sold_out,
};

fn shop() -> (Toy, Uuid) {
    let mut toy = Toy::stocked(&[(1, 10), (2, 10)]);
    let order = toy.id();
    (toy, order)
}

fn replayed() -> Answer {
    Answer::Held { replayed: true, expires_at: None }
}

#[test]
fn i5_an_acknowledgement_before_the_commit_is_found_when_the_commit_is_lost() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.journal.pop();
    let lost = toy.records[2].sequence;
    toy.is_caught(
        |v| matches!(v, Violation::AcknowledgedLost { operation, .. } if operation.sequence == lost),
    );
}

#[test]
fn i5_every_kind_of_acknowledgement_is_looked_for() {
    let lost = |asked: &dyn Fn(Uuid) -> Asked| {
        let (mut toy, a) = shop();
        toy.ask(reserve(a, &[(1, 3)]));
        toy.wait(10);
        let answer = toy.ask(asked(a));
        toy.is_clean();
        toy.journal.pop();
        let name = asked(a).name();
        toy.is_caught(
            |v| matches!(v, Violation::AcknowledgedLost { operation, .. } if operation.asked == name),
        );
        answer
    };
    assert_eq!(lost(&commit), Answer::Committed { late: false });
    assert_eq!(lost(&release), Answer::Released);
    assert_eq!(lost(&|a| release_part(a, &[(1, 1)])), Answer::Released);
    assert_eq!(lost(&|_| adjust("key", 1, 5)), Answer::Adjusted { replayed: false });
    assert_eq!(lost(&|_| Asked::Set { product: 1, on_hand: 7 }), Answer::Stored { changed: true });
}

#[test]
fn i5_an_extension_that_is_lost_is_found_by_the_end_that_was_told() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 3)]));
    toy.ask(extend(a, 2 * TTL));
    toy.is_clean();
    toy.journal.pop();
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { operation, .. } if operation.asked == "extend"));
}

#[test]
fn i5_an_acknowledged_commit_of_other_quantities_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 3)]));
    toy.ask(commit_part(a, &[(1, 2)]));
    toy.is_clean();
    toy.records[3].asked = commit_part(a, &[(1, 1)]);
    toy.is_caught(|v| matches!(v, Violation::AcknowledgedOtherwise { .. }));
}

#[test]
fn i5_an_acknowledged_adjustment_of_another_amount_is_found() {
    let (mut toy, _) = shop();
    toy.ask(adjust("key", 1, 5));
    toy.records[2].asked = adjust("key", 1, 6);
    toy.is_caught(|v| matches!(v, Violation::AcknowledgedOtherwise { of, .. } if of == "adjustment key"));
}

#[test]
fn i5_another_customers_hold_is_found() {
    let (mut toy, a) = shop();
    let asked = |customer: &str| Asked::Reserve {
        order: a,
        lines: vec![ledger_check::history::Line { product: 1, quantity: 1 }],
        customer: Some(customer.to_owned()),
        ttl_micros: None,
    };
    toy.ask(asked("ann"));
    toy.is_clean();
    toy.records[2].asked = asked("bob");
    toy.is_caught(|v| matches!(v, Violation::AcknowledgedOtherwise { why, .. } if why.contains("customer")));
}

#[test]
fn i6_a_resolver_that_only_reads_is_found_when_the_aborted_batch_appears() {
    let (mut toy, a) = shop();
    let asked_at = toy.now;
    toy.wait(10);
    toy.tell(reserve(a, &[(1, 1)]), asked_at, Some((toy.now, Answer::Unavailable)));
    // The orphaned backend commits after all.
    toy.wait(10);
    toy.batch(&[reserve(a, &[(1, 1)])]);
    toy.is_caught(|v| matches!(v, Violation::FailedButHappened { answer, .. } if answer == "unavailable"));
    // A repeat that is told "replayed" does not excuse it.
    toy.ask(reserve(a, &[(1, 1)]));
    toy.is_caught(|v| matches!(v, Violation::FailedButHappened { .. }));
}

#[test]
fn i6_a_refused_command_that_left_a_trace_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(release(a));
    toy.records[3].answered.as_mut().unwrap().answer = Answer::Overloaded;
    toy.is_caught(
        |v| matches!(v, Violation::FailedButHappened { operation, .. } if operation.asked == "release"),
    );
    let (mut toy, _) = shop();
    toy.ask(adjust("key", 1, 5));
    toy.records[2].answered.as_mut().unwrap().answer = Answer::Unavailable;
    toy.is_caught(
        |v| matches!(v, Violation::FailedButHappened { operation, .. } if operation.asked == "adjust"),
    );
}

#[test]
fn i7_the_repeat_of_the_order_that_took_the_last_unit_must_not_be_sold_out() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 10)]));
    toy.pretend(reserve(a, &[(1, 10)]), sold_out(1, 10, 0));
    toy.is_caught(|v| matches!(v, Violation::ReplayRefused { order, .. } if *order == a));
}

#[test]
fn i7_a_repeat_that_came_before_the_hold_was_known_may_be_sold_out() {
    let (mut toy, a) = shop();
    let asked_at = toy.now;
    toy.wait(10);
    toy.batch(&[reserve(a, &[(1, 10)])]);
    toy.wait(10);
    toy.tell(reserve(a, &[(1, 10)]), asked_at, Some((toy.now, sold_out(1, 10, 0))));
    toy.tell(reserve(a, &[(1, 10)]), asked_at, Some((toy.now, held())));
    toy.is_clean();
}

#[test]
fn i7_a_committed_order_is_not_unknown() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(commit(a));
    toy.pretend(reserve(a, &[(1, 1)]), Answer::NotFound);
    toy.is_caught(|v| matches!(v, Violation::ReplayRefused { .. }));
    toy.pretend(commit(a), Answer::NotFound);
    toy.is_caught(|v| matches!(v, Violation::Unfounded { operation, was, .. } if operation.asked == "commit" && was == "COMMITTED"));
}

#[test]
fn i7_one_order_that_holds_anew_twice_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.pretend(reserve(a, &[(1, 1)]), held());
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { why, .. } if why.contains("anew")));
}

#[test]
fn i7_a_replay_of_other_lines_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.pretend(reserve(a, &[(1, 2)]), replayed());
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { why, .. } if why.contains("asks for 2")));
}

#[test]
fn i7_a_conflict_with_oneself_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.pretend(reserve(a, &[(1, 1)]), Answer::Conflict);
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { why, .. } if why.contains("conflict")));
}

#[test]
fn i7_a_commit_that_is_late_only_sometimes_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(commit(a));
    toy.pretend(commit(a), Answer::Committed { late: true });
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { operation, .. } if operation.asked == "commit"));
}

#[test]
fn i7_a_replay_with_another_end_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    let end = toy.state.orders[&a].expires_at;
    toy.pretend(reserve(a, &[(1, 1)]), Answer::Held { replayed: true, expires_at: Some(end + 1) });
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { why, .. } if why.contains("ends at")));
}

#[test]
fn i5_a_commit_that_was_late_and_is_not_called_so_is_found() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.wait(2 * i64::try_from(TTL).unwrap());
    assert_eq!(toy.ask(commit(a)), Answer::Committed { late: true });
    toy.is_clean();
    toy.records[3].answered.as_mut().unwrap().answer = Answer::Committed { late: false };
    toy.is_caught(|v| matches!(v, Violation::AcknowledgedOtherwise { why, .. } if why.contains("late")));
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(commit(a));
    toy.records[3].answered.as_mut().unwrap().answer = Answer::Committed { late: true };
    toy.is_caught(|v| matches!(v, Violation::AcknowledgedOtherwise { why, .. } if why.contains("in time")));
}

#[test]
fn i7_states_that_an_order_never_had_are_found() {
    let untrue = [
        (Answer::AlreadyReleased, "release"),
        (Answer::AlreadyCommitted, "commit"),
        (Answer::Expired, "commit"),
    ];
    for (answer, _) in untrue {
        let (mut toy, a) = shop();
        toy.ask(reserve(a, &[(1, 1)]));
        let asked = if answer == Answer::AlreadyCommitted { release(a) } else { commit(a) };
        toy.pretend(asked, answer.clone());
        toy.is_caught(|v| matches!(v, Violation::Unfounded { was, .. } if was == "HELD"));
    }
}

#[test]
fn i7_a_state_that_is_over_must_not_be_answered() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(release(a));
    toy.pretend(reserve(a, &[(1, 1)]), replayed());
    toy.is_caught(|v| matches!(v, Violation::Unfounded { was, .. } if was == "RELEASED"));
}

#[test]
fn i7_an_adjustment_that_is_made_twice_is_found() {
    let (mut toy, _) = shop();
    toy.ask(adjust("key", 1, 5));
    let mut again = toy.journal[2].clone();
    again.batch = inventory_core::ids::BatchId::new(Uuid::from_u128(77));
    toy.journal.push(again);
    toy.is_caught(|v| matches!(v, Violation::MoreThanOnce { did: "adjust", done: 2, .. }));
    let (mut toy, _) = shop();
    toy.ask(adjust("key", 1, 5));
    toy.pretend(adjust("key", 1, 5), Answer::Adjusted { replayed: false });
    toy.is_caught(|v| matches!(v, Violation::ReplayChanged { of, .. } if of == "adjustment key"));
}

#[test]
fn i5_an_acknowledged_partial_release_must_have_its_own_effect() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 5)]));
    toy.ask(release_part(a, &[(1, 1)]));
    toy.pretend(release_part(a, &[(1, 1)]), Answer::Released);
    toy.is_caught(
        |v| matches!(v, Violation::AcknowledgedLost { operation, .. } if operation.asked == "release"),
    );
    // Under one key both are one.
    for record in &mut toy.records[3..] {
        if let Asked::Release { key, .. } = &mut record.asked {
            *key = Some("once".to_owned());
        }
    }
    toy.is_clean();
}

#[test]
fn a_partial_commit_is_not_a_partial_release_from_nowhere() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 5), (2, 1)]));
    toy.ask(commit_part(a, &[(1, 2)]));
    toy.is_clean();
    toy.records[3].asked = commit(a);
    toy.is_caught(|v| matches!(v, Violation::FromNowhere { did: "release_part", .. }));
}

#[test]
fn a_record_that_cannot_be_is_named() {
    let (mut toy, a) = shop();
    toy.pretend(reserve(a, &[(1, 1)]), Answer::Released);
    toy.is_caught(|v| matches!(v, Violation::HistoryRecord { .. }));
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    let mut twin = toy.records[2].clone();
    twin.invoked_at -= 1;
    toy.records.push(twin);
    toy.is_caught(|v| matches!(v, Violation::HistoryRecord { why, .. } if why.contains("twice")));
}

#[test]
fn violations_are_bounded_and_all_are_counted() {
    let (mut toy, _) = shop();
    for _ in 0..20 {
        let order = toy.id();
        toy.force(order, ChangeKind::Tombstone, &[]);
    }
    let options = ledger_check::Options { violations_kept_max: 3, ..ledger_check::Options::default() };
    let verdict = toy.check_with(&options);
    assert_eq!((verdict.violations.len(), verdict.violations_total), (3, 20));
    assert!(verdict.to_string().ends_with("… and 17 more"), "{verdict}");
    let json = verdict.to_json();
    assert_eq!(json["violations"][0]["invariant"], "I6");
    assert_eq!(json["violations"][0]["kind"], "fromNowhere");
    assert!(json["violations"][0]["detail"].as_str().unwrap().contains("nobody asked for it"));
}

#[test]
fn i7_an_order_that_is_known_to_hold_only_by_what_came_after_it_is_no_new_one() {
    let (mut toy, a) = shop();
    let asked_at = toy.now;
    toy.wait(10);
    toy.batch(&[reserve(a, &[(1, 10)])]);
    toy.tell(reserve(a, &[(1, 10)]), asked_at, None);
    toy.ask(adjust("delivery", 1, 1));
    toy.pretend(reserve(a, &[(1, 10)]), sold_out(1, 10, 1));
    toy.is_caught(|v| matches!(v, Violation::ReplayRefused { .. }));
}

#[test]
fn i7_a_state_that_is_to_come_must_not_be_answered() {
    let (mut toy, a) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.pretend(commit(a), Answer::AlreadyReleased);
    toy.ask(release(a));
    toy.is_caught(|v| matches!(v, Violation::Unfounded { was, .. } if was == "HELD"));
    toy.is_caught(|v| matches!(v, Violation::TimeOrder { invoked, .. } if invoked.asked == "release"));
}
