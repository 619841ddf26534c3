//! What is kept for how long, by class of record: what has had its time is found, and deleted where that is wanted.
//!
//! | class | what | kept for |
//! |---|---|---|
//! | recordings | files of `record.dir` | `retention.recordings_days`, and within `record.quota_mib` |
//! | damaged | stores that were put aside | `retention.damaged_days` |
//! | acknowledged | alerts in the outbox that the centre has | a day; a running daemon deletes them with its commits |
//! | audit | the audit log | for ever: it is what proves the deletions |

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use vedette_engine::{AuditRecord, Timestamp};

use crate::clock::UNSET_BEFORE_S;
use crate::config::Config;

/// Acknowledged alerts stay this long, for a centre that is restored from a backup.
pub const KEEP_ACKNOWLEDGED: Duration = Duration::from_secs(86_400);

/// Where records lie and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    store: PathBuf,
    recordings: Option<PathBuf>,
    keep_recordings: Duration,
    keep_damaged: Duration,
}

/// A class of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Recordings of inputs.
    Recordings,
    /// Damaged stores put aside.
    Damaged,
}

impl Class {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Damaged => "damaged",
        }
    }
}

/// A file that has had its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its class.
    pub class: Class,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Time since it was last written.
    pub age: Duration,
}

impl Rules {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let days = |days: f64| Duration::from_secs_f64(days * 86_400.0);
        Self {
            store: config.store.file.clone(),
            recordings: config.record.as_ref().map(|record| record.dir.clone()),
            keep_recordings: days(config.retention.recordings_days),
            keep_damaged: days(config.retention.damaged_days),
        }
    }

    /// Recordings of a time when the clock was not set have no age: from now on they have one.
    fn date(&self, now: SystemTime) -> std::io::Result<()> {
        let Some(folder) = self.recordings.as_ref().filter(|folder| folder.is_dir()) else { return Ok(()) };
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if is_known(now) && !is_known(fs::metadata(&path)?.modified()?) {
                fs::File::options().append(true).open(&path)?.set_modified(now)?;
            }
        }
        Ok(())
    }

    /// What has had its time, oldest first.
    ///
    /// # Errors
    /// When a folder that is there cannot be read.
    pub fn due(&self, now: SystemTime) -> std::io::Result<Vec<Due>> {
        let mut due = Vec::new();
        if let Some(folder) = &self.recordings {
            let is_recording = |path: &Path| path.extension().is_some_and(|extension| extension == "mcap");
            collect(folder, Class::Recordings, self.keep_recordings, now, is_recording, &mut due)?;
        }
        if let (Some(folder), Some(name)) = (self.store.parent(), self.store.file_name()) {
            let prefix = format!("{}.damaged-", name.to_string_lossy());
            let is_damaged =
                |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
            collect(folder, Class::Damaged, self.keep_damaged, now, is_damaged, &mut due)?;
        }
        due.sort_by_key(|due| std::cmp::Reverse(due.age));
        Ok(due)
    }

    /// Deletes what has had its time; a line for the audit log for each file, also for one that would not go.
    ///
    /// # Errors
    /// When a folder that is there cannot be read.
    pub fn delete(&self, now: SystemTime, at: Timestamp, by: &str) -> std::io::Result<Vec<AuditRecord>> {
        self.date(now)?;
        let mut records = Vec::new();
        for due in self.due(now)? {
            let what =
                format!("{} {}, {} bytes, {:.1} days old", due.class.name(), due.path.display(), due.bytes, due.days());
            let (act, detail) = match fs::remove_file(&due.path) {
                Ok(()) => ("deleted", what),
                Err(error) => ("not_deleted", format!("{what}: {error}")),
            };
            tracing::info!("{act}: {detail}");
            records.push(AuditRecord { at, by: by.to_owned(), act: act.to_owned(), detail });
        }
        Ok(records)
    }
}

impl Due {
    /// Its age in days.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.age.as_secs_f64() / 86_400.0
    }
}

/// Whether a time can be right: a gateway without a battery for its clock begins in 1970.
fn is_known(time: SystemTime) -> bool {
    time >= SystemTime::UNIX_EPOCH + Duration::from_secs(UNSET_BEFORE_S)
}

fn collect(
    folder: &Path,
    class: Class,
    keep: Duration,
    now: SystemTime,
    belongs: impl Fn(&Path) -> bool,
    due: &mut Vec<Due>,
) -> std::io::Result<()> {
    // A path without a folder is in the present one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if !belongs(&path) {
            continue;
        }
        let metadata = fs::metadata(&path)?;
        let written = metadata.modified()?;
        // A file of the future was written before the clock was set back: it stays.
        let age = if is_known(written) { now.duration_since(written).unwrap_or_default() } else { Duration::ZERO };
        if age > keep {
            due.push(Due { class, path, bytes: metadata.len(), age });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn only_what_has_had_its_time_goes_and_each_deletion_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let recordings = folder.path().join("recordings");
        fs::create_dir(&recordings).unwrap();
        let now = SystemTime::now();
        let make = |path: PathBuf, days: u32| {
            fs::write(&path, b"bytes").unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(now - DAY * days).unwrap();
            path
        };
        let old = make(recordings.join("old.mcap"), 40);
        let fresh = make(recordings.join("fresh.mcap"), 2);
        let other = make(recordings.join("notes.txt"), 400);
        let damaged = make(folder.path().join("store.sqlite.damaged-1-wal"), 100);
        let store = make(folder.path().join("store.sqlite"), 400);
        let rules = Rules {
            store: store.clone(),
            recordings: Some(recordings),
            keep_recordings: DAY * 30,
            keep_damaged: DAY * 90,
        };
        let due: Vec<PathBuf> = rules.due(now).unwrap().into_iter().map(|due| due.path).collect();
        assert_eq!(due, [damaged.clone(), old.clone()]);
        let records = rules.delete(now, Timestamp::from_seconds(5), "test").unwrap();
        assert_eq!(records.iter().map(|record| record.act.as_str()).collect::<Vec<_>>(), ["deleted", "deleted"]);
        assert!(records[1].detail.contains("old.mcap, 5 bytes, 40.0 days old"), "{records:?}");
        assert!(!old.exists() && !damaged.exists() && fresh.exists() && other.exists() && store.exists());
        assert!(rules.due(now).unwrap().is_empty());

        let unset = recordings_of_1970(&rules);
        assert!(rules.due(now).unwrap().is_empty(), "its age is not known");
        rules.delete(now, Timestamp::from_seconds(5), "test").unwrap();
        assert!(unset.exists());
        assert_eq!(rules.due(now + DAY * 31).unwrap().len(), 2, "it and the fresh one");
    }

    fn recordings_of_1970(rules: &Rules) -> PathBuf {
        let path = rules.recordings.as_ref().unwrap().join("unset.mcap");
        fs::write(&path, b"bytes").unwrap();
        fs::File::options().append(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH + DAY).unwrap();
        path
    }
}
