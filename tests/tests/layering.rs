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

/// Packages that the program for the field has in two versions, and why that cannot be helped here.
const KNOWN_TWICE: &[(&str, &str)] = &[
    ("bitflags", "an old nix of tokio-serial"),
    ("getrandom", "ahash and ring"),
    ("nix", "an old one of tokio-serial"),
    ("rand_core", "ed25519-dalek and the MQTT client"),
    ("syn", "at build time only"),
    ("windows-sys", "not on Linux"),
];
/// What only the demo brings.
const DEMO_ONLY: &[&str] = &["rumqttd", "vedette-sim", "tempfile"];

#[test]
fn nothing_comes_twice_but_what_is_known() {
    let metadata = metadata();
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    let by_id: BTreeMap<String, &Value> = packages(&metadata).map(|package| (id(&package["id"]), package)).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a list of nodes");
    let nodes: BTreeMap<String, &Value> = nodes.iter().map(|node| (id(&node["id"]), node)).collect();
    let program = by_id.iter().find(|(_, package)| name(package) == "vedette").expect("the program").0;
    let (mut seen, mut next) = (BTreeSet::new(), vec![program.clone()]);
    while let Some(package) = next.pop() {
        if !seen.insert(package.clone()) {
            continue;
        }
        for dependency in nodes[&package]["deps"].as_array().expect("a list of dependencies") {
            let normal = dependency["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null());
            let to = id(&dependency["pkg"]);
            if normal && !DEMO_ONLY.contains(&name(by_id[&to])) {
                next.push(to);
            }
        }
    }
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &seen {
        let package = by_id[package];
        versions.entry(name(package)).or_default().insert(package["version"].as_str().expect("a version"));
    }
    let twice: BTreeSet<&str> =
        versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| *name).collect();
    let known: BTreeSet<&str> = KNOWN_TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(twice, known, "{versions:?}");
}
