-- Sending the outbox and receiving events: see migrations/events. outbox and inbox stand in 0001.

SET LOCAL search_path TO inventory_service_schema;

CREATE TABLE relay_leases (
    name  text        PRIMARY KEY,
    token uuid        NOT NULL,
    until timestamptz NOT NULL
);

CREATE TABLE parked_keys (
    consumer text        NOT NULL,
    topic    text        NOT NULL,
    key      text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, topic, key)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_inventory_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON relay_leases, parked_keys TO holdfast_inventory_app;
    END IF;
END
$$;
