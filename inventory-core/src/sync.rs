//! The one seam that names atomics.
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
