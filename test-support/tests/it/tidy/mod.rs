//! The rules of the house that no compiler checks: who may import whom, what may stand in a source file. Each rule is
//! a pure function from text to findings, tested with texts that break it.

mod code;
mod guarantees;
mod layers;
mod manifests;
mod races;
mod sources;
mod tree;

/// One broken rule: where, and what to change.
type Finding = String;

fn insist_on_none(findings: &[Finding]) {
    assert!(findings.is_empty(), "{} broken rules:\n  {}", findings.len(), findings.join("\n  "));
}

#[test]
fn manifests_keep_the_import_rules() {
    insist_on_none(&manifests::check(&tree::metadata()));
}

#[test]
fn sources_keep_the_rules_of_the_house() {
    let files = tree::sources();
    assert!(files.len() > 20, "the sources were not found");
    let findings: Vec<Finding> = files.iter().flat_map(sources::check).collect();
    insist_on_none(&findings);
}

#[test]
fn the_engines_layers_never_import_upwards() {
    let files = tree::sources();
    let engine: Vec<_> = files.iter().filter_map(layers::EngineFile::of).collect();
    assert!(engine.len() > 10, "the engine's sources were not found");
    let findings: Vec<Finding> = engine.iter().flat_map(layers::check).collect();
    insist_on_none(&findings);
}

#[test]
fn every_row_of_the_race_table_has_a_test() {
    insist_on_none(&races::without_a_test(&tree::sources()));
}

#[test]
fn every_guarantee_names_tests_that_exist() {
    insist_on_none(&guarantees::check(&tree::read("docs/GUARANTEES.md"), &tree::sources()));
}

#[test]
fn race_34_no_service_judges_a_deadline_by_its_own_clock() {
    let findings: Vec<Finding> = tree::sources().iter().flat_map(races::wall_clocks).collect();
    insist_on_none(&findings);
}
