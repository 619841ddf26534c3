//! The certificates this gateway shows: when they end, and whether they are this gateway's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vedette_engine::Fact;

use crate::certificate::Certificate;
use crate::config::Config;

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Looks at the files of all certificates.
#[derive(Debug)]
pub(super) struct Certificates {
    files: BTreeMap<PathBuf, Shown>,
    /// The names have been told.
    listed: bool,
    told: BTreeMap<PathBuf, Vec<u8>>,
    look_at: Option<Instant>,
}

/// A certificate that is shown to others.
#[derive(Debug)]
struct Shown {
    /// The file's name, and the folders before it where another one is called the same.
    name: String,
    /// The name that must stand in it, for the one shown to the centre's broker.
    whose: Option<String>,
}

impl Certificates {
    /// The certificates a configuration names.
    pub(super) fn new(config: &Config) -> Self {
        let site = &config.engine.site.id;
        let sources = config.source.mqtt.iter().map(|source| (source.broker.tls.as_ref(), None));
        let sinks = config.sink.centre.iter().map(|sink| (sink.broker.tls.as_ref(), Some(site.clone())));
        let peers = config.peers().into_iter().map(|peer| (peer.tls.as_ref(), None));
        // The centre's last: of one file for all the name must be right.
        let shown = sources.chain(peers).chain(sinks);
        Self::of(&shown.filter_map(|(tls, whose)| Some((tls?.cert_file.clone()?, whose))).collect())
    }

    fn of(files: &BTreeMap<PathBuf, Option<String>>) -> Self {
        let last = |path: &Path| path.file_name().unwrap_or_default().to_owned();
        let name = |path: &Path| {
            let alone = files.keys().filter(|other| last(other) == last(path)).count() == 1;
            if alone { last(path).to_string_lossy().into_owned() } else { path.display().to_string() }
        };
        let shown = files.iter().map(|(path, whose)| (path.clone(), Shown { name: name(path), whose: whose.clone() }));
        Self { files: shown.collect(), listed: false, told: BTreeMap::new(), look_at: None }
    }

    /// What there is to tell of certificates that are new since the last look.
    pub(super) fn facts(&mut self) -> Vec<Fact> {
        let now = Instant::now();
        if self.look_at.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.look_at = Some(now + LOOK_EVERY);
        let mut facts = Vec::new();
        if !std::mem::replace(&mut self.listed, true) {
            facts.push(Fact::Certificates { names: self.files.values().map(|shown| shown.name.clone()).collect() });
        }
        for (path, shown) in &self.files {
            // One that cannot be read is told with the connection that cannot be made.
            let Ok(bytes) = std::fs::read(path) else { continue };
            if self.told.get(path) != Some(&bytes) {
                facts.extend(look(path, &bytes, shown));
                self.told.insert(path.clone(), bytes);
            }
        }
        facts
    }
}

fn look(path: &Path, pem: &[u8], Shown { name, whose: site }: &Shown) -> Vec<Fact> {
    let fault = |error: String| {
        tracing::error!("{}: {error}", path.display());
        Fact::StorageFault { what: "certificates".to_owned(), error: format!("{name}: {error}") }
    };
    let certificate = match Certificate::read(pem) {
        Ok(certificate) => certificate,
        Err(error) => return vec![fault(error.to_string())],
    };
    let mut facts = vec![Fact::Certificate { name: name.clone(), expires_at: certificate.expires_at }];
    if let (Some(site), Some(whose)) = (site, &certificate.common_name)
        && site != whose
    {
        let refuses = "a broker that goes by certificates refuses what this gateway says";
        facts.push(fault(format!("it is of {whose}, and this gateway is {site}: {refuses}")));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_owners_are_told_once_for_each_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.pem");
        std::fs::write(&file, crate::certificate::EXAMPLE).unwrap();
        let watch = |site: &str| Certificates::of(&BTreeMap::from([(file.clone(), Some(site.to_owned()))]));
        let mut own = watch("gate-1");
        let facts = own.facts();
        let [Fact::Certificates { names }, Fact::Certificate { name, .. }] = facts.as_slice() else {
            panic!("{facts:?}")
        };
        assert_eq!((names.as_slice(), name.as_str()), (["gateway.pem".to_owned()].as_slice(), "gateway.pem"));
        own.look_at = None;
        assert_eq!(own.facts(), []);
        let facts = watch("gate-2").facts();
        let [_, _, Fact::StorageFault { error, .. }] = facts.as_slice() else { panic!("{facts:?}") };
        assert!(error.contains("of gate-1") && error.contains("is gate-2"), "{error}");
        std::fs::write(&file, "no certificate").unwrap();
        own.look_at = None;
        assert!(matches!(own.facts().as_slice(), [Fact::StorageFault { .. }]));
    }

    #[test]
    fn two_files_of_one_name_are_told_apart() {
        let files = ["/a/gateway.pem", "/b/gateway.pem", "/b/cot.pem"].map(|path| (PathBuf::from(path), None));
        let Some(Fact::Certificates { names }) = Certificates::of(&files.into()).facts().into_iter().next() else {
            panic!("the names come first");
        };
        assert_eq!(names, ["/a/gateway.pem", "cot.pem", "/b/gateway.pem"].map(str::to_owned));
    }
}
