//! The answers to reserve, commit and release as JSON, by hand: they are all that a flash sale reads, and none of what stands in them needs
//! escaping, for which serde looks at every byte. What they must read like is said by [`HoldBody`](super::reservation::HoldBody),
//! [`CommittedBody`](super::reservation::CommittedBody) and [`ReleasedBody`](super::reservation::ReleasedBody).

use inventory_core::clock::Timestamp;
use inventory_core::lines::Lines;
use inventory_core::outcome::Reserved;
use inventory_core::reservation::Reservation;
use uuid::Uuid;

use super::time::WireTime;

/// Room for everything but lines: names, an id and three times.
const BYTES: usize = 256;
/// Room for a line: two names and two numbers.
const LINE_BYTES: usize = 64;

/// As [`HoldBody`](super::reservation::HoldBody) of an answered reserve.
pub fn held(reserved: &Reserved) -> Vec<u8> {
    let reservation = &reserved.reservation;
    let mut text = begin(reservation);
    time(&mut text, b",\"createdAt\":\"", reservation.created_at);
    time(&mut text, b"\",\"expiresAt\":\"", reservation.expires_at);
    time(&mut text, b"\",\"maxExpiresAt\":\"", reservation.expires_at_max);
    text.extend_from_slice(if reserved.replayed {
        b"\",\"replayed\":true}"
    } else {
        b"\",\"replayed\":false}"
    });
    text
}

/// As [`CommittedBody`](super::reservation::CommittedBody).
pub fn committed(reservation: &Reservation) -> Vec<u8> {
    let mut text = begin(reservation);
    text.extend_from_slice(if reservation.late { b",\"late\":true}" } else { b",\"late\":false}" });
    text
}

/// As [`ReleasedBody`](super::reservation::ReleasedBody).
pub fn released(reservation: &Reservation) -> Vec<u8> {
    let mut text = begin(reservation);
    text.push(b'}');
    text
}

/// Order, status and lines, which all of them begin with.
fn begin(reservation: &Reservation) -> Vec<u8> {
    let mut text = Vec::with_capacity(BYTES + LINE_BYTES * reservation.lines.len());
    text.extend_from_slice(b"{\"orderId\":\"");
    text.extend_from_slice(
        reservation.order.get().hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes(),
    );
    text.extend_from_slice(b"\",\"status\":\"");
    text.extend_from_slice(reservation.status.name().as_bytes());
    text.extend_from_slice(b"\",\"items\":");
    items(&mut text, &reservation.lines);
    text
}

fn items(text: &mut Vec<u8>, lines: &Lines) {
    let mut digits = itoa::Buffer::new();
    text.push(b'[');
    for (at, line) in lines.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"{\"productId\":" } else { b",{\"productId\":" });
        text.extend_from_slice(digits.format(line.product.get()).as_bytes());
        text.extend_from_slice(b",\"quantity\":");
        text.extend_from_slice(digits.format(line.quantity.get()).as_bytes());
        text.push(b'}');
    }
    text.push(b']');
}

fn time(text: &mut Vec<u8>, before: &[u8], at: Timestamp) {
    text.extend_from_slice(before);
    WireTime(at).write(text);
}

#[cfg(test)]
mod tests {
    use inventory_core::ids::{OrderId, ProductId};
    use inventory_core::lines::Line;
    use inventory_core::quantity::Quantity;
    use inventory_core::reservation::Status;

    use super::*;
    use crate::wire::reservation::{CommittedBody, HoldBody, ReleasedBody};

    fn reservations() -> Vec<Reservation> {
        let line = |product, quantity| Line {
            product: ProductId::new(product),
            quantity: Quantity::new(quantity).unwrap(),
        };
        let carts = [
            Lines::none(),
            Lines::stored([line(1, 1)]),
            Lines::stored([line(i64::MIN, 2_147_483_647), line(-7, 10), line(i64::MAX, 3)]),
        ];
        let times = [0, 1_700_000_000_123_456, 253_402_300_799_999_999, -1, i64::MAX];
        let statuses = [Status::Held, Status::Committed, Status::Released, Status::Expired];
        let mut all = Vec::new();
        for (number, lines) in carts.into_iter().enumerate() {
            for (at, status) in times.into_iter().zip(statuses.into_iter().cycle()) {
                all.push(Reservation {
                    order: OrderId::new(Uuid::from_u128(u128::MAX / (3 + number as u128))),
                    status,
                    customer: None,
                    requested: lines.clone(),
                    lines: lines.clone(),
                    created_at: Timestamp::from_micros(at),
                    expires_at: Timestamp::from_micros(at / 2),
                    expires_at_max: Timestamp::from_micros(at / 3),
                    ended_at: None,
                    late: number % 2 == 1,
                });
            }
        }
        all
    }

    #[test]
    fn what_is_written_by_hand_is_what_serde_writes() {
        let by_serde =
            |body: &dyn Fn() -> serde_json::Result<Vec<u8>>| String::from_utf8(body().unwrap()).unwrap();
        let by_hand = |text| String::from_utf8(text).unwrap();
        for reservation in reservations() {
            for replayed in [false, true] {
                let reserved = Reserved { reservation: reservation.clone(), replayed };
                let body = HoldBody::from(&reserved);
                assert_eq!(by_hand(held(&reserved)), by_serde(&|| serde_json::to_vec(&body)));
            }
            let body = CommittedBody::from(&reservation);
            assert_eq!(by_hand(committed(&reservation)), by_serde(&|| serde_json::to_vec(&body)));
            let body = ReleasedBody::from(&reservation);
            assert_eq!(by_hand(released(&reservation)), by_serde(&|| serde_json::to_vec(&body)));
        }
    }
}
