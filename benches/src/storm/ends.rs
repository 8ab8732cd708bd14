//! How late each hold was gone, by the database's clock alone.
//!
//! A hold is gone when the batch that ended it is committed. The server does not say when that was, but there is one writer, and its
//! next batch begins, with its fence and the time of it, only after that commit: so a hold was gone *at the latest* at the first
//! fence after the time at which it was judged.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use inventory_core::clock::Timestamp;
use inventory_core::reservation::Status;
use sqlx::PgConnection;

/// What became of holds.
#[derive(Clone, Debug)]
pub struct Ends {
    /// When each was due, and when it was gone for certain. Sorted.
    pub ends: Vec<(Timestamp, Timestamp)>,
}

/// The database's clock, read once and followed by ours.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseClock {
    at: Timestamp,
    here: Instant,
}

impl Ends {
    /// Of all expired holds of a ledger that one engine has written.
    pub async fn read(conn: &mut PgConnection) -> Result<Self> {
        const EXPIRED: &str = "SELECT expires_at, ended_at FROM inventory_service_schema.reservations \
             WHERE status = $1 ORDER BY expires_at";
        const FENCES: &str = "SELECT at FROM inventory_service_schema.commit_batch ORDER BY at";
        let expired: Vec<(Timestamp, Timestamp)> =
            sqlx::query_as(EXPIRED).bind(i16::from(Status::Expired.code())).fetch_all(&mut *conn).await?;
        let fences: Vec<Timestamp> = sqlx::query_scalar(FENCES).fetch_all(conn).await?;
        Self::of(&expired, &fences)
    }

    /// Of holds with their end and the time at which it was judged, and of the sorted times of all fences.
    pub fn of(expired: &[(Timestamp, Timestamp)], fences: &[Timestamp]) -> Result<Self> {
        let gone = |(due, judged): &(Timestamp, Timestamp)| {
            ensure!(judged >= due, "a hold was ended before its time");
            let next = fences.partition_point(|fence| fence <= judged);
            let gone = fences.get(next).context("no batch came after the last one of the storm")?;
            Ok((*due, *gone))
        };
        let mut ends = expired.iter().map(gone).collect::<Result<Vec<_>>>()?;
        ends.sort_unstable();
        Ok(Self { ends })
    }

    /// When the first was due, and the last; when the last was gone.
    pub fn span(&self) -> Result<(Timestamp, Timestamp, Timestamp)> {
        let (first, last) = self.ends.first().zip(self.ends.last()).context("no hold has expired")?;
        let gone = self.ends.iter().map(|(_, gone)| *gone).max().unwrap_or(last.1);
        Ok((first.0, last.0, gone))
    }

    /// Lateness that this share of holds did not exceed, for each of the shares.
    pub fn lateness<const N: usize>(&self, shares: [f64; N]) -> [Duration; N] {
        let mut late: Vec<Duration> = self.ends.iter().map(|(due, gone)| gone.since(*due)).collect();
        late.sort_unstable();
        shares.map(|share| late.get(rank(share, late.len())).copied().unwrap_or_default())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within the list: not negative and no larger than its length"
)]
fn rank(share: f64, length: usize) -> usize {
    ((share * length as f64).ceil() as usize).clamp(1, length.max(1)) - 1
}

impl DatabaseClock {
    /// Reads it.
    pub async fn read(conn: &mut PgConnection) -> Result<Self> {
        let asked = Instant::now();
        let at = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(conn).await?;
        Ok(Self { at, here: asked + asked.elapsed() / 2 })
    }

    /// What it says now.
    pub fn now(&self) -> Timestamp {
        self.at.plus(self.here.elapsed())
    }

    /// Our moment at which it says this.
    pub fn moment(&self, at: Timestamp) -> Instant {
        let earlier = self.here.checked_sub(self.at.since(at)).unwrap_or(self.here);
        earlier + at.since(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_hold_is_gone_when_the_batch_after_its_own_begins() {
        let fences = [at(10), at(20), at(30), at(40)];
        // Judged a moment after its own batch's fence, which is not the one that counts.
        let ends = Ends::of(&[(at(5), at(11)), (at(22), at(29))], &fences).unwrap();
        assert_eq!(ends.ends, [(at(5), at(20)), (at(22), at(30))]);
        assert_eq!(ends.span().unwrap(), (at(5), at(22), at(30)));
        assert_eq!(ends.lateness([0.5, 1.0]), [8, 15].map(Duration::from_micros));
        assert!(Ends::of(&[(at(5), at(41))], &fences).is_err(), "its commit may be still to come");
        assert!(Ends::of(&[(at(5), at(4))], &fences).is_err(), "before its time");
    }

    #[test]
    fn a_moment_of_the_databases_clock_is_one_of_ours() {
        let clock = DatabaseClock { at: at(1_000_000), here: Instant::now() };
        let between = |from, to| clock.moment(at(to)) - clock.moment(at(from));
        assert_eq!(between(1_000_000, 3_000_000), Duration::from_secs(2));
        assert_eq!(between(999_900, 1_000_100), Duration::from_micros(200));
        assert!(clock.now() >= at(1_000_000));
    }
}
