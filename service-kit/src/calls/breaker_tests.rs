use super::*;

const OPTIONS: BreakerOptions =
    BreakerOptions { window: 4, failures_to_open: 3, open_for: Duration::from_secs(10) };

fn breaker() -> (Breaker, Instant) {
    (Breaker::new(OPTIONS), Instant::now())
}

fn fail(breaker: &Breaker, now: Instant, times: u32) {
    (0..times).for_each(|_| breaker.admit(now).unwrap().failed(now));
}

#[test]
fn it_opens_when_enough_of_the_last_outcomes_failed_and_says_how_long() {
    let (breaker, now) = breaker();
    fail(&breaker, now, 2);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, now, 1);
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.admit(now).unwrap_err(), Duration::from_secs(10));
    assert_eq!(breaker.admit(now + Duration::from_secs(4)).unwrap_err(), Duration::from_secs(6));
}

#[test]
fn failures_that_left_the_window_count_no_more() {
    let (breaker, now) = breaker();
    fail(&breaker, now, 2);
    (0..2).for_each(|_| breaker.admit(now).unwrap().succeeded());
    // The window now holds F F S S; each further failure pushes an old one out.
    fail(&breaker, now, 2);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, now, 1);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn half_open_lets_one_probe_through_and_its_success_closes_with_a_clean_slate() {
    let (breaker, now) = breaker();
    fail(&breaker, now, 3);
    let later = now + OPTIONS.open_for;
    let probe = breaker.admit(later).unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.admit(later).unwrap_err() > Duration::ZERO);
    probe.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, later, 2);
    assert_eq!(breaker.state(), BreakerState::Closed, "old failures are forgotten");
}

#[test]
fn a_probe_that_fails_opens_it_again_for_the_whole_time() {
    let (breaker, now) = breaker();
    fail(&breaker, now, 3);
    let later = now + OPTIONS.open_for;
    breaker.admit(later).unwrap().failed(later);
    assert_eq!(breaker.admit(later).unwrap_err(), OPTIONS.open_for);
}

#[test]
fn a_probe_that_is_dropped_gives_its_place_to_the_next() {
    let (breaker, now) = breaker();
    fail(&breaker, now, 3);
    let later = now + OPTIONS.open_for;
    drop(breaker.admit(later).unwrap());
    breaker.admit(later).unwrap().succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn what_began_before_the_state_changed_counts_for_nothing() {
    let (breaker, now) = breaker();
    let old: [Permit<'_>; 4] = std::array::from_fn(|_| breaker.admit(now).unwrap());
    let [early_success, old_success, old_failure, unsaid] = old;
    fail(&breaker, now, 3);
    early_success.succeeded();
    assert_eq!(breaker.state(), BreakerState::Open);
    let later = now + OPTIONS.open_for;
    let probe = breaker.admit(later).unwrap();
    old_success.succeeded();
    old_failure.failed(later);
    drop(unsaid);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_permit_dropped_while_closed_changes_nothing() {
    let (breaker, now) = breaker();
    (0..10).for_each(|_| drop(breaker.admit(now).unwrap()));
    assert_eq!(breaker.state(), BreakerState::Closed);
}
