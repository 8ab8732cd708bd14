//! Everything that a fuzzer ever found interesting, through every decoder: a normal test, without a fuzzer.

mod mutations;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use decoders::TARGETS;
use rand::seq::IndexedRandom as _;

/// How much the process may grow over the whole corpus.
const GROWTH_KIB_MAX: u64 = 192 * 1_024;
/// Changes of each file that are tried.
const MUTATIONS: usize = 40;
/// Bytes of the corpus that a checkout carries.
const CORPUS_BYTES_MAX: usize = 512 * 1_024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("fuzz/").to_owned()
}

/// Name and content of every file of a target's corpus.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files
        .map(|file| file.expect("a readable entry").path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a readable file")))
        .collect();
    files.sort();
    files
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn i15_everything_in_the_corpus_passes_every_decoder_in_bounded_memory() {
    let before = peak_kib();
    let all: Vec<_> = TARGETS.iter().flat_map(|(target, _)| corpus(target)).collect();
    let bytes: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < CORPUS_BYTES_MAX, "{bytes} bytes: minimise it");
    let mut broken = Vec::new();
    for (target, run) in TARGETS {
        for (file, bytes) in &all {
            let passed = catch_unwind(AssertUnwindSafe(|| run(bytes)));
            if passed.is_err() {
                broken.push(format!("{target} breaks a promise on {file}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let after = peak_kib();
    assert!(after < before + GROWTH_KIB_MAX, "grew from {before} to {after} KiB");
}

#[test]
fn i15_the_corpus_with_a_few_bytes_changed_passes_its_decoders() {
    let mut random = mutations::random(20_261_123);
    for (target, run) in TARGETS {
        let files = corpus(target);
        for (file, bytes) in &files {
            for _ in 0..MUTATIONS {
                let other = files.choose(&mut random).map_or(&[][..], |(_, bytes)| bytes);
                let mutated = mutations::of(bytes, other, &mut random);
                let passed = catch_unwind(AssertUnwindSafe(|| run(&mutated)));
                assert!(
                    passed.is_ok(),
                    "{target} breaks a promise on {:?}, made from {file}",
                    String::from_utf8_lossy(&mutated)
                );
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_fuzzer_and_there_are_no_others() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(fuzz().join(folder)).expect("a folder");
        entries
            .map(|entry| {
                entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
            })
            .collect()
    };
    let here: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), here);
    assert_eq!(names("corpus"), here);
    for (target, _) in TARGETS {
        assert!(corpus(target).len() >= 8, "{target} has hardly any corpus");
        let source =
            std::fs::read_to_string(fuzz().join(format!("fuzz_targets/{target}.rs"))).expect("a fuzzer");
        assert!(source.contains(&format!("decoders::{target}::run")), "{target}");
    }
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    for (target, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not in fuzz/Cargo.toml");
    }
}
