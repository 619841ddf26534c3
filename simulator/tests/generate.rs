//! Generated scenes: the same seed gives the same bytes, and the files say what the scene says.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vedette_sim::Scene;
use vedette_sim::bench::{PositionScene, heterogeneous, position};
use vedette_sim::scenario::{Scenario, ScenarioError};
use vedette_sim::write::{write_config, write_detections, write_scene, write_truth};

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios")
}

fn line_crossing() -> Scenario {
    Scenario::read(&library().join("line-crossing.toml")).unwrap()
}

fn bytes(scene: &Scene) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mut detections, mut truth, mut config) = (Vec::new(), Vec::new(), Vec::new());
    write_detections(scene, &mut detections).unwrap();
    write_truth(scene, &mut truth).unwrap();
    write_config(&scene.layout, &mut config).unwrap();
    (detections, truth, config)
}

#[test]
fn same_seed_same_bytes() {
    let scenario = line_crossing();
    let first = bytes(&Scene::generate(&scenario, 3));
    assert_eq!(first, bytes(&Scene::generate(&scenario, 3)));
    assert_ne!(first.0, bytes(&Scene::generate(&scenario, 4)).0);
    assert_eq!(bytes(&position(&PositionScene::G50, 1)), bytes(&position(&PositionScene::G50, 1)));
    assert_eq!(bytes(&heterogeneous(12, 1)), bytes(&heterogeneous(12, 1)));
}

#[test]
fn the_bytes_are_the_same_on_every_machine() {
    let (detections, truth, _) =
        bytes(&position(&PositionScene { scans: 2, walkers: 3, clutter: 1.0, ..PositionScene::S10 }, 1));
    insta::assert_snapshot!(String::from_utf8(detections).unwrap() + &String::from_utf8(truth).unwrap());
}

#[test]
fn a_sensor_taken_away_leaves_the_others_reports_alone() {
    let scenario = line_crossing();
    let mut without = scenario.clone();
    let radar = without.layout.sensors.pop().unwrap();
    let lines = |scenario: &Scenario| {
        let text = String::from_utf8(bytes(&Scene::generate(scenario, 5)).0).unwrap();
        text.lines().filter(|line| !line.contains(&radar.id)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(lines(&scenario) == lines(&without));
}

#[test]
fn files_are_in_order_and_parse() {
    let folder = tempfile::tempdir().unwrap();
    write_scene(&Scene::generate(&line_crossing(), 1), folder.path()).unwrap();
    let detections = std::fs::read_to_string(folder.path().join("detections.jsonl")).unwrap();
    let mut last = String::new();
    for line in detections.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let received = line["received"].as_str().unwrap().to_owned();
        assert!(received >= last, "{received} after {last}");
        last = received;
    }
    let config: toml::Table = std::fs::read_to_string(folder.path().join("gateway.toml")).unwrap().parse().unwrap();
    let sensors = config["sensor"].as_array().unwrap();
    let ids: BTreeSet<&str> = sensors.iter().map(|sensor| sensor["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 28);
    let truth = std::fs::read_to_string(folder.path().join("truth.csv")).unwrap();
    assert!(truth.starts_with("t,id,x,y\n"), "{}", &truth[..40]);
}

#[test]
fn people_cross_inward_once() {
    let scene = Scene::generate(&line_crossing(), 2);
    assert_eq!(scene.truth.crossings.len(), 5);
    assert!(scene.truth.crossings.iter().all(|crossing| crossing.inward));
}

#[test]
fn position_scenes_have_the_sizes_asked_for() {
    for seed in 1..=5 {
        let scene = position(&PositionScene::S50, seed);
        let plots: usize = scene.reports.iter().map(|report| report.plots.len()).sum();
        // 50 walkers of whom 70 % are there from the start and 20 % leave, seen with 0.9, and 30 clutter plots.
        assert!((9_000..11_500).contains(&plots), "seed {seed}: {plots}");
    }
}

#[test]
fn errors_name_file_line_and_what_was_expected() {
    let path = library().join("line-crossing.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let broken = [
        ("loss = 0.03", "loss = 1.5", "loss: expected a probability, 0 to 1, got 1.5"),
        ("node = 101", "node = 5", "node: expected a node number used once, got 5"),
        ("id = \"trip\"", "id = \"camera-1\"", "id: expected a name used once, got camera-1"),
        ("count = 3", "count = 0", "count: expected 1 or more, got 0"),
        ("rearm_s = 4.0", "rearms = 4.0", "unknown field `rearms`"),
        ("kind = \"deer\"", "kind = \"dear\"", "unknown variant `dear`"),
    ];
    for (right, wrong, expected) in broken {
        let line = text.lines().position(|line| line.starts_with(right)).unwrap() + 1;
        let error = Scenario::parse(&text.replacen(right, wrong, 1), &path).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected), "{message}");
        let at = match error {
            ScenarioError::Syntax { line, .. } | ScenarioError::Value { line, .. } => line,
            other => panic!("{other}"),
        };
        // A name used twice is found at its second use.
        if !expected.contains("used once") {
            assert_eq!(at, line, "{message}");
        }
    }
}
