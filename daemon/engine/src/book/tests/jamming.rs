//! Radio nodes that fall silent together, by a jammer and by chance.

use super::*;

const MINUTE_S: f64 = 60.0;

/// A field of radio nodes that tell their state every half hour, each in a minute of its own.
struct Field {
    stage: Stage,
    nodes: u32,
    /// One report in so many is lost, by lot; 0: none.
    lost_one_in: u64,
    drawn: u64,
    told: Vec<Alert>,
}

impl Field {
    fn of(nodes: u32, lost_one_in: u64) -> Self {
        let node = |node: u32| {
            format!(
                "\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\nposition = {{ east_m = {}.0, north_m = 10.0 }}\n",
                1_000 + 20 * node
            )
        };
        let text = (100..100 + nodes).map(node).fold(SITE.to_owned(), |text, node| text + &node);
        Self { stage: Stage::of(&text), nodes, lost_one_in, drawn: 1, told: Vec::new() }
    }

    /// Lives through these minutes; `gets_through` says whether the report of a node does.
    fn run(&mut self, minutes: std::ops::Range<u32>, gets_through: impl Fn(u32) -> bool) {
        for minute in minutes {
            let now = at(MINUTE_S * f64::from(minute));
            for sensor in &mut self.stage.sensors {
                let node = sensor.id.strip_prefix("node-").and_then(|number| number.parse::<u32>().ok());
                let Some(node) = node.map(|node| node - 100) else {
                    sensor.last_heard = Some(now);
                    continue;
                };
                // Knuth's multiplier.
                self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let lost = self.lost_one_in > 0 && (self.drawn >> 33).is_multiple_of(self.lost_one_in);
                if minute % 30 == node * 30 / self.nodes && gets_through(node) && !lost {
                    (sensor.last_heard, sensor.told_at) = (Some(now), Some(now));
                }
            }
            self.told.extend(of_kind(&self.stage.step(now, &[]), AlertKind::Jammed));
        }
    }

    /// After how many minutes of these jamming was told first.
    fn told_after_min(&self, minute: u32) -> Option<f64> {
        let raised = self.told.first()?;
        assert_eq!(raised.rev, 1);
        self.stage
            .book
            .open
            .get("radio/jammed")
            .map(|entry| entry.raised_at.seconds_since(at(MINUTE_S * f64::from(minute))) / MINUTE_S)
    }
}

#[test]
fn a_jammer_is_told_of_within_minutes_in_the_first_hour_too() {
    for (from, nodes, most_min) in [(41, 30, 9.0), (95, 30, 9.0), (41, 15, 16.0), (95, 15, 16.0)] {
        let mut field = Field::of(nodes, 0);
        field.run(0..from, |_| true);
        assert_eq!(field.told, [], "{nodes} nodes");
        field.run(from..from + 25, |_| false);
        let after_min = field.told_after_min(from).expect("told");
        assert!(after_min <= most_min, "{after_min} min with {nodes} nodes from minute {from}");
        // When it has gone, and the nodes are heard again, that is over.
        field.run(from + 25..from + 90, |_| true);
        let last = field.told.last().expect("an alert");
        assert_eq!(last.state, AlertState::Closed { reason: CloseReason::Cleared });
        assert_eq!(field.told.iter().filter(|alert| alert.rev == 1).count(), 1);
    }
}

#[test]
fn what_is_lost_by_chance_is_learned_and_is_no_jammer() {
    for lost_one_in in [33, 10, 4] {
        let mut field = Field::of(30, lost_one_in);
        field.run(0..20 * 24 * 60, |_| true);
        assert_eq!(field.told, [], "one in {lost_one_in} lost");
        field.run(20 * 24 * 60..20 * 24 * 60 + 30, |_| false);
        let after_min = field.told_after_min(20 * 24 * 60).expect("told");
        assert!(after_min <= 16.0, "{after_min} min where one in {lost_one_in} is lost");
    }
}

#[test]
fn nodes_that_save_their_batteries_are_not_jammed() {
    let mut field = Field::of(30, 0);
    field.run(0..120, |_| true);
    for sensor in &mut field.stage.sensors {
        sensor.battery_low = true;
    }
    // A cold night: what they said last was that they would say less.
    field.run(120..230, |_| false);
    assert_eq!(field.told, []);
}

/// The gateway was without power; what its nodes told meanwhile nobody missed.
#[test]
fn nobody_was_jammed_while_nobody_listened() {
    let mut field = Field::of(30, 0);
    field.run(0..120, |_| true);
    field.stage.woke = at(165.0 * MINUTE_S);
    field.run(165..300, |node| node % 2 == 0);
    assert_eq!(field.told, []);
}

#[test]
fn nodes_that_fall_silent_together_are_jammed_and_a_dead_one_is_not() {
    let site = |nodes: u32| {
        let mut text = SITE.to_owned();
        for node in 1..=nodes {
            text += &format!(
                "\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\nposition = {{ east_m = {}.0, north_m = 10.0 }}\n",
                20 * node
            );
        }
        text
    };
    let run = |silent: u32, gone: &str| {
        let mut stage = Stage::of(&site(6));
        stage.links.insert(gone.to_owned(), Link { up: false, since: at(0.0) });
        let mut all = Vec::new();
        for minute in 0..240_u32 {
            let second = f64::from(minute) * 60.0;
            for (index, sensor) in stage.sensors.iter_mut().enumerate() {
                let node = sensor.id.strip_prefix("node-").and_then(|number| number.parse::<u32>().ok());
                let quiet = node.is_some_and(|node| node <= silent) && minute >= 120;
                // Each node speaks every ten minutes, in a minute of its own.
                if !quiet && (node.is_none() || minute as usize % 10 == index % 10) {
                    sensor.last_heard = Some(at(second));
                    sensor.told_at = sensor.last_heard;
                }
            }
            all.extend(stage.step(at(second), &[]));
        }
        of_kind(&all, AlertKind::Jammed)
    };
    let sink = format!("{SINK}neighbour");
    assert_eq!(run(1, UPLINK), []);
    assert_eq!(run(2, &sink), []);
    assert_eq!(run(6, "radio-1"), [], "nobody is heard by way of a source that is gone");
    assert_eq!(run(6, UPLINK), run(6, &sink), "whether alerts arrive anywhere says nothing of the radio");
    let jammed = run(6, UPLINK);
    insta::assert_snapshot!(lines(&jammed[..1]));
    assert!(jammed[0].first_seen < at(121.0 * 60.0) && jammed[0].last_seen < at(140.0 * 60.0));
}

/// Cars on a road set off one detector after the other; then none comes for an hour, and nobody jams anything.
#[test]
fn nodes_that_see_nothing_any_more_are_not_jammed() {
    let mut text = SITE.to_owned();
    for node in 1..=6 {
        text += &format!(
            "\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\nposition = {{ east_m = {}.0, north_m = 10.0 }}\n",
            20 * node
        );
    }
    let mut stage = Stage::of(&text);
    let mut all = Vec::new();
    for minute in 0..300_u32 {
        let second = f64::from(minute) * 60.0;
        for (index, sensor) in stage.sensors.iter_mut().enumerate() {
            let node = sensor.id.starts_with("node-");
            let tells = minute as usize % 30 == index % 30;
            let sees = (90..120).contains(&minute) && minute % 2 == 0;
            if !node || tells || sees {
                sensor.last_heard = Some(at(second));
            }
            if node && tells {
                sensor.told_at = Some(at(second));
            }
        }
        all.extend(stage.step(at(second), &[]));
    }
    assert_eq!(of_kind(&all, AlertKind::Jammed), []);
}
