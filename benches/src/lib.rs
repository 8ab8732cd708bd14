//! Measurements that anyone can run, each with what it is measured against in the same run.

pub mod arena;
pub mod connection;
pub mod contest;
pub mod drive;
pub mod fixtures;
pub mod fleet;
pub mod history;
pub mod library;
pub mod measure;
pub mod peers;
pub mod placers;
pub mod report;
pub mod storm;
pub mod usage;
pub mod workload;
