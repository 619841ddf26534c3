//! Whether confidence means what it says: of the alerts with confidence 0.8, are four in five real?
//!
//! A movement alert is real when a person or a vehicle (not an own one) was, at the time the alert speaks of, where it
//! says: within its 95 % ellipse and the distance somebody walks in half a minute, or, for a zone, in the zone or as near
//! to it. Alerts that are only for the record because an own unit explains them make no claim; those that are so for being unsure
//! do. The confidence is that of the first revision that asks for attention, or would if it were surer.

use std::collections::BTreeSet;
use std::fmt;

use vedette_engine::{Alert, Evidence};

use super::cause::{Judged, judge};
use super::drive::Run;
use crate::scenario::Scenario;

/// Bins of the diagram.
const BINS: usize = 10;

/// One alert: how sure it was, and whether it was real.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Confidence of the first revision.
    pub confidence: f64,
    /// Whether somebody was there.
    pub real: bool,
    /// What bore it out; only of an inspected run.
    pub evidence: Option<Evidence>,
}

/// The claims of all movement alerts of a run, each with its alert.
#[must_use]
pub fn claims(scenario: &Scenario, run: &Run) -> Vec<(Claim, Judged)> {
    let mut seen = BTreeSet::new();
    let claims = |alert: &Alert| alert.asks_attention() || alert.is_held_as_unsure();
    let first = run.alerts.iter().filter(|(_, alert)| claims(alert) && seen.insert(&alert.id));
    let first = first.filter(|(_, alert)| alert.kind.is_movement());
    let movements = first.map(|told| judge(told, scenario, run));
    let claim = |judged: Judged| {
        let (confidence, real) = (judged.alert.confidence, judged.cause?.is_real());
        let evidence = run.evidence.get(&(judged.alert.id.clone(), judged.alert.rev)).copied();
        Some((Claim { confidence, real, evidence }, judged))
    };
    movements.filter_map(claim).collect()
}

/// How well confidences tell real alerts from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discrimination {
    /// Mean squared difference between confidence and what was (Brier 1950); 0 is best.
    pub brier: f64,
    /// What it would be if every alert claimed the share of all that were real.
    pub brier_of_the_mean: f64,
    /// Probability that a real alert claims more than one that is not, equal claims half; none without both.
    pub area_under_curve: Option<f64>,
}

impl Discrimination {
    /// Of these claims.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few alerts")]
    pub fn of(claims: &[Claim]) -> Self {
        let count = claims.len().max(1) as f64;
        let was = |claim: &Claim| f64::from(u8::from(claim.real));
        let share = claims.iter().map(was).sum::<f64>() / count;
        let (real, other): (Vec<&Claim>, Vec<&Claim>) = claims.iter().partition(|claim| claim.real);
        let above = |real: &Claim, other: &Claim| match real.confidence.total_cmp(&other.confidence) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let pairs = real.len() * other.len();
        let won: f64 = real.iter().flat_map(|real| other.iter().map(|other| above(real, other))).sum();
        Self {
            brier: claims.iter().map(|claim| (claim.confidence - was(claim)).powi(2)).sum::<f64>() / count,
            brier_of_the_mean: share * (1.0 - share),
            area_under_curve: (pairs > 0).then(|| won / pairs as f64),
        }
    }
}

impl fmt::Display for Discrimination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Brier score {:.3} ({:.3} if all claimed their mean), ", self.brier, self.brier_of_the_mean)?;
        match self.area_under_curve {
            Some(area) => write!(f, "area under the curve {area:.2}"),
            None => write!(f, "no area under the curve: all were alike"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_tells_nothing_apart_and_an_oracle_everything() {
        let claim = |confidence, real| Claim { confidence, real, evidence: None };
        let coin = Discrimination::of(&[claim(0.5, true), claim(0.5, false)]);
        assert_eq!((coin.brier, coin.area_under_curve), (0.25, Some(0.5)));
        let oracle = Discrimination::of(&[claim(1.0, true), claim(0.0, false), claim(0.9, true)]);
        assert!(oracle.brier < 0.01 && oracle.area_under_curve == Some(1.0), "{oracle:?}");
        assert_eq!(Discrimination::of(&[claim(1.0, true)]).area_under_curve, None);
    }

    #[test]
    fn the_error_is_the_weighted_mean_of_the_bins() {
        let claim = |confidence, real| Claim { confidence, real, evidence: None };
        let claims = [claim(0.85, true), claim(0.85, true), claim(0.15, false), claim(0.15, true)];
        // Two off by 0.15 each, two off by 0.35 each.
        assert!((Diagram::of(&claims).error() - 0.25).abs() < 1e-12);
        assert!(Diagram::of(&[]).error().abs() < f64::EPSILON);
    }
}
