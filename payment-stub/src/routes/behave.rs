//! The misbehaviour of calls, around what they do.

use std::time::Duration;

use service_kit::Problem;
use uuid::Uuid;

use crate::flaky::{Fate, Operation, fate};
use crate::method::Behaviour;
use crate::problems;
use crate::state::App;
use crate::store::count_try;

/// What is to become of this call. An error is its answer: nothing was done.
pub(super) async fn before(
    app: &App,
    behaviour: Behaviour,
    id: Uuid,
    operation: Operation,
) -> Result<Fate, Problem> {
    let Behaviour::Flaky(percent) = behaviour else { return Ok(Fate::Answered) };
    let nth_try = count_try(app.database(), id, operation).await.map_err(problems::read)?;
    match fate(percent, id, operation, nth_try) {
        Fate::FailsBefore => {
            app.counts().misbehaved.increment(1);
            Err(problems::flaky())
        }
        later @ (Fate::Answered | Fate::FailsAfter | Fate::Hangs) => Ok(later),
    }
}

/// Holds back, or spoils, the answer of a call that was done.
pub(super) async fn after(app: &App, behaviour: Behaviour, fate: Fate) -> Result<(), Problem> {
    match fate {
        Fate::Answered => {
            pause(app, behaviour.answers_after()).await;
            Ok(())
        }
        Fate::FailsBefore | Fate::FailsAfter => {
            app.counts().misbehaved.increment(1);
            Err(problems::flaky())
        }
        Fate::Hangs => {
            app.counts().misbehaved.increment(1);
            pause(app, app.options().hang).await;
            Err(problems::flaky())
        }
    }
}

/// Waits, but not longer than the service lives.
async fn pause(app: &App, duration: Duration) {
    if duration.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = app.draining() => {}
    }
}
