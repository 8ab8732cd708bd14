//! Which messages are a COMMIT: by the simple protocol a query whose last statement it is, by the extended one the execution of a
//! portal over such a statement, or over one that writes a batch's fence and everything else of the batch: nobody sends that inside a transaction.

use std::collections::HashSet;

use super::frames::Frame;

/// What one client has prepared.
#[derive(Debug, Default)]
pub(super) struct Commits {
    statements: HashSet<Vec<u8>>,
    portals: HashSet<Vec<u8>>,
}

impl Commits {
    /// Whether the server would commit at this message.
    pub(super) fn see(&mut self, frame: &Frame) -> bool {
        let mut texts = frame.body().split(|byte| *byte == 0);
        let mut text = || texts.next().unwrap_or_default();
        match frame.kind() {
            Some(b'Q') => ends_in_commit(text()),
            Some(b'P') => {
                let name = text().to_vec();
                let sql = text();
                note(&mut self.statements, name, ends_in_commit(sql) || is_a_batch(sql));
                false
            }
            Some(b'B') => {
                let portal = text().to_vec();
                let is_commit = self.statements.contains(text());
                note(&mut self.portals, portal, is_commit);
                false
            }
            Some(b'E') => self.portals.contains(text()),
            _ => false,
        }
    }
}

fn note(names: &mut HashSet<Vec<u8>>, name: Vec<u8>, is_commit: bool) {
    if is_commit {
        names.insert(name);
    } else {
        names.remove(&name);
    }
}

fn ends_in_commit(sql: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sql);
    let last = text.trim_end_matches([';', ' ', '\n', '\t']).rsplit(';').next().unwrap_or_default();
    let mut words = last.split_whitespace();
    let is_commit =
        words.next().is_some_and(|word| ["commit", "end"].contains(&word.to_lowercase().as_str()));
    is_commit && words.next().is_none_or(|word| !word.eq_ignore_ascii_case("prepared"))
}

fn is_a_batch(sql: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sql);
    text.starts_with("WITH ")
        && text.contains("INSERT INTO commit_batch")
        && text.contains("INSERT INTO journal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sql: &str) -> Frame {
        Frame::typed(b'Q', format!("{sql}\0").as_bytes())
    }

    #[test]
    fn a_query_commits_if_its_last_statement_does() {
        let mut commits = Commits::default();
        for sql in
            ["COMMIT", "SELECT;COMMIT", "commit ;", "END", "COMMIT WORK", "UPDATE x SET y = 1; commit;"]
        {
            assert!(commits.see(&query(sql)), "{sql}");
        }
        for sql in [
            "",
            "SELECT 'COMMIT'",
            "ROLLBACK",
            "COMMIT PREPARED 'x'",
            "SELECT 1 FROM commit",
            "COMMIT;SELECT 1",
        ] {
            assert!(!commits.see(&query(sql)), "{sql}");
        }
    }

    #[test]
    fn a_whole_batch_commits_when_its_portal_is_executed_and_a_fence_alone_does_not() {
        let mut commits = Commits::default();
        let execute = Frame::typed(b'E', b"\0\0\0\0\0");
        let sql = "s1\0WITH f AS (INSERT INTO commit_batch (batch_id) SELECT $1), e AS (INSERT INTO journal SELECT 1) SELECT 1\0\0\0";
        assert!(!commits.see(&Frame::typed(b'P', sql.as_bytes())));
        assert!(!commits.see(&Frame::typed(b'B', b"\0s1\0\0\0\0\0\0\0")));
        assert!(commits.see(&execute));
        assert!(
            !commits.see(&Frame::typed(b'P', b"s2\0INSERT INTO commit_batch (batch_id) VALUES ($1)\0\0\0"))
        );
        assert!(!commits.see(&Frame::typed(b'B', b"\0s2\0\0\0\0\0\0\0")));
        assert!(!commits.see(&execute));
    }

    #[test]
    fn a_prepared_commit_commits_when_its_portal_is_executed() {
        let mut commits = Commits::default();
        let execute = Frame::typed(b'E', b"\0\0\0\0\0");
        assert!(!commits.see(&Frame::typed(b'P', b"s1\0COMMIT\0\0\0")));
        assert!(!commits.see(&execute), "nothing is bound yet");
        assert!(!commits.see(&Frame::typed(b'B', b"\0s1\0\0\0\0\0\0\0")));
        assert!(commits.see(&execute));
        assert!(!commits.see(&Frame::typed(b'P', b"\0SELECT 1\0\0\0")));
        assert!(!commits.see(&Frame::typed(b'B', b"\0\0\0\0\0\0\0\0")));
        assert!(!commits.see(&execute), "the portal was bound anew");
    }
}
