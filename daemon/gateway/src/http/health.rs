//! `/healthz`: 200 while the daemon does its work, else 503 with the reasons, one a line.

use super::{Observation, Page};

pub(super) fn page(observation: &Observation) -> Page {
    let troubles = observation.report.troubles();
    if troubles.is_empty() {
        return Page::text("200 OK", "ok\n");
    }
    let lines: String = troubles.iter().map(|trouble| format!("{}\n", trouble.text)).collect();
    Page::text("503 Service Unavailable", lines)
}
