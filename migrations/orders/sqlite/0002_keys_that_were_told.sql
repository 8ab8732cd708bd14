-- A key that somebody was told an order for is never given back. What is here from before may have been told.

ALTER TABLE idempotency_keys ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
