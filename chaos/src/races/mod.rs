//! The page of races: each row of the race table, the tests that bear its number, and what they came to. Made from what `cargo test`
//! said; never written by hand.

mod output;
mod page;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use self::output::{Outcome, Said};

/// One at a time, so that it is known how long each takes; and what they wrote, for its seeds.
const TEST: [&str; 4] = ["--", "race_", "--test-threads=1", "--show-output"];

/// Runs the races and writes the page; or writes it from saved outputs of `cargo test`, if there are any.
///
/// # Errors
/// If a file cannot be read or written, a row of the table has no test, or a race was lost.
pub fn write(outputs: &[PathBuf], to: &Path) -> Result<()> {
    let files = files(Path::new("."))?;
    let mut said = Vec::new();
    for output in outputs {
        let text = fs::read_to_string(output).with_context(|| format!("reading {}", output.display()))?;
        said.extend(output::read(&text));
    }
    if outputs.is_empty() {
        said = run(&files)?;
    }
    let missing = table::without(&said);
    ensure!(
        missing.is_empty(),
        "rows {missing:?} of the race table were not tested: run every test whose name begins with race_"
    );
    fs::write(to, page::page(&said, &files)).with_context(|| format!("writing {}", to.display()))?;
    ensure!(said.iter().all(|said| said.outcome == Outcome::Ok), "a race was lost: see {}", to.display());
    Ok(())
}

/// Runs every test of a race, looking at the clock. Crates bear their folders' names.
fn run(files: &BTreeMap<String, String>) -> Result<Vec<Said>> {
    let crates: BTreeSet<&str> = files.values().filter_map(|file| file.split('/').next()).collect();
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--locked"]).args(crates.iter().flat_map(|name| ["-p", *name]));
    cargo.args(TEST).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = cargo.spawn().context("starting cargo")?;
    let stdout = running.stdout.take().context("cargo's output")?;
    let mut listener = output::Listener::default();
    let mut last = Instant::now();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        listener.hear(&line, Some(last.elapsed()));
        // A binary's first test begins when it says how many there are.
        if output::result(&line).is_some() || line.starts_with("running ") {
            last = Instant::now();
        }
    }
    // Whether all of them were won is seen from what they said; what was not said is missing.
    running.wait()?;
    Ok(listener.said())
}

/// Where each race's test is written.
fn files(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path)?;
                let relative = path.strip_prefix(root)?.display().to_string();
                files.extend(races_in(&text).map(|race| (race.to_owned(), relative.clone())));
            }
        }
    }
    Ok(files)
}

fn races_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ").skip(1).filter(|rest| rest.starts_with("race_")).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}
