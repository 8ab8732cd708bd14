-- The ledger of inventory-core on Postgres. Every write goes through one batch: see inventory-core/src/store/postgres/.
-- Numbers in `status`, `kinds` and `alert_state` are those of Status::code, ChangeKind::code and Alert::code.

CREATE SCHEMA IF NOT EXISTS inventory_service_schema;
SET LOCAL search_path TO inventory_service_schema;

-- Rows that change with every batch: half-empty pages keep the updates on the page (HOT); no index on what changes.
CREATE TABLE inventory (
    product_id          bigint      PRIMARY KEY,
    on_hand             bigint      NOT NULL,
    held                bigint      NOT NULL DEFAULT 0,
    version             bigint      NOT NULL,
    admin_version       bigint      NOT NULL,
    low_stock_threshold bigint,
    per_customer_limit  integer     CHECK (per_customer_limit > 0),
    limited_since       timestamptz,
    name                text,
    alert_state         smallint    NOT NULL DEFAULT 0,
    last_batch          uuid        NOT NULL,
    CONSTRAINT never_oversold CHECK (held >= 0 AND held <= on_hand)
) WITH (fillfactor = 50);

-- One row per order. Lines as arrays: `quantities` is what was asked for and never changes; `remaining` is what is
-- left after partial release or commit (zeros where a line is used up), NULL when nothing was taken away.
-- A tombstone has no lines.
CREATE TABLE reservations (
    order_id       uuid        PRIMARY KEY,
    status         smallint    NOT NULL CHECK (status BETWEEN 1 AND 5),
    late           boolean     NOT NULL DEFAULT false,
    customer_id    text,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    expires_at_max timestamptz NOT NULL,
    ended_at       timestamptz,
    products       bigint[]    NOT NULL,
    quantities     integer[]   NOT NULL,
    remaining      integer[]
) WITH (fillfactor = 70);

-- Holds are created in time order, so block ranges are narrow; a btree on this column costs half the throughput.
-- Without autosummarize: under load its queue overflows, once per range with a line in the server's log, and what is not
-- summarized is read by every sweep. The sweeper summarizes what it is about to scan, by the function below.
CREATE INDEX reservations_expires_at ON reservations USING brin (expires_at) WITH (pages_per_range = 64);

-- Summarizes up to 2,000 whole ranges of reservations_expires_at from this block on; says where to go on. With its owner's
-- rights, which summarizing needs.
CREATE FUNCTION summarize_reservations(first_block bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory_service_schema, pg_temp AS $$
DECLARE
    range_blocks CONSTANT bigint := 64;
    next_block bigint := first_block - first_block % range_blocks;
    blocks CONSTANT bigint := pg_relation_size('reservations') / current_setting('block_size')::bigint;
    last_block CONSTANT bigint := LEAST(blocks - blocks % range_blocks, next_block + 2000 * range_blocks);
BEGIN
    WHILE next_block < last_block LOOP
        PERFORM brin_summarize_range('reservations_expires_at', next_block);
        next_block := next_block + range_blocks;
    END LOOP;
    RETURN next_block;
END
$$;
REVOKE ALL ON FUNCTION summarize_reservations FROM PUBLIC;

CREATE VIEW reservation_lines AS
SELECT r.order_id, r.status, l.product_id, l.quantity AS requested, COALESCE(l.remaining, l.quantity) AS quantity
FROM reservations r
CROSS JOIN LATERAL unnest(r.products, r.quantities, r.remaining) AS l (product_id, quantity, remaining);

-- One row per batch, append-only. `line_command` and `remark_command` are positions (from 1) in `kinds`/`orders`.
CREATE TABLE journal (
    batch_id          uuid        PRIMARY KEY,
    at                timestamptz NOT NULL,
    kinds             smallint[]  NOT NULL,
    orders            uuid[]      NOT NULL,
    line_command      integer[]   NOT NULL,
    line_product      bigint[]    NOT NULL,
    line_units        bigint[]    NOT NULL,
    products          bigint[]    NOT NULL,
    versions          bigint[]    NOT NULL,
    on_hands          bigint[]    NOT NULL,
    helds             bigint[]    NOT NULL,
    previous          uuid[]      NOT NULL,
    remark_command    integer[],
    remark_adjustment text[],
    remark_reason     text[],
    remark_reference  text[],
    remark_customer   text[],
    remark_consumer   text[],
    remark_message    text[]
);
-- A batch of a thousand is 38 kB. The default compression costs more than writing it all would; lz4, where the server has
-- it, costs less and leaves 14 kB.
DO $$
DECLARE
    wide text;
    lz4 boolean := EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals));
BEGIN
    FOREACH wide IN ARRAY ARRAY['kinds', 'orders', 'line_command', 'line_product', 'line_units'] LOOP
        IF lz4 THEN
            EXECUTE format('ALTER TABLE journal ALTER COLUMN %I SET COMPRESSION lz4', wide);
        ELSE
            EXECUTE format('ALTER TABLE journal ALTER COLUMN %I SET STORAGE EXTERNAL', wide);
        END IF;
    END LOOP;
END
$$;
CREATE INDEX journal_at ON journal USING brin (at);

-- The fence: the first statement of every batch. See design of unknown commits in ARCHITECTURE.md.
CREATE TABLE commit_batch (
    batch_id uuid        PRIMARY KEY,
    outcome  text        NOT NULL DEFAULT 'committed' CHECK (outcome IN ('committed', 'aborted')),
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX commit_batch_at ON commit_batch USING brin (at);

CREATE TABLE adjustments (
    adjustment_id text        PRIMARY KEY,
    product_id    bigint      NOT NULL,
    delta         bigint      NOT NULL,
    reason        text        NOT NULL,
    reference     text,
    at            timestamptz NOT NULL,
    version       bigint      NOT NULL
);

-- Written only for products with a limit; what a customer holds and has bought since the limit was set.
CREATE TABLE customer_product (
    customer_id text   NOT NULL,
    product_id  bigint NOT NULL,
    units       bigint NOT NULL CHECK (units > 0),
    PRIMARY KEY (product_id, customer_id)
);

CREATE TABLE inbox (
    consumer text        NOT NULL,
    message  text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, message)
);
CREATE INDEX inbox_at ON inbox USING brin (at);

-- Column names as Debezium's outbox router expects them.
CREATE TABLE outbox (
    seq               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                uuid        NOT NULL UNIQUE,
    batch_id          uuid        NOT NULL,
    aggregatetype     text        NOT NULL,
    aggregateid       text        NOT NULL,
    aggregate_version bigint      NOT NULL,
    type              text        NOT NULL,
    topic             text        NOT NULL,
    payload           bytea       NOT NULL,
    headers           jsonb       NOT NULL,
    digest            bigint      NOT NULL, -- OutboxRow::digest, so that the audit sees an altered row
    created_at        timestamptz NOT NULL
);

-- How far pruning and sweeping have come: `sweep`, `reservations`, `journal`, `fences`, `deliveries`.
CREATE TABLE watermarks (
    name text        PRIMARY KEY,
    at   timestamptz NOT NULL
);
