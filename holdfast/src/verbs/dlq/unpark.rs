//! `holdfast dlq unpark`.

use std::io::Write;

use super::queues::Queue;
use super::{Post, told, write};
use crate::Verdict;

/// Asks the group to let the key go on. Letters of it that wait are findings, and then nothing is asked.
pub(super) async fn run(
    post: &Post,
    queues: &[Queue],
    key: &str,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Done;
    for queue in queues {
        let waiting = post.letters(queue).let_go(key).await?;
        let shown = told::plain(key);
        if waiting.is_empty() {
            let Queue { topic, group } = queue;
            writeln!(
                out,
                "{group} lets {shown} go on when it comes to it in {topic}, if no letter waits then"
            )?;
        } else {
            verdict = Verdict::Findings;
            writeln!(
                out,
                "{}: redrive or discard them, then {shown} goes on",
                told::title(queue, waiting.len())
            )?;
            write(out, &waiting)?;
        }
    }
    Ok(verdict)
}
