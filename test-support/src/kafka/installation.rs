//! Where Kafka's jars are.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

const VERSION: &str = include_str!("../../../scripts/kafka-version");
const ADVICE: &str = "run scripts/install-kafka.sh, set TEST_KAFKA_BROKERS to brokers that tests may fill, or set KAFKA=mock to do \
                      without (some things are not shown then)";

/// What Java is given as its class path: the folder that `scripts/install-kafka.sh` fills.
pub(super) fn class_path() -> Result<PathBuf> {
    let cache = crate::environment("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || crate::environment("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?;
    let libs = cache.join("holdfast").join(format!("kafka-{}", VERSION.trim())).join("libs");
    if !libs.is_dir() {
        bail!("Apache Kafka {} is not installed in {}: {ADVICE}", VERSION.trim(), libs.display());
    }
    Ok(libs.join("*"))
}
