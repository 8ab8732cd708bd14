-- Callers' keys are remembered for a time only, and found by their age.

SET LOCAL search_path TO order_service_schema;

CREATE INDEX idempotency_keys_at ON idempotency_keys USING brin (created_at);
