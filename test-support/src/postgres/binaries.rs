//! Where Postgres is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The folder of Postgres' programs: on the PATH, where `pg_config` says, or where distributions put them.
pub(super) fn directory() -> Result<PathBuf> {
    on_path().or_else(from_pg_config).or_else(from_distribution).context(
        "Postgres is not installed (no folder with initdb, pg_ctl and postgres on the PATH, from pg_config, or under \
         /usr/lib/postgresql): run scripts/install-postgres.sh, or set TEST_DATABASE_URL",
    )
}

fn is_complete(directory: &Path) -> bool {
    NEEDED.iter().all(|program| directory.join(program).is_file())
}

fn on_path() -> Option<PathBuf> {
    let path = crate::environment("PATH")?;
    std::env::split_paths(&path).find(|directory| is_complete(directory))
}

fn from_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    is_complete(&directory).then_some(directory)
}

fn from_distribution() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let major: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .filter(|(_, directory)| is_complete(directory))
        .max()
        .map(|(_, directory)| directory)
}
