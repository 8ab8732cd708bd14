-- What a service needs to send and to receive events. The same tables stand in inventory's own migrations.
-- Ids are 16 bytes, times are microseconds since 1970.

CREATE TABLE outbox (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    id                BLOB    NOT NULL UNIQUE,
    aggregatetype     TEXT    NOT NULL,
    aggregateid       TEXT    NOT NULL,
    aggregate_version INTEGER NOT NULL,
    type              TEXT    NOT NULL,
    topic             TEXT    NOT NULL,
    payload           BLOB    NOT NULL,
    headers           TEXT    NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
    consumer TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (consumer, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_at ON inbox (at);

CREATE TABLE relay_leases (
    name  TEXT    PRIMARY KEY,
    token TEXT    NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parked_keys (
    consumer TEXT    NOT NULL,
    topic    TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, key)
) STRICT, WITHOUT ROWID;
