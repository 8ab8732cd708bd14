//! What is done once, and ends.

use crate::Verdict;
use crate::cli::Verb;
use crate::config::Settings;
use crate::roles::{self, Shape};

pub mod audit;
pub mod explain;
pub mod import;
mod migrate;
pub mod replay;

/// Runs what was typed.
pub async fn run(verb: Option<Verb>, settings: &Settings) -> anyhow::Result<Verdict> {
    match verb {
        None => roles::serve(settings, Shape::AllInOne).await.map(|()| Verdict::Done),
        Some(Verb::Inventory(args)) => {
            let shape = Shape::OneRole { no_events: args.no_events };
            roles::serve(settings, shape).await.map(|()| Verdict::Done)
        }
        Some(Verb::Migrate) => migrate::run(settings).await,
        Some(Verb::Import(args)) => import::run(settings, &args).await,
        Some(Verb::Audit(args)) => audit::run(settings, &args).await,
        Some(Verb::Explain(args)) => explain::run(settings, &args).await,
        Some(Verb::Replay(args)) => replay::run(settings, &args).await,
    }
}
