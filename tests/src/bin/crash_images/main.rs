//! Cuts the power at random moments of a store's life and counts what is lost.
//!
//! A workload runs under strace, which sees every write and every sync. For each image a moment is drawn; what was synced
//! before it is there, and of what was written since, each sector of 512 bytes is there or not, in any combination, as a
//! disk that reorders and tears writes would leave it. The image is opened, and must hold exactly what a commit had
//! promised by then: all commits that had returned, and at most the one that was under way.
//!
//! `cargo run --release -p e2e --bin crash_images -- --images 1000`

mod trace;
mod workload;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Parser;
use vedette_sim::random::Random;

use trace::Trace;
use workload::{Kind, State};

/// Cuts the power at random moments of a store's life and counts what is lost.
#[derive(Parser)]
struct Arguments {
    /// How many images, half of them of the gateway's store and half of the centre's ledger.
    #[arg(long, default_value_t = 200)]
    images: usize,
    /// Seed of the moments and of what survives them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Be the workload, on a file in this folder.
    #[arg(long, hide = true, value_names = ["KIND", "FOLDER"], num_args = 2)]
    workload: Option<Vec<String>>,
}

#[derive(Default)]
struct Count {
    images: usize,
    /// Images that do not have all that was promised.
    lost: usize,
    /// Images that cannot be opened.
    unopenable: usize,
    /// Images that have something nobody committed.
    wrong: usize,
    /// Images that differ from what the disk would hold without a cut.
    torn: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some([kind, folder]) = arguments.workload.as_deref() {
        return workload::run(Kind::parse(kind)?, Path::new(folder));
    }
    let mut all = Count::default();
    for kind in [Kind::Outbox, Kind::Ledger] {
        let count = examine(kind, arguments.images / 2, arguments.seed)?;
        println!(
            "{:<8} images={} torn={} lost={} unopenable={} wrong={}",
            kind.name(),
            count.images,
            count.torn,
            count.lost,
            count.unopenable,
            count.wrong
        );
        all.images += count.images;
        all.lost += count.lost + count.wrong;
        all.unopenable += count.unopenable;
    }
    println!("images={} lost={} unopenable={}", all.images, all.lost, all.unopenable);
    ensure!(all.lost + all.unopenable == 0, "the store does not survive a power cut");
    Ok(())
}

fn examine(kind: Kind, images: usize, seed: u64) -> anyhow::Result<Count> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("trace");
    let status = Command::new("strace")
        .args([
            "-xx",
            "-s",
            "1000000",
            "-e",
            "trace=openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,close",
            "-o",
        ])
        .arg(&file)
        .arg(std::env::current_exe()?)
        .args(["--workload", kind.name()])
        .arg(folder.path())
        .stdout(std::process::Stdio::null())
        .status()
        .context("strace is needed")?;
    ensure!(status.success(), "the workload failed under strace");
    let trace = Trace::read(&file)?;
    let expected = workload::states(kind);
    let mut random = Random::stream(seed, kind.name());
    let mut count = Count::default();
    while count.images < images {
        count.images += 1;
        let image_folder = tempfile::tempdir()?;
        let cut = trace.image(image_folder.path(), &mut random)?;
        count.torn += usize::from(cut.torn);
        match State::of(kind, image_folder.path()) {
            Err(error) => {
                eprintln!("{} cut at {}: {error:#}", kind.name(), cut.at);
                count.unopenable += 1;
            }
            // The number of commits whose changes are there; the one under way may be.
            Ok(state) => match expected.iter().rposition(|other| *other == state) {
                Some(have) if have < cut.promised => {
                    eprintln!("{} cut at {}: {have} commits there, {} promised", kind.name(), cut.at, cut.promised);
                    count.lost += 1;
                }
                Some(have) if have > cut.promised + 1 => count.wrong += 1,
                Some(_) => {}
                None => {
                    eprintln!("{} cut at {}: not the state after any commit", kind.name(), cut.at);
                    count.wrong += 1;
                }
            },
        }
    }
    Ok(count)
}
