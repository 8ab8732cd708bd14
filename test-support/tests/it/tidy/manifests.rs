//! Who may import whom, by the members' manifests.

use serde_json::Value;

use super::Finding;

/// Where only some members may depend on something, whatever for.
const ONLY_FROM: [(&str, &[&str]); 2] = [
    ("rdkafka", &["service-kit"]),
    (
        "inventory-core",
        &["inventory-service", "holdfast", "ledger-check", "simulation", "benches", "decoders"],
    ),
];

/// What the product code of inventory-core must not need: it neither serialises nor speaks to anybody.
const NOT_IN_THE_ENGINE: [&str; 14] = [
    "serde",
    "serde_json",
    "schemars",
    "axum",
    "hyper",
    "hyper-util",
    "tower",
    "tower-http",
    "reqwest",
    "utoipa",
    "rdkafka",
    "clap",
    "event-contracts",
    "service-kit",
];

/// All that the product code of event-contracts may need.
const IN_CONTRACTS: [&str; 6] = ["serde", "serde_json", "schemars", "uuid", "chrono", "rust_decimal"];

/// Checks what `cargo metadata` says.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let is_product = dependency["kind"] != "dev";
            findings.extend(complaint(name, on, is_product).map(|why| format!("{name}/Cargo.toml: {why}")));
        }
    }
    findings
}

fn complaint(package: &str, on: &str, is_product: bool) -> Option<String> {
    if let Some((_, allowed)) = ONLY_FROM.iter().find(|(name, _)| *name == on)
        && !allowed.contains(&package)
    {
        return Some(format!("only {} may depend on {on}", allowed.join(", ")));
    }
    if is_product && package == "inventory-core" && NOT_IN_THE_ENGINE.contains(&on) {
        return Some(format!("the engine must do without {on}"));
    }
    if is_product && package == "event-contracts" && !IN_CONTRACTS.contains(&on) {
        return Some(format!("contracts are pure data and need no {on}"));
    }
    if is_product && on == "test-support" && !["benches", "load-tests", "chaos"].contains(&package) {
        return Some("test-support is for tests: make it a dev-dependency".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    fn findings(package: &str, on: &str, kind: Option<&str>) -> usize {
        let dependencies = json!([{"name": on, "kind": kind}]);
        check(&json!({"packages": [{"name": package, "dependencies": dependencies}]})).len()
    }

    #[test]
    fn each_rule_is_seen_to_fail() {
        assert_eq!(findings("order-service", "rdkafka", None), 1);
        assert_eq!(findings("service-kit", "rdkafka", None), 0);
        assert_eq!(findings("order-service", "inventory-core", Some("dev")), 1);
        assert_eq!(findings("benches", "inventory-core", None), 0);
        assert_eq!(findings("inventory-core", "serde", None), 1);
        assert_eq!(findings("inventory-core", "serde_json", Some("build")), 1);
        assert_eq!(findings("inventory-core", "serde_json", Some("dev")), 0);
        assert_eq!(findings("event-contracts", "tokio", None), 1);
        assert_eq!(findings("event-contracts", "serde", None), 0);
        assert_eq!(findings("holdfast", "test-support", None), 1);
        assert_eq!(findings("holdfast", "test-support", Some("dev")), 0);
        assert_eq!(findings("load-tests", "test-support", None), 0);
        assert_eq!(findings("chaos", "test-support", None), 0);
    }
}
