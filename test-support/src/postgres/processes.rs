//! The processes of a running server.

use std::fs;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Signals the server and all its children. The parent comes first, so that it starts no child meanwhile; a child
/// that ended in between is no error.
pub(super) fn signal_all(server: i32, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(server), signal).context("signalling the server")?;
    for child in children(server)? {
        match kill(Pid::from_raw(child), signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(error) => return Err(error).context("signalling a child of the server"),
        }
    }
    Ok(())
}

fn children(parent: i32) -> Result<Vec<i32>> {
    let processes = fs::read_dir("/proc").context("pausing needs /proc")?;
    Ok(processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| parent_of(*pid) == Some(parent))
        .collect())
}

/// The fourth field of `stat`; the second, the name in parentheses, may itself hold blanks and parentheses.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_names_its_parent() {
        let me = i32::try_from(std::process::id()).expect("process ids fit");
        let parent = i32::try_from(std::os::unix::process::parent_id()).expect("process ids fit");
        assert_eq!(super::parent_of(me), Some(parent));
    }
}
