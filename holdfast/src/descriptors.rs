//! How many files and connections this process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What three services with all the connections they serve at once may need, and files besides.
const ENOUGH: u64 = 3 * 4_096 + 512;

/// Takes what the system allows. Shells and service managers start processes with a soft limit, often 1,024, far below that: a few idle clients
/// would then keep all others out, and the store could not open its files. Nothing here depends on a small limit, as `select` would.
pub(crate) fn raise_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        }
        Ok(hard)
    });
    match raised {
        Ok(limit) if limit >= ENOUGH => {}
        Ok(limit) => tracing::warn!(
            limit,
            "few files may be open at once, so that many connections can keep others out: raise the hard limit (ulimit -Hn, LimitNOFILE=) to {ENOUGH}"
        ),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}
