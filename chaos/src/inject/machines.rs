//! Harm to what services stand on.

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};

use crate::draw::Draw;
use crate::kind::Kind;
use crate::stage::Machines;

/// What Postgres says when it has no room.
const DISK_FULL: &str = "53100";
/// Takes a few MiB, and is gone in any case.
const TAKE_ROOM: &str =
    "CREATE TABLE public.takes_room AS SELECT repeat(md5(n::text), 60) AS x FROM generate_series(1, 4000) n";
const GIVE_ROOM: &str = "DROP TABLE IF EXISTS public.takes_room";
/// How long the probe of a full disk may take.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

/// Does it and heals it; how often it struck.
pub(crate) async fn strike(
    kind: Kind,
    machines: &mut Machines,
    draw: &mut Draw,
    database: &str,
) -> Result<u64> {
    match kind {
        Kind::CrashPostgres => {
            machines.cluster.stop_immediate().await?;
            tokio::time::sleep(draw.time(0, 2_500)).await;
            machines.cluster.start_again().await?;
            Ok(1)
        }
        Kind::PausePostgres => {
            machines.cluster.pause()?;
            tokio::time::sleep(draw.time(1_000, 6_000)).await;
            machines.cluster.resume()?;
            Ok(1)
        }
        Kind::StopKafka | Kind::KillKafka => {
            if kind == Kind::StopKafka {
                machines.kafka.stop().await?;
            } else {
                machines.kafka.kill9().await?;
            }
            tokio::time::sleep(draw.time(500, 5_000)).await;
            machines.kafka.start_again().await?;
            Ok(1)
        }
        _ => disk_full(machines, draw, database).await,
    }
}

/// Counted only if Postgres itself says that it has no room.
async fn disk_full(machines: &Machines, draw: &mut Draw, database: &str) -> Result<u64> {
    let disk = machines.disk.as_ref().context("no small disk")?;
    disk.fill()?;
    let is_full = tokio::time::timeout(PROBE_WITHIN, says_that_it_is_full(database)).await;
    tokio::time::sleep(draw.time(1_000, 4_000)).await;
    disk.make_room()?;
    Ok(u64::from(is_full.is_ok_and(|said| said.unwrap_or(false))))
}

async fn says_that_it_is_full(database: &str) -> Result<bool> {
    let mut sql = PgConnection::connect(database).await?;
    let said = sqlx::raw_sql(TAKE_ROOM).execute(&mut sql).await;
    let is_full =
        matches!(&said, Err(sqlx::Error::Database(why)) if why.code().as_deref() == Some(DISK_FULL));
    sqlx::raw_sql(GIVE_ROOM).execute(&mut sql).await?;
    sql.close().await?;
    Ok(is_full)
}
