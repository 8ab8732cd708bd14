-- Who may do what. Roles belong to the cluster, not to this database: they are made only if missing and permitted, and
-- another database of the same cluster may be making them at this moment. To use them:
-- GRANT holdfast_inventory_app TO the_login_of_the_service;

SET LOCAL search_path TO inventory_service_schema;

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['holdfast_inventory_app', 'holdfast_inventory_maintenance'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL; -- made by another database's migration meanwhile
                WHEN insufficient_privilege THEN RAISE NOTICE 'role % is missing and may not be created', wanted;
            END;
        END IF;
    END LOOP;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_inventory_app') THEN
        GRANT USAGE ON SCHEMA inventory_service_schema TO holdfast_inventory_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA inventory_service_schema TO holdfast_inventory_app;
        -- The journal and the inbox are append-only for the application; fences too, whose outcome must never change.
        GRANT INSERT ON journal, commit_batch, inbox, adjustments TO holdfast_inventory_app;
        GRANT INSERT, UPDATE ON inventory, reservations, watermarks TO holdfast_inventory_app;
        GRANT INSERT, UPDATE, DELETE ON customer_product TO holdfast_inventory_app;
        GRANT INSERT, DELETE ON outbox TO holdfast_inventory_app;
        GRANT EXECUTE ON FUNCTION summarize_reservations TO holdfast_inventory_app;
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_inventory_maintenance') THEN
        GRANT USAGE ON SCHEMA inventory_service_schema TO holdfast_inventory_maintenance;
        GRANT SELECT ON ALL TABLES IN SCHEMA inventory_service_schema TO holdfast_inventory_maintenance;
        GRANT DELETE ON reservations, journal, commit_batch, inbox, outbox TO holdfast_inventory_maintenance;
        GRANT INSERT, UPDATE ON watermarks TO holdfast_inventory_maintenance;
    END IF;
END
$$;
