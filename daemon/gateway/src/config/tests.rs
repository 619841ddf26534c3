//! Messages about wrong configurations, as a person sees them.

use std::path::Path;

use super::*;

const SITE: &str = "[site]\nid = \"north\"\norigin = { lat = 52.0, lon = 23.6 }\n";

fn complaint(tables: &str) -> String {
    let text = format!("{SITE}\n{tables}");
    Config::parse(Path::new("vedette.toml"), &text).expect_err("a wrong configuration").to_string()
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    insta::assert_snapshot!(complaint("[store]\nmax_sise_mib = 64\n"));
}

#[test]
fn a_wrong_type_is_told_in_plain_words() {
    insta::assert_snapshot!(complaint("[uplink]\nretry_s = \"soon\"\n"));
}

#[test]
fn a_missing_key_is_named() {
    insta::assert_snapshot!(complaint("[[source.serial]]\nname = \"radio\"\n"));
}

#[test]
fn broken_toml_has_a_place() {
    insta::assert_snapshot!(complaint("[store\nfile = 3\n"));
}

#[test]
fn an_unknown_word_names_the_nearest_one() {
    insta::assert_snapshot!(complaint("[[sensor]]\nid = \"r\"\nkind = \"rader\"\n"));
}

#[test]
fn all_values_out_of_range_are_told_at_once() {
    insta::assert_snapshot!(complaint(concat!(
        "[[source.mqtt]]\nname = \"a b\"\nbroker = { host = \"mqtt://x\", keep_alive_s = 0 }\n",
        "[[source.serial]]\nname = \"radio\"\ndevice = \"/dev/ttyUSB0\"\n",
        "[[source.serial]]\nname = \"radio\"\ndevice = \"/dev/ttyUSB1\"\n",
        "[store]\ncommit_interval_ms = 0\n",
    )));
}

#[test]
fn who_may_place_own_units_is_named_or_proved() {
    insta::assert_snapshot!(complaint(concat!(
        "[[source.cot]]\nname = \"plain\"\nfrom = { host = \"tak\", port = 8087 }\n",
        "[[source.cot]]\nname = \"group\"\nmulticast = \"239.2.3.1:6969\"\ntrust = []\n",
        "[[source.cot]]\nname = \"half\"\nfrom = { host = \"tak\", port = 8089, tls = { ca_file = \"ca.pem\" } }\n",
        "[[source.http]]\nname = \"posts\"\nlisten = \"0.0.0.0:8042\"\ncodec = \"cot\"\n",
    )));
    let proof = "tls = { ca_file = \"ca.pem\", cert_file = \"gw.pem\", key_file = \"gw.key\" }";
    for source in [
        format!("name = \"proved\"\nfrom = {{ host = \"tak\", port = 8089, {proof} }}"),
        "name = \"named\"\nmulticast = \"239.2.3.1:6969\"\ntrust = [\"ANDROID-3c1f\"]".to_owned(),
    ] {
        let text = format!("{SITE}[[source.cot]]\n{source}\n");
        Config::parse(Path::new("vedette.toml"), &text).expect("a configuration");
    }
}

#[test]
fn the_radio_of_an_own_unit_is_named_as_the_mesh_names_it_and_once() {
    insta::assert_snapshot!(complaint(concat!(
        "[[unit]]\nid = \"a\"\nmeshtastic = \"A1B2C3D4\"\n",
        "[[unit]]\nid = \"b\"\nmeshtastic = \"!a1b2c3d4\"\n",
        "[[unit]]\nid = \"c\"\nmeshtastic = \"!a1b2c3d4\"\n",
        "[[unit]]\nid = \"d\"\nmeshtastic = \"!ffffffff\"\n",
        "[[source.http]]\nname = \"posts\"\nlisten = \"0.0.0.0:8042\"\ncodec = \"meshtastic\"\n",
    )));
    let named = format!("{SITE}[[unit]]\nid = \"a\"\nmeshtastic = \"!a1b2c3d4\"\n");
    let config = Config::parse(Path::new("vedette.toml"), &named).expect("a configuration");
    assert_eq!(config.engine.unit[0].mesh_node(), Some(0xa1b2_c3d4));
}

#[test]
fn the_engines_faults_have_places_too() {
    insta::assert_snapshot!(complaint(concat!(
        "[[sensor]]\nid = \"r\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\n",
        "coverage = { shape = \"circle\", radius_m = -5.0 }\nscan_period_s = 1.0\n",
    )));
}

#[test]
fn paths_start_at_the_files_folder_and_defaults_follow_the_site() {
    let tables = concat!(
        "[radio]\nkeys_dir = \"keys\"\n",
        "[[source.mqtt]]\nname = \"field\"\nbroker = { host = \"localhost\" }\n",
        "[[sink.centre]]\nbroker = { host = \"centre\", tls = { ca_file = \"ca.pem\" } }\n",
        "[store]\nfile = \"/var/store.sqlite\"\n",
    );
    let config = Config::parse(Path::new("/etc/vedette/gateway.toml"), &format!("{SITE}{tables}")).expect("right");
    let (source, sink) = (&config.source.mqtt[0], &config.sink.centre[0]);
    assert_eq!(source.topics, ["vedette/v1/north/sensor/+/detections"]);
    assert_eq!(source.broker.client_id.as_deref(), Some("north-field"));
    assert_eq!((source.broker.port(), sink.broker.port()), (1883, 8883));
    assert_eq!(sink.broker.client_id.as_deref(), Some("north"));
    assert_eq!(sink.broker.tls.as_ref().map(|tls| tls.ca_file.as_path()), Some(Path::new("/etc/vedette/ca.pem")));
    assert_eq!(config.store.file, Path::new("/var/store.sqlite"));
    assert_eq!(config.radio.map(|radio| radio.keys_dir).as_deref(), Some(Path::new("/etc/vedette/keys")));
}

#[test]
fn the_example_lists_every_key_of_the_rules_with_what_holds_without_it() {
    let example: toml::Table = toml::from_str(include_str!("../../../../config/gateway.toml")).expect("valid TOML");
    let rules = example["rules"].as_table().expect("a table");
    let defaults = toml::Table::try_from(vedette_engine::config::RulesTable::default()).expect("a table");
    assert_eq!(rules, &defaults);
}
