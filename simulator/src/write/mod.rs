//! Writers of the three files of a generated scene.

mod config;
mod detections;
mod truth;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub use config::write_config;
pub(crate) use detections::rfc3339_text;
pub use detections::{write_detections, write_line};
pub use truth::write_truth;

use crate::Scene;

/// Writes `detections.jsonl`, `truth.csv` and `gateway.toml` into the folder, which is made if it is missing.
///
/// # Errors
/// When a file cannot be written.
pub fn write_scene(scene: &Scene, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let create = |name: &str| File::create(folder.join(name)).map(|file| BufWriter::with_capacity(1 << 16, file));
    let mut file = create("detections.jsonl")?;
    write_detections(scene, &mut file)?;
    file.flush()?;
    let mut file = create("truth.csv")?;
    write_truth(scene, &mut file)?;
    file.flush()?;
    let mut file = create("gateway.toml")?;
    write_config(&scene.layout, &mut file)?;
    file.flush()
}
