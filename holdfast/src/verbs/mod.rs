//! What is done once, and ends.

use crate::Verdict;
use crate::cli::{RoleArgs, Verb};
use crate::config::Settings;
use crate::roles::{self, Role, Shape};

pub mod audit;
mod check;
mod dlq;
pub mod explain;
pub mod import;
mod migrate;
pub mod replay;

/// Runs what was typed.
pub async fn run(verb: Option<Verb>, settings: &Settings) -> anyhow::Result<Verdict> {
    match verb {
        None => roles::serve(settings, Shape::AllInOne).await.map(|()| Verdict::Done),
        Some(Verb::Inventory(args)) => serve(settings, Role::Inventory, &args).await,
        Some(Verb::Orders(args)) => serve(settings, Role::Orders, &args).await,
        Some(Verb::Payments(args)) => serve(settings, Role::Payments, &args).await,
        Some(Verb::Migrate(args)) => migrate::run(settings, &args).await,
        Some(Verb::Import(args)) => import::run(settings, &args).await,
        Some(Verb::Audit(args)) => audit::run(settings, &args).await,
        Some(Verb::Check(args)) => check::run(settings, &args).await,
        Some(Verb::Explain(args)) => explain::run(settings, &args).await,
        Some(Verb::Dlq { verb }) => dlq::run(settings, &verb).await,
        Some(Verb::Replay(args)) => replay::run(settings, &args).await,
    }
}

async fn serve(settings: &Settings, role: Role, args: &RoleArgs) -> anyhow::Result<Verdict> {
    let shape = Shape::OneRole { role, no_events: args.no_events };
    roles::serve(settings, shape).await.map(|()| Verdict::Done)
}
