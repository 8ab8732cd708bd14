-- Orders and their sagas. One transaction decides and writes all of this: see order-service/src/store/, and for comments the
-- Postgres twin of this file. Ids and money are text, times are microseconds since 1970.

CREATE TABLE orders (
    order_id        TEXT    PRIMARY KEY,
    user_id         TEXT    NOT NULL,
    total_amount    TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN
        ('PENDING', 'AWAITING_PAYMENT', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'PAYMENT_FAILED')),
    payment_status  TEXT    NOT NULL,
    payment_id      TEXT    NOT NULL,
    payment_method  TEXT    NOT NULL,
    reason          TEXT,
    tracking_number TEXT,
    traceparent     TEXT,
    saga_phase      TEXT    NOT NULL,
    saga_version    INTEGER NOT NULL,
    saga_definition INTEGER NOT NULL,
    saga            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_by_user ON orders (user_id, created_at, order_id);

CREATE TABLE order_items (
    order_id   TEXT    NOT NULL REFERENCES orders,
    line       INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    unit_price TEXT    NOT NULL,
    PRIMARY KEY (order_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE saga_state_log (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id        TEXT    NOT NULL REFERENCES orders,
    saga_version    INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('STEP', 'INPUT', 'EVENT', 'ALARM')),
    step_name       TEXT    NOT NULL,
    is_compensating INTEGER NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('STARTED', 'COMPLETED', 'FAILED')),
    details         TEXT,
    event_id        TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX saga_state_log_of ON saga_state_log (order_id, seq);

CREATE TABLE saga_actions (
    order_id    TEXT    NOT NULL REFERENCES orders,
    action      TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    lease_token TEXT,
    last_error  TEXT,
    PRIMARY KEY (order_id, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX saga_actions_due ON saga_actions (due_at);

CREATE TABLE saga_timers (
    order_id     TEXT    PRIMARY KEY REFERENCES orders,
    saga_version INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX saga_timers_due ON saga_timers (due_at);

CREATE TABLE idempotency_keys (
    user_id     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    order_id    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_order ON idempotency_keys (order_id);

CREATE TABLE payments_seen (
    payment_id TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (payment_id, outcome)
) STRICT, WITHOUT ROWID;
