//! Hardware in the loop: node and concentrator firmware on emulated boards, with a simulated ground and radio around them.
//!
//! ```text
//! walkers -> ground ─bench UART─> node image ─modem UART─> medium ─modem UART─> concentrator image ─UART─> gateway -> centre
//!         -> infrared levels ──┘      (qemu)                               (qemu)
//! ```

mod emulator;
mod ground;
mod medium;
mod rig;
mod site;
mod stage;

pub use emulator::{Port, Process, start_concentrator, start_node};
pub use ground::{Ground, SAMPLE_RATE_HZ};
pub use medium::{Medium, MediumCounts, MediumOptions, Reception};
pub use rig::{Rig, RigReport, Said};
pub use site::{SITE, Site, SiteNode};
pub use stage::{INFRARED_M, SLICE_S, Stage, Walker};
