//! A small file system that can be filled, for tests of full disks.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::last_rites::LastRites;

/// How much is written at once when it is filled.
const PIECE_BYTES: usize = 1 << 20;
/// A file system in memory can be left at once, whoever still has a file open.
const LAST_RITES: &str = r#"umount -l "$1"; rmdir "$1""#;

/// A file system in memory with a size of its own, for a user of the system. It goes when this value is dropped or this process ends.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    _last_rites: LastRites,
}

impl SmallDisk {
    /// Mounts one (`tmpfs`) of so many MiB whose root belongs to `user`.
    ///
    /// # Errors
    /// Where mounting is not permitted: it takes root.
    pub fn mount(mebibytes: u64, user: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("holdfast-disk-").tempdir_in("/tmp")?.keep();
        let options = format!("size={mebibytes}m,mode=0700,uid={user}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "holdfast-disk"]).arg(&folder).stdin(Stdio::null());
        let said = mount.output().context("starting mount")?;
        if !said.status.success() {
            fs::remove_dir(&folder)?;
            bail!("{}", String::from_utf8_lossy(&said.stderr).trim());
        }
        let rites = LastRites::prepare(Command::new("sh"), LAST_RITES, [&folder])?;
        Ok(Self { folder, _last_rites: rites })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes all the room there is, and says how many bytes that was.
    ///
    /// # Errors
    /// If it cannot be written to for another reason than that it is full.
    pub fn fill(&self) -> Result<usize> {
        let mut ballast = File::create(self.ballast())?;
        let piece = vec![1; PIECE_BYTES];
        let mut bytes = 0;
        loop {
            match ballast.write(&piece) {
                Ok(0) => break,
                Ok(written) => bytes += written,
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                Err(error) => return Err(error).context("filling the disk"),
            }
        }
        Ok(bytes)
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// If it was not filled.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("making room on the disk")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}
