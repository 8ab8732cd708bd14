//! Every bound of the engine that is not an option, and the assertions that relate them.

/// Bytes in a caller's text (ids, reasons, names).
pub const TEXT_BYTES_MAX: usize = 255;
/// Lines in one order, after duplicates are summed or before, whichever is checked first.
pub const LINES_MAX: usize = 256;
/// The largest quantity of one line: what fits a 32-bit column.
pub const QUANTITY_MAX: u32 = i32::MAX as u32;
/// The largest stock of one product. Far below `i64::MAX`, so that no sum of a batch can overflow.
pub const UNITS_MAX: i64 = 1_000_000_000_000;
/// How many holds a `below_held` refusal lists.
pub const BLOCKING_HOLDS_MAX: usize = 20;
/// Commands in one batch, whatever the options say.
pub const BATCH_COMMANDS_MAX: usize = 8_192;

// A batch may take at most every line of every command from one product: still no overflow.
const _: () =
    assert!((BATCH_COMMANDS_MAX * LINES_MAX) as i128 * (QUANTITY_MAX as i128) < i64::MAX as i128 / 2);
const _: () = assert!(UNITS_MAX < i64::MAX / 4);
