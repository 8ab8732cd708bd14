//! The processes of a running server.

use std::fs;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Signals the server and all its children, and says which those were. A child that ended in between is no error.
pub(super) fn signal_all(server: i32, signal: Signal) -> Result<Vec<i32>> {
    // A killed parent has no children any more: they are listed before. Any other signal goes to the parent first,
    // so that it starts no child after they were listed.
    let mut signalled = if signal == Signal::SIGKILL { children(server)? } else { Vec::new() };
    kill(Pid::from_raw(server), signal).context("signalling the server")?;
    signalled.extend(children(server)?);
    for child in &signalled {
        match kill(Pid::from_raw(*child), signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(error) => return Err(error).context("signalling a child of the server"),
        }
    }
    signalled.push(server);
    Ok(signalled)
}

/// Waits until a killed process runs no more. One that nobody has waited for yet counts as gone.
pub(super) async fn gone(pid: i32) {
    while state_of(pid).is_some_and(|state| state != "Z") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn children(parent: i32) -> Result<Vec<i32>> {
    let processes = fs::read_dir("/proc").context("pausing needs /proc")?;
    Ok(processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| parent_of(*pid) == Some(parent))
        .collect())
}

fn parent_of(pid: i32) -> Option<i32> {
    field_after_name(pid, 1)?.parse().ok()
}

fn state_of(pid: i32) -> Option<String> {
    field_after_name(pid, 0)
}

/// Of `stat`; the second field, the name in parentheses, may itself hold blanks and parentheses.
fn field_after_name(pid: i32, index: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(index).map(str::to_owned)
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
