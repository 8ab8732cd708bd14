//! Every bound of the REST edge that is not an option, in one place.

/// Lines of an order.
pub(crate) const LINES_MAX: usize = 256;
/// Bytes of ids, keys and short texts.
pub(crate) const TEXT_BYTES_MAX: usize = 255;
/// Units of one product in one order: what inventory can hold.
pub(crate) const QUANTITY_MAX: i64 = i32::MAX as i64;
/// Orders on a page when the caller does not say, and at most.
pub(crate) const PAGE_DEFAULT: usize = 20;
/// See [`PAGE_DEFAULT`].
pub(crate) const PAGE_MAX: usize = 100;
