//! The campaign's table at fixed seeds: a change of behaviour shows as a difference in numbers.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::fmt::Write;
use std::path::Path;

use vedette_sim::campaign::{Tally, drive};
use vedette_sim::scenario::Scenario;

/// Short ones of every kind: alone, in a party, by vehicle, against an adversary, without power, without light.
const SCENARIOS: [&str; 8] = [
    "big-group",
    "dusk",
    "forged-and-replayed",
    "group-splits",
    "patrol-with-radio",
    "power-loss",
    "single-walker",
    "vehicle-then-walkers",
];

#[test]
fn the_table_at_two_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let (mut table, mut total) = (Tally::head() + "\n", Tally::default());
    for name in SCENARIOS {
        let scenario = Scenario::read(&folder.join(name).with_extension("toml")).unwrap();
        let mut tally = Tally::default();
        for seed in 1..=2 {
            tally.add(&scenario, &drive(&scenario, seed).unwrap());
        }
        writeln!(table, "{name:<22} {tally}").unwrap();
        total.merge(&tally);
    }
    writeln!(table, "{:<22} {total}", "all").unwrap();
    insta::assert_snapshot!(table);
}
