//! One operation a file.

mod behave;
pub(crate) mod health;
mod params;
pub(crate) mod payment;
pub(crate) mod process;
pub(crate) mod refund;
