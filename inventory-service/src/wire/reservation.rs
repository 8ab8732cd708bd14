//! Reservations, as told.

use inventory_core::clock::Timestamp;
use inventory_core::outcome::Reserved;
use inventory_core::reservation::{Reservation, Standing};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::items::{ItemBody, items_of};
use super::time::WireTime;

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Hold)]
pub struct HoldBody {
    /// The order.
    pub order_id: Uuid,
    /// `HELD`; a replay may find `COMMITTED`.
    pub status: &'static str,
    /// What is held now.
    pub items: Vec<ItemBody>,
    /// When it was made.
    pub created_at: WireTime,
    /// From then on it counts as expired.
    pub expires_at: WireTime,
    /// How far extend may go.
    pub max_expires_at: WireTime,
    /// Only for reserve: the same order had been reserved before, and nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<bool>,
}

impl HoldBody {
    fn new(reservation: &Reservation, replayed: Option<bool>) -> Self {
        Self {
            order_id: reservation.order.get(),
            status: reservation.status.name(),
            items: items_of(&reservation.lines),
            created_at: WireTime(reservation.created_at),
            expires_at: WireTime(reservation.expires_at),
            max_expires_at: WireTime(reservation.expires_at_max),
            replayed,
        }
    }
}

impl From<&Reserved> for HoldBody {
    fn from(reserved: &Reserved) -> Self {
        Self::new(&reserved.reservation, Some(reserved.replayed))
    }
}

/// Of an extended hold.
impl From<&Reservation> for HoldBody {
    fn from(reservation: &Reservation) -> Self {
        Self::new(reservation, None)
    }
}

/// A committed order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Committed)]
pub struct CommittedBody {
    /// The order.
    pub order_id: Uuid,
    /// `COMMITTED`.
    pub status: &'static str,
    /// What was committed.
    pub items: Vec<ItemBody>,
    /// The commit came at or after the hold's end, and the stock was still free.
    pub late: bool,
}

impl From<&Reservation> for CommittedBody {
    fn from(reservation: &Reservation) -> Self {
        Self {
            order_id: reservation.order.get(),
            status: reservation.status.name(),
            items: items_of(&reservation.lines),
            late: reservation.late,
        }
    }
}

/// A released order, or what is left of its hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Released)]
pub struct ReleasedBody {
    /// The order.
    pub order_id: Uuid,
    /// `RELEASED`, or `HELD` after a part was released.
    pub status: &'static str,
    /// What is still held; of an ended hold, what it held when it ended.
    pub items: Vec<ItemBody>,
}

impl From<&Reservation> for ReleasedBody {
    fn from(reservation: &Reservation) -> Self {
        Self {
            order_id: reservation.order.get(),
            status: reservation.status.name(),
            items: items_of(&reservation.lines),
        }
    }
}

/// A reservation, read back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reservation)]
pub struct ReservationBody {
    /// The order.
    pub order_id: Uuid,
    /// Where it stands at the store's time: a hold past its end reads `EXPIRED`, swept or not.
    pub status: &'static str,
    /// What is held or was committed; of an ended hold, what it held when it ended.
    pub items: Vec<ItemBody>,
    /// What reserve asked for. Empty for a release that came before its reserve.
    pub requested: Vec<ItemBody>,
    /// Who buys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// When it was made.
    pub created_at: WireTime,
    /// From then on it counts as expired.
    pub expires_at: WireTime,
    /// How far extend may go.
    pub max_expires_at: WireTime,
    /// When it left `HELD`; of a hold past its end that the sweeper has not met yet, its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<WireTime>,
    /// Committed at or after its end.
    pub late: bool,
}

impl ReservationBody {
    /// As it stands at `now`, the store's time.
    pub fn at(reservation: &Reservation, now: Timestamp) -> Self {
        let standing = reservation.standing(now);
        let overdue_since = (standing == Standing::Overdue).then_some(reservation.expires_at);
        Self {
            order_id: reservation.order.get(),
            status: status_of(standing),
            items: items_of(&reservation.lines),
            requested: items_of(&reservation.requested),
            customer_id: reservation.customer.as_ref().map(|customer| customer.as_str().to_owned()),
            created_at: WireTime(reservation.created_at),
            expires_at: WireTime(reservation.expires_at),
            max_expires_at: WireTime(reservation.expires_at_max),
            ended_at: reservation.ended_at.or(overdue_since).map(WireTime),
            late: reservation.late,
        }
    }
}

fn status_of(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "HELD",
        Standing::Committed => "COMMITTED",
        Standing::Released => "RELEASED",
        Standing::Expired | Standing::Overdue => "EXPIRED",
        Standing::Lost => "LOST",
    }
}

#[cfg(test)]
mod tests {
    use inventory_core::ids::{OrderId, ProductId};
    use inventory_core::lines::Lines;
    use inventory_core::quantity::Quantity;
    use inventory_core::reservation::Status;
    use serde_json::json;

    use super::*;

    fn held() -> Reservation {
        Reservation {
            order: OrderId::new(Uuid::nil()),
            status: Status::Held,
            customer: None,
            requested: Lines::one(ProductId::new(7), Quantity::new(3).unwrap()),
            lines: Lines::one(ProductId::new(7), Quantity::new(2).unwrap()),
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_micros(900_000_000),
            expires_at_max: Timestamp::from_micros(3_600_000_000),
            ended_at: None,
            late: false,
        }
    }

    #[test]
    fn i8_a_hold_reads_expired_from_its_end_on_swept_or_not() {
        let hold = held();
        let before = ReservationBody::at(&hold, Timestamp::from_micros(899_999_999));
        assert_eq!((before.status, before.ended_at), ("HELD", None));
        let after = ReservationBody::at(&hold, hold.expires_at);
        assert_eq!((after.status, after.ended_at), ("EXPIRED", Some(WireTime(hold.expires_at))));
    }

    #[test]
    fn ended_reservations_read_as_they_ended_whatever_the_time() {
        for status in [Status::Committed, Status::Released, Status::Expired, Status::Lost] {
            let ended = Reservation { status, ended_at: Some(Timestamp::from_micros(1)), ..held() };
            let body = ReservationBody::at(&ended, Timestamp::from_micros(i64::MAX));
            assert_eq!(body.status, status.name());
            assert_eq!(body.ended_at, Some(WireTime(Timestamp::from_micros(1))));
        }
    }

    #[test]
    fn a_hold_is_written_as_the_contract_says() {
        let reserved = Reserved { reservation: held(), replayed: false };
        assert_eq!(
            serde_json::to_value(HoldBody::from(&reserved)).unwrap(),
            json!({"orderId": Uuid::nil(), "status": "HELD", "items": [{"productId": 7, "quantity": 2}],
                "createdAt": "1970-01-01T00:00:00.000000Z", "expiresAt": "1970-01-01T00:15:00.000000Z",
                "maxExpiresAt": "1970-01-01T01:00:00.000000Z", "replayed": false})
        );
        let committed = Reservation { status: Status::Committed, late: true, ..held() };
        assert_eq!(
            serde_json::to_value(CommittedBody::from(&committed)).unwrap(),
            json!({"orderId": Uuid::nil(), "status": "COMMITTED", "items": [{"productId": 7, "quantity": 2}],
                "late": true})
        );
    }
}
