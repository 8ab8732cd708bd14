-- Who may do what. Roles belong to the cluster, not to this database: they are made only if missing and permitted, and
-- another database of the same cluster may be making them at this moment. To use it:
-- GRANT holdfast_payments_app TO the_login_of_the_service;

SET LOCAL search_path TO payment_service_schema;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_payments_app') THEN
        BEGIN
            CREATE ROLE holdfast_payments_app NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- made by another database's migration meanwhile
            WHEN insufficient_privilege THEN RAISE NOTICE 'role holdfast_payments_app is missing and may not be created';
        END;
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_payments_app') THEN
        GRANT USAGE ON SCHEMA payment_service_schema TO holdfast_payments_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA payment_service_schema TO holdfast_payments_app;
        -- A payment is never forgotten by the application.
        GRANT INSERT, UPDATE ON payments, flaky_calls TO holdfast_payments_app;
        -- The tables of migrations/events are made after these.
        ALTER DEFAULT PRIVILEGES IN SCHEMA payment_service_schema
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO holdfast_payments_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA payment_service_schema GRANT USAGE ON SEQUENCES TO holdfast_payments_app;
    END IF;
END
$$;
