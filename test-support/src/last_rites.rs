//! Clean-up that happens even if this process is killed with SIGKILL.
//!
//! A small `sh` waits on a pipe of which this process holds the only other end. However this process ends, the
//! kernel closes that end, the shell reads end-of-file and runs its script.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The waiting shell. Dropping it runs the script and waits for its end.
#[derive(Debug)]
pub(crate) struct LastRites {
    shell: Child,
}

impl LastRites {
    /// `script` sees `arguments` as `$1`, `$2`, …. `command` prepares the shell's user, if another is wanted.
    pub(crate) fn prepare<A: AsRef<OsStr>>(
        mut command: Command,
        script: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> io::Result<Self> {
        let script = format!("cat >/dev/null\n{script}");
        let shell = command
            .arg("-c")
            .arg(script)
            .arg("last-rites")
            .args(arguments)
            // A group of its own: Ctrl-C in a terminal must not end the shell before its work is done.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { shell })
    }

    /// Ends the shell without running the script: what it was for is over.
    pub(crate) fn cancel(mut self) {
        // Errors mean that the shell is gone already, which is what is wanted.
        let _ = self.shell.kill();
    }
}

impl Drop for LastRites {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
