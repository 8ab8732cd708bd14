-- The durable log by which the parts of one process hand events to each other: see docs/adr/0006-local-log.md.
-- Times are microseconds since 1970.

CREATE TABLE records (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, also after pruning
    topic   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    headers TEXT    NOT NULL, -- [[name, value], …]
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX records_topic ON records (topic, seq);

-- How far a group has done a topic.
CREATE TABLE group_offsets (
    consumer TEXT    NOT NULL,
    topic    TEXT    NOT NULL,
    done     INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic)
) STRICT, WITHOUT ROWID;

-- A topic that is not named here is cleaned by age.
CREATE TABLE topics (
    name    TEXT PRIMARY KEY,
    cleanup TEXT NOT NULL CHECK (cleanup IN ('delete', 'compact'))
) STRICT, WITHOUT ROWID;
