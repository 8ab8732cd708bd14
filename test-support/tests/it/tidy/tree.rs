//! Reading the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A source file; its path is relative to the workspace.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    /// Whether it is a test as a whole. Such files may be long, and they may break what they test.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
    }
}

/// What cargo knows of the workspace's members.
pub(super) fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Every Rust file of every member.
pub(super) fn sources() -> Vec<SourceFile> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let manifests = packages.iter().filter_map(|package| package["manifest_path"].as_str());
    let mut files = Vec::new();
    for manifest in manifests {
        read_folder(Path::new(manifest).parent().expect("a folder"), &mut files);
    }
    files
}

/// A file of the workspace, by its path in it.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a readable file")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read_folder(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            read_folder(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            let path = path.strip_prefix(root()).expect("inside the workspace").display().to_string();
            files.push(SourceFile { path, text });
        }
    }
}
