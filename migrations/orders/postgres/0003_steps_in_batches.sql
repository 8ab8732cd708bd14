-- Steps are written for many orders by one statement, under locks of their orders' rows: that an order is there is known. Each of these
-- checks cost a lookup and a lock of the order's row per line.

SET LOCAL search_path TO order_service_schema;

ALTER TABLE saga_state_log DROP CONSTRAINT saga_state_log_order_id_fkey;
ALTER TABLE saga_actions DROP CONSTRAINT saga_actions_order_id_fkey;
ALTER TABLE saga_timers DROP CONSTRAINT saga_timers_order_id_fkey;
