//! What many runs of one scenario add up to.

use std::collections::BTreeSet;
use std::fmt;

use vedette_engine::metric::{CrossingOptions, TrueCrossing, quantile, score_crossings};
use vedette_engine::{Alert, AlertState, Direction, Place, crossing_reports};

use super::cause::cause;
use super::drive::Run;
use super::places::places;
use super::{interval, lower_bound};
use crate::geometry::distance;
use crate::scenario::{AgentKind, Scenario, Zone, ZoneShape};

/// Length of the windows in which an operator's load is counted.
const WINDOW_S: f64 = 600.0;

/// Sums over runs.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Crossings of people and vehicles that are not the own ones.
    pub crossings: usize,
    /// Of these, reported by an alert that asks for attention.
    pub found: usize,
    /// Of these, with the right direction.
    pub direction_right: usize,
    /// From the first moment a sensor noticed the object to the first writing of its alert, seconds; for found ones.
    pub delays_s: Vec<f64>,
    /// From the first writing of the alert to the crossing itself, seconds; negative when it was written afterwards.
    pub leads_s: Vec<f64>,
    /// From the newest plot behind a movement alert to its first writing, seconds.
    pub lags_s: Vec<f64>,
    /// Alerts about somebody that ask for attention where nobody was, or only game and own people.
    pub nuisance: usize,
    /// Alerts about somebody (who moves, was lost near the line, or stands there with a vehicle) that ask for attention, and
    /// those of them that somebody was there for who is neither of the own, nor at work, nor game.
    pub told: usize,
    /// See [`Self::told`].
    pub real: usize,
    /// Places that alerts about movement told, and those of them whose 95 % ellipse somebody was in.
    pub places: (usize, usize),
    /// Alerts about people and vehicles that were there and did not cross.
    pub others: usize,
    /// Alerts with no crossing behind them that are only for the record: explained, where people work, or too unsure.
    pub recorded: usize,
    /// Alerts about a sensor's health or a link.
    pub health: usize,
    /// Alerts that a person may need help.
    pub humanitarian: usize,
    /// Alerts raised.
    pub alerts: usize,
    /// Reports with something in them.
    pub triggers: usize,
    /// Sensors times days.
    pub sensor_days: f64,
    /// Alerts that began to ask for attention in each window of ten minutes.
    pub windows: Vec<usize>,
}

impl Tally {
    /// Adds one run of the scenario.
    pub fn add(&mut self, scenario: &Scenario, run: &Run) {
        let layout = &scenario.layout;
        self.runs += 1;
        self.triggers += run.triggers;
        let (told, within) = places(scenario, run);
        self.places = (self.places.0 + told, self.places.1 + within);
        #[expect(clippy::cast_precision_loss, reason = "few sensors")]
        let sensors = layout.sensors.len() as f64;
        self.sensor_days += sensors * layout.duration_s / 86_400.0;
        let borders: Vec<&Zone> = layout.zones.iter().filter(|zone| zone.kind == "border").collect();
        let mut explained = BTreeSet::new();
        for border in &borders {
            explained.extend(self.score_line(border, scenario, run));
        }
        explained.extend(about_crossers(scenario, run));
        let asking: BTreeSet<&String> = run.asking().map(|(_, alert)| &alert.id).collect();
        let mut seen = BTreeSet::new();
        let mut raised_s = Vec::new();
        for (written, alert) in &run.alerts {
            self.humanitarian += usize::from(alert.humanitarian.is_some() && !seen.contains(&(&alert.id, true)));
            seen.insert((&alert.id, alert.humanitarian.is_some()));
            if !is_first(alert) {
                continue;
            }
            self.alerts += 1;
            if alert.kind.is_movement() {
                self.lags_s.push(written.seconds_since(alert.last_seen));
            }
            if alert.kind.is_about_somebody() {
                let recorded = !asking.contains(&alert.id) && !explained.contains(&alert.id);
                self.recorded += usize::from(recorded);
            } else {
                self.health += 1;
            }
        }
        for (written, alert) in run.asking() {
            raised_s.push(written.seconds_since(layout.begins));
            if !alert.kind.is_about_somebody() {
                continue;
            }
            let real = cause(alert, scenario, run).is_real();
            self.told += 1;
            self.real += usize::from(real);
            if !explained.contains(&alert.id) {
                *(if real { &mut self.others } else { &mut self.nuisance }) += 1;
            }
        }
        self.count_windows(&raised_s, layout.duration_s);
    }

    /// Scores one border line; gives the alerts that a crossing stands behind.
    fn score_line(&mut self, border: &Zone, scenario: &Scenario, run: &Run) -> Vec<String> {
        let ZoneShape::Line(line) = &border.shape else { return Vec::new() };
        let begins = scenario.layout.begins;
        let crossings: Vec<TrueCrossing> = run
            .truth
            .crossings
            .iter()
            .filter(|crossing| crossing.line == border.name)
            .filter(|crossing| matches!(crossing.kind, AgentKind::Person | AgentKind::Vehicle))
            .map(|crossing| TrueCrossing {
                time: begins.plus_seconds(crossing.elapsed_s),
                object: crossing.walker.to_string(),
                direction: if crossing.inward { Direction::In } else { Direction::Out },
                position_m: crossing.at_m.into(),
            })
            .collect();
        let alerts = run.alerts.iter().map(|(written, alert)| (*written, alert));
        let line_m: Vec<_> = line.iter().map(|point| (*point).into()).collect();
        let reports = crossing_reports(alerts, &line_m, &run.engine.site().frame);
        let score = score_crossings(&crossings, &reports, &CrossingOptions::default());
        self.crossings += score.crossings;
        self.found += score.found;
        self.direction_right += score.direction_right;
        for outcome in &score.outcomes {
            let walker: Option<usize> = outcome.crossing.object.parse().ok();
            let noticed = walker.and_then(|walker| run.first_noticed_s.get(&walker));
            if let (Some(written), Some(noticed_s)) = (outcome.first_written, noticed) {
                self.delays_s.push((written.seconds_since(begins) - noticed_s).max(0.0));
                self.leads_s.push(outcome.crossing.time.seconds_since(written));
            }
        }
        let unmatched: BTreeSet<&String> = score.unmatched_alerts.iter().collect();
        reports.iter().map(|report| &report.alert).filter(|alert| !unmatched.contains(alert)).cloned().collect()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
    fn count_windows(&mut self, raised_s: &[f64], duration_s: f64) {
        let count = (libm::ceil(duration_s / WINDOW_S) as usize).max(1);
        let mut windows = vec![0; count];
        for raised in raised_s {
            windows[((raised / WINDOW_S).max(0.0) as usize).min(count - 1)] += 1;
        }
        self.windows.extend(windows);
    }

    /// Nuisance alerts for each sensor and day.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    pub fn nuisance_per_sensor_day(&self) -> f64 {
        self.nuisance as f64 / self.sensor_days.max(f64::MIN_POSITIVE)
    }

    /// How many of the alerts about somebody that ask for attention are real, with the exact 95 % interval.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    pub fn precision(&self) -> String {
        if self.told == 0 {
            return "none".to_owned();
        }
        let (low, high) = interval(self.real, self.told);
        let share = self.real as f64 / self.told as f64;
        format!("{} of {} real: {share:.2} (95 %: {low:.2} to {high:.2})", self.real, self.told)
    }

    /// Share of the windows with at most one alert, and the worst window.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few windows")]
    pub fn load(&self) -> (f64, usize) {
        let calm = self.windows.iter().filter(|count| **count <= 1).count();
        (calm as f64 / self.windows.len().max(1) as f64, self.windows.iter().copied().max().unwrap_or(0))
    }

    /// Adds another scenario's sums, for a total.
    pub fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.crossings += other.crossings;
        self.found += other.found;
        self.direction_right += other.direction_right;
        self.delays_s.extend(&other.delays_s);
        self.leads_s.extend(&other.leads_s);
        self.lags_s.extend(&other.lags_s);
        self.nuisance += other.nuisance;
        self.told += other.told;
        self.real += other.real;
        self.places = (self.places.0 + other.places.0, self.places.1 + other.places.1);
        self.others += other.others;
        self.recorded += other.recorded;
        self.health += other.health;
        self.humanitarian += other.humanitarian;
        self.alerts += other.alerts;
        self.triggers += other.triggers;
        self.sensor_days += other.sensor_days;
        self.windows.extend(&other.windows);
    }

    /// The head of a table of tallies.
    #[must_use]
    pub fn head() -> String {
        format!(
            "{:<22} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>8} {:>6} {:>6} {:>6} {:>5} {:>5} {:>7} {:>9} {:>6}",
            "scenario",
            "cross",
            "found",
            ">=95%",
            "direct",
            "p50 s",
            "p99 s",
            "lead s",
            "lag50",
            "lag99",
            "nuis/s-d",
            "others",
            "record",
            "calm",
            "worst",
            "help",
            "alerts",
            "triggers",
            "fewer"
        )
    }

    /// What the columns of the table mean.
    #[must_use]
    pub const fn legend() -> &'static str {
        "cross: crossings by people and vehicles; found: with an alert that asks for attention; >=95%: exact lower bound of that share; direct: direction right;\n\
         p50, p99: from the first moment any sensor noticed the object to its alert; lead: median time from alert to crossing;\n\
         lag50, lag99: seconds from the newest plot behind an alert to its writing, waits included; nuis/s-d: alerts where nobody was, or only game and own people, tracks lost near the line included, for each sensor and day;\n\
         others: alerts about people and vehicles who were there and did not cross;\n\
         record: alerts about nobody who crosses that ask for no attention: an own unit explains them, people work there, or they are too unsure;\n\
         calm: share of 10 min windows with at most one alert that asks for attention; worst: most in such a window; help: possible need of help;\n\
         alerts: raised, health included; triggers: reports with plots, what an operator would see without fusion;\n\
         fewer: how much fewer alerts than triggers"
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calm, worst) = self.load();
        let seconds = |values: &[f64], share| {
            quantile(values, share).map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"))
        };
        let bound = match self.crossings {
            0 => "-".to_owned(),
            crossings => format!("{:.3}", lower_bound(self.found, crossings)),
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let fewer = match self.triggers {
            0 => "-".to_owned(),
            triggers => format!("{:.1}%", 100.0 * (1.0 - self.alerts as f64 / triggers as f64)),
        };
        write!(
            f,
            "{:>5} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>8.2} {:>6} {:>6} {:>6.2} {:>5} {:>5} {:>7} {:>9} {:>6}",
            self.crossings,
            self.found,
            bound,
            self.direction_right,
            seconds(&self.delays_s, 0.5),
            seconds(&self.delays_s, 0.99),
            seconds(&self.leads_s, 0.5),
            seconds(&self.lags_s, 0.5),
            seconds(&self.lags_s, 0.99),
            self.nuisance_per_sensor_day(),
            self.others,
            self.recorded,
            calm,
            worst,
            self.humanitarian,
            self.alerts,
            self.triggers,
            fewer
        )
    }
}

/// Alerts at the place of somebody who crosses, however long before or after: they are about the one that was to be found.
fn about_crossers(scenario: &Scenario, run: &Run) -> BTreeSet<String> {
    /// As near as this, beside the alert's own ellipse.
    const NEAR_M: f64 = 40.0;
    let crossers: BTreeSet<usize> = run
        .truth
        .crossings
        .iter()
        .filter(|crossing| matches!(crossing.kind, AgentKind::Person | AgentKind::Vehicle))
        .map(|crossing| crossing.walker)
        .collect();
    let about = |alert: &Alert| {
        let Some(Place::Point { lat, lon, ellipse }) = &alert.place else { return false };
        let Some(position) = run.engine.site().frame.to_site(*lat, *lon) else { return false };
        let elapsed_s = alert.last_seen.seconds_since(scenario.layout.begins);
        let walkers = crossers.iter().filter_map(|walker| run.truth.walkers.get(*walker)?.at(elapsed_s));
        walkers.into_iter().any(|at| distance(at, position.into()) <= NEAR_M + ellipse.major_m)
    };
    run.alerts.iter().filter(|(_, alert)| about(alert)).map(|(_, alert)| alert.id.clone()).collect()
}

fn is_first(alert: &Alert) -> bool {
    alert.rev == 1 || alert.state == AlertState::Raised
}
