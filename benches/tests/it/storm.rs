use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::storm::Plan;
use benches::workload::Shape;

/// A round fails by itself if a hold is not gone, is gone before its time, or if callers are told something else than the ledger says.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_ends_every_hold_while_callers_go_on() -> Result<()> {
    let arena = Arena::open(None).await?;
    let plan = Plan {
        holds: 500,
        within: Duration::from_millis(200),
        shapes: vec![Shape::Hot],
        callers: vec![8],
        rounds: 1,
        lead: Duration::from_secs(3),
        before: Duration::from_millis(500),
    };
    let report = plan.run(&arena).await?;
    let [storm] = report.rounds.as_slice() else { panic!("{report:?}") };
    // Each hold has its own end: spread over the time that was asked for, less a batch.
    assert!(storm.due_within_ms > 100.0, "{storm:?}");
    // A machine that stands still for half a second answers nobody in one of the two times.
    let answered = storm.before_per_second + storm.during_per_second;
    assert!(storm.storm_ms > storm.due_within_ms && answered > 0.0, "{storm:?}");
    assert!(report.markdown().contains("| One hot product | 8 |"));
    Ok(())
}
