//! `vedette-sim generate`: a scenario or a benchmark scene, written to files.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use vedette_sim::Scene;
use vedette_sim::bench::{PositionScene, heterogeneous, position};
use vedette_sim::scenario::Scenario;
use vedette_sim::write::write_scene;

/// Arguments of `generate`.
#[derive(Args)]
pub(crate) struct Generate {
    /// Scenario file.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["bench", "site"], conflicts_with_all = ["bench", "site"])]
    scenario: Option<PathBuf>,
    /// Benchmark scene.
    #[arg(long, value_name = "NAME", conflicts_with = "site")]
    bench: Option<Bench>,
    /// Drawn site of this number, one of those that `reliability` fits on.
    #[arg(long, value_name = "N")]
    site: Option<u64>,
    /// Seed; the same seed gives the same files.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of walkers instead of the benchmark scene's own.
    #[arg(long, value_name = "N", requires = "bench")]
    walkers: Option<usize>,
    /// Mean clutter plots in a scan instead of the benchmark scene's own.
    #[arg(long, value_name = "MEAN", requires = "bench")]
    clutter: Option<f64>,
    /// East and north extent instead of the benchmark scene's own.
    #[arg(long, value_names = ["EAST_M", "NORTH_M"], num_args = 2, requires = "bench")]
    area: Option<Vec<f64>>,
    /// Number of scans instead of the benchmark scene's own.
    #[arg(long, value_name = "N", requires = "bench")]
    scans: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// 10 walkers on 10 x 2 km.
    S10,
    /// 50 walkers on 10 x 2 km.
    S50,
    /// 10 groups of 5.
    G50,
    /// 50 walkers, crowded and badly seen.
    H50,
    /// 12 walkers among PIRs, tripwires and cameras.
    Het12,
}

impl Generate {
    /// Generates and writes.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let scene = match (&self.scenario, self.bench, self.site) {
            (Some(path), ..) => Scene::generate(&Scenario::read(path)?, self.seed),
            (None, Some(bench), _) => self.bench_scene(bench),
            (None, None, Some(number)) => Scene::generate(&Scenario::drawn(number), self.seed),
            (None, None, None) => anyhow::bail!("none of --scenario, --bench and --site given"),
        };
        write_scene(&scene, &self.out).with_context(|| format!("cannot write to {}", self.out.display()))?;
        let plots: usize = scene.reports.iter().map(|report| report.plots.len()).sum();
        println!(
            "{}: {} reports, {plots} plots, {} objects, {} crossings",
            self.out.display(),
            scene.reports.len(),
            scene.truth.walkers.len(),
            scene.truth.crossings.len()
        );
        Ok(())
    }

    fn bench_scene(&self, bench: Bench) -> Scene {
        let preset = match bench {
            Bench::S10 => PositionScene::S10,
            Bench::S50 => PositionScene::S50,
            Bench::G50 => PositionScene::G50,
            Bench::H50 => PositionScene::H50,
            Bench::Het12 => return heterogeneous(self.walkers.unwrap_or(12), self.seed),
        };
        let area_m = self.area.as_deref().and_then(|area| <[f64; 2]>::try_from(area).ok()).unwrap_or(preset.area_m);
        let scene = PositionScene {
            walkers: self.walkers.unwrap_or(preset.walkers),
            clutter: self.clutter.unwrap_or(preset.clutter),
            scans: self.scans.unwrap_or(preset.scans),
            area_m,
            ..preset
        };
        position(&scene, self.seed)
    }
}
