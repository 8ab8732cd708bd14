//! Measurements that anyone can run, each with what it is measured against in the same run.

pub mod fixtures;
pub mod fleet;
pub mod library;
pub mod load;
pub mod naive;
pub mod placers;
pub mod usage;
