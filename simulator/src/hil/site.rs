//! The site of a loop: nodes along a line, their keys, and the configurations of gateway and centre that fit.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use vedette_engine::geo::SiteFrame;
use vedette_wire::Key;

use super::stage::{BEAM_M, INFRARED_M};
use crate::random::Random;

/// Latitude and longitude of the line's middle.
const ORIGIN: [f64; 2] = [52.0, 23.6];
/// First node's id.
const FIRST_NODE: u32 = 101;
/// Where steps are found in light wind (see the table of detector figures).
const SEISMIC_M: f64 = 25.0;
/// Name of the site, and the gateway's client id.
pub const SITE: &str = "loop";

/// One node.
#[derive(Clone, Debug)]
pub struct SiteNode {
    /// Its id.
    pub id: u32,
    /// Its key, epoch 0.
    pub key: Key,
    /// East and north, metres; the line runs through the nodes.
    pub place_m: [f64; 2],
}

/// Nodes on a line from west to east, each with a pair of beams to the next; the concentrator behind them.
#[derive(Clone, Debug)]
pub struct Site {
    /// The nodes, from west to east.
    pub nodes: Vec<SiteNode>,
    /// The site's key for frames to all nodes.
    pub site_key: Key,
    /// Place of the concentrator.
    pub concentrator_m: [f64; 2],
}

impl Site {
    /// A site of that many nodes.
    #[must_use]
    pub fn new(nodes: u32, seed: u64) -> Self {
        let node = |index: u32| {
            let east_m = BEAM_M * (f64::from(index) - f64::from(nodes) / 2.0);
            let id = FIRST_NODE + index;
            SiteNode { id, key: key(seed, id), place_m: [east_m, 0.0] }
        };
        Self { nodes: (0..nodes).map(node).collect(), site_key: key(seed, 0), concentrator_m: [0.0, -400.0] }
    }

    /// Metres east of the line's middle.
    #[must_use]
    pub fn east_m(lat: f64, lon: f64) -> Option<f64> {
        SiteFrame::new(ORIGIN[0], ORIGIN[1]).to_site(lat, lon).map(|place_m| place_m.x)
    }

    /// Writes keys, `gateway.toml` and `centre.toml` into a folder.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path, device: &Path, broker_port: u16) -> io::Result<()> {
        let keys = folder.join("keys");
        fs::create_dir_all(&keys)?;
        for node in &self.nodes {
            let path = keys.join(format!("node-{}.toml", node.id));
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            let secret: String = node.key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
            write!(file, "node = {}\n\n[[key]]\nepoch = 0\nsecret = \"{secret}\"\n", node.id)?;
        }
        fs::write(folder.join("gateway.toml"), self.gateway(device, broker_port))?;
        let centre = format!(
            "[centre]\nid = \"centre\"\n\n[broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\n\n\
             [ledger]\npath = \"{}\"\n",
            folder.join("ledger.db").display()
        );
        fs::write(folder.join("centre.toml"), centre)
    }

    fn gateway(&self, device: &Path, broker_port: u16) -> String {
        let half_m = BEAM_M * self.nodes.len() as f64 / 2.0 + BEAM_M;
        let mut text = format!(
            "[site]\nid = \"{SITE}\"\norigin = {{ lat = {:?}, lon = {:?} }}\n\n[radio]\nkeys_dir = \"keys\"\n\n\
             [[source.serial]]\nname = \"radio\"\ndevice = \"{}\"\n\n\
             [[sink.centre]]\nbroker = {{ host = \"127.0.0.1\", port = {broker_port} }}\n\n\
             [store]\nfile = \"gateway.db\"\n\n[record]\ndir = \"recording\"\n\n[status]\nsocket = \"gateway.sock\"\n\n\
             [[zone]]\nname = \"line\"\nkind = \"border\"\nline_m = [[{:?}, 0.0], [{half_m:?}, 0.0]]\n",
            ORIGIN[0],
            ORIGIN[1],
            device.display(),
            -half_m
        );
        for SiteNode { id, place_m: [east_m, north_m], .. } in &self.nodes {
            let reflector_m = east_m + BEAM_M;
            let place = format!("node = {id}\nposition = {{ east_m = {east_m:?}, north_m = {north_m:?} }}");
            text += &format!(
                "\n[[sensor]]\nid = \"pir-{id}\"\nkind = \"pir\"\n{place}\n\
                 coverage = {{ shape = \"circle\", radius_m = {INFRARED_M:?} }}\n\
                 detection_probability = 0.9\nfalse_alarms_per_hour = 0.5\nrearm_s = 5.0\n\
                 \n[[sensor]]\nid = \"seismic-{id}\"\nkind = \"seismic\"\n{place}\n\
                 coverage = {{ shape = \"circle\", radius_m = {SEISMIC_M:?} }}\n\
                 detection_probability = 0.5\nfalse_alarms_per_hour = 0.5\nrearm_s = 10.0\n\
                 \n[[sensor]]\nid = \"beam-{id}\"\nkind = \"tripwire\"\nnode = {id}\n\
                 coverage = {{ shape = \"line\", from_m = [{east_m:?}, {north_m:?}], to_m = [{reflector_m:?}, {north_m:?}] }}\n\
                 detection_probability = 0.99\nfalse_alarms_per_hour = 0.1\n"
            );
        }
        text
    }
}

fn key(seed: u64, node: u32) -> Key {
    let mut random = Random::stream(seed, &format!("key {node}"));
    let [low, high] = [random.bits(), random.bits()];
    Key::new(core::array::from_fn(
        |index| if index < 8 { low.to_le_bytes()[index] } else { high.to_le_bytes()[index - 8] },
    ))
}
