//! Configurations as people type them: what is meant by them, and how faults are told.

use vedette_engine::config::{EngineConfig, Ground};

fn parse(text: &str) -> EngineConfig {
    toml::from_str(text).expect("valid TOML of known keys")
}

fn with_sensor(lines: &str) -> EngineConfig {
    parse(&format!("[site]\nid = \"s\"\norigin = {{ lat = 52.0, lon = 23.6 }}\n[[sensor]]\n{lines}\n"))
}

/// Each fault as one line: path, expected, got, fix.
fn faults(config: &EngineConfig) -> String {
    config.faults().iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn every_shape_of_sensor_and_zone_is_understood() {
    let site = parse(include_str!("fixtures/mixed.toml")).resolve().expect("valid");
    assert_eq!(site.sensors.len(), 7);
    assert_eq!(site.sensor_named("trip-0"), Some(3));
    assert_eq!(site.sensors_of_node(18), [4]);
    assert_eq!(site.sensors[3].model.position_m.x, 20.0);
    let south_m = site.sensors[1].model.position_m.y;
    assert!((south_m + 22.25).abs() < 0.01, "{south_m}");
    assert!(!site.sensors[1].model.reports_empty_scans);
    assert!(site.sensors[0].model.reports_empty_scans && !site.sensors[2].model.reports_empty_scans);
    let Ground::Polygon(road) = &site.zones[2].ground else { panic!("a polygon") };
    assert!((road[0].y - 111.3).abs() < 0.1, "{}", road[0]);
}

#[test]
fn a_configuration_survives_being_recorded() {
    let config = parse(include_str!("fixtures/mixed.toml"));
    let recorded = serde_json::to_string(&config).expect("JSON");
    assert_eq!(serde_json::from_str::<EngineConfig>(&recorded).expect("the same"), config);
}

#[test]
fn faults_name_path_expected_got_and_fix() {
    let config = with_sensor(
        "id = \"radar 1/2\"
         kind = \"radar\"
         position = { east_m = 5.0, lat = 52.0 }
         coverage = { shape = \"sector\", range_m = -700.0, radius_m = 5.0, heading_deg = 0.0 }
         detection_probability = 1.5
         clutter_per_scan = 1.0
         false_alarms_per_hour = 1.0",
    );
    insta::assert_snapshot!(faults(&config));
}

#[test]
fn what_is_missing_is_a_fault_too() {
    insta::assert_snapshot!(faults(&with_sensor("id = \"cam\"\nkind = \"camera\"")));
    insta::assert_snapshot!(faults(&with_sensor("id = \"trip\"\nkind = \"tripwire\"\nposition = {}")));
}

#[test]
fn faults_of_zones_and_site_are_told() {
    let config = parse(
        "[site]
         id = \"s\"
         origin = { lat = 95.0, lon = 23.6 }
         timezone = \"Europe/Warsawa\"
         [[zone]]
         name = \"a\"
         kind = \"alert\"
         line_m = [[0.0, 0.0], [5.0, 5.0]]
         direction = \"in\"
         schedule = [{ from = \"8\", to = \"24:01\" }]
         [[zone]]
         name = \"a\"
         kind = \"border\"
         points_m = [[0.0, 0.0], [0.0, 0.0]]
         [rules]
         min_existence = 0.0",
    );
    insta::assert_snapshot!(faults(&config));
}

#[test]
fn two_sensors_may_not_share_a_name_or_a_node() {
    let sensor = "id = \"pir\"\nkind = \"pir\"\nnode = 4\nposition = { east_m = 0.0, north_m = 0.0 }";
    insta::assert_snapshot!(faults(&with_sensor(&format!("{sensor}\n[[sensor]]\n{sensor}"))));
}

#[test]
fn unknown_keys_and_kinds_are_errors_of_the_parser() {
    let parse = |lines: &str| {
        let text =
            format!("[site]\nid = \"s\"\norigin = {{ lat = 52.0, lon = 23.6 }}\n[[sensor]]\nid = \"a\"\n{lines}");
        toml::from_str::<EngineConfig>(&text).expect_err("an error").to_string()
    };
    assert!(parse("kind = \"radr\"").contains("unknown variant `radr`"));
    assert!(parse("kind = \"pir\"\nradius_m = 5.0").contains("unknown field `radius_m`"));
}

#[test]
fn a_key_of_a_zone_that_nothing_looks_at_is_a_fault() {
    let zone = |kind: &str, line: &str| {
        let points = "points_m = [[0.0, 0.0], [5.0, 0.0], [5.0, 5.0]]";
        let site = "[site]\nid = \"s\"\norigin = { lat = 52.0, lon = 23.6 }";
        faults(&parse(&format!("{site}\n[[zone]]\nname = \"a\"\nkind = \"{kind}\"\n{points}\n{line}")))
    };
    let allowed = [
        ("alert", "loiter_after_s = 60.0"),
        ("alert", "entry_hold_s = 5.0"),
        ("border", "approach_hold_s = 5.0"),
        ("border", "vehicle_stop_s = 0.0"),
        ("water", "help_after_s = 5.0"),
        ("entry", "arrivals = 5.0"),
        ("entry", "heading_deg = 180.0"),
    ];
    for (kind, line) in allowed {
        assert_eq!(zone(kind, line), "", "{kind} {line}");
        let told = zone("shelter", line);
        assert!(told.contains("no such key except for kind"), "{line}: {told}");
    }
    for line in ["severity = \"low\"", "classes = [\"person\"]", "min_existence = 0.5", "min_confidence = 0.5"] {
        assert_eq!((zone("alert", line), zone("border", line)), (String::new(), String::new()), "{line}");
        for kind in ["water", "humanitarian", "shelter", "work", "ignore"] {
            let told = zone(kind, line);
            assert!(told.contains("no such key except for kind \"border\" or \"alert\""), "{kind} {line}: {told}");
        }
    }
    assert!(zone("alert", "entry_hold_s = -1.0").contains("entry_hold_s"));
    assert!(zone("entry", "arrivals = nan").contains("arrivals"));
    let hours = "schedule = [{ from = \"08:00\", to = \"16:00\" }]";
    assert!(zone("entry", hours).contains("no such key for kind \"entry\""));
}

#[test]
fn a_sensor_that_scans_hears_no_calls_for_help() {
    let sensor = |lines: &str| {
        faults(&with_sensor(&format!(
            "id = \"a\"\nposition = {{ east_m = 0.0, north_m = 0.0 }}\ndistress = true\n{lines}"
        )))
    };
    assert_eq!(sensor("kind = \"rf\""), "");
    assert!(sensor("kind = \"radar\"\ncoverage = { shape = \"circle\", radius_m = 900.0 }").contains("scans"));
}
