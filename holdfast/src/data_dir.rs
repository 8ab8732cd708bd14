//! A data folder belongs to one process: the one that holds the lock on `holdfast.lock`. That process writes there how it
//! can be reached, so that verbs on a folder in use go through it. The system drops the lock when the process
//! ends, however it ends; what an unlocked file says means nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::roles::Role;

/// The lock, and how to reach its holder.
const LOCK_FILE: &str = "holdfast.lock";
/// The inventory's ledger.
const INVENTORY_FILE: &str = "inventory.db";
/// Orders and their sagas.
const ORDERS_FILE: &str = "orders.db";
/// The provider's payments.
const PAYMENTS_FILE: &str = "payments.db";

/// A folder that this process owns until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

/// The answer to [`DataDir::claim`].
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Owned(DataDir),
    /// It is another process's.
    Taken(Holder),
}

/// Who uses a folder, as far as the lock file tells.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Where it answers; a verb at work answers nowhere.
    #[serde(default)]
    pub url: Option<String>,
}

impl DataDir {
    /// Creates the folder if there is none, and locks it if nobody has.
    pub fn claim(path: &Path) -> anyhow::Result<Claim> {
        std::fs::create_dir_all(path).with_context(|| {
            format!("the data folder {} cannot be made; set DATA_DIR to a folder that can", path.display())
        })?;
        let at = path.join(LOCK_FILE);
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&at)
            .with_context(|| {
                format!("{} cannot be opened; set DATA_DIR to a folder that you may write to", at.display())
            })?;
        match lock.try_lock() {
            Ok(()) => {
                let mut owned = Self { path: path.to_owned(), lock };
                owned.announce(None)?;
                Ok(Claim::Owned(owned))
            }
            Err(TryLockError::WouldBlock) => Ok(Claim::Taken(read_holder(&at))),
            Err(TryLockError::Error(why)) => {
                Err(why).with_context(|| format!("{} cannot be locked", at.display()))
            }
        }
    }

    /// Tells others where this process answers.
    pub fn announce(&mut self, addr: Option<SocketAddr>) -> anyhow::Result<()> {
        let holder = Holder { pid: Some(std::process::id()), url: addr.map(reachable_url) };
        write_holder(&mut self.lock, &holder)
            .with_context(|| format!("{} cannot be written", self.path.join(LOCK_FILE).display()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that a role keeps its data in.
    pub fn file_of(&self, role: Role) -> PathBuf {
        match role {
            Role::Inventory => self.inventory_file(),
            Role::Orders => self.path.join(ORDERS_FILE),
            Role::Payments => self.path.join(PAYMENTS_FILE),
        }
    }

    /// The inventory's ledger in a folder.
    pub fn inventory_file_in(path: &Path) -> PathBuf {
        path.join(INVENTORY_FILE)
    }

    /// The inventory's ledger.
    pub fn inventory_file(&self) -> PathBuf {
        Self::inventory_file_in(&self.path)
    }
}

fn write_holder(lock: &mut File, holder: &Holder) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    serde_json::to_writer(&mut *lock, holder)?;
    lock.write_all(b"\n")?;
    lock.flush()
}

/// What cannot be read (half-written, or not ours) tells nothing.
fn read_holder(at: &Path) -> Holder {
    std::fs::read(at).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The address to call from this machine: "every interface" is listened to, not called.
pub(crate) fn reachable_url(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(path: &Path) -> DataDir {
        match DataDir::claim(path).unwrap() {
            Claim::Owned(dir) => dir,
            Claim::Taken(holder) => panic!("taken by {holder:?}"),
        }
    }

    #[test]
    fn a_folder_in_use_tells_where_its_holder_answers() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/data");
        let mut dir = owned(&path);
        dir.announce(Some("0.0.0.0:8083".parse().unwrap())).unwrap();
        let Claim::Taken(holder) = DataDir::claim(&path).unwrap() else { panic!("claimed twice") };
        assert_eq!(holder.url.as_deref(), Some("http://127.0.0.1:8083"));
        assert_eq!(holder.pid, Some(std::process::id()));
    }

    #[test]
    fn a_holder_without_an_address_has_no_url() {
        let root = tempfile::tempdir().unwrap();
        let mut dir = owned(root.path());
        dir.announce(Some("[::]:1".parse().unwrap())).unwrap();
        dir.announce(None).unwrap();
        let Claim::Taken(holder) = DataDir::claim(root.path()).unwrap() else { panic!("claimed twice") };
        assert_eq!(holder.url, None);
    }

    #[test]
    fn a_folder_left_behind_can_be_claimed_whatever_its_lock_file_says() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(LOCK_FILE), "not JSON at all, and long").unwrap();
        drop(owned(root.path()));
        owned(root.path());
    }

    #[test]
    fn foreign_files_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("retail")).unwrap();
        std::fs::write(root.path().join("retail/stock.csv"), "mine").unwrap();
        drop(owned(root.path()));
        assert_eq!(std::fs::read_to_string(root.path().join("retail/stock.csv")).unwrap(), "mine");
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_told_with_the_name_to_change() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("data");
        std::fs::write(&file, "").unwrap();
        assert!(DataDir::claim(&file).unwrap_err().to_string().contains("DATA_DIR"));
    }
}
