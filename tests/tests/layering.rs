//! The dependency directions of the workspace, and what may come in from outside, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom. Dev-dependencies obey it too; the end-to-end package may use everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("vedette-tracker", &[]),
    ("vedette-wire", &[]),
    ("vedette-mqtt", &[]),
    ("vedette-node", &["vedette-wire"]),
    ("vedette-engine", &["vedette-tracker", "vedette-wire"]),
    ("vedette-delivery", &["vedette-engine"]),
    ("vedette-gateway", &["vedette-engine", "vedette-delivery", "vedette-wire", "vedette-mqtt"]),
    ("vedette-centre", &["vedette-delivery", "vedette-mqtt"]),
    ("vedette-sim", &["vedette-engine", "vedette-node", "vedette-wire", "vedette-delivery", "vedette-mqtt"]),
    ("vedette", &["vedette-gateway", "vedette-centre", "vedette-sim"]),
];

/// Licences that would bind the whole, unless the package offers another one with "OR".
const REFUSED_LICENCES: &[&str] = &["GPL"];

fn metadata() -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().expect("a list of packages").iter()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a name")
}

fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    package["dependencies"].as_array().expect("a list of dependencies").iter().map(name)
}

#[test]
fn dependencies_run_one_way() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut ours: BTreeSet<&str> =
        packages(&metadata).filter(|package| package["source"].is_null()).map(name).collect();
    assert!(ours.remove("e2e"));
    assert_eq!(ours, allowed.keys().copied().collect(), "every member has a layer and every layer a member");
    let wrong: Vec<String> = packages(&metadata)
        .filter_map(|package| Some((package, allowed.get(name(package))?)))
        .flat_map(|(package, may)| {
            let ours = &ours;
            dependencies(package)
                .filter(move |on| ours.contains(on) && !may.contains(on))
                .map(move |on| format!("{} -> {on}", name(package)))
        })
        .collect();
    assert!(wrong.is_empty(), "not allowed: {wrong:#?}");
}

#[test]
fn the_mqtt_library_has_one_user() {
    let metadata = metadata();
    let users: Vec<&str> = packages(&metadata)
        .filter(|package| package["source"].is_null() && dependencies(package).any(|on| on == "rumqttc-next"))
        .map(name)
        .collect();
    assert_eq!(users, ["vedette-mqtt"]);
}

#[test]
fn no_licence_binds_the_whole() {
    let metadata = metadata();
    let wrong: Vec<String> = packages(&metadata)
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or_default();
            let refused = REFUSED_LICENCES.iter().any(|word| licence.contains(word)) && !licence.contains(" OR ");
            let missing = licence.is_empty() && !package["license_file"].is_string();
            (refused || missing).then(|| format!("{}: {licence:?}", name(package)))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
