-- Sending the outbox and receiving events: see migrations/events. outbox and inbox stand in 0001.

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
