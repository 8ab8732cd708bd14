//! What facts about the stock mean to an order that ended.

use super::change::{Change, alarm, duplicate};
use super::{Action, Cell, Saga, Step, StockStatus};

const BROKEN: &str = "an ended order must not have this stock status";
const CONTRADICTION: &str = "inventory said otherwise before";

pub(super) fn reserved(saga: &Saga) -> Step {
    match saga.stock {
        StockStatus::Refused => Change::of(saga)
            .release()
            .end(Cell::Compensate, "one try was refused, but another went through late"),
        StockStatus::Releasing | StockStatus::Restocking | StockStatus::Abandoned => {
            duplicate(saga, "it is being undone")
        }
        StockStatus::Released | StockStatus::Restocked | StockStatus::Lost => {
            duplicate(saga, "that hold is over since")
        }
        StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed => {
            alarm(saga, BROKEN)
        }
    }
}

pub(super) fn committed(saga: &Saga) -> Step {
    match saga.stock {
        StockStatus::Releasing => Change::of(saga)
            .dropped(Action::ReleaseInventory, "the stock was committed before")
            .restock()
            .end(Cell::Compensate, "the commit was first, so the stock is given back"),
        StockStatus::Restocking | StockStatus::Restocked | StockStatus::Abandoned => {
            duplicate(saga, "known to be committed")
        }
        StockStatus::Refused | StockStatus::Released | StockStatus::Lost => alarm(saga, CONTRADICTION),
        StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed => {
            alarm(saga, BROKEN)
        }
    }
}

pub(super) fn lost(saga: &Saga) -> Step {
    match saga.stock {
        StockStatus::Releasing => duplicate(saga, "the release says when it is over"),
        StockStatus::Refused | StockStatus::Released | StockStatus::Lost | StockStatus::Abandoned => {
            duplicate(saga, "known to be over")
        }
        StockStatus::Restocking | StockStatus::Restocked => alarm(saga, CONTRADICTION),
        StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed => {
            alarm(saga, BROKEN)
        }
    }
}

pub(super) fn released(saga: &Saga) -> Step {
    match saga.stock {
        StockStatus::Releasing | StockStatus::Abandoned => Change::of(saga)
            .done(Action::ReleaseInventory)
            .stock(StockStatus::Released)
            .end(Cell::Compensate, "the stock is free again"),
        // Released already is success, whoever released it.
        StockStatus::Refused | StockStatus::Released | StockStatus::Lost => {
            duplicate(saga, "known to be over")
        }
        StockStatus::Restocking | StockStatus::Restocked => alarm(saga, CONTRADICTION),
        StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed => {
            alarm(saga, BROKEN)
        }
    }
}

pub(super) fn restocked(saga: &Saga) -> Step {
    match saga.stock {
        StockStatus::Restocking | StockStatus::Abandoned => Change::of(saga)
            .done(Action::RestockInventory)
            .stock(StockStatus::Restocked)
            .end(Cell::Compensate, "what was sold is back on the shelf"),
        StockStatus::Restocked => duplicate(saga, "known to be restocked"),
        StockStatus::Refused | StockStatus::Releasing | StockStatus::Released | StockStatus::Lost => {
            alarm(saga, CONTRADICTION)
        }
        StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed => {
            alarm(saga, BROKEN)
        }
    }
}
