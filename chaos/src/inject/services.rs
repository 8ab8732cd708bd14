//! Harm to services.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::draw::Draw;
use crate::http::Asker;
use crate::kind::Kind;
use crate::stage::service::Service;
use crate::stage::{INSTANCES, ORDERS, PAYMENTS};

/// How far a clock jumps.
const DAY_SECONDS: i64 = 86_400;
/// A clock that is off by more than this has jumped.
const OFF_SECONDS: i64 = DAY_SECONDS / 2;
/// The preloaded library looks at its file once a second.
const CLOCK_LOOKS: usize = 40;
const CLOCK_LOOK_PERIOD: Duration = Duration::from_millis(100);

/// Does it to one service; how often it struck.
pub(crate) async fn strike(
    kind: Kind,
    services: &mut [Service],
    asker: &Asker,
    draw: &mut Draw,
) -> Result<u64> {
    let victim = match kind {
        Kind::KillOrders => ORDERS,
        Kind::KillPayments => PAYMENTS,
        Kind::KillInventory => draw.one_of(INSTANCES),
        _ => draw.one_of(services.len()),
    };
    match kind {
        Kind::FreezeService => {
            services[victim].freeze(draw.time(300, 7_000)).await?;
            Ok(1)
        }
        Kind::ClockJump => {
            let mut with_clocks: Vec<&Service> =
                services.iter().filter(|service| service.clock.is_some()).collect();
            let seconds = if draw.one_of(2) == 0 { DAY_SECONDS } else { -DAY_SECONDS };
            let service = with_clocks.swap_remove(draw.one_of(with_clocks.len()));
            jump(service, seconds, asker, draw).await
        }
        _ => {
            services[victim].kill_and_restart().await?;
            Ok(1)
        }
    }
}

/// Sets the clock off for a while. Counted only if the service's own answers are stamped so.
async fn jump(service: &Service, seconds: i64, asker: &Asker, draw: &mut Draw) -> Result<u64> {
    let clock = service.clock.as_ref().context("a service without a clock of its own")?;
    let here = asker.clock(&service.url()).await.context("no stamp on an answer")?;
    clock.set(seconds)?;
    let mut has_jumped = false;
    for _ in 0..CLOCK_LOOKS {
        let there = asker.clock(&service.url()).await;
        has_jumped = there.is_some_and(|there| (there - here).abs() > OFF_SECONDS);
        if has_jumped {
            break;
        }
        tokio::time::sleep(CLOCK_LOOK_PERIOD).await;
    }
    tokio::time::sleep(draw.time(1_000, 4_000)).await;
    clock.set(0)?;
    Ok(u64::from(has_jumped))
}
