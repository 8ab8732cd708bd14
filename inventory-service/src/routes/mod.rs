//! One operation a file.

pub(crate) mod adjust;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod commit;
pub(crate) mod extend;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod journal;
mod params;
pub(crate) mod product;
pub(crate) mod products;
pub(crate) mod release;
pub(crate) mod reservation;
pub(crate) mod reserve;
pub(crate) mod set;
