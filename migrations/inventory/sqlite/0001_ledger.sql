-- The ledger of inventory-core on SQLite: one file, one process, one writer. Every write goes through one batch:
-- see inventory-core/src/store/sqlite/. Times are microseconds since 1970; ids are 16-byte blobs.
-- Numbers in `status`, `kind` and `alert_state` are those of Status::code, ChangeKind::code and Alert::code.

CREATE TABLE inventory (
    product_id          INTEGER PRIMARY KEY,
    on_hand             INTEGER NOT NULL,
    held                INTEGER NOT NULL DEFAULT 0,
    version             INTEGER NOT NULL,
    admin_version       INTEGER NOT NULL,
    low_stock_threshold INTEGER,
    per_customer_limit  INTEGER CHECK (per_customer_limit > 0),
    limited_since       INTEGER,
    name                TEXT,
    alert_state         INTEGER NOT NULL DEFAULT 0,
    last_batch          BLOB    NOT NULL,
    CHECK (held >= 0 AND held <= on_hand)
) STRICT;

-- Lines as JSON: [[product, requested, remaining], …] in product order; a tombstone has [].
CREATE TABLE reservations (
    order_id       BLOB    PRIMARY KEY,
    status         INTEGER NOT NULL CHECK (status BETWEEN 1 AND 5),
    late           INTEGER NOT NULL DEFAULT 0,
    customer_id    TEXT,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    expires_at_max INTEGER NOT NULL,
    ended_at       INTEGER,
    lines          TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_held ON reservations (expires_at) WHERE status = 1;

CREATE VIEW reservation_lines AS
SELECT r.order_id, r.status,
       json_extract(l.value, '$[0]') AS product_id,
       json_extract(l.value, '$[1]') AS requested,
       json_extract(l.value, '$[2]') AS quantity
FROM reservations r, json_each(r.lines) l;

-- The journal, append-only: a batch, its commands, their lines, and every product after it.
CREATE TABLE journal (
    batch_id BLOB    PRIMARY KEY,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_command (
    batch_id   BLOB    NOT NULL,
    position   INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    order_id   BLOB,
    adjustment TEXT,
    reason     TEXT,
    reference  TEXT,
    customer   TEXT,
    consumer   TEXT,
    message    TEXT,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_line (
    batch_id   BLOB    NOT NULL,
    position   INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    units      INTEGER NOT NULL,
    PRIMARY KEY (batch_id, position, product_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_product (
    product_id INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    batch_id   BLOB    NOT NULL,
    on_hand    INTEGER NOT NULL,
    held       INTEGER NOT NULL,
    previous   BLOB,
    PRIMARY KEY (product_id, version)
) STRICT, WITHOUT ROWID;

-- A batch's products: for pruning and reading an entry whole. Grows at its right edge.
CREATE INDEX journal_product_batch ON journal_product (batch_id);

-- The fence: the first statement of every batch.
CREATE TABLE commit_batch (
    batch_id BLOB    PRIMARY KEY,
    outcome  TEXT    NOT NULL DEFAULT 'committed' CHECK (outcome IN ('committed', 'aborted')),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE adjustments (
    adjustment_id TEXT    PRIMARY KEY,
    product_id    INTEGER NOT NULL,
    delta         INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    reference     TEXT,
    at            INTEGER NOT NULL,
    version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_product (
    customer_id TEXT    NOT NULL,
    product_id  INTEGER NOT NULL,
    units       INTEGER NOT NULL CHECK (units > 0),
    PRIMARY KEY (customer_id, product_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    consumer TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (consumer, message)
) STRICT, WITHOUT ROWID;

-- Column names as Debezium's outbox router expects them.
CREATE TABLE outbox (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    id                BLOB    NOT NULL UNIQUE,
    batch_id          BLOB    NOT NULL,
    aggregatetype     TEXT    NOT NULL,
    aggregateid       TEXT    NOT NULL,
    aggregate_version INTEGER NOT NULL,
    type              TEXT    NOT NULL,
    topic             TEXT    NOT NULL,
    payload           BLOB    NOT NULL,
    headers           TEXT    NOT NULL,
    digest            INTEGER NOT NULL, -- OutboxRow::digest, so that the audit sees an altered row
    created_at        INTEGER NOT NULL
) STRICT;

-- `clock` (the last persisted time), `reservations`, `journal`, `fences` and `deliveries` (pruned up to).
CREATE TABLE watermarks (
    name TEXT    PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
