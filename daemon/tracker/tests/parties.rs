//! Who walks together: found together, and believed in no longer when nothing is seen of any.

mod field;

use field::{Noise, confirmed, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Detection, Track, TrackId, Tracker, TrackerConfig};

const SPACING_M: f64 = 8.0;
const PARTY: u32 = 5;

/// Parties of five in single file, and one who walks alone far away.
struct Field {
    tracker: Tracker,
    noise: Noise,
    second: u32,
}

impl Field {
    /// Watched for half a minute, with parties to learn from.
    fn new() -> Self {
        let tracker = Tracker::new(TrackerConfig::default(), vec![radar("radar", 0.0)]).expect("a valid model");
        let mut field = Self { tracker, noise: Noise::new(7), second: 0 };
        (0..30).for_each(|_| field.see(|_, _| true, true));
        field
    }

    fn place(party: u32, member: u32, second: u32) -> Vector2<f64> {
        let start = Vector2::new(-1_500.0 + 700.0 * f64::from(party), 800.0 - SPACING_M * f64::from(member));
        start + Vector2::new(0.3, 1.2) * f64::from(second)
    }

    fn plot(&mut self, at: Vector2<f64>) -> Detection {
        position(at.x + 3.0 * self.noise.normal(), at.y + 3.0 * self.noise.normal(), 3.0)
    }

    /// A scan with a plot of each member of the first four parties that is `seen`, and of the one who walks alone.
    fn see(&mut self, seen: impl Fn(u32, u32) -> bool, is_lone_one_seen: bool) {
        self.second += 1;
        let second = self.second;
        let members = (0..4).flat_map(|party| (0..PARTY).map(move |member| (party, member)));
        let there: Vec<_> = members.filter(|(party, member)| seen(*party, *member)).collect();
        let mut plots: Vec<Detection> =
            there.into_iter().map(|(party, member)| self.plot(Self::place(party, member, second))).collect();
        if is_lone_one_seen {
            plots.push(self.plot(Vector2::new(1_200.0 - f64::from(second), -1_200.0)));
        }
        self.tracker.step(&scan(second, plots));
    }

    /// Confirmed tracks near a party.
    fn confirmed(&self, party: u32) -> usize {
        let middle = Self::place(party, 2, self.second);
        let near = |track: &&Track| (track.position_m - middle).norm() < 100.0;
        confirmed(&self.tracker, self.second).iter().filter(near).count()
    }
}

#[test]
fn a_party_of_which_nothing_is_seen_any_more_has_gone() {
    let mut field = Field::new();
    assert_eq!(field.confirmed(0), 5);
    field.see(|party, _| party != 0, true);
    assert_eq!((field.confirmed(0), field.confirmed(1)), (0, 5));
}

#[test]
fn who_comes_back_is_the_same() {
    let mut field = Field::new();
    let known = |field: &Field| -> Vec<TrackId> {
        confirmed(&field.tracker, field.second).iter().map(|track| track.id).collect()
    };
    let before = known(&field);
    field.see(|party, _| party != 0, true);
    (0..3).for_each(|_| field.see(|_, _| true, true));
    assert_eq!(known(&field), before);
}

#[test]
fn one_member_that_is_seen_speaks_for_the_others() {
    let mut field = Field::new();
    field.see(|party, member| party != 0 || member == 2, true);
    assert_eq!(field.confirmed(0), 5);
}

#[test]
fn a_radar_that_sees_nobody_at_all_may_be_blind() {
    let mut field = Field::new();
    field.see(|_, _| false, false);
    assert_eq!((0..4).map(|party| field.confirmed(party)).sum::<usize>(), 20);
}

/// Four plots where nobody was are a party at once, where parties have been met: so many by chance are rarer.
#[test]
fn of_a_new_party_each_speaks_for_the_others() {
    let mut field = Field::new();
    let second = field.second + 1;
    let newcomers: Vec<Detection> = (0..4).map(|member| field.plot(Field::place(4, 2 * member, second))).collect();
    field.tracker.step(&scan(second, newcomers));
    field.second = second;
    assert_eq!(field.confirmed(4), 4);
}
