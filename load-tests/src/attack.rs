//! One run of goose: buyers that each go through their transaction again and again.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario as GooseScenario, Transaction, TransactionFunction};
use goose::{GooseAttack, GooseError};

use crate::buyer::Broken;
use crate::size::Size;

/// How long a buyer waits for an answer: longer than the service lets anybody wait.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What one kind of buyer does, and how many of them there are among the others.
pub(crate) struct Kind {
    name: &'static str,
    weight: usize,
    function: TransactionFunction,
}

/// What a transaction gives.
pub(crate) type Doing<'a> = Pin<Box<dyn Future<Output = Result<(), Broken>> + Send + 'a>>;

impl Kind {
    /// `does` is one round of it.
    pub(crate) fn new(
        name: &'static str,
        weight: usize,
        does: impl for<'a> Fn(&'a mut GooseUser) -> Doing<'a> + Send + Sync + 'static,
    ) -> Self {
        Self { name, weight, function: Arc::new(does) }
    }
}

/// Runs them for the size's time, and writes goose's report.
pub(crate) async fn run(host: &str, size: Size, kinds: Vec<Kind>, report: &Path) -> Result<()> {
    let users = size.users.max(kinds.iter().map(|kind| kind.weight).sum());
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(host.to_owned());
    configuration.users = Some(users);
    configuration.increase_rate = Some(users.to_string());
    configuration.run_time = Some(format!("{}s", size.seconds));
    configuration.no_reset_metrics = true;
    // Nobody steers it from outside.
    configuration.no_telnet = true;
    configuration.no_print_metrics = true;
    // Errors only: what is refused is counted, not told line by line.
    configuration.quiet = 2;
    configuration.report_file = vec![report.display().to_string()];
    let client = GooseClientBuilder::new().without_cookies().timeout(ANSWER_WITHIN);
    let mut attack = GooseAttack::initialize_with_config(configuration)
        .and_then(|attack| attack.set_client_builder_without_cookies(client))
        .map_err(told)?;
    for kind in kinds {
        let buyer = GooseScenario::new(kind.name).set_weight(kind.weight).map_err(told)?;
        attack = attack.register_scenario(
            buyer.register_transaction(Transaction::new(kind.function).set_name(kind.name)),
        );
    }
    attack.execute().await.map_err(told).context("goose broke off")?;
    Ok(())
}

fn told(error: GooseError) -> anyhow::Error {
    anyhow!("{error}")
}
