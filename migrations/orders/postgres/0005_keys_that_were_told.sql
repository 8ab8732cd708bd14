-- A key that somebody was told an order for is never given back. What is here from before may have been told.

SET LOCAL search_path TO order_service_schema;

ALTER TABLE idempotency_keys ADD COLUMN told boolean NOT NULL DEFAULT true;
