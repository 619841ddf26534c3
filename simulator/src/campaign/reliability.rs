//! Whether confidence means what it says: of the alerts with confidence 0.8, are four in five real?
//!
//! A movement alert is real when a person or a vehicle (not an own one) was, at the time the alert speaks of, where it
//! says: within its 95 % ellipse and the distance somebody walks in half a minute, or, for a zone, in the zone or as near
//! to it. Alerts that are only for the record (an own unit explains them) make no claim. The confidence is that of the first revision: the one that woke somebody.

use std::fmt;

use vedette_engine::{Alert, Place, Severity};

use super::drive::Run;
use super::tally::is_movement;
use crate::geometry::{self, Point};
use crate::scenario::{AgentKind, Scenario, Zone, ZoneShape};

/// Bins of the diagram.
const BINS: usize = 10;
/// What somebody walks in half a minute.
const WALKED_M: f64 = 45.0;
/// Knots of a calibration, at most.
const KNOTS: usize = 8;

/// One alert: how sure it was, and whether it was real.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Confidence of the first revision.
    pub confidence: f64,
    /// Whether somebody was there.
    pub real: bool,
}

/// The claims of all movement alerts of a run.
#[must_use]
pub fn claims(scenario: &Scenario, run: &Run) -> Vec<Claim> {
    let woke = |alert: &Alert| alert.rev == 1 && alert.severity > Severity::Info && is_movement(alert.kind);
    let first = run.alerts.iter().filter(|(_, alert)| woke(alert));
    first.map(|(_, alert)| Claim { confidence: alert.confidence, real: is_real(alert, scenario, run) }).collect()
}

fn is_real(alert: &Alert, scenario: &Scenario, run: &Run) -> bool {
    let elapsed_s = alert.last_seen.seconds_since(scenario.layout.begins);
    let somebody =
        run.truth.walkers.iter().filter(|walker| matches!(walker.kind, AgentKind::Person | AgentKind::Vehicle));
    somebody.filter_map(|walker| walker.at(elapsed_s)).any(|at_m| is_there(alert, at_m, scenario, run))
}

fn is_there(alert: &Alert, at_m: Point, scenario: &Scenario, run: &Run) -> bool {
    if let Some(Place::Point { lat, lon, ellipse }) = &alert.place {
        let said = run.engine.site().frame.to_site(*lat, *lon);
        let within_m = ellipse.major_m + WALKED_M;
        said.is_some_and(|said| geometry::distance(said.into(), at_m) <= within_m)
    } else {
        let zone = scenario.layout.zones.iter().find(|zone| Some(&zone.name) == alert.zone.as_ref());
        zone.is_none_or(|zone| distance_m(zone, at_m) <= WALKED_M)
    }
}

fn distance_m(zone: &Zone, at_m: Point) -> f64 {
    let (ZoneShape::Line(points) | ZoneShape::Polygon(points)) = &zone.shape;
    if matches!(zone.shape, ZoneShape::Polygon(_)) && geometry::inside(points, at_m) {
        return 0.0;
    }
    let edges = points.windows(2).map(|edge| geometry::distance_to_segment(at_m, edge[0], edge[1]));
    edges.fold(f64::INFINITY, f64::min)
}

/// Claims in bins of confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// For each bin: claims, sum of their confidence, number of those real.
    bins: [(usize, f64, usize); BINS],
}

impl Diagram {
    /// Sorts claims into bins.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 9")]
    pub fn of(claims: &[Claim]) -> Self {
        let mut bins = [(0, 0.0, 0); BINS];
        for claim in claims {
            let bin = &mut bins[((claim.confidence.clamp(0.0, 1.0) * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += 1;
            bin.1 += claim.confidence;
            bin.2 += usize::from(claim.real);
        }
        Self { bins }
    }

    /// Claims in all.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.bins.iter().map(|bin| bin.0).sum()
    }

    /// Expected calibration error: the mean difference between claimed and true shares, weighted by claims.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    pub fn error(&self) -> f64 {
        let off: f64 = self.bins.iter().map(|&(_, claimed, real)| (claimed - real as f64).abs()).sum();
        off / self.claims().max(1) as f64
    }

    /// The diagram as a picture: claimed share to the right, true share upwards, 95 % intervals, claims as bars.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    pub fn svg(&self) -> String {
        const SIDE: f64 = 400.0;
        const MARGIN: f64 = 50.0;
        let x = |share: f64| MARGIN + SIDE * share;
        let y = |share: f64| MARGIN + SIDE * (1.0 - share);
        let full = SIDE + 2.0 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {full} {full}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{full}\" height=\"{full}\" fill=\"white\"/>\n\
             <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#888\"/>\n\
             <line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#888\" stroke-dasharray=\"4 4\"/>\n",
            x(0.0),
            y(0.0),
            x(1.0),
            y(1.0)
        );
        let most = self.bins.iter().map(|bin| bin.0).max().unwrap_or(1).max(1);
        for (index, &(claims, claimed, real)) in self.bins.iter().enumerate().filter(|(_, bin)| bin.0 > 0) {
            let (claimed, share) = (claimed / claims as f64, real as f64 / claims as f64);
            let (low, high) = vedette_engine::budget::interval(real, claims);
            let bar = 0.25 * claims as f64 / most as f64;
            svg += &format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#cfe0f3\"/>\n\
                 <line x1=\"{cx:.1}\" y1=\"{:.1}\" x2=\"{cx:.1}\" y2=\"{:.1}\" stroke=\"#1f5a99\" stroke-width=\"2\"/>\n\
                 <circle cx=\"{cx:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"#1f5a99\"><title>{claims} alerts</title></circle>\n",
                x(index as f64 / BINS as f64) + 2.0,
                y(bar),
                SIDE / BINS as f64 - 4.0,
                SIDE * bar,
                y(low),
                y(high),
                y(share),
                cx = x(claimed),
            );
        }
        for tick in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            svg += &format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick:.1}</text>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick:.1}</text>\n",
                x(tick),
                y(0.0) + 18.0,
                x(0.0) - 6.0,
                y(tick) + 4.0
            );
        }
        svg += &format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">confidence of the alert</text>\n\
             <text x=\"14\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {:.1})\">share that was real</text>\n\
             <text x=\"{:.1}\" y=\"30\" text-anchor=\"middle\">{} alerts, expected calibration error {:.3}</text>\n</svg>\n",
            x(0.5),
            full - 8.0,
            y(0.5),
            y(0.5),
            x(0.5),
            self.claims(),
            self.error()
        );
        svg
    }
}

impl fmt::Display for Diagram {
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:>7} {:>8} {:>7}   95 % interval", "confidence", "alerts", "claimed", "real")?;
        for (index, &(claims, claimed, real)) in self.bins.iter().enumerate().filter(|(_, bin)| bin.0 > 0) {
            let from = index as f64 / BINS as f64;
            let (low, high) = vedette_engine::budget::interval(real, claims);
            let (claimed, share) = (claimed / claims as f64, real as f64 / claims as f64);
            let to = from + 1.0 / BINS as f64;
            writeln!(f, "{from:.1} to {to:.1}   {claims:>7} {claimed:>8.2} {share:>7.2}   {low:.2} to {high:.2}")?;
        }
        writeln!(f, "{} alerts, expected calibration error {:.3}", self.claims(), self.error())
    }
}

/// Pairs of raw confidence and true share, both rising: isotonic regression by pooling adjacent violators (Ayer et al.
/// 1955), thinned to few knots. For `[rules] calibration`.
#[must_use]
pub fn fit(claims: &[Claim]) -> Vec<[f64; 2]> {
    struct Pool {
        weight: f64,
        confidence: f64,
        real: f64,
    }
    let mut sorted = claims.to_vec();
    sorted.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let mut pools: Vec<Pool> = Vec::new();
    // Pools of at least this many keep a single alert from making a step of its own.
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    let least = (claims.len() as f64 / KNOTS as f64).max(1.0);
    for claim in sorted {
        pools.push(Pool { weight: 1.0, confidence: claim.confidence, real: f64::from(u8::from(claim.real)) });
        while let [.., before, last] = &pools[..]
            && (before.real / before.weight >= last.real / last.weight || before.weight < least)
        {
            let merged = Pool {
                weight: before.weight + last.weight,
                confidence: before.confidence + last.confidence,
                real: before.real + last.real,
            };
            pools.truncate(pools.len() - 2);
            pools.push(merged);
        }
    }
    let rounded = |value: f64| libm::round(value * 1_000.0) / 1_000.0;
    let mut knots: Vec<[f64; 2]> = vec![[0.0, 0.0]];
    for pool in &pools {
        // One more real and one more not keep the ends off 0 and 1.
        let knot = [rounded(pool.confidence / pool.weight), rounded((pool.real + 1.0) / (pool.weight + 2.0))];
        if knots.last().is_some_and(|last| knot[0] > last[0] && knot[1] >= last[1]) && knot[0] < 1.0 {
            knots.push(knot);
        }
    }
    let end = knots.last().map_or(1.0, |last| last[1]);
    knots.push([1.0, end]);
    knots
}

#[cfg(test)]
mod tests {
    use vedette_engine::config::RulesTable;

    use super::*;
    use crate::random::Random;

    /// Alerts that claim `confidence` and are real with its square.
    fn boasters(seed: u64) -> Vec<Claim> {
        let mut random = Random::stream(seed, "boasters");
        let mut claim = |_| {
            let confidence = random.uniform(0.3, 1.0);
            Claim { confidence, real: random.chance(confidence * confidence) }
        };
        (0..4_000).map(&mut claim).collect()
    }

    #[test]
    fn a_fit_on_some_claims_makes_others_honest() {
        let before = Diagram::of(&boasters(2)).error();
        let rules = RulesTable { calibration: fit(&boasters(1)), ..RulesTable::default() };
        let calibrated = |claim: &Claim| Claim { confidence: rules.calibrated(claim.confidence), ..*claim };
        let after = Diagram::of(&boasters(2).iter().map(calibrated).collect::<Vec<_>>()).error();
        assert!(before > 0.15 && after < 0.03, "{before} to {after} by {:?}", rules.calibration);
    }

    #[test]
    fn a_fit_rises_from_zero_to_one_and_has_few_knots() {
        for claims in [boasters(3), Vec::new(), boasters(4)[..3].to_vec()] {
            let knots = fit(&claims);
            assert!(knots.len() <= KNOTS + 3, "{knots:?}");
            assert!(knots.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] <= pair[1][1]), "{knots:?}");
        }
    }

    #[test]
    fn the_error_is_the_weighted_mean_of_the_bins() {
        let claim = |confidence, real| Claim { confidence, real };
        let claims = [claim(0.85, true), claim(0.85, true), claim(0.15, false), claim(0.15, true)];
        // Two off by 0.15 each, two off by 0.35 each.
        assert!((Diagram::of(&claims).error() - 0.25).abs() < 1e-12);
        assert!(Diagram::of(&[]).error().abs() < f64::EPSILON);
    }
}
