-- The summary of a range of blocks in reservations_expires_at only ever grows. Of what was pruned it keeps the old times, and once new
-- reservations stand in that room every scan reads it: each piece of pruning all that the pieces before it have emptied, each
-- sweep all that was written within the time that holds last. So pruning has the ranges that it took from summarized anew, by
-- this function: at any blocks within them. With its owner's rights, which that needs.
SET LOCAL search_path TO inventory_service_schema;

CREATE FUNCTION resummarize_reservations(blocks bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory_service_schema, pg_temp AS $$
DECLARE
    block bigint;
    last_block CONSTANT bigint := pg_relation_size('reservations') / current_setting('block_size')::bigint - 1;
BEGIN
    FOREACH block IN ARRAY blocks LOOP
        -- A vacuum may have cut the table off before it.
        CONTINUE WHEN block > last_block;
        PERFORM brin_desummarize_range('reservations_expires_at', block);
        PERFORM brin_summarize_range('reservations_expires_at', block);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION resummarize_reservations FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_inventory_maintenance') THEN
        GRANT EXECUTE ON FUNCTION resummarize_reservations TO holdfast_inventory_maintenance;
    END IF;
END
$$;
