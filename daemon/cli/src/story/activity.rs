//! The inspected replay, and what each sensor did in it.

use vedette_gateway::engine::{Seen, SensorStatus, Timestamp};
use vedette_gateway::replay::{Driver, Saying};

use crate::log_file::Log;
use crate::progress::Clock;

/// A gap between two messages of a sensor is one from this many times its usual interval ..
const GAP_FACTOR: f64 = 10.0;
/// .. and from this length on.
const GAP_MIN_S: f64 = 60.0;
/// Gaps listed for each sensor; the longest are.
const MAX_GAPS: usize = 3;

/// A sensor's reports in a span of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    pub(crate) messages: u64,
    pub(crate) plots: u64,
    /// Plots that belonged to a confirmed track.
    pub(crate) used: f64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// Longest silences: from, to.
    pub(crate) gaps: Vec<(Timestamp, Timestamp)>,
    interval_sum_s: f64,
    latency_sum_s: f64,
}

impl Activity {
    pub(crate) fn mean_latency_s(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        (self.messages > 0).then(|| self.latency_sum_s / self.messages as f64)
    }

    pub(super) fn note(&mut self, seen: &Seen) {
        let now = seen.now;
        if let Some(last) = self.last {
            let gap_s = now.seconds_since(last);
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let usual_s = self.interval_sum_s / self.messages.max(1) as f64;
            if gap_s >= GAP_MIN_S && gap_s >= GAP_FACTOR * usual_s {
                self.gaps.push((last, now));
                self.gaps.sort_by(|a, b| f64::total_cmp(&b.1.seconds_since(b.0), &a.1.seconds_since(a.0)));
                self.gaps.truncate(MAX_GAPS);
            }
            self.interval_sum_s += gap_s;
        }
        self.first.get_or_insert(now);
        self.last = Some(now);
        self.messages += 1;
        self.plots += seen.scan.detections.len() as u64;
        self.latency_sum_s += now.seconds_since(seen.scan.time).max(0.0);
    }
}

/// Replays a log with an inspected engine; gives the sensors' health at its end.
pub(super) fn drive(mut log: Log, mut take: impl FnMut(Saying<'_>)) -> anyhow::Result<Vec<SensorStatus>> {
    let mut clock = Clock::new(log.bar.clone());
    let mut driver = Driver::inspecting(log.engine).with_ticks(log.ticks);
    while let Some(told) = log.told.next().transpose()? {
        clock.reach(told.now);
        driver.feed(told, &mut take);
    }
    driver.drain(&mut take);
    log.bar.finish_and_clear();
    if let Some(torn) = log.told.torn() {
        eprintln!("the recording ends early: {torn}");
    }
    Ok(driver.engine().status().sensors)
}
