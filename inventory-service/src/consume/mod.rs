//! What inventory does when others tell it something. Every event goes through the same engine and writer as a request; the event's id
//! goes along as the delivery, so that inbox row and effect are durable together.
//!
//! | event | does | may answer |
//! | --- | --- | --- |
//! | `order.confirmed` | commits the stock, if that was not done by REST already | lost: the engine has announced `inventory.commit.failed` |
//! | `order.failed`, `order.cancelled` | releases the hold; of an unknown order leaves a tombstone | committed already: the order gives it back by adjustments |
//! | `order.created` (choreography) | reserves; refused: a tombstone, announced as `inventory.stock.reservation-failed` | |

mod cancelled;
mod confirmed;
mod created;

use async_trait::async_trait;
use event_contracts::topics;
use inventory_core::engine::Engine;
use inventory_core::error::Failure;
use inventory_core::ids::{Delivery, Note};
use service_kit::events::{HandleError, Handled, Handler, Incoming};

/// The group's name.
const GROUP: &str = "inventory-service";

/// Handles what orders tell.
#[derive(Clone)]
pub struct OrderEvents {
    engine: Engine,
    choreography: bool,
}

impl OrderEvents {
    /// Where the order service leads.
    pub fn new(engine: Engine) -> Self {
        Self { engine, choreography: false }
    }

    /// Where nobody leads: reserves on `order.created`, too. The engine must have been opened with
    /// [`crate::InventoryEvents::for_choreography`].
    pub fn for_choreography(engine: Engine) -> Self {
        Self { engine, choreography: true }
    }
}

#[async_trait]
impl Handler for OrderEvents {
    fn group(&self) -> &'static str {
        GROUP
    }

    fn topics(&self) -> &'static [&'static str] {
        const LED: &[&str] = &[topics::ORDER_CONFIRMED, topics::ORDER_FAILED, topics::ORDER_CANCELLED];
        const UNLED: &[&str] =
            &[topics::ORDER_CREATED, topics::ORDER_CONFIRMED, topics::ORDER_FAILED, topics::ORDER_CANCELLED];
        if self.choreography { UNLED } else { LED }
    }

    async fn handle(&self, event: &Incoming) -> Result<Handled, HandleError> {
        match event.event_type.as_str() {
            topics::ORDER_CONFIRMED => confirmed::commit(&self.engine, event).await,
            topics::ORDER_FAILED => cancelled::release_failed(&self.engine, event).await,
            topics::ORDER_CANCELLED => cancelled::release_cancelled(&self.engine, event).await,
            topics::ORDER_CREATED if self.choreography => created::reserve(&self.engine, event).await,
            _ => Ok(Handled::Ignored),
        }
    }
}

/// A newer version than this code knows must not be guessed at.
fn known_version(event: &Incoming) -> Result<(), HandleError> {
    let newest = event_contracts::orders::VERSION;
    if event.version > newest {
        let why = format!(
            "{} version {} is newer than {newest}; update this service",
            event.event_type, event.version
        );
        return Err(HandleError::Permanent(why));
    }
    Ok(())
}

/// The event's id as the engine takes note of it.
fn delivery(event: &Incoming) -> Result<Delivery, HandleError> {
    let note = |text: &str| Note::parse(text).map_err(|error| HandleError::Permanent(error.to_string()));
    Ok(Delivery { consumer: note(&event.event_type)?, message: note(&event.id.to_string())? })
}

/// Neither yes nor no. Only what the store refused for good is never going to work.
fn failed(failure: &Failure) -> HandleError {
    match failure {
        Failure::Overloaded | Failure::Unavailable { .. } | Failure::OutcomeUnknown | Failure::Stopped => {
            HandleError::Transient(failure.to_string())
        }
        Failure::Refused { .. } => HandleError::Permanent(failure.to_string()),
    }
}
