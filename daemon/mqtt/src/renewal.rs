//! Notices when the files of a connection's certificates are replaced, so that a new connection is made with them.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// Watches the files of a connection's certificates.
#[derive(Debug)]
pub struct Renewal {
    files: Vec<PathBuf>,
    known: Stamp,
    /// A change that may not be finished: several files are replaced one after the other.
    changing: Option<Stamp>,
    look_at: Option<Instant>,
}

/// When each file was written and how long it is, for those that are there.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// Time between two looks; a change counts when it was the same at two.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl Renewal {
    /// The files as they are now are known.
    #[must_use]
    pub fn new(files: Vec<PathBuf>) -> Self {
        Self { known: stamp(&files), files, changing: None, look_at: None }
    }

    /// Looks at the files, when it is time; whether they were replaced, once.
    pub fn seen(&mut self, now: Instant) -> bool {
        if self.files.is_empty() || self.look_at.is_some_and(|at| now < at) {
            return false;
        }
        self.look_at = Some(now + LOOK_EVERY);
        let stamp = stamp(&self.files);
        if stamp == self.known || stamp.iter().any(Option::is_none) {
            self.changing = None;
            return false;
        }
        if self.changing.as_ref() != Some(&stamp) {
            self.changing = Some(stamp);
            return false;
        }
        (self.known, self.changing) = (stamp, None);
        true
    }

    /// Waits until the files are replaced. Safe to cancel.
    pub async fn happens(&mut self) {
        while !self.seen(Instant::now()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn stamp(files: &[PathBuf]) -> Stamp {
    let one = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_counts_once_when_all_files_have_settled() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            std::fs::write(file(name), "old").unwrap();
        }
        assert!(!Renewal::new(Vec::new()).seen(Instant::now()));
        let mut renewal = Renewal::new(vec![file("ca.pem"), file("cert.pem"), file("key.pem")]);
        let start = Instant::now();
        let mut seen = |looks: u32| renewal.seen(start + LOOK_EVERY * looks);
        assert!(!seen(0));
        std::fs::write(file("cert.pem"), "newer").unwrap();
        assert!(!seen(1), "its key is not there yet");
        std::fs::write(file("key.pem"), "newest").unwrap();
        assert!(!seen(2), "just written");
        assert!(seen(3));
        assert!(!seen(4), "once");
        std::fs::remove_file(file("key.pem")).unwrap();
        assert!(!seen(5) && !seen(6), "a file that is gone is no renewal");
    }
}
