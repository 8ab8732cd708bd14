//! The engine's numbers as Prometheus series, read when scraped.

use inventory_core::engine::Stats;
use metrics::{Counter, Gauge, counter, gauge};
use service_kit::Metrics;

pub(crate) struct EngineMetrics {
    batches: Counter,
    commands: Counter,
    refused_in_memory: Counter,
    contended: Counter,
    overloaded: Counter,
    retries: Counter,
    unknown_commits: Counter,
    expired: Counter,
    queued: Gauge,
    holds_watched: Gauge,
    products_loaded: Gauge,
    products_striped: Gauge,
    ready: Gauge,
}

impl EngineMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        metrics.register(|| Self {
            batches: counter!("engine_batches_total"),
            commands: counter!("engine_commands_total"),
            refused_in_memory: counter!("engine_refused_in_memory_total"),
            contended: counter!("engine_contended_total"),
            overloaded: counter!("engine_overloaded_total"),
            retries: counter!("engine_batch_retries_total"),
            unknown_commits: counter!("engine_unknown_commits_total"),
            expired: counter!("engine_expired_holds_total"),
            queued: gauge!("engine_queued_commands"),
            holds_watched: gauge!("engine_holds_watched"),
            products_loaded: gauge!("engine_products_loaded"),
            products_striped: gauge!("engine_products_striped"),
            ready: gauge!("engine_ready"),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^53")]
    pub(crate) fn set(&self, stats: &Stats, ready: bool) {
        let Stats {
            batches,
            commands,
            refused_in_memory,
            contended,
            overloaded,
            retries,
            unknown_commits,
            expired,
            queued,
            holds_watched,
            products_loaded,
            products_striped,
        } = *stats;
        self.batches.absolute(batches);
        self.commands.absolute(commands);
        self.refused_in_memory.absolute(refused_in_memory);
        self.contended.absolute(contended);
        self.overloaded.absolute(overloaded);
        self.retries.absolute(retries);
        self.unknown_commits.absolute(unknown_commits);
        self.expired.absolute(expired);
        self.queued.set(queued as f64);
        self.holds_watched.set(holds_watched as f64);
        self.products_loaded.set(products_loaded as f64);
        self.products_striped.set(products_striped as f64);
        self.ready.set(f64::from(u8::from(ready)));
    }
}
