//! Every bound of the REST edge that is not an option, in one place. The engine's are in `inventory_core::limits`.

/// Products in one `GET /api/v1/inventory?productIds=…`.
pub(crate) const PRODUCT_IDS_MAX: usize = 256;
/// Lines of one batch of reserves.
pub(crate) const BATCH_LINES_MAX: usize = 10_000;
/// Reserves of one batch that are under way at once. Enough to share the engine's batches, and few enough that one
/// caller does not fill its queue.
pub(crate) const BATCH_CONCURRENCY: usize = 256;
/// Answers of a batch that are sent in one piece, if they are ready.
pub(crate) const BATCH_ANSWERS_PER_WRITE: usize = 64;
/// Rows of one import that are under way at once.
pub(crate) const IMPORT_CONCURRENCY: usize = 1_024;
/// Bytes of one import row.
pub(crate) const IMPORT_ROW_BYTES_MAX: usize = 4 * 1_024;
/// Columns of an import's CSV, known or not.
pub(crate) const IMPORT_COLUMNS_MAX: usize = 64;
/// Rejected rows that an import lists; more are counted.
pub(crate) const REJECTED_LISTED_MAX: usize = 1_000;
/// Changes that the journal answers when the caller does not say, and at most. A version is never split, so an answer
/// may exceed this by the changes of one batch.
pub(crate) const JOURNAL_LIMIT_DEFAULT: usize = 100;
/// See [`JOURNAL_LIMIT_DEFAULT`].
pub(crate) const JOURNAL_LIMIT_MAX: usize = 1_000;
/// Versions read from the engine at a time for the journal.
pub(crate) const JOURNAL_VERSIONS_PER_READ: usize = 16;
