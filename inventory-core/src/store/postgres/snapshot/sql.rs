//! The statements. Every stream is a cursor that the server sorts; `$1` and `$2` bound the piece.
//!
//! A journal row's arrays are expanded once per row (`unnest` of several arrays, joined on positions), never per element.
//! Units are clamped to ±2^52 before they are summed, far beyond what the rules allow, so that no corrupt number can
//! make a sum overflow and stop the audit. Arrays that are too short show as NULLs, which become numbers that fit nothing.

/// A stream: the statement that opens its cursor and the one that fetches a page.
pub(super) struct Cursor {
    pub(super) declare: &'static str,
    pub(super) fetch: &'static str,
}

pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Cursors are read to their end, by scans, sorts and hashes: plan for that, whatever the connection's settings are (the store's are
/// for statements by key: they leave nested loops alone). Nested loops are off, because the planner takes every array for a short one and
/// limited products for few, and would compare each element of a batch of a thousand with each: where the other side is an
/// array of the row itself there is no other way, and it takes one all the same. Deadlines are for batches, not for the audit.
pub(super) const SETTINGS: [&str; 10] = [
    "SET LOCAL search_path TO inventory_service_schema",
    "SET LOCAL cursor_tuple_fraction = 1",
    "SET LOCAL work_mem = '32MB'",
    "SET LOCAL jit = off",
    "SET LOCAL enable_seqscan = on",
    "SET LOCAL enable_hashjoin = on",
    "SET LOCAL enable_mergejoin = on",
    "SET LOCAL enable_nestloop = off",
    "SET LOCAL statement_timeout = '30min'",
    "SET LOCAL idle_in_transaction_session_timeout = '5min'",
];
pub(super) const WATERMARKS: &str = "SELECT name, at FROM watermarks";

/// Rows that a view of products spans: journal lines and versions, and reservations.
pub(super) const COUNT_JOURNAL: &str = "SELECT COALESCE(sum(cardinality(line_command) + cardinality(kinds) + cardinality(products)), 0)::bigint \
     FROM journal";
pub(super) const COUNT_RESERVATIONS: &str = "SELECT count(*) FROM reservations";
pub(super) const COUNT_BATCHES: &str = "SELECT (SELECT count(*) FROM commit_batch) + (SELECT count(*) FROM journal) + (SELECT count(*) FROM outbox)";
pub(super) const COUNT_ADJUSTMENTS: &str = "SELECT count(*) FROM adjustments";
pub(super) const COUNT_INBOX: &str = "SELECT count(*) FROM inbox";

/// Cuts the products into `$1` pieces of like weight: a version stands for its share of the journal.
pub(super) const CUT_PRODUCTS: &str = "SELECT product_id FROM ( \
         SELECT product_id, version::float8 + 1 AS own, sum(version::float8 + 1) OVER (ORDER BY product_id) AS upto, \
                sum(version::float8 + 1) OVER () AS total \
         FROM inventory) w \
     WHERE floor((upto - own) * $1 / total) <> floor(upto * $1 / total) ORDER BY product_id";
/// Cuts after every `$1`th row.
pub(super) const CUT_ORDERS: &str = "SELECT order_id FROM ( \
         SELECT order_id, row_number() OVER (ORDER BY order_id) AS number FROM reservations) r \
     WHERE number % $1 = 0 ORDER BY order_id";
pub(super) const CUT_BATCHES: &str = "SELECT batch_id FROM ( \
         SELECT batch_id, row_number() OVER (ORDER BY batch_id) AS number FROM commit_batch) b \
     WHERE number % $1 = 0 ORDER BY batch_id";
pub(super) const CUT_ADJUSTMENTS: &str = "SELECT id FROM ( \
         SELECT adjustment_id COLLATE \"C\" AS id, row_number() OVER (ORDER BY adjustment_id COLLATE \"C\") AS number \
         FROM adjustments) a WHERE number % $1 = 0 ORDER BY id";
pub(super) const CUT_INBOX: &str = "SELECT DISTINCT message FROM ( \
         SELECT message COLLATE \"C\" AS message, row_number() OVER (ORDER BY message COLLATE \"C\") AS number \
         FROM inbox) i WHERE number % $1 = 0 ORDER BY message";

pub(super) const PRODUCTS: Cursor = Cursor {
    declare: "DECLARE audit_products NO SCROLL CURSOR FOR \
     SELECT product_id, on_hand, held, version, admin_version, low_stock_threshold, per_customer_limit::bigint, \
            limited_since, alert_state::bigint, last_batch \
     FROM inventory WHERE product_id BETWEEN $1 AND $2 ORDER BY product_id",
    fetch: "FETCH 2000 FROM audit_products",
};
pub(super) const HELD: Cursor = Cursor {
    declare: "DECLARE audit_held NO SCROLL CURSOR FOR \
     SELECT l.product_id, sum(COALESCE(l.remaining, l.quantity, 0))::bigint \
     FROM reservations r \
     CROSS JOIN LATERAL unnest(r.products, r.quantities, r.remaining) AS l (product_id, quantity, remaining) \
     WHERE r.status = 1 AND l.product_id BETWEEN $1 AND $2 GROUP BY 1 ORDER BY 1",
    fetch: "FETCH 2000 FROM audit_held",
};
pub(super) const VERSIONS: Cursor = Cursor {
    declare: "DECLARE audit_versions NO SCROLL CURSOR FOR \
     SELECT p.product_id, COALESCE(p.version, -1), j.batch_id, j.at, COALESCE(p.on_hand, -1), COALESCE(p.held, -1), \
            p.previous \
     FROM journal j \
     CROSS JOIN LATERAL unnest(j.products, j.versions, j.on_hands, j.helds, j.previous) \
         AS p (product_id, version, on_hand, held, previous) \
     WHERE p.product_id BETWEEN $1 AND $2 ORDER BY 1, 2",
    fetch: "FETCH 2000 FROM audit_versions",
};
pub(super) const EFFECTS: Cursor = Cursor {
    declare: "DECLARE audit_effects NO SCROLL CURSOR FOR \
     SELECT e.product_id, e.version, j.batch_id, e.kind, e.units, e.lines \
     FROM journal j CROSS JOIN LATERAL ( \
         SELECT l.product_id, p.version, c.kind::bigint AS kind, \
                sum(LEAST(GREATEST(COALESCE(l.units, 0), -4503599627370496), 4503599627370496))::bigint AS units, \
                count(*) AS lines \
         FROM unnest(j.line_command, j.line_product, j.line_units) AS l (command, product_id, units) \
         LEFT JOIN unnest(j.kinds) WITH ORDINALITY AS c (kind, position) ON c.position = l.command \
         LEFT JOIN unnest(j.products, j.versions) AS p (product_id, version) ON p.product_id = l.product_id \
         WHERE l.product_id BETWEEN $1 AND $2 GROUP BY 1, 2, 3) e \
     ORDER BY 1, 2 NULLS FIRST, 3, 4",
    fetch: "FETCH 2000 FROM audit_effects",
};
pub(super) const CUSTOMER_UNITS: Cursor = Cursor {
    declare: "DECLARE audit_customer_units NO SCROLL CURSOR FOR \
     SELECT product_id, customer_id, units FROM customer_product WHERE product_id BETWEEN $1 AND $2 \
     ORDER BY product_id, customer_id COLLATE \"C\"",
    fetch: "FETCH 2000 FROM audit_customer_units",
};
pub(super) const CUSTOMER_LINES: Cursor = Cursor {
    declare: "DECLARE audit_customer_lines NO SCROLL CURSOR FOR \
     SELECT i.product_id, r.customer_id, sum(COALESCE(l.remaining, l.quantity, 0))::bigint \
     FROM reservations r \
     CROSS JOIN LATERAL unnest(r.products, r.quantities, r.remaining) AS l (product_id, quantity, remaining) \
     JOIN inventory i ON i.product_id = l.product_id \
     WHERE r.status IN (1, 2) AND r.customer_id IS NOT NULL AND i.per_customer_limit IS NOT NULL \
         AND r.created_at >= i.limited_since AND i.product_id BETWEEN $1 AND $2 \
     GROUP BY i.product_id, r.customer_id ORDER BY i.product_id, r.customer_id COLLATE \"C\"",
    fetch: "FETCH 2000 FROM audit_customer_lines",
};

pub(super) const RESERVATIONS: Cursor = Cursor {
    declare: "DECLARE audit_reservations NO SCROLL CURSOR FOR \
     SELECT order_id, status::bigint, late, customer_id, created_at, expires_at, expires_at_max, ended_at, products, \
            quantities, remaining \
     FROM reservations WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id",
    fetch: "FETCH 2000 FROM audit_reservations",
};
/// `command_rank` in SQL.
pub(super) const COMMAND_LINES: Cursor = Cursor {
    declare: "DECLARE audit_command_lines NO SCROLL CURSOR FOR \
     SELECT e.order_id, j.at, j.batch_id, e.position, e.kind, e.customer, e.product_id, e.units \
     FROM journal j CROSS JOIN LATERAL ( \
         SELECT c.order_id, c.position, COALESCE(c.kind, 0)::bigint AS kind, r.customer, l.product_id, l.units \
         FROM unnest(j.kinds, j.orders) WITH ORDINALITY AS c (kind, order_id, position) \
         LEFT JOIN unnest(j.line_command, j.line_product, j.line_units) AS l (command, product_id, units) \
             ON l.command = c.position \
         LEFT JOIN unnest(j.remark_command, j.remark_customer) AS r (command, customer) ON r.command = c.position \
         WHERE c.order_id BETWEEN $1 AND $2) e \
     ORDER BY e.order_id, j.at, CASE WHEN e.kind IN (1, 7) THEN 0 WHEN e.kind IN (5, 10) THEN 1 \
         WHEN e.kind IN (2, 4, 8) THEN 2 ELSE 3 END, j.batch_id, e.position, e.product_id",
    fetch: "FETCH 2000 FROM audit_command_lines",
};

pub(super) const BATCHES: Cursor = Cursor {
    declare: "DECLARE audit_batches NO SCROLL CURSOR FOR \
     SELECT batch_id, at, CASE \
         WHEN cardinality(kinds) <> cardinality(orders) THEN 'its kinds and orders differ in length' \
         WHEN cardinality(line_command) <> cardinality(line_product) \
           OR cardinality(line_command) <> cardinality(line_units) THEN 'the parts of its lines differ in length' \
         WHEN cardinality(products) <> cardinality(versions) OR cardinality(products) <> cardinality(on_hands) \
           OR cardinality(products) <> cardinality(helds) OR cardinality(products) <> cardinality(previous) \
           THEN 'the parts of its products differ in length' \
         WHEN (remark_command IS NULL AND num_nonnulls(remark_adjustment, remark_reason, remark_reference, \
                        remark_customer, remark_consumer, remark_message) > 0) \
           OR cardinality(remark_command) <> cardinality(remark_adjustment) \
           OR cardinality(remark_command) <> cardinality(remark_reason) \
           OR cardinality(remark_command) <> cardinality(remark_reference) \
           OR cardinality(remark_command) <> cardinality(remark_customer) \
           OR cardinality(remark_command) <> cardinality(remark_consumer) \
           OR cardinality(remark_command) <> cardinality(remark_message) \
           THEN 'the parts of its remarks differ in length' \
         WHEN cardinality(kinds) < (SELECT max(c) FROM unnest(remark_command) c) \
           OR 1 > (SELECT min(c) FROM unnest(remark_command) c) THEN 'a remark belongs to no command' END \
     FROM journal WHERE batch_id BETWEEN $1 AND $2 ORDER BY batch_id",
    fetch: "FETCH 2000 FROM audit_batches",
};
pub(super) const FENCES: Cursor = Cursor {
    declare: "DECLARE audit_fences NO SCROLL CURSOR FOR \
     SELECT batch_id, outcome, at FROM commit_batch WHERE batch_id BETWEEN $1 AND $2 ORDER BY batch_id",
    fetch: "FETCH 2000 FROM audit_fences",
};
pub(super) const EVENTS: Cursor = Cursor {
    declare: "DECLARE audit_events NO SCROLL CURSOR FOR \
     SELECT o.batch_id, o.id, o.topic, o.aggregatetype, o.aggregateid, o.aggregate_version, o.type, o.payload, \
            h.names, h.contents, o.digest, o.created_at \
     FROM outbox o CROSS JOIN LATERAL ( \
         SELECT array_agg(key) AS names, array_agg(value) AS contents \
         FROM jsonb_each_text(CASE WHEN jsonb_typeof(o.headers) = 'object' THEN o.headers ELSE '{}' END)) h \
     WHERE o.batch_id BETWEEN $1 AND $2 ORDER BY o.batch_id, o.seq",
    fetch: "FETCH 200 FROM audit_events",
};

pub(super) const ADJUSTMENTS: Cursor = Cursor {
    declare: "DECLARE audit_adjustments NO SCROLL CURSOR FOR \
     SELECT adjustment_id, product_id, delta, reason, reference, at, version FROM adjustments \
     WHERE adjustment_id COLLATE \"C\" >= $1 AND ($2::text IS NULL OR adjustment_id COLLATE \"C\" < $2) \
     ORDER BY adjustment_id COLLATE \"C\"",
    fetch: "FETCH 2000 FROM audit_adjustments",
};
pub(super) const ADJUSTS: Cursor = Cursor {
    declare: "DECLARE audit_adjusts NO SCROLL CURSOR FOR \
     SELECT e.id, j.batch_id, j.at, e.kind, e.reason, e.reference, e.product_id, e.units, e.version \
     FROM journal j CROSS JOIN LATERAL ( \
         SELECT COALESCE(r.adjustment, '') AS id, c.position, COALESCE(c.kind, 0)::bigint AS kind, r.reason, \
                r.reference, l.product_id, l.units, p.version \
         FROM unnest(j.kinds) WITH ORDINALITY AS c (kind, position) \
         LEFT JOIN unnest(j.remark_command, j.remark_adjustment, j.remark_reason, j.remark_reference) \
             AS r (command, adjustment, reason, reference) ON r.command = c.position \
         LEFT JOIN unnest(j.line_command, j.line_product, j.line_units) AS l (command, product_id, units) \
             ON l.command = c.position \
         LEFT JOIN unnest(j.products, j.versions) AS p (product_id, version) ON p.product_id = l.product_id \
         WHERE c.kind = 11 OR r.adjustment IS NOT NULL) e \
     WHERE (11 = ANY (j.kinds) OR j.remark_adjustment IS NOT NULL) \
         AND e.id COLLATE \"C\" >= $1 AND ($2::text IS NULL OR e.id COLLATE \"C\" < $2) \
     ORDER BY e.id COLLATE \"C\", j.batch_id, e.position",
    fetch: "FETCH 2000 FROM audit_adjusts",
};

pub(super) const INBOX: Cursor = Cursor {
    declare: "DECLARE audit_inbox NO SCROLL CURSOR FOR \
     SELECT message, consumer, at, NULL::uuid FROM inbox \
     WHERE message COLLATE \"C\" >= $1 AND ($2::text IS NULL OR message COLLATE \"C\" < $2) \
     ORDER BY message COLLATE \"C\", consumer COLLATE \"C\"",
    fetch: "FETCH 2000 FROM audit_inbox",
};
pub(super) const DELIVERIES: Cursor = Cursor {
    declare: "DECLARE audit_deliveries NO SCROLL CURSOR FOR \
     SELECT r.message, COALESCE(r.consumer, ''), j.at, j.batch_id \
     FROM journal j \
     CROSS JOIN LATERAL unnest(j.remark_consumer, j.remark_message) AS r (consumer, message) \
     WHERE j.remark_message IS NOT NULL AND r.message COLLATE \"C\" >= $1 \
         AND ($2::text IS NULL OR r.message COLLATE \"C\" < $2) \
     ORDER BY r.message COLLATE \"C\", COALESCE(r.consumer, '') COLLATE \"C\"",
    fetch: "FETCH 2000 FROM audit_deliveries",
};
