//! What silence says: a footprint or a line that did not report, and scans that were not sent because nothing was seen.
//!
//! Sensors that report events are asked once a second: an object inside an armed footprint, or passing an armed line,
//! would have been reported with a known probability, so every hypothesis that says so loses weight, and if all do,
//! the object loses existence. While a sensor rearms its silence says nothing.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::bernoulli::Bernoulli;
use crate::gaussian::Gaussian;
use crate::grid;
use crate::mixture;
use crate::normal;
use crate::quadrature;
use crate::sensor::{SensorKind, SensorModel};
use crate::sensor_state::SensorState;

/// Part of the messages that arrive: silence may be a lost one.
pub(crate) const DELIVERED: f64 = 0.95;

/// Side of the cells by which event sensors are found.
const CELL_M: f64 = 50.0;

/// A sensor farther than this many standard deviations says nothing about a hypothesis.
const REACH_SD: f64 = 3.5;

/// Whether a sensor reports events rather than scans.
pub(crate) fn reports_events(model: &SensorModel) -> bool {
    matches!(model.kind, SensorKind::Pir | SensorKind::Seismic | SensorKind::Tripwire)
}

/// Event sensors by place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventSensors {
    /// Cell row, cell column, sensor; sorted.
    cells: Vec<(i64, i64, usize)>,
}

impl EventSensors {
    pub(crate) fn new(sensors: &[SensorModel]) -> Self {
        let mut cells = Vec::new();
        let fixed = sensors.iter().enumerate().filter(|(_, model)| reports_events(model) && !model.mobile);
        for (index, model) in fixed {
            let (low, high) = model.coverage.bounds_m(model.position_m);
            for row in cell_of(low.y)..=cell_of(high.y) {
                for column in cell_of(low.x)..=cell_of(high.x) {
                    cells.push((row, column, index));
                }
            }
        }
        cells.sort_unstable();
        Self { cells }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Sensors that may touch the box, in ascending order.
    fn within(&self, low: Vector2<f64>, high: Vector2<f64>) -> Vec<usize> {
        let mut found = Vec::new();
        for row in cell_of(low.y)..=cell_of(high.y) {
            let start = self.cells.partition_point(|cell| (cell.0, cell.1) < (row, cell_of(low.x)));
            let reached = self.cells[start..].iter().take_while(|cell| cell.0 == row && cell.1 <= cell_of(high.x));
            found.extend(reached.map(|cell| cell.2));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Takes one second of silence, ending at the track's time, into account.
    pub(crate) fn listen(&self, models: &[SensorModel], states: &[SensorState], track: &mut Bernoulli) {
        let reaches: Vec<_> = track.hypotheses.iter().map(|hypothesis| Reach::of(*hypothesis.likeliest())).collect();
        let Some((low, high)) = bounds(&reaches) else { return };
        let mut heard = false;
        for sensor in self.within(low, high) {
            let (model, state) = (&models[sensor], &states[sensor]);
            if !state.is_armed(model, track.time) {
                continue;
            }
            let (sensor_low, sensor_high) = model.coverage.bounds_m(state.origin_m);
            let mut silent = 0.0;
            for (hypothesis, reach) in track.hypotheses.iter_mut().zip(&reaches) {
                if reach.touches(sensor_low, sensor_high) {
                    let reported = report_in_one_second(model, state, &reach.state);
                    hypothesis.weight *= 1.0 - DELIVERED * reported;
                    heard |= reported > 1e-6;
                }
                silent += hypothesis.weight;
            }
            track.existence = track.existence * silent / (1.0 - track.existence + track.existence * silent);
            let scale = 1.0 / silent.max(f64::MIN_POSITIVE);
            for hypothesis in &mut track.hypotheses {
                hypothesis.weight *= scale;
            }
        }
        if heard && track.hypotheses.len() > 1 {
            mixture::drop_negligible(&mut track.hypotheses);
        }
    }
}

/// Probability that the sensor reports an object in this state within a second.
fn report_in_one_second(model: &SensorModel, sensor: &SensorState, state: &Gaussian) -> f64 {
    let Some(segment) = model.coverage.segment() else {
        if quadrature::is_beyond(state, -model.coverage.signed_distance_m(sensor.origin_m, state.position())) {
            return 0.0;
        }
        let covers = |place| model.coverage.holds(sensor.origin_m, place);
        return model.detection_probability * quadrature::probability(state, covers);
    };
    let (distance, sd) = segment.distance(state);
    let (speed, velocity_sd) = (state.velocity().norm(), libm::sqrt(state.velocity_covariance().trace()));
    // The second is over: who crossed in it is now up to one step behind the line.
    let step = 0.5 * (speed + velocity_sd);
    let passing = normal::distribution((distance + step) / sd) - normal::distribution((distance - step) / sd);
    if passing < 1e-6 {
        return 0.0;
    }
    let share = segment.mean_speed_across_mps(state) / (2.0 * step).max(1e-6);
    let crossed = passing * share.min(1.0) * segment.probability_between_ends(state);
    model.detection_probability * crossed.min(1.0)
}

/// A hypothesis and the box it may be in.
struct Reach {
    state: Gaussian,
    low: Vector2<f64>,
    high: Vector2<f64>,
}

impl Reach {
    fn of(state: Gaussian) -> Self {
        let sd = Vector2::new(state.covariance[(0, 0)], state.covariance[(1, 1)]).map(libm::sqrt);
        // A line is passed within a second's walk.
        let half = sd * REACH_SD + state.velocity().abs();
        Self { low: state.position() - half, high: state.position() + half, state }
    }

    fn touches(&self, low: Vector2<f64>, high: Vector2<f64>) -> bool {
        self.low.x <= high.x && self.low.y <= high.y && self.high.x >= low.x && self.high.y >= low.y
    }
}

fn bounds(reaches: &[Reach]) -> Option<(Vector2<f64>, Vector2<f64>)> {
    let first = reaches.first()?;
    let all =
        reaches.iter().fold((first.low, first.high), |(low, high), reach| (low.inf(&reach.low), high.sup(&reach.high)));
    Some(all)
}

fn cell_of(coordinate_m: f64) -> i64 {
    grid::cell_of(coordinate_m, CELL_M)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bernoulli::Label;
    use crate::class;
    use crate::config::{MODES, TrackerConfig};
    use crate::imm::Hypothesis;
    use crate::measure::fixture::sensor;
    use crate::sensor::Coverage;
    use crate::time::Timestamp;
    use crate::visibility::Visibility;
    use nalgebra::Matrix2;

    fn track_at(places: &[[f64; 2]], velocity: Vector2<f64>) -> Bernoulli {
        let hypotheses = places
            .iter()
            .map(|place| {
                let state = Gaussian::new(
                    Vector2::from(*place),
                    Matrix2::identity() * 4.0,
                    velocity,
                    Matrix2::identity() * 0.04,
                );
                Hypothesis {
                    weight: 1.0 / places.len() as f64,
                    mode_probability: [0.0, 1.0, 0.0],
                    modes: [state; MODES],
                }
            })
            .collect();
        let label = Label { time: Timestamp::from_seconds(10), sensor: 0, plot: 0 };
        let visibility = Visibility::born(&TrackerConfig::default(), 0, label.time);
        Bernoulli::born(label, (0.9, 0.9), hypotheses, class::PRIOR, visibility)
    }

    #[test]
    fn a_silent_footprint_speaks_against_being_inside() {
        let models = [sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 })];
        let states = [SensorState::new(&models[0])];
        let mut track = track_at(&[[0.0, 0.0], [60.0, 0.0]], Vector2::zeros());
        EventSensors::new(&models).listen(&models, &states, &mut track);
        let inside = track.hypotheses.iter().find(|hypothesis| hypothesis.likeliest().position().x < 30.0);
        assert!(inside.is_some_and(|hypothesis| hypothesis.weight < 0.15));
        assert!(track.existence < 0.88);
    }

    #[test]
    fn a_rearming_sensor_says_nothing() {
        let models = [sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 })];
        let mut state = SensorState::new(&models[0]);
        state.note_scan(&models[0], Timestamp::from_seconds(7), true);
        let mut track = track_at(&[[0.0, 0.0], [60.0, 0.0]], Vector2::zeros());
        let before = track.clone();
        EventSensors::new(&models).listen(&models, &[state], &mut track);
        assert_eq!(track, before);
    }

    /// Over the seconds in which it passes a silent line a track loses, in all, about one chance of detection.
    #[test]
    fn passing_a_silent_line_costs_one_detection() {
        let models = [sensor(SensorKind::Tripwire, Coverage::Line { from_m: [-40.0, 0.0], to_m: [40.0, 0.0] })];
        let states = [SensorState::new(&models[0])];
        let events = EventSensors::new(&models);
        let mut odds = 1.0;
        for second in -20..20 {
            let mut track = track_at(&[[0.0, -1.2 * f64::from(second)]], Vector2::new(0.0, -1.2));
            let before = track.existence / (1.0 - track.existence);
            events.listen(&models, &states, &mut track);
            odds *= track.existence / (1.0 - track.existence) / before;
        }
        assert!(odds < 0.5 && odds > 0.05, "odds fell to {odds}");
    }
}
