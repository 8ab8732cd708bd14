//! The layers inside inventory-core. A module may import from its own layer and from those below it.

use super::Finding;
use super::code::{code_only, paths_from, product_only};
use super::tree::SourceFile;

/// Every module, low to high. A new module must be given a layer here: that is the moment to think about it.
const LAYERS: [(&str, u8); 33] = [
    // 0 vocabulary
    ("chance", 0),
    ("clock", 0),
    ("command", 0),
    ("error", 0),
    ("event", 0),
    ("ids", 0),
    ("journal", 0),
    ("limits", 0),
    ("lines", 0),
    ("outcome", 0),
    ("product", 0),
    ("quantity", 0),
    ("reservation", 0),
    ("sync", 0),
    // 1 counters, rules, and the store's port
    ("counters", 1),
    ("decide", 1),
    ("options", 1),
    ("store", 1),
    ("store::conformance", 1),
    ("store::json", 1),
    // 2 the port's adapters; what is built on the port alone
    ("store::faults", 2),
    ("store::memory", 2),
    ("store::sqlite", 2),
    ("store::postgres", 2),
    ("writer", 2),
    ("audit", 2),
    ("explain", 2),
    // 3 the engine
    ("engine", 3),
    // 4 what works on an engine; opening one starts these too
    ("engine::open", 4),
    ("housekeeping", 4),
    ("levels", 4),
    ("sweeper", 4),
    // What the outside sees.
    ("lib", 5),
];

/// Modules that must stay synchronous and without I/O.
const PURE: [&str; 2] = ["counters", "decide"];

/// A file of inventory-core with its module's path.
#[derive(Debug)]
pub(super) struct EngineFile<'a> {
    path: &'a str,
    module: Vec<String>,
    code: String,
}

impl<'a> EngineFile<'a> {
    /// None for files elsewhere, and for tests.
    pub(super) fn of(file: &'a SourceFile) -> Option<Self> {
        let inside = file.path.strip_prefix("inventory-core/src/")?.strip_suffix(".rs")?;
        if file.is_test() || inside.ends_with("loom_models") {
            return None;
        }
        let module = inside.split('/').filter(|name| *name != "mod").map(str::to_owned).collect();
        let code = code_only(&file.text);
        Some(Self { path: &file.path, module, code: product_only(&code).to_owned() })
    }

    fn is_in(&self, module: &str) -> bool {
        self.module.first().is_some_and(|first| first == module)
    }
}

/// The layer of the longest known beginning of a path.
fn layer_of(path: &[String]) -> Option<u8> {
    let layer = |name: &str| LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer);
    let pair = path.get(..2).and_then(|two| layer(&two.join("::")));
    pair.or_else(|| layer(path.first()?))
}

/// Every broken rule of one file.
pub(super) fn check(file: &EngineFile<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut complain = |why: String| findings.push(format!("{}: {why}", file.path));
    let Some(own) = layer_of(&file.module) else {
        complain(format!("module {} has no layer; give it one in tidy/layers.rs", file.module.join("::")));
        return findings;
    };
    for target in imports(file) {
        // What has no layer is an item of lib.rs, or a module that complains of itself.
        if let Some(layer) = layer_of(&target).filter(|layer| *layer > own) {
            complain(format!("layer {own} imports {} of layer {layer}", target.join("::")));
        }
    }
    let names = |root: &str| !paths_from(&file.code, root).is_empty();
    if names("sqlx") && !file.is_in("store") {
        complain("only store/ may name sqlx".to_owned());
    }
    if PURE.iter().any(|pure| file.is_in(pure))
        && ["tokio", "sqlx", "std::fs", "std::net"].iter().any(|root| names(root))
    {
        complain("counters and rules are synchronous and do no I/O".to_owned());
    }
    let atomics = ["std", "core"].iter().flat_map(|root| paths_from(&file.code, root));
    if !file.is_in("sync")
        && atomics.into_iter().any(|path| path.starts_with(&["sync".into(), "atomic".into()]))
    {
        complain("atomics come from crate::sync alone, so that loom's doubles can stand in".to_owned());
    }
    findings
}

/// What a file names by `crate::…` and `super::…`, as paths from the crate.
fn imports(file: &EngineFile<'_>) -> Vec<Vec<String>> {
    let mut targets = paths_from(&file.code, "crate");
    for path in paths_from(&file.code, "super") {
        let ups = 1 + path.iter().take_while(|name| *name == "super").count();
        // `x/mod.rs` and `x.rs` are both the module `x`: `super` is one level up from either.
        let parent = &file.module[..file.module.len().saturating_sub(ups)];
        targets.push(parent.iter().cloned().chain(path.into_iter().skip(ups - 1)).collect());
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::super::tree::SourceFile;
    use super::{EngineFile, check};

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: format!("inventory-core/src/{path}"), text: text.to_owned() };
        EngineFile::of(&file).map(|file| check(&file)).unwrap_or_default()
    }

    #[test]
    fn an_upward_import_fails_however_it_is_written() {
        for text in [
            "use crate::engine::Engine;",
            "use crate::{ids::OrderId, engine::Engine};",
            "fn f() { crate::engine::open() }",
            "use super::super::engine::Engine;",
        ] {
            assert_eq!(findings("writer/batch.rs", text).len(), 1, "{text}");
        }
        assert_eq!(findings("store/mod.rs", "use crate::store::postgres::Pg;").len(), 1);
        assert_eq!(findings("engine/reserve.rs", "use crate::sweeper::Sweeper;").len(), 1);
        assert_eq!(findings("ids.rs", "use crate::counters::Base;").len(), 1);
    }

    #[test]
    fn downward_and_level_imports_pass() {
        assert!(
            findings("writer/batch.rs", "use crate::{decide::decide, store::{Store, memory::M}};").is_empty()
        );
        assert!(findings("engine/open.rs", "use crate::sweeper;").is_empty());
        assert!(findings("store/sqlite/mod.rs", "use super::{Store, json};").is_empty());
        assert!(findings("decide/mod.rs", "// crate::engine::Engine\nlet s = \"crate::engine\";").is_empty());
    }

    #[test]
    fn tests_may_import_what_they_like() {
        assert!(findings("decide/tests/mod.rs", "use crate::engine::Engine;").is_empty());
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::engine::Engine;\n}";
        assert!(findings("decide/mod.rs", text).is_empty());
    }

    #[test]
    fn a_module_without_a_layer_fails() {
        assert_eq!(findings("helpers.rs", "").len(), 1);
    }

    #[test]
    fn sqlx_outside_the_stores_fails() {
        assert_eq!(findings("engine/reads.rs", "use sqlx::PgPool;").len(), 1);
        assert!(findings("store/postgres/read.rs", "use sqlx::PgPool;").is_empty());
    }

    #[test]
    fn atomics_outside_the_seam_fail() {
        for text in [
            "use std::sync::atomic::AtomicU64;",
            "use std::sync::{Arc, atomic::AtomicU64};",
            "use std::{fmt, sync::atomic};",
            "static X: core::sync::atomic::AtomicBool = todo;",
        ] {
            assert_eq!(findings("writer/stats.rs", text).len(), 1, "{text}");
        }
        assert!(findings("sync.rs", "pub(crate) use std::sync::atomic::AtomicU64;").is_empty());
        assert!(findings("writer/stats.rs", "use std::sync::Arc;").is_empty());
    }

    #[test]
    fn counters_and_rules_that_do_io_fail() {
        assert_eq!(findings("counters/mod.rs", "use tokio::sync::Mutex;").len(), 1);
        assert_eq!(findings("decide/mod.rs", "std::fs::read(p);").len(), 1);
        assert!(findings("writer/mod.rs", "use tokio::sync::Mutex;").is_empty());
    }
}
