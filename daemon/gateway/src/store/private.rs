//! The store is for its owner alone: it holds every alert, and the states that keep old radio frames out.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::beside_dash;

/// Makes a new file so, and one that everybody can read.
pub(super) fn make(file: &Path) {
    // One that cannot be made is told by the opening that follows.
    drop(OpenOptions::new().create_new(true).write(true).mode(0o600).open(file));
    for path in [file.to_path_buf(), beside_dash(file, "wal"), beside_dash(file, "shm")] {
        let Some(found) = fs::metadata(&path).ok().filter(fs::Metadata::is_file) else { continue };
        let (mode, path_told) = (found.permissions().mode() & 0o777, path.display());
        // A group is given access on purpose; everybody never is.
        if mode & 0o007 == 0 {
            continue;
        }
        match fs::set_permissions(&path, Permissions::from_mode(0o600)) {
            Ok(()) => tracing::warn!("{path_told}: mode {mode:03o}: others could read it; now it is 600"),
            Err(error) => tracing::warn!("{path_told}: mode {mode:03o}: others can read it; not changed: {error}"),
        }
    }
}
