-- What a service needs to send and to receive events. The same tables stand in inventory's own migrations.

-- Column names as Debezium's outbox router expects them. `seq` is allocated after the aggregate's row was locked, so per aggregate its
-- order is the order of commits.
CREATE TABLE outbox (
    seq               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                uuid        NOT NULL UNIQUE,
    aggregatetype     text        NOT NULL,
    aggregateid       text        NOT NULL,
    aggregate_version bigint      NOT NULL,
    type              text        NOT NULL,
    topic             text        NOT NULL,
    payload           bytea       NOT NULL,
    headers           jsonb       NOT NULL,
    created_at        timestamptz NOT NULL
);

-- Deliveries that were handled. First statement of a handler's transaction.
CREATE TABLE inbox (
    consumer text        NOT NULL,
    message  text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, message)
);
CREATE INDEX inbox_at ON inbox USING brin (at);

-- Who may publish this outbox: one owner at a time, judged by this database's clock.
CREATE TABLE relay_leases (
    name  text        PRIMARY KEY,
    token uuid        NOT NULL,
    until timestamptz NOT NULL
);

-- Keys of which an event stands among the dead letters: later ones of the same key follow it.
CREATE TABLE parked_keys (
    consumer text        NOT NULL,
    topic    text        NOT NULL,
    key      text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, topic, key)
);
