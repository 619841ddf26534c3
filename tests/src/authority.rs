//! An authority for certificates on the curve P-256, made with openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// An authority in a folder of its own.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
}

const CURVE: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

impl Authority {
    /// Makes one in `folder`.
    ///
    /// # Errors
    /// When openssl is not installed.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let authority = Self { folder: folder.to_path_buf() };
        let own = ["req", "-x509", "-days", "3650", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"];
        authority.openssl(&[&own[..], &CURVE].concat())?;
        Ok(authority)
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Writes a certificate for `name`, valid for so many days, to `NAME.pem` and its key to `NAME.key` in `folder`, as a
    /// renewal does: the files are replaced whole.
    ///
    /// # Errors
    /// When openssl refuses.
    pub fn issue(&self, folder: &Path, name: &str, days: u32, extension: &str) -> anyhow::Result<()> {
        std::fs::write(self.folder.join("extension"), format!("basicConstraints=CA:FALSE\n{extension}\n"))?;
        let (subject, days) = (format!("/CN={name}"), days.to_string());
        let ask = ["req", "-new", "-subj", &subject, "-keyout", "new.key", "-out", "new.csr"];
        self.openssl(&[&ask[..], &CURVE].concat())?;
        self.openssl(&[
            "x509",
            "-req",
            "-days",
            &days,
            "-in",
            "new.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "extension",
            "-out",
            "new.pem",
        ])?;
        for ending in ["key", "pem"] {
            let beside = folder.join(format!("{name}.{ending}.new"));
            std::fs::copy(self.folder.join(format!("new.{ending}")), &beside)?;
            std::fs::rename(&beside, folder.join(format!("{name}.{ending}")))?;
        }
        Ok(())
    }

    fn openssl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("openssl").args(arguments).current_dir(&self.folder).output().context("openssl")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
