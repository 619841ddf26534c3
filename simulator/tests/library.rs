//! Every scenario of the library through the engine: what its `[expect]` table promises holds with seed 1.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::path::{Path, PathBuf};

use vedette_engine::{AlertKind, Place};
use vedette_sim::Scene;
use vedette_sim::campaign::{Tally, drive};
use vedette_sim::scenario::{AgentKind, Scenario};

/// Longer ones are only checked for their truth, to keep the test short; the campaign runs them too.
const ENGINE_UP_TO_S: f64 = 4.0 * 3600.0;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn each_file_is_named_like_its_scenario() {
    for file in files() {
        let scenario = Scenario::read(&file).unwrap();
        assert_eq!(file.file_stem().unwrap().to_str(), Some(scenario.name.as_str()));
        assert!(!scenario.summary.is_empty(), "{}", scenario.name);
    }
}

#[test]
fn expectations_hold() {
    let mut broken = Vec::new();
    for file in files() {
        let scenario = Scenario::read(&file).unwrap();
        let expect = &scenario.expect;
        let mut check = |holds: bool, what: String| {
            if !holds {
                broken.push(format!("{}: {what}", scenario.name));
            }
        };
        if scenario.layout.duration_s > ENGINE_UP_TO_S {
            let crossings = Scene::generate(&scenario, 1).truth.crossings;
            let people = crossings.iter().filter(|crossing| crossing.kind == AgentKind::Person).count();
            check(people >= expect.crossings_at_least, format!("{people} crossings"));
            continue;
        }
        let mut tally = Tally::default();
        let run = drive(&scenario, 1).unwrap();
        tally.add(&scenario, &run);
        let refused: u64 = run.refused.values().sum();
        check(refused >= expect.refused_at_least, format!("{:?} refused", run.refused));
        check(run.restarts == expect.restarts, format!("{} restarts", run.restarts));
        check(tally.humanitarian >= expect.humanitarian_at_least, format!("{} calls for help", tally.humanitarian));
        check(tally.crossings >= expect.crossings_at_least, format!("{} crossings", tally.crossings));
        #[expect(clippy::cast_precision_loss, reason = "few crossings")]
        let share = tally.found as f64 / tally.crossings.max(1) as f64;
        check(tally.crossings == 0 || share >= expect.found_at_least, format!("{share} of the crossings found"));
        check(tally.nuisance <= expect.nuisance_at_most, format!("{} nuisance alerts", tally.nuisance));
        let raised = |kind: &AlertKind| run.alerts.iter().any(|(_, alert)| alert.kind == *kind);
        for kind in &expect.raises {
            check(raised(kind), format!("no {kind:?}"));
        }
        for kind in &expect.never {
            check(!raised(kind), format!("a {kind:?}"));
        }
        check(tally.health >= expect.health_alerts_at_least, format!("{} health alerts", tally.health));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn two_gateways_tell_of_one_person_at_one_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let places: Vec<(f64, f64)> = ["two-gateways-west", "two-gateways-east"]
        .into_iter()
        .map(|name| {
            let scenario = Scenario::read(&folder.join(name).with_extension("toml")).unwrap();
            let run = drive(&scenario, 1).unwrap();
            let crossed = run.alerts.iter().find(|(_, alert)| alert.kind == AlertKind::Crossing).unwrap();
            let Some(Place::Point { lat, lon, .. }) = crossed.1.place else { panic!("no place: {:?}", crossed.1) };
            (lat, lon)
        })
        .collect();
    // A ten-thousandth of a degree is 11 m north and 7 m east.
    assert!((places[0].0 - places[1].0).abs() < 3e-4 && (places[0].1 - places[1].1).abs() < 5e-4, "{places:?}");
}

/// Five minutes, of which the rule itself waits three to be sure that somebody stays.
#[test]
fn help_is_called_for_within_five_minutes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let scenario = Scenario::read(&folder.join("distress-in-the-cold.toml")).unwrap();
    for seed in 1..=3 {
        let run = drive(&scenario, seed).unwrap();
        // The scenario's second agent is the person from the moment they stop.
        let (stops_s, _) = run.truth.walkers[1].life_s();
        let call = run.alerts.iter().find(|(_, alert)| alert.humanitarian.is_some()).unwrap();
        let after_s = call.0.seconds_since(scenario.layout.begins) - stops_s;
        assert!((0.0..=300.0).contains(&after_s), "seed {seed}: called for {after_s} s after they stopped");
    }
}

/// The radar that hangs shows for ten minutes who walked by before.
#[test]
fn a_stuck_radar_calls_for_no_help() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let scenario = Scenario::read(&folder.join("sensors-stuck.toml")).unwrap();
    let run = drive(&scenario, 1).unwrap();
    assert!(run.alerts.iter().all(|(_, alert)| alert.humanitarian.is_none()));
    assert!(run.alerts.iter().any(|(_, alert)| alert.kind == AlertKind::SensorStuck));
}

#[test]
fn the_same_seed_brings_the_same_alerts() {
    let scenario = Scenario::demo().unwrap();
    let alerts = |run: vedette_sim::campaign::Run| {
        run.alerts.iter().map(|(written, alert)| (*written, serde_json::to_string(alert).unwrap())).collect::<Vec<_>>()
    };
    let first = alerts(drive(&scenario, 4).unwrap());
    assert!(!first.is_empty());
    assert!(first == alerts(drive(&scenario, 4).unwrap()));
}

/// An ellipse that claims 95 % and holds 85 makes who is sent there doubt the next one.
#[test]
fn who_is_told_of_is_where_the_ellipse_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let mut tally = Tally::default();
    for name in ["demo", "river", "own-patrol", "radio-congestion", "bad-network"] {
        let scenario = Scenario::read(&folder.join(name).with_extension("toml")).unwrap();
        for seed in 1..=3 {
            tally.add(&scenario, &drive(&scenario, seed).unwrap());
        }
    }
    let (told, within) = tally.places;
    assert!(told > 200 && within * 100 >= told * 94, "{within} of {told}");
}

#[test]
fn fusion_spares_the_operator_nine_of_ten_triggers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let mut tally = Tally::default();
    for name in ["surge", "dawn-storm", "deer-and-boar"] {
        let scenario = Scenario::read(&folder.join(name).with_extension("toml")).unwrap();
        tally.add(&scenario, &drive(&scenario, 2).unwrap());
    }
    assert!(tally.alerts * 10 <= tally.triggers, "{} alerts of {} triggers", tally.alerts, tally.triggers);
}
