//! The statements. A derived stream is sorted once into a temporary table, on disk, and paged by row number; a stream in
//! the order of a table's key is paged by that key.
//!
//! Units are clamped to ±2^52 before they are summed, far beyond what the rules allow, so that no corrupt number can
//! make a sum overflow and stop the audit.

/// The rows of one page.
pub(super) const PAGE_ROWS: i64 = 1_000;

/// The store keeps temporary tables and sorts in memory: a batch's are small. The audit's are as large as the journal. Not possible
/// within a transaction.
pub(super) const SORT_ON_DISK: &str = "PRAGMA temp_store = FILE";

pub(super) const WATERMARKS: &str = "SELECT name, at FROM watermarks";

pub(super) const PRODUCTS: &str = "SELECT product_id, on_hand, held, version, admin_version, low_stock_threshold, \
     per_customer_limit, limited_since, alert_state, last_batch FROM inventory \
     WHERE product_id >= ?1 AND (product_id > ?1 OR ?2) ORDER BY product_id LIMIT ?3";
pub(super) const RESERVATIONS: &str = "SELECT order_id, status, late, customer_id, created_at, expires_at, \
     expires_at_max, ended_at, lines FROM reservations \
     WHERE order_id >= ?1 AND (order_id > ?1 OR ?2) ORDER BY order_id LIMIT ?3";
pub(super) const FENCES: &str = "SELECT batch_id, outcome, at FROM commit_batch \
     WHERE batch_id >= ?1 AND (batch_id > ?1 OR ?2) ORDER BY batch_id LIMIT ?3";
pub(super) const ADJUSTMENTS: &str = "SELECT adjustment_id, product_id, delta, reason, reference, at, version \
     FROM adjustments WHERE adjustment_id >= ?1 AND (adjustment_id > ?1 OR ?2) ORDER BY adjustment_id LIMIT ?3";

pub(super) const SORT_HELD: &str = "CREATE TEMP TABLE audit_held AS \
     SELECT product_id, SUM(MIN(MAX(quantity, -4503599627370496), 4503599627370496)) AS units FROM ( \
         SELECT CAST(json_extract(l.value, '$[0]') AS INTEGER) AS product_id, \
                CAST(json_extract(l.value, '$[2]') AS INTEGER) AS quantity \
         FROM reservations r, json_each(CASE WHEN json_valid(r.lines) THEN r.lines ELSE '[]' END) l \
         WHERE r.status = 1 AND l.type = 'array') \
     WHERE product_id IS NOT NULL GROUP BY product_id ORDER BY product_id";
pub(super) const HELD: &str =
    "SELECT product_id, units FROM temp.audit_held WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

/// In key order already; the key has two parts, so it is numbered like a derived one.
pub(super) const SORT_VERSIONS: &str = "CREATE TEMP TABLE audit_versions AS \
     SELECT product_id, version FROM journal_product ORDER BY product_id, version";
pub(super) const VERSIONS: &str = "SELECT p.product_id, p.version, p.batch_id, j.at, p.on_hand, p.held, p.previous \
     FROM temp.audit_versions v JOIN journal_product p ON p.product_id = v.product_id AND p.version = v.version \
     LEFT JOIN journal j ON j.batch_id = p.batch_id WHERE v.rowid > ?1 ORDER BY v.rowid LIMIT ?2";

pub(super) const SORT_EFFECTS: &str = "CREATE TEMP TABLE audit_effects AS \
     SELECT l.product_id, p.version, l.batch_id, c.kind, \
            SUM(MIN(MAX(l.units, -4503599627370496), 4503599627370496)) AS units, COUNT(*) AS lines \
     FROM journal_line l \
     LEFT JOIN journal_product p ON p.batch_id = l.batch_id AND p.product_id = l.product_id \
     LEFT JOIN journal_command c ON c.batch_id = l.batch_id AND c.position = l.position \
     GROUP BY l.product_id, p.version, l.batch_id, c.kind ORDER BY l.product_id, p.version, l.batch_id, c.kind";
pub(super) const EFFECTS: &str = "SELECT product_id, version, batch_id, kind, units, lines \
     FROM temp.audit_effects WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_CUSTOMER_UNITS: &str = "CREATE TEMP TABLE audit_customer_units AS \
     SELECT product_id, customer_id, units FROM customer_product ORDER BY product_id, customer_id";
pub(super) const CUSTOMER_UNITS: &str = "SELECT product_id, customer_id, units \
     FROM temp.audit_customer_units WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_CUSTOMER_LINES: &str = "CREATE TEMP TABLE audit_customer_lines AS \
     SELECT i.product_id, l.customer_id, \
            SUM(MIN(MAX(l.quantity, -4503599627370496), 4503599627370496)) AS units FROM ( \
         SELECT r.customer_id, r.created_at, CAST(json_extract(l.value, '$[0]') AS INTEGER) AS product_id, \
                CAST(json_extract(l.value, '$[2]') AS INTEGER) AS quantity \
         FROM reservations r, json_each(CASE WHEN json_valid(r.lines) THEN r.lines ELSE '[]' END) l \
         WHERE r.status IN (1, 2) AND r.customer_id IS NOT NULL AND l.type = 'array') l \
     JOIN inventory i ON i.product_id = l.product_id \
     WHERE i.per_customer_limit IS NOT NULL AND l.created_at >= i.limited_since \
     GROUP BY i.product_id, l.customer_id ORDER BY i.product_id, l.customer_id";
pub(super) const CUSTOMER_LINES: &str = "SELECT product_id, customer_id, units \
     FROM temp.audit_customer_lines WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

/// `command_rank` in SQL.
pub(super) const SORT_COMMAND_LINES: &str = "CREATE TEMP TABLE audit_command_lines AS \
     SELECT c.order_id, j.at, c.batch_id, c.position, c.kind, c.customer, l.product_id, l.units \
     FROM journal_command c JOIN journal j ON j.batch_id = c.batch_id \
     LEFT JOIN journal_line l ON l.batch_id = c.batch_id AND l.position = c.position \
     WHERE c.order_id IS NOT NULL \
     ORDER BY c.order_id, j.at, CASE WHEN c.kind IN (1, 7) THEN 0 WHEN c.kind IN (5, 10) THEN 1 \
         WHEN c.kind IN (2, 4, 8) THEN 2 ELSE 3 END, c.batch_id, c.position, l.product_id";
pub(super) const COMMAND_LINES: &str = "SELECT order_id, at, batch_id, position + 1, kind, customer, product_id, units \
     FROM temp.audit_command_lines WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_BATCHES: &str = "CREATE TEMP TABLE audit_batches AS \
     SELECT batch_id, at, NULL AS part FROM journal \
     UNION ALL SELECT batch_id, NULL, MIN(part) FROM ( \
         SELECT DISTINCT batch_id, 'commands' AS part FROM journal_command \
         UNION ALL SELECT DISTINCT batch_id, 'lines' FROM journal_line \
         UNION ALL SELECT DISTINCT batch_id, 'products' FROM journal_product) p \
     WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.batch_id = p.batch_id) GROUP BY batch_id ORDER BY 1";
pub(super) const BATCHES: &str =
    "SELECT batch_id, at, part FROM temp.audit_batches WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_EVENTS: &str =
    "CREATE TEMP TABLE audit_events AS SELECT batch_id, seq FROM outbox ORDER BY batch_id, seq";
/// Headers come as `hex:hex,…`, so that they need no parser of JSON here.
pub(super) const EVENTS: &str = "SELECT o.batch_id, o.id, o.topic, o.aggregatetype, o.aggregateid, \
     o.aggregate_version, o.type, o.payload, \
     (SELECT group_concat(hex(h.key) || ':' || hex(h.value), ',') \
      FROM json_each(CASE WHEN json_valid(o.headers) THEN o.headers ELSE '{}' END) h), \
     o.digest, o.created_at \
     FROM temp.audit_events e JOIN outbox o ON o.seq = e.seq WHERE e.rowid > ?1 ORDER BY e.rowid LIMIT ?2";

pub(super) const SORT_ADJUSTS: &str = "CREATE TEMP TABLE audit_adjusts AS \
     SELECT COALESCE(c.adjustment, '') AS id, c.batch_id, j.at, c.kind, c.reason, c.reference, l.product_id, \
            l.units, p.version \
     FROM journal_command c JOIN journal j ON j.batch_id = c.batch_id \
     LEFT JOIN journal_line l ON l.batch_id = c.batch_id AND l.position = c.position \
     LEFT JOIN journal_product p ON p.batch_id = l.batch_id AND p.product_id = l.product_id \
     WHERE c.kind = 11 OR c.adjustment IS NOT NULL ORDER BY 1, c.batch_id, c.position";
pub(super) const ADJUSTS: &str = "SELECT id, batch_id, at, kind, reason, reference, product_id, units, version \
     FROM temp.audit_adjusts WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_INBOX: &str =
    "CREATE TEMP TABLE audit_inbox AS SELECT message, consumer, at FROM inbox ORDER BY message, consumer";
pub(super) const INBOX: &str =
    "SELECT message, consumer, at, NULL FROM temp.audit_inbox WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

pub(super) const SORT_DELIVERIES: &str = "CREATE TEMP TABLE audit_deliveries AS \
     SELECT c.message, COALESCE(c.consumer, '') AS consumer, j.at, c.batch_id \
     FROM journal_command c JOIN journal j ON j.batch_id = c.batch_id \
     WHERE c.message IS NOT NULL ORDER BY 1, 2";
pub(super) const DELIVERIES: &str = "SELECT message, consumer, at, batch_id \
     FROM temp.audit_deliveries WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
