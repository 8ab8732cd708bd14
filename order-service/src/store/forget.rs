//! What is remembered for a time only. Orders, their lines, their history and what was heard about money are kept.

use std::time::Duration;

use service_kit::events::{Forget, RetentionOptions};
use service_kit::sql::Sql;

use super::Store;

/// How long a caller's key stands for its order. Longer than anybody repeats a request.
const KEYS_AFTER: Duration = Duration::from_secs(30 * 24 * 3_600);

// `$1` is an age in microseconds, `$2` a number of rows.
const KEYS: Sql = Sql::each(
    "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys \
     WHERE created_at < clock_timestamp() - $1 * interval '1 microsecond' LIMIT $2))",
    "DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_keys \
     WHERE created_at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - $1 LIMIT $2)",
);

impl Store {
    /// Callers' keys, and deliveries.
    pub fn forgets(&self, options: &RetentionOptions) -> Vec<Forget> {
        let database = self.database();
        let keys =
            Forget { what: "idempotency keys", database: database.clone(), sql: KEYS, after: KEYS_AFTER };
        vec![Forget::inbox(database.clone(), options), keys]
    }
}
