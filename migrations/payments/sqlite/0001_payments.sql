-- The payment stub's own books on SQLite: see payment-stub/src/store/. Ids and money are text, times are microseconds since 1970.

-- `due_at` is when the worker has something to do: settle what is ACCEPTED, give back what is REFUNDING. NULL: nothing to do, or
-- (method `silent`) nothing will ever be done.
CREATE TABLE payments (
    payment_id   TEXT    PRIMARY KEY,
    order_id     TEXT    NOT NULL,
    amount       TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('ACCEPTED', 'SUCCESSFUL', 'FAILED', 'REFUNDING', 'REFUNDED')),
    reason       TEXT,
    causation_id TEXT,
    traceparent  TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    due_at       INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payments_order ON payments (order_id);

-- How often a flaky call was made, so that which of its tries fail is the same every time.
CREATE TABLE flaky_calls (
    payment_id TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    tries      INTEGER NOT NULL,
    PRIMARY KEY (payment_id, operation)
) STRICT, WITHOUT ROWID;
