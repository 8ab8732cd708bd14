-- The payment stub's own books on Postgres: see payment-stub/src/store/. Its schema is made, and the search path set, by whoever migrates.

-- `due_at` is when the worker has something to do: settle what is ACCEPTED, give back what is REFUNDING. NULL: nothing to do, or
-- (method `silent`) nothing will ever be done.
CREATE TABLE payments (
    payment_id   uuid          PRIMARY KEY,
    order_id     uuid          NOT NULL,
    amount       numeric(10,2) NOT NULL CHECK (amount >= 0),
    method       text          NOT NULL,
    status       text          NOT NULL CHECK (status IN ('ACCEPTED', 'SUCCESSFUL', 'FAILED', 'REFUNDING', 'REFUNDED')),
    reason       text,
    causation_id text,
    traceparent  text,
    created_at   timestamptz   NOT NULL,
    updated_at   timestamptz   NOT NULL,
    due_at       timestamptz
);
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payments_order ON payments (order_id);

-- How often a flaky call was made, so that which of its tries fail is the same every time.
CREATE TABLE flaky_calls (
    payment_id uuid   NOT NULL,
    operation  text   NOT NULL,
    tries      bigint NOT NULL,
    PRIMARY KEY (payment_id, operation)
);
