//! Pure multi-sensor multi-target tracker: scans of detections in, tracks out.
//!
//! No I/O and no clock: the time is an argument everywhere, in UTC microseconds ([`Timestamp`]). Positions and
//! velocities are metres and metres a second in the site frame, east first and north second; azimuths are radians
//! clockwise from north. The same scans give the same tracks on every machine of an architecture.
//!
//! # The filter
//!
//! A track-oriented Poisson multi-Bernoulli filter \[1\]. What is believed about the scene at any time is
//!
//! - a Poisson intensity `λ(x)` of objects that nobody has seen yet, on a grid (`undetected.rs`), one for each group of
//!   sensors whose coverages touch (`fields.rs`), and
//! - a list of potential objects, each a Bernoulli component: an existence probability `r` and a density `p(x)` of the
//!   state `x = [east, north, east velocity, north velocity]` (`bernoulli.rs`).
//!
//! The density is a mixture of hypotheses, one where positions are measured and many along the ray while only a bearing
//! is known (`mixture.rs`); each hypothesis holds one Gaussian `N(x, P)` per way of moving (`imm.rs`).
//!
//! **Prediction.** Ways of moving are integrated Ornstein-Uhlenbeck processes (`motion.rs`): the velocity keeps
//! `ρ = exp(-dt/τ)` of itself and has the stationary variance `σ²`, so
//! `x <- F x`, `P <- F P F' + Q` with `F = [I, τ(1-ρ) I; 0, ρ I]`, `Q_vv = σ²(1-ρ²)`, `Q_pv = σ²τ(1-ρ)²`,
//! `Q_pp = σ²τ²(2dt/τ - 3 + 4ρ - ρ²)`. For `dt << τ` this is nearly constant velocity with `q = 2σ²/τ`. The modes mix
//! as in the interacting multiple model filter \[2\], by the Markov chain `π_ij = s_j + (δ_ij - s_j) exp(-dt/T)`. The
//! object survives with `exp(-dt/L)`, `1/L = p/L_0 + (1-p)/L_1` with `p` the probability of being inside all coverage, gaps
//! between sensors included; `L_1` is a second at most, for who has left and heads for none (`watch.rs`). Tracks are
//! predicted only when a sensor that may see them reports, so a distant sensor changes nothing. The walkers' `q` is learned
//! from whether one innovation tells of the next (`restlessness.rs`, \[7\]).
//!
//! **Measurement.** Each kind of plot gives an innovation `z - h(x)`, a Jacobian `H` and noise `R` (`measure/`); then
//! `S = H P H' + R`, `K = P H' S⁻¹`, `x <- x + K (z - h(x))`, `P <- (I - K H) P (I - K H)' + K R K'`. The plot's
//! density is `N(z; h(x), S)`, summed over modes and hypotheses. Where an event is counted in time (presence, crossing)
//! the density is the rate of such events; how strong a presence was, among the last of its sensor, says how near the
//! middle of the footprint it is (`strength.rs`).
//!
//! **Association.** With `pD` the detection probability averaged over the density (`coverage.rs`), `c(z)` the intensity
//! of false plots and `λ(z)` that of new objects at the plot, the weight of "track `i` gave plot `j`" against "the track
//! was missed and the plot is nobody's" is
//! `ψ_ij = r L_i(z_j) / ((1 - r + r (1 - pD)) (c(z_j) + λ(z_j)))`. Gating by boxes (`gate.rs`) leaves sparse pairs;
//! these fall into clusters (`cluster.rs`); in each, loopy belief propagation gives the marginal probabilities
//! (`belief.rs`, \[3\], \[4\]).
//!
//! **Update.** Existence follows the marginals: `r <- p_missed r(1-pD) / (1 - r pD) + Σ p_ij`. So does the state of a
//! track alone, moment-matched. Tracks that contend for plots share a few joint hypotheses instead (`joint.rs`), a local
//! multi-Bernoulli mixture \[5\] with one `r` and one `p(x)` for each member and hypothesis: who walks side by side is then
//! neither drawn into one nor made to bounce where two may have passed each other. Each hypothesis `h` is extended by its
//! likely associations `a`, `w_ha ∝ w_h Π_i (1 - r_hi + r_hi (1 - pD)) Π_(i,j in a) ψ_hij`; those in which every member is
//! in about the same place are merged, and the likeliest kept, three for each member. Tracks of rays alone take part, each
//! with a mixture under each of up to a hundred hypotheses. Of objects that give several plots the state follows the best
//! joint association (`association.rs`, `assignment.rs`, \[6\]). In a crowd, where everybody contends with somebody, beliefs
//! are joined along the strongest ties as long as all their associations can be looked through; to one of them the tracks of
//! another are rivals with `Σ p_ij / p_unclaimed`, what belief propagation says for them against nobody.
//! Two tracks of one object, alike and one rather than two in all, become one with the sum of their `r` (`filter/twins.rs`).
//! Numbers that a sensor gives its objects weigh the pairs a little (`hint.rs`). Of tracks that walk together and were all
//! missed, `1 - r` grows by `r h g / (Π (1 - pD) + ε / (1 - pD))`, the product over the others, `h` the probability of an end
//! since the last scan, `g` the part of the objects that walk with others, `ε` that of a party being hidden for a moment
//! (`party.rs`).
//!
//! **Birth.** Every plot begins a track with `r = p_unclaimed λ(z) / (λ(z) + c(z))` (`birth.rs`), leftovers or not.
//! `λ` is the grid's intensity, to which places inside where people come in may be added (`undetected/entry.rs`), plus
//! the companions of objects found nearby, because people walk in groups (`companions.rs`): among the plots of a scan by two
//! rounds of belief propagation. The rate of arrivals, the number of companions, and each sensor's detection probability
//! and clutter are learned on line from conjugate counts; the configuration is only where they start. The rate is distributed
//! with a heavy tail at first, so that a first look can show a crowd (`undetected/rate.rs`), and is remembered over a bounded
//! number of promised objects: nobody for weeks must not make the next one clutter. A sensor that
//! stands still also learns where in its coverage it surely sees less or has more clutter than elsewhere (`cells.rs`).
//! What a detector imagines that chatters teaches the others nothing: an object that only one detector has seen is no chance
//! to measure them by, and what they deny again and again is clutter of the detector (`filter/learn.rs`).
//!
//! **Clocks.** How far each scanning sensor's clock is ahead of the others' is estimated from how its plots trail the
//! tracks that several sensors see, `gᵀ S⁻¹ (z - h(x))` with `g = -J v` (`clock_offset.rs`); plots are then used with
//! that age. The mean of the clocks shows nowhere and is kept at zero.
//!
//! **Errors.** How large the errors of a sensor's positions are is learned from the ranks of its plots' distances to tracks
//! that are sure (`noise.rs`); `R` is multiplied by that.
//!
//! **Silence.** A scan without a plot lowers `r` by `1 - pD`, hypothesis by hypothesis, so that places where the object
//! would have been seen lose weight. Sensors that report events are asked once a second: who was inside a footprint, or
//! crossed a line, and was not reported (`silence.rs`).
//!
//! **Late scans** teach what they say about their sensor at once, and are filtered in at their own time around their
//! plots, from a log bounded by the configuration (`refilter.rs`). Tracks keep their numbers through that, because a
//! track is known by the plot that began it.
//!
//! **Report.** A track is confirmed when `r` reaches the threshold, by default one half, where reporting and not
//! reporting cost the same in GOSPA. A position is given as a point only while its standard deviation is small enough.
//!
//! # Sources
//!
//! 1. Williams, Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA, and association-based MeMBer, IEEE
//!    Transactions on Aerospace and Electronic Systems 51(3), 2015.
//! 2. Blom, Bar-Shalom, The interacting multiple model algorithm for systems with Markovian switching coefficients,
//!    IEEE Transactions on Automatic Control 33(8), 1988.
//! 3. Williams, Lau, Approximate evaluation of marginal association probabilities with belief propagation, IEEE
//!    Transactions on Aerospace and Electronic Systems 50(4), 2014.
//! 4. Meyer, Kropfreiter, Williams, Lau, Hlawatsch, Braca, Win, Message passing algorithms for scalable multitarget
//!    tracking, Proceedings of the IEEE 106(2), 2018.
//! 5. García-Fernández, Williams, Granström, Svensson, Poisson multi-Bernoulli mixture filter: direct derivation and
//!    implementation, IEEE Transactions on Aerospace and Electronic Systems 54(4), 2018.
//! 6. Jonker, Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems,
//!    Computing 38, 1987.
//! 7. Mehra, On the identification of variances and adaptive Kalman filtering, IEEE Transactions on Automatic Control 15(2),
//!    1970.

mod angle;
mod assignment;
mod association;
mod belief;
mod bernoulli;
mod birth;
mod cells;
mod class;
mod clock_offset;
mod cluster;
mod companions;
mod config;
mod contribution;
mod coverage;
mod densities;
mod detection;
mod evidence;
mod extent;
mod fields;
mod filter;
mod fixture;
mod gate;
mod gaussian;
mod grid;
mod group;
mod hint;
mod hull;
mod imm;
mod joint;
mod measure;
pub mod metric;
mod mixture;
mod motion;
mod noise;
mod normal;
mod party;
mod prospect;
mod quadrature;
mod rectangle;
mod refilter;
mod region;
mod report;
mod restlessness;
mod sensor;
mod sensor_state;
mod sharpen;
mod silence;
mod strength;
mod sweep;
mod time;
mod track;
mod tracker;
mod undetected;
mod update;
mod validity;
mod view;
mod visibility;
mod watch;

pub use config::TrackerConfig;
pub use detection::{ClassProbabilities, Detection, Direction, Measurement, Pose, Scan};
pub use motion::MotionModel;
pub use refilter::LateScans;
pub use sensor::{Clutter, Coverage, SensorKind, SensorModel};
pub use sensor_state::SensorEstimate;
pub use time::Timestamp;
pub use track::{Contribution, Track, TrackId, TrackStatus};
pub use tracker::Tracker;
pub use undetected::entry::EntryZone;
pub use validity::ModelError;
