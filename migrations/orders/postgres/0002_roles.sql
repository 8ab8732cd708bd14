-- Who may do what. Roles belong to the cluster, not to this database: they are made only if missing and permitted, and
-- another database of the same cluster may be making them at this moment. To use it:
-- GRANT holdfast_orders_app TO the_login_of_the_service;

SET LOCAL search_path TO order_service_schema;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_orders_app') THEN
        BEGIN
            CREATE ROLE holdfast_orders_app NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- made by another database's migration meanwhile
            WHEN insufficient_privilege THEN RAISE NOTICE 'role holdfast_orders_app is missing and may not be created';
        END;
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_orders_app') THEN
        GRANT USAGE ON SCHEMA order_service_schema TO holdfast_orders_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA order_service_schema TO holdfast_orders_app;
        -- The log, the lines with their locked prices and the money facts are append-only for the application.
        GRANT INSERT ON order_items, saga_state_log, payments_seen TO holdfast_orders_app;
        GRANT INSERT, UPDATE ON orders TO holdfast_orders_app;
        GRANT INSERT, UPDATE, DELETE ON saga_actions, saga_timers, idempotency_keys TO holdfast_orders_app;
        -- The tables of migrations/events are made after these.
        ALTER DEFAULT PRIVILEGES IN SCHEMA order_service_schema
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO holdfast_orders_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA order_service_schema GRANT USAGE ON SEQUENCES TO holdfast_orders_app;
    END IF;
END
$$;
