-- Orders and their sagas. One transaction locks the order's row, decides, and writes all of this: see order-service/src/store/.
-- The connection's search_path names the schema.

CREATE SCHEMA IF NOT EXISTS order_service_schema;
SET LOCAL search_path TO order_service_schema;

CREATE TYPE order_status AS ENUM
    ('PENDING', 'AWAITING_PAYMENT', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'PAYMENT_FAILED');

-- Every step updates its row a few times: room on the page keeps the updates there (HOT); no index on what changes.
CREATE TABLE orders (
    order_id        uuid          PRIMARY KEY,
    user_id         text          NOT NULL,
    total_amount    numeric(10,2) NOT NULL CHECK (total_amount >= 0),
    status          order_status  NOT NULL,
    payment_status  text          NOT NULL,
    -- Minted with the order, before anyone asked for money.
    payment_id      uuid          NOT NULL,
    payment_method  text          NOT NULL,
    reason          text,
    tracking_number text,
    traceparent     text,
    saga_phase      text          NOT NULL,
    saga_version    bigint        NOT NULL,
    -- Rows of a newer definition are left alone.
    saga_definition bigint        NOT NULL,
    saga            jsonb         NOT NULL,
    created_at      timestamptz   NOT NULL,
    updated_at      timestamptz   NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX orders_by_user ON orders (user_id, created_at, order_id);

CREATE TABLE order_items (
    order_id   uuid          NOT NULL REFERENCES orders,
    line       integer       NOT NULL,
    product_id bigint        NOT NULL,
    quantity   integer       NOT NULL CHECK (quantity > 0),
    unit_price numeric(10,2) NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, line)
);

-- What happened to an order, append-only. `seq` is allocated under the order's row lock: per order it is the order of commits.
-- kind: STEP (a call: STARTED, then COMPLETED or FAILED), INPUT (what came in), EVENT (what went out), ALARM.
CREATE TABLE saga_state_log (
    seq             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        uuid        NOT NULL REFERENCES orders,
    saga_version    bigint      NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('STEP', 'INPUT', 'EVENT', 'ALARM')),
    step_name       text        NOT NULL,
    is_compensating boolean     NOT NULL,
    status          text        NOT NULL CHECK (status IN ('STARTED', 'COMPLETED', 'FAILED')),
    details         text,
    -- The event that was written, or the event or request that led to this.
    event_id        text,
    created_at      timestamptz NOT NULL
);
CREATE INDEX saga_state_log_of ON saga_state_log (order_id, seq);

-- Calls to make. Who holds the lease token makes the call; every write checks it. While leased, `due_at` is the lease's end.
CREATE TABLE saga_actions (
    order_id    uuid        NOT NULL REFERENCES orders,
    action      text        NOT NULL,
    attempts    bigint      NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    lease_token text,
    last_error  text,
    PRIMARY KEY (order_id, action)
);
CREATE INDEX saga_actions_due ON saga_actions (due_at);

-- The time to pay. A timer carries the saga's version; `attempts` counts firings that failed.
CREATE TABLE saga_timers (
    order_id     uuid        PRIMARY KEY REFERENCES orders,
    saga_version bigint      NOT NULL,
    attempts     bigint      NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL
);
CREATE INDEX saga_timers_due ON saga_timers (due_at);

-- Keys of callers. The row is the first statement of a placement: a second one with the same key waits for the first.
CREATE TABLE idempotency_keys (
    user_id     text        NOT NULL,
    key         text        NOT NULL,
    fingerprint text        NOT NULL,
    order_id    uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_order ON idempotency_keys (order_id);

-- One outcome of a payment counts once, under whatever event id it comes.
CREATE TABLE payments_seen (
    payment_id uuid        NOT NULL,
    outcome    text        NOT NULL,
    event_id   text        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (payment_id, outcome)
);
