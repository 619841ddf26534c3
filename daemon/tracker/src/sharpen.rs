//! Splitting what is too wide for a scan: a footprint, or the edge of a coverage, is not linear in the position.

use crate::bernoulli::Bernoulli;
use crate::gaussian::Gaussian;
use crate::joint;
use crate::mixture;
use crate::sensor::SensorKind;
use crate::view::View;

/// Widest hypothesis before a bearing is used: the edges of coverages, which tell ranges apart, are sharper.
const WIDEST_SD_M: f64 = 12.0;

/// Widest hypothesis before a presence, relative to the width of the footprint.
const WIDEST_OF_FOOTPRINT: f64 = 0.25;

/// Splits the track's hypotheses as the scan demands. The bearings of a sensor that begins no tracks are not worth it:
/// other sensors tell the ranges.
pub(crate) fn sharpen(track: &mut Bernoulli, view: &View<'_>) {
    if view.has_presence {
        let coverage = &view.model.coverage;
        let (low, high) = coverage.bounds_m(view.origin_m);
        let concerned = |state: &Gaussian| {
            coverage.probability_inside(view.origin_m, state.position(), &state.position_covariance()) > 1e-3
        };
        mixture::split(&mut track.hypotheses, WIDEST_OF_FOOTPRINT * (high - low).min(), concerned);
    } else if !view.is_event
        && view.model.initiates
        && matches!(view.model.kind, SensorKind::Camera | SensorKind::Acoustic | SensorKind::Rf)
    {
        mixture::split(&mut track.hypotheses, WIDEST_SD_M, |_| true);
    }
    if track.is_ambiguous() && track.bond.as_ref().is_some_and(|bond| !bond.of_rays) {
        joint::leave(track);
    }
}
