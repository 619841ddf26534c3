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
    /// With the name that must stand in it, for the one shown to the centre's broker.
    files: BTreeMap<PathBuf, Option<String>>,
    told: BTreeMap<PathBuf, Vec<u8>>,
    look_at: Option<Instant>,
}

impl Certificates {
    /// The certificates a configuration names.
    pub(super) fn new(config: &Config) -> Self {
        let site = &config.engine.site.id;
        let sources = config.source.mqtt.iter().map(|source| (&source.broker, None));
        let sinks = config.sink.centre.iter().map(|sink| (&sink.broker, Some(site.clone())));
        let file = |(broker, name): (&crate::config::MqttConnection, Option<String>)| {
            Some((broker.tls.as_ref()?.cert_file.clone()?, name))
        };
        let files = sources.chain(sinks).filter_map(file).collect();
        Self { files, told: BTreeMap::new(), look_at: None }
    }

    /// What there is to tell of certificates that are new since the last look.
    pub(super) fn facts(&mut self) -> Vec<Fact> {
        let now = Instant::now();
        if self.look_at.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.look_at = Some(now + LOOK_EVERY);
        let mut facts = Vec::new();
        for (path, site) in &self.files {
            // One that cannot be read is told with the connection that cannot be made.
            let Ok(bytes) = std::fs::read(path) else { continue };
            if self.told.get(path) != Some(&bytes) {
                facts.extend(look(path, &bytes, site.as_deref()));
                self.told.insert(path.clone(), bytes);
            }
        }
        facts
    }
}

fn look(path: &Path, pem: &[u8], site: Option<&str>) -> Vec<Fact> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
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
        let watch = |site: &str| Certificates {
            files: BTreeMap::from([(file.clone(), Some(site.to_owned()))]),
            told: BTreeMap::new(),
            look_at: None,
        };
        let mut own = watch("gate-1");
        let facts = own.facts();
        assert!(matches!(facts.as_slice(), [Fact::Certificate { name, .. }] if name == "gateway.pem"), "{facts:?}");
        own.look_at = None;
        assert_eq!(own.facts(), []);
        let facts = watch("gate-2").facts();
        let [_, Fact::StorageFault { error, .. }] = facts.as_slice() else { panic!("{facts:?}") };
        assert!(error.contains("of gate-1") && error.contains("is gate-2"), "{error}");
        std::fs::write(&file, "no certificate").unwrap();
        own.look_at = None;
        assert!(matches!(own.facts().as_slice(), [Fact::StorageFault { .. }]));
    }
}
