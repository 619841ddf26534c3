//! What is kept of earlier configurations: the last good one, and which one did harm and was rolled back.

use std::io::Write;
use std::path::{Path, PathBuf};

use vedette_delivery::audit::hexadecimal;
use vedette_delivery::ledger::digest;

/// Two files: the last good configuration, and beside it the name of the one that was rolled back.
#[derive(Clone, Debug)]
pub struct Past {
    last_good: PathBuf,
}

impl Past {
    /// Of the last good configuration in this file.
    #[must_use]
    pub const fn new(last_good: PathBuf) -> Self {
        Self { last_good }
    }

    /// Where the last good configuration is.
    #[must_use]
    pub fn last_good(&self) -> &Path {
        &self.last_good
    }

    /// Whether a configuration with this text did harm when it was used last, and was rolled back.
    #[must_use]
    pub fn was_rolled_back(&self, text: &str) -> bool {
        std::fs::read_to_string(self.mark()).is_ok_and(|name| name.trim() == name_of(text))
    }

    /// Remembers a configuration that did harm: the next start must not begin with it.
    pub(super) fn note_rolled_back(&self, text: &str) {
        self.write(&self.mark(), &name_of(text));
    }

    /// Keeps a configuration that did no harm.
    pub(super) fn keep(&self, text: &str) {
        self.write(&self.last_good, text);
        if self.was_rolled_back(text) {
            // What is not there need not be taken away.
            let _ = std::fs::remove_file(self.mark());
        }
    }

    fn mark(&self) -> PathBuf {
        let mut mark = self.last_good.clone().into_os_string();
        mark.push(".rolled-back");
        PathBuf::from(mark)
    }

    fn write(&self, path: &Path, text: &str) {
        if let Err(error) = write_whole(path, text) {
            tracing::warn!("not kept: {}: {error}", path.display());
        }
    }
}

/// The beginning of the SHA-256 of a configuration's text, in hexadecimal.
pub(super) fn name_of(text: &str) -> String {
    hexadecimal(&digest(text.as_bytes()))
}

/// Written beside and renamed, so that a power cut leaves the old or the new one.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut new = path.to_path_buf().into_os_string();
    new.push(".new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rolled_back_is_known_until_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let past = Past::new(folder.path().join("last-good.toml"));
        past.keep("good");
        assert!(!past.was_rolled_back("harmful"));
        past.note_rolled_back("harmful");
        assert!(past.was_rolled_back("harmful") && !past.was_rolled_back("another"));
        assert_eq!(std::fs::read_to_string(past.last_good()).unwrap(), "good");
        past.keep("good");
        assert!(past.was_rolled_back("harmful"), "that another one stands says nothing about it");
        past.keep("harmful");
        assert!(!past.was_rolled_back("harmful"));
    }
}
