//! One scenario after the other: stage, load, quiet, books, audit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use test_support::postgres::Cluster;
use uuid::Uuid;

use crate::args::{Args, Tool};
use crate::expiry::Storm;
use crate::outcome::{Figure, Load, Report, Told};
use crate::overload::{self, Overload};
use crate::progress::{self, Memory, Stopped};
use crate::rules::{self, Shelf};
use crate::scenario::{Floor, Scenario, Stage};
use crate::shop::Shop;
use crate::size::Size;
use crate::tally::Tally;
use crate::target::Target;
use crate::{attack, k6, table};

/// How long the service may take to come to rest after a load.
const QUIET_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(200);
/// Of an expiry storm: how much of its time passes before holds end, one part of this.
const CALM_PART: u64 = 2;

/// Runs what was asked for; says how it goes on standard error.
pub(crate) async fn all(args: &Args) -> Result<Vec<Report>> {
    std::fs::create_dir_all(&args.report).with_context(|| format!("creating {}", args.report.display()))?;
    let cluster = if args.url.is_none() { Some(Cluster::start().await?) } else { None };
    let mut reports = Vec::new();
    for scenario in args.scenarios() {
        for tool in args.tools() {
            eprintln!("== {} by {}", scenario.name(), tool.name());
            let report = Run::open(args, cluster.as_ref(), scenario, *tool).await?.go().await?;
            eprintln!("   {}", table::verdict(&report, args.strict));
            reports.push(report);
        }
    }
    Ok(reports)
}

/// One scenario under one generator.
struct Run<'a> {
    args: &'a Args,
    scenario: Scenario,
    tool: Tool,
    size: Size,
    target: Target,
    shop: Shop,
    stage: Stage,
    memory: Memory,
}

impl<'a> Run<'a> {
    async fn open(args: &'a Args, cluster: Option<&Cluster>, scenario: Scenario, tool: Tool) -> Result<Self> {
        let size = args.size(scenario);
        let target = Target::open(args, cluster, scenario.needs()).await?;
        let (shop, stage) = (target.shop()?, scenario.stage(fresh_product(), size));
        for product in stage.products.iter().chain(&stage.fleeting) {
            shop.stock(*product, stage.stock, stage.per_customer_limit).await?;
        }
        Ok(Self { args, scenario, tool, size, target, shop, stage, memory: Memory::default() })
    }

    async fn go(self) -> Result<Report> {
        let (load, mut figures) = match self.scenario {
            Scenario::Overload => self.overload().await?,
            Scenario::ExpiryStorm if self.tool == Tool::Goose => self.expiry_storm().await?,
            _ => self.plain().await?,
        };
        let is_overload = self.scenario == Scenario::Overload;
        figures.extend(rules::answers(&load, is_overload));
        let (shelf, fleeting_held) = self.quiet(&load.told).await?;
        figures.push(rules::books(shelf, self.stock(), &load.told));
        if !self.stage.fleeting.is_empty() {
            figures.push(Figure::rule(
                fleeting_held == 0,
                format!("{fleeting_held} units are held whose time is over"),
            ));
        }
        // The script of the hoarders counts its own.
        if (self.scenario, self.tool) != (Scenario::Hoarders, Tool::K6) {
            figures.extend(self.scenario.figures(&load, shelf, &self.stage, self.size));
        }
        if matches!(self.scenario, Scenario::Overload | Scenario::Soak) {
            figures.extend(overload::memory(&self.memory.samples(), load.told.reserved));
        }
        progress::say("auditing");
        let audit = self.watched(self.target.audit(), || ", auditing".to_owned()).await?;
        Ok(Report { scenario: self.scenario, tool: self.tool, load, figures, audit })
    }

    /// Only the generator.
    async fn plain(&self) -> Result<(Load, Vec<Figure>)> {
        let floor = self.floor()?;
        let so_far = || told_so_far(floor.tally.so_far());
        self.watched(self.generate(&floor), so_far).await
    }

    /// The generator beside streams that offer five times the peak.
    async fn overload(&self) -> Result<(Load, Vec<Figure>)> {
        let overload = Overload::prepare(&self.shop, &self.stage.products, self.size.seconds).await?;
        let floor = self.floor()?;
        let work = async {
            let mut generated = (Load::default(), Vec::new());
            let measured = overload
                .run(async {
                    generated = self.generate(&floor).await?;
                    Ok(())
                })
                .await?;
            let (mut load, mut figures) = generated;
            figures.extend(measured);
            figures.extend(overload.add_to(&mut load));
            anyhow::Ok((load, figures))
        };
        self.watched(work, || told_so_far(overload.so_far())).await
    }

    /// Goose's buyers before, while and after many holds end.
    async fn expiry_storm(&self) -> Result<(Load, Vec<Figure>)> {
        let calm = Duration::from_secs(self.size.seconds.div_ceil(CALM_PART));
        let storm = Storm::prepare(&self.shop, &self.stage.fleeting, self.size.holds, calm).await?;
        let floor = self.floor()?;
        // The first second of a load is like no other.
        let from = Instant::now() + Duration::from_secs(1);
        let work = async {
            let (load, mut figures) = self.generate(&floor).await?;
            figures.push(storm.others(&floor.tally, from));
            anyhow::Ok((load, figures))
        };
        let (load, mut figures) = self.watched(work, || told_so_far(floor.tally.so_far())).await?;
        self.quiet(&load.told).await?;
        figures.extend(storm.lateness(&self.shop).await?);
        Ok((load, figures))
    }

    async fn generate(&self, floor: &Arc<Floor>) -> Result<(Load, Vec<Figure>)> {
        match self.tool {
            Tool::Goose => {
                let report = self.args.report.join(format!("{}.goose.html", self.scenario.name()));
                attack::run(&floor.inventory, self.size, self.scenario.kinds(floor), &report).await?;
                Ok((floor.tally.load(), Vec::new()))
            }
            Tool::K6 => k6::run(self.args, &self.target, self.scenario, &self.stage, self.size).await,
        }
    }

    /// Runs it with progress and samples of memory.
    async fn watched<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        so_far: impl Fn() -> String,
    ) -> Result<T> {
        let name = format!("{} by {}", self.scenario.name(), self.tool.name());
        tokio::select! {
            done = work => done,
            Stopped = progress::watch(&name, &self.target, &self.memory, so_far) => bail!("stopped as asked"),
        }
    }

    fn floor(&self) -> Result<Arc<Floor>> {
        Ok(Arc::new(Floor {
            inventory: self.target.inventory().to_owned(),
            orders: self.target.orders().unwrap_or_default().to_owned(),
            scenario: self.scenario,
            stage: self.stage.clone(),
            tally: Tally::new()?,
        }))
    }

    /// Waits until the service has what buyers were told, and nothing is held whose time is over; what it has then.
    async fn quiet(&self, told: &Told) -> Result<(Shelf, i64)> {
        let (expected, until) = (rules::expected(self.stock(), told), Instant::now() + QUIET_WITHIN);
        loop {
            let shelf = self.shop.shelf(self.stage.products.iter().copied()).await?;
            let fleeting = self.shop.shelf(self.stage.fleeting.iter().copied()).await?;
            let is_quiet = rules::agrees(shelf, expected, told.unknown) && fleeting.held == 0;
            if is_quiet || Instant::now() >= until {
                return Ok((shelf, fleeting.held));
            }
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// All units of the products that books are kept of.
    fn stock(&self) -> i64 {
        self.stage.stock * i64::try_from(self.stage.products.len()).unwrap_or(i64::MAX)
    }
}

fn told_so_far((requests, accepted): (u64, u64)) -> String {
    // k6 keeps its counts to itself until its end.
    if requests == 0 { String::new() } else { format!(", {requests} answers, {accepted} of them yes") }
}

/// A product number that no earlier run used: microseconds since 1970, which JavaScript's numbers hold, too.
fn fresh_product() -> i64 {
    let (seconds, nanos) = Uuid::now_v7().get_timestamp().map_or((1, 0), |timestamp| timestamp.to_unix());
    i64::try_from(seconds).unwrap_or(1) * 1_000_000 + i64::from(nanos / 1_000)
}
